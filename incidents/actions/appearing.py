"""Releases that came up around an incident and whose deploy nobody has reported yet, recorded as suspects.

A quarter of all tools reports a deploy at its end only. The release shows itself before that: in the errors it throws and
in the sessions it serves.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Final

from deploys.actions.inferred import record_inferred
from deploys.models import Environment, Service
from incidents.domain.drift import FIRST_DAY
from incidents.queries.releases_seen import appeared

LOOK_BACK: Final = dt.timedelta(hours=3)
"""A release seen before this much ahead of the onset is no news; an unreported one is found by drift then."""
WHY: Final = "Nobody has reported this yet. Errors or sessions have come from {release} since then."


def note_appearing(
    *, services: Sequence[Service], environment: Environment, onset: dt.datetime, now: dt.datetime
) -> int:
    """Records each release of these services that appeared around the onset and that no deploy brought. How many.

    Safe to run again: what is recorded is known the next time. Three queries where everything was reported.
    """
    made = 0
    watched = {row.pk: row for row in services if row.first_event_at is not None}
    for service_id, release, at in appeared(list(watched), environment.pk, since=onset - LOOK_BACK, until=now):
        service = watched[service_id]
        if service.first_event_at is None or at < service.first_event_at + FIRST_DAY:
            continue
        deploy = record_inferred(
            service=service, environment=environment, release=release, at=at, why=WHY.format(release=release), now=now,
            is_over=False,
        )  # fmt: skip
        made += deploy is not None
    return made
