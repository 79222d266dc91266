"""How people work on an incident: roles, severity, spells, endings, merging and splitting."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from deploys.models import Membership, Team, User
from incidents.actions import causes, detection, merging, response
from incidents.actions.states import StateRefused
from incidents.domain.incident_record import Spell
from incidents.domain.response import Ending, Noticed, ResponseRole, Severity
from incidents.models import Episode, Incident, IncidentIssue, Issue
from tests.conftest import NOON
from tests.factories.catalog import TeamFactory, UserFactory
from tests.factories.incidents import IssueFactory, deploy_of, environment_of, incident_of, service_of

pytestmark = [pytest.mark.django_db(databases="__all__")]
LATER = NOON + dt.timedelta(minutes=30)


def at(minutes: float) -> dt.datetime:
    return NOON + dt.timedelta(minutes=minutes)


@pytest.fixture
def team() -> Team:
    return TeamFactory()


def member(team: Team, name: str) -> User:
    user = UserFactory(first_name=name, last_name="")
    Membership.objects.create(team=team, user=user, role="responder", created_at=NOON)
    return user


def said(incident: Incident) -> list[dict[str, Any]]:
    return [row.data for row in incident.timeline.order_by("pk")]


def test_roles_are_handed_over_and_who_held_them_stays_told(team: Team) -> None:
    ida, mads = member(team, "Ida"), member(team, "Mads")
    incident = incident_of(team)
    roles = {ResponseRole.LEAD: ida, ResponseRole.COMMUNICATIONS: mads, ResponseRole.DATA: None}

    for _ in range(2):
        response.hand_over(incident=incident, roles=roles, by=ida, now=LATER)
    response.hand_over(
        incident=incident, roles={ResponseRole.COMMUNICATIONS: ida}, by=mads, now=LATER, note="my shift is over"
    )
    response.hand_over(incident=incident, roles={ResponseRole.COMMUNICATIONS: None}, by=ida, now=LATER)
    response.take_role(incident=incident, role=ResponseRole.ROLLBACK, by=mads, now=LATER)
    response.take_role(incident=incident, role=ResponseRole.LEAD, by=mads, now=LATER)

    incident.refresh_from_db()
    assert incident.lead == mads
    assert [(row.role, row.person) for row in incident.role_holders.all()] == [("rollback", mads)]
    assert [(data["role"], data["from"], data["to"]) for data in said(incident) if data["state"] == "role"] == [
        ("lead", "", "Ida"), ("communications", "", "Mads"), ("communications", "Mads", "Ida"),
        ("communications", "Ida", ""), ("rollback", "", "Mads"),
    ]  # fmt: skip
    assert incident.timeline.filter(text="my shift is over").count() == 1


def test_a_stranger_holds_no_role(team: Team) -> None:
    incident, stranger = incident_of(team), member(TeamFactory(), "Eve")

    with pytest.raises(response.ResponseRefused):
        response.hand_over(incident=incident, roles={ResponseRole.LEAD: stranger}, by=stranger, now=LATER)


def test_what_the_form_says_is_written_once(team: Team) -> None:
    ida, incident = member(team, "Ida"), incident_of(team)
    values: dict[str, Any] = {
        "title": "It broke", "services": [service_of(team)], "degradation": None, "severity": Severity.SEV2,
        "noticed": Noticed.USERS, "missing_test": "totals with an empty basket", "reason": "all of them call",
    }  # fmt: skip

    for _ in range(2):
        response.edit(incident=incident, by=ida, now=LATER, **values)

    incident.refresh_from_db()
    assert (incident.severity, incident.detected_by, incident.missing_test) == (
        "sev2", "users", "totals with an empty basket",
    )  # fmt: skip
    assert [data["state"] for data in said(incident)] == ["severity", "noticed", "missing_test"]
    response.edit(incident=incident, by=ida, now=LATER, **(values | {"noticed": None, "missing_test": ""}))
    incident.refresh_from_db()
    assert (incident.detected_by, incident.missing_test) == ("users", "")


def test_spells_of_impact(team: Team) -> None:
    ida, incident = member(team, "Ida"), incident_of(team, restored_at="2026-03-04T12:20:00Z")
    spells = [Spell(at(0), at(5), 0.5), Spell(at(10), at(20), None)]

    for _ in range(2):
        incident = response.set_spells(incident=incident, spells=spells, by=ida, now=LATER, reason="from the log")

    assert list(incident.impact_spells.order_by("from_at").values_list("from_at", "to_at", "degradation")) == [
        (at(0), at(5), 0.5), (at(10), at(20), None),
    ]  # fmt: skip
    assert said(incident) == [{"spells": 2}]
    assert response.set_spells(incident=incident, spells=[], by=ida, now=LATER).impact_spells.count() == 0


def test_a_remedy_ends_what_is_open_when_it_is_live(team: Team) -> None:
    ida, incident = member(team, "Ida"), incident_of(team)
    running = deploy_of(team, at=at(4), status="in_progress", finished_at=None)
    rollback = deploy_of(team, release="1.3.9", at=at(9))

    assert causes.add_remedy(incident=incident, change=running, by=ida, now=LATER).restored_at is None
    causes.add_remedy(incident=incident, change=rollback, by=ida, now=LATER)

    incident.refresh_from_db()
    assert (incident.restored_at, incident.remedies.count()) == (at(12), 2)


def test_something_else_ended_it(team: Team) -> None:
    ida, incident = member(team, "Ida"), incident_of(team)

    for _ in range(2):
        incident = response.end_otherwise(
            incident=incident, ending=Ending.RESTART, note="all pods", at=at(20), by=ida, now=LATER
        )

    assert (incident.ended_by, incident.ended_note, incident.restored_at) == ("restart", "all pods", at(20))
    assert incident.timeline.count() == 2
    again = response.end_otherwise(incident=incident, ending=Ending.UNSAID, note="", at=None, by=ida, now=LATER)
    assert (again.ended_by, again.restored_at) == ("", at(20))


def symptom(incident: Incident, issue: Issue, start: float, end: float) -> Episode:
    IncidentIssue.objects.create(incident=incident, issue=issue, from_at=at(start))
    return Episode.objects.create(
        team=incident.team, service=issue.service, environment=environment_of(incident.team), issue=issue,
        incident=incident, started_at=at(start), met_at=at(start), last_at=at(end), count=9, reason="novel",
        facts={"key": issue.fingerprint, "service": issue.service.name},
    )  # fmt: skip


def test_merging_widens_the_one_that_stays(team: Team) -> None:
    ida = member(team, "Ida")
    stays = incident_of(team, restored_at="2026-03-04T12:10:00Z")
    goes = incident_of(
        team, services=["api"], started_at="2026-03-04T11:30:00Z", restored_at="2026-03-04T11:50:00Z"
    )  # fmt: skip
    symptom(goes, IssueFactory(service=service_of(team, "api")), -30, -12)

    stays = merging.merge(incident=goes, into=stays, by=ida, now=LATER)

    goes.refresh_from_db()
    assert (goes.duplicate_of, stays.started_at, stays.restored_at) == (stays, at(-30), at(10))
    assert [each.service.name for each in stays.incident_services.all()] == ["shop", "api"]
    assert list(stays.impact_spells.order_by("from_at").values_list("from_at", "to_at")) == [
        (at(-30), at(-10)), (at(0), at(10)),
    ]  # fmt: skip
    assert (stays.incident_issues.count(), stays.episodes.count(), goes.episodes.count()) == (1, 1, 0)


def test_merging_what_goes_on_opens_the_one_that_stays(team: Team) -> None:
    ida = member(team, "Ida")
    stays, goes = incident_of(team, restored_at="2026-03-04T12:10:00Z"), incident_of(team)

    assert merging.merge(incident=goes, into=stays, by=ida, now=LATER).is_open


def test_a_split_stays_a_split(team: Team) -> None:
    ida, incident = member(team, "Ida"), incident_of(team)
    one, other = (IssueFactory(service=service_of(team)) for _ in range(2))
    symptom(incident, one, 0, 10)
    symptom(incident, other, 5, 9)

    with pytest.raises(StateRefused, match="Choose"):
        merging.split(incident=incident, issues=[], title="Other", by=ida, now=LATER)
    with pytest.raises(StateRefused, match="Leave"):
        merging.split(incident=incident, issues=[one.pk, other.pk], title="Other", by=ida, now=LATER)
    fresh = merging.split(incident=incident, issues=[other.pk], title="Other", by=ida, now=LATER)
    detection.run(now=LATER)

    incident.refresh_from_db()
    fresh.refresh_from_db()
    assert (fresh.split_from, fresh.title, fresh.started_at) == (incident, "Other", at(5))
    assert (incident.duplicate_of, fresh.duplicate_of) == (None, None)
    assert [each.issue for each in incident.episodes.all()] == [one]
    assert [each.issue for each in fresh.episodes.all()] == [other]
