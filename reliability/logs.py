"""One JSON object a line, and nothing in it that must not be kept: all processes but the supervisor write their logs so.

What senders and databases say ends in messages, fields and traces of exceptions, so each is scrubbed by the default rules
before it is written. Fields whose names tell of a secret are left out like those of a report.
"""

from __future__ import annotations

import datetime as dt
import json
import logging
from typing import Final

from incidents.domain.scrubbing import DEFAULT, MAX_TEXT

#: What every record has, and is not a field of its own.
_PLAIN: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class JsonLines(logging.Formatter):
    """`at` (UTC), `level`, `logger`, `event`, the fields given as `extra`, and `exception` where there is one."""

    def format(self, record: logging.LogRecord) -> str:
        """One line. Everything that is not printable ASCII is escaped, so no sender can begin another."""
        extra = {name: _plain(value) for name, value in vars(record).items() if name not in _PLAIN}
        line = DEFAULT.value(extra | {"event": record.getMessage()} | self._trace(record))
        said = {
            "at": dt.datetime.fromtimestamp(record.created, dt.UTC).isoformat().replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
        }
        return json.dumps((line if isinstance(line, dict) else {}) | said, sort_keys=True)

    def _trace(self, record: logging.LogRecord) -> dict[str, str]:
        """Its end, where the reason stands, if it is very long."""
        parts = [self.formatException(record.exc_info)] if record.exc_info and record.exc_info[0] else []
        parts += [record.stack_info] if record.stack_info else []
        return {"exception": "\n".join(parts)[-MAX_TEXT:]} if parts else {}


def _plain(value: object) -> object:
    """A field as JSON can hold it."""
    if value is None or isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, dict):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item) for item in value]
    return str(value)
