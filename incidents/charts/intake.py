"""What reached us, hour by hour: error events stored, requests refused, error events that SDKs lost."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from zoneinfo import ZoneInfo

import plotly.graph_objects as go

from deploys.charts.figures import (
    INK,
    JSON,
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
from deploys.domain.wording import count, counted
from incidents.domain.intake import HOUR, Hour

DAY = dt.timedelta(days=1)


def intake_by_hour(*, hours: Sequence[Hour], zone: ZoneInfo, now: dt.datetime, figure_id: str = "intake") -> Figure:
    """Stacked bars per hour, at least one hour; the hour of `now` is drawn paler because it is not over."""
    begins_at, ends_at = hours[0].at, hours[-1].at + HOUR
    is_long = ends_at - begins_at > DAY
    accepted, refused, lost, dead = (sum(getattr(each, name) for each in hours) for name in Hour.__slots__[1:])
    traces = [
        _bars(hours, [each.accepted for each in hours], {"color": MARK_3}, "event", "stored", zone, now),
        _bars(hours, [each.refused for each in hours], {"color": INK}, "request", "refused", zone, now),
        _bars(
            hours, [each.lost for each in hours],
            {"color": "rgba(0,0,0,0)", "pattern": {"shape": "/", "fgcolor": MARK_2, "size": 5, "solidity": 0.4}},
            "event", "lost by the SDK", zone, now,
        ),
    ]  # fmt: skip
    drawn = go.Figure(
        data=traces,
        layout=layout(
            barmode="stack",
            bargap=0.12,
            xaxis=axis(
                type="date",
                range=[stamp(begins_at), stamp(ends_at)],
                showgrid=False,
                **clock_ticks(begins_at, ends_at, zone),
            ),
            yaxis=axis(rangemode="tozero", nticks=4, tickformat=",d"),
        ),
    )
    days = "the last seven days" if is_long else "the last 24 hours"
    return Figure(
        id=figure_id,
        title="What reached us, by hour",
        fact="error events; a refused request may hold one or none",
        sentence=f"In {days}: {counted(accepted, 'error event')} stored, {counted(refused, 'request')} refused, "
        f"{counted(lost, 'error event')} lost by SDKs, {counted(dead, 'dead letter')}.",
        json=plain(drawn),
        columns=(
            Column("Hour from"),
            Column("Stored", is_number=True),
            Column("Refused", is_number=True),
            Column("Lost by SDKs", is_number=True),
            Column("Dead letters", is_number=True),
        ),
        table=[
            (_when(each.at, zone), count(each.accepted), count(each.refused), count(each.lost), count(each.dead))
            for each in hours
            if each.accepted or each.refused or each.lost or each.dead
        ],
        key=(
            Key("swatch", "mark-3", f"stored, {count(accepted)}"),
            Key("swatch", "solid", f"refused, {count(refused)}"),
            Key("swatch", "hatch", f"lost by SDKs, {count(lost)}"),
        ),
        size="small",
    )


def _bars(
    hours: Sequence[Hour], values: Sequence[int], look: JSON, noun: str, fate: str, zone: ZoneInfo, now: dt.datetime
) -> go.Bar:
    return go.Bar(
        x=[stamp(each.at + HOUR / 2) for each in hours],
        y=list(values),
        marker={"line": {"width": 0}, "opacity": [0.45 if each.at + HOUR > now else 1 for each in hours], **look},
        width=int(HOUR.total_seconds() * 880),
        text=[f"{_when(each.at, zone)}, {counted(value, noun)} {fate}" for each, value in zip(hours, values, strict=True)],
        textposition="none",
        hovertemplate="%{text}<extra></extra>",
    )  # fmt: skip


def _when(at: dt.datetime, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%a %H:%M}"
