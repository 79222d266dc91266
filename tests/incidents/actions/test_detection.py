"""From evidence to incidents and verdicts, through the database."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import pytest

from deploys.actions.facts import record_fact
from deploys.models import Change, Service, Team
from incidents.actions import detection, proposals
from incidents.actions.attribution import mark_for_changes
from incidents.actions.checks import CheckResult, record_checks
from incidents.actions.digest import digest_events
from incidents.domain.event import Frame
from incidents.models import (
    Cause,
    Episode,
    Incident,
    IncidentIssue,
    Issue,
    Proposal,
    TimelineEntry,
    UnweighedChange,
    Verdict,
)
from tests.conftest import NOON
from tests.factories.catalog import ServiceFactory
from tests.factories.errors import minutes, parsed_event

pytestmark = [pytest.mark.django_db, pytest.mark.database]

PAY = (Frame(file="shop/pay.py", function="pay", line=7, in_app=True),)


def shop(team: Team | None = None) -> Service:
    """A service whose first day is long over."""
    service = ServiceFactory.create(name="shop", **({"team": team} if team else {}))
    Service.objects.filter(pk=service.pk).update(first_event_at=NOON - dt.timedelta(days=30))
    service.refresh_from_db()
    return service


def fail(
    service: Service, at: Sequence[float], *, users: int = 5, message: str = "'sku'", release: str = "1.4.0",
    received: float | None = None,
) -> None:  # fmt: skip
    """Errors at these minutes after NOON, of so many users in turn."""
    events = [
        parsed_event(
            timestamp=NOON + minutes(m), message=message, frames=PAY, release=release,
            user=f"u{n % users}" if users else "", host=f"shop-{n % 3}",
        )
        for n, m in enumerate(at)
    ]  # fmt: skip
    arrivals = [NOON + minutes(m if received is None else received) for m in at]
    digest_events(service=service, events=events, received_at=arrivals)


def deploy(team: Team, at: float, *, name: str = "d1", received: float | None = None, **keys: object) -> Change:
    """A production deploy of shop that started so many minutes after NOON, as it comes live."""
    payload = {
        "id": name, "service": "shop", "release": "1.4.0", "status": "success", "started_at": (NOON + minutes(at)).isoformat(),
        "finished_at": (NOON + minutes(at + 2)).isoformat(), "files": ["shop/pay.py"], **keys,
    }  # fmt: skip
    moment = NOON + minutes(at + 2 if received is None else received)
    record_fact(team=team, kind="deploy", payload=payload, received_at=moment, origin="live", source="api")
    return Change.objects.get(deploy__external_id=name, team=team)


def spread(count: int, start: float = 0, step: float = 1) -> list[float]:
    """So many instants, evenly spread."""
    return [start + step * n for n in range(count)]


def test_a_new_error_after_a_deploy_opens_an_incident_that_names_it() -> None:
    service = shop()
    change = deploy(service.team, -2)
    fail(service, spread(12, step=0.1))

    done = detection.run(now=NOON + minutes(2))

    incident = Incident.objects.get()
    verdict = incident.verdicts.get()
    cause = incident.causes.get()
    assert (done.incidents, incident.impact_class, incident.started_at) == (1, "multi_user", NOON)
    assert (incident.detected_at, incident.restored_at, incident.detected_by) == (NOON + minutes(2), None, "upshot")
    assert (incident.users_count, incident.events_count) == (5, 12)
    assert (verdict.change, verdict.outcome) == (change, "likely")
    assert (cause.change, cause.status, cause.by) == (change, "suggested", "model")
    first = verdict.candidates.get(rank=1)
    assert "changed shop/pay.py, the innermost frame" in set(first.evidence.values_list("sentence", flat=True))
    assert Issue.objects.get().dirty_at is None
    assert not detection.is_waiting(now=NOON + minutes(2))


def test_on_the_first_day_of_a_service_a_change_before_it_makes_an_error_worth_an_incident() -> None:
    service = ServiceFactory.create(name="shop")
    deploy(service.team, -2)
    fail(service, spread(12, step=0.1))

    detection.run(now=NOON + minutes(2))

    assert Incident.objects.count() == 1


def test_on_the_first_day_of_a_service_a_new_error_alone_opens_nothing() -> None:
    service = ServiceFactory.create(name="shop")
    fail(service, spread(5, step=20))

    detection.run(now=NOON + minutes(120))

    assert Incident.objects.count() == 0


def test_three_events_make_an_issue_and_no_incident() -> None:
    service = shop()
    fail(service, spread(3))

    detection.run(now=NOON + minutes(4))

    assert (Issue.objects.count(), Incident.objects.count()) == (1, 0)


def test_running_again_changes_nothing() -> None:
    service = shop()
    deploy(service.team, -2)
    fail(service, spread(12))
    detection.run(now=NOON + minutes(12))
    before = (Incident.objects.values().get(), Verdict.objects.count(), TimelineEntry.objects.count())
    Issue.objects.update(dirty_at=NOON)

    detection.run(now=NOON + minutes(12))

    assert (Incident.objects.values().get(), Verdict.objects.count(), TimelineEntry.objects.count()) == before


def test_quiet_restores_and_new_events_reopen_with_a_second_spell() -> None:
    service = shop()
    fail(service, spread(10))
    detection.run(now=NOON + minutes(10))
    due = Incident.objects.get().due_at

    detection.run(now=NOON + minutes(24))
    restored = Incident.objects.get().restored_at
    fail(service, spread(5, start=50))
    detection.run(now=NOON + minutes(55))

    incident = Incident.objects.get()
    assert due == NOON + minutes(24)
    assert restored == NOON + minutes(9)
    assert incident.restored_at is None
    assert [(s.from_at, s.to_at) for s in incident.impact_spells.order_by("from_at")] == [
        (NOON, NOON + minutes(9)),
        (NOON + minutes(50), None),
    ]


def test_failed_checks_are_downtime_until_the_first_good_one() -> None:
    service = shop()
    results = [CheckResult(at=NOON + minutes(m), ok=m not in (3, 4, 5)) for m in range(9)]
    record_checks(service=service, source="m", results=results[:5], received_at=NOON + minutes(4))
    detection.run(now=NOON + minutes(4))
    opened = Incident.objects.get()
    record_checks(service=service, source="m", results=results[5:], received_at=NOON + minutes(8))
    detection.run(now=NOON + minutes(8))

    incident = Incident.objects.get()
    assert (opened.impact_class, opened.started_at, opened.restored_at) == ("downtime", NOON + minutes(3), None)
    assert incident.restored_at == NOON + minutes(6)
    assert incident.title == "shop is down: checks fail"


def test_a_lone_failed_check_is_nothing() -> None:
    service = shop()
    results = [CheckResult(at=NOON + minutes(m), ok=m != 3) for m in range(6)]
    record_checks(service=service, source="m", results=results, received_at=NOON + minutes(6))

    detection.run(now=NOON + minutes(6))

    assert (Incident.objects.count(), Episode.objects.count()) == (0, 0)


def test_errors_and_failed_checks_of_one_service_are_one_incident() -> None:
    service = shop()
    fail(service, spread(10))
    results = [CheckResult(at=NOON + minutes(m), ok=m not in (2, 3, 4)) for m in range(8)]
    record_checks(service=service, source="m", results=results, received_at=NOON + minutes(8))

    detection.run(now=NOON + minutes(10))

    incident = Incident.objects.get()
    assert (incident.impact_class, incident.started_at) == ("downtime", NOON)


def test_what_a_person_has_said_stays() -> None:
    service = shop()
    fail(service, spread(6), users=1)
    detection.run(now=NOON + minutes(6))
    incident = Incident.objects.get()
    said = {
        "id": incident.external_id,
        "class": "impactless",
        "started_at": (NOON - minutes(9)).isoformat(),
        "causes": [],
    }
    record_fact(
        team=service.team,
        kind="incident",
        payload=said,
        received_at=NOON + minutes(7),
        origin="person",
        source=incident.source,
    )
    deploy(service.team, -2, received=8)

    fail(service, spread(20, start=8, step=0.2), users=9)
    detection.run(now=NOON + minutes(13))

    incident.refresh_from_db()
    assert (incident.impact_class, incident.started_at) == ("impactless", NOON - minutes(9))
    assert (incident.causes.count(), incident.verdicts.count() > 1) == (0, True)


def test_a_deploy_that_is_reported_late_is_weighed() -> None:
    service = shop()
    fail(service, spread(12), release="")
    detection.run(now=NOON + minutes(12))
    before = Incident.objects.get().verdicts.get().change
    change = deploy(service.team, -2, received=20)

    assert detection.is_waiting(now=NOON + minutes(20))
    detection.run(now=NOON + minutes(20))

    assert before is None
    assert Incident.objects.get().verdicts.order_by("-number")[0].change == change
    assert UnweighedChange.objects.count() == 0


@pytest.mark.parametrize(
    ("begun", "is_weighed"),
    [(-80 * 60, False), (-70 * 60, True), (1, True), (3, True), (12 + 59, True), (12 + 62, False)],
)
def test_only_incidents_that_a_change_may_have_caused_or_ended_are_weighed_for_it(begun: int, is_weighed: bool) -> None:
    """From three days before the first error to an hour after the last one, here at 12 minutes."""
    service = shop()
    deploy(service.team, -2)
    fail(service, spread(12))
    detection.run(now=NOON + minutes(12))
    detection.run(now=NOON + minutes(120))
    before = Verdict.objects.count()

    deploy(service.team, begun, name="d2", received=121)
    marked = mark_for_changes(team=service.team, now=NOON + minutes(121))

    assert (marked, Verdict.objects.count()) == (int(is_weighed), before)


def test_a_deploy_that_is_reported_while_detection_waits_for_its_turn_is_weighed() -> None:
    service = shop()
    fail(service, spread(12))
    detection.run(now=NOON + minutes(12))
    fail(service, spread(1, start=12))  # too little to have the incident weighed again
    told: list[Change] = []

    detection.run(now=NOON + minutes(13), before_each=lambda: told.append(deploy(service.team, -2, received=13)))

    assert Incident.objects.get().verdicts.order_by("-number")[0].change == told[0]


def test_a_rejected_cause_is_not_proposed_again() -> None:
    service = shop()
    change = deploy(service.team, -2)
    fail(service, spread(12))
    detection.run(now=NOON + minutes(12))
    incident = Incident.objects.get()
    claim = {"kind": "deploy", "id": str(change.public_id), "status": "rejected", "by": "person"}
    record_fact(
        team=service.team, kind="incident", payload={"id": incident.external_id, "causes": [claim]},
        received_at=NOON + minutes(13), origin="person", source=incident.source,
    )  # fmt: skip

    Incident.objects.update(due_at=NOON + minutes(14))
    detection.run(now=NOON + minutes(14))

    assert incident.verdicts.order_by("-number")[0].change is None
    assert [cause.status for cause in incident.causes.all()] == [Cause.Status.REJECTED]


def test_a_team_that_wants_to_be_asked_gets_proposals() -> None:
    service = shop()
    Team.objects.update(auto_open=False)
    deploy(service.team, -2)
    fail(service, spread(12))

    detection.run(now=NOON + minutes(12))
    fail(service, spread(3, start=13))
    detection.run(now=NOON + minutes(16))

    proposal = Proposal.objects.get()
    assert (Incident.objects.count(), proposal.payload["class"], proposal.payload["events"]) == (0, "multi_user", 15)
    assert (proposal.verdict or {})["outcome"] == "likely"


def test_an_accepted_proposal_becomes_an_incident_and_a_rejected_one_is_not_made_again() -> None:
    service = shop()
    Team.objects.update(auto_open=False)
    fail(service, spread(12))
    fail(service, spread(12, start=600), message="'owner'")
    detection.run(now=NOON + minutes(613))
    first, second = Proposal.objects.order_by("pk")

    incident = proposals.accept(proposal=first, by=None, now=NOON + minutes(614))
    proposals.reject(proposal=second, by=None, now=NOON + minutes(614))
    fail(service, [613], message="'owner'")
    detection.run(now=NOON + minutes(615))

    assert (incident.impact_class, incident.started_at, Incident.objects.count()) == ("multi_user", NOON, 1)
    assert [each.state for each in Proposal.objects.order_by("pk")] == ["accepted", "rejected"]
    with pytest.raises(proposals.AnsweredAlready):
        proposals.accept(proposal=second, by=None, now=NOON)
    with pytest.raises(proposals.AnsweredAlready):
        proposals.reject(proposal=first, by=None, now=NOON)


def test_one_fault_in_two_services_along_a_dependency_is_one_incident() -> None:
    service = shop()
    edge = ServiceFactory.create(name="edge", team=service.team)
    Service.objects.filter(pk=edge.pk).update(first_event_at=NOON - dt.timedelta(days=30))
    edge.refresh_from_db()
    edge.dependencies.create(depends_on=service)
    fail(service, spread(12))
    fail(edge, spread(8, start=1), message="502 from http://shop.internal/v1")

    detection.run(now=NOON + minutes(13))

    incident = Incident.objects.get()
    assert [row.service.name for row in incident.incident_services.order_by("position")] == ["shop", "edge"]


def test_two_faults_hours_apart_are_two_incidents() -> None:
    service = shop()
    fail(service, spread(12))
    fail(service, spread(12, start=300), message="'owner'")

    detection.run(now=NOON + minutes(313))

    assert Incident.objects.count() == 2


def test_times_that_turn_out_wrong_dissolve_an_incident() -> None:
    service = shop()
    fail(service, spread(4))
    detection.run(now=NOON + minutes(4))
    Episode.objects.get()
    issue = Issue.objects.get()
    issue.events.filter(timestamp__gt=NOON + minutes(1)).delete()
    Issue.objects.update(dirty_at=NOON)

    detection.run(now=NOON + minutes(5))

    assert (Episode.objects.count(), Incident.objects.get().is_dismissed) == (0, True)


def test_a_declared_incident_takes_the_evidence_in() -> None:
    service = shop()
    payload = {
        "id": "i1", "services": ["shop"], "class": "multi_user", "started_at": NOON.isoformat(), "title": "Pay is broken",
        "detected_by": "person",
    }  # fmt: skip
    record_fact(team=service.team, kind="incident", payload=payload, received_at=NOON, origin="person", source="upshot")
    deploy(service.team, -2)
    fail(service, spread(12))

    detection.run(now=NOON + minutes(12))

    incident = Incident.objects.get()
    assert (incident.title, incident.episodes.count(), incident.verdicts.count()) == ("Pay is broken", 1, 1)


def test_a_declared_incident_is_weighed_by_the_few_events_of_its_issue() -> None:
    service = shop()
    change = deploy(service.team, -2)
    fail(service, spread(2))
    payload = {
        "id": "i1", "services": ["shop"], "class": "multi_user", "started_at": NOON.isoformat(), "title": "Pay is broken",
        "detected_by": "person",
    }  # fmt: skip
    record_fact(team=service.team, kind="incident", payload=payload, received_at=NOON, origin="person", source="upshot")
    incident = Incident.objects.get()
    IncidentIssue.objects.create(incident=incident, issue=Issue.objects.get(), from_at=NOON)
    Incident.objects.update(due_at=NOON + minutes(3))

    detection.run(now=NOON + minutes(3))

    assert [v.change for v in incident.verdicts.all()] == [change]
    assert Incident.objects.get().due_at == NOON + minutes(16)


def test_a_declared_incident_without_any_issue_is_left_alone() -> None:
    service = shop()
    payload = {"id": "i1", "services": ["shop"], "class": "downtime", "started_at": NOON.isoformat(), "title": "Down"}
    record_fact(team=service.team, kind="incident", payload=payload, received_at=NOON, origin="person", source="upshot")
    Incident.objects.update(due_at=NOON)

    detection.run(now=NOON + minutes(3))

    assert (Incident.objects.get().due_at, Verdict.objects.count()) == (None, 0)


def test_an_episode_says_how_many_different_users_it_hits() -> None:
    service = shop()
    deploy(service.team, -2)
    fail(service, spread(8), users=1)
    fail(service, spread(8), users=8, message="other")
    fail(service, spread(8), users=0, message="third")
    detection.run(now=NOON + minutes(9))

    assert sorted(Episode.objects.values_list("breadth", flat=True), key=str) == [0.0, 1.0, None]
