"""Recording flag changes and what is known of flags."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from deploys.actions.deploys import Verdict, check_known
from deploys.actions.facts import identity_of, lock_team, record_fact, records_of
from deploys.domain.changes import FlagReport
from deploys.domain.instants import instant_text
from deploys.domain.records import fold
from deploys.models import Environment, Fact, FactOrigin, Flag, FlagChange, Team, User


class IncompleteChange(ValueError):
    """The first message about a flag change lacks a key it needs; the argument is that key."""


@dataclass(frozen=True, slots=True)
class RecordedFlag:
    """The flag, the change if the message is one, and what the message did."""

    flag: Flag
    change: FlagChange | None
    verdict: Verdict


@transaction.atomic
def record_flag(
    *,
    team: Team,
    report: FlagReport,
    source: str,
    received_at: dt.datetime,
    origin: str = FactOrigin.LIVE,
    delivery_id: str | None = None,
    actor: User | None = None,
    can_create: bool = True,
) -> RecordedFlag:
    """Records what one message says about a flag: a change, a description or both. See `deploys.record`.

    IncompleteChange when the first message of a change has no `new_percent`. A change without `at` is at its receipt.
    """
    lock_team(team)
    if not can_create:
        check_known(team=team, services=list(report.services or ()), environment=report.environment or "production")
    report_environment = _spelling(team, report.environment or "production")
    verdict = Verdict.DUPLICATE
    write = _Writer(team, source, origin, received_at, actor)
    if (description := report.description) is not None:
        verdict = write(_with_environment(description, report_environment), None if report.change else delivery_id)
    if (change := report.change) is not None:
        verdict = write(_with_environment(change, report_environment), delivery_id)
    flag = Flag.objects.get(team=team, environment__name=report_environment, key=report.key)
    row = None
    if report.id is not None:
        rows = FlagChange.objects.select_related("change", "flag__environment")
        row = rows.get(team=team, source=source, external_id=report.id)
    return RecordedFlag(flag, row, verdict)


def _spelling(team: Team, name: str) -> str:
    """The environment as it was first spelled: a flag's record is found by that name."""
    for environment in Environment.objects.filter(team=team):
        if environment.name.lower() == name.lower():
            return environment.name
    return name


def _with_environment(payload: Mapping[str, Any], environment: str) -> dict[str, Any]:  # Any: JSON
    return {**payload, "environment": environment}


@dataclass(frozen=True, slots=True)
class _Writer:
    """Writes facts of kind flag that say something new."""

    team: Team
    source: str
    origin: str
    received_at: dt.datetime
    actor: User | None

    def __call__(self, payload: dict[str, Any], delivery_id: str | None) -> Verdict:  # Any: JSON
        identity = identity_of("flag", self.source, payload)
        records = records_of(team=self.team, kind="flag", identities=[identity])
        known = records[0].payload if records else None
        if self._is_repeated(delivery_id):
            return Verdict.DUPLICATE
        if "id" in payload and not (known and known.get("at")) and payload.get("at") is None:
            payload = {**payload, "at": instant_text(self.received_at)}
        if "id" in payload and {**(known or {}), **payload}.get("new_percent") is None:
            raise IncompleteChange("new_percent")
        if known is not None and fold("flag", [known, payload]) == fold("flag", [known]):
            return Verdict.DUPLICATE
        record_fact(
            team=self.team, kind="flag", payload=payload, received_at=self.received_at, origin=self.origin,
            source=self.source, delivery_id=delivery_id, actor=self.actor,
        )  # fmt: skip
        return Verdict.CREATED if known is None else Verdict.UPDATED

    def _is_repeated(self, delivery_id: str | None) -> bool:
        if delivery_id is None:
            return False
        return Fact.objects.filter(team=self.team, source=self.source, kind="flag", delivery_id=delivery_id).exists()
