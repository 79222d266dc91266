"""Verdicts on incidents: loads what surrounds one, weighs it, keeps the verdict with its evidence and suggests the link."""

from __future__ import annotations

import datetime as dt
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from django.db.models import Q

from deploys import failpoints
from deploys.actions.facts import record_fact
from deploys.domain.wording import probability
from deploys.models import Change, FactOrigin, Team
from deploys.queries.chunks import chunks
from incidents.actions.appearing import note_appearing
from incidents.actions.incidents import Finding
from incidents.actions.projection import resolve_pending
from incidents.actions.teaching import learn_reversal
from incidents.actions.telling import Line, announce, payload_of, write_lines
from incidents.domain import attribution
from incidents.domain.candidates import AHEAD, BACK
from incidents.domain.case import Case
from incidents.domain.evidence import HOUR, Context
from incidents.domain.evidence import Episode as Symptom
from incidents.domain.reversal import REVERSALS, reversal_of, reversal_words, window_after, window_before
from incidents.domain.weights import MAY_CONFIRM
from incidents.formats.frozen_terms import FrozenCandidate, freeze
from incidents.models import (
    AT_ONCE,
    Candidate,
    Cause,
    Episode,
    EvidenceLine,
    Incident,
    TimelineEntry,
    UnweighedChange,
    Verdict,
    VerdictTerms,
)
from incidents.queries import changes, evidence
from incidents.queries.error_counts import errors_between
from incidents.queries.evidence import Lens, instant
from incidents.queries.teaching import model_of

REACH: Final = dt.timedelta(seconds=BACK)
AHEAD_OF_ONSET: Final = dt.timedelta(seconds=AHEAD)
AFTER_END: Final = dt.timedelta(seconds=HOUR)
"""A change that ended an incident may be reported to have begun this much after it."""
SHOWN = 5
"""Candidates kept with a verdict, and always "no change"."""
LINES = 12
MOST_MARKED = 500
"""Incidents looked at again for all changes that wait, newest first."""
MOVED = 0.02
"""A verdict whose probability moved by less than this says nothing new."""


def fill(lens: Lens, row: Episode, episode: Symptom) -> Symptom:
    """One symptom with its events."""
    if row.issue_id is None:
        return episode
    sample = evidence.sightings_of(lens, row.issue_id, row.service_id, row.started_at, row.last_at)
    users = len({s.user for s in sample if s.user})
    sessions = len({s.session for s in sample if s.session})
    if episode.count > evidence.SAMPLE:
        users, sessions = evidence.people_of(row.issue_id, row.started_at, row.last_at)
    return replace(episode, sightings=sample, users=users, sessions=sessions)


def context_of(*, lens: Lens, incident: Incident | None, finding: Finding) -> Context:
    """What surrounded an incident, as known now."""
    onset = finding.group.start
    since = instant(onset) - dt.timedelta(days=changes.BACK_DAYS)
    issues = {row.issue_id: str(row.facts.get("key", "")) for row in finding.rows if row.issue_id is not None}
    main = max(finding.group.episodes, key=lambda e: (e.count, -e.start, e.key), default=None)
    mains = [
        (row.issue_id, row.service_id, main.issue)
        for row in finding.rows
        if main is not None and row.issue_id is not None and row.facts.get("key") == main.issue.key
    ]
    services = evidence.service_ids(lens.team, finding.group.services)
    return Context(
        now=evidence.seconds(lens.now),
        services=lens.services(),
        changes=changes.changes_around(lens.team, since, lens.now),
        traffic=evidence.traffic_around(lens, services, onset),
        flag_services=evidence.flag_services(lens.team, onset),
        staging=evidence.staging_of(issues, onset) if issues else {},
        known_texts=evidence.known_texts(lens, mains[:1], onset),
        rejected=_rejected(incident, list(issues)),
    )


def _rejected(incident: Incident | None, issues: Sequence[int]) -> frozenset[str]:
    """Changes that people refused as the cause of this incident, or of another with one of its issues."""
    which = Q(incident__incident_issues__issue__in=issues)
    if incident is not None:
        which |= Q(incident=incident)
    refused = Cause.objects.filter(which, status=Cause.Status.REJECTED, by=Cause.By.PERSON, change__isnull=False)
    return frozenset(str(each) for each in refused.values_list("change__public_id", flat=True).distinct())


def case_of(*, lens: Lens, incident: Incident | None, finding: Finding) -> Case:
    """The incident laid out for attribution."""
    return Case(finding.group, context_of(lens=lens, incident=incident, finding=finding), finding.restored_at)


def attribute(*, lens: Lens, incident: Incident, finding: Finding, trigger: str) -> Verdict:
    """Weigh the candidates again; a verdict that says something new is kept and its link suggested."""
    note_appearing(
        services=evidence.services_around(lens, finding.group.services), environment=incident.environment,
        onset=instant(finding.group.start), now=lens.now,
    )  # fmt: skip
    case, model = case_of(lens=lens, incident=incident, finding=finding), model_of(lens.team)
    verdict = attribution.attribute(case, model.weights, model.version)
    last = incident.verdicts.select_related("change").order_by("-number").first()
    ids = [w.change.id for w in verdict.ranked if w.change is not None]
    rows = {str(row.public_id): row for row in Change.objects.filter(team=lens.team, public_id__in=ids[: SHOWN + 1])}
    best = verdict.best.change
    change = rows[best.id] if best is not None else None
    inputs = {"events": finding.events, "onset": finding.group.start, "restored": finding.restored_at}
    reversal = _reversal(incident, case, verdict.best, finding)
    if last is not None and not _is_new(last, verdict, change, inputs, reversal):
        Verdict.objects.filter(pk=last.pk).update(inputs=inputs, reversal=reversal)
        return last
    kept = Verdict.objects.create(
        incident=incident,
        number=(last.number if last else 0) + 1,
        computed_at=lens.now,
        model_version=verdict.version,
        trigger=trigger,
        outcome=verdict.outcome,
        change=change,
        probability=verdict.best.probability,
        candidates_count=len(verdict.ranked),
        inputs=inputs,
        missing=list(verdict.missing),
        reversal=reversal,
    )
    _keep_candidates(kept, verdict, rows)
    frozen = [FrozenCandidate(w.change.id if w.change is not None else "", w.terms) for w in verdict.ranked]
    VerdictTerms.objects.create(verdict=kept, kept=freeze(frozen))
    undone = [w.change.id for w in verdict.ranked if w.change is not None and REVERSALS & w.terms.keys()]
    learn_reversal(incident=incident, undone=undone, now=lens.now)
    suggest(incident=incident, change=change, verdict=kept, now=lens.now)
    if (
        last is None
        or last.change_id != kept.change_id
        or last.outcome != kept.outcome
        or (reversal and not last.reversal)
    ):
        line = Line(kind=TimelineEntry.Kind.VERDICT, text=words(kept, verdict), change=change)
        write_lines(incident=incident, lines=[line], by=None, now=lens.now)
    announce(incident)
    failpoints.reach("attribution.judged")
    return kept


def _reversal(
    incident: Incident, case: Case, best: attribution.Weighed, finding: Finding
) -> dict[str, Any] | None:  # Any: JSON
    """How the errors stopped as the likeliest change was undone, with the errors a minute before and after; or None.

    Counted in whole buckets of five minutes. `after` is null until one has passed.
    """
    found = reversal_of(case, best.change, best.terms) if best.change is not None else None
    if found is None:
        return None
    issues = [row.issue_id for row in finding.rows if row.issue_id is not None]
    before, after = window_before(case.onset, found), window_after(found, case.around.now)
    told: dict[str, Any] = {  # Any: JSON
        "how": found.how,
        "by": found.by,
        "at": instant(found.start).isoformat(),
        "before_seconds": before.seconds,
        "before_errors": errors_between(
            issues=issues, begins_at=instant(before.start), ends_at=instant(before.end), environment_id=incident.environment_id
        ),
        "after_seconds": None,
        "after_errors": None,
    }  # fmt: skip
    if after is not None:
        told["after_seconds"] = after.seconds
        told["after_errors"] = errors_between(
            issues=issues, begins_at=instant(after.start), ends_at=instant(after.end), environment_id=incident.environment_id
        )  # fmt: skip
    return told


def _is_new(
    last: Verdict,
    verdict: attribution.Verdict,
    change: Change | None,
    inputs: Mapping[str, Any],  # Any: JSON
    reversal: Mapping[str, Any] | None,  # Any: JSON
) -> bool:
    same = last.change_id == (change.pk if change else None) and last.model_version == verdict.version
    moved = abs(last.probability - verdict.best.probability) >= MOVED or last.outcome != verdict.outcome
    ended = (last.inputs.get("restored") is None) != (inputs["restored"] is None)
    return not same or moved or ended or (last.reversal is None) != (reversal is None)


def _keep_candidates(kept: Verdict, verdict: attribution.Verdict, rows: Mapping[str, Change]) -> None:
    """The first few candidates and "no change", each with its heaviest lines. Two queries."""
    shown = [
        (rank, weighed)
        for rank, weighed in enumerate(verdict.ranked, start=1)
        if rank <= SHOWN or weighed.change is None
    ]
    candidates = Candidate.objects.bulk_create(
        [
            Candidate(
                verdict=kept, rank=rank, probability=weighed.probability,
                change=rows[weighed.change.id] if weighed.change is not None else None,
            )
            for rank, weighed in shown
        ]
    )  # fmt: skip
    EvidenceLine.objects.bulk_create(
        [
            EvidenceLine(
                candidate=candidate, position=position, term=line.term[:40], log_ratio=line.log_ratio,
                sentence=line.sentence[:500],
            )
            for candidate, (_, weighed) in zip(candidates, shown, strict=True)
            for position, line in enumerate(weighed.lines[:LINES])
        ]
    )  # fmt: skip


def words(kept: Verdict, verdict: attribution.Verdict) -> str:
    """The verdict as a sentence."""
    share = probability(kept.probability)
    if kept.outcome == Verdict.Outcome.UNDECIDED:
        return f"Undecided among {kept.candidates_count} candidates; the likeliest has {share}."
    best = verdict.best.change
    if best is None:
        return f"{kept.outcome.capitalize()} no change did this ({share})."
    name = f"deploy of {best.service} {best.release}".strip() if best.is_deploy else f"flag {best.key}"
    proof = f" {reversal_words(kept.reversal)}" if kept.reversal else ""
    return f"{kept.outcome.capitalize()} {name} ({share}).{proof}"


def suggest(*, incident: Incident, change: Change | None, verdict: Verdict, now: dt.datetime) -> None:
    """Bring the model's link in the record up to date: suggested from P = .5, confirmed where the team lets it.

    Once a person has spoken on the causes, their word stands alone.
    """
    if "causes" in incident.person_keys:
        return
    told = [dict(claim) for claim in payload_of(incident).get("causes") or []]
    claims = [claim for claim in told if claim.get("by") != Cause.By.MODEL]
    if change is not None and verdict.probability >= attribution.PROBABLE and not any(_is_confirmed(c) for c in claims):
        sure = incident.team.auto_confirm_at if MAY_CONFIRM else None
        confirmed = sure is not None and verdict.probability >= sure and change.at <= incident.begins_at
        claims.append(
            {
                "kind": change.kind,
                "id": str(change.public_id),
                "status": Cause.Status.CONFIRMED.value if confirmed else Cause.Status.SUGGESTED.value,
                "by": Cause.By.MODEL.value,
                "probability": round(verdict.probability, 4),
            }
        )
    if claims == told:
        return
    record_fact(
        team=incident.team,
        kind="incident",
        payload={"id": incident.external_id, "causes": claims},
        received_at=now,
        origin=FactOrigin.MODEL,
        source=incident.source,
    )


def _is_confirmed(claim: Mapping[str, Any]) -> bool:  # Any: JSON
    return str(claim.get("status", "confirmed")) == Cause.Status.CONFIRMED.value


def mark_for_changes(*, team: Team, now: dt.datetime) -> int:
    """Has every incident looked at again whose candidates include a change that waits, or which one may have ended. How many.

    Links that named a change before it was known find it now. The caller holds the team's row: a detection at work has
    asked already what is due and will write when each is next, so it goes first.
    """
    waiting = list(UnweighedChange.objects.filter(team=team).values_list("pk", "change__at"))
    if not waiting:
        return 0
    resolve_pending(team=team)
    times = sorted({at for _, at in waiting})
    near = Incident.objects.filter(
        Q(due_at__isnull=True) | Q(due_at__gt=now),
        team=team,
        is_dismissed=False,
        begins_at__gte=times[0] - 2 * REACH,
        begins_at__lte=times[-1] + REACH,
        episodes__isnull=False,
    ).distinct()
    rows = near.order_by("-begins_at").values_list("pk", "begins_at", "restored_at")
    found = [pk for pk, begins_at, restored_at in rows if _may_concern(times, begins_at, restored_at)][:MOST_MARKED]
    for some in chunks(found):
        Incident.objects.filter(pk__in=some).update(due_at=AT_ONCE)
    for some in chunks([pk for pk, _ in waiting]):
        UnweighedChange.objects.filter(pk__in=some).delete()
    return len(found)


def _may_concern(times: Sequence[dt.datetime], begins_at: dt.datetime, restored_at: dt.datetime | None) -> bool:
    """Whether a change at one of these instants, in order, may have caused or ended an incident that lasted so long."""
    until = begins_at + 2 * REACH
    if restored_at is not None:
        until = min(until, restored_at + AFTER_END)
    first = bisect_left(times, begins_at - REACH)
    return first < len(times) and times[first] <= max(until, begins_at + AHEAD_OF_ONSET)
