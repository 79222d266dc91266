"""What a team knows, as of an instant: folded once per state of the fact log and shared by all pages.

A long log is not folded: of it, each question reads what its window needs (`reliability.queries.excerpts`), with the same answer.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import connection
from django.db.models import Count, F, Max, OuterRef, Subquery, Value
from django.db.models.functions import Coalesce

from deploys.domain.environments import tier
from deploys.domain.records import Fact as DomainFact
from deploys.domain.records import Records, fold_all, known_by
from deploys.models import Fact, Team
from deploys.queries.flag_usage import evaluations_at
from reliability.domain.history import History, history_of
from reliability.domain.intervals import Interval
from reliability.domain.knowledge import Knowledge
from reliability.models import SpanProgress
from reliability.queries.excerpts import excerpt_knowledge
from reliability.queries.facts import known_facts
from reliability.queries.spans import news_since, progress_of
from reliability.queries.traffic import traffic_known_by

FRESH: Final = timedelta(seconds=30)
"""How long a state of knowledge as of now is shown: running durations lag by at most this."""

LONGEST_PERIOD: Final = timedelta(days=100)
"""Longer than any objective's period: traffic before it cannot enter a budget."""

SMALL_LOG: Final = 10_000
"""Up to this many facts, all of them are folded once and shared; of more, what a window needs is read for each question."""

MOST_NEWS: Final = 20_000
"""With more facts than this that the roll-up of spans does not hold yet, the whole log is folded."""

USUAL_SPAN: Final = timedelta(weeks=13)
"""How far back pages look that do not say so."""

_KEPT_TEAMS: Final = 20


@dataclass(frozen=True, slots=True)
class LogState:
    """The last fact of a team's log and the number of all; fresh: of those that the roll-up of spans does not hold yet."""

    last: int
    count: int
    fresh: int = field(compare=False)

    @property
    def is_long(self) -> bool:
        """Whether windows are read by themselves."""
        return self.count > SMALL_LOG and self.fresh <= MOST_NEWS


@dataclass(slots=True)
class _Shared:
    """The log of one team as last read (None: too long), and what was known of it just now, from an instant on."""

    state: LogState
    facts: Sequence[DomainFact] | None = None
    knowledge: Knowledge | None = None
    since: datetime | None = None


_shared: OrderedDict[UUID, _Shared] = OrderedDict()
_lock = threading.Lock()


def log_state(team: Team) -> LogState:
    """Changes whenever the team's log grows, also when facts commit out of the order of their ids: one query.

    Only facts above the roll-up of spans are counted.
    """
    progress = SpanProgress.objects.filter(team=OuterRef("pk"))
    above = Fact.objects.filter(team=OuterRef("pk"), pk__gt=OuterRef("floor")).order_by().values("team")
    teams = Team.objects.filter(pk=team.pk).annotate(
        floor=Coalesce(Subquery(progress.values("fact_id")), Value(0)),
        settled=Coalesce(Subquery(progress.values("facts_count")), Value(0)),
    )
    found = teams.annotate(
        fresh=Coalesce(Subquery(above.annotate(number=Count("pk")).values("number")), Value(0)),
        last=Coalesce(Subquery(above.annotate(greatest=Max("pk")).values("greatest")), F("floor")),
    ).values_list("last", "settled", "fresh")
    last, settled, fresh = found.first() or (0, 0, 0)
    return LogState(last, settled + fresh, fresh)


def knowledge_as_of(
    *,
    team: Team,
    as_of: datetime,
    span: Interval | None = None,
    traffic_from: datetime | None = None,
    received_by: datetime | None = None,
) -> Knowledge:
    """What was known at the instant. Three or so queries; traffic is read only if an objective counts requests.

    span: what will be asked lies inside; of a long log only what this needs is read (None: all of it). traffic_from: the first
    instant whose requests may matter; None means all. received_by: leave out what was received later than this, although the
    clocks stand at as_of: tells what new facts changed from what the passing of time did.
    """
    state = log_state(team)
    known_by = received_by or as_of
    if span is not None and state.is_long and min(span.end, as_of) <= known_by:
        return _excerpt(team, span, as_of, known_by)
    return _knowledge(team, _facts(team, state), as_of, traffic_from, received_by)


def knowledge_now(*, team: Team, now: datetime, since: datetime | None = None) -> Knowledge:
    """What is known now, shared between requests for up to FRESH while no fact comes: then one query.

    Requests counted more than LONGEST_PERIOD before now are not in it. Of a long log it holds only what concerns the time from
    `since` on (None: USUAL_SPAN).
    """
    state = log_state(team)
    shared = _remembered(team, state)
    known = None if shared is None else shared.knowledge
    if known is not None and timedelta(0) <= now - known.history.as_of < FRESH and _reaches(shared, since, now):
        return known
    if state.is_long:
        begin = now - USUAL_SPAN if since is None else since
        known = _excerpt(team, Interval(begin, now), now, now)
        _share(team, _Shared(state, knowledge=known, since=begin))
        return known
    known = _knowledge(team, _facts(team, state), now, now - LONGEST_PERIOD)
    shared = _remembered(team, state)
    if shared is not None:
        shared.knowledge = known
    return known


def _reaches(shared: _Shared | None, since: datetime | None, now: datetime) -> bool:
    """Whether what is shared goes back far enough."""
    if shared is None or shared.since is None:
        return True
    return shared.since <= (now - USUAL_SPAN if since is None else since)


def _excerpt(team: Team, span: Interval, as_of: datetime, received_by: datetime) -> Knowledge:
    news = news_since(team=team, fact_id=progress_of(team).fact_id, most=MOST_NEWS + 1)
    known = excerpt_knowledge(team=team, span=span, as_of=as_of, received_by=received_by, news=news)
    _add_evaluations(known.history, team, received_by)
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
    history = history_of(records, traffic, as_of)
    _add_evaluations(history, team, received_by)
    return Knowledge(history)


def _add_evaluations(history: History, team: Team, received_by: datetime) -> None:
    """Lets flags served from here be judged by the counters of their use."""
    wanted = tier(history.policy.environment)
    history.evaluations = lambda at: evaluations_at(team, min(at, received_by), tier=wanted)


def _counts_requests(records: Records) -> bool:
    return any(record.get("sli") == "requests" for record in records.of("objective").values())


def _facts(team: Team, state: LogState) -> Sequence[DomainFact]:
    state = state or log_state(team)
    shared = _remembered(team, state)
    if shared is not None and shared.facts is not None:
        return shared.facts
    facts = known_facts(team=team)
    if len(facts) == state.count:
        _share(team, _Shared(state, facts))
    return facts


def _share(team: Team, what: _Shared) -> None:
    """Facts of an open transaction may never be: only what is committed is shared."""
    if connection.in_atomic_block:
        return
    with _lock:
        _shared[team.public_id] = what
        while len(_shared) > _KEPT_TEAMS:
            _shared.popitem(last=False)


def _remembered(team: Team, state: LogState) -> _Shared | None:
    with _lock:
        shared = _shared.get(team.public_id)
        if shared is None or shared.state != state:
            return None
        _shared.move_to_end(team.public_id)
        return shared
