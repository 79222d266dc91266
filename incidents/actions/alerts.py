"""Alerts of other tools: every word they say is kept, and detection folds them.

The words are a set, so a delivery may come twice, late or after its successor: what they fold to is the same.
"""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

from django.db import transaction

from deploys.actions.catalog import environments_by_name
from deploys.domain.changes import OutsideReport
from deploys.models import Delivery, Service, Team, Tier
from deploys.ports import OutsideAnswer
from incidents.actions.cardinality import MOST_ENVIRONMENTS
from incidents.actions.episodes import Refreshed, differs
from incidents.domain.alerts import ACKNOWLEDGED, DETECTED, RESOLVED, Alarm, Word, alarms
from incidents.models import Alert, AlertWord, Episode
from incidents.queries.evidence import Lens, instant, seconds

Verdict = Delivery.Verdict
#: The words of senders, as they are kept.
STATES: Final = {"detected": DETECTED, "reported": DETECTED, "acknowledged": ACKNOWLEDGED, "resolved": RESOLVED}
#: Alerts of one team; a sender that makes up ids fills no table.
MOST_ALERTS: Final = 20_000
KEPT: Final = dt.timedelta(days=90)
BATCH: Final = 500
REASON: Final = "alert"


@transaction.atomic
def take_report(team: Team, report: OutsideReport, received_at: dt.datetime) -> OutsideAnswer:
    """Keeps what the report says and has detection look at it; what became of it, for the delivery log."""
    service = _service(team, report.service)
    if service is None:
        named = f"{report.service} is no service of this team" if report.service else "it names no service"
        return OutsideAnswer(Verdict.IGNORED, f"{named}: choose the webhook's service, or map the name by a rule")
    Team.objects.select_for_update(no_key=True).get(pk=team.pk)  # one writer at a time, on PostgreSQL, too
    alert = Alert.objects.filter(team=team, origin=report.origin[:300], key=report.id[:200]).first()
    if alert is None and Alert.objects.filter(team=team).count() >= MOST_ALERTS:
        return OutsideAnswer(
            Verdict.IGNORED, f"the team has {MOST_ALERTS:,} alerts of the last 90 days: no more are kept"
        )
    is_new = alert is None
    if alert is None:
        name = report.environment or "production"
        environments = environments_by_name(team=team, names=[name], now=received_at, most=MOST_ENVIRONMENTS)
        alert = Alert.objects.create(
            team=team, origin=report.origin[:300], key=report.id[:200], service=service, environment=environments[name],
            title=_title(report), url=report.url or "", says_down=report.says_down, heard_at=received_at,
        )  # fmt: skip
    fresh = _keep_words(alert, report)
    _hear(alert, report, received_at, is_news=bool(fresh))
    what = f"{alert.title}: {report.state}, {service.name}"
    if is_new:
        return OutsideAnswer(Verdict.CREATED, what)
    return OutsideAnswer(Verdict.UPDATED if fresh else Verdict.DUPLICATE, what)


def _service(team: Team, name: str | None) -> Service | None:
    """The service of this name, whatever its case: other tools write `Checkout` where we have `checkout`."""
    if not name:
        return None
    found = team.services.filter(name__iexact=name, retired_at__isnull=True)
    return found.filter(name=name).first() or found.order_by("pk").first()


def _title(report: OutsideReport) -> str:
    return (report.title or f"{report.origin} {report.id}")[:300]


def _keep_words(alert: Alert, report: OutsideReport) -> list[AlertWord]:
    """The words that were not known. A message about the end of something tells of its beginning, too."""
    said = {(STATES[report.state], report.at)}
    if report.began_at is not None and STATES[report.state] != DETECTED:
        said.add((DETECTED, min(report.began_at, report.at)))
    known = set(alert.words.values_list("state", "at"))
    fresh = [AlertWord(alert=alert, state=state, at=at) for state, at in sorted(said - known)]
    AlertWord.objects.bulk_create(fresh)
    return fresh


def _hear(alert: Alert, report: OutsideReport, received_at: dt.datetime, *, is_news: bool) -> None:
    """Notes that it was heard of. It is called what its first beginning said; that it is down is never taken back."""
    if (
        is_news
        and STATES[report.state] == DETECTED
        and not alert.words.filter(state=DETECTED, at__lt=report.at).exists()
    ):
        alert.title = _title(report)
    alert.heard_at = max(alert.heard_at, received_at)
    alert.says_down = alert.says_down or report.says_down
    if is_news:
        alert.dirty_at = received_at
    alert.save(update_fields=["title", "heard_at", "says_down", "dirty_at"])


def forget_alerts(*, now: dt.datetime) -> int:
    """Deletes alerts that were not heard of for KEPT and no longer fire; how many. What detection made of them stays."""
    firing = Episode.objects.filter(reason=REASON, ended_at__isnull=True).values_list("facts__alert", flat=True)
    old = Alert.objects.filter(heard_at__lt=now - KEPT, dirty_at__isnull=True)
    still = set(firing)
    ids = [pk for pk, public_id in old.values_list("pk", "public_id") if public_id.hex not in still]
    deleted = 0
    for begin in range(0, len(ids), BATCH):  # a statement takes so many values
        rows = Alert.objects.filter(pk__in=ids[begin : begin + BATCH])
        deleted += rows.delete()[1].get("incidents.Alert", 0)
    return deleted


# -- what detection makes of them ------------------------------------------------------------------------------------


def refresh(*, lens: Lens) -> Refreshed:
    """Brings the symptoms of alerts that have said something up to date with their words; the rows that changed."""
    done = Refreshed()
    dirty = Alert.objects.filter(team=lens.team, dirty_at__isnull=False).order_by("pk")
    for alert in dirty.select_related("service", "environment")[:BATCH]:
        if alert.environment.tier == Tier.PRODUCTION:
            done.add(_refresh(lens, alert))
        Alert.objects.filter(pk=alert.pk, dirty_at=alert.dirty_at).update(dirty_at=None)
    return done


def _refresh(lens: Lens, alert: Alert) -> Refreshed:
    """One symptom for each time it fired. A clock that is ahead of ours is held to ours."""
    now = seconds(lens.now)
    words = [Word(state, min(seconds(at), now)) for state, at in alert.words.values_list("state", "at")]
    rows = list(Episode.objects.filter(service=alert.service, reason=REASON, facts__alert=alert.public_id.hex))
    done = Refreshed()
    for alarm in alarms(words):
        values = _columns(alert, alarm)
        row = next((each for each in rows if _meets(each, alarm)), None)
        if row is None:
            row = Episode.objects.create(
                team=lens.team, service=alert.service, environment=alert.environment, reason=REASON, count=0, **values
            )
            done.changed.append(row)
            continue
        rows.remove(row)
        if differs(row, values):
            row.save(update_fields=list(values))
            done.changed.append(row)
    for row in rows:  # a word that came late has joined two of them
        if row.incident_id is not None:
            done.bereft.add(row.incident_id)
        row.delete()
    return done


def _columns(alert: Alert, alarm: Alarm) -> dict[str, Any]:  # Any: column values
    heard = max(alarm.start, seconds(alert.heard_at))
    return {
        "started_at": instant(alarm.start),
        "met_at": instant(alarm.start),
        "last_at": instant(heard if alarm.end is None else alarm.end),
        "ended_at": None if alarm.end is None else instant(alarm.end),
        "facts": {
            "alert": alert.public_id.hex, "title": alert.title, "says_down": alert.says_down, "looked_at": alarm.looked_at,
        },
    }  # fmt: skip


def _meets(row: Episode, alarm: Alarm) -> bool:
    end = row.ended_at or row.last_at
    return seconds(row.started_at) <= (alarm.end or seconds(end)) and alarm.start <= seconds(end)
