from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from deploys.actions.facts import record_fact
from deploys.models import Team
from reliability.actions.reports import PeriodNotOver, close_report, keep_reports, restate
from reliability.domain.intervals import Interval
from reliability.models import ReportPlan, ReportSnapshot
from reliability.queries.reports import closed_since, report_as_of, snapshots_of
from tests.factories.catalog import TeamFactory

pytestmark = [pytest.mark.database, pytest.mark.django_db]

MONDAY = datetime(2026, 3, 9, 6, tzinfo=UTC)
WEDNESDAY = MONDAY + timedelta(days=2)


def told(team: Team, at: datetime, kind: str = "incident", **payload: object) -> None:
    record_fact(team=team, kind=kind, payload=payload, received_at=at, origin="live")


def team_with_an_incident() -> Team:
    """Three deploys, the last of which broke something on Friday; nobody has said so yet."""
    team = TeamFactory.create()
    for day in (2, 3, 4):
        at = datetime(2026, 3, day, 9, tzinfo=UTC)
        told(
            team,
            at,
            "deploy",
            id=f"d{day}",
            service="shop",
            release=f"r{day}",
            status="success",
            started_at=at.isoformat(),
            finished_at=at.isoformat(),
        )
    friday = datetime(2026, 3, 6, 10, tzinfo=UTC)
    restored = (friday + timedelta(minutes=40)).isoformat()
    incident = {"services": ["shop"], "class": "downtime", "started_at": friday.isoformat(), "restored_at": restored}
    told(team, friday, id="INC-41", **incident)
    return team


def confirm_cause(team: Team, at: datetime) -> None:
    told(team, at, id="INC-41", causes=[{"kind": "deploy", "id": "d4"}])


def rate(snapshot: ReportSnapshot) -> tuple[int, int]:
    part = snapshot.result["total"]["change_failure"]
    return part["failed_count"], part["deploys_count"]


def test_a_week_is_closed_once_and_only_after_its_end() -> None:
    team = team_with_an_incident()

    with pytest.raises(PeriodNotOver):
        close_report(team=team, label="2026-W10", now=MONDAY - timedelta(hours=7))
    first = close_report(team=team, label="2026-W10", now=MONDAY)
    again = close_report(team=team, label="2026-W10", now=WEDNESDAY)

    assert again == first
    assert (first.number, first.as_of_at, first.reason, first.difference) == (1, MONDAY, "", [])
    assert rate(first) == (0, 3)


def test_a_cause_found_later_restates_the_week_in_the_open() -> None:
    team = team_with_an_incident()
    first = close_report(team=team, label="2026-W10", now=MONDAY)
    confirm_cause(team, MONDAY + timedelta(days=1))

    second = restate(team=team, label="2026-W10", now=WEDNESDAY)

    assert second is not None
    assert (second.number, rate(second), rate(first)) == (2, (1, 3), (0, 3))
    assert second.reason == "failed deploys: was 0, now 1: incident INC-41 (causes)"
    assert {"path": "total.change_failure.failed_count", "before": 0, "after": 1} in second.difference
    assert restate(team=team, label="2026-W10", now=WEDNESDAY + timedelta(days=1)) is None
    assert snapshots_of(team=team, label="2026-W10") == [first, second]
    assert closed_since(team=team, since=MONDAY - timedelta(days=30)) == [second]


def test_the_passing_of_time_restates_nothing() -> None:
    team = team_with_an_incident()
    close_report(team=team, label="2026-W10", now=datetime(2026, 3, 9, tzinfo=UTC))
    told(team, MONDAY, "service", service="shop", hosts=["web-1"])

    assert restate(team=team, label="2026-W10", now=WEDNESDAY) is None
    assert restate(team=team, label="2026-W09", now=WEDNESDAY) is None


def test_a_snapshot_can_be_computed_again_exactly() -> None:
    team = team_with_an_incident()
    first = close_report(team=team, label="2026-W10", now=MONDAY)
    confirm_cause(team, WEDNESDAY)
    first.refresh_from_db()

    window = Interval(first.from_at, first.to_at)

    assert report_as_of(team=team, window=window, as_of=first.as_of_at) == first.result


def test_a_history_imported_later_restates_what_it_reaches() -> None:
    team = team_with_an_incident()
    close_report(team=team, label="2026-W10", now=MONDAY)
    confirm_cause(team, MONDAY - timedelta(days=1))

    second = restate(team=team, label="2026-W10", now=WEDNESDAY)

    assert second is not None
    assert second.reason == "failed deploys: was 0, now 1: a history was imported that begins before"
    assert restate(team=team, label="2026-W10", now=WEDNESDAY) is None


def test_a_reason_given_by_a_person_stands() -> None:
    team = team_with_an_incident()
    close_report(team=team, label="2026-W10", now=MONDAY)
    confirm_cause(team, WEDNESDAY)

    second = restate(team=team, label="2026-W10", now=WEDNESDAY, reason="the log of the proxy was read")

    assert second is not None
    assert second.reason == "failed deploys: was 0, now 1: the log of the proxy was read"


def test_reports_keep_themselves() -> None:
    team = team_with_an_incident()

    assert keep_reports(team=TeamFactory.create(), now=MONDAY) == []
    assert keep_reports(team=team, now=MONDAY - timedelta(minutes=1)) == []
    assert [each.label for each in keep_reports(team=team, now=MONDAY)] == ["2026-W10"]
    assert keep_reports(team=team, now=MONDAY + timedelta(hours=1)) == []
    confirm_cause(team, WEDNESDAY)
    assert [(each.label, each.number) for each in keep_reports(team=team, now=WEDNESDAY)] == [("2026-W10", 2)]


def test_no_such_week() -> None:
    with pytest.raises(ValueError, match="2026-W54"):
        close_report(team=TeamFactory.create(), label="2026-W54", now=MONDAY)


def test_months_and_quarters_are_closed_where_the_team_wants_them() -> None:
    team = team_with_an_incident()
    ReportPlan.objects.create(team=team, kinds=["month", "quarter"], closes_at_hour=8)

    assert keep_reports(team=team, now=datetime(2026, 4, 1, 7, 59, tzinfo=UTC)) == []
    stored = keep_reports(team=team, now=datetime(2026, 4, 1, 8, tzinfo=UTC))

    assert [(snapshot.label, rate(snapshot)) for snapshot in stored] == [("2026-03", (0, 3)), ("2026-Q1", (0, 3))]
    assert stored[0].beside["recoveries"]["none"] == {"count": 1, "median_seconds": 2400}


def test_weeks_that_passed_while_the_instance_was_off_are_closed_afterwards() -> None:
    team = team_with_an_incident()
    keep_reports(team=team, now=MONDAY)

    stored = keep_reports(team=team, now=MONDAY + timedelta(weeks=3))

    assert [snapshot.label for snapshot in stored] == ["2026-W11", "2026-W12", "2026-W13"]
    assert keep_reports(team=team, now=MONDAY + timedelta(weeks=3)) == []


def test_the_hour_of_closing_is_that_of_the_zone() -> None:
    team = team_with_an_incident()
    Team.objects.filter(pk=team.pk).update(zone="America/New_York")
    team.refresh_from_db()

    assert keep_reports(team=team, now=datetime(2026, 3, 9, 9, 59, tzinfo=UTC)) == []
    assert len(keep_reports(team=team, now=datetime(2026, 3, 9, 10, tzinfo=UTC))) == 1
