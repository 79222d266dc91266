"""From when to when a record can matter, whatever was known of it and when: so that a window is read without the rest.

A span holds every clock that any fact of the record ever stated, and the time in which it was known to be open. So it covers the
record as of every instant: reading too much costs time, reading too little would make a wrong number.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from deploys.domain.instants import optional_instant
from deploys.domain.records import Payload, Record, grown

CLOCKS: Mapping[str, tuple[str, ...]] = {
    "deploy": ("started_at", "finished_at", "live_at"),
    "incident": ("started_at", "detected_at", "acknowledged_at", "mitigated_at", "restored_at"),
    "maintenance": ("starts_at", "ends_at"),
    "monitoring_gap": ("starts_at", "ends_at"),
}
"""The kinds that have spans, with the clocks they state."""

NEVER = datetime(1970, 1, 1, tzinfo=UTC)
"""Where a record lies that has stated no clock yet."""

#: Level 0 holds spans of at most a day, each next one those of at most four times as long; then longer and open ones.
LEVELS = 8
UNBOUNDED = LEVELS
_ENDS = {"incident": "restored_at", "monitoring_gap": "ends_at"}
Told = tuple[datetime | None, Payload]
"""When a fact was received (None: known since ever), and what it says."""


@dataclass(frozen=True, slots=True)
class Span:
    """[first_at, last_at], both inside; last_at None: open. known_at: the first word came (None: known since ever); told_at: the
    last one (None: all of them are known since ever). may_cost: an incident that some of its facts let take availability."""

    first_at: datetime
    last_at: datetime | None
    known_at: datetime | None = None
    told_at: datetime | None = None
    may_cost: bool = False

    @property
    def level(self) -> int:
        """How long it is, in steps: see LEVELS."""
        if self.last_at is None:
            return UNBOUNDED
        length = self.last_at - self.first_at
        return next((level for level in range(LEVELS) if length <= longest(level)), UNBOUNDED)

    def touches(self, start: datetime, end: datetime) -> bool:
        """Whether it and [start, end], ends included, have an instant in common."""
        return self.first_at <= end and (self.last_at is None or self.last_at >= start)

    def with_that_of(self, others: Iterable["Span"]) -> "Span":
        """Stretched over the others; when the record was told of stays."""
        spans = [self, *others]
        ends = [span.last_at for span in spans]
        known = [at for at in ends if at is not None]
        first_at = min((span.first_at for span in spans if span.first_at != NEVER), default=NEVER)
        return replace(self, first_at=first_at, last_at=max(known) if len(known) == len(ends) else None)


def longest(level: int) -> timedelta:
    """The longest span of a level."""
    return timedelta(days=4**level)


def span_of(kind: str, told: Sequence[Told]) -> Span:
    """The span of a record from all its facts in order of arrival; at least one."""
    record: Record = {}
    moments: list[datetime] = []
    end = _ENDS.get(kind)
    is_open = False
    for received_at, payload in told:
        if is_open and received_at is not None:
            moments.append(received_at)
        record = grown(kind, record, payload)
        is_open = end is not None and record.get(end) is None
        moments += _clocks(kind, payload)
    received = [received_at for received_at, _ in told]
    dated = [at for at in received if at is not None]
    return Span(
        first_at=min(moments, default=NEVER),
        last_at=None if is_open else max(moments, default=NEVER),
        known_at=min(dated) if len(dated) == len(received) else None,
        told_at=max(dated, default=None),
        may_cost=kind == "incident" and _may_cost([payload for _, payload in told]),
    )


def _clocks(kind: str, payload: Payload) -> Iterator[datetime]:
    stated = [payload.get(name) for name in CLOCKS[kind]]
    spells = payload.get("impact")
    for spell in spells if kind == "incident" and isinstance(spells, list) else ():
        stated += [spell.get("from_at"), spell.get("to_at")] if isinstance(spell, dict) else []
    for value in stated:
        at = optional_instant(value)
        if at is not None:
            yield at


def _may_cost(said: Sequence[Payload]) -> bool:
    """False only where no fact, whichever of them are known, makes a spell: see `reliability.domain.history.incident_of`."""
    classes = {payload.get("class") for payload in said}
    return "downtime" in classes or ("multi_user" in classes and any(_degrades(payload) for payload in said))


def _degrades(payload: Payload) -> bool:
    spells = payload.get("impact")
    stated = (
        [spell.get("degradation") for spell in spells if isinstance(spell, dict)] if isinstance(spells, list) else []
    )
    return any(isinstance(value, int | float) and value > 0 for value in (payload.get("degradation"), *stated))


def named_changes(told: Iterable[Told]) -> set[tuple[str, str]]:
    """(kind, id as told) of every deploy and flag change that an incident ever named as cause or remedy."""
    found: set[tuple[str, str]] = set()
    for _, payload in told:
        for key in ("causes", "remedies"):
            links = payload.get(key)
            for link in links if isinstance(links, list) else ():
                if isinstance(link, dict) and link.get("kind") in {"deploy", "flag"} and link.get("id") is not None:
                    found.add((str(link["kind"]), str(link["id"])))
    return found
