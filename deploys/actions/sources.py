"""Senders with a webhook: made, given new secrets, switched off."""

from __future__ import annotations

import base64
import datetime as dt
import secrets
from collections.abc import Sequence
from typing import Final

from django.db import transaction

from deploys.actions.catalog import clean_name
from deploys.actions.secrets import decrypt, encrypt, new_secret
from deploys.domain.source_rules import RULE_KEYS, Rule
from deploys.formats.sources import KINDS
from deploys.models import Service, Source, Team

#: How long the previous secret is accepted after a rotation.
GRACE: Final = dt.timedelta(hours=24)

#: What a secret that was pasted may have: visible characters, as an HTTP header or a key must be.
LONGEST_SECRET: Final = 500


class NotASecret(ValueError):
    """A pasted secret that cannot be one."""


def make_source(
    *,
    team: Team,
    kind: str,
    name: str,
    now: dt.datetime,
    service: Service | None = None,
    rules: Sequence[Rule] = (),
    secret: str = "",
    is_strict: bool = False,
) -> tuple[Source, str]:
    """A sender and its secret, which is shown now and never again. With `service`, all it sends is about that one.

    `secret` is one that the sender made; NotASecret where it cannot be one. KeyError for a kind nobody declared.
    """
    secret = clean_secret(secret) if secret else made_secret(kind)
    source = Source.objects.create(
        team=team, kind=kind, name=clean_name(name, what="source", longest=100), service=service, is_strict=is_strict,
        secret_encrypted=encrypt(secret), rules=[clean_rule(rule) for rule in rules], created_at=now,
    )  # fmt: skip
    return source, secret


def made_secret(kind: str) -> str:
    """256 random bits, in the form in which this kind of sender takes its key."""
    if KINDS[kind].secret_prefix:
        return KINDS[kind].secret_prefix + base64.b64encode(secrets.token_bytes(32)).decode()
    return new_secret()


def clean_secret(secret: str) -> str:
    """The pasted secret without space around it. NotASecret when it is short, long or not printable ASCII."""
    secret = secret.strip()
    if not 8 <= len(secret) <= LONGEST_SECRET or not secret.isascii() or not secret.isprintable():
        raise NotASecret("expected 8 to 500 visible characters, as the sender shows them")
    return secret


def clean_rule(rule: Rule) -> dict[str, str]:
    """A rule with just its keys, each a text; an empty pattern means any."""
    return {key: str(rule.get(key, "")).strip()[:200] for key in RULE_KEYS}


def set_rules(*, source: Source, rules: Sequence[Rule]) -> None:
    """From now on, what the sender names is mapped by these rules; the first that fits counts."""
    source.rules = [clean_rule(rule) for rule in rules]
    source.save(update_fields=["rules"])


@transaction.atomic
def rotate_secret(*, source: Source, now: dt.datetime, secret: str = "") -> str:
    """A new secret, shown now and never again, or the one the sender made. The one before is accepted for another 24 hours."""
    secret = clean_secret(secret) if secret else made_secret(source.kind)
    locked = Source.objects.select_for_update().get(pk=source.pk)
    Source.objects.filter(pk=source.pk).update(
        secret_encrypted=encrypt(secret),
        previous_secret_encrypted=locked.secret_encrypted,
        previous_secret_until=now + GRACE,
    )
    return secret


def accepted_secrets(source: Source, *, now: dt.datetime) -> list[str]:
    """The current secret, and the previous one while it is still accepted. UnreadableSecret: see `secrets.decrypt`."""
    found = [decrypt(source.secret_encrypted)]
    until = source.previous_secret_until
    if source.previous_secret_encrypted is not None and until is not None and now < until:
        found.append(decrypt(source.previous_secret_encrypted))
    return found


def set_active(*, source: Source, is_active: bool) -> None:
    """Whether what the source sends is taken or refused."""
    Source.objects.filter(pk=source.pk).update(is_active=is_active)
