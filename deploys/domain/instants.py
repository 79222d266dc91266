"""Instants as they travel: ISO 8601 with an offset, or epoch seconds; always aware UTC inside.

Resolution is the microsecond. Finer fractions of a text are cut, finer fractions of an epoch number are rounded.
"""

import math
import re
from datetime import UTC, datetime, timedelta
from fractions import Fraction

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FAR_PAST = datetime.min.replace(tzinfo=UTC)
FAR_FUTURE = datetime.max.replace(tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
_ISO = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d([.,]\d+)?)?([Zz]|[+-]\d\d(:?\d\d)?)")


class NotAnInstant(ValueError):
    """Raised for what would have to be guessed: no offset, a date alone, epoch seconds in quotes."""

    def __init__(self) -> None:
        super().__init__("expected a time with offset")


def parse_instant(value: object) -> datetime:
    """Read a sender's clock value; raises NotAnInstant."""
    try:
        if isinstance(value, str) and _ISO.fullmatch(value):
            return datetime.fromisoformat(value.upper()).astimezone(UTC)
        if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
            return EPOCH + timedelta(microseconds=round(value * 1_000_000))
    except (ValueError, OverflowError) as error:
        raise NotAnInstant from error
    raise NotAnInstant


def optional_instant(value: object) -> datetime | None:
    """Like parse_instant; None stays None."""
    return None if value is None else parse_instant(value)


def instant_text(at: datetime) -> str:
    """RFC 3339 in UTC with a Z; microseconds only where they are not zero."""
    return at.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"


def floor_hour(at: datetime) -> datetime:
    """The start of the hour, of UTC, that contains `at`: counts are kept by it."""
    return at.replace(minute=0, second=0, microsecond=0)


def microseconds(delta: timedelta) -> int:
    """The exact length; negative for a negative delta."""
    return delta // MICROSECOND


def exact(number: float) -> Fraction:
    """The decimal a sender wrote: 0.3 means three tenths, not the binary number nearest to it."""
    return Fraction(number) if isinstance(number, int) else Fraction(repr(number))


def seconds(length: Fraction | int) -> float:
    """Microseconds as seconds for printing; whole seconds print without a fraction."""
    whole, rest = divmod(length, 1_000_000)
    return int(whole) if not rest else float(Fraction(length) / 1_000_000)
