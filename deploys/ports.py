"""Questions this room asks of the rooms above, and seams they fill in `apps.ready()`."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, Final

from deploys.domain.change_links import ChangeLinks
from deploys.domain.changes import OutsideReport
from deploys.domain.flag_schedule import ServiceHealth, Windows
from deploys.models import Environment, Service, Team


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


# -- what the rooms above know of changes ----------------------------------------------------------------------------


LinkSource = Callable[[Team, Sequence[int]], ChangeLinks]
_link_sources: list[LinkSource] = []


def register_change_links(source: LinkSource) -> None:
    """From now on, `source(team, change_ids)` is asked what incidents say of these changes."""
    if source not in _link_sources:
        _link_sources.append(source)


def change_links(team: Team, change_ids: Sequence[int]) -> ChangeLinks:
    """What all sources say together."""
    answers = [source(team, change_ids) for source in _link_sources]
    harm: dict[int, dt.datetime] = {}
    for answer in answers:
        for change_id, at in answer.first_harm_at.items():
            harm[change_id] = min(at, harm.get(change_id, at))
    return ChangeLinks(frozenset[int]().union(*(answer.remedy_ids for answer in answers)), harm)


FlagSightings = Callable[[Team, dt.datetime], Mapping[tuple[int, str], dt.datetime]]
_flag_sightings: list[FlagSightings] = []


def register_flag_sightings(source: FlagSightings) -> None:
    """From now on, `source(team, now)` is asked which flags errors carried: by environment and key, when last."""
    if source not in _flag_sightings:
        _flag_sightings.append(source)


def flag_sightings(team: Team, now: dt.datetime) -> dict[tuple[int, str], dt.datetime]:
    """What all sources say together."""
    found: dict[tuple[int, str], dt.datetime] = {}
    for source in _flag_sightings:
        for place, at in source(team, now).items():
            found[place] = max(at, found.get(place, at))
    return found


HealthSource = Callable[[Environment, Sequence[Service], Windows], Sequence[ServiceHealth]]
_health_sources: list[HealthSource] = []


def register_service_health(source: HealthSource) -> None:
    """From now on, `source(environment, services, windows)` is asked how services do, before a flag reaches more users."""
    if source not in _health_sources:
        _health_sources.append(source)


def service_health(environment: Environment, services: Sequence[Service], seen: Windows) -> list[ServiceHealth]:
    """What the room that watches services says; where none does, nobody was heard."""
    for source in _health_sources:
        return list(source(environment, services, seen))
    return [ServiceHealth(each.name, is_heard=False) for each in services]


# -- what other tools say of trouble ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OutsideAnswer:
    """What became of an outside report: a verdict of the delivery log, and why."""

    verdict: str
    reason: str = ""


OutsideTaker = Callable[[Team, OutsideReport, dt.datetime], OutsideAnswer]
_outside_takers: list[OutsideTaker] = []


def register_outside_taker(taker: OutsideTaker) -> None:
    """From now on `taker(team, report, received_at)` is given what other tools say of trouble with a service."""
    if taker not in _outside_takers:
        _outside_takers.append(taker)


def take_outside_report(team: Team, report: OutsideReport, received_at: dt.datetime) -> OutsideAnswer | None:
    """The answer of the room that takes such reports; None where none does."""
    for taker in _outside_takers:
        return taker(team, report, received_at)
    return None


# -- pieces of pages ------------------------------------------------------------------------------------------------

_page_makers: list[str] = []
_filling: Final = threading.RLock()


def register_pages(module: str) -> None:
    """The `register` of this module fills panels and columns, once the first page asks for them: what draws pages takes
    memory that a process without pages is spared.
    """
    if module not in _page_makers:
        _page_makers.append(module)


def _fill_pages() -> None:
    with _filling:  # who comes meanwhile waits for all of it
        while _page_makers:
            import_module(_page_makers[0]).register()
            del _page_makers[0]


#: Where panels stand, and what they are called with beside the request.
PLACES: Final = {
    "deploy-answer": "a ShownDeploy: what it did to its users, above everything else",
    "deploy-figure": "a ShownDeploy: errors before and after",
    "deploy-main": "a ShownDeploy: further sections",
    "deploy-aside": "a ShownDeploy: facts at the side",
    "flag-cleanup": "a Cleanup: what else is known of the team's flags together",
    "compare-main": "a Comparison: what users felt of it",
    "service-answer": "a Service: what is wrong with it now",
    "service-main": "a Service: further sections",
    "service-aside": "a Service: budget, monitors",
}

Panel = Callable[[Any, Any], str]
"""Called with the request and the thing; returns safe HTML, or nothing."""

_panels: dict[str, list[tuple[int, Panel]]] = {}


def register_panel(place: str, panel: Panel, *, order: int = 50) -> None:
    """From now on `panel(request, thing)` stands in this place; lower `order` first. KeyError for an unknown place."""
    if place not in PLACES:
        raise KeyError(f"no such place: {place}")
    entries = _panels.setdefault(place, [])
    if all(known is not panel for _, known in entries):
        entries.append((order, panel))
        entries.sort(key=lambda entry: entry[0])


def panels(place: str, request: Any, thing: Any) -> list[str]:  # Any: an HttpRequest and a row
    """The pieces of this place, in order, without those that have nothing to say."""
    _fill_pages()
    return [piece for _, panel in _panels.get(place, []) if (piece := panel(request, thing))]


@dataclass(frozen=True, slots=True)
class Column:
    """A column that a room above adds to a list. `cells(team, rows)` gives safe HTML by the row's key; no query per row.

    `rank(team, rows)`, if given, orders the list of services: the smallest first, rows without a rank last.
    """

    heading: str
    cells: Callable[[Team, Sequence[Any]], Mapping[int, str]]
    rank: Callable[[Team, Sequence[Any]], Mapping[int, float]] | None = None
    is_secondary: bool = False
    is_number: bool = False


#: Lists that take columns, and what their rows are.
LISTS: Final = {"deploy-list": "Deploy", "service-list": "Service"}
_columns: dict[str, list[Column]] = {}


def register_column(place: str, column: Column) -> None:
    """From now on the list has this column, after its own and in the order of registration."""
    if place not in LISTS:
        raise KeyError(f"no such list: {place}")
    entries = _columns.setdefault(place, [])
    if all(known.heading != column.heading for known in entries):
        entries.append(column)


def columns(place: str) -> list[Column]:
    """All registered columns of a list."""
    _fill_pages()
    return list(_columns.get(place, []))


def column_cells(place: str, team: Team, rows: Sequence[Any]) -> dict[int, list[tuple[Column, str]]]:  # Any: rows
    """For every row, by its key, each column with its cell; an empty cell where the column says nothing."""
    known = columns(place)
    said = [column.cells(team, rows) if rows else {} for column in known]
    return {
        row.pk: [(column, cells.get(row.pk, "")) for column, cells in zip(known, said, strict=True)] for row in rows
    }
