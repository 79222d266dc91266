"""Messages about deploys that are plainly right, read without the serializer, which takes ten times as long.

What is read here is what `DeployMessage` makes of the same message; a test holds both to it. Everything in the least doubtful
(an empty text, a number for a name, null) is left to the serializer, which also says what is wrong.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any, Final

from rest_framework.exceptions import ValidationError

from deploys.actions.facts import storable
from deploys.api.fields import EARLIEST, LATEST, AddressField, CommitsField
from deploys.api.serializers import KINDS, STATUSES
from deploys.domain.instants import NotAnInstant, parse_instant

MOST_FILES: Final = 5_000
_addresses: Final = AddressField()
_commits: Final = CommitsField()


class _Doubtful(Exception):
    """For the serializer to judge."""


def plain_values(data: object) -> dict[str, Any] | None:  # Any: checked values
    """What `DeployMessage(data=data).validated_data` holds; None where that is for the serializer to say."""
    if type(data) is not dict or "id" not in data or "service" not in data:
        return None
    try:
        return {key: _READERS[key](value) for key, value in data.items() if key in _READERS}
    except (_Doubtful, ValidationError):
        return None


def _name(longest: int) -> Callable[[object], str]:
    def read(value: object) -> str:
        if type(value) is not str or not 0 < len(value) <= longest or not value.isprintable() or value != value.strip():
            raise _Doubtful
        return value

    return read


def _choice(known: list[str]) -> Callable[[object], str]:
    def read(value: object) -> str:
        if type(value) is not str or value not in known:
            raise _Doubtful
        return value

    return read


def _instant(value: object) -> dt.datetime:
    try:
        instant = parse_instant(value)
    except NotAnInstant as error:
        raise _Doubtful from error
    if not EARLIEST <= instant < LATEST:
        raise _Doubtful
    return instant


def _percent(value: object) -> float:
    if type(value) not in {int, float} or not 0 <= value <= 100:  # type: ignore[operator]  # a number
        raise _Doubtful
    number = float(value)  # type: ignore[arg-type]  # as above
    return int(number) if number.is_integer() else number


def _files(value: object) -> list[str]:
    if type(value) is not list or len(value) > MOST_FILES:
        raise _Doubtful
    return [_path(each) for each in value]


def _description(value: object) -> str:
    if type(value) is not str or len(value) > 20_000 or value != value.strip() or storable(value) != value:
        raise _Doubtful
    return value


def _url(value: object) -> str:
    return _addresses.to_internal_value(_address(value))


_path: Final = _name(1_000)
_address: Final = _name(500)
_READERS: Final[Mapping[str, Callable[[object], Any]]] = {  # Any: checked values
    "id": _name(200), "service": _name(200), "environment": _name(100), "status": _choice(STATUSES),
    "started_at": _instant, "finished_at": _instant, "live_at": _instant, "release": _name(250),
    "artifact": _name(250), "kind": _choice(KINDS), "strategy": _name(40), "percent": _percent, "files": _files,
    "description": _description, "url": _url, "commit": _name(100),
    "commits": _commits.to_internal_value, "delivery_id": _name(200),
}  # fmt: skip
