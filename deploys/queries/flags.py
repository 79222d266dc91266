"""Flag changes, as pages show them."""

from __future__ import annotations

import datetime as dt
from typing import Final

from django.db.models import Q

from deploys.models import Deploy, FlagChange, Service

BEFORE: Final = dt.timedelta(hours=1)
AFTER: Final = dt.timedelta(hours=24)
MOST: Final = 20


def flag_changes_between(
    *, service: Service, environment_id: int, since: dt.datetime, until: dt.datetime, most: int = MOST
) -> list[FlagChange]:
    """Changes of flags in [since, until) that name the service, or name none. First come first. One query."""
    rows = FlagChange.objects.select_related("change", "flag").filter(
        Q(services=service) | Q(has_services=False),
        team=service.team_id,
        change__environment=environment_id,
        change__at__gte=since,
        change__at__lt=until,
    )
    return list(rows.distinct().order_by("change__at", "pk")[:most])


def flag_changes_around(deploy: Deploy, *, began_at: dt.datetime | None) -> list[FlagChange]:
    """Flags touched from an hour before the deploy began to a day after it was live. One query."""
    return flag_changes_between(
        service=deploy.service,
        environment_id=deploy.environment_id,
        since=deploy.started_at - BEFORE,
        until=(began_at or deploy.started_at) + AFTER,
    )
