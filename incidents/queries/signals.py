"""What told of an incident: its errors, failed checks, jobs, and the alerts of other tools."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from incidents.models import Alert, Episode, Incident

ERRORS: Final = "errors"
CHECKS: Final = "checks"
JOB: Final = "a job"
ALERT: Final = "an alert"
MOST: Final = 200


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
