"""Netlify's deploy notifications: production deploys of a site; previews and branch deploys are not deploys."""

from __future__ import annotations

from typing import Final

from deploys.domain.changes import DeployReport
from deploys.domain.signatures import BodyHashToken
from deploys.formats.reading import (
    instant,
    json_of,
    line,
    moment,
    repository_of,
    sha,
    text,
    version_of,
    web_address,
)
from deploys.formats.webhook import Inbound, Message, Said, SourceKind, ignored

STATES: Final = {
    "enqueued": "in_progress",
    "building": "in_progress",
    "uploading": "in_progress",
    "uploaded": "in_progress",
    "preparing": "in_progress",
    "prepared": "in_progress",
    "processing": "in_progress",
    "processed": "in_progress",
    "ready": "success",
    "error": "failure",
}


def read(inbound: Inbound) -> list[Message]:
    """One state of one deploy."""
    payload = json_of(inbound.body)
    identity, state = text(payload, "id"), text(payload, "state")
    delivery, context = f"{identity[:150]} {state[:40]}", line(payload.get("context"), 100)
    if state not in STATES:
        return ignored(state, f"{state}: unknown state", delivery)
    if context != "production":
        return ignored(state, f"{context or 'no context'}: only production deploys count", delivery)
    status, commit = STATES[state], sha(payload.get("commit_ref"))
    ended_at = moment(payload.get("published_at")) or moment(payload.get("updated_at"))
    # https://github.com/acme/shop/commit/f95f852b
    repository = repository_of((line(payload.get("commit_url"), 500) or "").partition("/commit")[0])
    report = DeployReport(
        id=identity,
        service=text(payload, "name"),
        environment=context,
        status=status,
        started_at=instant(payload, "created_at"),
        finished_at=None if status == "in_progress" else ended_at,
        release=version_of(payload.get("branch")) or commit,
        commit=commit,
        description=line(payload.get("error_message") or payload.get("title"), 2000),
        url=web_address(payload.get("admin_url"), payload.get("deploy_ssl_url"), payload.get("ssl_url")),
    )
    return [Message(state, delivery, [Said(report, repository or report.service)])]


KIND: Final = SourceKind(
    slug="netlify", title="Netlify", schemes=(BodyHashToken("X-Webhook-Signature", "netlify"),), read=read, forgives=True,
    events="Deploy started, Deploy succeeded and Deploy failed, one notification each",
    setup="Project configuration, Notifications, Deploy notifications, HTTP POST request: paste the URL, and the secret as JWS secret token.",
)  # fmt: skip
