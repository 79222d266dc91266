"""One error report as every later step reads it, whatever protocol it came by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Frame:
    """One stack frame. ``file`` is a path or URL as the SDK sent it; ``line`` counts from 1, 0 is unknown."""

    file: str = ""
    module: str = ""
    function: str = ""
    line: int = 0
    in_app: bool | None = None


@dataclass(frozen=True, slots=True)
class ErrorEvent:
    """An error report. ``frames`` have the innermost call last; ``timestamp`` is the sender's clock, aware UTC.

    ``user`` is a key by which users are told apart (never a name to show); ``session`` likewise for a session or
    trace where no user is reported. ``flags`` holds the feature flags that were evaluated for this request.
    """

    event_id: str
    timestamp: datetime
    type: str = ""
    message: str = ""
    environment: str = "production"
    release: str = ""
    frames: tuple[Frame, ...] = ()
    logger: str = ""
    transaction: str = ""
    host: str = ""
    user: str = ""
    session: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    flags: Mapping[str, bool] = field(default_factory=dict)


LEVELS = ("debug", "info", "warning", "error", "fatal")


@dataclass(frozen=True, slots=True)
class ParsedEvent:
    """An event together with what only storing and showing it needs.

    ``level`` is one of LEVELS. ``sent_fingerprint`` is what the client was told to group by, empty for the default.
    ``from_request`` says whether a web request was being served; None where the client did not tell. ``payload`` is
    the report for reading, already scrubbed, as JSON text: hundreds of unfolded reports in one batch keep the garbage
    collector busier than the digest. ``crashed`` says that nobody in the program caught the error.
    """

    event: ErrorEvent
    level: str = "error"
    platform: str = ""
    sent_fingerprint: tuple[str, ...] = ()
    from_request: bool | None = None
    crashed: bool = False
    payload: bytes = b""
