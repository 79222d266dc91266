"""How numbers, durations and instants are said on pages and in mails.

Number and unit never part: they are joined by a no-break space. What is unknown is an en dash. Shares of time are
rounded down, so that nobody reads 100 % where something was down; rates are rounded to the nearest tenth and are
meant to stand beside their counts.
"""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from fractions import Fraction

GAP = "\N{NO-BREAK SPACE}"
UNKNOWN = "\N{EN DASH}"
MINUS = "\N{MINUS SIGN}"

_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400

Seconds = int | float | timedelta


def _seconds(length: Seconds) -> float:
    return length.total_seconds() if isinstance(length, timedelta) else float(length)


def duration(length: Seconds | None) -> str:
    """At most two units, the second one padded and left out when it is zero: `54 s`, `3 h 07 min`, `2 d 3 h`.

    Fractions of a second are dropped; what is shorter than a second but not nothing is `< 1 s`.
    """
    if length is None:
        return UNKNOWN
    exact = _seconds(length)
    if exact < 0:
        return MINUS + duration(-exact)
    if 0 < exact < 1:
        return f"<{GAP}1{GAP}s"
    whole = math.floor(exact)
    if whole < _MINUTE:
        return f"{whole}{GAP}s"
    if whole < _HOUR:
        return _two(whole // _MINUTE, "min", f"{whole % _MINUTE:02d}", "s")
    if whole < _DAY:
        return _two(whole // _HOUR, "h", f"{whole % _HOUR // _MINUTE:02d}", "min")
    return _two(whole // _DAY, "d", str(whole % _DAY // _HOUR), "h")


def _two(large: int, large_unit: str, small: str, small_unit: str) -> str:
    head = f"{large}{GAP}{large_unit}"
    return head if int(small) == 0 else f"{head}{GAP}{small}{GAP}{small_unit}"


def rough_duration(length: Seconds) -> str:
    """One unit, rounded down: `38 s`, `10 min`, `5 h`, `12 d`."""
    whole = math.floor(_seconds(length))
    for size, unit in ((_DAY, "d"), (_HOUR, "h"), (_MINUTE, "min")):
        if whole >= size:
            return f"{whole // size}{GAP}{unit}"
    return f"{whole}{GAP}s"


def ago(at: datetime, now: datetime) -> str:
    """Distance from `now` in one unit: `10 min ago`, `in 2 h`, `just now` within a second."""
    distance = (now - at).total_seconds()
    if abs(distance) < 1:
        return "just now"
    return f"{rough_duration(distance)} ago" if distance > 0 else f"in {rough_duration(-distance)}"


def _fraction(ratio: float | Fraction | Decimal) -> Fraction:
    """The decimal number a float was meant to be: 0.9995 is 9995/10000, not its nearest binary neighbour."""
    return Fraction(repr(ratio)) if isinstance(ratio, float) else Fraction(ratio)


def _decimal(value: Fraction, places: int, rounding: str) -> Decimal:
    scaled = value * 10**places
    whole = math.floor(scaled + (Fraction(1, 2) if rounding == ROUND_HALF_UP else 0))
    return Decimal(whole).scaleb(-places)


def percent(ratio: float | Fraction | Decimal | None, places: int = 3) -> str:
    """Rounded down to `places` decimals; exactly 0 and exactly 1 are printed without decimals."""
    if ratio is None:
        return UNKNOWN
    exact = _fraction(ratio) * 100
    if exact in (0, 100):
        return f"{int(exact)}{GAP}%"
    return f"{_decimal(exact, places, ROUND_DOWN):f}{GAP}%"


def percent_up(down_seconds: float, observed_seconds: float) -> str:
    """Availability from its two times, floored with exact arithmetic (METRICS §3); en dash if nothing was observed."""
    if not observed_seconds:
        return UNKNOWN
    return percent(1 - Fraction(down_seconds) / Fraction(observed_seconds))


def target(ratio: float | None) -> str:
    """An objective as people write it, without trailing zeros: `99.95 %`."""
    if ratio is None:
        return UNKNOWN
    exact = _fraction(ratio) * 100
    written = Decimal(exact.numerator) / Decimal(exact.denominator)
    return f"{written.normalize():f}{GAP}%"


def rate(part: int, whole: int, places: int = 1) -> str:
    """A share of counted things, to the nearest tenth; 0 % only when none, 100 % only when all; en dash for 0 of 0."""
    if not whole:
        return UNKNOWN
    exact = Fraction(part, whole) * 100
    if exact in (0, 100):
        return f"{int(exact)}{GAP}%"
    step = Decimal(1).scaleb(-places)
    return f"{min(max(_decimal(exact, places, ROUND_HALF_UP), step), 100 - step):f}{GAP}%"


def percent_range(low: float | None, high: float | None, places: int = 1) -> str:
    """Both ends of an interval with one sign: `1.8–20.7 %`; one value when they print the same."""
    if low is None or high is None:
        return UNKNOWN
    ends = [_trim(_decimal(_fraction(end) * 100, places, ROUND_HALF_UP)) for end in (low, high)]
    return f"{ends[0]}{GAP}%" if ends[0] == ends[1] else f"{ends[0]}–{ends[1]}{GAP}%"


def _trim(value: Decimal) -> str:
    return f"{value:f}" if value not in (0, 100) else str(int(value))


def probability(ratio: float | None) -> str:
    """Whole percent; never 100, and `< 1 %` instead of 0."""
    if ratio is None:
        return UNKNOWN
    if ratio < 0.01:
        return f"<{GAP}1{GAP}%"
    return f"{min(99, round(ratio * 100))}{GAP}%"


def factor(value: float | None) -> str:
    """How many times likelier a piece of evidence makes a suspect, two figures: `×12`, `×0.3`, `×1,400`."""
    if value is None:
        return UNKNOWN
    if value <= 0:
        return "×0"
    digits = 1 - math.floor(math.log10(value))
    rounded = round(value, digits)
    if rounded >= 10:
        return f"×{int(rounded):,}"
    return f"×{rounded:.{max(digits, 0)}f}".rstrip("0").rstrip(".") if rounded < 1 else f"×{rounded:.1f}"


def count(value: int | None) -> str:
    """Grouped by thousands: `1,264`."""
    return UNKNOWN if value is None else f"{value:,}"


def counted(value: int, singular: str, plural: str = "") -> str:
    """A count with its noun: `1 deploy`, `31 deploys`."""
    return f"{count(value)}{GAP}{singular if value == 1 else plural or singular + 's'}"


def listed(names: list[str], limit: int = 4) -> str:
    """Names in a sentence: `a`, `a and b`, `a, b and 3 more`."""
    if len(names) <= 1:
        return "".join(names)
    shown = names if len(names) <= limit else [*names[: limit - 1], f"{len(names) - limit + 1} more"]
    return f"{', '.join(shown[:-1])} and {shown[-1]}"
