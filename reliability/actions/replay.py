"""Plays a history as if it happened now, through the code that live traffic takes, and reads the machine's answers.

Lines enter in order of arrival with the clock at their receipt. Detection looks at fixed instants (every minute in which
something came, and whenever an incident is due), so that the size of batches cannot matter.
"""

from __future__ import annotations

import datetime as dt
import math
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any, Final

from django.db import transaction
from django.db.models import Min

from deploys import clock
from deploys.actions.catalog import services_by_name
from deploys.actions.facts import NewFact, record_facts
from deploys.actions.inferred import reported_for
from deploys.domain.records import Fact
from deploys.models import INFERRED, Deploy, FactOrigin, Team
from incidents.actions import detection
from incidents.actions.checks import record_checks
from incidents.actions.digest import digest_events
from incidents.models import Candidate, Episode, Incident, Proposal, Verdict
from reliability.actions.import_evidence import check_result, import_sessions
from reliability.formats.history import Line, Reading
from reliability.formats.history_evidence import parsed_event
from reliability.queries.facts import HISTORY

TICK_SECONDS: Final = 60
READ_LIVE: Final = dt.timedelta(minutes=15)
AFTERWARDS: Final = dt.timedelta(days=3)
"""How long the clock runs on after the last line, so that what is due comes due."""
LISTED: Final = 5
TROUBLE: Final = dt.timedelta(hours=1)
"""Checks of a service are passed on at once for this long after one failed."""

Answer = dict[str, Any]
Progress = Callable[[int, int], None]


@dataclass(slots=True)
class Answers:
    """The two readings: each verdict 15 minutes after detection, and everything as it stands at the end."""

    live: list[Answer] = field(default_factory=list)
    closed: list[Answer] = field(default_factory=list)
    live_downtime: list[Answer] = field(default_factory=list)
    closed_downtime: list[Answer] = field(default_factory=list)


@dataclass(slots=True)
class _Player:
    """Where the play stands. ``counts`` remembers traffic already told, by identity.

    ``is_asking``: what is found is proposed, and no other worker sees a step half done.
    """

    team: Team
    is_asking: bool = False
    waiting: list[Line] = field(default_factory=list)
    counts: dict[str, list[int]] = field(default_factory=dict)
    calm: dict[str, list[Line]] = field(default_factory=lambda: defaultdict(list))
    troubled: dict[str, dt.datetime] = field(default_factory=dict)
    next_due: dt.datetime | None = None
    next_read: dt.datetime | None = None
    read: set[int] = field(default_factory=set)
    until: dt.datetime | None = None
    answers: Answers = field(default_factory=Answers)

    def play(self, reading: Reading, progress: Progress) -> Answers:
        """Plays all lines and what comes due after them."""
        now = None
        for at, lines in _ticks(reading.lines):
            self._run_due(before=at)
            self.waiting += lines
            if any(_is_news(line) for line in lines):
                self._advance(at)
            progress(len(lines), len(reading.lines))
            now = at
        if now is not None:
            end = self.until or now + AFTERWARDS
            self._advance(min(now, end))
            self._run_due(before=end)
            self._read_live(end)
            with clock.at(end):
                self._take_in([line for lines in self.calm.values() for line in lines], end)
            self.answers.closed = [_answer(row) for row in _incidents(self.team)]
            self.answers.closed_downtime = _downtime(self.team)
            self.answers.live_downtime = self.answers.closed_downtime
            names = _names_of_inferred(self.team)
            self.answers.live = [_named(row, names) for row in self.answers.live]
        return self.answers

    def _run_due(self, *, before: dt.datetime) -> None:
        """Stops at every instant before this one at which an incident is due."""
        while self.next_due is not None and self.next_due < before:
            self._advance(self.next_due)

    def _advance(self, now: dt.datetime) -> None:
        """Takes in the lines received by now, and has detection look."""
        ready = [line for line in self.waiting if _received(line) <= now]
        self.waiting = [line for line in self.waiting if _received(line) > now]
        with clock.at(now), transaction.atomic() if self.is_asking else nullcontext():
            self._take_in(self._without_calm(ready), now)
            done = detection.run(now=now, only=self.team, is_asking=self.is_asking)
        if done.incidents or (self.next_due is not None and self.next_due <= now):
            rows = Incident.objects.filter(team=self.team)
            self.next_due = rows.aggregate(first=Min("due_at"))["first"]
            unread = rows.exclude(pk__in=self.read).aggregate(first=Min("detected_at"))["first"]
            self.next_read = unread + READ_LIVE if unread is not None else None
        if self.next_read is not None and self.next_read <= now:
            self._read_live(now)

    def _without_calm(self, lines: Sequence[Line]) -> list[Line]:
        """Holds back good checks of services that are well: nothing looks at them until one fails."""
        passed: list[Line] = []
        for line in lines:
            fact = line.facts[0]
            if fact.kind != "probe":
                passed.append(line)
                continue
            service = str(fact.payload["service"])
            if fact.payload.get("ok") is False:
                self.troubled[service] = _received(line) + TROUBLE
                passed += self.calm.pop(service, [])
            if service in self.troubled and _received(line) <= self.troubled[service]:
                passed.append(line)
            else:
                self.calm[service].append(line)
        return passed

    def _take_in(self, lines: Sequence[Line], now: dt.datetime) -> None:
        facts = [_new_fact(fact) for line in lines if not line.is_evidence for fact in line.facts]
        if facts:
            record_facts(team=self.team, facts=facts)
        evidence: dict[str, dict[str, list[Fact]]] = defaultdict(lambda: defaultdict(list))
        for line in lines:
            if line.is_evidence:
                evidence[line.facts[0].kind][str(line.facts[0].payload["service"])].append(line.facts[0])
        names = sorted({name for by_service in evidence.values() for name in by_service})
        services = services_by_name(team=self.team, names=names, now=now) if names else {}
        if evidence["sessions"]:
            import_sessions(team=self.team, facts=self._summed(evidence["sessions"]), now=now)
        for name, some in sorted(evidence["probe"].items()):
            record_checks(
                service=services[name],
                source=HISTORY,
                results=[check_result(fact) for fact in some],
                received_at=[fact.received_at or now for fact in some],
            )
        for name, some in sorted(evidence["error"].items()):
            digest_events(
                service=services[name],
                events=[parsed_event(fact.payload) for fact in some],
                received_at=[fact.received_at or now for fact in some],
            )

    def _summed(self, by_service: dict[str, list[Fact]]) -> list[Fact]:
        """Traffic lines as totals of their identity: a repeated line says nothing, a different one adds."""
        told: dict[str, Fact] = {}
        for some in by_service.values():
            for fact in some:
                known = self.counts.setdefault(fact.identity, [])
                count = int(str(fact.payload["count"]))
                if count in known:
                    continue
                known.append(count)
                payload = {**fact.payload, "count": sum(known)}
                told[fact.identity] = Fact(fact.kind, fact.identity, payload, None, None)
        return list(told.values())

    def _read_live(self, now: dt.datetime) -> None:
        """Writes down every verdict that has stood for 15 minutes."""
        ripe = _incidents(self.team).filter(detected_at__lte=now - READ_LIVE).exclude(pk__in=self.read)
        for row in ripe:
            self.read.add(row.pk)
            self.answers.live.append(_answer(row))


def replay(*, reading: Reading, team: Team, progress: Progress = lambda _done, _total: None) -> Answers:
    """Plays a history into an empty store and answers what the machine found. The store must hold nothing else."""
    return _Player(team).play(reading, progress)


def play(*, reading: Reading, team: Team, until: dt.datetime, progress: Progress = lambda _done, _total: None) -> None:
    """Plays lines into a team as live traffic, and stops the clock at `until`, no earlier than the last line."""
    _Player(team, until=until).play(reading, progress)


def propose(*, lines: Sequence[Line], team: Team, progress: Progress = lambda _done, _total: None) -> int:
    """Takes in imported errors and probes as they once came, and proposes the incidents in them; how many.

    Nothing is opened and no incident that exists is touched. Lines are dated and in order of arrival.
    """
    before = Proposal.objects.filter(team=team).count()
    if lines:
        until = _edge(_received(lines[-1]))
        _Player(team, is_asking=True, until=until).play(Reading(lines=list(lines)), progress)
    return Proposal.objects.filter(team=team).count() - before


def _received(line: Line) -> dt.datetime:
    return line.facts[0].received_at or dt.datetime.min.replace(tzinfo=dt.UTC)


def _ticks(lines: Sequence[Line]) -> Iterator[tuple[dt.datetime, list[Line]]]:
    """The lines by the fixed instant at which they are looked at; undated ones with the first dated."""
    first = min((line.facts[0].received_at for line in lines if line.facts[0].received_at is not None), default=None)
    if first is None:
        if lines:
            yield clock.now(), list(lines)
        return
    batch: list[Line] = []
    edge = _edge(first)
    for line in lines:
        at = _edge(max(_received(line), first))
        if at != edge and batch:
            yield edge, batch
            batch = []
        edge = at
        batch.append(line)
    yield edge, batch


def _edge(at: dt.datetime) -> dt.datetime:
    """The next fixed instant at or after this one."""
    return dt.datetime.fromtimestamp(math.ceil(at.timestamp() / TICK_SECONDS) * TICK_SECONDS, dt.UTC)


def _is_news(line: Line) -> bool:
    """Would live detection be woken by it? Traffic and good checks wait for something that is."""
    fact = line.facts[0]
    return fact.kind not in ("sessions", "probe") or fact.payload.get("ok") is False


def _new_fact(fact: Fact) -> NewFact:
    return NewFact(
        kind="flag" if fact.kind == "flag_change" else fact.kind,
        payload=fact.payload,
        received_at=fact.received_at,
        source=HISTORY,
        delivery_id=fact.delivery_id,
        origin=FactOrigin.LIVE,
    )


def _incidents(team: Team) -> Any:  # Any: a query set
    rows = Incident.objects.filter(team=team, is_dismissed=False, duplicate_of=None).exclude(source=HISTORY)
    return rows.order_by("begins_at", "number")


def _answer(incident: Incident) -> Answer:
    """One incident as the instrument reads it. Ids are the history's own where it gave them."""
    verdict = incident.verdicts.select_related(*_CHANGES).order_by("-number").first()
    services = list(incident.incident_services.order_by("position").values_list("service__name", flat=True))
    end = incident.restored_at or incident.last_evidence_at or incident.begins_at
    return {
        "start": incident.begins_at.timestamp(),
        "end": end.timestamp(),
        "service": services[0],
        "services": services,
        "class": incident.impact_class,
        "detected_at": incident.detected_at.timestamp() if incident.detected_at else None,
        **_verdict(verdict),
    }


_CHANGES = ("change__deploy", "change__flag_change")


def _verdict(verdict: Verdict | None) -> Answer:
    if verdict is None:
        return {"cause_id": None, "confidence": 0.0, "candidates": []}
    ranked = Candidate.objects.filter(verdict=verdict, change__isnull=False).select_related(*_CHANGES).order_by("rank")
    return {
        "cause_id": _external_id(verdict.change) if verdict.change is not None else None,
        "confidence": round(verdict.probability, 6),
        "candidates": [_external_id(row.change) for row in ranked[:LISTED]],
    }


def _external_id(change: Any) -> str:  # Any: a change with its deploy or flag change
    row = change.deploy if change.kind == "deploy" else change.flag_change
    return str(row.external_id if row.source == HISTORY else change.public_id)


def _names_of_inferred(team: Team) -> dict[str, str]:
    """By the public id of a deploy that was only seen: the id under which it was reported later."""
    rows = Deploy.objects.select_related("change", "release").filter(team=team, source=INFERRED)
    named = ((str(row.change.public_id), reported_for(row)) for row in rows.order_by("pk"))
    return {public_id: reported.external_id for public_id, reported in named if reported is not None}


def _named(answer: Answer, names: dict[str, str]) -> Answer:
    """An answer that named a release before its deploy was reported, under the id that the report brought."""
    ranked = list(dict.fromkeys(names.get(each, each) for each in answer["candidates"]))
    return {**answer, "cause_id": names.get(answer["cause_id"], answer["cause_id"]), "candidates": ranked}


def _downtime(team: Team) -> list[Answer]:
    """Outages as checks saw them: first failed check to the first good one after."""
    rows = Episode.objects.filter(team=team, issue=None).select_related("service").order_by("started_at", "id")
    return [
        {
            "service": row.service.name,
            "start": row.started_at.timestamp(),
            "end": (row.ended_at or row.last_at).timestamp(),
        }
        for row in rows
    ]


def printed(answers: Sequence[Answer], downtime: Sequence[Answer]) -> Answer:
    """The answers file."""
    return {"incidents": list(answers), "downtime": list(downtime)}
