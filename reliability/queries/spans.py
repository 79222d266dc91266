"""Reading the spans of records: those of the roll-up, and in front of them those of facts that came since it was made."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, TypeAlias

from django.db.models import Count, Q

from deploys.domain.instants import FAR_PAST
from deploys.models import Deploy, Fact, Team
from reliability.domain.spans import CLOCKS, LEVELS, UNBOUNDED, Span, Told, longest, named_changes, span_of
from reliability.models import NamedChange, RecordSpan, SpanProgress

HISTORY: Final = "history"
Link: TypeAlias = tuple[str, str, str]
"""Identity of an incident; kind and id, as told, of a change that it ever named."""
Record: TypeAlias = tuple[str, str]
"""Kind and identity."""


@dataclass(frozen=True, slots=True)
class Spanned:
    """A record with its span and with what it is called; public_id and change_id only for deploys that have a row."""

    kind: str
    identity: str
    name: str
    span: Span
    public_id: str = ""
    change_id: int | None = None

    def is_called(self, references: Collection[str]) -> bool:
        """Whether one of these names it."""
        return self.name in references or (self.public_id != "" and self.public_id in references)


@dataclass(slots=True)
class News:
    """What facts above the roll-up change in it. fact_id is that of the last one read; facts_count how many they are."""

    fact_id: int = 0
    facts_count: int = 0
    records: dict[Record, Spanned] = field(default_factory=dict)
    links: set[Link] = field(default_factory=set)


def progress_of(team: Team) -> SpanProgress:
    """How far the roll-up is; nothing for a team that has none yet."""
    return SpanProgress.objects.filter(team=team).first() or SpanProgress(team=team)


def news_since(*, team: Team, fact_id: int, most: int) -> News:
    """What the next facts of the team, at most so many, change in the roll-up made up to a fact."""
    rows = list(
        Fact.objects.filter(team=team, pk__gt=fact_id).order_by("pk").values_list("pk", "kind", "identity")[:most]
    )
    news = News(fact_id=rows[-1][0] if rows else fact_id, facts_count=len(rows))
    touched: dict[str, set[str]] = defaultdict(set)
    for _, kind, identity in rows:
        if kind in CLOCKS:
            touched[kind].add(identity)
    index = SpanIndex(team, news)
    for kind in sorted(touched.keys() - {"deploy"}):
        for identity, told in facts_told(team, kind, touched[kind]).items():
            news.records[kind, identity] = Spanned(kind, identity, _name(identity), span_of(kind, told))
            if kind == "incident":
                news.links.update((identity, *named) for named in named_changes(told))
    named = {reference for _, kind, reference in news.links if kind == "deploy"}
    deploys = touched["deploy"] | {each.identity for each in index.called("deploy", named)}
    own = {identity: span_of("deploy", told) for identity, told in facts_told(team, "deploy", deploys).items()}
    keys = _keys_of_deploys(team, own)
    for identity, span in own.items():
        change_id, public_id = keys.get(identity, (None, ""))
        news.records["deploy", identity] = Spanned("deploy", identity, _name(identity), span, public_id, change_id)
    _stretch(news, index, own)
    return news


def _stretch(news: News, index: SpanIndex, deploys: Mapping[str, Span]) -> None:
    """Has the spans of these deploys hold those of the incidents that ever named them."""
    called: dict[str, list[str]] = defaultdict(list)
    for identity in deploys:
        row = news.records["deploy", identity]
        called[row.name].append(identity)
        if row.public_id:
            called[row.public_id].append(identity)
    links = index.links_to("deploy", called)
    incidents = {each.identity: each.span for each in index.of("incident", {link[0] for link in links})}
    naming: dict[str, set[str]] = defaultdict(set)
    for incident, _, reference in links:
        for identity in called[reference]:
            naming[identity].add(incident)
    for identity, those in naming.items():
        row = news.records["deploy", identity]
        span = row.span.with_that_of(incidents[each] for each in sorted(those) if each in incidents)
        news.records["deploy", identity] = Spanned(row.kind, identity, row.name, span, row.public_id, row.change_id)


class SpanIndex:
    """The roll-up of a team with its news in front. Each method is one query or two."""

    def __init__(self, team: Team, news: News) -> None:
        self.team, self.news = team, news

    def touching(self, kind: str, start: datetime, end: datetime, *, costing: bool = False) -> list[Spanned]:
        """Records whose span has an instant in common with [start, end], ends included. costing: only what may cost
        availability."""
        rows = RecordSpan.objects.filter(team=self.team, kind=kind)
        if costing:
            rows = rows.filter(may_cost=True)
        parts = [
            rows.filter(level=level, first_at__gte=_earlier(start, level), first_at__lte=end, last_at__gte=start)
            for level in range(LEVELS)
        ]
        unbounded = rows.filter(Q(last_at__isnull=True) | Q(last_at__gte=start), level=UNBOUNDED, first_at__lte=end)
        found = [
            _spanned(*row)
            for row in unbounded.values_list(*_COLUMNS).union(*(p.values_list(*_COLUMNS) for p in parts), all=True)
        ]
        fresh = [
            each for each in self._fresh(kind) if each.span.touches(start, end) and (each.span.may_cost or not costing)
        ]
        return self._overlaid(found) + fresh

    def called(self, kind: str, references: Collection[str]) -> list[Spanned]:
        """Records that one of these names: by external id, or by public id."""
        found: dict[Record, Spanned] = {}
        wanted = set(references)
        rows = RecordSpan.objects.filter(team=self.team, kind=kind)
        for of in (rows.filter(name__among=wanted), rows.exclude(public_id="").filter(public_id__among=wanted)):
            found.update(((kind, row.identity), row) for row in (self._overlaid(_rows(of)) if wanted else ()))
        return [*found.values(), *(each for each in self._fresh(kind) if each.is_called(wanted))]

    def of(self, kind: str, identities: Collection[str]) -> list[Spanned]:
        """The records of these identities."""
        wanted = set(identities)
        rows = RecordSpan.objects.filter(team=self.team, kind=kind, identity__among=wanted)
        return self._overlaid(_rows(rows) if wanted else ()) + [
            each for each in self._fresh(kind) if each.identity in wanted
        ]

    def told_after(self, kind: str, at: datetime) -> list[Spanned]:
        """Records of which something was received after an instant."""
        rows = RecordSpan.objects.filter(team=self.team, kind=kind, told_at__gt=at)
        fresh = [each for each in self._fresh(kind) if each.span.told_at is not None and each.span.told_at > at]
        return self._overlaid(_rows(rows)) + fresh

    def links_to(self, kind: str, references: Iterable[str]) -> set[Link]:
        """What incidents ever said of changes of these names."""
        wanted = set(references)
        rows = NamedChange.objects.filter(team=self.team, kind=kind, reference__among=wanted)
        found = set(rows.values_list("incident", "kind", "reference")) if wanted else set()
        return found | {link for link in self.news.links if link[1] == kind and link[2] in wanted}

    def shared_names(self, kind: str, names: Collection[str]) -> set[str]:
        """Which of these several records of the kind have."""
        counts: dict[str, int] = {}
        fresh = {each.identity: each for each in self._fresh(kind)}
        rows = RecordSpan.objects.filter(team=self.team, kind=kind, name__among=set(names))
        if fresh:
            for row in self._overlaid(_rows(rows)):
                counts[row.name] = counts.get(row.name, 0) + 1
        elif names:
            counts.update(rows.values_list("name").annotate(count=Count("pk")).filter(count__gt=1))
        for each in fresh.values():
            counts[each.name] = counts.get(each.name, 0) + 1
        return {name for name, count in counts.items() if count > 1}

    def _fresh(self, kind: str) -> list[Spanned]:
        return [each for each in self.news.records.values() if each.kind == kind]

    def _overlaid(self, rows: Iterable[Spanned]) -> list[Spanned]:
        """Without those that the news know better."""
        return [row for row in rows if (row.kind, row.identity) not in self.news.records]


_COLUMNS: Final = (
    "kind", "identity", "name", "public_id", "change_id", "first_at", "last_at", "known_at", "told_at", "may_cost",
)  # fmt: skip


def _rows(rows: Any) -> list[Spanned]:  # Any: a query set of RecordSpan
    return [_spanned(*row) for row in rows.values_list(*_COLUMNS)]


def _spanned(
    kind: str,
    identity: str,
    name: str,
    public_id: str,
    change_id: int | None,
    first_at: datetime,
    last_at: datetime | None,
    known_at: datetime | None,
    told_at: datetime | None,
    may_cost: bool,  # noqa: FBT001 -- a column
) -> Spanned:
    return Spanned(kind, identity, name, Span(first_at, last_at, known_at, told_at, may_cost), public_id, change_id)


def _earlier(start: datetime, level: int) -> datetime:
    """Where a span of this level may begin at the earliest, and still touch."""
    try:
        return start - longest(level)
    except OverflowError:
        return datetime.min.replace(tzinfo=start.tzinfo, year=1000)


def facts_told(team: Team, kind: str, identities: Collection[str]) -> dict[str, list[Told]]:
    """All facts of these records in order of arrival, by identity.

    Put in order here: asked to do it, SQLite walks through all facts of the team.
    """
    found: dict[str, list[tuple[bool, datetime, int, Told]]] = defaultdict(list)
    rows = Fact.objects.filter(team=team, kind=kind, identity__among=identities)
    for pk, identity, received_at, payload in rows.values_list("pk", "identity", "received_at", "payload"):
        found[identity].append((received_at is not None, received_at or FAR_PAST, pk, (received_at, payload)))
    return {identity: [each[-1] for each in sorted(rows, key=lambda row: row[:3])] for identity, rows in found.items()}


def _name(identity: str) -> str:
    return str(json.loads(identity)[-1])


def _keys_of_deploys(team: Team, identities: Iterable[str]) -> dict[str, tuple[int | None, str]]:
    """The change of each deploy and its public id, by the identity of the record."""
    wanted: dict[tuple[str, str], dict[str, str]] = defaultdict(dict)
    for identity in identities:
        source, *service, name = json.loads(identity)
        wanted[source, service[0] if service else ""][name] = identity
    services = dict(team.services.values_list("name", "pk"))
    found: dict[str, tuple[int | None, str]] = {}
    for (source, service), names in wanted.items():
        rows = Deploy.objects.filter(team=team, source=source)
        if service:
            rows = rows.filter(service=services.get(service))
        keys = rows.filter(external_id__among=names).values_list("external_id", "change_id", "change__public_id")
        found.update((names[name], (pk, str(public_id))) for name, pk, public_id in keys)
    return found
