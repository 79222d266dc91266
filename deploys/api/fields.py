"""Serializer fields for the history format's values."""

from __future__ import annotations

import datetime as dt
import math
from typing import Any, Final

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from deploys.domain.instants import NotAnInstant, instant_text, parse_instant

#: What a clock of ours may show. Outside, an epoch in milliseconds or a lost digit is more likely than the truth.
EARLIEST: Final = dt.datetime(1990, 1, 1, tzinfo=dt.UTC)
LATEST: Final = dt.datetime(2200, 1, 1, tzinfo=dt.UTC)

INSTANT_SCHEMA = {
    "oneOf": [
        {"type": "string", "format": "date-time", "description": "ISO 8601 with an offset"},
        {"type": "number", "description": "epoch seconds"},
    ]
}


@extend_schema_field(INSTANT_SCHEMA)
class InstantField(serializers.Field[dt.datetime, Any, str, Any]):  # Any: JSON in, any row out
    """ISO 8601 with an offset, or epoch seconds. In form fields a number arrives as text and is taken there."""

    def to_internal_value(self, data: Any) -> dt.datetime:  # Any: JSON
        """The instant, aware, UTC."""
        if self.context.get("is_form") and isinstance(data, str):
            data = _number(data)
        try:
            instant = parse_instant(data)
        except NotAnInstant:
            raise serializers.ValidationError(
                f"expected a time with offset (2026-03-03T10:00:00Z) or epoch seconds, got {_shown(data)}"
            ) from None
        if not EARLIEST <= instant < LATEST:
            raise serializers.ValidationError(f"expected a time from 1990 to 2199, got {instant_text(instant)}")
        return instant

    def to_representation(self, value: dt.datetime) -> str:
        """RFC 3339 in UTC."""
        return instant_text(value)


def _number(text: str) -> Any:  # Any: a number, or the text again
    """Epoch seconds sent as form text; other text stays text."""
    try:
        return float(text) if text.strip().replace(".", "", 1).lstrip("-").isdecimal() else text
    except ValueError:
        return text


def _shown(data: object) -> str:
    return repr(data)[:60]


class NameField(serializers.CharField):
    """One line of printable text; a number is taken as its digits."""

    def to_internal_value(self, data: Any) -> str:  # Any: JSON
        """The text without space around it."""
        text = super().to_internal_value(data)
        if not text.isprintable():
            raise serializers.ValidationError("expected printable characters only")
        return text


class TextField(serializers.CharField):
    """Text of several lines. Characters no database keeps are replaced."""

    def run_validation(self, data: Any = serializers.empty) -> Any:  # Any: as the base class has it
        """Replaces NUL before the base class refuses it."""
        return super().run_validation(data.replace("\x00", "\ufffd") if isinstance(data, str) else data)


class NumberField(serializers.FloatField):
    """A finite number in a range."""

    def to_internal_value(self, data: Any) -> float:  # Any: JSON
        """The number; true and false are none."""
        if isinstance(data, bool):
            self.fail("invalid")
        number = super().to_internal_value(data)
        if not math.isfinite(number):
            self.fail("invalid")
        return int(number) if number.is_integer() else number
