"""The week strip."""

import datetime as dt
from dataclasses import replace
from zoneinfo import ZoneInfo

from reliability.charts.strip import ChangeMark, Ground, IncidentBar, Strip, week_strip
from reliability.views.gallery import MONDAY, ZONE, sample_strip

HOUR = dt.timedelta(hours=1)


def traces(figure, **wanted):
    return [trace for trace in figure.json["data"] if all(trace.get(key) == value for key, value in wanted.items())]


def test_lanes_are_in_the_order_given():
    figure = week_strip(sample_strip())

    axis = figure.json["layout"]["yaxis"]
    assert dict(zip(axis["ticktext"], axis["tickvals"], strict=True)) == {
        "cart": 3,
        "search": 2,
        "mailer": 1,
        "wiki": 0,
    }


def test_a_line_runs_from_each_confirmed_cause_to_its_incident():
    figure = week_strip(sample_strip())

    (line,) = traces(figure, mode="lines")
    assert line["x"] == [
        "2026-03-03 13:00:00",
        "2026-03-03 13:20:00",
        None,
        "2026-03-03 12:30:00",
        "2026-03-03 13:00:00",
        None,
    ]
    assert line["line"]["color"] == "--accent"


def test_bars_keep_their_true_length_and_say_it():
    figure = week_strip(sample_strip())

    (bar,) = [trace for trace in traces(figure, type="bar", meta="floor") if trace["marker"]["color"] == "--downtime"]
    assert bar["x"] == [11 * 60_000]
    assert bar["customdata"] == ["INC-12 · downtime · 11\u00a0min<br>no order can be paid"]


def test_an_open_incident_lasts_until_now():
    figure = week_strip(sample_strip())

    assert [str(cell) for cell in figure.table[0]] == [
        "INC-14", "wiki", "single-user", "Thu\u00a010:00:00", "3\u00a0h\u00a020\u00a0min so far", "\u2013",
    ]  # fmt: skip


def test_changes_close_to_each_other_step_down():
    marks = [ChangeMark(str(place), "cart", MONDAY + place * HOUR, "deploy", str(place)) for place in range(3)]

    figure = week_strip(Strip(MONDAY, MONDAY + dt.timedelta(days=7), ZONE, ["cart"], marks))

    (signs,) = traces(figure, mode="markers")
    assert [round(y, 2) for y in signs["y"]] == [0.29, 0.11, -0.07]


def test_what_belongs_to_no_lane_is_left_out():
    strip = replace(sample_strip(), lanes=("cart",))

    figure = week_strip(strip)

    assert [str(row[0]) for row in figure.table] == ["INC-12"]


def test_a_ground_without_lane_is_in_every_lane_and_is_clipped():
    ground = Ground("unknown", MONDAY - HOUR, MONDAY + HOUR)

    figure = week_strip(Strip(MONDAY, MONDAY + dt.timedelta(days=7), ZONE, ["a", "b"], grounds=[ground]))

    (bar,) = traces(figure, type="bar")
    assert (bar["base"], bar["x"], bar["y"]) == (["2026-03-01 23:00:00"] * 2, [3_600_000] * 2, [1, 0])


def test_a_day_of_23_hours_is_narrower():
    monday = dt.datetime(2026, 3, 23, tzinfo=ZONE)

    figure = week_strip(Strip(monday, dt.datetime(2026, 3, 30, tzinfo=ZONE), ZONE, ["a"]))

    assert figure.json["layout"]["xaxis"]["range"] == ["2026-03-22 23:00:00", "2026-03-29 22:00:00"]
    assert figure.json["layout"]["xaxis"]["ticktext"] == [
        "Mon 23",
        "Tue 24",
        "Wed 25",
        "Thu 26",
        "Fri 27",
        "Sat 28",
        "Sun 29",
    ]


def test_the_sentence_names_every_confirmed_cause():
    assert week_strip(sample_strip()).sentence == (
        "8\u00a0changes and 4\u00a0incidents on 4\u00a0services. cart 7.2.0 caused INC-12 on cart and "
        "search index-v2 50 → 100 % caused INC-13 on mailer."
    )


def test_the_key_shows_only_what_is_drawn():
    bar = IncidentBar("INC-1", "a", "impactless", MONDAY, MONDAY + HOUR, "")

    figure = week_strip(Strip(MONDAY, MONDAY + dt.timedelta(days=7), ZoneInfo("UTC"), ["a"], incidents=[bar]))

    assert [(entry.kind, entry.name) for entry in figure.key] == [("class", "impactless"), ("words", "")]


def test_a_strip_without_services_can_be_drawn():
    assert week_strip(Strip(MONDAY, MONDAY + dt.timedelta(days=7), ZONE, [])).table == []
