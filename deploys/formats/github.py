"""GitHub's webhooks. Field names: octokit/webhooks schemas.

Senders differ (older servers leave `action` out, `payload` may be an object or JSON text), so only what is needed is
looked at, and everything else is let be.
"""

from __future__ import annotations

from typing import Final

from deploys.domain.changes import DeployReport
from deploys.domain.signatures import GITHUB
from deploys.formats.pushes import full_name, push_message, release_message
from deploys.formats.reading import (
    instant,
    json_or_form,
    last_part,
    line,
    moment,
    needed,
    part,
    part_or_text,
    sha,
    text,
    version_of,
    web_address,
)
from deploys.formats.tickets import github_ticket
from deploys.formats.webhook import Inbound, Json, Message, MissingEvent, Said, SourceKind, ignored, unsupported

#: States of a deployment_status. `inactive` means another deployment took its place: no news about how this one went.
STATES: Final = {
    "pending": "in_progress",
    "queued": "in_progress",
    "waiting": "in_progress",
    "in_progress": "in_progress",
    "success": "success",
    "failure": "failure",
    "error": "failure",
}
CONCLUSIONS: Final = {"success": "success"} | dict.fromkeys(
    ("failure", "timed_out", "cancelled", "startup_failure"), "failure"
)
INACTIVE: Final = "inactive: superseded by another deployment, which says nothing about how this one went"


def read(inbound: Inbound) -> list[Message]:
    """What a delivery says. UnexpectedPayload when a deployment lacks its id, environment, repository or time."""
    payload = json_or_form(inbound)
    event, delivery = inbound.header("X-GitHub-Event"), inbound.header("X-GitHub-Delivery")
    match event:
        case "":
            raise MissingEvent("expected the header X-GitHub-Event")
        case "ping":
            return ignored(event, "ping: the webhook is set up", delivery)
        case "deployment" | "deployment_status":
            return _deployment(event, delivery, payload)
        case "push":
            return push_message(event, payload, full_name(payload), delivery)
        case "workflow_run":
            return _run(delivery, payload)
        case "release":
            # `published` and `released` come both for one release
            return release_message(payload, delivery, actions={"published", "released"})
        case "issues":
            return github_ticket(payload, full_name(payload), delivery)
    return unsupported(event, "deployment, deployment_status, push, workflow_run, release and issues", delivery)


def _deployment(event: str, delivery: str, payload: Json) -> list[Message]:
    deployment = needed(payload, "deployment")
    status = needed(payload, "deployment_status") if event == "deployment_status" else {}
    state = text(status, "state", "deployment_status") if status or event == "deployment_status" else "pending"
    if state == "inactive":
        return ignored(event, INACTIVE, delivery)
    if state not in STATES:
        return ignored(event, f"{state}: unknown state", delivery)
    repository, extra = full_name(payload), part_or_text(deployment.get("payload"))
    is_final = STATES[state] != "in_progress"
    report = DeployReport(
        id=text(deployment, "id", "deployment"),
        service=last_part(repository),
        environment=text(deployment, "environment", "deployment", 100),
        status=STATES[state],
        started_at=instant(deployment, "created_at", "deployment"),
        finished_at=instant(status, "created_at", "deployment_status") if is_final else None,
        release=_release(deployment, extra),
        artifact=line(extra.get("artifact") or extra.get("digest"), 250),
        commit=sha(deployment.get("sha")),
        kind="rollback" if deployment.get("task") == "deploy:rollback" else None,
        description=line(deployment.get("description"), 2000),
        url=web_address(status.get("log_url"), status.get("target_url"), status.get("environment_url")),
    )
    return [Message(event, delivery, [Said(report, repository)])]


def _run(delivery: str, payload: Json) -> list[Message]:
    """A run of a workflow, which is a deploy where a rule names the workflow. Each attempt is one of its own."""
    run = needed(payload, "workflow_run")
    repository, conclusion = full_name(payload), line(run.get("conclusion"))
    status = CONCLUSIONS.get(conclusion) if conclusion else "in_progress"
    if status is None:
        return ignored("workflow_run", f"{conclusion}: the run deployed nothing", delivery)
    report = DeployReport(
        id=f"run-{text(run, 'id', 'workflow_run')}.{line(run.get('run_attempt')) or 1}",
        service=last_part(repository),
        status=status,
        started_at=moment(run.get("run_started_at")) or instant(run, "created_at", "workflow_run"),
        finished_at=instant(run, "updated_at", "workflow_run") if conclusion else None,
        release=sha(run.get("head_sha")),
        commit=sha(run.get("head_sha")),
        url=web_address(run.get("html_url")),
    )
    name = line(run.get("name")) or line(part(payload, "workflow").get("name")) or line(run.get("path")) or ""
    return [Message("workflow_run", delivery, [Said(report, repository, trigger=name, by_rule=True)])]


def _release(deployment: Json, extra: Json) -> str | None:
    """A version the payload names, a tag that looks like one, or else the commit: a branch is the same every time."""
    stated = line(extra.get("release") or extra.get("version"), 250)
    return stated or version_of(deployment.get("ref")) or line(deployment.get("sha"), 250)


KIND: Final = SourceKind(
    slug="github", title="GitHub", schemes=(GITHUB,), read=read, event_header="X-GitHub-Event", delivery_header="X-GitHub-Delivery",
    rules=("repository", "environment", "workflow"), events="Deployments, Deployment statuses and Pushes",
    setup="Repository or organisation, Settings, Webhooks, Add webhook: paste URL and secret, content type application/json.",
)  # fmt: skip
