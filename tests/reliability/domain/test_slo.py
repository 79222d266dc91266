"""Budgets, their end and their burn rates in small histories with round numbers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from deploys.domain.records import Fact, identity_of
from reliability.domain.asked import knowledge_of
from reliability.domain.intervals import Interval
from reliability.domain.slo import Evaluation

ZONE = ZoneInfo("UTC")
DAY = timedelta(days=1)
APRIL = datetime(2026, 4, 1, tzinfo=UTC)
Payload = dict[str, Any]  # Any: JSON


def outage(name: str, start: datetime, seconds: float, **more: Any) -> tuple[str, Payload]:  # Any: JSON
    end = start + timedelta(seconds=seconds)
    return "incident", {
        "id": name, "services": ["shop"], "class": "downtime", "started_at": start.isoformat(), "restored_at": end.isoformat(), **more,
    }  # fmt: skip


def judged(
    at: datetime, *lines: tuple[str, Payload], traffic: tuple[Payload, ...] = (), **objective: Any
) -> Payload:  # Any: JSON
    promise = ("objective", {"id": "o", "service": "shop", "target": 0.999, **objective})
    facts = [Fact(kind, identity_of(kind, payload) or "", payload) for kind, payload in (promise, *lines)]
    known = knowledge_of(facts, traffic, at)
    return Evaluation(known, known.history.objectives[0], Interval(at - 7 * DAY, at), at, ZONE).printed()


def test_a_running_month_has_the_budget_of_all_of_it_and_a_projected_end() -> None:
    part = judged(APRIL + 10 * DAY, outage("i", APRIL + 2 * DAY, 900), calendar="month")

    assert (part["budget_seconds"], part["spent_seconds"], part["remaining_seconds"]) == (2592, 900, 1692)
    assert part["sli_ratio"] == 1 - 900 / 864_000
    assert part["spent_ratio"] == 900 / 2592
    assert (part["met"], part["enough_data"], part["window"]) == (True, True, "month")
    assert (part["projected_exhaustion_at"], part["exhausted_at"]) == ("2026-04-29T19:12:00Z", None)
    assert (part["from_at"], part["to_at"]) == ("2026-04-01T00:00:00Z", "2026-05-01T00:00:00Z")


def test_a_budget_ends_inside_the_outage_that_spends_the_last_of_it() -> None:
    half = outage("j", APRIL + timedelta(days=6, hours=10), 3600, degradation=0.5)

    part = judged(APRIL + 7 * DAY, outage("i", APRIL + 2 * DAY, 2400), half, calendar="month")

    assert (part["exhausted_at"], part["projected_exhaustion_at"]) == ("2026-04-07T10:06:24Z", None)
    assert (part["remaining_seconds"], part["met"]) == (-1608, False)


@pytest.mark.parametrize(("seconds", "end"), [(864, None), (864.5, "2026-04-30T23:35")])
def test_a_pace_that_ends_with_the_period_or_later_has_no_end(seconds: float, end: str | None) -> None:
    part = judged(APRIL + 10 * DAY, outage("i", APRIL, seconds), calendar="month")

    found = part["projected_exhaustion_at"]
    assert (found is None) is (end is None)
    assert end is None or found[:16] == end


def test_a_rolling_window_is_projected_whenever_that_is() -> None:
    part = judged(APRIL, outage("i", APRIL - DAY, 60), window_days=28)

    assert part["window"] == "28d"
    assert part["projected_exhaustion_at"] > "2027-04"
    assert judged(APRIL, window_days=28)["projected_exhaustion_at"] is None


@pytest.mark.parametrize("period", [{"calendar": "week"}, {"window_days": 7}])
def test_a_budget_spent_to_the_last_second_is_met_and_over(period: Payload) -> None:
    monday = datetime(2026, 3, 9, tzinfo=UTC)

    part = judged(monday, outage("i", monday - 5 * DAY, 6048), target=0.99, **period)

    assert (part["remaining_seconds"], part["spent_ratio"], part["met"]) == (0, 1, True)
    assert part["projected_exhaustion_at"] is None
    assert part["exhausted_at"] == ("2026-03-04T01:40:48Z" if "calendar" in period else None)


def test_announced_work_ahead_takes_its_share_of_the_budget() -> None:
    start = APRIL + 20 * DAY
    slot = ("maintenance", {"id": "m", "starts_at": start.isoformat(), "ends_at": (start + DAY).isoformat(), "announced_at": APRIL.isoformat()})  # fmt: skip

    part = judged(APRIL + 10 * DAY, slot, calendar="month")

    assert part["budget_seconds"] == pytest.approx(29 * 86.4)


def requests(at: datetime, count: int, failed: int | None, service: str = "shop") -> Payload:
    line = {"service": service, "environment": "production", "at": at.isoformat(), "seconds": 60, "count": count}
    return line if failed is None else line | {"failed": failed}


def test_requests_count_where_failures_were_measured_outside_announced_work() -> None:
    start = APRIL - 3 * DAY
    slot = ("maintenance", {"id": "m", "starts_at": start.isoformat(), "ends_at": (start + DAY).isoformat(), "announced_at": (start - 9 * DAY).isoformat()})  # fmt: skip
    traffic = (
        requests(APRIL - DAY, 150, 3), requests(APRIL - 7 * DAY, 50, 0), requests(APRIL - DAY / 2, 1000, None), requests(start, 500, 500),
        requests(APRIL, 70, 70), requests(APRIL - DAY, 90, 90, "other"),
    )  # fmt: skip

    def asked(**more: Any) -> Payload:  # Any: JSON
        return judged(
            APRIL, slot, ("service", {"service": "other"}), traffic=traffic, sli="requests", target=0.99, **more
        )

    part = asked(window_days=7)
    assert (part["spent_requests"], part["budget_requests"], part["sli_ratio"]) == (3, 2, 0.985)
    assert (part["met"], part["projected_exhaustion_at"], part["exhausted_at"]) == (False, None, None)
    assert part["alerts"]["ticket_slow"]["long_burn_rate"] == pytest.approx(2)
    assert part["alerts"]["ticket_fast"]["firing"] is None  # nobody was counted in its short span
    assert [asked(window_days=7, min_requests=least)["enough_data"] for least in (200, 201)] == [True, False]
    assert asked(window_days=7, min_requests=201)["met"] is None
    month = asked(calendar="month")
    assert (month["budget_requests"], month["exhausted_at"], month["projected_exhaustion_at"]) == (2, None, None)


def test_a_long_span_needs_the_least_number_of_requests() -> None:
    traffic = (requests(APRIL - timedelta(minutes=2), 99, 99), requests(APRIL - 2 * DAY, 1, 0))

    alerts = judged(APRIL, traffic=traffic, sli="requests", target=0.99, window_days=30)["alerts"]

    assert [alerts[name]["firing"] for name in ("page_fast", "ticket_fast", "ticket_slow")] == [None, None, True]


@pytest.mark.parametrize(("seconds", "firing"), [(52, True), (51, False)])
def test_spans_end_at_the_instant_of_evaluation(seconds: int, firing: bool) -> None:
    part = judged(APRIL, outage("i", APRIL - timedelta(minutes=1), seconds), window_days=30)

    page = part["alerts"]["page_fast"]
    assert (page["firing"], page["factor"]) == (firing, 14.4)
    assert page["long_burn_rate"] == pytest.approx(seconds / 3.6)
    assert page["short_burn_rate"] == pytest.approx(seconds / 0.3)
    assert judged(APRIL, window_days=28)["alerts"]["page_fast"]["factor"] == 13.44
    assert judged(APRIL, calendar="quarter")["alerts"]["page_fast"]["factor"] == 43.2


def test_without_observed_time_nothing_is_met_or_missed() -> None:
    gone = ("service", {"service": "shop", "retired_at": "2026-01-01T00:00:00Z"})

    part = judged(APRIL, gone, window_days=28)

    assert (part["enough_data"], part["sli_ratio"], part["spent_ratio"], part["met"]) == (False, None, None, None)
    assert part["alerts"]["page_fast"]["long_burn_rate"] is None


@pytest.mark.parametrize("period", [{"window_days": 7}, {"calendar": "week"}])
def test_an_instant_of_observed_time_is_enough(period: Payload) -> None:
    born = APRIL - timedelta(microseconds=1)

    part = judged(APRIL, ("service", {"service": "shop", "born_at": born.isoformat()}), **period)

    assert (part["enough_data"], part["sli_ratio"], part["met"]) == (True, 1, True)


def test_one_request_is_enough_where_no_more_are_asked_for() -> None:
    part = judged(
        APRIL, traffic=(requests(APRIL - DAY, 1, 0),), sli="requests", window_days=7, min_requests=1, target=0.5
    )

    assert (part["enough_data"], part["budget_requests"]) == (True, 0.5)


def test_a_running_month_of_requests_has_the_budget_of_those_that_came() -> None:
    down = outage("i", APRIL + DAY, 3600)

    def asked(failed: int) -> Payload:
        line = requests(APRIL + DAY, 1000, failed)
        return judged(APRIL + 10 * DAY, down, traffic=(line,), sli="requests", target=0.99, calendar="month")

    part = asked(4)
    assert (part["budget_requests"], part["spent_requests"], part["remaining_requests"]) == (10, 4, 6)
    assert (part["projected_exhaustion_at"], part["exhausted_at"]) == (None, None)
    assert asked(40)["exhausted_at"] is None


def test_a_budget_with_a_microsecond_left_has_a_projected_end() -> None:
    part = judged(APRIL, outage("i", APRIL - DAY, 6047.999999), target=0.99, window_days=7)

    assert part["projected_exhaustion_at"] == "2026-04-01T00:00:00.000100Z"


def test_a_pace_that_ends_beyond_the_calendar_has_no_end() -> None:
    part = judged(APRIL + 10 * DAY, outage("i", APRIL, 0.000001), target=0.0001, calendar="month")

    assert part["projected_exhaustion_at"] is None


def test_an_objective_without_a_period_looks_at_nothing() -> None:
    part = judged(APRIL, outage("i", APRIL - DAY / 2, 60))

    assert (part["from_at"], part["to_at"], part["enough_data"]) == (part["to_at"], part["evaluated_at"], False)
