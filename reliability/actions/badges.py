"""The key in the addresses of a team's badges. It shows three numbers and nothing else, so it is kept in clear."""

from __future__ import annotations

import secrets

from deploys.models import Team
from reliability.models import ReportPlan


def renew_badge_key(*, team: Team) -> str:
    """A new key; addresses with the old one show nothing any more."""
    key = secrets.token_urlsafe(18)
    ReportPlan.objects.update_or_create(team=team, defaults={"badge_key": key})
    return key


def team_of_badge(key: str) -> Team | None:
    """The team whose badges have this key."""
    plan = ReportPlan.objects.select_related("team").filter(badge_key=key).first()
    return None if plan is None else plan.team
