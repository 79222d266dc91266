"""What trackers say of the tickets that flags name."""

from __future__ import annotations

import datetime as dt

from deploys.actions.turns import one_write
from deploys.domain.tickets import TicketReport, ticket_key
from deploys.models import FlagTask, RegisteredFlag, Source


def take_ticket(*, source: Source, report: TicketReport, received_at: dt.datetime) -> bool | None:
    """Whether the report says anything new of a flag's ticket; None where no flag in use names it. The later word stands,
    by the tracker's clock, in whatever order they come.
    """
    key = ticket_key(report.url)
    with one_write():
        flags = RegisteredFlag.objects.filter(team=source.team, archived_at__isnull=True).exclude(ticket_url="")
        named = [flag for flag in flags.only("pk", "ticket_url") if key and ticket_key(flag.ticket_url) == key]
        news = [_take(flag, key, source, report, received_at) for flag in named]
    return any(news) if named else None


def _take(flag: RegisteredFlag, key: str, source: Source, report: TicketReport, received_at: dt.datetime) -> bool:
    task, _ = FlagTask.objects.select_for_update().get_or_create(flag=flag)
    if task.ticket_key == key and task.ticket_told_at is not None and task.ticket_told_at >= report.at:
        return False
    is_news = (task.ticket_key, task.ticket_is_closed) != (key, report.is_closed)
    task.ticket_key, task.ticket_source, task.ticket_told_at, task.ticket_heard_at = key, source, report.at, received_at
    if is_news:
        task.ticket_is_closed, task.ticket_at = report.is_closed, report.at
    task.save()
    return is_news
