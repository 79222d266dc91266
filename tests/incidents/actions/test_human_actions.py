"""What people say about incidents: facts, rows, timeline lines, announcements."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from deploys.models import Fact, Team, User
from incidents.actions import causes, clocks, declare, impact, issues, notes, states
from incidents.domain.clocks import Clock, ClockRefused
from incidents.models import Cause, ImpactClass, ImpactSpell, Incident, Issue, TimelineEntry
from incidents.signals import incident_changed
from tests.conftest import NOON
from tests.factories.catalog import MembershipFactory, ServiceFactory, TeamFactory, UserFactory
from tests.factories.incidents import IssueFactory, deploy_of, flag_of, incident_of, service_of, verdict_of

pytestmark = [pytest.mark.django_db, pytest.mark.database]
LATER = NOON + dt.timedelta(minutes=30)


@pytest.fixture
def team() -> Team:
    return TeamFactory()


@pytest.fixture
def ida() -> User:
    return UserFactory(first_name="Ida", last_name="Holm")


def said(incident: Incident) -> list[dict[str, Any]]:
    """What persons said of it, in order."""
    facts = Fact.objects.filter(team=incident.team, kind="incident", origin="person").order_by("id")
    return [{key: value for key, value in fact.payload.items() if key != "id"} for fact in facts]


def lines(incident: Incident) -> list[tuple[str, dict[str, Any]]]:
    return list(incident.timeline.order_by("id").values_list("kind", "data"))


def links(incident: Incident) -> list[tuple[str, int | None, str, str]]:
    return list(incident.causes.order_by("id").values_list("kind", "change", "status", "by"))


# -- declare ----------------------------------------------------------------------------------------------------------


def test_a_title_is_enough(team: Team, ida: User) -> None:
    ServiceFactory(team=team, name="api")
    ServiceFactory(team=team, name="shop", last_event_at=NOON)

    incident = declare.declare(team=team, title=" Checkout fails ", by=ida, now=NOON)

    assert (incident.title, incident.impact_class, incident.detected_by) == ("Checkout fails", "multi_user", "person")
    assert incident.started_at == incident.detected_at == incident.acknowledged_at == incident.due_at == NOON
    assert [each.service.name for each in incident.incident_services.all()] == ["shop"]
    assert (incident.person_keys, incident.lead) == (["title"], ida)
    assert lines(incident) == [("opened", {"by": "person", "class": "multi_user"})]


def test_what_a_person_says_is_theirs(team: Team, ida: User) -> None:
    api = ServiceFactory(team=team, name="api")

    incident = declare.declare(
        team=team, title="Was down", by=ida, now=LATER, services=[api], impact_class=ImpactClass.DOWNTIME,
        started_at=NOON, restored_at=NOON + dt.timedelta(minutes=9), note="The **cable** was out.",
    )  # fmt: skip

    assert incident.person_keys == ["class", "restored_at", "services", "started_at", "title"]
    assert (incident.detected_at, incident.acknowledged_at, incident.is_open) == (None, None, False)
    assert list(incident.timeline.order_by("id").values_list("kind", "text")) == [
        ("opened", ""), ("note", "The **cable** was out."),
    ]  # fmt: skip


def test_declare_from_an_issue(team: Team, ida: User) -> None:
    issue = IssueFactory(service=ServiceFactory(team=team), first_seen_at=NOON, users_count=1)

    incident = declare.declare(team=team, title="Login fails", by=ida, now=LATER, issue=issue)

    assert (incident.impact_class, incident.started_at) == ("single_user", NOON)
    assert list(incident.incident_issues.values_list("issue", "from_at")) == [(issue.pk, NOON)]


@pytest.mark.parametrize(
    ("title", "started_at", "restored_at"),
    [("  ", None, None), ("x", LATER, None), ("x", NOON - dt.timedelta(hours=1), NOON - dt.timedelta(hours=2))],
)
def test_declare_refuses(
    team: Team, ida: User, title: str, started_at: dt.datetime | None, restored_at: dt.datetime | None
) -> None:
    ServiceFactory(team=team)

    with pytest.raises((declare.DeclareRefused, ClockRefused)):
        declare.declare(team=team, title=title, by=ida, now=NOON, started_at=started_at, restored_at=restored_at)

    assert Incident.objects.count() == Fact.objects.count() == 0


def test_declare_refuses_strangers_services_and_none(team: Team, ida: User) -> None:
    with pytest.raises(declare.DeclareRefused, match="no service yet"):
        declare.declare(team=team, title="x", by=ida, now=NOON)
    with pytest.raises(declare.DeclareRefused, match="this team"):
        declare.declare(team=team, title="x", by=ida, now=NOON, services=[ServiceFactory()])


# -- clocks and states ------------------------------------------------------------------------------------------------


def test_set_clock(team: Team, ida: User, django_capture_on_commit_callbacks: Any) -> None:
    incident = incident_of(team)
    heard: list[int] = []

    def hear(incident_id: int, **_: Any) -> None:
        heard.append(incident_id)

    incident_changed.connect(hear)
    with django_capture_on_commit_callbacks(execute=True):
        changed = clocks.set_clock(
            incident=incident, clock=Clock.MITIGATED, at=NOON + dt.timedelta(minutes=7), by=ida, now=LATER, reason="log"
        )
    incident_changed.disconnect(hear)

    assert (changed.mitigated_at, changed.person_keys) == (NOON + dt.timedelta(minutes=7), ["mitigated_at"])
    assert said(incident) == [{"mitigated_at": "2026-03-04T12:07:00Z"}]
    entry = TimelineEntry.objects.get()
    assert (entry.kind, entry.text, entry.actor, entry.at) == ("clock", "log", ida, LATER)
    assert entry.data == {"clock": "mitigated_at", "from": None, "to": "2026-03-04T12:07:00Z"}
    assert heard == [incident.pk]


def test_set_clock_to_what_it_is_changes_nothing(team: Team, ida: User) -> None:
    incident = incident_of(team)

    clocks.set_clock(incident=incident, clock=Clock.STARTED, at=NOON, by=ida, now=LATER)

    assert (said(incident), lines(incident)) == ([], [])


def test_refused_clock_leaves_no_trace(team: Team, ida: User) -> None:
    incident = incident_of(team)

    with pytest.raises(ClockRefused):
        clocks.set_clock(incident=incident, clock=Clock.RESTORED, at=NOON - dt.timedelta(minutes=1), by=ida, now=LATER)

    assert (said(incident), lines(incident)) == ([], [])


def test_acknowledge_twice_keeps_the_first(team: Team, ida: User) -> None:
    incident = incident_of(team)

    states.acknowledge(incident=incident, by=ida, now=LATER)
    changed = states.acknowledge(incident=incident, by=UserFactory(), now=LATER + dt.timedelta(minutes=1))

    assert (changed.acknowledged_at, changed.lead) == (LATER, ida)


def test_the_way_through(team: Team, ida: User) -> None:
    incident = incident_of(team)

    states.mitigate(incident=incident, by=ida, now=NOON + dt.timedelta(minutes=5))
    states.resolve(incident=incident, by=ida, now=LATER, at=NOON + dt.timedelta(minutes=10))
    closed = states.close(incident=incident, by=ida, now=LATER)

    assert (closed.restored_at, closed.closed_at) == (NOON + dt.timedelta(minutes=10), LATER)
    assert said(incident) == [{"mitigated_at": "2026-03-04T12:05:00Z"}, {"restored_at": "2026-03-04T12:10:00Z"}]


def test_closing_an_open_incident_is_refused(team: Team, ida: User) -> None:
    with pytest.raises(ClockRefused, match="say first when"):
        states.close(incident=incident_of(team), by=ida, now=LATER)


def test_it_came_back(team: Team, ida: User) -> None:
    incident = incident_of(team, restored_at="2026-03-04T12:10:00Z")
    states.close(incident=incident, by=ida, now=LATER)

    changed = states.reopen(incident=incident, by=ida, now=LATER)

    ten = NOON + dt.timedelta(minutes=10)
    assert (changed.restored_at, changed.closed_at) == (None, None)
    assert list(ImpactSpell.objects.order_by("id").values_list("from_at", "to_at")) == [(NOON, ten), (LATER, None)]

    states.resolve(incident=incident, by=ida, now=LATER + dt.timedelta(minutes=5))

    assert list(ImpactSpell.objects.order_by("id").values_list("to_at", flat=True)) == [
        ten, LATER + dt.timedelta(minutes=5),
    ]  # fmt: skip


def test_it_never_stopped(team: Team, ida: User) -> None:
    incident = incident_of(team, restored_at="2026-03-04T12:10:00Z")

    changed = states.reopen(incident=incident, by=ida, now=LATER, came_back=False)

    assert (changed.restored_at, ImpactSpell.objects.count()) == (None, 0)
    with pytest.raises(states.StateRefused):
        states.reopen(incident=incident, by=ida, now=LATER)


def test_dismiss_and_back(team: Team, ida: User) -> None:
    incident = incident_of(team)

    assert states.dismiss(incident=incident, by=ida, now=LATER, reason="a test").is_dismissed
    assert not states.undismiss(incident=incident, by=ida, now=LATER).is_dismissed
    assert said(incident) == [{"dismissed": True}, {"dismissed": False}]


def test_duplicates(team: Team, ida: User) -> None:
    first, second, third = incident_of(team), incident_of(team), incident_of(team)

    changed = states.mark_duplicate(incident=second, of=first, by=ida, now=LATER)

    assert changed.duplicate_of == first
    for incident, of in ((first, first), (first, third), (third, second), (third, incident_of(TeamFactory()))):
        with pytest.raises(states.StateRefused):
            states.mark_duplicate(incident=incident, of=of, by=ida, now=LATER)
    assert states.not_duplicate(incident=second, by=ida, now=LATER).duplicate_of is None


# -- impact -----------------------------------------------------------------------------------------------------------


def test_set_class(team: Team, ida: User) -> None:
    incident = incident_of(team)

    changed = impact.set_class(
        incident=incident, impact_class=ImpactClass.DOWNTIME, by=ida, now=LATER, note="nobody could pay"
    )

    assert (changed.impact_class, changed.class_note) == ("downtime", "nobody could pay")
    assert (changed.person_keys, lines(incident)) == (["class"], [("class", {"from": "multi_user", "to": "downtime"})])


def test_the_class_a_person_confirms_becomes_theirs(team: Team, ida: User) -> None:
    incident = incident_of(team)

    changed = impact.set_class(incident=incident, impact_class=ImpactClass.MULTI_USER, by=ida, now=LATER)

    assert changed.person_keys == ["class"]


def test_set_services(team: Team, ida: User) -> None:
    incident, api = incident_of(team), service_of(team, "api")

    changed = impact.set_services(incident=incident, services=[api, service_of(team)], by=ida, now=LATER)

    assert [each.service.name for each in changed.incident_services.all()] == ["api", "shop"]
    for services in ([], [ServiceFactory()]):
        with pytest.raises(impact.ImpactRefused):
            impact.set_services(incident=incident, services=services, by=ida, now=LATER)


def test_degradation_and_title(team: Team, ida: User) -> None:
    incident = incident_of(team)

    impact.set_degradation(incident=incident, degradation=0.3, by=ida, now=LATER)
    changed = impact.rename(incident=incident, title="Totals wrong", by=ida, now=LATER)

    assert (changed.degradation, changed.title) == (0.3, "Totals wrong")
    with pytest.raises(impact.ImpactRefused):
        impact.set_degradation(incident=incident, degradation=1.1, by=ida, now=LATER)
    with pytest.raises(impact.ImpactRefused):
        impact.rename(incident=incident, title=" ", by=ida, now=LATER)


# -- causes -----------------------------------------------------------------------------------------------------------


def suggestion(change: Any, probability: float = 0.8) -> dict[str, Any]:
    return {
        "kind": change.kind, "id": str(change.public_id), "status": "suggested", "by": "model", "probability": probability
    }  # fmt: skip


def test_confirm_makes_the_suggestion_a_persons_word(team: Team, ida: User) -> None:
    change, flag = deploy_of(team), flag_of(team)
    incident = incident_of(team, causes=[suggestion(change), suggestion(flag, 0.1)])

    causes.confirm_cause(incident=incident, change=change, by=ida, now=LATER)

    assert links(incident) == [("deploy", change.pk, "confirmed", "person")]
    assert Cause.objects.get().probability == 0.8
    assert Incident.objects.get().person_keys == ["causes"]
    assert lines(incident) == [("cause", {"cause": "deploy", "status": "confirmed"})]


def test_confirm_finds_an_imported_link(team: Team, ida: User) -> None:
    change = deploy_of(team, source="history", external_id="d1")
    incident = incident_of(team, causes=[{"kind": "deploy", "id": "d1", "status": "rejected"}])

    causes.confirm_cause(incident=incident, change=change, by=ida, now=LATER)

    assert links(incident) == [("deploy", change.pk, "confirmed", "person")]


def test_rejected_is_kept(team: Team, ida: User) -> None:
    change = deploy_of(team)
    incident = incident_of(team, causes=[suggestion(change)])

    causes.reject_cause(incident=incident, change=change, by=ida, now=LATER)

    assert links(incident) == [("deploy", change.pk, "rejected", "person")]


def test_reassign_rejects_what_was_named(team: Team, ida: User) -> None:
    wrong, right = deploy_of(team), flag_of(team)
    incident = incident_of(team, causes=[suggestion(wrong), {"kind": "external"}])

    causes.reassign_cause(incident=incident, change=right, by=ida, now=LATER)

    assert links(incident) == [("deploy", wrong.pk, "rejected", "person"), ("flag", right.pk, "confirmed", "person")]


def test_no_change_did_this(team: Team, ida: User) -> None:
    change, suspect = deploy_of(team), flag_of(team)
    incident = incident_of(team, causes=[suggestion(change)])
    verdict_of(incident, [(suspect, 0.6), (None, 0.4)])

    causes.blame_no_change(incident=incident, kind="capacity", by=ida, now=LATER, note="the queue was full")

    assert links(incident) == [
        ("deploy", change.pk, "rejected", "person"),
        ("flag", suspect.pk, "rejected", "person"),
        ("capacity", None, "confirmed", "person"),
    ]
    with pytest.raises(causes.CauseRefused):
        causes.blame_no_change(incident=incident, kind="deploy", by=ida, now=LATER)


def test_a_cause_after_its_effect_asks_the_person(team: Team, ida: User) -> None:
    late = deploy_of(team, at=NOON + dt.timedelta(seconds=1))
    incident = incident_of(team)

    with pytest.raises(causes.CauseAfterEffect) as refused:
        causes.confirm_cause(incident=incident, change=late, by=ida, now=LATER)

    assert (refused.value.changed_at, refused.value.began_at) == (NOON + dt.timedelta(seconds=1), NOON)
    assert links(incident) == []


def test_another_teams_change_is_refused(team: Team, ida: User) -> None:
    incident, foreign = incident_of(team), deploy_of(TeamFactory())

    for act in (causes.confirm_cause, causes.reject_cause, causes.reassign_cause, causes.add_remedy):
        with pytest.raises(causes.CauseRefused):
            act(incident=incident, change=foreign, by=ida, now=LATER)


def test_withdraw_forgets_one_link(team: Team, ida: User) -> None:
    change = deploy_of(team)
    incident = incident_of(team, causes=[{"kind": "external"}, suggestion(change)])

    causes.withdraw_cause(incident=incident, cause=incident.causes.get(kind="external"), by=ida, now=LATER)

    assert links(incident) == [("deploy", change.pk, "suggested", "model")]


def test_remedies(team: Team, ida: User) -> None:
    rollback, before = deploy_of(team, at=NOON + dt.timedelta(minutes=9)), deploy_of(team, release="1.3")
    incident = incident_of(team)

    causes.add_remedy(incident=incident, change=rollback, by=ida, now=LATER)
    causes.add_remedy(incident=incident, change=rollback, by=ida, now=LATER)

    assert list(incident.remedies.values_list("change", flat=True)) == [rollback.pk]
    with pytest.raises(causes.CauseRefused, match="before"):
        causes.add_remedy(incident=incident, change=before, by=ida, now=LATER)
    causes.remove_remedy(incident=incident, change=rollback, by=ida, now=LATER)
    assert incident.remedies.count() == 0


# -- notes and issues -------------------------------------------------------------------------------------------------


def test_notes(team: Team, ida: User) -> None:
    incident = incident_of(team)

    entry = notes.add_note(incident=incident, text=" It is the\r\ncolumn.\x00 ", by=ida, now=LATER)

    assert (entry.text, entry.actor, entry.kind) == ("It is the\ncolumn.", ida, "note")
    for text in (" ", "x" * 20_001):
        with pytest.raises(notes.NoteRefused):
            notes.add_note(incident=incident, text=text, by=ida, now=LATER)


def test_issue_states(team: Team) -> None:
    issue = IssueFactory(service=ServiceFactory(team=team))

    def state() -> tuple[str, dt.datetime | None, str]:
        row = Issue.objects.get(pk=issue.pk)
        return row.status, row.resolved_at, row.resolved_in_release

    issues.resolve_issue(issue=issue, now=LATER, in_release="1.5")
    assert state() == ("resolved", LATER, "1.5")
    issues.ignore_issue(issue=issue)
    assert state() == ("ignored", None, "")
    issues.reopen_issue(issue=issue)
    assert state() == ("open", None, "")


def test_assign_an_issue_to_members_only(team: Team) -> None:
    issue, member = IssueFactory(service=ServiceFactory(team=team)), MembershipFactory(team=team)

    issues.assign_issue(issue=issue, to=member.user)

    assert Issue.objects.get().assignee == member.user
    with pytest.raises(issues.IssueRefused):
        issues.assign_issue(issue=issue, to=UserFactory())
    issues.assign_issue(issue=issue, to=None)
    assert Issue.objects.get().assignee is None
