"""Upshot's own risky background work, switched by flags in a team's own registry. Without such a flag it is on."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum

from deploys.actions.flag_checks import Counted, record_checks
from deploys.domain.flag_evaluation import Unanswerable, evaluate
from deploys.models import Environment, FlagCheck, RegisteredFlag, Team
from deploys.queries.flag_rulesets import ruleset_of

APPLICATION = "upshot"


class OwnFlag(StrEnum):
    """What a team can switch off, or roll out by itself, by making a boolean flag of this key."""

    ARCHIVE = "upshot-archive-gone-flags"
    DETECTION = "upshot-detection"
    JOBS = "upshot-watch-jobs"
    NOTICES = "upshot-notifications"
    REMINDERS = "upshot-flag-reminders"
    REPORT_MAIL = "upshot-report-mail"
    RETENTION = "upshot-retention"
    TEACHING = "upshot-refit-weights"


def is_on(team: Team, own: OwnFlag, *, now: dt.datetime) -> bool:
    """Whether the work is done for this team: by its flag in production, drawn by the team's name.

    Each look is counted as a check of the application `upshot`. A flag that cannot be evaluated, or serves no truth value,
    changes nothing. One query for teams without such a flag, five for others.
    """
    flag = RegisteredFlag.objects.filter(team=team, key=own, value_type="boolean", archived_at__isnull=True).first()
    environment = Environment.objects.filter(team=team, tier="production").order_by("pk").first() if flag else None
    if flag is None or environment is None:
        return True
    try:
        told = evaluate(ruleset_of(environment), flag.key, {"targetingKey": team.slug}, now)
    except Unanswerable:
        return True
    hour = now.replace(minute=0, second=0, microsecond=0)
    counted = Counted(environment.pk, flag.key, APPLICATION, told.variant, hour, FlagCheck.Kind.CHECK.value)
    record_checks({counted: (1, now)})
    return told.value is not False


def switched_off(own: OwnFlag, *, now: dt.datetime) -> set[int]:
    """The teams for which the work is not done. One query where no team has such a flag."""
    rows = RegisteredFlag.objects.filter(key=own, value_type="boolean", archived_at__isnull=True)
    return {row.team_id for row in rows.select_related("team") if not is_on(row.team, own, now=now)}
