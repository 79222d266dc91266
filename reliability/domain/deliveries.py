"""Handing a notice over: when it is tried again, and when that is given up."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

#: Waits after the first, second… failure. The last failure ends it: about 18 hours after the first.
WAITS: Final = tuple(timedelta(seconds=seconds) for seconds in (10, 60, 300, 1_800, 7_200, 18_000, 36_000))
MOST_ATTEMPTS: Final = len(WAITS) + 1
#: A receiver may ask for a later time, up to this.
LONGEST_ASKED_WAIT: Final = timedelta(hours=1)


class Verdict(StrEnum):
    """What one attempt came to."""

    SENT = "sent"
    AGAIN = "again"
    REFUSED = "refused"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Outcome:
    """One attempt: its verdict, the words for the log, the receiver's status and the beginning of its answer, if any.

    `wait` is what the receiver asked for.
    """

    verdict: Verdict
    words: str
    status: int | None = None
    answer: str = ""
    wait: timedelta | None = None


def next_wait(attempts: int, *, key: str, asked: timedelta | None = None) -> timedelta | None:
    """How long to wait after this many failed attempts; None: no more. Spread by up to a tenth, the same for the same key.

    The receiver's own wish counts where it is longer, up to LONGEST_ASKED_WAIT.
    """
    if attempts > len(WAITS):
        return None
    wait = WAITS[attempts - 1]
    wait += wait * (zlib.crc32(key.encode()) % 100) / 1000
    return max(wait, min(asked, LONGEST_ASKED_WAIT)) if asked is not None else wait


def verdict_of_status(status: int, *, is_strict: bool) -> Verdict:
    """What an HTTP answer means. 2xx: sent. 410: never again, whatever is sent. A redirect is not followed: not sent.

    `is_strict`: the receiver says 4xx only of what will not be taken later either (Slack); 408, 425 and 429 excepted.
    """
    if 200 <= status < 300:
        return Verdict.SENT
    if status == 410 or (is_strict and status == 404):
        return Verdict.GONE
    if is_strict and 400 <= status < 500 and status not in {408, 425, 429}:
        return Verdict.REFUSED
    return Verdict.AGAIN


def asked_wait(retry_after: str) -> timedelta | None:
    """The header Retry-After, where it holds seconds (RFC 9110, section 10.2.3); None for anything else."""
    text = retry_after.strip()
    return timedelta(seconds=int(text)) if text.isascii() and text.isdigit() and len(text) < 7 else None
