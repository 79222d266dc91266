"""The table of the benchmark says which goals are met."""

import pytest

from bench.table import Goal, Row, show


@pytest.mark.parametrize(
    ("goal", "text"),
    [
        (Goal("x Bugsink", 12.3, 7, 12), "12.3 x Bugsink (>= 7.00 / 12.0): stretch met"),
        (Goal("x Bugsink", 7, 7, 12), "7.00 x Bugsink (>= 7.00 / 12.0): met"),
        (Goal("x Bugsink", 6.9, 7, 12), "6.90 x Bugsink (>= 7.00 / 12.0): MISSED"),
        (Goal("MB", 220, 220, 180, is_most=True), "220 MB (<= 220 / 180): met"),
        (Goal("MB", 221, 220, is_most=True), "221 MB (<= 220): MISSED"),
        (Goal("x Bugsink", None, 7), ">= 7.00 x Bugsink: not measured"),
    ],
)
def test_a_goal_says_whether_it_is_reached(goal: Goal, text: str) -> None:
    assert str(goal) == text


def test_a_figure_that_the_others_do_not_have_is_a_dash() -> None:
    assert show([Row("digested/s", 1234.5, 45.67)]).splitlines()[-1] == "| digested/s | 1,234 | 45.7 | – | – |  |"
