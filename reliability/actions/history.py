"""Imports a history file into a team: facts through the fact log, evidence beside it. Twice is the same as once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from django.db import transaction

from deploys.actions.facts import ORDER, NewFact, record_facts
from deploys.domain.instants import FAR_PAST, parse_instant
from deploys.domain.records import Fact
from deploys.models import FactOrigin, Team
from incidents.actions.projection import resolve_pending
from reliability.actions.import_evidence import import_errors, import_probes, import_sessions
from reliability.actions.replay import propose
from reliability.formats.history import Line, Problem, Reading, read_history
from reliability.queries.facts import HISTORY
from reliability.queries.imported import TeamLog, traffic_key

CHUNK: Final = 1000
"""Facts to a transaction: long enough to be fast, short enough that live writers wait less than a second or two."""

Progress = Callable[[int, int], None]
"""Told (lines written, lines to write) now and then."""


def read_for_import(*, team: Team, lines: Iterable[bytes]) -> Reading:
    """What importing these lines would do: accepted, known already, refused. Writes nothing."""
    log = TeamLog(team)
    raw = list(lines)
    log.look_up_evidence(fact for line in read_history(raw).lines if line.is_evidence for fact in line.facts)
    reading = read_history(raw, log)
    _refuse_counted(reading, log)
    return reading


def import_history(
    *,
    team: Team,
    reading: Reading,
    now: datetime,
    progress: Progress = lambda _done, _total: None,
    leave_symptoms: bool = False,
) -> None:
    """Writes what was accepted: in pieces, each of them whole. Importing again goes on where a broken import ended.

    leave_symptoms: errors and probes are left to propose_incidents.
    """
    total, done = len(reading.lines), 0
    evidence = {"sessions": import_sessions}
    if leave_symptoms:
        total -= len(_symptoms(reading))
    else:
        evidence |= {"probe": import_probes, "error": import_errors}
    facts = sorted((line for line in reading.lines if not line.is_evidence), key=_projection_order)
    for start in range(0, len(facts), CHUNK):
        some = facts[start : start + CHUNK]
        record_facts(team=team, facts=[_new_fact(fact) for line in some for fact in line.facts])
        done += len(some)
        progress(done, total)
    with transaction.atomic():
        resolve_pending(team=team)
    for kind, write in evidence.items():
        stored = reading.evidence(kind)
        for start in range(0, len(stored), CHUNK):
            some_facts = stored[start : start + CHUNK]
            write(team=team, facts=some_facts, now=now)
            done += len(some_facts)
            progress(done, total)


def propose_incidents(*, team: Team, reading: Reading, progress: Progress = lambda _done, _total: None) -> int:
    """Takes in the errors and probes of a reading as they once came, and proposes the incidents in them; how many.

    Proposals count nowhere until somebody accepts them. Evidence without received_at is dated by its own clock.
    """
    lines = [
        Line(line.number, (replace(fact, received_at=fact.received_at or parse_instant(_own_clock(fact))),))
        for line in _symptoms(reading)
        for fact in line.facts
    ]
    lines.sort(key=lambda line: line.facts[0].received_at or FAR_PAST)
    return propose(lines=lines, team=team, progress=progress)


def _symptoms(reading: Reading) -> list[Line]:
    return [line for line in reading.lines if line.facts[0].kind in {"error", "probe"}]


def _own_clock(fact: Fact) -> object:
    return fact.payload["timestamp" if fact.kind == "error" else "at"]


def _projection_order(line: Line) -> int:
    """Kinds that others refer to come first; within a kind the order of arrival stays."""
    return ORDER.index(_kind(line.facts[0]))


def _kind(fact: Fact) -> str:
    """As the fact log writes it: a flag's changes are facts of the kind flag."""
    return "flag" if fact.kind == "flag_change" else fact.kind


def _new_fact(fact: Fact) -> NewFact:
    return NewFact(
        kind=_kind(fact),
        payload=fact.payload,
        received_at=fact.received_at,
        source=HISTORY,
        delivery_id=fact.delivery_id,
        origin=FactOrigin.IMPORT,
    )


def _refuse_counted(reading: Reading, log: TeamLog) -> None:
    """Refuses totals of intervals that this instance has counted itself."""
    kept: list[Line] = []
    refused: list[Problem] = []
    for line in reading.lines:
        fact = line.facts[0]
        if fact.kind == "sessions" and traffic_key(fact.payload) in log.counted_live:
            message = "expected an interval that this instance has not counted itself"
            refused.append(Problem(line.number, "sessions", "at", "error", message))
        else:
            kept.append(line)
    reading.lines = kept
    reading.accepted_count -= len(refused)
    reading.refused_count += len(refused)
    reading.problems = sorted([*reading.problems, *refused], key=lambda problem: problem.line)


def summary(reading: Reading) -> dict[str, object]:
    """The counts and problems, as `--format json` prints them."""
    return {
        "lines_count": reading.lines_count,
        "accepted_count": reading.accepted_count,
        "duplicate_count": reading.duplicate_count,
        "refused_count": reading.refused_count,
        "problems": problems_part(reading.problems),
    }


def problems_part(problems: Sequence[Problem]) -> list[dict[str, object]]:
    """The problems as plain values."""
    return [
        {
            "line": problem.line,
            "kind": problem.kind,
            "key": problem.key,
            "severity": problem.severity,
            "message": problem.message,
        }
        for problem in problems
    ]
