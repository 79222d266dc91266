"""Figures of the report."""

import datetime as dt
import json
from zoneinfo import ZoneInfo

from reliability.charts.figures import (
    BudgetStep,
    CauseWeek,
    FailureWeek,
    Recovery,
    budget_burn_down,
    downtime_by_cause,
    failures_by_week,
    recovery_phases,
)
from tests.conftest import NOON

DAY = dt.timedelta(days=1)


def burn_down(steps, **more):
    return budget_burn_down(
        steps=steps, from_at=NOON - 28 * DAY, to_at=NOON, budget_seconds=2_400, zone=ZoneInfo("UTC"), name="cart", target="99.9 %", **more
    )  # fmt: skip


def test_the_budget_starts_whole_and_falls_in_steps():
    figure = burn_down([BudgetStep(NOON - 9 * DAY, 1_800, "INC-1"), BudgetStep(NOON - DAY, 1_740, "INC-2")])

    line = figure.json["data"][1]
    assert line["y"] == [40, 30, 29, 29]
    assert [tuple(map(str, row)) for row in figure.table] == [
        ("23\u00a0Feb 12:00", "INC-1", "10\u00a0min", "30\u00a0min"),
        ("3\u00a0Mar 12:00", "INC-2", "1\u00a0min", "29\u00a0min"),
    ]
    assert "INC-1 took most, 10\u00a0min" in figure.sentence


def test_an_overspent_budget_goes_below_nought():
    figure = burn_down([BudgetStep(NOON - DAY, -60, "INC-1")], gate_share=0.2)

    assert figure.fact == "cart 99.9 %: 1\u00a0min over"
    assert figure.json["layout"]["yaxis"]["range"][0] == -1


def test_an_unspent_budget_is_a_level_line():
    figure = burn_down([])

    assert figure.json["data"][1]["y"] == [40, 40]
    assert figure.sentence.endswith("nothing spent.")


def test_weeks_without_deploys_are_gaps():
    weeks = [
        FailureWeek("W01", 1, 4, 0.05, 0.7),
        FailureWeek("W02", 0, 0, None, None),
        FailureWeek("W03", 0, 6, 0.0, 0.39, suspected=1),
    ]

    figure = failures_by_week(weeks=weeks)

    points = next(trace for trace in figure.json["data"] if trace.get("mode") == "markers")
    assert points["y"] == [25.0, None, 0.0]
    assert [str(cell) for cell in figure.table[1]] == ["W02", "0 of 0", "\u2013", "\u2013"]
    assert figure.sentence == "Change failure rate of 3 weeks: 1 failed of 10 deploys; in W03 0\u00a0%, 0 of 6."


def test_causes_are_stacked_in_a_fixed_order_and_sum_up():
    figure = downtime_by_cause(weeks=[CauseWeek("W01", {"unknown": 60, "own_change": 600}), CauseWeek("W02", {})])

    assert [trace["y"] for trace in figure.json["data"]] == [[10, 0], [0, 0], [0, 0], [0, 0], [1, 0]]
    assert figure.fact == "ours: 10\u00a0min of 11\u00a0min"


def test_no_downtime_at_all_is_said():
    figure = downtime_by_cause(weeks=[CauseWeek("W01", {})])

    assert figure.fact == "nothing was down"
    assert figure.sentence == "Downtime of 1\u00a0week by cause: none."


def test_recovery_shows_the_slowest_first_and_names_the_slowest_phase():
    recoveries = [
        Recovery("INC-1 a", 30, 60, 90),
        Recovery("INC-2 b", 600, None, 700),
        Recovery("INC-3 c", 10, None, 4_000, is_open=True),
    ]

    figure = recovery_phases(recoveries=recoveries)

    assert [str(row[0]) for row in figure.table] == ["INC-3 c", "INC-2 b", "INC-1 a"]
    assert figure.fact == "slowest: restoring; INC-3 took 1\u00a0h\u00a006\u00a0min"
    assert figure.table[0][3] == "open"


def test_recovery_without_incidents_can_be_drawn():
    figure = recovery_phases(recoveries=[])

    assert (figure.fact, list(figure.table)) == ("no clocks to compare", [])


def test_all_figures_are_json():
    for figure in (
        burn_down([]),
        failures_by_week(weeks=[]),
        downtime_by_cause(weeks=[]),
        recovery_phases(recoveries=[]),
    ):
        assert json.loads(json.dumps(figure.json)) == figure.json
