"""What machines and chats are sent."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from referencing import Registry, Resource

from deploys.formats.cdevents import read
from deploys.formats.webhook import Inbound
from reliability.formats.notices import (
    IncidentEvent,
    artifact_of,
    cloud_event,
    escaped,
    plain_event,
    slack_message,
    teams_message,
)

AT = datetime(2026, 3, 4, 12, tzinfo=UTC)


def event(**fields: Any) -> IncidentEvent:
    known = {
        "id": "e1", "what": "detected", "at": AT, "source": "https://upshot.example/t/acme/", "incident_id": "i1", "environment": "production",
        "description": "It broke", "service": "shop", "artifact": artifact_of("shop", "1.4.0", "sha256:" + "a" * 64), "more": {"news": "opened"},
    }  # fmt: skip
    return IncidentEvent(**{**known, **fields})


@pytest.mark.parametrize("what", ["detected", "resolved"])
@pytest.mark.parametrize("fields", [{}, {"service": None, "artifact": None, "environment": ""}])
def test_events_hold_the_published_schema(what: str, fields: dict[str, Any], shared: Path) -> None:
    folder = shared / "fixtures/cdevents/v0.5.1/schemas"
    schema = json.loads((folder / f"incident{what}.json").read_text())
    links = [(path.stem, json.loads(path.read_text())) for path in (folder / "links").glob("*.json")]
    known = [(body["$id"], Resource.from_contents(body)) for _, body in links]
    data = json.loads(cloud_event(event(what=what, **fields)))["data"]

    jsonschema.Draft202012Validator(schema, registry=Registry().with_resources(known)).validate(data)


def test_what_is_sent_can_be_taken_in_again() -> None:
    body = cloud_event(event())

    [message] = read(Inbound(body, {"content-type": "application/cloudevents+json"}, AT))

    report: Any = message.said[0].report
    assert (message.event, report.state, report.id, report.service, report.title) == (
        "incident.detected",
        "detected",
        "i1",
        "shop",
        "It broke",
    )
    assert (report.artifact, report.at) == ("sha256:" + "a" * 64, AT)


def test_other_news_have_a_type_of_their_own() -> None:
    assert json.loads(cloud_event(event(what="cause")))["type"] == "upshot.incident.cause"
    assert json.loads(plain_event(event_id="e", kind="test", at=AT, source="s", data={"a": 1})) == {
        "specversion": "1.0", "id": "e", "source": "s", "type": "upshot.test", "time": "2026-03-04T12:00:00Z",
        "datacontenttype": "application/json", "data": {"a": 1},
    }  # fmt: skip


def test_a_release_without_digest_is_named_by_its_version() -> None:
    assert artifact_of("a/b", "1 0", None) == "pkg:generic/a%2Fb@1%200"


@given(line=st.text(min_size=1), words=st.text(min_size=1))
def test_nothing_that_somebody_wrote_is_markup_in_slack(line: str, words: str) -> None:
    said = json.loads(slack_message(lines=[line, ""], link="https://upshot.example/x", link_words=words))

    plain, link = (block["text"] for block in said["blocks"])
    assert plain == {"type": "plain_text", "text": line, "emoji": False}
    assert link["text"].count("<") == link["text"].count(">") == link["text"].count("|") == 1
    assert "<" not in said["text"]


@given(line=st.text(min_size=1), words=st.text(min_size=1))
def test_nothing_that_somebody_wrote_is_markup_in_teams(line: str, words: str) -> None:
    said = json.loads(teams_message(lines=["INC-1", line, ""], link="https://upshot.example/x", link_words=words))

    [attachment] = said["attachments"]
    card = attachment["content"]
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    assert card["body"] == [
        {"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": "INC-1", "weight": "Bolder"}]},
        {"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": line}]},
    ]
    assert card["actions"] == [{"type": "Action.OpenUrl", "title": words, "url": "https://upshot.example/x"}]


def test_a_message_without_a_page_has_no_link() -> None:
    assert "actions" not in json.loads(teams_message(lines=["a"], link="", link_words=""))["attachments"][0]["content"]
    said = json.loads(slack_message(lines=["<!channel> & co"], link="", link_words=""))

    assert (len(said["blocks"]), said["text"]) == (1, "&lt;!channel&gt; &amp; co")
    assert escaped("a|b") == "a|b"
