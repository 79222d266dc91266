"""Gitea and Forgejo: pushes give commits, a published release is a deploy where a rule says so."""

from __future__ import annotations

from typing import Final

from deploys.domain.changes import DeployReport
from deploys.domain.signatures import Hmac
from deploys.formats.pushes import push_message
from deploys.formats.reading import instant, json_or_form, last_part, line, needed, sha, text, web_address
from deploys.formats.webhook import Inbound, Json, Message, MissingEvent, Said, SourceKind, ignored, unsupported


def read(inbound: Inbound) -> list[Message]:
    """What a delivery says, by its header X-Gitea-Event."""
    payload = json_or_form(inbound)
    event, delivery = inbound.header("X-Gitea-Event"), inbound.header("X-Gitea-Delivery")
    match event:
        case "":
            raise MissingEvent("expected the header X-Gitea-Event")
        case "push":
            return push_message(event, payload, _repository(payload), delivery)
        case "release":
            return _published(delivery, payload)
    return unsupported(event, "push and release", delivery)


def _repository(payload: Json) -> str:
    return text(needed(payload, "repository"), "full_name", "repository")


def _published(delivery: str, payload: Json) -> list[Message]:
    release, repository = needed(payload, "release"), _repository(payload)
    if payload.get("action") != "published" or release.get("draft") is True:
        return ignored("release", f"{line(payload.get('action'))}: only published releases count", delivery)
    report = DeployReport(
        id=f"release-{text(release, 'id', 'release')}",
        service=last_part(repository),
        status="success",
        finished_at=instant(release, "published_at", "release"),
        release=text(release, "tag_name", "release", 250),
        commit=sha(release.get("target_commitish")),
        url=web_address(release.get("html_url")),
    )
    return [Message("release", delivery, [Said(report, repository, trigger="published release", by_rule=True)])]


KIND: Final = SourceKind(
    slug="gitea", title="Gitea, Forgejo", schemes=(Hmac("X-Gitea-Signature"),), read=read,
    event_header="X-Gitea-Event", delivery_header="X-Gitea-Delivery", rules=("repository", "environment", "workflow"),
    events="Push and Release", setup="Repository, Settings, Webhooks, Add webhook, Gitea: paste URL and secret, content type application/json.",
)  # fmt: skip
