"""The figures of the dashboard and the report with made-up values: the visual reference, for debugging and tests only."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from deploys.charts.figures import Figure
from reliability.charts import figures as drawn
from reliability.charts.strip import ChangeMark, Ground, IncidentBar, Strip, week_strip

ZONE = ZoneInfo("Europe/Berlin")
MONDAY = dt.datetime(2026, 3, 2, tzinfo=ZONE)


def _at(day: int, hour: int, minute: int = 0) -> dt.datetime:
    return MONDAY + dt.timedelta(days=day, hours=hour, minutes=minute)


def sample_strip() -> Strip:
    """A week with one of everything."""
    return Strip(
        MONDAY, MONDAY + dt.timedelta(days=7), ZONE, ("cart", "search", "mailer", "wiki"),
        [
            ChangeMark("1", "cart", _at(0, 10), "deploy", "7.1.3"), ChangeMark("2", "cart", _at(1, 14), "deploy", "7.2.0"),
            ChangeMark("3", "cart", _at(1, 15), "rollback", "7.1.3"), ChangeMark("4", "cart", _at(2, 9), "hotfix", "7.2.1"),
            ChangeMark("5", "search", _at(1, 13, 30), "flag", "index-v2 50 → 100 %"), ChangeMark("6", "mailer", _at(2, 8), "configuration", "pool 8 → 12"),
            ChangeMark("7", "search", _at(0, 16), "deploy", "41"), ChangeMark("8", "wiki", _at(3, 9), "deploy", "2026.3"),
        ],
        [
            IncidentBar("INC-12", "cart", "downtime", _at(1, 14, 20), _at(1, 14, 31), "no order can be paid", ("2",), "cart 7.2.0"),
            IncidentBar("INC-13", "mailer", "multi-user", _at(1, 14), _at(1, 16), "index returns nothing", ("5",), "flag index-v2"),
            IncidentBar("INC-14", "wiki", "single-user", _at(3, 10), None, "one page does not load"),
            IncidentBar("INC-15", "search", "impactless", _at(2, 2), _at(2, 5), "retries in the indexer"),
        ],
        [Ground("maintenance", _at(5, 2), _at(5, 4)), Ground("unknown", _at(0, 0), _at(0, 9), "wiki")],
        now=_at(3, 13, 20),
    )  # fmt: skip


def _figures() -> list[Figure]:
    budget = [
        drawn.BudgetStep(MONDAY - dt.timedelta(days=day), left, what)
        for day, left, what in ((21, 2_300, "INC-8"), (12, 2_150, "INC-9"), (1, 1_448, "INC-12"))
    ]
    counts = [
        (1, 26, 0.007, 0.189),
        (3, 29, 0.036, 0.264),
        (0, 0, None, None),
        (2, 33, 0.017, 0.196),
        (4, 31, 0.051, 0.289),
        (1, 27, 0.006, 0.183),
    ]
    weeks = [
        drawn.FailureWeek(f"W{place + 4:02d}", failed, of, low, high, int(place == 5), place == 4)
        for place, (failed, of, low, high) in enumerate(counts)
    ]
    causes = [
        drawn.CauseWeek(f"W{place + 4:02d}", {"own_change": own, "external": other, "unknown": 60})
        for place, (own, other) in enumerate(((252, 60), (546, 0), (0, 190), (390, 120), (900, 0), (660, 40)))
    ]
    recoveries = [
        drawn.Recovery("INC-13 mailer", 750, 1_860, 2_520),
        drawn.Recovery("INC-12 cart", 54, 622, 702),
        drawn.Recovery("INC-14 wiki", 40, None, 900, is_open=True),
        drawn.Recovery("INC-9 cart", 36, None, 74),
    ]
    return [
        drawn.budget_burn_down(steps=budget, from_at=MONDAY - dt.timedelta(days=28), to_at=MONDAY, budget_seconds=2_419, zone=ZONE, name="cart", target="99.9 %", gate_share=0.2),
        drawn.failures_by_week(weeks=weeks),
        drawn.downtime_by_cause(weeks=causes),
        drawn.recovery_phases(recoveries=recoveries),
    ]  # fmt: skip


def figures(request: HttpRequest) -> HttpResponse:
    """The page /ui/figures/."""
    return render(request, "reliability/gallery.html", {"strip": week_strip(sample_strip()), "figures": _figures()})
