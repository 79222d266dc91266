"""What every figure is made of, and the two figures about errors around a change.

A figure is built from plotly's own objects, so that an attribute which does not exist fails here and not in a browser.
Colours are names of design tokens, `var(--ink)` for the validator and `--ink` once serialised; the browser looks them
up. Times are drawn in UTC and ticks are written in the reader's zone, so that a day with a clock change has its true
length.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

import plotly.graph_objects as go

from deploys.domain.wording import GAP, UNKNOWN, count, counted, rate

INK, INK_2 = "var(--ink)", "var(--ink-2)"
LINE, LINE_STRONG = "var(--line)", "var(--line-strong)"
PAPER, SUNKEN, BAND = "var(--paper)", "var(--sunken)", "var(--band)"
MARK, MARK_2, MARK_3 = "var(--mark)", "var(--mark-2)", "var(--mark-3)"
ACCENT, ACCENT_FILL, ACCENT_WASH = "var(--accent)", "var(--accent-fill)", "var(--accent-wash)"
DOWNTIME = "var(--downtime)"
CLEAR = "rgba(0,0,0,0)"

JSON = dict[str, Any]  # what plotly reads; its shape is checked when it is built


@dataclass(frozen=True, slots=True)
class Column:
    """The head of a column in the table below a figure."""

    words: str
    is_number: bool = False


@dataclass(frozen=True, slots=True)
class Link:
    """A cell of that table which leads somewhere."""

    words: str
    url: str

    def __str__(self) -> str:
        return self.words


@dataclass(frozen=True, slots=True)
class Key:
    """One entry of the key. kind: class, sign, cause, swatch (names as in `ui/swatch.html`) or words."""

    kind: str
    name: str = ""
    words: str = ""


Row = Sequence[str | Link]


@dataclass(frozen=True, slots=True)
class Figure:
    """A chart with everything that must stand beside it. Drawn by `ui/figure.html`."""

    id: str
    title: str
    sentence: str
    json: JSON
    columns: Sequence[Column]
    table: Sequence[Row]
    fact: str = ""
    key: Sequence[Key] = field(default_factory=tuple)
    size: str = "normal"

    @property
    def rows(self) -> Iterator[list[tuple[str | Link, Column]]]:
        """The table, each cell with its column."""
        return (list(zip(row, self.columns, strict=True)) for row in self.table)


#: Plotly reads tags in its texts. Names come from outside, so all tags but our own line break are made plain signs.
_TAG = re.compile(r"<(?!br>|extra></extra>|/extra>)")


def plain(figure: go.Figure) -> JSON:
    """The figure as the browser gets it: no template, no empty parts, tokens by their bare names, no tags in names."""
    drawn = figure.to_plotly_json()
    drawn["layout"].pop("template", None)
    cleaned: JSON = _bare(drawn)
    return cleaned


def _bare(part: Any) -> Any:  # Any: JSON
    if isinstance(part, str):
        is_token = part.startswith("var(--") and part.endswith(")")
        return part[4:-1] if is_token else _TAG.sub("‹", part)
    if isinstance(part, Mapping):
        return {key: _bare(item) for key, item in part.items()}
    if isinstance(part, list | tuple):
        return [_bare(item) for item in part]
    return part


def stamp(at: dt.datetime) -> str:
    """An instant as the axis reads it: naive UTC with seconds."""
    return at.astimezone(dt.UTC).strftime("%Y-%m-%d %H:%M:%S")


def layout(
    *, left: int = 44, right: int = 8, top: int = 20, bottom: int = 28, **more: Any
) -> go.Layout:  # Any: layout keys
    """A still canvas: no legend, no zoom, no drag."""
    return go.Layout(
        margin={"l": left, "r": right, "t": top, "b": bottom},
        showlegend=False,
        hovermode="closest",
        dragmode=False,
        **more,
    )


def axis(**more: Any) -> JSON:  # Any: axis keys
    """An axis nobody can move, hairlines only."""
    return {
        "fixedrange": True,
        "zeroline": False,
        "gridcolor": LINE,
        "tickcolor": LINE_STRONG,
        "ticks": "",
        "ticklabelstandoff": 4,
        **more,
    }


def upright(at: dt.datetime, *, colour: str = INK, dash: str = "dot", width: float = 1) -> JSON:
    """A line over the whole height at an instant."""
    return {"type": "line", "x0": stamp(at), "x1": stamp(at), "yref": "paper", "y0": 0, "y1": 1,
            "line": {"color": colour, "width": width, "dash": dash}, "layer": "below"}  # fmt: skip


def ground(from_at: dt.datetime, to_at: dt.datetime, *, colour: str = SUNKEN, opacity: float = 0.6) -> JSON:
    """A coloured ground between two instants."""
    return {"type": "rect", "x0": stamp(from_at), "x1": stamp(to_at), "yref": "paper", "y0": 0, "y1": 1,
            "fillcolor": colour, "opacity": opacity, "line": {"width": 0}, "layer": "below"}  # fmt: skip


def label(
    at: dt.datetime, text: str, *, colour: str = INK, anchor: str = "center", lift: float = 1, wide: bool = False
) -> JSON:
    """Words over the plot at an instant. `wide` ones are left out on narrow screens."""
    return {"x": stamp(at), "y": lift, "yref": "paper", "text": text, "showarrow": False, "xanchor": anchor, "yanchor": "bottom",
            "font": {"size": 11, "color": colour}, "name": "wide" if wide else ""}  # fmt: skip


_STEPS = (60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800)


def clock_ticks(from_at: dt.datetime, to_at: dt.datetime, zone: ZoneInfo, most: int = 8) -> JSON:
    """`tickvals` at round wall-clock times of the zone, at most `most`, with their words."""
    span = (to_at - from_at).total_seconds()
    step = next((each for each in _STEPS if span / each <= most), _STEPS[-1])
    local = from_at.astimezone(zone)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    wall = midnight + dt.timedelta(seconds=((local.replace(tzinfo=None) - midnight).total_seconds() // step) * step)
    values, words = [], []
    while (at := wall.replace(tzinfo=zone).astimezone(dt.UTC)) <= to_at:
        if at - from_at >= (to_at - from_at) * 0.02:  # a tick in the corner would meet the other axis
            values.append(stamp(at))
            words.append(f"{wall.day} {wall:%b}" if step >= 86_400 else f"{wall:%H:%M}")
        wall += dt.timedelta(seconds=step)
    return {"tickvals": values, "ticktext": words}


@dataclass(frozen=True, slots=True)
class RatePoint:
    """Failed of all in the bucket that begins at `at`; `total` None where requests are not counted."""

    at: dt.datetime
    failed: int
    total: int | None = None


def _share(point: RatePoint) -> float | None:
    return None if not point.total else min(1.0, point.failed / point.total) * 100


def rate_around(
    *,
    points: Sequence[RatePoint],
    baseline: Sequence[RatePoint] = (),
    step: dt.timedelta,
    live_at: dt.datetime,
    name: str,
    zone: ZoneInfo,
    rollout: tuple[dt.datetime, dt.datetime] | None = None,
    figure_id: str = "rate-around",
) -> Figure:
    """Errors before and after a change went live, beside the same hours a week before.

    `points` and `baseline` are evenly spaced by `step`, oldest first; the baseline's times are a week earlier and are
    shifted here. As a share of requests where all `points` with errors know their total, else as errors per bucket.
    """
    is_share = (
        bool(points) and all(point.total for point in points if point.failed) and any(point.total for point in points)
    )
    minutes = int(step.total_seconds() // 60)
    unit = "failed requests" if is_share else f"errors per {minutes}{GAP}min"

    def y_of(point: RatePoint) -> float | None:
        return _share(point) if is_share else float(point.failed)

    def said(point: RatePoint) -> str:
        if is_share and point.total:
            return f"{rate(point.failed, point.total)}, {count(point.failed)} of {count(point.total)}"
        return counted(point.failed, "error")

    week = dt.timedelta(days=7)
    end = (points[-1].at if points else live_at) + step
    begin = points[0].at if points else live_at - step

    def line(span: Sequence[RatePoint], shift: dt.timedelta, look: JSON, words: list[str]) -> go.Scatter:
        closing = [span[-1]] if span else []  # the last bucket is a step like the others
        return go.Scatter(
            x=[stamp(point.at + shift) for point in span] + [stamp(span[-1].at + shift + step) for _ in closing],
            y=[y_of(point) for point in [*span, *closing]], mode="lines", line={"shape": "hv", **look},
            text=words + words[-1:], hovertemplate="%{text}<extra></extra>",
        )  # fmt: skip

    was = [f"a week before: {said(point)}" for point in baseline]
    now = [f"{point.at.astimezone(zone):%H:%M}, {said(point)}" for point in points]
    traces = [line(baseline, week, {"color": MARK_2, "width": 1.25, "dash": "dot"}, was)] if baseline else []
    traces.append(line(points, dt.timedelta(0), {"color": INK, "width": 2}, now))
    shapes = [ground(*rollout, colour=ACCENT_WASH, opacity=1)] if rollout else []
    shapes.append(upright(live_at, colour=ACCENT, dash="solid", width=1.5))
    drawn = go.Figure(
        data=traces,
        layout=layout(
            top=26,
            xaxis=axis(type="date", range=[stamp(begin), stamp(end)], showgrid=False, **clock_ticks(begin, end, zone)),
            yaxis=axis(rangemode="tozero", ticksuffix=f"{GAP}%" if is_share else "", nticks=5, tickformat="~g" if is_share else ",d"),
            shapes=shapes,
            annotations=[label(live_at, f"▲ {name} live {live_at.astimezone(zone):%H:%M:%S}", colour=ACCENT, anchor=_anchor(live_at, begin, end))],
        ),
    )  # fmt: skip
    before = [point for point in points if point.at < live_at]
    after = [point for point in points if point.at >= live_at]
    spans = [("before it was live", before), ("since it is live", after), ("same hours a week before", list(baseline))]
    return Figure(
        id=figure_id,
        title="Failed requests, before and after" if is_share else "Errors, before and after",
        fact="solid: now · dotted: same hours a week before" + (" · shaded: roll-out" if rollout else ""),
        sentence=f"{unit.capitalize()} around {name}: {_summed(before, is_share)} before it was live, {_summed(after, is_share)} since.",
        json=plain(drawn),
        columns=(Column("Span"), Column("Failed" if is_share else "Errors", is_number=True), Column("Requests", is_number=True), Column("Share", is_number=True)),
        table=[_span_row(words, span) for words, span in spans if span],
        size="medium",
    )  # fmt: skip


def _anchor(at: dt.datetime, begin: dt.datetime, end: dt.datetime) -> str:
    """Which end of a label stands at the mark, so that the words stay inside the plot."""
    share = (at - begin) / (end - begin) if end > begin else 0.5
    return "left" if share < 0.2 else "right" if share > 0.8 else "center"


def _totals(points: Sequence[RatePoint]) -> tuple[int, int | None]:
    known = [point.total for point in points if point.total is not None]
    return sum(point.failed for point in points), sum(known) if known else None


def _summed(points: Sequence[RatePoint], is_share: bool) -> str:  # noqa: FBT001 -- one caller, one meaning
    failed, total = _totals(points)
    return rate(failed, total) if is_share and total else count(failed)


def _span_row(words: str, points: Sequence[RatePoint]) -> Row:
    failed, total = _totals(points)
    return (words, count(failed), count(total), rate(failed, total) if total else UNKNOWN)


@dataclass(frozen=True, slots=True)
class ReleaseCounts:
    """Errors of one release per bucket; `is_suspect` draws it in mulberry."""

    release: str
    counts: Sequence[int]
    is_suspect: bool = False


def errors_by_release(
    *,
    begins_at: dt.datetime,
    step: dt.timedelta,
    releases: Sequence[ReleaseCounts],
    zone: ZoneInfo,
    change: tuple[dt.datetime, str] | None = None,
    first_error_at: dt.datetime | None = None,
    rollout_until: dt.datetime | None = None,
    undone: tuple[dt.datetime, str] | None = None,
    is_last_open: bool = False,
    figure_id: str = "errors-by-release",
) -> Figure:
    """Stacked bars of errors per bucket, one colour per release; at most one release is a suspect.

    All releases have the same number of buckets, the first beginning at `begins_at`. `is_last_open` fades the last
    bucket, which is not over yet. From `change` to `rollout_until` the ground is shaded; `undone` marks what undid it.
    """
    buckets = max((len(each.counts) for each in releases), default=0)
    ends_at = begins_at + step * buckets
    greys = iter((MARK, MARK_2, MARK_3))
    ordered = sorted(releases, key=lambda each: (not each.is_suspect, -sum(each.counts)))
    shown, rest = ordered[:4], ordered[4:]
    if rest:
        others = [sum(each.counts[place] for each in rest) for place in range(buckets)]
        shown = [
            *ordered[:3],
            ReleaseCounts(f"{len(rest) + 1} others", [a + b for a, b in zip(ordered[3].counts, others, strict=True)]),
        ]
    colours = [ACCENT_FILL if each.is_suspect else next(greys, MARK_3) for each in shown]
    fade = [0.35 if is_last_open and place == buckets - 1 else 1 for place in range(buckets)]
    middles = [stamp(begins_at + step * (place + 0.5)) for place in range(buckets)]
    traces = [
        go.Bar(
            x=middles, y=list(each.counts), marker={"color": colour, "line": {"width": 0}, "opacity": fade},
            width=int(step.total_seconds() * 880),
            text=[f"{(begins_at + step * place).astimezone(zone):%H:%M}, {each.release or 'no release'}: {counted(number, 'error')}" for place, number in enumerate(each.counts)],
            textposition="none", hovertemplate="%{text}<extra></extra>",
        )
        for each, colour in zip(shown, colours, strict=True)
    ]  # fmt: skip
    shapes, notes = [], []
    is_rollout = change is not None and rollout_until is not None and change[0] < ends_at and rollout_until > begins_at
    if change and rollout_until and is_rollout:
        shapes.append(ground(max(change[0], begins_at), min(rollout_until, ends_at), colour=ACCENT_WASH, opacity=1))
    # one label ends at the first mark and one begins at the second, so that they cannot meet; not so near an edge that the
    # words would leave the picture
    length = ends_at - begins_at
    is_between = bool(
        change and undone and begins_at + length / 5 <= change[0] < undone[0] <= begins_at + length * 3 / 4
    )
    if change and begins_at <= change[0] <= ends_at:
        shapes.append(upright(change[0], colour=ACCENT, dash="solid", width=1.5))
        notes.append(
            label(
                change[0],
                f"▲ {change[1]} {change[0].astimezone(zone):%H:%M:%S}",
                colour=ACCENT,
                anchor="right" if is_between else _anchor(change[0], begins_at, ends_at),
            )
        )
    if first_error_at and begins_at <= first_error_at <= ends_at:
        shapes.append(upright(first_error_at, colour=DOWNTIME))
        notes.append(label(first_error_at, f"first error {first_error_at.astimezone(zone):%H:%M:%S}", colour=DOWNTIME,
                           anchor=_anchor(first_error_at, begins_at, ends_at), lift=1.09 if notes else 1, wide=True))  # fmt: skip
    if undone and begins_at <= undone[0] <= ends_at:
        shapes.append(upright(undone[0], dash="solid", width=1.5))
        anchor = "left" if is_between else _anchor(undone[0], begins_at, ends_at)
        lift = 1 if is_between or not notes else 1.18
        notes.append(
            label(
                undone[0], f"▼ {undone[1]} {undone[0].astimezone(zone):%H:%M:%S}", anchor=anchor, lift=lift, wide=True
            )
        )
    drawn = go.Figure(
        data=traces,
        layout=layout(
            top=(24, 24, 36, 50)[len(notes)], barmode="stack", bargap=0.12, shapes=shapes, annotations=notes,
            xaxis=axis(type="date", range=[stamp(begins_at), stamp(ends_at)], showgrid=False, **clock_ticks(begins_at, ends_at, zone)),
            yaxis=axis(rangemode="tozero", nticks=4, tickformat=",d"),
        ),
    )  # fmt: skip
    names = {ACCENT_FILL: "accent", MARK: "mark", MARK_2: "mark-2", MARK_3: "mark-3"}
    totals = [sum(each.counts) for each in shown]
    said = ", ".join(
        f"{each.release or 'no release'} {count(total)}" for each, total in zip(shown, totals, strict=True)
    )
    minutes = step.total_seconds() / 60
    every = f"{minutes:g}{GAP}min" if minutes != 1 else "minute"
    return Figure(
        id=figure_id,
        title=f"Errors per {every}, by release",
        fact=" · ".join(
            [*(["shaded: roll-out"] if is_rollout else []), *(["the last bar is not over"] if is_last_open else [])]
        ),
        sentence=f"{counted(sum(totals), 'error')} from {begins_at.astimezone(zone):%H:%M} to {ends_at.astimezone(zone):%H:%M}: {said or 'none'}.",
        json=plain(drawn),
        columns=(Column("From"), *(Column(each.release or "no release", is_number=True) for each in shown)),
        table=[
            (f"{(begins_at + step * place).astimezone(zone):%H:%M}", *(count(each.counts[place]) for each in shown))
            for place in range(buckets)
            if any(each.counts[place] for each in shown)
        ],
        key=[Key("swatch", names[colour], f"{each.release or 'no release'}, {counted(total, 'error')}") for each, colour, total in zip(shown, colours, totals, strict=True)],
        size="small",
    )  # fmt: skip
