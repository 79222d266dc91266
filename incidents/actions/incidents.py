"""The machine's side of incidents: opens, extends, restores, reopens, merges and splits them as the evidence says.

Everything that enters a number is recorded as a fact with origin model; a key whose last word is a person's stays.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Q

from deploys.actions.facts import record_fact
from deploys.domain.identifiers import uuid7
from deploys.domain.instants import instant_text
from deploys.models import FactOrigin, Team
from incidents.actions.telling import Line, announce, payload_of, write_lines
from incidents.domain.classification import Class
from incidents.domain.grouping import Group
from incidents.domain.response import BY_PEOPLE
from incidents.domain.spells import Spell
from incidents.models import Episode, Incident, IncidentIssue, TimelineEntry
from incidents.queries.evidence import Lens, instant

SOURCE = "upshot"
Kind = TimelineEntry.Kind


@dataclass(frozen=True, slots=True)
class Finding:
    """What the evidence says of one incident: its symptoms with their rows, its spells of impact and its class."""

    group: Group
    rows: tuple[Episode, ...]
    spells: tuple[Spell, ...]
    impact_class: Class
    title: str

    @property
    def restored_at(self) -> float | None:
        """The end of the last spell, None while it goes on."""
        return self.spells[-1].end

    @property
    def events(self) -> int:
        """Events in all."""
        return sum(episode.count for episode in self.group.episodes)


@dataclass(frozen=True, slots=True)
class Written:
    """An incident as it now stands, and what is new about it: opened, grew, restored, reopened (or nothing)."""

    incident: Incident
    news: tuple[str, ...]


def incident_for(*, team: Team, finding: Finding) -> tuple[Incident | None, list[Incident]]:
    """The incident these symptoms belong to, and others that turn out to repeat it.

    Of several the one that began first stays. Without any, an open one that a person declared for the same issue, or
    for one of the services at that time, takes them in.
    """
    ids = {row.incident_id for row in finding.rows if row.incident_id is not None}
    known = list(
        Incident.objects.filter(pk__in=ids, duplicate_of=None).select_related("team", "environment").order_by("number")
    )
    if known:
        standing = [each for each in known if not each.is_dismissed] or known
        first = min(standing, key=lambda each: (each.detected_by == SOURCE, each.begins_at, each.number))
        return first, [each for each in known if each.pk != first.pk and not each.is_dismissed]
    return _declared(team, finding), []


def _declared(team: Team, finding: Finding) -> Incident | None:
    issues = [row.issue_id for row in finding.rows if row.issue_id is not None]
    services = {row.service_id for row in finding.rows}
    start, last = instant(finding.group.start), instant(finding.group.last)
    around = Incident.objects.filter(
        Q(incident_issues__issue__in=issues) | Q(incident_services__service__in=services),
        team=team, detected_by__in=BY_PEOPLE, is_dismissed=False, duplicate_of=None, episodes=None,
        begins_at__gte=start - dt.timedelta(hours=1), begins_at__lte=last + dt.timedelta(hours=1),
    )  # fmt: skip
    return around.select_related("team", "environment").distinct().order_by("begins_at", "number").first()


def write(*, lens: Lens, finding: Finding, incident: Incident | None) -> Written:
    """Open the incident or bring it up to date with its evidence. Call it inside a transaction."""
    if incident is None:
        incident = _open(lens, finding)
        _attach(incident, finding)
        _measure(incident, finding)
        announce(incident)
        return Written(incident, ("opened",))
    news = list(_attach(incident, finding))
    if not incident.is_dismissed:
        payload = _changed(incident, _payload(lens, finding, incident), finding)
        if payload:
            news += _news(incident, payload)
            _tell(incident, payload, lens.now)
            write_lines(incident=incident, lines=_lines(incident, payload, finding), by=None, now=lens.now)
            announce(incident)
            incident = Incident.objects.select_related("team", "environment").get(pk=incident.pk)
    _measure(incident, finding)
    return Written(incident, tuple(dict.fromkeys(news)))


def _open(lens: Lens, finding: Finding) -> Incident:
    external_id = str(uuid7())
    payload = {
        "id": external_id,
        "title": finding.title,
        "environment": finding.rows[0].environment.name,
        "detected_at": instant_text(max(lens.now, instant(finding.group.start))),
        "detected_by": SOURCE,
        **_payload(lens, finding, None),
    }
    record_fact(
        team=lens.team, kind="incident", payload=payload, received_at=lens.now, origin=FactOrigin.MODEL, source=SOURCE
    )
    incident = Incident.objects.select_related("team", "environment").get(
        team=lens.team, source=SOURCE, external_id=external_id
    )
    opened = f"Opened: {_evidence_words(finding)}."
    line = Line(kind=Kind.OPENED, text=opened, data={"by": SOURCE, "class": incident.impact_class})
    write_lines(incident=incident, lines=[line], by=None, now=lens.now)
    return incident


def _evidence_words(finding: Finding) -> str:
    group = finding.group
    words = []
    if group.episodes:
        names = ", ".join(dict.fromkeys(episode.service for episode in group.episodes))
        events = "1 event" if finding.events == 1 else f"{finding.events} events"
        issues = "1 issue" if len(group.episodes) == 1 else f"{len(group.episodes)} issues"
        words.append(f"{events} of {issues} in {names}")
    down = dict.fromkeys(outage.service for outage in group.outages if outage.is_unanswered)
    if down:
        words.append("failed checks of " + ", ".join(down))
    late = dict.fromkeys(f"{outage.job} of {outage.service}" for outage in group.outages if outage.job)
    if late:
        words.append("failed runs of " + ", ".join(late))
    alerts = dict.fromkeys(str(row.facts["title"]) for row in finding.rows if row.facts.get("alert"))
    if alerts:
        words.append("the alert " + ", ".join(alerts))
    return " and ".join(words)


def _payload(lens: Lens, finding: Finding, incident: Incident | None) -> dict[str, Any]:  # Any: JSON
    """The keys of the record that evidence decides, in the history format's words."""
    restored_at = finding.restored_at
    payload: dict[str, Any] = {
        "services": list(finding.group.services),
        "class": finding.impact_class.name,
        "started_at": instant_text(instant(finding.group.start)),
        "restored_at": instant_text(instant(restored_at)) if restored_at is not None else None,
    }
    if len(finding.spells) > 1:
        payload["impact"] = [
            {
                "from_at": instant_text(instant(spell.start)),
                "to_at": instant_text(instant(spell.end)) if spell.end is not None else None,
            }
            for spell in finding.spells
        ]
    if incident is not None and incident.detected_at is None:
        payload["detected_at"] = instant_text(lens.now)
    looked_at = min((row.facts["looked_at"] for row in finding.rows if row.facts.get("looked_at")), default=None)
    if looked_at is not None:  # elsewhere, perhaps before it was known here
        detected_at = lens.now if incident is None else incident.detected_at or lens.now
        payload["acknowledged_at"] = instant_text(max(instant(looked_at), detected_at))
    return payload


def _changed(incident: Incident, payload: Mapping[str, Any], finding: Finding) -> dict[str, Any]:  # Any: JSON
    """What differs from the record and no person has set. Services of a closed incident and its class stay."""
    told = payload_of(incident)
    kept = set(incident.person_keys)
    if incident.closed_at is not None:
        kept.add("class")
    if "services" not in kept:
        known = [str(name) for name in told.get("services") or []]
        payload = {**payload, "services": list(dict.fromkeys([*payload["services"], *_declared_only(incident, known)]))}
    if "started_at" in kept and finding.spells[0].start < incident.begins_at.timestamp():
        kept.add("impact")
    wanted = {key: value for key, value in payload.items() if key not in kept and told.get(key) != value}
    if "impact" not in payload and told.get("impact") and "impact" not in kept:
        wanted["impact"] = None
    return wanted


def _declared_only(incident: Incident, known: Sequence[str]) -> Sequence[str]:
    """Services of an incident that a person declared are never dropped."""
    return known if incident.detected_by != SOURCE else ()


def _news(incident: Incident, payload: Mapping[str, Any]) -> list[str]:  # Any: JSON
    news = []
    if "services" in payload:
        news.append("grew")
    if "restored_at" in payload:
        news.append("reopened" if payload["restored_at"] is None else "restored")
    if "started_at" in payload:
        news.append("moved")
    return news


def _tell(incident: Incident, payload: Mapping[str, Any], now: dt.datetime) -> None:  # Any: JSON
    record_fact(
        team=incident.team,
        kind="incident",
        payload={"id": incident.external_id, **payload},
        received_at=now,
        origin=FactOrigin.MODEL,
        source=incident.source,
    )


def _lines(incident: Incident, payload: Mapping[str, Any], finding: Finding) -> list[Line]:  # Any: JSON
    lines = []
    if "class" in payload and payload["class"] != incident.impact_class:
        data = {"from": incident.impact_class, "to": payload["class"]}
        words = f"Class is {payload['class'].replace('_', '-')}: {finding.impact_class.note}."
        lines.append(Line(kind=Kind.CLASS, text=words, data=data))
    if "restored_at" in payload:
        if payload["restored_at"] is None and incident.restored_at is not None:
            lines.append(
                Line(kind=Kind.STATE, text="Reopened: it came back.", data={"state": "reopened", "came_back": True})
            )
        elif payload["restored_at"] is not None and incident.restored_at is None:
            lines.append(Line(kind=Kind.STATE, text="Quiet again: restored.", data={"state": "restored"}))
    added = [name for name in payload.get("services", ()) if name not in _services(incident)]
    if added:
        lines.append(Line(kind=Kind.EVIDENCE, text=f"It spreads to {', '.join(added)}."))
    return lines


def _services(incident: Incident) -> set[str]:
    return set(incident.incident_services.values_list("service__name", flat=True))


def _attach(incident: Incident, finding: Finding) -> list[str]:
    """Tie symptoms and their issues to the incident; says whether any is new."""
    loose = [row.pk for row in finding.rows if row.incident_id != incident.pk]
    if not loose:
        return []
    Episode.objects.filter(pk__in=loose).update(incident=incident)
    known = set(IncidentIssue.objects.filter(incident=incident).values_list("issue_id", flat=True))
    fresh: dict[int, IncidentIssue] = {}
    for row in finding.rows:
        if row.issue_id is not None and row.issue_id not in known and row.issue_id not in fresh:
            fresh[row.issue_id] = IncidentIssue(incident=incident, issue_id=row.issue_id, from_at=row.started_at)
    IncidentIssue.objects.bulk_create(fresh.values(), ignore_conflicts=True)
    return ["grew"]


def _measure(incident: Incident, finding: Finding) -> None:
    """Counts and the class's reason: evidence beside the facts. The reason of a person's class is the person's."""
    Incident.objects.filter(pk=incident.pk).update(
        events_count=finding.events,
        users_count=finding.impact_class.users,
        last_evidence_at=instant(finding.group.last),
    )
    if "class" not in incident.person_keys:
        Incident.objects.filter(pk=incident.pk).update(class_note=finding.impact_class.note[:300])


def mark_repeated(*, incident: Incident, of: Incident, now: dt.datetime) -> None:
    """The evidence shows that one incident repeats another. Not where a person has said anything of it."""
    if incident.person_keys or incident.source != SOURCE:
        return
    _tell(incident, {"duplicate_of": of.external_id}, now)
    line = Line(kind=Kind.STATE, data={"state": "duplicate", "number": of.number})
    write_lines(incident=incident, lines=[line], by=None, now=now)
    announce(incident)


def withdraw_unfounded(*, incident: Incident, now: dt.datetime) -> None:
    """Better knowledge has dissolved all evidence of an incident the machine opened: dismissed, unless a person spoke."""
    if incident.person_keys or incident.source != SOURCE or incident.is_dismissed or incident.detected_by != SOURCE:
        return
    _tell(incident, {"dismissed": True}, now)
    words = "Withdrawn: corrected times leave too few events."
    write_lines(
        incident=incident, lines=[Line(kind=Kind.STATE, text=words, data={"state": "dismissed"})], by=None, now=now
    )
    announce(incident)
