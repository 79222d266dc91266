"""The reliability diagram: how often verdicts were right, against how sure they said they were."""

from __future__ import annotations

import plotly.graph_objects as go

from deploys.charts.figures import ACCENT, ACCENT_FILL, INK_2, MARK_2, Column, Figure, axis, layout, plain
from deploys.domain.wording import GAP, count, counted, percent_range, rate
from reliability.domain.calibration import Bin, Calibration


def reliability_diagram(found: Calibration, *, figure_id: str = "reliability-curve") -> Figure:
    """A point for each range of stated probability, with its likely range; on the dotted line they are as sure as right."""
    bins = found.bins
    right = [each.right / each.count * 100 for each in bins]
    traces = [
        go.Scatter(x=[0, 100], y=[0, 100], mode="lines", hoverinfo="skip", line={"color": MARK_2, "width": 1.25, "dash": "dot"}),
        go.Scatter(
            x=[each.stated * 100 for each in bins], y=right, mode="lines+markers+text",
            line={"color": ACCENT, "width": 1.5}, marker={"color": ACCENT_FILL, "size": 9},
            error_y={"type": "data", "symmetric": False, "color": INK_2, "thickness": 1.25, "width": 4,
                     "array": [each.interval[1] * 100 - y for each, y in zip(bins, right, strict=True)],
                     "arrayminus": [y - each.interval[0] * 100 for each, y in zip(bins, right, strict=True)]},
            text=[f"{each.right} of {each.count}" for each in bins], textposition="bottom right",
            textfont={"size": 11, "color": INK_2},
            hovertext=[_said(each) for each in bins], hovertemplate="%{hovertext}<extra></extra>", cliponaxis=False,
        ),
    ]  # fmt: skip
    share = {"range": [0, 104], "ticksuffix": f"{GAP}%", "tickvals": [0, 25, 50, 75, 100]}
    drawn = go.Figure(
        data=traces,
        layout=layout(
            left=52, right=16, bottom=44,
            xaxis=axis(title={"text": "said", "font": {"size": 12}}, **share),
            yaxis=axis(title={"text": "were right", "font": {"size": 12}}, **share),
        ),
    )  # fmt: skip
    return Figure(
        id=figure_id,
        title="As sure as right?",
        fact="on the dotted line: exactly · above: too modest · below: too sure",
        sentence=f"{counted(found.count, 'answered verdict')}: {'; '.join(_said(each) for each in bins) or 'none'}.",
        json=plain(drawn),
        columns=(
            Column("Said"), Column("Verdicts", is_number=True), Column("On average", is_number=True),
            Column("Right", is_number=True), Column("Share", is_number=True), Column("Likely", is_number=True),
        ),
        table=[
            (
                _range(each), count(each.count), rate(round(each.stated * 1000), 1000), count(each.right),
                rate(each.right, each.count), percent_range(*each.interval),
            )
            for each in bins
        ],
        size="medium",
    )  # fmt: skip


def _range(each: Bin) -> str:
    if each.low == 0:
        return f"below {each.high * 100:g}{GAP}%"
    return (
        f"{each.low * 100:g}{GAP}% and more" if each.high == 1 else f"{each.low * 100:g} to {each.high * 100:g}{GAP}%"
    )


def _said(each: Bin) -> str:
    return f"{_range(each)}: {each.right} of {each.count} right"
