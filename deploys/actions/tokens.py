"""API tokens: made, shown once, looked up by hash, revoked."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import logging
import math
from collections.abc import Iterable
from typing import Final

from django.db import OperationalError

from deploys.actions.secrets import new_secret, secret_hash
from deploys.models import ApiToken, Scope, SignInAttempt, Team, User
from deploys.queries.prepared import PreparedRows

logger = logging.getLogger(__name__)

PREFIX: Final = "upshot_"
#: How exact `last_used_at` is: a write per request would be a write lock per request.
LAST_USED_STEP: Final = dt.timedelta(minutes=1)
#: Wrong tokens that one address may send within SPAN before it is told to wait.
WRONG_TOKENS: Final = 20
SPAN: Final = dt.timedelta(minutes=5)
#: Stands where a try by password has the hash of its person.
MACHINE: Final = "machine"


_tokens: Final = PreparedRows(
    lambda hashes: ApiToken.objects.filter(secret_hash__among=hashes).select_related("team"), hashes=["(hash)"]
)


class UnusableToken(Exception):
    """The token is unknown, revoked or too old. `reason` is for the log; senders are told no more than that it failed."""


class TooManyWrongTokens(Exception):
    """This address has sent too many tokens that are none of ours. `seconds` until it may try again."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"too many wrong tokens from this address: wait {seconds} seconds")
        self.seconds = seconds


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
    token = next(iter(_tokens(hashes=[digest])), None)
    if token is None or not hmac.compare_digest(token.secret_hash.encode(), digest.encode()):
        raise UnusableToken("unknown")
    if (why := _why_not(token, now)) is not None:
        raise UnusableToken(why)
    if _is_note_due(token, now):
        _note_use(token, now)
    return token


def usable_tokens(hashes: Iterable[str], *, now: dt.datetime) -> dict[str, ApiToken]:
    """Those of these tokens that `authenticate` would give, by the hash of their secret. One query, and the same writes."""
    found = {token.secret_hash: token for token in _tokens(hashes=sorted(hashes)) if _why_not(token, now) is None}
    for token in found.values():
        if _is_note_due(token, now):
            _note_use(token, now)
    return found


def _why_not(token: ApiToken, now: dt.datetime) -> str | None:
    """Why a token cannot be used; None for one that can."""
    if token.revoked_at is not None:
        return "revoked"
    return "expired" if token.expires_at is not None and token.expires_at <= now else None


def _is_note_due(token: ApiToken, now: dt.datetime) -> bool:
    return token.last_used_at is None or now - token.last_used_at >= LAST_USED_STEP


def _note_use(token: ApiToken, now: dt.datetime) -> None:
    """A database that is too busy for this write must not refuse the request: reading needs no write lock."""
    try:
        ApiToken.objects.filter(pk=token.pk).update(last_used_at=now)
    except OperationalError as error:
        logger.warning(
            "the last use of a token was not written", extra={"public_id": str(token.public_id), "why": str(error)}
        )


def note_wrong_token(*, address: str, now: dt.datetime) -> None:
    """Counts a token that is none of ours, over all processes. TooManyWrongTokens beyond 20 in five minutes.

    Only who sends wrong tokens is held back: a good one from the same address is never asked this. Beyond the limit
    nothing is written, so that guessing costs no more than reading. A database that takes no writes counts none.
    """
    key = hashlib.sha256(f"token\x00{address}".encode()).hexdigest()
    recent = SignInAttempt.objects.filter(address_key=key, at__gt=now - SPAN).order_by("-at")
    times = list(recent.values_list("at", flat=True)[:WRONG_TOKENS])
    if len(times) >= WRONG_TOKENS:
        raise TooManyWrongTokens(max(1, math.ceil((times[-1] + SPAN - now).total_seconds())))
    try:
        SignInAttempt.objects.filter(address_key=key, at__lte=now - SPAN).delete()
        SignInAttempt.objects.create(email_key=MACHINE, address_key=key, at=now)
    except OperationalError as error:
        logger.warning("a wrong token was not counted", extra={"why": str(error)})


def revoke_token(*, token: ApiToken, now: dt.datetime) -> None:
    """The token is refused from now on. Idempotent: the first instant stays."""
    ApiToken.objects.filter(pk=token.pk, revoked_at__isnull=True).update(revoked_at=now)
