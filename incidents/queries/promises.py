"""Action items in lists."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from zoneinfo import ZoneInfo

from django.db.models import F, QuerySet

from deploys.models import Team, User
from incidents.domain.promises import ItemState
from incidents.models import ActionItem

LISTS = ("open", "overdue", "mine", "done", "all")
MOST = 200


def today_of(team: Team, now: dt.datetime) -> dt.date:
    """The date where the team is."""
    return now.astimezone(ZoneInfo(team.zone)).date()


def action_items(*, team: Team, which: str, me: User, now: dt.datetime) -> Sequence[ActionItem]:
    """The items of a list, due first, undated last; ended ones newest first. One query."""
    rows = ActionItem.objects.filter(team=team).select_related("incident", "owner")
    match which:
        case "overdue":
            rows = rows.filter(state=ItemState.OPEN, due_on__lt=today_of(team, now))
        case "mine":
            rows = rows.filter(state=ItemState.OPEN, owner=me)
        case "done":
            rows = rows.exclude(state=ItemState.OPEN).order_by("-ended_at", "-pk")
        case "all":
            pass
        case _:
            rows = rows.filter(state=ItemState.OPEN)
    return list(rows[:MOST] if which == "done" else _by_day(rows)[:MOST])


def _by_day(rows: QuerySet[ActionItem]) -> QuerySet[ActionItem]:
    return rows.order_by(F("due_on").asc(nulls_last=True), "pk")
