"""Geometry of the small bars and lines the server draws itself: in tables, tiles and ledgers.

Everything is returned as numbers for SVG attributes, because the content security policy allows no style attribute.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

SPARK_WIDTH, SPARK_HEIGHT, SPARK_PAD = 90.0, 24.0, 2.0
DAYS_WIDTH, DAYS_HEIGHT = 156.0, 20.0
_GAUGE = {"downtime": 1.0, "multi-user": 0.62, "single-user": 0.325, "impactless": 0.175}
_FLAT, _LEDGER_AXIS, _LEDGER_REACH, _LEDGER_FULL = 2.0, 26.0, 74.0, 20.0


@dataclass(frozen=True, slots=True)
class Bar:
    """A rectangle; `kind` is its CSS class."""

    x: float
    y: float
    width: float
    height: float
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Spark:
    """A line in a box of 90 × 24: point strings of its unbroken pieces, lone points, the last point, the target's y."""

    lines: tuple[str, ...]
    dots: tuple[tuple[float, float], ...]
    end: tuple[float, float] | None
    target: float | None


def spark(values: Sequence[float | None], target: float | None = None) -> Spark:
    """Scale `values` (oldest first, evenly spaced) to the box; None breaks the line, because unknown is not zero."""
    known = [value for value in values if value is not None]
    if not known:
        return Spark((), (), None, None)
    scale = [*known, target] if target is not None else known
    low, high = min(scale), max(scale)
    step = SPARK_WIDTH / max(1, len(values) - 1)
    reach = SPARK_HEIGHT - 2 * SPARK_PAD

    def y_of(value: float) -> float:
        share = 0.5 if high == low else (value - low) / (high - low)
        return round(SPARK_PAD + (1 - share) * reach, 1)

    pieces: list[list[tuple[float, float]]] = [[]]
    for place, value in enumerate(values):
        if value is None:
            pieces.append([])
        else:
            pieces[-1].append((round(place * step if len(values) > 1 else SPARK_WIDTH, 1), y_of(value)))
    drawn = [piece for piece in pieces if piece]
    end = drawn[-1][-1] if values[-1] is not None else None
    return Spark(
        lines=tuple(" ".join(f"{x},{y}" for x, y in piece) for piece in drawn if len(piece) > 1),
        dots=tuple(piece[0] for piece in drawn if len(piece) == 1 and piece[0] != end),
        end=end,
        target=None if target is None else y_of(target),
    )


def day_bars(worst: Sequence[str | None]) -> tuple[Bar, ...]:
    """One bar per day, oldest first: its height is the gauge of the worst class (``""`` none, None not monitored)."""
    if not worst:
        return ()
    pitch = DAYS_WIDTH / len(worst)
    width = round(pitch * 0.75, 1)
    bars = []
    for place, impact in enumerate(worst):
        height = round(DAYS_HEIGHT * _GAUGE.get(impact or "", 0), 1) or _FLAT
        kind = "unknown" if impact is None else impact
        bars.append(Bar(round(place * pitch, 1), round(DAYS_HEIGHT - height, 1), width, height, kind))
    return tuple(bars)


def ledger_bar(factor: float) -> Bar:
    """Evidence on a log scale, in percent of the width: above 1 to the right of the axis, below 1 to the left.

    ×20 fills the right side. The left side is shorter and is full at ×1/20.
    """
    share = min(1.0, abs(math.log(max(factor, 1e-9))) / math.log(_LEDGER_FULL))
    if factor >= 1:
        return Bar(_LEDGER_AXIS, 1, round(share * _LEDGER_REACH, 1), 7, "for")
    width = round(share * _LEDGER_AXIS, 1)
    return Bar(round(_LEDGER_AXIS - width, 1), 1, width, 7, "against")


def meter_share(part: float, whole: float) -> float:
    """Percent of a meter that is filled, 0 to 100; a budget of nothing is empty."""
    return 0.0 if whole <= 0 else round(min(1.0, max(0.0, part / whole)) * 100, 1)
