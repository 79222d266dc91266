"""Keys by which applications evaluate flags: made, shown once, revoked."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Final

from deploys.actions.catalog import clean_name
from deploys.actions.flag_registry import FlagRefused, touch
from deploys.actions.secrets import new_secret, secret_hash
from deploys.actions.turns import one_write
from deploys.models import Environment, FlagKey, User

PREFIX: Final = {FlagKey.Kind.SERVER: "upflag_", FlagKey.Kind.BROWSER: "upflagweb_"}
MOST_ORIGINS: Final = 20


def make_key(
    *,
    environment: Environment,
    kind: str,
    application: str,
    now: dt.datetime,
    by: User | None = None,
    origins: Sequence[str] = (),
) -> tuple[FlagKey, str]:
    """A new key and its secret, which is stored nowhere. `origins`: pages that may use a browser's key; empty: any."""
    kind = FlagKey.Kind(kind)
    checked = [_origin(each) for each in origins]
    if len(checked) > MOST_ORIGINS or (checked and kind != FlagKey.Kind.BROWSER):
        raise FlagRefused(f"up to {MOST_ORIGINS} origins, and only for a browser's key", field="origins")
    secret = PREFIX[kind] + new_secret()
    with one_write():
        key = FlagKey.objects.create(
            team_id=environment.team_id, environment=environment, kind=kind, origins=checked, created_at=now,
            application=clean_name(application, what="application", longest=100), created_by=by,
            prefix=secret[: len(PREFIX[kind]) + 4], secret_hash=secret_hash(secret),
        )  # fmt: skip
        touch([environment])
    return key, secret


def revoke_key(*, key: FlagKey, now: dt.datetime) -> None:
    """The key is refused within seconds. Idempotent: the first instant stays."""
    with one_write():
        FlagKey.objects.filter(pk=key.pk, revoked_at__isnull=True).update(revoked_at=now)
        touch([key.environment])


def _origin(said: str) -> str:
    origin = said.strip().rstrip("/").lower()
    scheme, _, host = origin.partition("://")
    if scheme not in {"http", "https"} or not host or "/" in host or not origin.isprintable() or len(origin) > 200:
        raise FlagRefused(f"{said}: expected an origin such as https://shop.example.com", field="origins")
    return origin
