"""How long commits took to their first traffic, as counts in fixed classes of length."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from deploys.charts.figures import MARK, Column, Figure, axis, layout, plain
from deploys.domain.wording import count, counted, duration, rate

#: The classes of `reliability.domain.beside.LEAD_ENDS`, in words.
CLASSES = ("under 1 h", "1–4 h", "4–24 h", "1–3 d", "3–7 d", "1–4 weeks", "longer")


def lead_times(
    *,
    counts: Sequence[int],
    median_seconds: float | None,
    p90_seconds: float | None,
    unknown: int,
    figure_id: str = "figure-lead",
) -> Figure:
    """One bar per class; what is unknown is said, not drawn."""
    whole = sum(counts)
    said = [f"{words}: {counted(number, 'commit')}, {rate(number, whole)}" for words, number in zip(CLASSES, counts, strict=True)]  # fmt: skip
    drawn = go.Figure(
        data=[go.Bar(
            x=list(CLASSES), y=list(counts), marker={"color": MARK, "line": {"width": 0}}, hovertext=said, hovertemplate="%{hovertext}<extra></extra>",
            text=[count(number) if number else "" for number in counts], textposition="outside", cliponaxis=False,
        )],
        layout=layout(
            bargap=0.34,
            xaxis=axis(type="category", showgrid=False, categoryorder="array", categoryarray=list(CLASSES)),
            yaxis=axis(rangemode="tozero", nticks=4, tickformat=",d", range=[0, max([1, *counts]) * 1.15]),
            meta={"narrow_ticks": {"dtick": 2, "tickangle": 0}},
        ),
    )  # fmt: skip
    fact = f"median {duration(median_seconds)}, p90 {duration(p90_seconds)}" if whole else "no commits are known"
    missing = f"; {counted(unknown, 'commit')} without a usable date" if unknown else ""
    return Figure(
        id=figure_id,
        title="From commit to traffic",
        fact=f"{fact}, {counted(whole, 'commit')}{missing}" if whole else fact + missing,
        sentence=f"Lead time of {counted(whole, 'commit')} in classes from under an hour to over four weeks; {fact}{missing}.",
        json=plain(drawn),
        columns=(Column("Lead time"), Column("Commits", is_number=True), Column("Share", is_number=True)),
        table=[(words, count(number), rate(number, whole)) for words, number in zip(CLASSES, counts, strict=True)],
    )
