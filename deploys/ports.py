"""Questions this room asks of the rooms above, and seams they fill in `apps.ready()`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from deploys.models import Team


@dataclass(frozen=True, slots=True)
class Record:
    """One folded record. `payload` has the history format's keys; times in it are ISO-8601 texts or epoch numbers.

    `facts` are the payloads it was folded from, in order, with when each was received (None: known since ever) and its origin.
    `person_keys` are the keys whose last word came from a person.
    """

    kind: str
    identity: str
    source: str
    payload: Mapping[str, Any]
    facts: Sequence[tuple[dt.datetime | None, str, Mapping[str, Any]]] = ()
    person_keys: frozenset[str] = field(default_factory=frozenset)

    @property
    def first_received_at(self) -> dt.datetime | None:
        """When the record was first heard of."""
        return self.facts[0][0] if self.facts else None


Projector = Callable[[Team, Sequence[Record]], None]

_projectors: dict[str, Projector] = {}


def register_projector(kind: str, projector: Projector) -> None:
    """From now on, records of this kind are written to their tables by `projector(team, records)`.

    A projector is idempotent: given the same records again it changes nothing. It runs in the caller's transaction.
    """
    _projectors[kind] = projector


def projector_of(kind: str) -> Projector:
    """The projector of a kind. KeyError when no room has registered one."""
    return _projectors[kind]
