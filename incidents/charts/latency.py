"""How long requests took, by release."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import plotly.graph_objects as go

from deploys.charts.figures import (
    INK,
    MARK,
    MARK_2,
    MARK_3,
    Column,
    Figure,
    Key,
    axis,
    clock_ticks,
    layout,
    plain,
    stamp,
)
from deploys.domain.wording import GAP, UNKNOWN, count, counted, rate

MOST_DRAWN = 4
MOST_LISTED = 12
_LOOKS = ((INK, "solid"), (MARK, "mark"), (MARK_2, "mark-2"), (MARK_3, "mark-3"))


@dataclass(frozen=True, slots=True)
class ReleaseLatency:
    """Requests of one release and their quantiles in seconds; `slow` is the 95th percentile step by step."""

    release: str
    count: int
    failed: int
    p50: float | None
    p95: float | None
    p99: float | None
    slow: Sequence[float | None]


def took(seconds: float | None) -> str:
    """A latency in two or three figures: `0.4 ms`, `48 ms`, `1.24 s`, `2,400 s`."""
    if seconds is None:
        return UNKNOWN
    if seconds < 0.9995:
        ms = seconds * 1000
        return f"{ms:.1f}{GAP}ms" if ms < 10 else f"{ms:.0f}{GAP}ms"
    return f"{seconds:.3g}{GAP}s" if seconds < 1000 else f"{seconds:,.0f}{GAP}s"


def latency_by_release(
    *, begins_at: dt.datetime, step: dt.timedelta, releases: Sequence[ReleaseLatency], zone: ZoneInfo
) -> Figure:
    """The 95th percentile over time, one line per release; every quantile in the table. Most requests first."""
    ordered = sorted(releases, key=lambda each: (-each.count, each.release))
    drawn_ones = list(zip(ordered[:MOST_DRAWN], _LOOKS, strict=False))
    steps = max((len(each.slow) for each in ordered), default=0)
    ends_at = begins_at + step * steps
    middles = [begins_at + step * (place + 0.5) for place in range(steps)]
    traces = [
        go.Scatter(
            x=[stamp(at) for at in middles],
            y=[None if value is None else round(value * 1000, 3) for value in each.slow],
            mode="lines+markers", line={"color": colour, "width": 1.75}, marker={"size": 4, "color": colour}, connectgaps=False,
            text=[f"{(at - step / 2).astimezone(zone):%H:%M}, {_name(each)}: 95 of 100 within {took(value)}" for at, value in zip(middles, each.slow, strict=True)],
            hovertemplate="%{text}<extra></extra>",
        )
        for each, (colour, _) in drawn_ones
    ]  # fmt: skip
    drawn = go.Figure(
        data=traces,
        layout=layout(
            left=72,
            xaxis=axis(type="date", range=[stamp(begins_at), stamp(ends_at)], showgrid=False, **clock_ticks(begins_at, ends_at, zone, most=5)),
            yaxis=axis(rangemode="tozero", nticks=4, ticksuffix=f"{GAP}ms", tickformat=",~g"),
        ),
    )  # fmt: skip
    said = "; ".join(
        f"{_name(each)} half within {took(each.p50)}, 95 of 100 within {took(each.p95)}" for each, _ in drawn_ones
    )
    return Figure(
        id="latency-by-release",
        title="How long requests took, by release",
        fact="95th percentile by the hour",
        sentence=f"{counted(sum(each.count for each in ordered), 'traced request')} in 24 hours: {said}.",
        json=plain(drawn),
        columns=(Column("Release"), *(Column(words, is_number=True) for words in ("Requests", "Failed", "p50", "p95", "p99"))),
        table=[
            (_name(each), count(each.count), rate(each.failed, each.count), took(each.p50), took(each.p95), took(each.p99))
            for each in ordered[:MOST_LISTED]
        ],
        key=[Key("swatch", token, f"{_name(each)}, p95 {took(each.p95)}") for each, (_, token) in drawn_ones],
        size="small",
    )  # fmt: skip


def _name(each: ReleaseLatency) -> str:
    return each.release or "no release"
