"""Which of several pieces of news of one incident that wait for the same person is told; it tells the others with it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from reliability.domain.incident_news import What

#: Where the incident stands; the others say more about an incident that goes on.
STATES: Final = frozenset({What.OPENED, What.REOPENED, What.RESTORED, What.WITHDRAWN, What.MERGED})


def leading(waiting: Sequence[What]) -> int:
    """The index of the one to tell, of news in the order they came: the newest state, else the newest of all."""
    states = [place for place, what in enumerate(waiting) if what in STATES]
    return states[-1] if states else len(waiting) - 1
