"""How a team counts."""

from __future__ import annotations

from typing import Any

from deploys import clock
from deploys.actions.facts import record_fact
from deploys.models import FactOrigin, Policy, Team, User
from reliability.domain.policy import Policy as Counting
from reliability.formats.history_keys import KINDS, Unexpected, unknown_parts


class BadPolicy(ValueError):
    """Raised for values that no policy can have; the text names the key and says what was expected."""


def set_policy(*, team: Team, values: dict[str, Any], by: User) -> None:  # Any: JSON
    """Records changed values of the counting policy, in the keys of the history format; the others stay. BadPolicy.

    Closed reports keep the policy they were counted by until they are restated.
    """
    unknown = unknown_parts("policy", values)
    if unknown:
        raise BadPolicy(f"{unknown[0]}: unknown")
    try:
        checked = KINDS["history"].keys["policy"](values)
    except Unexpected as error:
        raise BadPolicy(f"{error.key}: expected {error.expected}") from error
    present = Policy.objects.filter(team=team).first() or Policy()
    whole = {name: getattr(present, name) for name in Counting.__slots__}
    payload = {"policy": {**whole, **(checked if isinstance(checked, dict) else {})}}
    record_fact(
        team=team,
        kind="history",
        payload=payload,
        received_at=clock.now(),
        origin=FactOrigin.PERSON,
        source="upshot",
        actor=by,
    )
