"""Objectives: what a team promises."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from django.db import transaction

from deploys import clock
from deploys.actions.catalog import services_by_name
from deploys.actions.facts import record_fact
from deploys.models import FactOrigin, Team, User
from deploys.ports import Record
from reliability.formats.history_keys import KINDS, Unexpected
from reliability.formats.history_records import record_problem
from reliability.models import Objective


class BadObjective(ValueError):
    """Raised for an objective that cannot be kept; the text names the key and says what was expected."""


def project_objectives(team: Team, records: Sequence[Record]) -> None:
    """Brings the rows of these objectives up to date. Idempotent; one query for services, two for each record."""
    named = {str(record.payload["service"]) for record in records if record.payload.get("service") is not None}
    services = services_by_name(team=team, names=sorted(named), now=clock.now())
    for record in records:
        payload = record.payload
        service, calendar = payload.get("service"), payload.get("calendar")
        columns: dict[str, Any] = {  # Any: one value per column
            "service": None if service is None else services[str(service)],
            "sli": payload.get("sli") or Objective.Sli.TIME,
            "target": payload["target"],
            "window_days": None if calendar is not None else payload.get("window_days"),
            "calendar": calendar,
            "min_requests": 100 if payload.get("min_requests") is None else payload["min_requests"],
        }
        Objective.objects.update_or_create(team=team, external_id=str(payload["id"]), defaults=columns)


def set_objective(*, team: Team, payload: dict[str, Any], by: User | None) -> None:  # Any: JSON
    """Records what is promised, in the keys of the history format; null withdraws a value. BadObjective.

    by: the person who promises; None for a machine. What the record says already is not recorded again.
    """
    checked = checked_objective(payload)
    if is_said_already(team, checked):
        return
    record_fact(
        team=team,
        kind="objective",
        payload=checked,
        received_at=clock.now(),
        origin=FactOrigin.LIVE if by is None else FactOrigin.PERSON,
        source="upshot",
        actor=by,
    )


def checked_objective(payload: dict[str, Any]) -> dict[str, object]:  # Any: JSON
    """The objective with its values checked and spelt as they are kept. BadObjective."""
    checked: dict[str, object] = {}
    for key, value in payload.items():
        check = KINDS["objective"].keys.get(key)
        if check is None:
            raise BadObjective(f"{key}: unknown")
        try:
            checked[key] = None if value is None else check(value)
        except Unexpected as error:
            raise BadObjective(f"{key}: expected {error}") from error
    problem = record_problem("objective", checked, checked)
    if problem is not None:
        raise BadObjective(f"{problem.key}: {problem}")
    return checked


LONGEST_POLICY: Final = 2_000


@transaction.atomic
def promise(*, team: Team, payload: dict[str, Any], budget_policy: str | None, by: User | None) -> None:  # Any: JSON
    """Sets an objective with the text of its budget policy; None leaves that as it is. BadObjective.

    The text enters no number, so it is no fact: it stands with the objective alone.
    """
    if budget_policy is not None and len(budget_policy) > LONGEST_POLICY:
        raise BadObjective(f"budget_policy: expected at most {LONGEST_POLICY} characters")
    set_objective(team=team, payload=payload, by=by)
    if budget_policy is not None:
        rows = Objective.objects.filter(team=team, external_id=payload["id"])
        rows.update(budget_policy=budget_policy.replace("\x00", "").strip())


def is_said_already(team: Team, checked: dict[str, object]) -> bool:
    """Whether the record has each of these values."""
    row = Objective.objects.select_related("service").filter(team=team, external_id=checked["id"]).first()
    if row is None:
        return False
    said = {
        "id": row.external_id, "service": row.service.name if row.service else None, "sli": row.sli, "target": row.target,
        "window_days": row.window_days, "calendar": row.calendar, "min_requests": row.min_requests,
    }  # fmt: skip
    return all(said[key] == value for key, value in checked.items())
