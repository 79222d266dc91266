"""Parsed error reports, as the envelope parser leaves them."""

from __future__ import annotations

import datetime as dt
import itertools
from typing import Any

from incidents.domain.event import ErrorEvent, Frame, ParsedEvent
from tests.conftest import NOON

_numbers = itertools.count(1)


def parsed_event(**fields: Any) -> ParsedEvent:  # Any: fields of ErrorEvent and ParsedEvent
    """A KeyError in `shop/pay.py` at NOON; every call has its own event id."""
    outer = {name: fields.pop(name) for name in list(fields) if name in ParsedEvent.__dataclass_fields__}
    defaults: dict[str, Any] = {  # Any: as above
        "event_id": f"{next(_numbers):032x}",
        "timestamp": NOON,
        "type": "KeyError",
        "message": "'sku'",
        "frames": (Frame(file="shop/pay.py", function="pay", line=7, in_app=True),),
    }
    return ParsedEvent(event=ErrorEvent(**{**defaults, **fields}), **outer)


def minutes(count: float) -> dt.timedelta:
    """A duration in minutes."""
    return dt.timedelta(minutes=count)
