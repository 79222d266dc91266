"""What a team knows, as of an instant: folded once per state of the fact log and shared by all pages."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import connection
from django.db.models import Count, Max

from deploys.domain.records import Fact as DomainFact
from deploys.domain.records import Records, fold_all, known_by
from deploys.models import Fact, Team
from reliability.domain.history import history_of
from reliability.domain.intervals import Interval
from reliability.domain.knowledge import Knowledge
from reliability.queries.facts import known_facts
from reliability.queries.traffic import traffic_known_by

FRESH: Final = timedelta(seconds=30)
"""How long a state of knowledge as of now is shown: running durations lag by at most this."""

LONGEST_PERIOD: Final = timedelta(days=100)
"""Longer than any objective's period: traffic before it cannot enter a budget."""

_KEPT_TEAMS: Final = 20
LogState = tuple[int, int]


@dataclass(slots=True)
class _Shared:
    """The log of one team as last read, and what was known of it just now."""

    state: LogState
    facts: Sequence[DomainFact]
    knowledge: Knowledge | None = None


_shared: OrderedDict[UUID, _Shared] = OrderedDict()
_lock = threading.Lock()


def log_state(team: Team) -> LogState:
    """Changes whenever the team's log grows, also when facts commit out of the order of their ids: one query."""
    found = Fact.objects.filter(team=team).aggregate(last=Max("id"), count=Count("id"))
    return found["last"] or 0, found["count"]


def knowledge_as_of(
    *, team: Team, as_of: datetime, traffic_from: datetime | None = None, received_by: datetime | None = None
) -> Knowledge:
    """What was known at the instant. Three or so queries; traffic is read only if an objective counts requests.

    traffic_from: the first instant whose requests may matter; None means all. received_by: leave out what was received
    later than this, although the clocks stand at as_of: tells what new facts changed from what the passing of time did.
    """
    return _knowledge(team, _facts(team), as_of, traffic_from, received_by)


def knowledge_now(*, team: Team, now: datetime) -> Knowledge:
    """What is known now, shared between requests for up to FRESH while no fact comes: then one query.

    Requests counted more than LONGEST_PERIOD before now are not in it.
    """
    state = log_state(team)
    shared = _remembered(team, state)
    known = None if shared is None else shared.knowledge
    if known is None or not timedelta(0) <= now - known.history.as_of < FRESH:
        known = _knowledge(team, _facts(team, state), now, now - LONGEST_PERIOD)
        shared = _remembered(team, state)
        if shared is not None:
            shared.knowledge = known
    return known


def forget() -> None:
    """Drops what is shared: for tests that rewrite the log of a team."""
    with _lock:
        _shared.clear()


def _knowledge(
    team: Team,
    facts: Sequence[DomainFact],
    as_of: datetime,
    traffic_from: datetime | None,
    received_by: datetime | None = None,
) -> Knowledge:
    received_by = received_by or as_of
    records = fold_all(known_by(facts, received_by))
    traffic = []
    if _counts_requests(records):
        span = None if traffic_from is None else Interval(traffic_from, as_of)
        traffic = traffic_known_by(team=team, as_of=received_by, span=span)
    return Knowledge(history_of(records, traffic, as_of))


def _counts_requests(records: Records) -> bool:
    return any(record.get("sli") == "requests" for record in records.of("objective").values())


def _facts(team: Team, state: LogState | None = None) -> Sequence[DomainFact]:
    state = state or log_state(team)
    shared = _remembered(team, state)
    if shared is not None:
        return shared.facts
    facts = known_facts(team=team)
    # Facts of an open transaction may never be: share only what is committed.
    if not connection.in_atomic_block and len(facts) == state[1]:
        with _lock:
            _shared[team.public_id] = _Shared(state, facts)
            while len(_shared) > _KEPT_TEAMS:
                _shared.popitem(last=False)
    return facts


def _remembered(team: Team, state: LogState) -> _Shared | None:
    with _lock:
        shared = _shared.get(team.public_id)
        if shared is None or shared.state != state:
            return None
        _shared.move_to_end(team.public_id)
        return shared
