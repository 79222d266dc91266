"""What this room asks of whoever can reach people."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from deploys.models import Team
from incidents.models import Incident


@dataclass(frozen=True, slots=True)
class Notice:
    """Something people should know of. `key` names it: a notice is told once, however often it is sent.

    urgency: `page` (now), `ticket` (this week) or `info`. `path` is the page it is about. `about`: `budget`,
    `promise` or `upkeep`, by which channels choose.
    """

    team: Team
    key: str
    urgency: str
    title: str
    text: str
    path: str = ""
    about: str = "budget"


Notifier = Callable[[Notice], None]
_notifiers: dict[str, Notifier] = {}


def register_notifier(name: str, notifier: Notifier) -> None:
    """From now on `notifier(notice)` is called inside the transaction that made the notice; it only writes down."""
    _notifiers[name] = notifier


def notify(notice: Notice) -> None:
    """Tells every notifier."""
    for notifier in _notifiers.values():
        notifier(notice)


IncidentWatcher = Callable[[Sequence[Incident]], None]
_watchers: dict[str, IncidentWatcher] = {}


def register_incident_watcher(name: str, watcher: IncidentWatcher) -> None:
    """From now on `watcher(incidents)` is called inside every transaction that changes incidents; it only writes down."""
    _watchers[name] = watcher


def incidents_move(incidents: Sequence[Incident]) -> None:
    """Tells every watcher that these incidents are not what they were, or will not be when the transaction ends."""
    for watcher in _watchers.values():
        watcher(incidents)
