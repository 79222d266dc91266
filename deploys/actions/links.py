"""One-time links: to set an instance up, to sign in, to join a team. Only a hash of each is stored."""

from __future__ import annotations

import datetime as dt
from typing import Final

from django.db import transaction

from deploys.actions.secrets import new_secret, secret_hash
from deploys.models import OneTimeLink, Team, User

SETUP_LIFE: Final = dt.timedelta(hours=24)
SIGN_IN_LIFE: Final = dt.timedelta(hours=24)
INVITATION_LIFE: Final = dt.timedelta(days=7)


class UnusableLink(Exception):
    """The link is unknown, used or too old. The message says which, for the person who holds it."""


def path_of(secret: str) -> str:
    """The address of a link on this instance."""
    return f"/link/{secret}/"


def make_setup_link(*, now: dt.datetime) -> str:
    """The path that sets up an instance nobody has an account on. Earlier set-up links stop working."""
    OneTimeLink.objects.filter(purpose=OneTimeLink.Purpose.SETUP, used_at__isnull=True).update(expires_at=now)
    return _make(purpose=OneTimeLink.Purpose.SETUP, life=SETUP_LIFE, now=now)


def make_sign_in_link(*, user: User, now: dt.datetime) -> str:
    """The path that signs this person in once."""
    return _make(purpose=OneTimeLink.Purpose.SIGN_IN, life=SIGN_IN_LIFE, now=now, user=user)


def make_invitation(*, team: Team, role: str, by: User, now: dt.datetime, email: str | None = None) -> str:
    """The path that lets somebody join a team in a role; with `email`, that person only."""
    return _make(
        purpose=OneTimeLink.Purpose.INVITATION, life=INVITATION_LIFE, now=now, team=team, role=role, by=by, email=email
    )


def _make(
    *,
    purpose: str,
    life: dt.timedelta,
    now: dt.datetime,
    user: User | None = None,
    team: Team | None = None,
    role: str | None = None,
    by: User | None = None,
    email: str | None = None,
) -> str:
    secret = new_secret()
    OneTimeLink.objects.create(
        purpose=purpose, secret_hash=secret_hash(secret), user=user, team=team, role=role, created_by=by,
        email=email.strip().lower() if email else None, created_at=now, expires_at=now + life,
    )  # fmt: skip
    return path_of(secret)


def look_up(secret: str, *, now: dt.datetime) -> OneTimeLink:
    """The link behind a secret, not used up by looking. UnusableLink when it cannot be used."""
    link = OneTimeLink.objects.select_related("user", "team").filter(secret_hash=secret_hash(secret)).first()
    if link is None:
        raise UnusableLink("This link is not known here. Was it copied whole?")
    if link.used_at is not None:
        raise UnusableLink("This link was used before; each works once.")
    if link.expires_at <= now:
        raise UnusableLink("This link is too old. Ask for another one.")
    return link


@transaction.atomic
def use(link: OneTimeLink, *, now: dt.datetime) -> None:
    """Uses the link up. UnusableLink when somebody else was faster."""
    if not OneTimeLink.objects.filter(pk=link.pk, used_at__isnull=True, expires_at__gt=now).update(used_at=now):
        raise UnusableLink("This link was used before; each works once.")
