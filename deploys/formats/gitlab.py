"""GitLab's webhooks. Field names: GitLab's documentation of webhook events; times come in three spellings."""

from __future__ import annotations

from typing import Final

from deploys.domain.changes import DeployReport, FlagReport
from deploys.domain.signatures import StandardWebhooks, Token
from deploys.formats.pushes import push_message
from deploys.formats.reading import (
    instant,
    items,
    json_of,
    last_part,
    line,
    moment,
    needed,
    part,
    sha,
    text,
    version_of,
    web_address,
)
from deploys.formats.tickets import gitlab_ticket
from deploys.formats.webhook import Inbound, Json, Message, Said, SourceKind, UnexpectedPayload, ignored, unsupported

STATES: Final = {
    "created": "in_progress",
    "running": "in_progress",
    "success": "success",
    "failed": "failure",
    "canceled": "failure",
}
#: Before a job with approval runs, GitLab tells of its deployment in these states; nothing has begun yet.
WAITING: Final = frozenset({"blocked", "approved", "rejected", "skipped"})


def read(inbound: Inbound) -> list[Message]:
    """What a delivery says, by the payload's own `object_kind`."""
    payload = json_of(inbound.body)
    kind = text(payload, "object_kind", longest=60)
    delivery = next(
        filter(None, map(inbound.header, ("Idempotency-Key", "webhook-id", "X-Gitlab-Event-UUID"))), ""
    )  # fmt: skip
    match kind:
        case "deployment":
            return _deployment(delivery, payload)
        case "push" | "tag_push":
            return push_message(kind, payload, _project(payload), delivery)
        case "pipeline":
            return _pipeline(delivery, payload)
        case "release":
            return _published(delivery, payload)
        case "feature_flag":
            return _flag(delivery, payload, inbound)
        case "issue" | "work_item":
            return gitlab_ticket(kind, payload, _project(payload), delivery)
    return unsupported(kind, "deployment, push, pipeline, release, feature_flag and issue", delivery)


def _project(payload: Json) -> str:
    return text(needed(payload, "project"), "path_with_namespace", "project")


def _deployment(delivery: str, payload: Json) -> list[Message]:
    state, project = text(payload, "status"), _project(payload)
    if state in WAITING or state not in STATES:
        said = "nothing has begun" if state in WAITING else "unknown state"
        return ignored("deployment", f"{state}: {said}", delivery)
    changed_at, status = instant(payload, "status_changed_at"), STATES[state]
    # The full name of the commit stands only at the end of its address.
    commit = sha((line(payload.get("commit_url"), 1000) or "").rpartition("/")[2]) or sha(payload.get("short_sha"))
    report = DeployReport(
        id=text(payload, "deployment_id"),
        service=last_part(project),
        environment=text(payload, "environment", longest=100),
        status=status,
        started_at=changed_at if status == "in_progress" else None,
        finished_at=None if status == "in_progress" else changed_at,
        release=version_of(payload.get("ref")) or commit,
        commit=commit,
        description=line(payload.get("commit_title"), 2000),
        url=web_address(payload.get("deployable_url"), payload.get("environment_external_url")),
    )
    return [Message("deployment", delivery, [Said(report, project)])]


def _pipeline(delivery: str, payload: Json) -> list[Message]:
    """Jobs with an environment, each a deploy where a rule names the job; deployment events tell the same better."""
    attributes, project = needed(payload, "object_attributes"), _project(payload)
    commit = sha(attributes.get("sha"))
    found = []
    for job in items(payload.get("builds"), 500):
        environment = part(job, "environment")
        status, started_at = STATES.get(line(job.get("status")) or ""), moment(job.get("started_at"))
        if status is None or started_at is None or environment.get("action") not in {None, "start"}:
            continue
        if not (place := line(environment.get("name"), 100)):
            continue
        report = DeployReport(
            id=f"job-{text(job, 'id', 'builds')}", service=last_part(project), environment=place, status=status,
            started_at=started_at, finished_at=None if status == "in_progress" else moment(job.get("finished_at")),
            release=version_of(attributes.get("ref")) or commit, commit=commit,
        )  # fmt: skip
        found.append(Said(report, project, trigger=line(job.get("name")) or "", by_rule=True))
    if not found:
        return ignored("pipeline", "pipeline: no job with an environment has run", delivery)
    return [Message("pipeline", delivery, found)]


def _published(delivery: str, payload: Json) -> list[Message]:
    if payload.get("action") != "create":
        return ignored("release", f"{line(payload.get('action'))}: only new releases count", delivery)
    project = _project(payload)
    report = DeployReport(
        id=f"release-{text(payload, 'id')}",
        service=last_part(project),
        status="success",
        finished_at=moment(payload.get("released_at")) or instant(payload, "created_at"),
        release=text(payload, "tag", longest=250),
        commit=sha(part(payload, "commit").get("id")),
        url=web_address(payload.get("url")),
    )
    return [Message("release", delivery, [Said(report, project, trigger="published release", by_rule=True)])]


def _flag(delivery: str, payload: Json, inbound: Inbound) -> list[Message]:
    """A flag switched on or off. Neither time nor environment is said: it was now, in production."""
    attributes = needed(payload, "object_attributes")
    if not isinstance(attributes.get("active"), bool):
        raise UnexpectedPayload("object_attributes.active: expected true or false")
    report = FlagReport(
        key=text(attributes, "name", "object_attributes"),
        id=delivery[:200] or f"{attributes.get('id')}@{inbound.received_at.isoformat()}"[:200],
        new_percent=100 if attributes["active"] else 0,
    )
    return [Message("feature_flag", delivery, [Said(report, _project(payload))])]


KIND: Final = SourceKind(
    slug="gitlab", title="GitLab", schemes=(StandardWebhooks(), Token("X-Gitlab-Token")), read=read, forgives=True,
    event_header="X-Gitlab-Event", delivery_header="Idempotency-Key", keeps=("webhook-id", "X-Gitlab-Event-UUID"), rules=("repository", "environment", "workflow"),
    events="Deployment events, Push events, Feature flag events and Issues events", brings_secret=True,
    setup="Project or group, Settings, Webhooks, Add new webhook: paste URL and secret token. A signing token of GitLab's (whsec_…) works too: paste it here.",
)  # fmt: skip
