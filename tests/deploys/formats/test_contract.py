"""What every source of the table keeps: docs/sources/adding.md says it in words."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deploys.domain.problem_types import PROBLEMS
from deploys.formats.sources import KINDS
from deploys.formats.webhook import Inbound, Message, NotTaken, SourceKind
from tests.conftest import NOON

ROOT = Path(__file__).resolve().parents[3]
LONGEST = 150
#: What a source may import beside this room's domain and the shared readers.
STANDARD = {
    "__future__", "base64", "binascii", "collections.abc", "dataclasses", "datetime", "orjson", "re", "typing",
    "urllib.parse",
}  # fmt: skip
SHARED = {
    "deploys.formats.alerts",
    "deploys.formats.cloudevents",
    "deploys.formats.pushes",
    "deploys.formats.reading",
    "deploys.formats.tickets",
    "deploys.formats.webhook",
}
SLUGS = sorted(KINDS)
WORDS = [
    "id", "status", "state", "name", "environment", "action", "repository", "full_name", "project", "deployment", "commit",
    "commits", "object_kind", "issue", "action", "webhookEvent", "self", "key", "fields", "statusCategory", "object_attributes", "type", "data", "payload", "build", "phase", "timestamp", "metadata",
    "involvedObject", "workflow", "resource", "eventType", "context", "subject", "content", "after", "before", "ref",
    "release", "push", "changes", "version", "started_at", "checksum", "namespace", "app", "revision", "images", "files",
]  # fmt: skip
TEXTS = [
    "success", "failed", "running", "deployment", "push", "pipeline", "release", "feature_flag", "COMPLETED", "STARTED",
    "Succeeded", "jira:issue_updated", "done", "issue", "closed", "workflow-completed", "deployment.succeeded", "build.complete", "git.push", "create", "production",
    "2026-03-03T10:00:00Z", "1795200000000", "f" * 40, "acme/shop", "ready", "\ud800".encode("utf-8", "replace").decode(),
]  # fmt: skip
scalars = st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False) | st.sampled_from(TEXTS) | st.text(max_size=5)  # fmt: skip
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=6),
    max_leaves=30,
)
EVENTS = ["issues", "deployment", "deployment_status", "push", "release", "workflow_run", "repo:push", "repo:commit_status_updated", "dev.cdevents.service.deployed.0.3.0", "dev.cdevents.x", "", "\x7f"]  # fmt: skip
MEDIA = ["application/json", "application/x-www-form-urlencoded", "application/cloudevents+json", "application/cloudevents-batch+json", "", "text/plain"]  # fmt: skip
EVENT_HEADERS = ("x-github-event", "x-event-key", "x-gitea-event", "ce-type", "ce-id", "ce-source", "ce-specversion")


def inbound(body: bytes, event: str = "", media: str = "application/json") -> Inbound:
    headers = dict.fromkeys(EVENT_HEADERS, event) | {"content-type": media}
    return Inbound(body, headers | {"ce-specversion": "1.0"} if event else {"content-type": media}, NOON)


def path_of(kind: SourceKind) -> Path:
    return ROOT / "deploys" / "formats" / f"{kind.read.__module__.rsplit('.', 1)[1]}.py"


@pytest.mark.parametrize("slug", SLUGS)
def test_a_source_is_one_small_pure_file(slug: str) -> None:
    path = path_of(KINDS[slug])
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    imported = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    imported |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    foreign = {name for name in imported if not name.startswith("deploys.domain.")} - STANDARD - SHARED

    assert text.count("\n") <= LONGEST
    assert foreign == set()
    assert "now(" not in text


@pytest.mark.parametrize("slug", SLUGS)
def test_a_source_declares_itself(slug: str) -> None:
    kind = KINDS[slug]

    assert kind is importlib.import_module(kind.read.__module__).KIND
    assert (kind.slug, path_of(kind).stem) == (slug, slug)
    assert kind.schemes
    assert all(scheme.says for scheme in kind.schemes)
    assert kind.title
    assert kind.setup
    assert kind.events
    assert set(kind.rules) <= {"repository", "environment", "workflow"}
    assert len(slug) <= 20


@pytest.mark.parametrize("slug", SLUGS)
@settings(max_examples=25, deadline=None)
@given(value=values, event=st.sampled_from(EVENTS), media=st.sampled_from(MEDIA))
def test_any_json_is_read_or_refused_with_a_reason(slug: str, value: Any, event: str, media: str) -> None:
    body = orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS) if _storable(value) else b"{}"

    _read(slug, inbound(body, event, media))


@pytest.mark.parametrize("slug", SLUGS)
@settings(max_examples=10, deadline=None)
@given(body=st.binary(max_size=60), event=st.sampled_from(EVENTS), media=st.sampled_from(MEDIA))
def test_any_bytes_are_read_or_refused_with_a_reason(slug: str, body: bytes, event: str, media: str) -> None:
    _read(slug, inbound(body, event, media))


@pytest.mark.parametrize("slug", SLUGS)
@pytest.mark.parametrize(
    "body", [b"", b"null", b"[]", b"{}", b"[" * 2000, b'{"a":' * 2000, b'{"id": ' + b"9" * 5000 + b"}"]
)
def test_odd_bodies_are_refused_with_a_reason(slug: str, body: bytes) -> None:
    for media in MEDIA:
        _read(slug, inbound(body, "push", media))


def _read(slug: str, request: Inbound) -> None:
    """Reads; what comes out is what the contract says, and nothing but its own errors is raised."""
    messages: Sequence[Message] = []
    refusal: NotTaken | None = None
    try:
        messages = KINDS[slug].read(request)
    except NotTaken as error:
        refusal = error
    assert refusal is None or (refusal.slug in PROBLEMS and str(refusal))
    for message in messages:
        assert isinstance(message, Message)
        assert bool(message.said) != bool(message.ignored)
        assert message.event
        assert len(message.delivery_id) <= 400
        assert not message.problem or message.problem in PROBLEMS


def _storable(value: Any) -> bool:
    try:
        orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS)
    except TypeError:
        return False
    return True


def test_every_kind_stands_in_the_documents() -> None:
    table = (ROOT / "docs" / "sources" / "README.md").read_text(encoding="utf-8")

    assert [kind.title for kind in KINDS.values() if f"\n| {kind.title} |" not in table] == []
