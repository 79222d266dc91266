"""Results as a Markdown table, each goal with whether it is met."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Goal:
    """A value that must reach `must`, and better `stretch`; `is_most`: that may not exceed them. No value: not measured."""

    unit: str
    value: float | None
    must: float
    stretch: float | None = None
    is_most: bool = False

    def __str__(self) -> str:
        sign = "<=" if self.is_most else ">="
        wanted = f"{sign} {number(self.must)}" + (f" / {number(self.stretch)}" if self.stretch is not None else "")
        if self.value is None:
            return f"{wanted} {self.unit}: not measured"
        return f"{number(self.value)} {self.unit} ({wanted}): {self._verdict(self.value)}"

    def _verdict(self, value: float) -> str:
        def reaches(line: float) -> bool:
            return value <= line if self.is_most else value >= line

        if self.stretch is not None and reaches(self.stretch):
            return "stretch met"
        return "met" if reaches(self.must) else "MISSED"


@dataclass(frozen=True, slots=True)
class Row:
    """One figure of ours beside the same of the others, where they have it."""

    label: str
    ours: float
    bugsink: float | None = None
    commit: float | None = None
    raw: float | None = None
    goals: Sequence[Goal] = field(default_factory=tuple)


def number(value: float | None) -> str:
    """Three figures or so."""
    if value is None:
        return "–"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def show(rows: Sequence[Row]) -> str:
    """The table."""
    lines = [
        "| figure | Upshot | Bugsink | group commit | parse only | goal: must / stretch |",
        "| --- | ---: | ---: | ---: | ---: | --- |",
    ]
    for row in rows:
        cells = [
            row.label,
            *(number(each) for each in (row.ours, row.bugsink, row.commit, row.raw)),
            "; ".join(map(str, row.goals)),
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)
