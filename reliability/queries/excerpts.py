"""What is known of a window, read without the years before it: the same numbers as the whole log gives, at the cost of the window.

Read are the records whose span (`reliability.domain.spans`) touches what the numbers of the window look at, what these name and
what names these; which versions were live when it began comes from the list index (`deploys.actions.list_index`). Where facts
came after the instant asked for, or the index is not up to date, reading begins before the first deploy that they are about.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import chain
from typing import Any, Final, TypeAlias

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery

from deploys.domain.deploy_facts import DeployKind
from deploys.domain.environments import tier
from deploys.domain.instants import FAR_FUTURE
from deploys.domain.records import Fact as DomainFact
from deploys.domain.records import Records, fold_all, known_by
from deploys.models import Artifact, CommitDeploy, Deploy, Fact, Release, Service, Team
from deploys.queries.chunks import chunks
from incidents.models import Incident, IncidentService
from reliability.domain.burn_rate import CALENDAR_DAYS
from reliability.domain.history import Excerpt, History, history_of, objective_of
from reliability.domain.intervals import Interval
from reliability.domain.knowledge import Knowledge
from reliability.domain.policy import policy_of
from reliability.queries.facts import HISTORY, Names, external_id, fact_of_row, named
from reliability.queries.flag_excerpts import (
    FlagLine,
    descriptions,
    keys_gone_before,
    lines_called,
    lines_of_flags,
    shared_names,
    told_after,
)
from reliability.queries.spans import News, SpanIndex, Spanned
from reliability.queries.traffic import traffic_known_by

SHORT: Final = timedelta(days=35)
"""Deploys up to this long after a window are walked through; after an older window only what went back behind it is read."""

_WHOLE: Final = ("history", "service", "objective")
"""Kinds that are read whole: settings."""
_NEW: Final = ("forward", "hotfix")
Row: TypeAlias = dict[str, Any]  # Any: column values


def excerpt_knowledge(*, team: Team, span: Interval, as_of: datetime, received_by: datetime, news: News) -> Knowledge:
    """What is known as of an instant, for windows inside the span. news: what the roll-up of spans does not hold yet.

    Some forty queries, however many records. received_by: see `knowledge_as_of`.
    """
    reader = _Reader(team, as_of, received_by, SpanIndex(team, news))
    return Knowledge(reader.history(span))


@dataclass(slots=True)
class _Reader:
    """One reading. facts are by the pk of their row; deploys (all that enter the numbers) and lines of flags by identity."""

    team: Team
    as_of: datetime
    received_by: datetime
    index: SpanIndex
    facts: dict[int, DomainFact] = field(default_factory=dict)
    deploys: dict[str, Spanned] = field(default_factory=dict)
    kinds: dict[str, DeployKind | None] = field(default_factory=dict)
    begun: dict[str, Spanned] = field(default_factory=dict)
    incidents: set[str] = field(default_factory=set)
    lines: dict[str, FlagLine] = field(default_factory=dict)

    def history(self, span: Interval) -> History:
        """The excerpt."""
        self._read_whole_kinds()
        settings = self._records()
        policy = policy_of(settings.of("history").get("history", {}))
        days = self._longest_period(settings)
        end = max(span.start, min(span.end, self.as_of))
        self._read_flags(settings, policy.tier, Interval(span.start, end))
        looked_at = Interval(span.start - days, max(span.end, end + days))
        walk, is_settled = self._walk(span.start, end)
        places = [pk for pk, name in self.team.environments.values_list("pk", "name") if tier(name) == policy.tier]

        inside = self.index.touching("incident", walk.start, end)
        self._read_incidents(inside)
        self._read_incidents(self.index.touching("incident", looked_at.start, end, costing=True))
        for kind in ("maintenance", "monitoring_gap"):
            self._read(kind, {each.identity for each in self.index.touching(kind, looked_at.start, looked_at.end)})
        self._read_deploys(self.index.called("deploy", self._references(inside, "remedies")))
        self._read_witnesses(settings, places)
        later = self._read_later(places, end, walk.start) if is_settled else None
        if later is None:
            walk = Interval(walk.start, FAR_FUTURE)
        self._read_deploys(self.index.touching("deploy", walk.start, min(walk.end, max(self.as_of, end))))
        below = self._read_below(places, walk.start)
        self._read_commits(Interval(span.start, end))
        named = self._read_naming()
        self._read_starts({each.identity for each in inside} | named)
        return self._made(walk, below, later or [], looked_at)

    def _made(
        self, walk: Interval, below: Sequence[str], later: Sequence[tuple[str, list[str]]], looked_at: Interval
    ) -> History:
        names = self._names()
        facts = [named(fact, names) for fact in self._in_order()]
        records = fold_all(known_by(facts, self.received_by))
        traffic: list[Row] = []
        if any(record.get("sli") == "requests" for record in records.of("objective").values()):
            traffic = traffic_known_by(team=self.team, as_of=self.received_by, span=looked_at)
        history = history_of(records, traffic, self.as_of)
        called = {identity: names.by_identity["deploy", identity] for identity in self.deploys}
        full = set(called.values())
        history.deploys = {name: deploy for name, deploy in history.deploys.items() if name in full}
        history.excerpt = Excerpt(
            walk=walk,
            below=tuple(called[identity] for identity in below if called[identity] in history.deploys),
            kinds={called[identity]: kind for identity, kind in self.kinds.items() if identity in called},
            later=tuple(
                (called[back], tuple(called[each] for each in undone if called[each] in history.deploys))
                for back, undone in later
                if called[back] in history.deploys
            ),
        )
        return history

    # -- what to read ----------------------------------------------------------------------------------------------

    def _longest_period(self, settings: Records) -> timedelta:
        """No objective and no burn rate looks further back than this from the start of the span, or ahead of its end."""
        days = [4]  # the longest span of a burn rate is three days
        for identity, record in settings.complete("objective").items():
            objective = objective_of(identity, record)
            days.append(3 + (objective.window_days or CALENDAR_DAYS.get(objective.calendar or "", 0)))
        return timedelta(days=max(days))

    def _walk(self, start: datetime, end: datetime) -> tuple[Interval, bool]:
        """Where the walk through deploys begins and ends, and whether the list index says all that lies outside.

        It does not while rows wait to be listed, nor of what was told later than the instant asked for.
        """
        told = self.index.told_after("incident", self.received_by)
        self._read("incident", {each.identity for each in told})
        doubtful = self.index.told_after("deploy", self.received_by)
        doubtful += self.index.called("deploy", self._references(told, "causes", "remedies"))
        moments = [each.span.first_at for each in doubtful]
        # spelt out: with a bound value SQLite does not use the partial index, and walks through all of the team's
        waiting = Deploy.objects.filter(service__in=list(self.team.services.values_list("pk", flat=True))).extra(
            where=["deploys_deploy.outcome_listed = ''"]
        )
        for instants in waiting.values_list("started_at", "finished_at", "live_at", "live_listed_at"):
            moments += [at for at in instants if at is not None]
        begin = min([start, *moments])
        if moments or self.as_of - end <= SHORT:
            return Interval(begin, FAR_FUTURE), False
        return Interval(begin, end), True

    def _read_whole_kinds(self) -> None:
        """Each kind by itself: asked for several at once, SQLite walks through the whole log."""
        for kind in _WHOLE:
            self._add(Fact.objects.filter(team=self.team, kind=kind))
        self._add(descriptions(self.team))

    def _read_incidents(self, found: Sequence[Spanned]) -> None:
        fresh = {each.identity for each in found} - self.incidents
        self.incidents |= fresh
        self._read("incident", fresh)

    def _read_deploys(self, found: Sequence[Spanned]) -> None:
        """These enter the numbers; what the list index says of their kind is read too."""
        fresh = {each.identity: each for each in found if each.identity not in self.deploys}
        self.deploys.update(fresh)
        self._read("deploy", fresh.keys())
        by_change = {each.change_id: each.identity for each in fresh.values() if each.change_id is not None}
        if by_change:
            rows = Deploy.objects.filter(pk__among=by_change).exclude(kind_listed="")
            for pk, kind in rows.values_list("pk", "kind_listed"):
                self.kinds[by_change[pk]] = DeployKind(kind)

    def _read_rows(self, rows: Iterable[Row]) -> list[str]:
        """The deploys of these rows (_NAMED), in their order."""
        identities = [_identity_of(row) for row in rows]
        found = {each.identity: each for each in self.index.of("deploy", set(identities))}
        self._read_deploys(list(found.values()))
        return [identity for identity in dict.fromkeys(identities) if identity in found]

    def _read_witnesses(self, settings: Records, places: Collection[int]) -> None:
        """The first deploy of each service, else an incident: they say that there is such a service."""
        deploys = Deploy.objects.filter(
            Q(first_received_at__isnull=True) | Q(first_received_at__lte=self.received_by),
            service=OuterRef("pk"), environment__in=places, started_at__lte=self.as_of,
        )  # fmt: skip
        declared = [str(record["service"]) for record in settings.complete("service").values()]
        services = (
            Service.objects.filter(team=self.team)
            .exclude(name__in=declared)
            .annotate(first=Subquery(deploys.order_by("started_at").values("pk")[:1]))
        )
        found = list(services.values_list("pk", "first"))
        self._read_rows(_rows_of({deploy for _, deploy in found if deploy is not None}))
        self._read_incident_witnesses([service for service, deploy in found if deploy is None], places)

    def _read_incident_witnesses(self, services: Collection[int], places: Collection[int]) -> None:
        """An incident of each of these services that counts and of which nothing was told later: those of which something was
        are read anyway. The first that was written, as an index has it."""
        if not services:
            return
        told = {each.identity for each in self.index.told_after("incident", self.received_by)}
        names = {str(json.loads(identity)[-1]) for identity in told}
        late = Incident.objects.filter(team=self.team, external_id__among=names) if names else Incident.objects.none()
        left_out = [pk for pk, *key in late.values_list("pk", "source", "external_id") if _identity(*key) in told]
        rows = IncidentService.objects.filter(
            service=OuterRef("pk"), incident__environment__in=places, incident__begins_at__lte=self.as_of,
            incident__is_dismissed=False, incident__duplicate_of=None, incident__duplicate_of_reference="",
        )  # fmt: skip
        rows = rows.exclude(incident__among=left_out) if left_out else rows
        first = Service.objects.filter(pk__among=services).annotate(
            first=Subquery(rows.order_by("pk").values("incident")[:1])
        )
        keys = Incident.objects.filter(pk__among=[pk for pk in first.values_list("first", flat=True) if pk is not None])
        identities = {_identity(source, name) for source, name in keys.values_list("source", "external_id")}
        self._read_incidents(self.index.of("incident", identities))

    def _read_below(self, places: Collection[int], start: datetime) -> list[str]:
        """Versions that were live before the walk and not undone by its start, that a deploy of the walk may go back to.

        Of those that a walked deploy has the version of, and of the top of each service: they, the first new version above
        each, and what went live at the same instant; lowest first.
        """
        stack = Deploy.objects.filter(
            Q(undone_listed_at=None) | Q(undone_listed_at__gte=start),
            team=self.team, environment__in=places, is_stacked_listed=True, live_listed_at__lt=start,
        )  # fmt: skip
        releases, artifacts, services = self._versions_here(start)
        lower: set[int] = set()
        if releases:
            lower.update(stack.filter(release__among=releases).values_list("pk", flat=True))
        if artifacts:
            lower.update(stack.filter(artifact__among=artifacts).values_list("pk", flat=True))
        top = stack.filter(service=OuterRef("pk")).order_by("-live_listed_at", "-pk").values("pk")[:1]
        tops = Service.objects.filter(pk__among=services).annotate(top=Subquery(top)).values_list("top", flat=True)
        seeds = lower | {pk for pk in tops if pk is not None}
        above = stack.filter(
            service=OuterRef("service"), live_listed_at__gt=OuterRef("live_listed_at"), kind_listed__in=_NEW
        )
        found = set(seeds)
        if seeds:
            here = Deploy.objects.filter(pk__among=seeds)
            nexts = here.annotate(next=Subquery(above.order_by("live_listed_at", "pk").values("pk")[:1]))
            found.update(pk for pk in nexts.values_list("next", flat=True) if pk is not None)
            twin = here.filter(service=OuterRef("service"), live_listed_at=OuterRef("live_listed_at"))
            same = stack.filter(service__in=here.values("service"), live_listed_at__in=here.values("live_listed_at"))
            found.update(same.filter(Exists(twin)).values_list("pk", flat=True))
        rows = sorted(_rows_of(found), key=lambda row: (row["live_listed_at"], row["external_id"], row["pk"]))
        return self._read_rows(rows)

    def _versions_here(self, start: datetime) -> tuple[set[int], set[int], set[int]]:
        """Releases, artifacts and services of the deploys read so far that went live from an instant on, or may have."""
        releases: set[int] = set()
        artifacts: set[int] = set()
        services: set[int] = set()
        keys = [each.change_id for each in self.deploys.values() if each.change_id is not None]
        if keys:
            rows = Deploy.objects.filter(Q(live_listed_at=None) | Q(live_listed_at__gte=start), pk__among=keys)
            for release, artifact, service in rows.values_list("release", "artifact", "service"):
                services.add(service)
                releases |= set() if release is None else {release}
                artifacts |= set() if artifact is None else {artifact}
        versions, digests = self._versions_told_otherwise()
        releases.update(Release.objects.filter(service__in=services, version__in=versions).values_list("pk", flat=True))
        artifacts.update(Artifact.objects.filter(team=self.team, digest__in=digests).values_list("pk", flat=True))
        return releases, artifacts, services

    def _versions_told_otherwise(self) -> tuple[set[str], set[str]]:
        """Releases and artifacts of deploys whose rows may say something else than was known at the instant asked for."""
        changed = {
            each.identity
            for each in self.deploys.values()
            if each.span.told_at is not None and each.span.told_at > self.received_by
        }
        payloads = [fact.payload for fact in self.facts.values() if fact.kind == "deploy" and fact.identity in changed]
        versions = {str(each["release"])[:250] for each in payloads if each.get("release") is not None}
        return versions, {str(each["artifact"])[:250] for each in payloads if each.get("artifact") is not None}

    def _read_later(
        self, places: Collection[int], end: datetime, start: datetime
    ) -> list[tuple[str, list[str]]] | None:
        """Rollbacks after the walk that went back behind its end; None where two of a service cannot be told apart."""
        rows = Deploy.objects.filter(
            team=self.team, environment__in=places, is_stacked_listed=True, live_listed_at__lt=end,
            undone_listed_at__gte=end, undone_listed_at__lte=self.as_of, kind_listed__in=_NEW,
        )  # fmt: skip
        undone: dict[tuple[int, datetime], list[tuple[datetime, int]]] = defaultdict(list)
        for pk, service, live_at, at in rows.values_list("pk", "service", "live_listed_at", "undone_listed_at"):
            if live_at is not None and at is not None:
                undone[service, at].append((live_at, pk))
        backs: dict[tuple[int, datetime], list[int]] = defaultdict(list)
        for some in chunks(sorted({at for _, at in undone})):
            those = Deploy.objects.filter(
                team=self.team, environment__in=places, live_listed_at__in=some, kind_listed="rollback",
                outcome_listed="succeeded",
            )  # fmt: skip
            for pk, service, at in those.values_list("pk", "service", "live_listed_at"):
                if at is not None:
                    backs[service, at].append(pk)
        if any(len(backs[key]) != 1 for key in undone):
            return None
        found: list[tuple[str, list[str]]] = []
        for key in sorted(undone):
            live = sorted(undone[key])
            if len(live) > 1 and live[0][0] == live[1][0]:
                return None
            kept = [pk for place, (at, pk) in enumerate(live) if place == 0 or at >= start]
            back, *taken = [_identity_of(row) for row in _rows_of_in_order([backs[key][0], *kept])]
            found.append((back, taken))
        self._read_deploys(self.index.of("deploy", {name for back, taken in found for name in (back, *taken)}))
        return found

    def _read_commits(self, window: Interval) -> None:
        """Commits of deploys that may have gone live in the window, with all the deploys that contained them."""
        near = [each for each in self.deploys.values() if each.span.touches(window.start, window.end)]
        keys = [each.change_id for each in near if each.change_id is not None]
        shas: set[str] = set()
        if near:
            shas.update(CommitDeploy.objects.filter(deploy__among=keys).values_list("commit__sha", flat=True))
            names = {each.name for each in near}
            waiting = CommitDeploy.objects.filter(team=self.team, deploy=None, reference__among=names)
            shas.update(waiting.values_list("commit__sha", flat=True))
        read = self._read("change", {_identity(sha) for sha in shas})
        lists = [fact.payload.get("deploys") for fact in read]
        references = {str(each) for some in lists if isinstance(some, list) for each in some}
        self._read_deploys(self.index.called("deploy", references))

    def _read_naming(self) -> set[str]:
        """Incidents that ever named one of the deploys or lines of flags read so far; their identities."""
        called = {name for each in self.deploys.values() for name in (each.name, each.public_id) if name}
        links = self.index.links_to("deploy", called)
        links |= self.index.links_to(
            "flag", {name for each in self.lines.values() for name in (each.name, each.public_id)}
        )
        identities = {link[0] for link in links}
        self._read_incidents(self.index.of("incident", identities))
        return identities

    def _read_flags(self, settings: Records, wanted_tier: str, window: Interval) -> None:
        """Lines of flags that were not archived before the window, that changed in it, or of which something was told later."""
        told = self._add(told_after(self.team, self.received_by))
        facts = self._read("flag", {fact.identity for fact in told})
        told_of = {str(fact.payload["key"]) for fact in facts if fact.payload.get("key") is not None}
        gone = keys_gone_before(settings, window.start, wanted_tier=wanted_tier)
        self._read_lines(lines_of_flags(self.team, gone=gone, wanted=told_of, window=window))

    def _read_lines(self, lines: Sequence[FlagLine]) -> None:
        fresh = {each.identity: each for each in lines if each.identity not in self.lines}
        self.lines.update(fresh)
        self._read("flag", fresh.keys())

    def _references(self, incidents: Sequence[Spanned], *keys: str, kind: str = "deploy") -> set[str]:
        """Deploys, or flag changes, that facts of these incidents, read before, name under the keys."""
        wanted = {each.identity for each in incidents}
        links = chain.from_iterable(
            links
            for fact in self.facts.values()
            if fact.kind == "incident" and fact.identity in wanted
            for key in keys
            if isinstance(links := fact.payload.get(key), list)
        )
        return {
            str(link["id"]) for link in links if isinstance(link, dict) and link.get("kind") == kind and link.get("id")
        }

    def _read_starts(self, incidents: Collection[str]) -> None:
        """When the changes began that these incidents name: a cause cannot come after its effect."""
        those = self.index.of("incident", incidents)
        self._read_lines(lines_called(self.team, self._references(those, "causes", "remedies", kind="flag")))
        for each in self.index.called("deploy", self._references(those, "causes", "remedies")):
            if each.identity not in self.deploys:
                self.begun[each.identity] = each
        self._read("deploy", self.begun.keys())

    # -- reading ---------------------------------------------------------------------------------------------------

    def _read(self, kind: str, identities: Collection[str]) -> list[DomainFact]:
        """The facts of these records; read before or not."""
        return (
            self._add(Fact.objects.filter(team=self.team, kind=kind, identity__among=identities)) if identities else []
        )

    def _add(self, rows: QuerySet[Fact]) -> list[DomainFact]:
        read = {
            pk: fact_of_row(*row)
            for pk, *row in rows.values_list(
                "pk", "kind", "identity", "payload", "received_at", "delivery_id", "source"
            )
        }
        self.facts.update(read)
        return list(read.values())

    def _in_order(self) -> list[DomainFact]:
        return [fact for _, fact in sorted(self.facts.items())]

    def _records(self) -> Records:
        return fold_all(known_by(self._in_order(), self.received_by))

    def _names(self) -> Names:
        """As `reliability.queries.facts.known_facts` names records. Numbers print names of deploys only."""
        names = Names()
        kinds: dict[tuple[str, str], str] = {}
        for fact in self.facts.values():
            if (fact.kind, fact.identity) not in kinds:
                kinds[fact.kind, fact.identity] = external_id(fact)
        names.by_identity.update(kinds)
        known = self.deploys | self.begun
        shared = self.index.shared_names("deploy", {each.name for each in known.values()})
        for identity, each in known.items():
            if each.name in shared and each.public_id and json.loads(identity)[0] != HISTORY:
                names.by_identity["deploy", identity] = each.public_id
            if each.public_id:
                names.by_public_id["deploy", each.public_id] = names.by_identity["deploy", identity]
        for kind in ("incident", "maintenance", "monitoring_gap"):
            _tell_apart(names, kind)
        self._name_flag_changes(names)
        return names

    def _name_flag_changes(self, names: Names) -> None:
        shared = shared_names(self.team, {each.name for each in self.lines.values()}) if self.lines else set()
        for identity, line in self.lines.items():
            if line.name in shared and line.source != HISTORY:
                names.by_identity["flag_change", identity] = line.public_id
            names.by_public_id["flag_change", line.public_id] = names.by_identity["flag_change", identity]


def _tell_apart(names: Names, kind: str) -> None:
    """Records of one name are called by their identity: these names are not printed."""
    sharing: dict[str, list[str]] = defaultdict(list)
    for of_kind, identity in names.by_identity:
        if of_kind == kind:
            sharing[names.by_identity[kind, identity]].append(identity)
    for identities in sharing.values():
        for identity in identities if len(identities) > 1 else ():
            names.by_identity[kind, identity] = identity


_NAMED: Final = ("pk", "source", "service__name", "external_id", "live_listed_at")


def _rows_of(keys: Collection[int]) -> list[Row]:
    return list(Deploy.objects.filter(pk__among=keys).values(*_NAMED)) if keys else []


def _rows_of_in_order(keys: Sequence[int]) -> list[Row]:
    rows: Mapping[int, Row] = {row["pk"]: row for row in _rows_of(keys)}
    return [rows[pk] for pk in keys]


def _identity_of(row: Row) -> str:
    """The record of a row, as the log names it."""
    source, name = row["source"], row["external_id"]
    return _identity(source, name) if source == HISTORY else _identity(source, row["service__name"], name)


def _identity(*parts: str) -> str:
    return json.dumps(parts, ensure_ascii=False, separators=(",", ":"))
