"""Flags that errors carried: evidence that something asked for them."""

from __future__ import annotations

import datetime as dt
from typing import Final

from deploys.models import Service, Team
from incidents.models import ErrorEvent

SPAN: Final = dt.timedelta(days=14)
MOST: Final = 1_000


def flag_sightings(team: Team, now: dt.datetime) -> dict[tuple[int, str], dt.datetime]:
    """By environment and key, the last error that carried the flag, of the newest thousand of 14 days. Two queries.

    SDKs send the last hundred flags asked for with each error; what is missing here proves nothing.
    """
    services = list(Service.objects.filter(team=team).values_list("pk", flat=True))
    rows = ErrorEvent.objects.filter(
        service__in=services, flags__isnull=False, timestamp__gt=now - SPAN, timestamp__lte=now
    ).order_by("-timestamp")
    found: dict[tuple[int, str], dt.datetime] = {}
    for environment, at, flags in rows.values_list("environment_id", "timestamp", "flags")[:MOST]:
        for key in flags or ():
            found.setdefault((environment, str(key)), at)
    return found
