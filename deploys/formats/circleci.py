"""CircleCI webhooks: a finished workflow is a deploy where a rule names it. Keys: circleci.com, webhooks reference."""

from __future__ import annotations

from typing import Final

from deploys.domain.changes import DeployReport
from deploys.domain.signatures import Hmac
from deploys.formats.reading import (
    instant,
    json_of,
    last_part,
    line,
    needed,
    part,
    sha,
    text,
    version_of,
    web_address,
)
from deploys.formats.webhook import Inbound, Message, Said, SourceKind, ignored, unsupported

STATES: Final = {
    "success": "success",
    "failed": "failure",
    "error": "failure",
    "canceled": "failure",
}


def read(inbound: Inbound) -> list[Message]:
    """A workflow that ended; jobs are parts of one."""
    payload = json_of(inbound.body)
    event, delivery = text(payload, "type", longest=60), line(payload.get("id")) or ""
    if event == "ping":
        return ignored(event, "ping: the webhook is set up", delivery)
    if event != "workflow-completed":
        return unsupported(event, "workflow-completed", delivery)
    workflow, vcs = needed(payload, "workflow"), part(payload, "pipeline", "vcs")
    state = text(workflow, "status", "workflow")
    if state not in STATES:
        return ignored(event, f"{state}: nothing was deployed", delivery)
    # gh/acme/shop: which host, owner, name
    slug = text(needed(payload, "project"), "slug", "project")
    repository, commit = slug.partition("/")[2] or slug, sha(vcs.get("revision"))
    report = DeployReport(
        id=text(workflow, "id", "workflow"),
        service=last_part(line(part(payload, "project").get("name")) or repository),
        status=STATES[state],
        started_at=instant(workflow, "created_at", "workflow"),
        finished_at=instant(workflow, "stopped_at", "workflow"),
        release=version_of(vcs.get("tag")) or line(vcs.get("tag"), 250) or commit,
        commit=commit,
        description=line(part(vcs, "commit").get("subject"), 2000),
        url=web_address(workflow.get("url")),
    )
    name = text(workflow, "name", "workflow")
    return [Message(event, delivery, [Said(report, repository, trigger=name, by_rule=True)])]


KIND: Final = SourceKind(
    slug="circleci", title="CircleCI", schemes=(Hmac("circleci-signature", prefix="v1=", many=True),), read=read,
    event_header="circleci-event-type", forgives=True, rules=("repository", "workflow"), events="Workflow Completed",
    setup="Project Settings, Webhooks, Add Webhook: paste URL and secret token. Then name the workflow that deploys in a rule.",
)  # fmt: skip
