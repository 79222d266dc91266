"""Instants as clients write them: seconds since 1970, or ISO 8601 with or without a zone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST = datetime(9999, 1, 1, tzinfo=UTC)
_LAST_SECONDS = (_LAST - EPOCH).total_seconds()


def parse_timestamp(value: object) -> datetime | None:
    """An aware UTC instant in [1970, 9999), or None where the value is none. Text without a zone is read as UTC.

    Seconds are read as a number or as a text of digits; raven and old clients send both.
    """
    if isinstance(value, str):
        text = value.strip()
        return _from_seconds(text) if _is_number(text) else _from_iso(text)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return _from_seconds(value)


def _is_number(text: str) -> bool:
    return len(text) <= 32 and text.replace(".", "", 1).isdecimal() and text.isascii()


def _from_seconds(value: str | float) -> datetime | None:
    seconds = float(value) if not isinstance(value, int) or abs(value) < 2**63 else -1.0
    if not 0 <= seconds < _LAST_SECONDS:
        return None
    return EPOCH + timedelta(seconds=seconds)


def _from_iso(text: str) -> datetime | None:
    # fromisoformat also takes bare dates and week dates; a client that sends one knows no time of day
    if len(text) > 40 or "T" not in text.upper().replace(" ", "T"):
        return None
    try:
        moment = datetime.fromisoformat(text)
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return moment if EPOCH <= moment < _LAST else None
