"""What a sender says about a deploy or a flag in one message, before it is known what it adds to."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Final

from deploys.domain.commits import CommitReport
from deploys.domain.instants import instant_text, optional_instant, parse_instant
from deploys.domain.records import FINAL_STATUSES, fold


@dataclass(frozen=True, slots=True)
class DeployReport:
    """One message about one deploy. None: the message does not say. `withdrawn`: keys it explicitly takes back."""

    id: str
    service: str
    environment: str | None = None
    status: str | None = None
    started_at: dt.datetime | None = None
    finished_at: dt.datetime | None = None
    live_at: dt.datetime | None = None
    release: str | None = None
    artifact: str | None = None
    kind: str | None = None
    strategy: str | None = None
    percent: float | None = None
    commit: str | None = None
    files: tuple[str, ...] | None = None
    description: str | None = None
    url: str | None = None
    withdrawn: frozenset[str] = frozenset()

    @property
    def payload(self) -> dict[str, Any]:  # Any: JSON
        """The fact, in the history format's words: only what is said."""
        return _payload(self)


@dataclass(frozen=True, slots=True)
class FlagReport:
    """One message about one flag: a change (it has an `id`), a description, or both. None: the message does not say."""

    key: str
    environment: str | None = None
    id: str | None = None
    at: dt.datetime | None = None
    new_percent: float | None = None
    old_percent: float | None = None
    segment: Mapping[str, Any] | None = None
    services: tuple[str, ...] | None = None
    created_at: dt.datetime | None = None
    owner: str | None = None
    kind: str | None = None
    expires_at: dt.datetime | None = None
    last_evaluated_at: dt.datetime | None = None
    code_references: int | None = None
    archived_at: dt.datetime | None = None
    withdrawn: frozenset[str] = field(default=frozenset())

    CHANGE_KEYS = frozenset({"id", "at", "new_percent", "old_percent", "segment", "services"})

    @property
    def change(self) -> dict[str, Any] | None:  # Any: JSON
        """The fact of the change, None where the message describes the flag only."""
        if self.id is None:
            return None
        keys = self.CHANGE_KEYS | {"key", "environment"}
        return {key: value for key, value in _payload(self).items() if key in keys}

    @property
    def description(self) -> dict[str, Any] | None:  # Any: JSON
        """The fact of the description, None where the message says nothing beside the change."""
        said = {key: value for key, value in _payload(self).items() if key not in self.CHANGE_KEYS}
        return said if self.id is None or said.keys() - {"key", "environment"} else None


@dataclass(frozen=True, slots=True)
class PushReport:
    """A branch moved from `before` (None: it is new) to `after`. `commits` lie between, oldest first.

    With `is_truncated`, the sender named only the newest of them.
    """

    repository: str
    ref: str
    before: str | None
    after: str
    commits: tuple[CommitReport, ...]
    default_branch: str | None = None
    is_truncated: bool = False

    @property
    def is_default(self) -> bool:
        """Whether the sender says that this is the branch everything comes together on."""
        return self.default_branch is not None and self.ref == f"refs/heads/{self.default_branch}"


@dataclass(frozen=True, slots=True)
class OutsideReport:
    """What another tool says of trouble with a service: that it began (`detected`, `reported`), that somebody looks at it
    (`acknowledged`), or that it ended (`resolved`).

    `origin` and `id` name it; `at` is when that happened, `began_at` when the trouble began, where the message says so,
    whatever its state. `says_down` is its word that nothing works any more. This room records none of it: it asks the rooms above (`ports.take_outside_report`).
    """

    origin: str
    id: str
    state: str
    at: dt.datetime
    service: str | None = None
    environment: str | None = None
    artifact: str | None = None
    title: str | None = None
    url: str | None = None
    began_at: dt.datetime | None = None
    says_down: bool = False


def _payload(report: DeployReport | FlagReport) -> dict[str, Any]:  # Any: JSON
    said: dict[str, Any] = {}
    for each in fields(report):
        value = getattr(report, each.name)
        if each.name == "withdrawn" or value is None:
            continue
        if isinstance(value, dt.datetime):
            value = instant_text(value)
        elif isinstance(value, tuple):
            value = list(value)
        said[each.name] = value
    return {**said, **dict.fromkeys(sorted(report.withdrawn))}


def news_of_deploy(
    known: Mapping[str, Any] | None,
    said: Mapping[str, Any],
    *,
    received_at: dt.datetime,
    is_start_assumed: bool,
    longest: dt.timedelta,
) -> dict[str, Any] | None:  # Any: JSON
    """The fact to record for a live message about a deploy, given what is known; None when it says nothing new.

    - A first message without `started_at` starts at its receipt, or at its end if that was earlier. `is_start_assumed` says that the known start is such
      an assumption: then a later message may correct it, also when the deploy has ended meanwhile.
    - A final status without `finished_at` ended at its receipt, unless that is more than `longest` after the start.
    - A start that equals the end gives way to any other that is known.
    - A step that arrives after the end changes nothing that the end said.
    - Of two final statuses the one that ended later stands, in whatever order they arrive.
    """
    fact = dict(said)
    before = known or {}
    was_final, is_final = before.get("status") in FINAL_STATUSES, fact.get("status") in FINAL_STATUSES
    if was_final and is_final and _ends_earlier(fact, before):
        fact = {key: value for key, value in fact.items() if key not in {"status", "finished_at"}}
        is_final = False
    if was_final and fact.get("status") == "in_progress":
        open_keys = _FREE if is_start_assumed else _FREE - {"started_at"}
        fact = {key: value for key, value in fact.items() if key in open_keys or before.get(key) is None}
    if is_final and _is_at_once(fact) and before.get("started_at") and not is_start_assumed:
        fact.pop("started_at", None)
    if before.get("started_at") is None and fact.get("started_at") is None:
        ended_at = optional_instant(fact.get("finished_at"))
        fact["started_at"] = instant_text(received_at if ended_at is None else min(received_at, ended_at))
    if is_final and not was_final and "finished_at" not in fact and before.get("finished_at") is None:
        started_at = parse_instant(fact.get("started_at") or before["started_at"])
        if dt.timedelta(0) <= received_at - started_at <= longest:
            fact["finished_at"] = instant_text(received_at)
    if known is not None and fold("deploy", [known, fact]) == fold("deploy", [known]):
        return None
    return fact


#: What a step that arrives after the end may still change; all else it only fills in where nothing is known.
_FREE: Final = frozenset({"id", "service", "status", "percent", "started_at"})


def _is_at_once(fact: Mapping[str, Any]) -> bool:  # Any: JSON
    """Whether a message gives one instant as start and end: then it knows nothing of the start."""
    return fact.get("started_at") is not None and fact.get("started_at") == fact.get("finished_at")


def _ends_earlier(fact: Mapping[str, Any], before: Mapping[str, Any]) -> bool:
    ends = fact.get("finished_at"), before.get("finished_at")
    return None not in ends and parse_instant(ends[0]) < parse_instant(ends[1])
