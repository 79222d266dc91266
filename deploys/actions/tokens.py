"""API tokens: made, shown once, looked up by hash, revoked."""

from __future__ import annotations

import datetime as dt
import hmac
import logging
from collections.abc import Iterable
from typing import Final

from django.db import OperationalError

from deploys.actions.secrets import new_secret, secret_hash
from deploys.models import ApiToken, Scope, Team, User

logger = logging.getLogger(__name__)

PREFIX: Final = "upshot_"
#: How exact `last_used_at` is: a write per request would be a write lock per request.
LAST_USED_STEP: Final = dt.timedelta(minutes=1)


class UnusableToken(Exception):
    """The token is unknown, revoked or too old. `reason` is for the log; senders are told no more than that it failed."""


class UnknownScope(ValueError):
    """A scope that is none of ours."""


def create_token(
    *,
    team: Team,
    name: str,
    scopes: Iterable[str],
    now: dt.datetime,
    by: User | None = None,
    expires_at: dt.datetime | None = None,
) -> tuple[ApiToken, str]:
    """The row and the token itself, which is shown now and never again."""
    wanted = list(dict.fromkeys(scopes))
    unknown = [scope for scope in wanted if scope not in Scope.values]
    if unknown or not wanted:
        raise UnknownScope(f"scopes: expected some of {', '.join(Scope.values)}, got {', '.join(unknown) or 'none'}")
    secret = PREFIX + new_secret()
    token = ApiToken.objects.create(
        team=team, name=name.strip()[:100], prefix=secret[: len(PREFIX) + 6], secret_hash=secret_hash(secret),
        scopes=wanted, created_by=by, created_at=now, expires_at=expires_at,
    )  # fmt: skip
    return token, secret


def authenticate(secret: str, *, now: dt.datetime) -> ApiToken:
    """The usable token with this secret. UnusableToken otherwise. One query, and one write a minute at most."""
    digest = secret_hash(secret)
    token = ApiToken.objects.select_related("team").filter(secret_hash=digest).first()
    if token is None or not hmac.compare_digest(token.secret_hash.encode(), digest.encode()):
        raise UnusableToken("unknown")
    if token.revoked_at is not None:
        raise UnusableToken("revoked")
    if token.expires_at is not None and token.expires_at <= now:
        raise UnusableToken("expired")
    if token.last_used_at is None or now - token.last_used_at >= LAST_USED_STEP:
        _note_use(token, now)
    return token


def _note_use(token: ApiToken, now: dt.datetime) -> None:
    """A database that is too busy for this write must not refuse the request: reading needs no write lock."""
    try:
        ApiToken.objects.filter(pk=token.pk).update(last_used_at=now)
    except OperationalError as error:
        logger.warning(
            "the last use of a token was not written", extra={"token": str(token.public_id), "why": str(error)}
        )


def revoke_token(*, token: ApiToken, now: dt.datetime) -> None:
    """The token is refused from now on. Idempotent: the first instant stays."""
    ApiToken.objects.filter(pk=token.pk, revoked_at__isnull=True).update(revoked_at=now)
