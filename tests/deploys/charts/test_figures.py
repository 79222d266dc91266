"""Figures about errors around a change."""

import datetime as dt
import json
from zoneinfo import ZoneInfo

import plotly.graph_objects as go
import pytest

from deploys.charts.figures import INK, RatePoint, ReleaseCounts, clock_ticks, errors_by_release, plain, rate_around
from tests.conftest import NOON

STEP = dt.timedelta(minutes=5)
UTC = ZoneInfo("UTC")


def points(*failed, total=100):
    return [RatePoint(NOON + STEP * place, number, total) for place, number in enumerate(failed)]


def test_tokens_leave_by_their_bare_names_and_no_template_leaves():
    drawn = plain(go.Figure(go.Scatter(x=[1], y=[2], marker={"color": INK})))

    assert drawn == {"data": [{"type": "scatter", "x": [1], "y": [2], "marker": {"color": "--ink"}}], "layout": {}}


def test_an_attribute_that_does_not_exist_is_refused():
    with pytest.raises(ValueError, match="Invalid property"):
        go.Scatter(colour="red")


def test_ticks_are_written_in_the_zone_and_placed_in_utc():
    ticks = clock_ticks(NOON, NOON + dt.timedelta(hours=4), ZoneInfo("Europe/Berlin"), most=4)

    assert ticks == {
        "tickvals": [f"2026-03-04 {hour}:00:00" for hour in (13, 14, 15, 16)],
        "ticktext": ["14:00", "15:00", "16:00", "17:00"],
    }


def test_ticks_stay_on_local_midnight_over_a_clock_change():
    begins_at = dt.datetime(2026, 3, 27, 23, tzinfo=dt.UTC)

    ticks = clock_ticks(begins_at, begins_at + dt.timedelta(days=3), ZoneInfo("Europe/Berlin"))

    assert [words for words in ticks["ticktext"] if (words[0].isdigit() and ":" not in words) or words == "00:00"] == [
        "00:00"
    ] * 3
    midnights = [value for value, words in zip(ticks["tickvals"], ticks["ticktext"], strict=True) if words == "00:00"]
    assert midnights == ["2026-03-28 23:00:00", "2026-03-29 22:00:00", "2026-03-30 22:00:00"]


def test_rate_is_a_share_where_requests_are_counted():
    figure = rate_around(points=points(0, 1, 40, 60), step=STEP, live_at=NOON + 2 * STEP, name="cart 2", zone=UTC)

    assert figure.title == "Failed requests, before and after"
    assert figure.json["data"][0]["y"] == [0.0, 1.0, 40.0, 60.0, 60.0]
    assert figure.sentence == "Failed requests around cart 2: 0.5\u00a0% before it was live, 50.0\u00a0% since."
    assert list(figure.table) == [
        ("before it was live", "1", "200", "0.5\u00a0%"),
        ("since it is live", "100", "200", "50.0\u00a0%"),
    ]


def test_rate_is_a_count_where_they_are_not():
    figure = rate_around(points=points(0, 3, total=None), step=STEP, live_at=NOON + STEP, name="cart 2", zone=UTC)

    assert figure.title == "Errors, before and after"
    assert list(figure.table) == [
        ("before it was live", "0", "\u2013", "\u2013"),
        ("since it is live", "3", "\u2013", "\u2013"),
    ]


def test_rate_without_any_point_draws_an_empty_plot():
    figure = rate_around(points=[], step=STEP, live_at=NOON, name="cart 2", zone=UTC)

    assert list(figure.table) == []


def test_errors_are_stacked_with_the_suspect_first():
    releases = [ReleaseCounts("1.0", [2, 0, 1]), ReleaseCounts("1.1", [0, 5, 7], is_suspect=True)]

    figure = errors_by_release(
        begins_at=NOON, step=STEP, releases=releases, zone=UTC, change=(NOON + STEP, "1.1 starts")
    )

    assert [trace["marker"]["color"] for trace in figure.json["data"]] == ["--accent-fill", "--mark"]
    assert list(figure.table) == [("12:00", "0", "2"), ("12:05", "5", "0"), ("12:10", "7", "1")]
    assert figure.sentence == "15\u00a0errors from 12:00 to 12:15: 1.1 12, 1.0 3."


def test_more_than_four_releases_are_summed_up():
    releases = [ReleaseCounts(f"1.{place}", [place + 1]) for place in range(6)]

    figure = errors_by_release(begins_at=NOON, step=STEP, releases=releases, zone=UTC)

    assert [entry.words for entry in figure.key] == [
        "1.5, 6\u00a0errors",
        "1.4, 5\u00a0errors",
        "1.3, 4\u00a0errors",
        "3 others, 6\u00a0errors",
    ]


def test_figures_are_json():
    figure = errors_by_release(begins_at=NOON, step=STEP, releases=[], zone=UTC)

    assert json.loads(json.dumps(figure.json)) == figure.json


def test_names_from_outside_bring_no_tags_into_texts():
    release = '<a href="https://evil.example">1.0</a><b>x</b>'
    figure = errors_by_release(
        begins_at=NOON, step=dt.timedelta(minutes=5), releases=[ReleaseCounts(release, [1, 2])], zone=ZoneInfo("UTC"),
        change=(NOON, release),
    )  # fmt: skip

    drawn = json.dumps(figure.json)

    assert "<a" not in drawn
    assert "<b" not in drawn
    assert "<extra></extra>" in drawn


@pytest.mark.parametrize(
    ("changed", "undone", "anchors"),
    [(3, 6, ["right", "left"]), (3, 9, ["center", "right"]), (1, 6, ["left", "center"])],
)
def test_words_at_a_mark_stay_inside_the_picture(changed, undone, anchors):
    figure = errors_by_release(
        begins_at=NOON, step=STEP, releases=[ReleaseCounts("1", [1] * 10)], zone=UTC,
        change=(NOON + STEP * changed, "1"), undone=(NOON + STEP * undone, "rolled back"),
    )  # fmt: skip

    notes = figure.json["layout"]["annotations"]

    assert [note["xanchor"] for note in notes] == anchors
    assert len({(note["xanchor"], note["y"]) for note in notes}) == 2
