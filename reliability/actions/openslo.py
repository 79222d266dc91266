"""Objectives from OpenSLO v1 documents: what an import would do, doing it, and giving them out again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.db import transaction

from deploys.models import Team, User
from reliability.actions.objectives import BadObjective, checked_objective, is_said_already, set_objective
from reliability.formats.openslo import objectives_of, openslo_text
from reliability.models import Objective

Payload = dict[str, Any]  # Any: JSON in the history format's words


class Taken(StrEnum):
    """What becomes of one objective."""

    NEW = "new"
    CHANGED = "changed"
    SAME = "same"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Weighed:
    """One objective of a document. key and message: what is wrong with a refused one; payload: empty for those."""

    id: str
    state: Taken
    payload: Payload
    key: str = ""
    message: str = ""

    def __str__(self) -> str:
        return f"{self.id}: {self.key}: {self.message}" if self.key else f"{self.id}: {self.message}"


def weigh(*, team: Team, text: str) -> list[Weighed]:
    """What taking these documents would do; writes nothing. In their order, refused ones last. Raises NotOpenSlo."""
    payloads, refusals = objectives_of(text)
    known = set(Objective.objects.filter(team=team).values_list("external_id", flat=True))
    found = [_weighed(team, payload, known) for payload in payloads]
    refused = [Weighed(each.name, Taken.REFUSED, {}, each.key, each.message) for each in refusals]
    return [each for each in found if each.payload] + [each for each in found if not each.payload] + refused


def _weighed(team: Team, payload: Payload, known: set[str]) -> Weighed:
    name = str(payload["id"])
    try:
        checked = checked_objective(payload)
    except BadObjective as error:
        key, _, message = str(error).partition(": ")
        return Weighed(name, Taken.REFUSED, {}, key, message)
    if name not in known:
        return Weighed(name, Taken.NEW, payload)
    return Weighed(name, Taken.SAME if is_said_already(team, checked) else Taken.CHANGED, payload)


@transaction.atomic
def take(*, team: Team, text: str, by: User | None) -> list[Weighed]:
    """Sets the objectives that are new or changed; the refused ones are left out. Raises NotOpenSlo."""
    weighed = weigh(team=team, text=text)
    for each in weighed:
        if each.state in (Taken.NEW, Taken.CHANGED):
            set_objective(team=team, payload=each.payload, by=by)
    return weighed


def count_of(weighed: Sequence[Weighed], *states: Taken) -> int:
    """How many became this."""
    return sum(each.state in states for each in weighed)


def as_openslo(team: Team) -> str:
    """The team's objectives as OpenSLO v1."""
    rows = Objective.objects.filter(team=team).select_related("service").order_by("external_id")
    return openslo_text(
        {
            "id": row.external_id, "service": row.service.name if row.service else None, "sli": row.sli, "target": row.target,
            "window_days": row.window_days, "calendar": row.calendar,
        }
        for row in rows
    )  # fmt: skip
