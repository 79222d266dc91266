"""Small bars and lines."""

import pytest

from deploys.charts.svg import Bar, Spark, day_bars, ledger_bar, meter_share, spark


def test_spark_scales_to_the_box_and_marks_the_last_value():
    assert spark([0, 5, 10]) == Spark(("0.0,22.0 45.0,12.0 90.0,2.0",), (), (90.0, 2.0), None)


def test_spark_breaks_where_a_value_is_unknown():
    drawn = spark([1, None, 1, 1])

    assert drawn == Spark(("60.0,12.0 90.0,12.0",), ((0.0, 12.0),), (90.0, 12.0), None)


def test_spark_without_a_last_value_has_no_end():
    assert spark([1, 2, None]).end is None
    assert spark([None, None]) == Spark((), (), None, None)


def test_spark_of_one_value_stands_at_the_right():
    assert spark([3]) == Spark((), (), (90.0, 12.0), None)


def test_the_target_is_on_the_scale():
    assert spark([0.9, 1.0], target=0.95).target == 12.0


def test_day_bars_are_as_high_as_their_class_is_bad():
    heights = [bar.height for bar in day_bars(["downtime", "multi-user", "single-user", "impactless", "", None])]

    assert heights == [20.0, 12.4, 6.5, 3.5, 2.0, 2.0]
    assert day_bars([None])[0].kind == "unknown"
    assert day_bars([]) == ()


@pytest.mark.parametrize(
    ("factor", "bar"),
    [
        (20, Bar(26.0, 1, 74.0, 7, "for")),
        (400, Bar(26.0, 1, 74.0, 7, "for")),
        (1, Bar(26.0, 1, 0.0, 7, "for")),
        (0.05, Bar(0.0, 1, 26.0, 7, "against")),
        (0, Bar(0.0, 1, 26.0, 7, "against")),
    ],
)
def test_ledger_bars_have_a_log_scale(factor, bar):
    assert ledger_bar(factor) == bar


@pytest.mark.parametrize(("part", "whole", "share"), [(1, 4, 25.0), (-1, 4, 0.0), (9, 4, 100.0), (1, 0, 0.0)])
def test_meters_stay_between_empty_and_full(part, whole, share):
    assert meter_share(part, whole) == share
