"""Symptoms laid out as incidents: grouped, with their events, spells of impact and class."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

from incidents.actions import attribution, episodes
from incidents.actions.incidents import Finding
from incidents.domain import spells
from incidents.domain.classification import classify
from incidents.domain.evidence import Episode as Occurrence
from incidents.domain.grouping import Group, Symptom, groups
from incidents.domain.spells import Spell
from incidents.models import Episode, Incident
from incidents.queries.evidence import Lens, issue_facts, people_of, seconds, sightings_of

AROUND = dt.timedelta(hours=12)
MOST = 500


def findings(lens: Lens, changed: Sequence[Episode], due: Sequence[Episode]) -> list[Finding]:
    """The groups that hold a changed symptom or one of a due incident, complete with events."""
    wanted = [*changed, *due]
    if not wanted:
        return []
    low = min(row.started_at for row in wanted) - AROUND
    high = max(row.last_at for row in wanted) + AROUND
    rows = list(
        Episode.objects.filter(team=lens.team, last_at__gte=low, started_at__lte=high)
        .select_related("service", "environment", "issue", "incident")
        .order_by("started_at", "id")[:MOST]
    )
    symptoms = {episodes.symptom_of(row): row for row in rows}
    ids = {row.pk for row in wanted} | set(
        Episode.objects.filter(incident__in={row.incident_id for row in wanted if row.incident_id}).values_list(
            "pk", flat=True
        )
    )
    found = []
    for whole in groups(list(symptoms), lens.services(), lens.rule):
        for group in _kept_apart(whole, symptoms):
            every: list[Symptom] = [*group.episodes, *group.outages]
            members = tuple(symptoms[each] for each in every)
            if any(row.pk in ids for row in members):
                found.append(_laid_out(lens, group, members))
    return found


def _kept_apart(group: Group, rows: Mapping[Symptom, Episode]) -> list[Group]:
    """What people have split off from an incident stays apart, however alike it looks."""

    def place(symptom: Symptom) -> int:
        incident = rows[symptom].incident
        return incident.pk if incident is not None and incident.split_from_id is not None else 0

    places = sorted({*map(place, group.episodes), *map(place, group.outages)})
    if places == [0]:
        return [group]
    return [
        Group(
            tuple(each for each in group.episodes if place(each) == one),
            tuple(each for each in group.outages if place(each) == one),
        )
        for one in places
    ]


def _laid_out(lens: Lens, group: Group, rows: tuple[Episode, ...]) -> Finding:
    pairs = zip(rows, group.episodes, strict=False)  # the rows of outages come after
    group = Group(tuple(attribution.fill(lens, row, episode) for row, episode in pairs), group.outages)
    facts = [lens.services()[name] for name in group.services if name in lens.services()]
    return Finding(
        group=group,
        rows=rows,
        spells=tuple(spells.spells(group, seconds(lens.now), lens.rule)),
        impact_class=classify(group, facts),
        title=_title(rows),
    )


def finding_of(lens: Lens, ids: Sequence[int]) -> Finding | None:
    """The finding that holds the first of these symptoms; None when none of them exists any more."""
    rows = list(Episode.objects.filter(pk__in=list(ids), team=lens.team).order_by("started_at", "id"))
    found = findings(lens, rows[:1], [])
    return next((each for each in found if any(row.pk == rows[0].pk for row in each.rows)), None)


def declared_finding(lens: Lens, incident: Incident) -> Finding | None:
    """What a person declared, as far as its issues show it: their events since it began, too few for an episode or not.

    None where nothing was linked, or nothing of it was seen.
    """
    end = incident.restored_at or lens.now
    found: list[Symptom] = []
    for link in incident.incident_issues.select_related("issue__service").order_by("id")[:MOST]:
        issue, start = link.issue, min(link.from_at, incident.begins_at)
        seen = sightings_of(lens, issue.pk, issue.service_id, start, end)
        if seen:
            users, sessions = people_of(issue.pk, start, end)
            found.append(
                Occurrence(
                    issue=issue_facts(issue, issue.service.name), start=seen[0].at, end=seen[-1].at, count=len(seen),
                    met_at=seen[-1].at, sightings=seen, users=users, sessions=sessions,
                )
            )  # fmt: skip
    if not found:
        return None
    group = Group(tuple(each for each in found if isinstance(each, Occurrence)), ())
    facts = [lens.services()[name] for name in group.services if name in lens.services()]
    restored_at = seconds(incident.restored_at) if incident.restored_at is not None else None
    return Finding(
        group=group,
        rows=(),
        spells=(Spell(group.start, restored_at),),
        impact_class=classify(group, facts),
        title=incident.title,
    )


def _title(rows: Sequence[Episode]) -> str:
    """What the issue with most events is called; else that the service is down."""
    main = max((row for row in rows if row.issue_id is not None), key=lambda row: (row.count, -row.pk), default=None)
    if main is not None and main.issue is not None:
        return main.issue.title[:300]
    alert = next((row.facts["title"] for row in rows if row.facts.get("alert")), "")
    if alert and all(row.facts.get("alert") for row in rows):
        return f"{rows[0].service.name}: {alert}"[:300]
    job = next((row.facts.get("job") for row in rows if row.facts.get("job")), "")
    if job and all(row.facts.get("job") or row.facts.get("alert") for row in rows):
        return f"{rows[0].service.name}: the job {job} does not run as it should"[:300]
    return f"{rows[0].service.name} is down: checks fail"
