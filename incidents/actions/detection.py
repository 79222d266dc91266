"""One pass of detection: looks at what is dirty or due, and at nothing else.

Dirty issues and checks give episodes; episodes near each other are grouped; each group is one incident, which is opened,
extended, restored or reopened, classified and attributed. Running it again without new evidence changes nothing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.db import transaction

from deploys import failpoints
from deploys.actions.own_flags import OwnFlag, switched_off
from deploys.models import Team
from incidents.actions import alerts, attribution, episodes, incidents, proposals
from incidents.actions.findings import declared_finding, findings
from incidents.domain import spells
from incidents.domain.detection import Rule
from incidents.models import Alert, CheckWatch, Episode, Incident, Issue, UnweighedChange
from incidents.queries.evidence import Lens, instant, seconds

SETTLE = dt.timedelta(minutes=15)
"""After this much time a young incident is weighed again: more has been seen, traffic counts have come in."""
AFTERMATH = dt.timedelta(minutes=30)
"""After this much time an ended incident is weighed again: what ended it has been reported."""
LULL = dt.timedelta(minutes=10)
"""Small news are gathered this long before an incident is weighed again."""
BATCH = 500


@dataclass(frozen=True, slots=True)
class Pass:
    """What one pass did: issues and checks looked at, incidents touched and verdicts computed."""

    issues: int = 0
    incidents: int = 0
    verdicts: int = 0


def is_waiting(*, now: dt.datetime) -> bool:
    """Is anything dirty or due, or a change unweighed? Five cheap queries."""
    return (
        Issue.objects.filter(dirty_at__isnull=False).exists()
        or Alert.objects.filter(dirty_at__isnull=False).exists()
        or CheckWatch.objects.filter(dirty_since__isnull=False).exists()
        or UnweighedChange.objects.exists()
        or Incident.objects.filter(due_at__lte=now).exists()
    )


def run(
    *,
    now: dt.datetime,
    rule: Rule | None = None,
    only: Team | None = None,
    is_asking: bool = False,
    before_each: Callable[[], None] = lambda: None,
) -> Pass:
    """Look at everything that is dirty or due, team by team, each in one transaction, `before_each` outside of it.

    `only`: this team and no other. `is_asking`: propose what is found, and leave incidents that exist alone. Two runs at
    once do no harm: the second waits for the team's row and then finds nothing dirty.
    """
    failing = CheckWatch.objects.filter(dirty_since__isnull=False).values_list("service__team_id", flat=True)
    due = set(Incident.objects.filter(due_at__lte=now).values_list("team_id", flat=True).distinct())
    checks = set(failing.distinct())
    issues = set(Issue.objects.filter(dirty_at__isnull=False).values_list("service__team_id", flat=True).distinct())
    alerting = set(Alert.objects.filter(dirty_at__isnull=False).values_list("team_id", flat=True).distinct())
    changes = set(UnweighedChange.objects.values_list("team_id", flat=True).distinct())
    teams = issues | checks | alerting | changes | due
    if only is None:  # what waits for a team whose detection is switched off waits until it is on again
        teams -= switched_off(OwnFlag.DETECTION, now=now)
    done = Pass()
    for team_id in sorted(teams if only is None else {only.pk} & teams):
        before_each()
        with transaction.atomic():
            team = Team.objects.select_for_update().get(pk=team_id)
            lens = Lens(team=team, now=now, rule=rule or Rule())
            refreshed, looked = _refresh_issues(lens) if team_id in issues else (episodes.Refreshed(), 0)
            if team_id in checks:
                refreshed.changed += _refresh_checks(lens)
            if team_id in alerting:
                refreshed.add(alerts.refresh(lens=lens))
            if not is_asking:  # under the lock, as what is due: a change that came while this waited counts
                attribution.mark_for_changes(team=team, now=now)
            failpoints.reach("detection.refreshed")
            # due is asked under the lock: what was marked while this waited for it would be taken for done below
            one = _ask(lens, refreshed) if is_asking else _reconcile(lens, refreshed, _due(lens))
        failpoints.reach("detection.committed")
        done = Pass(done.issues + looked, done.incidents + one.incidents, done.verdicts + one.verdicts)
    return done


def _due(lens: Lens) -> list[Incident]:
    rows = Incident.objects.filter(team=lens.team, due_at__lte=lens.now)
    return list(rows.select_related("team", "environment").order_by("pk"))


def _reconcile(lens: Lens, refreshed: episodes.Refreshed, due: Sequence[Incident]) -> Pass:
    """Bring incidents in line with the symptoms that changed, and look at those that are due."""
    waiting = {row.pk for row in due}
    near = list(Episode.objects.filter(incident__in=waiting)) if waiting else []
    touched = verdicts = 0
    seen: set[int] = set()
    for finding in findings(lens, refreshed.changed, near):
        incident, repeated = incidents.incident_for(team=lens.team, finding=finding)
        if incident is None and not lens.team.auto_open:
            proposals.propose(lens=lens, finding=finding)
            continue
        for each in repeated:
            incidents.mark_repeated(incident=each, of=incident or each, now=lens.now)
        written = incidents.write(lens=lens, finding=finding, incident=incident)
        failpoints.reach("detection.written")
        seen.add(written.incident.pk)
        touched += 1
        verdicts += _weigh(lens, finding, written, is_due=written.incident.pk in waiting)
    for row in due:
        if row.pk not in seen:
            verdicts += _look_alone(lens, row)
    if refreshed.bereft:
        _withdraw(lens, refreshed.bereft)
    return Pass(0, touched, verdicts)


def _ask(lens: Lens, refreshed: episodes.Refreshed) -> Pass:
    """Propose the incidents that symptoms tell of and that nobody has opened."""
    for finding in findings(lens, refreshed.changed, []):
        incident, _ = incidents.incident_for(team=lens.team, finding=finding)
        if incident is None:
            proposals.propose(lens=lens, finding=finding)
    return Pass()


def _refresh_issues(lens: Lens) -> tuple[episodes.Refreshed, int]:
    dirty = Issue.objects.filter(service__team=lens.team, dirty_at__isnull=False).order_by("pk")
    rows = list(dirty.select_related("service")[:BATCH])
    marks = {row.pk: row.dirty_at for row in rows}
    found = episodes.Refreshed()
    for issue in rows:
        if issue.events_count >= lens.rule.events:
            found.add(episodes.refresh_issue(lens=lens, issue=issue))
    by_mark: dict[dt.datetime | None, list[int]] = {}
    for pk, mark in marks.items():
        by_mark.setdefault(mark, []).append(pk)
    for mark, ids in by_mark.items():  # what became dirty again meanwhile stays dirty
        Issue.objects.filter(pk__in=ids, dirty_at=mark).update(dirty_at=None)
    return found, len(marks)


def _refresh_checks(lens: Lens) -> list[Episode]:
    dirty = CheckWatch.objects.filter(service__team=lens.team, dirty_since__isnull=False)
    changed: list[Episode] = []
    for watch in dirty.select_related("service", "environment").order_by("pk"):
        changed += episodes.refresh_outages(lens=lens, watch=watch)
    return changed


def _weigh(lens: Lens, finding: incidents.Finding, written: incidents.Written, *, is_due: bool) -> int:
    """Attribute at once on news, when due, or when it has grown twofold; else a little later. How many verdicts."""
    incident = written.incident
    last = incident.verdicts.order_by("-number").values_list("inputs", flat=True).first()
    grown = last is None or finding.events >= 2 * max(1, int(last.get("events") or 0))
    trigger = written.news[0] if written.news else "due" if is_due else "grew" if grown else ""
    due_at = _due_at(lens, finding, incident)
    if trigger and not incident.is_dismissed:
        attribution.attribute(lens=lens, incident=incident, finding=finding, trigger=trigger)
    else:
        due_at = min(due_at or lens.now + LULL, lens.now + LULL)
    Incident.objects.filter(pk=incident.pk).update(due_at=None if incident.is_dismissed else due_at)
    return int(bool(trigger))


def _due_at(lens: Lens, finding: incidents.Finding, incident: Incident) -> dt.datetime | None:
    """The next instant at which something is to be looked at without new evidence."""
    found: list[dt.datetime] = []
    quiet = spells.due_at(finding.group, seconds(lens.now), lens.rule)
    if quiet is not None:
        found.append(instant(quiet))
    if incident.detected_at is not None:
        found.append(incident.detected_at + SETTLE)
    if finding.restored_at is not None:
        found.append(instant(finding.restored_at) + AFTERMATH)
    return min((at for at in found if at > lens.now), default=None)


def _look_alone(lens: Lens, incident: Incident) -> int:
    """Due, but without any symptom of its own: a declared one is weighed by what its issues show. How many verdicts."""
    finding = declared_finding(lens, incident) if not incident.is_dismissed else None
    due_at = None
    if finding is not None:
        attribution.attribute(lens=lens, incident=incident, finding=finding, trigger="declared")
        due_at = _due_at(lens, finding, incident)
    Incident.objects.filter(pk=incident.pk).update(due_at=due_at)
    return int(finding is not None)


def _withdraw(lens: Lens, bereft: set[int]) -> None:
    """Incidents whose last symptom has dissolved."""
    gone = Incident.objects.filter(pk__in=bereft, episodes=None).select_related("team", "environment")
    for incident in gone.order_by("pk"):
        incidents.withdraw_unfounded(incident=incident, now=lens.now)
