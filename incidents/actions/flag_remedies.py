"""Turning a flag off because of an incident: the fastest remedy there is."""

from __future__ import annotations

import datetime as dt

from deploys.actions.flag_registry import FlagRefused
from deploys.actions.flag_switches import kill_flag
from deploys.actions.turns import one_write
from deploys.models import Change, User
from deploys.queries.flag_switchable import switchable
from incidents.actions.causes import CauseRefused, add_remedy, note_remedy
from incidents.actions.clocks import set_clock
from incidents.actions.telling import locked
from incidents.domain.clocks import Clock
from incidents.models import Incident


def turn_off(*, incident: Incident, change: Change, by: User, now: dt.datetime) -> Incident:
    """Everybody gets the off variant of the changed flag, at once; that flip is noted as the remedy.

    Where errors belong to the incident, it is mitigated now, and restored once they stop: they confirm the recovery. Where
    none do, nobody else could tell: it counts as restored. Raises CauseRefused for a flag that is not served from here, or
    is off already.
    """
    with one_write():
        incident = locked(incident)
        flag = (
            switchable(incident.team, [change], now=now).get(change.pk) if change.team_id == incident.team_id else None
        )
        if flag is None:
            raise CauseRefused("This flag is not served from here, or is off for everybody already.")
        try:
            revision = kill_flag(
                flag=flag, environment=change.environment, reason=f"{incident.slug}: {incident.title}"[:500], until=None,
                now=now, by=by,
            )  # fmt: skip
        except FlagRefused as error:
            raise CauseRefused(str(error)) from error
        if revision is None or revision.change is None:
            raise CauseRefused("This flag is off for everybody already.")
        if not incident.incident_issues.exists():
            return add_remedy(incident=incident, change=revision.change, by=by, now=now)
        incident = note_remedy(incident=incident, change=revision.change, by=by, now=now)
        if incident.mitigated_at is None and incident.restored_at is None:
            at = max(now, incident.detected_at or now)
            incident = set_clock(incident=incident, clock=Clock.MITIGATED, at=at, by=by, now=now)
    return incident
