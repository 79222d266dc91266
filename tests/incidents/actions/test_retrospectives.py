"""Retrospectives, promises with their reminders, and runbooks."""

from __future__ import annotations

import datetime as dt

import pytest

from deploys.models import Membership, Team, User
from incidents import ports
from incidents.actions import retrospectives, runbooks
from incidents.domain.promises import ItemState
from incidents.models import ActionItem, Incident, RunbookUse
from tests.conftest import NOON
from tests.factories.catalog import TeamFactory, UserFactory
from tests.factories.incidents import incident_of, service_of

pytestmark = [pytest.mark.django_db(databases="__all__")]
DUE = dt.date(2026, 3, 10)


@pytest.fixture
def ida(team: Team) -> User:
    user = UserFactory(first_name="Ida", last_name="")
    Membership.objects.create(team=team, user=user, role="responder", created_at=NOON)
    return user


@pytest.fixture
def team() -> Team:
    return TeamFactory()


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[ports.Notice]:
    notices: list[ports.Notice] = []
    monkeypatch.setattr(ports, "_notifiers", {"test": notices.append})
    return notices


def promised(incident: Incident, by: User, due_on: dt.date | None = DUE) -> ActionItem:
    return retrospectives.promise(incident=incident, title=" Backfill first ", owner=by, due_on=due_on, by=by, now=NOON)


def test_two_people_do_not_overwrite_each_other(team: Team, ida: User) -> None:
    incident = incident_of(team)

    first = retrospectives.save_answers(incident=incident, answers={"luck": "a"}, revision=0, by=ida, now=NOON)
    same = retrospectives.save_answers(incident=incident, answers={"luck": "a "}, revision=0, by=ida, now=NOON)
    with pytest.raises(retrospectives.SavedMeanwhile) as refused:
        retrospectives.save_answers(incident=incident, answers={"luck": "b"}, revision=0, by=ida, now=NOON)
    later = retrospectives.save_answers(incident=incident, answers={"luck": "b"}, revision=1, by=ida, now=NOON)

    assert (first.revision, same.revision, refused.value.retrospective.answers, later.answers) == (
        1, 1, {"luck": "a"}, {"luck": "b"},
    )  # fmt: skip


def test_finished_and_open_again(team: Team, ida: User) -> None:
    incident = incident_of(team)

    for _ in range(2):
        row = retrospectives.finish(incident=incident, is_finished=True, by=ida, now=NOON)
    assert (row.finished_at, row.finished_by, incident.timeline.count()) == (NOON, ida, 1)
    assert retrospectives.finish(incident=incident, is_finished=False, by=ida, now=NOON).finished_at is None


def test_promises_are_kept_dropped_and_changed(team: Team, ida: User) -> None:
    item = promised(incident_of(team), ida)

    changed = retrospectives.change_item(item=item, title="Backfill", owner=None, due_on=None, by=ida, now=NOON)
    retrospectives.change_item(item=item, title="Backfill", owner=None, due_on=None, by=ida, now=NOON)
    done = retrospectives.end_item(item=item, state=ItemState.DONE, by=ida, now=NOON)
    retrospectives.end_item(item=item, state=ItemState.DONE, by=ida, now=NOON)
    again = retrospectives.end_item(item=item, state=ItemState.OPEN, by=ida, now=NOON)

    assert (item.title, changed.owner, done.ended_at, again.ended_at) == ("Backfill first", None, NOON, None)
    assert [row.data["state"] for row in item.incident.timeline.order_by("pk")] == [
        "promised", "promise_changed", "kept", "promise_reopened",
    ]  # fmt: skip


def test_what_is_no_promise_is_refused(team: Team, ida: User, monkeypatch: pytest.MonkeyPatch) -> None:
    incident = incident_of(team)
    for title, owner in ((" ", ida), ("x", UserFactory())):
        with pytest.raises(retrospectives.ItemRefused):
            retrospectives.promise(incident=incident, title=title, owner=owner, due_on=None, by=ida, now=NOON)
    monkeypatch.setattr(retrospectives, "MOST_ITEMS", 0)
    with pytest.raises(retrospectives.ItemRefused, match="at most"):
        promised(incident, ida)


def test_each_reminder_is_told_once(team: Team, ida: User, told: list[ports.Notice]) -> None:
    incident = incident_of(team)
    item = promised(incident, ida)
    promised(incident, ida, due_on=None)
    kept = promised(incident, ida)
    retrospectives.end_item(item=kept, state=ItemState.DONE, by=ida, now=NOON)

    counts = [retrospectives.remind(now=NOON + dt.timedelta(days=days)) for days in (0, 5, 5, 6, 7, 8, 14)]

    assert counts == [0, 1, 0, 0, 1, 0, 1]
    assert [notice.title for notice in told] == [
        "Due: Backfill first",
        "Overdue: Backfill first",
        "Overdue: Backfill first",
    ]
    assert len({notice.key for notice in told}) == 3
    assert told[0].text == "Promised after INC-1, due on 2026-03-10, looked after by Ida."
    assert told[0].path.endswith(f"/action-items/{item.public_id}/")


def test_a_runbook_has_versions_and_says_whether_it_worked(team: Team, ida: User) -> None:
    shop, incident = service_of(team), incident_of(team)
    runbook = runbooks.write_runbook(service=shop, title="It is down", text="Restart it.\r\n", by=ida, now=NOON)

    runbooks.mark_used(incident=incident, runbook=runbook, outcome=RunbookUse.Outcome.FAILED, by=ida, now=NOON)
    second = runbooks.revise(runbook=runbook, title="Down", text="Look first.", seen=1, by=ida, now=NOON, note="why")
    same = runbooks.revise(runbook=runbook, title="Down", text="Look first.", seen=2, by=ida, now=NOON)
    for _ in range(2):
        use = runbooks.mark_used(
            incident=incident, runbook=runbook, outcome=RunbookUse.Outcome.WORKED, by=ida, now=NOON
        )

    assert [row.text for row in runbook.versions.order_by("number")] == ["Restart it.", "Look first."]
    assert (second, use.version, RunbookUse.objects.count()) == (same, second, 1)
    assert incident.timeline.count() == 2


@pytest.mark.parametrize(("title", "text"), [("", "x"), ("x", " "), ("x", "y" * 50_001), ("Taken", "x")])
def test_what_is_no_runbook_is_refused(team: Team, ida: User, title: str, text: str) -> None:
    shop = service_of(team)
    runbooks.write_runbook(service=shop, title="Taken", text="x", by=ida, now=NOON)
    other = runbooks.write_runbook(service=shop, title="Other", text="x", by=ida, now=NOON)

    with pytest.raises(runbooks.RunbookRefused):
        runbooks.write_runbook(service=shop, title=title, text=text, by=ida, now=NOON)
    with pytest.raises(runbooks.RunbookRefused):
        runbooks.revise(runbook=other, title=title, text=text, seen=1, by=ida, now=NOON)


def test_an_older_version_replaces_nothing_and_a_stranger_helps_nobody(team: Team, ida: User) -> None:
    runbook = runbooks.write_runbook(service=service_of(team), title="Down", text="x", by=ida, now=NOON)

    with pytest.raises(runbooks.RunbookRefused, match="Somebody else"):
        runbooks.revise(runbook=runbook, title="Down", text="y", seen=0, by=ida, now=NOON)
    with pytest.raises(runbooks.RunbookRefused, match="this team"):
        runbooks.mark_used(
            incident=incident_of(TeamFactory()), runbook=runbook, outcome=RunbookUse.Outcome.WORKED, by=ida, now=NOON
        )
