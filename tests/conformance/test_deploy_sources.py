"""Every recorded delivery of the sources of deploys and alerts against what was written down of it beforehand, in expected/<source>.json."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from deploys import clock
from deploys.domain.instants import instant_text
from deploys.formats.sources import KINDS
from deploys.models import Commit, Delivery, Deploy, FlagChange, Source, Team
from incidents.actions import detection
from incidents.models import Incident
from tests.factories.catalog import ServiceFactory, TeamFactory
from tests.factories.webhooks import send, source_of

pytestmark = [pytest.mark.conformance, pytest.mark.django_db, pytest.mark.database]

EXPECTED = Path(__file__).parent / "expected"
SOURCES = sorted(path.stem for path in EXPECTED.glob("*.json") if path.stem in {*KINDS, "cloudevents"})
#: Later than every recording.
NOW = dt.datetime(2026, 11, 21, 12, 0, tzinfo=dt.UTC)


@dataclass
class Book:
    """One source's expectations: how it is set up, and what each file and each story must become."""

    kind: str
    rules: list[dict[str, str]]
    files: dict[str, dict[str, Any]]
    stories: dict[str, dict[str, Any]]
    folder: str
    services: list[str]
    service: str | None
    sent: dict[str, list[tuple[bytes, dict[str, str]]]] = field(default_factory=dict)


def book_of(name: str, shared: Path) -> Book:
    said = json.loads((EXPECTED / f"{name}.json").read_text(encoding="utf-8"))
    book = Book(
        said.get("kind", name), said.get("rules", []), said["files"], said.get("stories", {}), said.get("folder", name),
        said.get("services", []), said.get("service"),
    )  # fmt: skip
    for file, expected in book.files.items():
        book.sent[file] = requests_of(shared / "fixtures" / book.folder / file, expected.get("headers", {}))
    return book


def requests_of(path: Path, headers: dict[str, str]) -> list[tuple[bytes, dict[str, str]]]:
    """The deliveries of a file: the file itself, or the recorded requests it holds."""
    raw = path.read_bytes()
    said = json.loads(raw)
    if isinstance(said, dict) and "requests" in said:
        found = []
        for each in said["requests"]:
            sent = {key.lower(): value for key, value in dict(each["headers"]).items()}
            sent = {key: value for key, value in sent.items() if key not in {"host", "content-length", "authorization"}}
            found.append((each["body"].encode(), {"Content-Type": sent.pop("content-type"), **sent}))
        return found
    return [(raw, headers)]


def deliver(client: Client, book: Book, source: Source, secret: str, file: str) -> list[tuple[int, str]]:
    """Status and verdict of each delivery of a file."""
    found = []
    for raw, headers in book.sent[file]:
        answer = send(client, source, secret, raw, headers=headers)
        latest = Delivery.objects.filter(source=source).latest("id")
        said = answer.json() if answer.content else {}
        found.append((answer.status_code, said.get("verdict", latest.verdict)))
    return found


def records_of(team: Team) -> dict[str, Any]:
    """Everything the team has, in the words of the expectations: only what is said."""
    deploys = {}
    for row in Deploy.objects.filter(team=team).select_related("service", "environment", "release", "artifact"):
        said = {
            "status": row.status, "environment": row.environment.name, "release": row.release and row.release.version,
            "artifact": row.artifact and row.artifact.digest, "commit": row.commit_sha,
            "started_at": instant_text(row.started_at), "finished_at": row.finished_at and instant_text(row.finished_at),
            "kind": row.kind_stated, "strategy": row.strategy, "percent": row.percent, "url": row.url,
            "description": row.description, "files": row.files,
        }  # fmt: skip
        deploys[f"{row.service.name} {row.external_id}"] = {
            key: each for key, each in said.items() if each not in (None, "")
        }
    commits = {
        row.sha: {
            "committed_at": row.committed_at and instant_text(row.committed_at),
            "author": row.author,
            "title": row.title,
        }
        for row in Commit.objects.filter(team=team)
    }
    flags = sorted(
        (row.flag.key, row.flag.environment.name, row.new_percent)
        for row in FlagChange.objects.filter(team=team).select_related("flag__environment")
    )
    detection.run(now=NOW)
    everything = {
        "deploys": deploys, "commits": commits, "flags": [list(each) for each in flags], "incidents": incidents_of(team),
    }  # fmt: skip
    return {key: value for key, value in everything.items() if value}


def incidents_of(team: Team) -> list[dict[str, Any]]:
    """What detection made of the alerts, the earliest first."""
    found = []
    for row in Incident.objects.filter(team=team).order_by("begins_at", "title"):
        said = {
            "title": row.title, "services": [each.service.name for each in row.incident_services.select_related("service")],
            "class": row.impact_class, "started_at": row.started_at and instant_text(row.started_at),
            "restored_at": row.restored_at and instant_text(row.restored_at), "acknowledged": row.acknowledged_at is not None,
        }  # fmt: skip
        found.append({key: each for key, each in said.items() if each})
    return found


def setup(book: Book) -> tuple[Team, Source, str]:
    team = TeamFactory()
    services = {name: ServiceFactory(team=team, name=name) for name in book.services}
    source, secret = source_of(book.kind, team, rules=book.rules, service=services.get(book.service or ""))
    return team, source, secret


def again(verdict: str) -> str:
    """What the same delivery gets the second time."""
    return "duplicate" if verdict in {"created", "updated", "duplicate"} else verdict


def test_every_kind_has_its_expectations() -> None:
    """The signed webhook has our own shape, which nobody else sends: tests/deploys/formats/test_generic.py."""
    assert {*SOURCES, "generic", "jira"} - {"cloudevents"} == set(KINDS)


@pytest.mark.parametrize("name", SOURCES)
def test_every_file_is_expected(name: str, shared: Path) -> None:
    book = book_of(name, shared)
    folder = shared / "fixtures" / book.folder
    recorded = {
        str(path.relative_to(folder))
        for path in folder.rglob("*.json")
        if "schemas" not in path.parts and path.name not in {"rollouts-web-metric.json", "cloudevents.json"}
    }

    assert {file for file in book.files if not file.startswith("../")} == recorded


@pytest.mark.parametrize("name", SOURCES)
def test_each_file_once_and_twice(client: Client, name: str, shared: Path) -> None:
    book = book_of(name, shared)
    for file, expected in book.files.items():
        team, source, secret = setup(book)
        wanted = expected["answers"]
        with clock.at(NOW):
            once = deliver(client, book, source, secret, file)
            after_once = records_of(team)
            twice = deliver(client, book, source, secret, file)
        assert [list(each) for each in once] == wanted, file
        assert after_once == expected.get("records", {}), file
        assert [list(each) for each in twice] == [[status, again(verdict)] for status, verdict in wanted], file
        assert records_of(team) == after_once, file


@pytest.mark.parametrize("name", SOURCES)
def test_stories_in_either_order(client: Client, name: str, shared: Path) -> None:
    book = book_of(name, shared)
    for story, expected in book.stories.items():
        for files in (expected["files"], expected["files"][::-1], expected["files"] * 2):
            team, source, secret = setup(book)
            with clock.at(NOW):
                for file in files:
                    deliver(client, book, source, secret, file)
            assert records_of(team) == expected["records"], (story, files)
