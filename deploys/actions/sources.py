"""Senders with a webhook: made, given new secrets, switched off."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Final

from django.db import transaction

from deploys.actions.catalog import clean_name
from deploys.actions.secrets import decrypt, encrypt, new_secret
from deploys.models import Service, Source, Team

#: How long the previous secret is accepted after a rotation.
GRACE: Final = dt.timedelta(hours=24)

Rule = Mapping[str, str]
RULE_KEYS: Final = ("repository", "environment", "service", "to_environment")


def make_source(
    *, team: Team, kind: str, name: str, now: dt.datetime, service: Service | None = None, rules: Sequence[Rule] = ()
) -> tuple[Source, str]:
    """A sender and its secret, which is shown now and never again. With `service`, all it sends is about that one."""
    secret = new_secret()
    source = Source.objects.create(
        team=team, kind=kind, name=clean_name(name, what="source", longest=100), service=service,
        secret_encrypted=encrypt(secret), rules=[clean_rule(rule) for rule in rules], created_at=now,
    )  # fmt: skip
    return source, secret


def clean_rule(rule: Rule) -> dict[str, str]:
    """A rule with just its four keys, each a text; an empty `repository` or `environment` means any."""
    return {key: str(rule.get(key, "")).strip()[:200] for key in RULE_KEYS}


def set_rules(*, source: Source, rules: Sequence[Rule]) -> None:
    """From now on, what the sender names is mapped by these rules; the first that fits counts."""
    source.rules = [clean_rule(rule) for rule in rules]
    source.save(update_fields=["rules"])


@transaction.atomic
def rotate_secret(*, source: Source, now: dt.datetime) -> str:
    """A new secret, shown now and never again. The one before is accepted for another 24 hours."""
    locked = Source.objects.select_for_update().get(pk=source.pk)
    secret = new_secret()
    Source.objects.filter(pk=source.pk).update(
        secret_encrypted=encrypt(secret),
        previous_secret_encrypted=locked.secret_encrypted,
        previous_secret_until=now + GRACE,
    )
    return secret


def accepted_secrets(source: Source, *, now: dt.datetime) -> list[str]:
    """The current secret, and the previous one while it is still accepted. UnreadableSecret: see `secrets.decrypt`."""
    secrets = [decrypt(source.secret_encrypted)]
    until = source.previous_secret_until
    if source.previous_secret_encrypted is not None and until is not None and now < until:
        secrets.append(decrypt(source.previous_secret_encrypted))
    return secrets


def set_active(*, source: Source, is_active: bool) -> None:
    """Whether what the source sends is taken or refused."""
    Source.objects.filter(pk=source.pk).update(is_active=is_active)
