"""Retrospectives and what is promised in them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from zoneinfo import ZoneInfo

from django.db import transaction
from django.urls import reverse

from deploys.models import Membership, Team, User
from incidents.actions.telling import Line, announce, locked, write_lines
from incidents.domain.promises import EARLY, ItemState, is_overdue, reminder
from incidents.domain.retrospectives import checked_answers
from incidents.models import ActionItem, Incident, Retrospective, TimelineEntry
from incidents.ports import Notice, notify

STATE = TimelineEntry.Kind.STATE
#: Items of one incident: a list nobody can keep is no promise.
MOST_ITEMS = 100
BATCH = 500


class SavedMeanwhile(ValueError):
    """Somebody else saved the retrospective since it was opened; `by` and `at` say who and when."""

    def __init__(self, retrospective: Retrospective) -> None:
        super().__init__("Somebody else saved this retrospective since you opened it.")
        self.retrospective = retrospective


class ItemRefused(ValueError):
    """An action item that cannot be; the message says why."""


@transaction.atomic
def save_answers(
    *, incident: Incident, answers: Mapping[str, str], revision: int, by: User, now: dt.datetime
) -> Retrospective:
    """Keeps the answers. `revision`: the one they were written on. Raises SavedMeanwhile, AnswersRefused."""
    incident = locked(incident)
    kept = checked_answers(answers)
    row = Retrospective.objects.filter(incident=incident).select_related("updated_by").first()
    if row is None:
        row = Retrospective(incident=incident, updated_at=now)
    if row.answers == kept and row.pk is not None:
        return row
    if row.revision != revision:
        raise SavedMeanwhile(row)
    row.answers, row.revision, row.updated_at, row.updated_by = kept, revision + 1, now, by
    row.save()
    announce(incident)
    return row


@transaction.atomic
def finish(*, incident: Incident, is_finished: bool, by: User, now: dt.datetime) -> Retrospective:
    """It is written, or not yet after all."""
    incident = locked(incident)
    row, _ = Retrospective.objects.get_or_create(incident=incident, defaults={"updated_at": now})
    if (row.finished_at is not None) == is_finished:
        return row
    row.finished_at, row.finished_by = (now, by) if is_finished else (None, None)
    row.save(update_fields=["finished_at", "finished_by"])
    data = {"state": "retrospective" if is_finished else "retrospective_reopened"}
    write_lines(incident=incident, lines=[Line(kind=STATE, data=data)], by=by, now=now)
    announce(incident)
    return row


@transaction.atomic
def promise(
    *, incident: Incident, title: str, owner: User | None, due_on: dt.date | None, by: User, now: dt.datetime
) -> ActionItem:
    """Adds an action item. Raises ItemRefused for an empty title, a stranger, or one too many."""
    incident = locked(incident)
    title = _checked(incident.team, title, owner)
    if incident.action_items.count() >= MOST_ITEMS:
        raise ItemRefused(f"An incident has at most {MOST_ITEMS} action items.")
    item = ActionItem.objects.create(
        team=incident.team, incident=incident, title=title, owner=owner, due_on=due_on, created_at=now, created_by=by
    )
    _tell(item, "promised", by, now)
    return item


@transaction.atomic
def change_item(
    *, item: ActionItem, title: str, owner: User | None, due_on: dt.date | None, by: User, now: dt.datetime
) -> ActionItem:
    """Another title, owner or day. Raises ItemRefused."""
    item = ActionItem.objects.select_for_update().select_related("team", "incident").get(pk=item.pk)
    title = _checked(item.team, title, owner)
    if (item.title, item.owner_id, item.due_on) == (title, owner.pk if owner else None, due_on):
        return item
    item.title, item.owner, item.due_on = title, owner, due_on
    item.save(update_fields=["title", "owner", "due_on"])
    _tell(item, "promise_changed", by, now)
    return item


@transaction.atomic
def end_item(*, item: ActionItem, state: ItemState, by: User, now: dt.datetime) -> ActionItem:
    """Done, dropped, or open again."""
    item = ActionItem.objects.select_for_update().select_related("team", "incident").get(pk=item.pk)
    if item.state == state:
        return item
    item.state = state.value
    item.ended_at, item.ended_by = (None, None) if state is ItemState.OPEN else (now, by)
    item.save(update_fields=["state", "ended_at", "ended_by"])
    _tell(item, {"done": "kept", "dropped": "promise_dropped", "open": "promise_reopened"}[state.value], by, now)
    return item


def _checked(team: Team, title: str, owner: User | None) -> str:
    title = title.replace("\x00", "").strip()[:300]
    if not title:
        raise ItemRefused("Say what is promised.")
    if owner is not None and not Membership.objects.filter(team=team, user=owner).exists():
        raise ItemRefused("Choose a member of this team.")
    return title


def _tell(item: ActionItem, state: str, by: User, now: dt.datetime) -> None:
    write_lines(
        incident=item.incident, lines=[Line(kind=STATE, data={"state": state, "title": item.title})], by=by, now=now
    )
    announce(item.incident)


def remind(*, now: dt.datetime) -> int:
    """Tells of action items that are due or overdue, in their team's day; each reminder once. How many were told."""
    soonest = (now + dt.timedelta(hours=14)).date() + EARLY  # the furthest zone is that far ahead of UTC
    told = 0
    rows = ActionItem.objects.filter(state=ItemState.OPEN, due_on__lte=soonest).select_related(
        "team", "incident", "owner"
    )
    for item in list(rows.order_by("due_on", "pk")[:BATCH]):
        today = now.astimezone(ZoneInfo(item.team.zone)).date()
        key = reminder(state=item.state, due_on=item.due_on, today=today)
        if not key or key == item.reminded_of:
            continue
        with transaction.atomic():
            mine = ActionItem.objects.filter(
                pk=item.pk, state=ItemState.OPEN, reminded_of=item.reminded_of, due_on=item.due_on
            )
            if mine.update(reminded_of=key):  # by one worker, whoever comes first
                notify(_notice(item, key, today))
                told += 1
    return told


def _notice(item: ActionItem, key: str, today: dt.date) -> Notice:
    late = is_overdue(state=item.state, due_on=item.due_on, today=today)
    owner = item.owner.name if item.owner else "nobody"
    return Notice(
        team=item.team,
        key=f"action-item:{item.public_id}:{key}",
        urgency="ticket",
        about="promise",
        title=f"{'Overdue' if late else 'Due'}: {item.title}"[:300],
        text=f"Promised after {item.incident.slug}, due on {item.due_on}, looked after by {owner}.",
        path=reverse("action-item", args=[item.team.slug, item.public_id]),
    )
