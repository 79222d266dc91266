"""Sentry's release API as sentry-cli 2 and 3 speak it: releases, their commits, deploys. JSON in, reports out.

Times come with nanoseconds; names may hold spaces, `%` and any letters. A version holds no slash: it stands in a path.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from deploys.domain.changes import DeployReport
from deploys.domain.commits import LONGEST_PATH, LONGEST_SHA, CommitReport, title_of
from deploys.domain.instants import NotAnInstant, optional_instant
from deploys.domain.release_report import ReleaseReport
from deploys.domain.web_addresses import without_userinfo

Json = Mapping[str, Any]  # Any: JSON
LONGEST_VERSION: Final = 250
_NO_VERSIONS: Final = (".", "..", "latest")
_STATUSES: Final = {"archived": True, "open": False}


class UnreadableMessage(ValueError):
    """The message lacks something, or has it in a form nobody can read. The argument says what and what was expected."""


@dataclass(frozen=True, slots=True)
class ReleaseMessage:
    """A release, and the projects the message says it is of; none: those that have it."""

    report: ReleaseReport
    projects: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DeployMessage:
    """A deploy of a release that has taken place."""

    environment: str
    name: str | None
    url: str | None
    started_at: dt.datetime | None
    finished_at: dt.datetime | None
    projects: tuple[str, ...]
    identity: str

    def report(self, *, version: str, service: str) -> DeployReport:
        """The deploy of one service. A start nobody states is the end, not the receipt, which comes later."""
        return DeployReport(
            id=self.identity, service=service, environment=self.environment, status="success",
            started_at=self.started_at or self.finished_at, finished_at=self.finished_at, release=version,
            description=self.name, url=self.url,
        )  # fmt: skip


def read_release(message: object, *, version: str | None = None, project: str | None = None) -> ReleaseMessage:
    """What a POST or PUT of a release says. `version` and `project` are those of the address, where it has them."""
    said = _object(message)
    projects = _names(said, "projects")
    commits, are_heads = _commits(said)
    status = said.get("status")
    if status not in (None, *_STATUSES):
        raise UnreadableMessage("status: expected open or archived")
    report = ReleaseReport(
        version=valid_version(said.get("version") if version is None else version),
        url=_address(said),
        released_at=_instant(said, "dateReleased"),
        is_archived=_STATUSES[status] if status is not None else None,
        commits=commits,
        are_heads=are_heads,
    )
    return ReleaseMessage(report, projects if project is None else tuple(dict.fromkeys((project, *projects))))


def _address(said: Json) -> str | None:
    address = _text(said, "url", 500)
    return None if address is None else without_userinfo(address)


def read_deploy(message: object, *, version: str) -> DeployMessage:
    """What a POST of a deploy says. Two messages that say the same have the same identity: the CLI sends again on 502."""
    said = _object(message)
    environment = _text(said, "environment", 100)
    if not environment:
        raise UnreadableMessage("environment: expected a name")
    told = [version, environment, *(said.get(key) for key in ("name", "url", "dateStarted", "dateFinished"))]
    digest = hashlib.sha256(json.dumps(told, sort_keys=True, default=str).encode("utf-8", "replace"))
    return DeployMessage(
        environment=environment,
        name=_text(said, "name", 200),
        url=_address(said),
        started_at=_instant(said, "dateStarted"),
        finished_at=_instant(said, "dateFinished"),
        projects=_names(said, "projects"),
        identity=digest.hexdigest()[:16],
    )


def valid_version(value: object) -> str:
    """The name of a version, without space around it. UnreadableMessage for what cannot stand in an address."""
    version = value.strip() if isinstance(value, str) else ""
    if not version or len(version) > LONGEST_VERSION or not version.isprintable():
        raise UnreadableMessage(f"version: expected 1 to {LONGEST_VERSION} printable characters")
    if version in _NO_VERSIONS or "/" in version or "\\" in version:
        raise UnreadableMessage("version: expected a name without slashes that is not . or .. or latest")
    return version


def _commits(said: Json) -> tuple[tuple[CommitReport, ...] | None, bool]:
    """The commits, newest first; and whether only heads of repositories were named."""
    if isinstance(commits := said.get("commits"), list):
        return tuple(_commit(_object(each, "commits"), place) for place, each in enumerate(commits)), False
    if isinstance(refs := said.get("refs"), list):
        return tuple(_head(_object(each, "refs"), place) for place, each in enumerate(refs)), bool(refs)
    if commits is not None or refs is not None:
        raise UnreadableMessage("commits, refs: expected a list")
    return None, False


def _commit(said: Json, place: int) -> CommitReport:
    message = said.get("message")
    return CommitReport(
        sha=_sha(said.get("id"), f"commits/{place}/id"),
        committed_at=_instant(said, "timestamp"),
        author=_text(said, "author_name", 200) or _text(said, "author_email", 200),
        title=title_of(message) if isinstance(message, str) else None,
        files=tuple(_paths(said.get("patch_set"))),
    )


def _head(said: Json, place: int) -> CommitReport:
    return CommitReport(sha=_sha(said.get("commit"), f"refs/{place}/commit"))


def _sha(value: object, where: str) -> str:
    sha = value.strip() if isinstance(value, str) else ""
    if not sha or len(sha) > LONGEST_SHA or not sha.isprintable():
        raise UnreadableMessage(f"{where}: expected a commit's hash")
    return sha


def _paths(value: object) -> list[str]:
    """The paths of a patch set. One that cannot be read is left out: it is no reason to lose the commit."""
    found = [each.get("path") for each in value if isinstance(each, Mapping)] if isinstance(value, list) else []
    return [path[:LONGEST_PATH] for path in found if isinstance(path, str) and path and path.isprintable()]


def _object(value: object, where: str = "body") -> Json:
    if not isinstance(value, Mapping):
        raise UnreadableMessage(f"{where}: expected a JSON object")
    return value


def _names(said: Json, key: str) -> tuple[str, ...]:
    value = said.get(key)
    if value is None:
        return ()
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise UnreadableMessage(f"{key}: expected a list of names")
    names = [each.strip() if isinstance(each, str) else "" for each in value]
    if not all(0 < len(name) <= 200 and name.isprintable() for name in names) or len(names) > 100:
        raise UnreadableMessage(f"{key}: expected at most 100 names of 1 to 200 printable characters")
    return tuple(dict.fromkeys(names))


def _text(said: Json, key: str, longest: int) -> str | None:
    """One line of text, cut; None where it is not said or empty."""
    value = said.get(key)
    if value is None:
        return None
    if not isinstance(value, str):
        raise UnreadableMessage(f"{key}: expected text")
    return " ".join("".join(each if each.isprintable() else " " for each in value).split())[:longest] or None


def _instant(said: Json, key: str) -> dt.datetime | None:
    try:
        instant = optional_instant(said.get(key))
    except NotAnInstant as error:
        raise UnreadableMessage(f"{key}: {error}") from error
    if instant is not None and not 1990 <= instant.year < 2200:
        raise UnreadableMessage(f"{key}: expected a time from 1990 to 2199")
    return instant
