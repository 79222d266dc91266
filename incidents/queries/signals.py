"""What told of an incident: its errors, failed checks, jobs, and the alerts of other tools."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.db.models import OuterRef, Subquery

from deploys.models import Service
from incidents.domain.alerts import DETECTED, RESOLVED
from incidents.models import Alert, AlertWord, Episode, Incident

ERRORS: Final = "errors"
CHECKS: Final = "checks"
JOB: Final = "a job"
ALERT: Final = "an alert"
MOST: Final = 200
#: How long an alert that has ended is still shown on the page of its service, and how many are.
SHOWN_FOR: Final = dt.timedelta(hours=24)
MOST_SHOWN: Final = 10


@dataclass(frozen=True, slots=True)
class Alarming:
    """An alert of another tool that belongs to an incident. `ended_at` None while it fires."""

    alert: Alert
    started_at: dt.datetime
    ended_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class Signals:
    """`first` is what met the rule first, in words (empty where nothing of ours did); alerts by when they began to fire."""

    first: str
    alerts: Sequence[Alarming]


def signals_of(incident: Incident) -> Signals:
    """What told of it. One query, and one more where an alert did; at most MOST symptoms are read."""
    rows = list(incident.episodes.order_by("met_at", "pk")[:MOST])
    ids = {uuid.UUID(str(row.facts["alert"])) for row in rows if row.facts.get("alert")}
    alerts = (
        {each.public_id.hex: each for each in Alert.objects.filter(team=incident.team_id, public_id__in=ids)}
        if ids
        else {}
    )
    return Signals(
        first=_kind(rows[0]) if rows else "",
        alerts=[
            Alarming(alerts[row.facts["alert"]], row.started_at, row.ended_at)
            for row in sorted(rows, key=lambda row: (row.started_at, row.pk))
            if row.facts.get("alert") in alerts
        ],
    )


def _kind(row: Episode) -> str:
    if row.issue_id is not None:
        return ERRORS
    if row.facts.get("alert"):
        return ALERT
    return JOB if row.facts.get("job") else CHECKS


@dataclass(frozen=True, slots=True)
class Heard:
    """An alert of a service: since when it fires or fired last, whether it still does, and its incident, if any."""

    alert: Alert
    began_at: dt.datetime | None
    is_firing: bool
    incident: Incident | None


def alerts_of(service: Service, *, now: dt.datetime) -> list[Heard]:
    """Alerts of other tools about a service that were heard of in the last day, the last one first. At most two queries."""
    words = AlertWord.objects.filter(alert=OuterRef("pk")).order_by("-at", "-pk")
    rows = list(
        Alert.objects.filter(service=service, heard_at__gt=now - SHOWN_FOR)
        .select_related("environment")
        .annotate(
            last=Subquery(words.values("state")[:1]), began=Subquery(words.filter(state=DETECTED).values("at")[:1])
        )
        .order_by("-heard_at", "-pk")[:MOST_SHOWN]
    )
    if not rows:
        return []
    episodes = Episode.objects.filter(
        service=service, facts__alert__in=[each.public_id.hex for each in rows], incident__isnull=False
    )
    told = {row.facts["alert"]: row.incident for row in episodes.select_related("incident").order_by("started_at")}
    return [Heard(each, each.began, each.last != RESOLVED, told.get(each.public_id.hex)) for each in rows]


def began_at(alert: Alert) -> dt.datetime | None:
    """When it began to fire the last time. One query."""
    return alert.words.filter(state=DETECTED).order_by("-at").values_list("at", flat=True).first()
