"""Flags made, described, archived and brought back. What they serve is changed in `flag_switches`."""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from django.db.models import F

from deploys.actions.flags import record_flag
from deploys.actions.turns import one_write
from deploys.domain.changes import FlagReport
from deploys.domain.flag_documents import InvalidRules
from deploys.domain.flag_graph import dependants_of
from deploys.domain.flag_rules import LASTING, FlagKind, ValueType
from deploys.domain.flag_variants import due_at, is_key, is_lasting, stages_ok, variants_document, variants_of
from deploys.models import (
    Environment,
    FactOrigin,
    FlagEnvironment,
    FlagEpoch,
    FlagRevision,
    FlagTask,
    RegisteredFlag,
    Service,
    Team,
    User,
)
from deploys.queries.flag_rulesets import needs_of, ruleset_of

#: Who the facts of our own flags come from.
SOURCE: Final = "upshot"
#: Temporary flags beyond which another needs somebody to mean it; from a fourth of that on, pages warn (FLAGS R10).
MOST_TEMPORARY: Final = 200
#: What may be changed of a flag without changing what it serves.
DETAILS: Final = ("description", "owner", "ticket_url", "expires_at")


class FlagRefused(ValueError):
    """What was asked cannot be done; the message says why, for the person who asked. `field` names the input at fault."""

    def __init__(self, message: str, *, field: str = "") -> None:
        super().__init__(message)
        self.field = field


def create_flag(
    *,
    team: Team,
    key: str,
    kind: FlagKind,
    value_type: ValueType,
    variants: object,
    off_variant: str,
    now: dt.datetime,
    by: User | None = None,
    description: str = "",
    owner: str = "",
    ticket_url: str = "",
    services: Iterable[Service] = (),
    expires_at: dt.datetime | None = None,
    salt: str = "",
    act: str = FlagRevision.Act.CREATED,
    is_over_cap_meant: bool = True,
) -> RegisteredFlag:
    """A new flag, off everywhere. Due after the time of its kind, unless `expires_at` says otherwise.

    `salt`: that of another flag, for two that should reach the same users. `is_over_cap_meant`: without, more than
    MOST_TEMPORARY temporary flags are refused. FlagRefused names what is wrong.
    """
    if not is_key(key):
        raise FlagRefused("expected 1 to 100 letters, digits, dots, dashes and underscores", field="key")
    try:
        checked = variants_of(value_type, variants)
    except InvalidRules as error:
        raise FlagRefused(str(error), field="variants") from error
    if off_variant not in checked:
        raise FlagRefused(f"expected one of {', '.join(checked)}", field="off_variant")
    if not stages_ok(kind, value_type, list(checked)):
        raise FlagRefused("a migration serves the texts off, shadow, new_with_fallback and new_only", field="variants")
    with one_write():
        if not is_over_cap_meant and not is_lasting(kind) and temporary_count(team) >= MOST_TEMPORARY:
            raise FlagRefused(
                f"{MOST_TEMPORARY} temporary flags are more than anybody can look after: clean up first, or say that you mean it",
                field="is_over_cap_meant",
            )
        if RegisteredFlag.objects.filter(team=team, key=key).exists():
            raise FlagRefused("a flag of this key exists, or did: archived flags keep their key", field="key")
        flag = RegisteredFlag.objects.create(
            team=team, key=key, kind=kind, value_type=value_type, variants=variants_document(checked),
            off_variant=off_variant, salt=salt or secrets.token_hex(16), description=description, owner=owner[:200],
            ticket_url=ticket_url, created_at=now, created_by=by,
            expires_at=expires_at if expires_at is not None else due_at(kind, now),
        )  # fmt: skip
        flag.services.set(services)
        FlagTask.objects.create(flag=flag)
        FlagRevision.objects.create(flag=flag, act=act, at=now, by=by, after=_described(flag))
        _tell(flag, now, by)
        touch(team.environments.all())
    return flag


def temporary_count(team: Team) -> int:
    """Flags in use that are meant to go again. One query."""
    return RegisteredFlag.objects.filter(team=team, archived_at__isnull=True).exclude(kind__in=list(LASTING)).count()


def describe_flag(*, flag: RegisteredFlag, details: Mapping[str, Any], now: dt.datetime, by: User | None) -> bool:
    """Changes what is said of a flag (DETAILS); whether anything did. An empty `expires_at` means it is never due."""
    with one_write():
        flag.refresh_from_db()
        before = _described(flag)
        for name in DETAILS:
            if name in details:
                setattr(flag, name, details[name])
        after = _described(flag)
        if after == before:
            return False
        flag.save(update_fields=list(DETAILS))
        FlagRevision.objects.create(
            flag=flag, act=FlagRevision.Act.DESCRIBED, at=now, by=by, before=before, after=after
        )
        _tell(flag, now, by)
    return True


def archive_flag(
    *, flag: RegisteredFlag, reason: str, now: dt.datetime, by: User | None, proof: Sequence[str] = ()
) -> None:
    """The flag is no longer served: who still asks gets FLAG_NOT_FOUND, and is counted. Idempotent.

    `proof`: what shows that no code asks for it any more, step by step; kept in its history.
    """
    with one_write():
        flag.refresh_from_db()
        if flag.archived_at is not None:
            return
        for environment in flag.team.environments.all():
            dependants = dependants_of(needs_of(ruleset_of(environment)), flag.key)
            if dependants:
                raise FlagRefused(f"{', '.join(dependants)} in {environment} needs this flag: change that first")
        _set_archived(flag, now, FlagRevision.Act.ARCHIVED, reason, now, by, proof)


def restore_flag(*, flag: RegisteredFlag, reason: str, now: dt.datetime, by: User | None) -> None:
    """The flag is served again as it was. Idempotent."""
    with one_write():
        flag.refresh_from_db()
        if flag.archived_at is not None:
            _set_archived(flag, None, FlagRevision.Act.RESTORED, reason, now, by)


def set_rights(*, environment: Environment, write_role: str, needs_approval: bool) -> None:
    """Who may change flags in an environment, and whether a second person approves each change."""
    FlagEnvironment.objects.update_or_create(
        environment=environment, defaults={"write_role": write_role, "needs_approval": needs_approval}
    )


def rights_of(environment: Environment) -> FlagEnvironment:
    """How flags may be changed there; the defaults where nobody said."""
    return FlagEnvironment.objects.filter(environment=environment).first() or FlagEnvironment(environment=environment)


def touch(environments: Iterable[Environment]) -> None:
    """Evaluation learns that these environments changed, once the transaction has committed. Inside a transaction.

    Whoever changes flags holds the epoch's row until the commit, so that epochs become visible in their order.
    """
    FlagEpoch.objects.get_or_create(pk=1)
    FlagEpoch.objects.filter(pk=1).update(number=F("number") + 1)
    epoch = FlagEpoch.objects.values_list("number", flat=True).get(pk=1)
    rows = [FlagEnvironment(environment=environment, epoch=epoch) for environment in environments]
    FlagEnvironment.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["environment"], update_fields=["epoch"]
    )


def tell_of(flag: RegisteredFlag, environment: str) -> FlagReport:
    """What the history is told of a flag in an environment."""
    said: dict[str, Any] = {
        "key": flag.key, "environment": environment, "created_at": flag.created_at, "owner": flag.owner or None,
        "kind": "permanent" if is_lasting(FlagKind(flag.kind)) else "temporary", "expires_at": flag.expires_at,
        "archived_at": flag.archived_at,
    }  # fmt: skip
    missing = frozenset(name for name in ("owner", "expires_at", "archived_at") if said[name] is None)
    return FlagReport(**said, withdrawn=missing)


def _set_archived(
    flag: RegisteredFlag,
    archived_at: dt.datetime | None,
    act: str,
    reason: str,
    now: dt.datetime,
    by: User | None,
    proof: Sequence[str] = (),
) -> None:
    flag.archived_at = archived_at
    flag.save(update_fields=["archived_at"])
    after = {"proof": list(proof)} if proof else None
    FlagRevision.objects.create(flag=flag, act=act, at=now, by=by, reason=reason, after=after)
    _tell(flag, now, by)
    touch(flag.team.environments.all())


def _tell(flag: RegisteredFlag, now: dt.datetime, by: User | None) -> None:
    """Facts for every environment the team has; for production where it has none yet."""
    names = list(flag.team.environments.order_by("id").values_list("name", flat=True)) or ["production"]
    for name in names:
        record_flag(
            team=flag.team, report=tell_of(flag, name), source=SOURCE, received_at=now,
            origin=FactOrigin.PERSON if by else FactOrigin.LIVE, actor=by,
        )  # fmt: skip


def _described(flag: RegisteredFlag) -> dict[str, Any]:  # Any: JSON
    return {
        "key": flag.key, "kind": flag.kind, "value_type": flag.value_type, "variants": flag.variants,
        "off_variant": flag.off_variant, "description": flag.description, "owner": flag.owner,
        "ticket_url": flag.ticket_url, "expires_at": flag.expires_at.isoformat() if flag.expires_at else None,
    }  # fmt: skip
