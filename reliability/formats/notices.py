"""Notices as machines and chats take them: CDEvents in CloudEvents, Slack's incoming webhooks, Teams' workflows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

import orjson

from deploys.domain.instants import instant_text

CDEVENTS = "0.5.0"
#: Versions of the two event types in CDEvents 0.5.
INCIDENT_EVENT = "0.3.0"
MEDIA_TYPE = "application/cloudevents+json"
#: What Slack takes in one text (Block Kit, "Text object").
LONGEST_TEXT = 3_000
LONGEST_FALLBACK = 600

Json = dict[str, Any]  # Any: JSON


@dataclass(frozen=True, slots=True)
class IncidentEvent:
    """One piece of news for a machine. `what` is `detected`, `resolved`, or another word of ours."""

    id: str
    what: str
    at: datetime
    source: str
    incident_id: str
    environment: str
    description: str
    service: str | None
    artifact: str | None
    more: Json


def cloud_event(event: IncidentEvent) -> bytes:
    """A structured CloudEvent (1.0.2). `detected` and `resolved` are CDEvents of 0.5; other news keep their shape."""
    is_known = event.what in {"detected", "resolved"}
    kind = f"dev.cdevents.incident.{event.what}.{INCIDENT_EVENT}" if is_known else f"upshot.incident.{event.what}"
    at = instant_text(event.at)
    content: Json = {"description": event.description, "environment": {"id": event.environment or "production"}}
    if event.service:
        content["service"] = {"id": event.service}
    if event.artifact:
        content["artifactId"] = event.artifact
    data: Json = {
        "context": {"specversion": CDEVENTS, "id": event.id, "source": event.source, "type": kind, "timestamp": at},
        "subject": {"id": event.incident_id, "source": event.source, "content": content},
        "customData": event.more,
        "customDataContentType": "application/json",
    }
    return orjson.dumps(
        {
            "specversion": "1.0", "id": event.id, "source": event.source, "type": kind, "subject": event.incident_id,
            "time": at, "datacontenttype": "application/json", "data": data,
        }
    )  # fmt: skip


def plain_event(*, event_id: str, kind: str, at: datetime, source: str, data: Json) -> bytes:
    """A structured CloudEvent of ours about something that is no incident: a burning budget, a test."""
    return orjson.dumps(
        {
            "specversion": "1.0", "id": event_id, "source": source, "type": f"upshot.{kind}", "time": instant_text(at),
            "datacontenttype": "application/json", "data": data,
        }
    )  # fmt: skip


def artifact_of(service: str, version: str, digest: str | None) -> str:
    """The package URL of a release (purl 1.0, type generic); with its digest where one is known."""
    if digest:
        return f"pkg:oci/{quote(service, safe='')}@{quote(digest, safe='')}?tag={quote(version, safe='')}"
    return f"pkg:generic/{quote(service, safe='')}@{quote(version, safe='')}"


def slack_message(*, lines: Sequence[str], link: str, link_words: str) -> bytes:
    """A message for an incoming webhook. What others wrote stands in plain text, where Slack reads no markup or mention."""
    blocks: list[Json] = [
        {"type": "section", "text": {"type": "plain_text", "text": line[:LONGEST_TEXT], "emoji": False}}
        for line in lines
        if line
    ]
    if link:
        blocks.append(
            {
                "type": "section",
                "text": {"type": "mrkdwn", "text": f"<{escaped(link)}|{escaped(link_words).replace('|', ' ')}>"},
            }
        )
    fallback = escaped("\n".join(line for line in lines if line)[:LONGEST_FALLBACK])
    return orjson.dumps({"text": fallback, "blocks": blocks, "unfurl_links": False, "unfurl_media": False})


def teams_message(*, lines: Sequence[str], link: str, link_words: str) -> bytes:
    """An Adaptive Card (1.4) for a Teams workflow that posts what it is sent. The first line is its headline.

    What others wrote stands in text runs, in which a card reads no Markdown.
    """
    body: list[Json] = []
    for line in filter(None, lines):
        run: Json = {"type": "TextRun", "text": line[:LONGEST_TEXT]}
        body.append({"type": "RichTextBlock", "inlines": [run if body else {**run, "weight": "Bolder"}]})
    card: Json = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json", "type": "AdaptiveCard", "version": "1.4", "body": body,
    }  # fmt: skip
    if link:
        card["actions"] = [{"type": "Action.OpenUrl", "title": link_words, "url": link}]
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return orjson.dumps({"type": "message", "attachments": [attachment]})


def escaped(text: str) -> str:
    """The three letters that begin Slack's links, mentions and entities ("Escaping text")."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
