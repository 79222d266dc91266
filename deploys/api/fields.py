"""Serializer fields for the history format's values."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Mapping
from typing import Any, Final

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from deploys.domain.commits import LONGEST_SHA, CommitReport, title_of
from deploys.domain.instants import NotAnInstant, instant_text, optional_instant, parse_instant
from deploys.domain.release_report import MOST_COMMITS
from deploys.domain.web_addresses import without_userinfo

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


class AddressField(NameField):
    """An address of the web. Names without a dot are taken: many a CI server has one."""

    def __init__(self, **more: Any) -> None:  # Any: as the base class has it
        super().__init__(max_length=500, **more)

    def to_internal_value(self, data: Any) -> str:  # Any: JSON
        """The address, with its scheme and without name and password, which everybody in the team would read."""
        address = without_userinfo(super().to_internal_value(data))
        if not re.fullmatch(r"https?://[^\s/]\S*", address):
            raise serializers.ValidationError("expected an address that begins with https:// or http://")
        return address


class TextField(serializers.CharField):
    """Text of several lines. Characters no database keeps are replaced."""

    def run_validation(self, data: Any = serializers.empty) -> Any:  # Any: as the base class has it
        """Replaces NUL before the base class refuses it."""
        return super().run_validation(data.replace("\x00", "\ufffd") if isinstance(data, str) else data)


COMMITS_SCHEMA = {
    "type": "array",
    "maxItems": MOST_COMMITS,
    "items": {
        "type": "object",
        "required": ["sha"],
        "properties": {
            "sha": {"type": "string", "maxLength": LONGEST_SHA},
            "committed_at": {**INSTANT_SCHEMA, "nullable": True},
            "author": {"type": "string", "nullable": True, "description": "A name."},
            "title": {"type": "string", "nullable": True, "description": "The message; its first line is kept."},
            "files": {
                "type": "array",
                "items": {"type": "string"},
                "nullable": True,
                "description": "Paths it touched.",
            },
        },
    },
}


@extend_schema_field(COMMITS_SCHEMA)
class CommitsField(serializers.Field[list[CommitReport], Any, Any, Any]):  # Any: JSON in, never out
    """Commits, newest first. Read by hand: a serializer for each of 2,000 commits takes a second."""

    def to_internal_value(self, data: Any) -> list[CommitReport]:  # Any: JSON
        """The commits; what is wrong is named by the commit's place."""
        if not isinstance(data, list) or len(data) > MOST_COMMITS:
            raise serializers.ValidationError(f"expected a list of at most {MOST_COMMITS} commits")
        found, errors = [], {}
        for place, each in enumerate(data):
            try:
                found.append(_commit(each))
            except _NotACommit as error:
                errors[str(place)] = {error.key: [str(error)]}
        if errors:
            raise serializers.ValidationError(dict(list(errors.items())[:10]))
        return found


class _NotACommit(ValueError):
    def __init__(self, key: str, message: str) -> None:
        super().__init__(message)
        self.key = key


def _commit(said: object) -> CommitReport:
    if type(said) is not dict and not isinstance(said, Mapping):  # asking for a Mapping is dear, fifty times
        raise _NotACommit("sha", "expected an object with a sha")
    files = said.get("files")
    if files is not None and not isinstance(files, list):
        raise _NotACommit("files", "expected a list of paths")
    sha = said.get("sha")
    if not isinstance(sha, str) or not 0 < len(sha) <= LONGEST_SHA or not sha.isprintable() or sha != sha.strip():
        raise _NotACommit("sha", f"expected 1 to {LONGEST_SHA} printable characters")
    try:
        committed_at = optional_instant(said.get("committed_at"))
    except NotAnInstant as error:
        raise _NotACommit("committed_at", str(error)) from error
    if committed_at is not None and not EARLIEST <= committed_at < LATEST:
        raise _NotACommit("committed_at", "expected a time from 1990 to 2199")
    author, title = (_words(said, key) for key in ("author", "title"))
    paths = tuple(path for path in files or () if isinstance(path, str) and path and path.isprintable())
    return CommitReport(sha, committed_at, author, title_of(title) if title is not None else None, paths)


def _words(said: Mapping[str, Any], key: str) -> str | None:  # Any: JSON
    value = said.get(key)
    if value is not None and not isinstance(value, str):
        raise _NotACommit(key, "expected text")
    return value


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
