"""Links that show one report to whoever holds them. Only a hash of each is stored; it is shown once."""

from __future__ import annotations

import datetime as dt
from typing import Final

from deploys.actions.secrets import new_secret, secret_hash
from deploys.models import Team, User
from reliability.models import ReportShare

LIFE: Final = dt.timedelta(days=90)


def share_report(*, team: Team, label: str, by: User, now: dt.datetime, life: dt.timedelta = LIFE) -> str:
    """The secret of a new link."""
    secret = new_secret()
    ReportShare.objects.create(
        team=team, label=label, secret_hash=secret_hash(secret), created_by=by, created_at=now, expires_at=now + life
    )
    return secret


def revoke_share(*, team: Team, public_id: str, now: dt.datetime) -> bool:
    """Ends a link of the team; false where there is none that works."""
    rows = ReportShare.objects.filter(team=team, public_id=public_id, revoked_at__isnull=True)
    return bool(rows.update(revoked_at=now))


def shared_by(secret: str, *, now: dt.datetime) -> ReportShare | None:
    """The link of a secret, while it works."""
    return (
        ReportShare.objects.select_related("team")
        .filter(secret_hash=secret_hash(secret), revoked_at__isnull=True, expires_at__gt=now)
        .first()
    )
