"""People: signing in, the first account, joining by invitation, what they may change about themselves."""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import Final

from django.contrib.auth import authenticate
from django.contrib.auth.hashers import check_password
from django.db import IntegrityError, transaction
from django.http import HttpRequest

from deploys.actions import links
from deploys.actions.catalog import add_member
from deploys.models import Membership, OneTimeLink, SignInAttempt, Team, User
from deploys.models.catalog import Role

SPAN: Final = dt.timedelta(minutes=15)
#: Failed tries within SPAN after which the next is not even looked at.
PER_EMAIL: Final = 5
PER_ADDRESS: Final = 50


class TooManyAttempts(Exception):
    """Signing in is refused for a while, whatever the password is."""


class NotPossible(Exception):
    """What was asked cannot be done; the message says why, for the person who asked."""


def _key(kind: str, value: str) -> str:
    return hashlib.sha256(f"{kind}\x00{value}".encode()).hexdigest()


def sign_in(*, request: HttpRequest, email: str, password: str, now: dt.datetime) -> User | None:
    """The person with this password, or None. TooManyAttempts when this address or person failed too often.

    Each try is a row before the password is looked at, so that parallel guesses in several processes are all counted.
    """
    email = email.strip().lower()
    by_email, by_address = _key("email", email), _key("address", str(request.META.get("REMOTE_ADDR", "")))
    SignInAttempt.objects.filter(at__lte=now - SPAN).delete()
    attempt = SignInAttempt.objects.create(email_key=by_email, address_key=by_address, at=now)
    recent = SignInAttempt.objects.filter(at__gt=now - SPAN)
    if (
        recent.filter(email_key=by_email).count() > PER_EMAIL
        or recent.filter(address_key=by_address).count() > PER_ADDRESS
    ):
        raise TooManyAttempts
    user = authenticate(request, username=email, password=password)
    if not isinstance(user, User):
        return None
    SignInAttempt.objects.filter(email_key=by_email).delete()
    SignInAttempt.objects.filter(pk=attempt.pk).delete()
    return user


def is_fresh() -> bool:
    """Whether nobody has an account on this instance yet."""
    return not User.objects.exists()


@transaction.atomic
def make_first_account(*, link: OneTimeLink, email: str, password: str, zone: str, now: dt.datetime) -> User:
    """The account of whoever sets the instance up, by the link printed in the console. NotPossible when there is one."""
    if not is_fresh():
        raise NotPossible("This instance has an account already: sign in with it.")
    links.use(link, now=now)
    return User.objects.create_user(email, password, zone=zone)


@transaction.atomic
def join(
    *,
    link: OneTimeLink,
    now: dt.datetime,
    user: User | None = None,
    email: str = "",
    password: str = "",
    zone: str = "UTC",
) -> User:
    """Somebody takes up an invitation, with the account they are signed in to or a new one. NotPossible says why not."""
    if link.team is None or link.role is None:
        raise NotPossible("This link is no invitation.")
    email = (user.email if user else email).strip().lower()
    if link.email and link.email != email:
        raise NotPossible(f"This invitation is for {link.email}.")
    links.use(link, now=now)
    if user is None:
        try:
            with transaction.atomic():
                user = User.objects.create_user(email, password, zone=zone)
        except IntegrityError as error:
            raise NotPossible(
                "Somebody has an account with this address. Sign in first, then open the link again."
            ) from error
    membership = Membership.objects.filter(team=link.team, user=user).first()
    if membership is None or _rank(link.role) > _rank(membership.role):
        add_member(team=link.team, user=user, role=link.role, now=now)
    return user


def _rank(role: str) -> int:
    return list(Role.values).index(role)


def change_password(*, user: User, old: str, new: str) -> None:
    """Sets a new password; the old one is asked for unless none was ever set. NotPossible when it is wrong."""
    if user.has_usable_password() and not check_password(old, user.password):
        raise NotPossible("The present password is another one.")
    user.set_password(new)
    user.save(update_fields=["password"])


def change_details(*, user: User, email: str, zone: str) -> None:
    """The address somebody signs in with, and the zone their pages are in. NotPossible when the address is taken."""
    user.email, user.zone = email, zone
    try:
        with transaction.atomic():
            user.save(update_fields=["email", "zone"])
    except IntegrityError as error:
        raise NotPossible("Somebody else has this address.") from error


@transaction.atomic
def change_role(*, team: Team, membership_id: int, role: str) -> Membership:
    """Gives a member another role. NotPossible when the team would be left without an admin."""
    membership = _locked(team, membership_id)
    if role != Role.ADMIN:
        _keep_an_admin(team, membership)
    membership.role = Role(role)
    membership.save(update_fields=["role"])
    return membership


@transaction.atomic
def remove_member(*, team: Team, membership_id: int) -> Membership:
    """Takes somebody out of a team; their account stays. NotPossible when the team would be left without an admin."""
    membership = _locked(team, membership_id)
    _keep_an_admin(team, membership)
    membership.delete()
    return membership


def _locked(team: Team, membership_id: int) -> Membership:
    """The membership, with the team's row locked so that two admins cannot remove each other at once."""
    Team.objects.select_for_update().get(pk=team.pk)
    membership = Membership.objects.select_related("user").filter(team=team, pk=membership_id).first()
    if membership is None:
        raise NotPossible("This person is not in the team any more.")
    return membership


def _keep_an_admin(team: Team, leaving: Membership) -> None:
    others = Membership.objects.filter(team=team, role=Role.ADMIN).exclude(pk=leaving.pk)
    if leaving.role == Role.ADMIN and not others.exists():
        raise NotPossible("A team needs an admin: make somebody else admin first.")


def withdraw_invitation(*, team: Team, public_id: str, now: dt.datetime) -> None:
    """An invitation nobody has used stops working."""
    team.invitations.filter(public_id=public_id, used_at__isnull=True, expires_at__gt=now).update(expires_at=now)
