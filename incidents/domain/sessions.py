"""How a session ended, learned from updates that come in any order and any number of times.

An update is the full state of its session. The state that ends it is final, so of several ends the earliest by the
session's own order stands. Taking the earliest is associative, commutative and idempotent: what is known in the end does
not depend on how the updates travelled.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

#: Sentry-docs, develop-docs/sdk/telemetry/sessions: these states are final.
FAILED_STATES = frozenset({"crashed", "abnormal"})
FINAL_STATES = frozenset({"exited", "errored"}) | FAILED_STATES
STATES = frozenset({"ok"}) | FINAL_STATES


@dataclass(frozen=True, slots=True)
class Ending:
    """One final state. `order` is the update's place among those of its session, whatever the clocks say."""

    order: int
    failed: bool


def first_ending(endings: Iterable[Ending | None]) -> Ending | None:
    """The ending that stands; None while the session goes on. Of two at the same place the failure is believed."""
    known = [ending for ending in endings if ending is not None]
    return min(known, key=lambda ending: (ending.order, not ending.failed), default=None)
