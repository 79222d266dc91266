"""Figures of the dashboard and the weekly report, built from plain values that queries and views hand over."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import plotly.graph_objects as go

from deploys.charts.figures import (
    ACCENT_FILL,
    BAND,
    CLEAR,
    DOWNTIME,
    INK,
    MARK,
    MARK_2,
    MARK_3,
    PAPER,
    SUNKEN,
    Column,
    Figure,
    Key,
    Link,
    Row,
    axis,
    clock_ticks,
    layout,
    plain,
    stamp,
)
from deploys.domain.wording import GAP, UNKNOWN, count, counted, duration, listed, percent_range, rate

CAUSES = ("own_change", "external", "infrastructure", "capacity", "unknown")
CAUSE_WORDS = {"own_change": "our own change", "external": "external", "infrastructure": "infrastructure", "capacity": "capacity", "unknown": "unknown"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class BudgetStep:
    """From `at` on, `remaining_seconds` are left; `what` spent it (empty where only time passed)."""

    at: dt.datetime
    remaining_seconds: float
    what: str = ""
    url: str = ""


def budget_burn_down(
    *,
    steps: Sequence[BudgetStep],
    from_at: dt.datetime,
    to_at: dt.datetime,
    budget_seconds: float,
    zone: ZoneInfo,
    name: str,
    target: str,
    gate_share: float | None = None,
    measured_to: dt.datetime | None = None,
    gone_at: dt.datetime | None = None,
    pace_words: str = "",
    figure_id: str = "figure-budget",
) -> Figure:
    """What was left of a budget over its period [from_at, to_at), with the line of even spending and the gate's level.

    `steps` are in order of time. The budget of a rolling window as it stood at `to_at`: it starts whole at `from_at`.
    `measured_to`: the instant of the last measurement, where the period goes on after it. `gone_at`: when nothing will
    be left at this pace; drawn as a dashed line that leaves the picture where that lies beyond the period. `pace_words` say it.
    """
    minute = 60
    whole = BudgetStep(from_at, budget_seconds)
    known_to = min(measured_to or to_at, to_at)
    line = [whole, *steps, BudgetStep(known_to, steps[-1].remaining_seconds if steps else budget_seconds)]
    left = line[-1].remaining_seconds
    worst = max(steps, key=lambda each: _spent(line, each), default=None)
    traces = [
        go.Scatter(x=[stamp(from_at), stamp(to_at)], y=[budget_seconds / minute, 0], mode="lines", hoverinfo="skip",
                   line={"color": MARK_2, "width": 1.25, "dash": "dot"}),
        go.Scatter(x=[stamp(each.at) for each in line], y=[each.remaining_seconds / minute for each in line], mode="lines",
                   line={"color": INK, "width": 2, "shape": "hv"},
                   text=[f"{each.what + ', ' if each.what else ''}{duration(each.remaining_seconds)} left" for each in line],
                   hovertemplate="%{text}<extra></extra>"),
    ]  # fmt: skip
    notes = []
    if gone_at is not None and gone_at > known_to and left > 0:
        pace = left / (gone_at - known_to).total_seconds()
        end = min(gone_at, to_at)
        traces.append(go.Scatter(
            x=[stamp(known_to), stamp(end)], y=[left / minute, (left - pace * (end - known_to).total_seconds()) / minute], mode="lines", hoverinfo="skip",
            line={"color": INK, "width": 1.25, "dash": "dash"},
        ))  # fmt: skip
    if worst is not None:
        traces.append(go.Scatter(x=[stamp(worst.at)], y=[worst.remaining_seconds / minute], mode="markers", hoverinfo="skip",
                                 marker={"color": DOWNTIME, "size": 8, "symbol": "square"}))  # fmt: skip
        late = worst.at > from_at + (to_at - from_at) / 2
        notes.append({"x": stamp(worst.at), "y": (worst.remaining_seconds + _spent(line, worst) / 2) / minute, "showarrow": False,
                      "xanchor": "right" if late else "left", "xshift": -6 if late else 6, "align": "right" if late else "left",
                      "text": f"{worst.what}<br>−{duration(_spent(line, worst))}", "font": {"size": 11, "color": DOWNTIME}})  # fmt: skip
    shapes = []
    floor = min(0.0, *(each.remaining_seconds for each in line)) / minute
    if gate_share is not None:
        level = gate_share * budget_seconds / minute
        shapes.append(
            {
                "type": "rect",
                "xref": "paper",
                "x0": 0,
                "x1": 1,
                "y0": floor,
                "y1": level,
                "fillcolor": SUNKEN,
                "line": {"width": 0},
                "layer": "below",
            }
        )
        shapes.append(
            {
                "type": "line",
                "xref": "paper",
                "x0": 0,
                "x1": 1,
                "y0": level,
                "y1": level,
                "line": {"color": MARK, "width": 1, "dash": "dash"},
                "layer": "below",
            }
        )
        notes.append(
            {
                "xref": "paper",
                "x": 0.01,
                "y": level,
                "yanchor": "top",
                "xanchor": "left",
                "showarrow": False,
                "text": "below this the gate blocks",
                "font": {"size": 11},
            }
        )
    drawn = go.Figure(data=traces, layout=layout(
        left=52, shapes=shapes, annotations=notes,
        xaxis=axis(type="date", range=[stamp(from_at), stamp(to_at)], showgrid=False, **clock_ticks(from_at, to_at, zone, most=5)),
        yaxis=axis(ticksuffix=f"{GAP}min", range=[floor, budget_seconds / minute * 1.04], nticks=5),
    ))  # fmt: skip
    days = round((to_at - from_at).total_seconds() / 86_400)
    is_over = known_to >= to_at
    said = f", {pace_words}" if pace_words else ""
    return Figure(
        id=figure_id,
        title=f"Budget, last {days} days" if is_over else f"Budget of {days} days",
        fact=f"{name} {target}: {_left(left)}{said}",
        sentence=f"Error budget of {name} over {days} days: {duration(budget_seconds)} at the start, {_left(left)} at the end{said}"
        + (f"; {worst.what} took most, {duration(_spent(line, worst))}." if worst else ", nothing spent."),
        json=plain(drawn),
        columns=(Column("When"), Column("What"), Column("Spent", is_number=True), Column("Left", is_number=True)),
        table=[_budget_row(each, _spent(line, each), zone) for each in steps],
        key=[Key("swatch", "solid", "left"), Key("swatch", "dotted", "spent evenly"), Key("words", "", "above the dotted line is good"),
             *([Key("words", "", "dashed: at this pace")] if not is_over and gone_at is not None and left > 0 else [])],
    )  # fmt: skip


def _left(seconds: float) -> str:
    return f"{duration(seconds)} left" if seconds >= 0 else f"{duration(-seconds)} over"


def _spent(line: Sequence[BudgetStep], step: BudgetStep) -> float:
    place = line.index(step)
    return line[place - 1].remaining_seconds - step.remaining_seconds


def _budget_row(step: BudgetStep, spent: float, zone: ZoneInfo) -> Row:
    local = step.at.astimezone(zone)
    when = f"{local.day}{GAP}{local:%b %H:%M}"
    return (
        Link(when, step.url) if step.url else when,
        step.what or UNKNOWN,
        duration(spent),
        duration(step.remaining_seconds),
    )


@dataclass(frozen=True, slots=True)
class FailureWeek:
    """Change failures of one week: counts, the Wilson interval, and whether it was restated since it was sent."""

    label: str
    failed: int
    deploys: int
    low: float | None
    high: float | None
    suspected: int = 0
    is_restated: bool = False
    url: str = ""


def failures_by_week(
    *, weeks: Sequence[FailureWeek], figure_id: str = "figure-failures", period: str = "week"
) -> Figure:
    """Change failure rate week by week with its interval; weeks without deploys are gaps, not zeros."""
    labels = [week.label for week in weeks]
    known = [week for week in weeks if week.deploys and week.low is not None and week.high is not None]
    shares = [100 * week.failed / week.deploys if week.deploys else None for week in weeks]
    said = [
        f"{week.label}: {rate(week.failed, week.deploys)}, {week.failed} of {week.deploys}<br>likely {percent_range(week.low, week.high)}"
        for week in weeks
    ]
    traces = [
        *_bands(weeks),
        go.Scatter(x=labels, y=shares, mode="lines", line={"color": MARK_2, "width": 1}, connectgaps=False, hoverinfo="skip"),
        go.Scatter(
            x=labels, y=shares, mode="markers", text=said, hovertemplate="%{text}<extra></extra>", cliponaxis=False,
            marker={"size": [11 if place == len(weeks) - 1 else 7 for place in range(len(weeks))],
                    "color": [PAPER if week.is_restated else MARK for week in weeks], "line": {"color": MARK, "width": 1.5}},
        ),
        go.Scatter(
            x=[week.label for week in weeks if week.suspected], mode="markers", hoverinfo="skip", cliponaxis=False,
            y=[100 * (week.failed + week.suspected) / week.deploys for week in weeks if week.suspected],
            marker={"symbol": "line-ew", "size": 12, "line": {"color": INK, "width": 2}},
        ),
    ]  # fmt: skip
    top = max([10.0, *(100 * (week.high or 0) for week in known)]) * 1.08
    drawn = go.Figure(data=traces, layout=layout(
        xaxis=axis(type="category", showgrid=False, categoryorder="array", categoryarray=labels, range=[-0.4, len(weeks) - 0.6]),
        yaxis=axis(ticksuffix=f"{GAP}%", range=[0, min(100.0, top)], nticks=5),
        meta={"narrow_ticks": {"dtick": 3, "tick0": (len(weeks) - 1) % 3, "tickangle": 0}},
    ))  # fmt: skip
    failed, deploys = sum(week.failed for week in weeks), sum(week.deploys for week in weeks)
    last = weeks[-1] if weeks else None
    now = (
        f"in {last.label} {rate(last.failed, last.deploys)}, {last.failed} of {last.deploys}"
        if last and last.deploys
        else f"no deploys in {last.label}"
        if last
        else "no deploys"
    )
    return Figure(
        id=figure_id,
        title=f"Failed changes, {counted(len(weeks), period)}",
        fact=f"{failed} of {count(deploys)}",
        sentence=f"Change failure rate of {len(weeks)} {period}s: {failed} failed of {deploys} deploys; {now}.",
        json=plain(drawn),
        columns=(Column("Week"), Column("Failed of deploys", is_number=True), Column("Rate", is_number=True), Column("Likely range", is_number=True)),
        table=[
            (Link(week.label, week.url) if week.url else week.label, f"{week.failed} of {week.deploys}", rate(week.failed, week.deploys), percent_range(week.low, week.high))
            for week in weeks
        ],
        key=[Key("swatch", "band", "likely range (Wilson, 95 %)"), Key("words", "", "ring: restated since it was sent"), Key("words", "", "dash: if the suspects are confirmed")],
    )  # fmt: skip


def _bands(weeks: Sequence[FailureWeek]) -> list[go.Scatter]:
    """One grey area per run of weeks with deploys, so that no interval is drawn where nothing was deployed."""
    runs: list[list[FailureWeek]] = [[]]
    for week in weeks:
        if week.low is None or week.high is None:
            runs.append([])
        else:
            runs[-1].append(week)
    areas = []
    for run in runs:
        labels = [week.label for week in run]
        if len(run) == 1:
            areas.append(go.Bar(x=labels, base=[100 * (run[0].low or 0)], y=[100 * ((run[0].high or 0) - (run[0].low or 0))], width=0.3,
                                marker={"color": BAND, "line": {"width": 0}}, hoverinfo="skip"))  # fmt: skip
        elif run:
            areas.append(go.Scatter(
                x=labels + labels[::-1], y=[100 * (week.high or 0) for week in run] + [100 * (week.low or 0) for week in run[::-1]],
                mode="lines", line={"width": 0, "color": BAND}, fill="toself", fillcolor=BAND, hoverinfo="skip",
            ))  # fmt: skip
    return areas


@dataclass(frozen=True, slots=True)
class CauseWeek:
    """Seconds of downtime of one week by cause (keys of CAUSES)."""

    label: str
    seconds: Mapping[str, float]
    url: str = ""


def downtime_by_cause(*, weeks: Sequence[CauseWeek], figure_id: str = "figure-causes", period: str = "week") -> Figure:
    """Stacked bars of downtime by cause: our own changes in mulberry, then greys, unknown hatched."""
    labels = [week.label for week in weeks]
    greatest = max((sum(week.seconds.values()) for week in weeks), default=0)
    unit, size = ("h", 3_600) if greatest >= 3 * 3_600 else ("min", 60) if greatest >= 180 else ("s", 1)
    fills = {
        "own_change": ACCENT_FILL,
        "external": MARK,
        "infrastructure": MARK_2,
        "capacity": MARK_3,
        "unknown": CLEAR,
    }
    traces = []
    for cause in CAUSES:
        amounts = [week.seconds.get(cause, 0) for week in weeks]
        marker = {"color": fills[cause], "line": {"width": 0.5 if cause == "unknown" else 0, "color": MARK_2}}
        if cause == "unknown":
            marker["pattern"] = {"shape": "/", "fgcolor": MARK_2, "bgcolor": CLEAR, "size": 5, "solidity": 0.28}
        traces.append(go.Bar(
            x=labels, y=[amount / size for amount in amounts], marker=marker, textposition="none",
            text=[f"{label}: {duration(amount)} {CAUSE_WORDS[cause]}" for label, amount in zip(labels, amounts, strict=True)],
            hovertemplate="%{text}<extra></extra>",
        ))  # fmt: skip
    drawn = go.Figure(data=traces, layout=layout(
        left=52, barmode="stack", bargap=0.34,
        xaxis=axis(type="category", showgrid=False, categoryorder="array", categoryarray=labels),
        yaxis=axis(ticksuffix=f"{GAP}{unit}", rangemode="tozero", nticks=5, **({} if greatest else {"range": [0, 1]})),
        meta={"narrow_ticks": {"dtick": 3, "tick0": (len(weeks) - 1) % 3, "tickangle": 0}},
    ))  # fmt: skip
    totals = {cause: sum(week.seconds.get(cause, 0) for week in weeks) for cause in CAUSES}
    whole = sum(totals.values())
    parts = [f"{duration(totals[cause])} {CAUSE_WORDS[cause]}" for cause in CAUSES if totals[cause]]
    swatches = {
        "own_change": "accent",
        "external": "mark",
        "infrastructure": "mark-2",
        "capacity": "mark-3",
        "unknown": "hatch",
    }
    return Figure(
        id=figure_id,
        title=f"Downtime by cause, {counted(len(weeks), period)}",
        fact=f"ours: {duration(totals['own_change'])} of {duration(whole)}" if whole else "nothing was down",
        sentence=f"Downtime of {counted(len(weeks), period)} by cause: {listed(parts, limit=5) if parts else 'none'}.",
        json=plain(drawn),
        columns=(Column("Week"), *(Column(CAUSE_WORDS[cause], is_number=True) for cause in CAUSES)),
        table=[(Link(week.label, week.url) if week.url else week.label, *(duration(week.seconds.get(cause, 0)) for cause in CAUSES)) for week in weeks],
        key=[Key("swatch", swatches[cause], CAUSE_WORDS[cause]) for cause in CAUSES],
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Recovery:
    """One incident's way back, in seconds after its impact began; None where a clock is missing."""

    label: str
    detected_seconds: float | None
    mitigated_seconds: float | None
    restored_seconds: float | None
    url: str = ""
    is_open: bool = False


def recovery_phases(*, recoveries: Sequence[Recovery], figure_id: str = "figure-recovery", most: int = 8) -> Figure:
    """Each incident as a line from impact to restoration, with its clocks as points; the slowest on top."""
    ordered = sorted(recoveries, key=lambda each: -(each.restored_seconds or 0))
    shown = ordered[:most]
    longest = max((each.restored_seconds or 0 for each in shown), default=0)
    unit, size = ("h", 3_600) if longest >= 3 * 3_600 else ("min", 60)
    height = len(shown)
    traces = []
    for place, each in enumerate(shown):
        y = height - 1 - place
        points = [0, each.detected_seconds, each.mitigated_seconds, each.restored_seconds]
        for (begin, end), colour in zip(_spells(points), (MARK_3, MARK_2, MARK), strict=True):
            if begin is not None and end is not None and end > begin:
                traces.append(
                    go.Scatter(
                        x=[begin / size, end / size],
                        y=[y, y],
                        mode="lines",
                        hoverinfo="skip",
                        line={"color": colour, "width": 4},
                    )
                )
    for name, symbol, fill, lengths in (
        ("detected", "circle", PAPER, [each.detected_seconds for each in shown]),
        ("mitigated", "diamond", INK, [each.mitigated_seconds for each in shown]),
        ("restored", "circle", INK, [None if each.is_open else each.restored_seconds for each in shown]),
    ):
        at = [
            (length, height - 1 - place, shown[place].label)
            for place, length in enumerate(lengths)
            if length is not None
        ]
        traces.append(go.Scatter(
            x=[length / size for length, _, _ in at], y=[y for _, y, _ in at], mode="markers", cliponaxis=False,
            marker={"symbol": symbol, "size": 9, "color": fill, "line": {"color": INK, "width": 1.5}},
            text=[f"{words}: {name} after {duration(length)}" for length, _, words in at], hovertemplate="%{text}<extra></extra>",
        ))  # fmt: skip
    left = 24 + 7 * max((len(each.label) for each in shown), default=0)
    drawn = go.Figure(data=traces, layout=layout(
        left=min(left, 190), right=14,
        xaxis=axis(ticksuffix=f"{GAP}{unit}", rangemode="tozero", nticks=5),
        yaxis=axis(range=[-0.6, max(height, 1) - 0.4], showgrid=False, tickvals=[height - 1 - place for place in range(height)], ticktext=[each.label for each in shown]),
    ))  # fmt: skip
    return Figure(
        id=figure_id,
        title="Where recovery time went",
        fact=_slowest(ordered),
        sentence=f"{counted(len(shown), 'incident')} as lines from impact to restoration, with points for detected, mitigated and restored. {_slowest(ordered).capitalize()}.",
        json=plain(drawn),
        columns=(Column("Incident"), Column("Detected after", is_number=True), Column("Mitigated after", is_number=True), Column("Restored after", is_number=True)),
        table=[
            (Link(each.label, each.url) if each.url else each.label, duration(each.detected_seconds), duration(each.mitigated_seconds), "open" if each.is_open else duration(each.restored_seconds))
            for each in ordered
        ],
        key=[Key("words", "", "○ detected"), Key("words", "", "◆ mitigated"), Key("words", "", "● restored"),
             *([Key("words", "", f"{len(ordered) - len(shown)} shorter ones are in the table")] if len(ordered) > len(shown) else [])],
    )  # fmt: skip


def _spells(points: Sequence[float | None]) -> list[tuple[float | None, float | None]]:
    """The three stretches between the clocks; one that starts at a missing clock begins at the last known one."""
    spells, last = [], points[0]
    for point in points[1:]:
        spells.append((last, point))
        last = point if point is not None else last
    return spells


def _slowest(recoveries: Sequence[Recovery]) -> str:
    """The phase that took most time over all incidents, and the incident that gave most of it."""
    phases: dict[str, list[tuple[float, str]]] = {"noticing": [], "mitigating": [], "restoring": []}
    for each in recoveries:
        points = [0, each.detected_seconds, each.mitigated_seconds, each.restored_seconds]
        for name, (begin, end) in zip(phases, _spells(points), strict=True):
            if begin is not None and end is not None and end > begin:
                phases[name].append((end - begin, each.label))
    name = max(phases, key=lambda phase: sum(length for length, _ in phases[phase]))
    if not phases[name]:
        return "no clocks to compare"
    length, label = max(phases[name])
    return f"slowest: {name}; {label.split()[0]} took {duration(length)}"
