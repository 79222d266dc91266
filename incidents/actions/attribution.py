"""Verdicts on incidents: loads what surrounds one, weighs it, keeps the verdict with its evidence and suggests the link."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from django.db.models import Q

from deploys import failpoints
from deploys.actions.facts import record_fact
from deploys.models import Change, FactOrigin
from incidents.actions.incidents import Finding
from incidents.actions.projection import resolve_pending
from incidents.actions.telling import Line, announce, payload_of, write_lines
from incidents.domain import attribution
from incidents.domain.candidates import AHEAD, BACK
from incidents.domain.case import Case
from incidents.domain.evidence import HOUR, Context
from incidents.domain.evidence import Episode as Symptom
from incidents.domain.weights import MAY_CONFIRM
from incidents.models import Candidate, Cause, Episode, EvidenceLine, Incident, TimelineEntry, Verdict
from incidents.queries import changes, evidence
from incidents.queries.evidence import Lens, instant

SHOWN = 5
"""Candidates kept with a verdict, and always "no change"."""
LINES = 12
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
    verdict = attribution.attribute(case_of(lens=lens, incident=incident, finding=finding))
    last = incident.verdicts.select_related("change").order_by("-number").first()
    ids = [w.change.id for w in verdict.ranked if w.change is not None]
    rows = {str(row.public_id): row for row in Change.objects.filter(team=lens.team, public_id__in=ids[: SHOWN + 1])}
    best = verdict.best.change
    change = rows[best.id] if best is not None else None
    inputs = {"events": finding.events, "onset": finding.group.start, "restored": finding.restored_at}
    if last is not None and not _is_new(last, verdict, change, inputs):
        Verdict.objects.filter(pk=last.pk).update(inputs=inputs)
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
    )
    _keep_candidates(kept, verdict, rows)
    suggest(incident=incident, change=change, verdict=kept, now=lens.now)
    if last is None or last.change_id != kept.change_id or last.outcome != kept.outcome:
        line = Line(kind=TimelineEntry.Kind.VERDICT, text=words(kept, verdict), change=change)
        write_lines(incident=incident, lines=[line], by=None, now=lens.now)
    announce(incident)
    failpoints.reach("attribution.judged")
    return kept


def _is_new(last: Verdict, verdict: attribution.Verdict, change: Change | None, inputs: Mapping[str, Any]) -> bool:
    same = last.change_id == (change.pk if change else None) and last.model_version == verdict.version
    moved = abs(last.probability - verdict.best.probability) >= MOVED or last.outcome != verdict.outcome
    ended = (last.inputs.get("restored") is None) != (inputs["restored"] is None)
    return not same or moved or ended


def _keep_candidates(kept: Verdict, verdict: attribution.Verdict, rows: Mapping[str, Change]) -> None:
    """The first few candidates and "no change", each with its heaviest lines."""
    for rank, weighed in enumerate(verdict.ranked, start=1):
        if rank > SHOWN and weighed.change is not None:
            continue
        candidate = Candidate.objects.create(
            verdict=kept,
            rank=rank,
            change=rows[weighed.change.id] if weighed.change is not None else None,
            probability=weighed.probability,
        )
        EvidenceLine.objects.bulk_create(
            [
                EvidenceLine(
                    candidate=candidate, position=position, term=line.term[:40], log_ratio=line.log_ratio,
                    sentence=line.sentence[:500],
                )
                for position, line in enumerate(weighed.lines[:LINES])
            ]
        )  # fmt: skip


def words(kept: Verdict, verdict: attribution.Verdict) -> str:
    """The verdict as a sentence."""
    share = f"{kept.probability:.0%}"
    if kept.outcome == Verdict.Outcome.UNDECIDED:
        return f"Undecided among {kept.candidates_count} candidates; the likeliest has {share}."
    best = verdict.best.change
    if best is None:
        return f"{kept.outcome.capitalize()} no change did this ({share})."
    name = f"deploy of {best.service} {best.release}".strip() if best.is_deploy else f"flag {best.key}"
    return f"{kept.outcome.capitalize()} {name} ({share})."


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


def mark_for_change(*, change_id: int, now: dt.datetime) -> int:
    """Have every incident looked at again whose candidates include this change, or which it may have ended. How many.

    Links that named the change before it was known find it now.
    """
    change = Change.objects.select_related("team").filter(pk=change_id).first()
    if change is None:
        return 0
    resolve_pending(team=change.team)
    window = Q(
        begins_at__gte=change.at - dt.timedelta(seconds=AHEAD), begins_at__lte=change.at + dt.timedelta(seconds=BACK)
    )
    after = Q(begins_at__lte=change.at) & (
        Q(restored_at__isnull=True) | Q(restored_at__gte=change.at - dt.timedelta(seconds=HOUR))
    )
    incidents = Incident.objects.filter(window | after, team=change.team_id, is_dismissed=False, episodes__isnull=False)
    recent = incidents.filter(begins_at__gte=change.at - dt.timedelta(seconds=2 * BACK)).distinct()
    ids = list(recent.order_by("-begins_at").values_list("pk", flat=True)[:200])
    due = Incident.objects.filter(Q(due_at__isnull=True) | Q(due_at__gt=now), pk__in=ids)
    return due.update(due_at=now)
