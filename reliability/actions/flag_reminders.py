"""Owners are reminded by mail of flags that should go: one mail a week and person, with all of theirs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from django.conf import settings
from django.core import signing
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from deploys.actions.flag_cleanup import Case, cleanup_of
from deploys.actions.own_flags import OwnFlag, is_on
from deploys.domain.flag_cleanup import Rule
from deploys.domain.flag_summary import is_due
from deploys.models import Membership, RegisteredFlag, Role, Team, User
from reliability.actions.mail import queue_mail
from reliability.domain.flag_reminders import reminder_week
from reliability.domain.weeks import zone_named
from reliability.models import FlagMailStop, OutgoingMail

_SALT: Final = "flag mail"
#: Flags of one mail; the page has the others.
MOST: Final = 50


def remind_owners(*, team: Team, now: datetime) -> int:
    """Writes the week's reminders of a team, all or none; how many. Idempotent by week and person.

    Nobody is reminded of a flag that is postponed, on its way out, or only lacks evidence. What nobody in the team owns goes to
    its administrators. One query out of season, or without flags; about forty else.
    """
    week = reminder_week(now.astimezone(zone_named(team.zone)))
    if not week or not settings.MAIL_IS_SET or not RegisteredFlag.objects.filter(team=team).exists():
        return 0
    key = f"flags/{team.pk}/{week}/"
    if OutgoingMail.objects.filter(key__startswith=key).exists() or not is_on(team, OwnFlag.REMINDERS, now=now):
        return 0
    cases = [case for case in cleanup_of(team, now=now).cases if case.flag is not None and _asks(case)]
    if not cases:
        return 0
    stopped = set(FlagMailStop.objects.filter(team=team).values_list("user", flat=True))
    readers = {user: found for user, found in _by_reader(team, cases).items() if user.pk not in stopped}
    with transaction.atomic():
        return sum(_write(team, user, found, key, now) for user, found in readers.items())


def _asks(case: Case) -> bool:
    """Whether something is asked of somebody now: it should go, or it is archived and still asked for."""
    return is_due(case.judged) or Rule.ZOMBIE in case.judged.rules


def _by_reader(team: Team, cases: Sequence[Case]) -> Mapping[User, list[Case]]:
    """Who is told of which flags: the owner, by address or name; else the team's administrators. In the order of the page."""
    members = list(Membership.objects.filter(team=team, user__is_active=True).select_related("user").order_by("pk"))
    by_name = {name.lower(): each.user for each in reversed(members) for name in (each.user.name, each.user.email)}
    admins = [each.user for each in members if each.role == Role.ADMIN]
    found: dict[User, list[Case]] = {}
    for case in cases:
        owner = by_name.get(case.dossier.owner.strip().lower())
        for user in admins if owner is None else [owner]:
            found.setdefault(user, []).append(case)
    return found


def _write(team: Team, user: User, cases: Sequence[Case], key: str, now: datetime) -> bool:
    stop = f"{settings.BASE_URL}{reverse('flag-mail-stop', args=[stop_token(team, user)])}"
    context = {
        "team": team, "user": user, "cases": cases[:MOST], "more_count": max(0, len(cases) - MOST), "base": settings.BASE_URL,
        "stop": stop, "zombie": Rule.ZOMBIE,
    }  # fmt: skip
    with timezone.override(zone_named(user.zone or team.zone)):
        text = render_to_string("email/flag_reminder.txt", context)
    flags = "1 flag" if len(cases) == 1 else f"{len(cases)} flags"
    headers = {
        "List-Unsubscribe": f"<{stop}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        "Auto-Submitted": "auto-generated",
    }  # fmt: skip
    return queue_mail(
        team=team,
        key=f"{key}{user.pk}",
        to=user.email,
        subject=f"{team.name}: {flags} to clean up",
        text=text,
        headers=headers,
        now=now,
    )


def stop_token(team: Team, user: User) -> str:
    """What proves that somebody holds a reminder of this team."""
    return signing.dumps([team.pk, user.pk], salt=_SALT)


def reader_of(token: str) -> tuple[Team, User] | None:
    """Whose reminders a token is about; None for a forged one, and once either is gone."""
    try:
        team_pk, user_pk = signing.loads(token, salt=_SALT)
    except signing.BadSignature:
        return None
    membership = Membership.objects.filter(team=team_pk, user=user_pk).select_related("team", "user").first()
    return (membership.team, membership.user) if membership is not None else None


def stop_reminders(*, team: Team, user: User, now: datetime) -> None:
    """No further reminder to this person; what waits unsent is not sent. Idempotent."""
    FlagMailStop.objects.get_or_create(team=team, user=user, defaults={"stopped_at": now})
    waiting = OutgoingMail.objects.filter(team=team, to=user.email, key__startswith=f"flags/{team.pk}/")
    waiting.filter(sent_at__isnull=True, given_up_at__isnull=True, claimed_at__isnull=True).update(
        given_up_at=now, last_error="unsubscribed"
    )


def resume_reminders(*, team: Team, user: User) -> None:
    """They come again, from the next week on. Idempotent."""
    FlagMailStop.objects.filter(team=team, user=user).delete()
