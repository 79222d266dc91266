"""Figures without a browser."""

from __future__ import annotations

import datetime as dt
from itertools import pairwise
from xml.etree import ElementTree as ET
from zoneinfo import ZoneInfo

import pytest

from deploys.charts.figures import Figure
from deploys.charts.palette import light_tokens
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
from reliability.charts.lead_times import lead_times
from reliability.charts.strip import ChangeMark, Ground, IncidentBar, Strip, week_strip
from reliability.charts.svg import self_contained, still

MONDAY = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
SPACE = "{http://www.w3.org/2000/svg}"


def drawn(figure: Figure, width: int = 400, height: int = 200) -> ET.Element:
    return ET.fromstring(still(figure, width=width, height=height))  # noqa: S314 -- our own picture


def words(picture: ET.Element) -> list[str]:
    return [each.text or "" for each in picture.iter(f"{SPACE}text")]


def number(element: ET.Element, name: str) -> float:
    return float(element.attrib[name])


def test_bars_are_as_high_as_their_numbers() -> None:
    picture = drawn(lead_times(counts=[4, 2, 0, 0, 0, 0, 1], median_seconds=60, p90_seconds=90, unknown=0))

    heights = [number(bar, "height") for bar in picture.findall(f"{SPACE}rect")]
    assert heights[0] / heights[1] == pytest.approx(2, abs=0.02)
    assert heights[0] / heights[2] == pytest.approx(4, abs=0.04)
    assert {bar.attrib["fill"] for bar in picture.findall(f"{SPACE}rect")} == {light_tokens()["--mark"]}
    assert {"4", "2", "1", "under 1 h", "longer"} <= set(words(picture))


def test_stacked_bars_stand_on_each_other() -> None:
    weeks = [CauseWeek("W1", {"own_change": 600, "unknown": 300}), CauseWeek("W2", {})]

    own, unknown = drawn(downtime_by_cause(weeks=weeks)).findall(f"{SPACE}rect")

    assert number(own, "y") == pytest.approx(number(unknown, "y") + number(unknown, "height"), abs=0.2)
    assert unknown.attrib["fill"] == "url(#hatch)"


def test_a_series_breaks_where_nothing_is_known() -> None:
    weeks = [
        FailureWeek(f"W{place}", 1, 10, 0.02, 0.4) if place != 2 else FailureWeek("W2", 0, 0, None, None)
        for place in range(5)
    ]

    picture = drawn(failures_by_week(weeks=weeks))

    lines = [
        each for each in picture.findall(f"{SPACE}path") if each.attrib.get("stroke") == light_tokens()["--mark-2"]
    ]
    assert len(lines) == 2
    assert len(picture.findall(f"{SPACE}circle")) == 4


def test_a_budget_falls_in_steps_and_shows_its_pace() -> None:
    steps = [BudgetStep(MONDAY + 20 * HOUR, 1_200, "INC-1"), BudgetStep(MONDAY + 90 * HOUR, 600, "INC-2")]

    picture = drawn(
        budget_burn_down(
            steps=steps, from_at=MONDAY, to_at=MONDAY + 168 * HOUR, measured_to=MONDAY + 100 * HOUR, gone_at=MONDAY + 150 * HOUR,
            budget_seconds=2_400, zone=ZoneInfo("UTC"), name="the whole", target="99.6 %", gate_share=0.1,
        )
    )  # fmt: skip

    line = next(each for each in picture.findall(f"{SPACE}path") if each.attrib.get("stroke-width") == "1.6")
    corners = [tuple(map(float, point.split())) for point in line.attrib["d"].removeprefix("M").split("L")]
    assert all(one[0] == two[0] or one[1] == two[1] for one, two in pairwise(corners))
    assert sum(each.attrib.get("stroke-dasharray") == "5 3" for each in picture.findall(f"{SPACE}path")) == 2
    assert "INC-1" in words(picture)
    assert "below this the gate blocks" in words(picture)


def test_phases_lie_one_after_the_other() -> None:
    picture = drawn(
        recovery_phases(
            recoveries=[Recovery("INC-1 cart", 600, 1_200, 3_600), Recovery("INC-2", None, None, 900, is_open=True)]
        )
    )

    assert {"INC-1 cart", "INC-2", "0 min", "60 min"} <= {each.replace("\u00a0", " ") for each in words(picture)}


def strip(**more: object) -> Strip:
    values: dict[str, object] = {
        "from_at": MONDAY, "to_at": MONDAY + 168 * HOUR, "zone": ZoneInfo("UTC"), "lanes": ["cart", "mail"],
        "changes": [
            ChangeMark(f"{kind}/cart", "cart", MONDAY + place * 10 * HOUR, kind, kind)
            for place, kind in enumerate(("deploy", "hotfix", "rollback", "flag", "configuration", "redeploy"))
        ],
        "incidents": [IncidentBar("INC-1", "mail", "downtime", MONDAY + 5 * HOUR, MONDAY + 5 * HOUR, "x", ["deploy/cart"])],
        "grounds": [Ground("maintenance", MONDAY, MONDAY + HOUR), Ground("unknown", MONDAY, MONDAY + HOUR, "mail")],
        "now": MONDAY + 100 * HOUR,
    }  # fmt: skip
    return Strip(**{**values, **more})  # type: ignore[arg-type]  # fields of a strip


def test_a_strip_has_its_lanes_marks_and_grounds() -> None:
    picture = drawn(week_strip(strip()), width=680)

    assert {"cart", "mail", "Mon 2", "Sun 8", "1"} <= set(words(picture))
    assert any(each.startswith("now ") for each in words(picture))
    fills = [each.attrib["fill"] for each in picture.findall(f"{SPACE}rect")]
    assert (fills.count("url(#hatch)"), fills.count("url(#dots)")) == (2, 1)
    incident = next(
        each for each in picture.findall(f"{SPACE}rect") if each.attrib["fill"] == light_tokens()["--downtime"]
    )
    assert number(incident, "width") > 3  # an outage of no length is still seen
    assert sum(each.attrib.get("stroke") == light_tokens()["--accent"] for each in picture.findall(f"{SPACE}path")) >= 1


def test_names_from_outside_are_text() -> None:
    lanes = ['<script>alert("1")</script>']

    picture = drawn(week_strip(strip(lanes=lanes, changes=[], incidents=[], grounds=[], now=None)), width=680)

    assert {each.tag for each in picture.iter()} <= {
        f"{SPACE}{name}" for name in ("svg", "defs", "pattern", "path", "circle", "text", "rect")
    }


def test_small_pictures_carry_their_look() -> None:
    page = '<svg class="sign" aria-hidden="true" data-cause><use href="/static/img/signs.1a2b.svg#cause"/></svg><svg class="meter"><rect class="track"/></svg>'

    made = self_contained(page)

    assert "<use" not in made
    assert light_tokens()["--accent"] in made
    assert 'viewBox="0 0 12 12"' in made
    assert f".fill{{fill:{light_tokens()['--ink']}}}" in made
    assert "var(" not in made
