"""Vercel's webhooks: deployments to production or to a named target; previews are not deploys."""

from __future__ import annotations

from typing import Final

from deploys.domain.changes import DeployReport
from deploys.domain.signatures import Hmac
from deploys.formats.reading import json_of, line, milliseconds, needed, part, sha, text, web_address
from deploys.formats.webhook import Inbound, Message, Said, SourceKind, UnexpectedPayload, ignored, unsupported

STATES: Final = {
    "deployment.created": "in_progress",
    "deployment.succeeded": "success",
    "deployment.ready": "success",
    "deployment.promoted": "success",
    "deployment.error": "failure",
    "deployment.canceled": "failure",
}
HOSTS: Final = ("github", "gitlab", "bitbucket")


def read(inbound: Inbound) -> list[Message]:
    """One step of one deployment."""
    payload = json_of(inbound.body)
    event, delivery = text(payload, "type", longest=60), line(payload.get("id")) or ""
    if event not in STATES:
        return unsupported(event, "deployment.created, .succeeded, .promoted, .error and .canceled", delivery)
    body = needed(payload, "payload")
    target = line(body.get("target"), 100)
    if target is None:
        return ignored(event, "a preview: only deployments with a target count", delivery)
    deployment, at = needed(body, "deployment"), milliseconds(payload.get("createdAt"))
    if at is None:
        raise UnexpectedPayload("createdAt: expected epoch milliseconds")
    meta, status, name = part(deployment, "meta"), STATES[event], text(deployment, "name", "deployment")
    host = next((each for each in HOSTS if meta.get(f"{each}CommitSha")), HOSTS[0])
    owner = line(meta.get(f"{host}CommitOrg") or meta.get(f"{host}Org"))
    repository = line(meta.get(f"{host}CommitRepo") or meta.get(f"{host}Repo")) or name
    commit, site = sha(meta.get(f"{host}CommitSha")), line(deployment.get("url"), 400)
    report = DeployReport(
        id=text(deployment, "id", "deployment"),
        service=name,
        environment=target,
        status=status,
        started_at=at if status == "in_progress" else None,
        finished_at=None if status == "in_progress" else at,
        release=commit,
        commit=commit,
        description=line(meta.get(f"{host}CommitMessage"), 2000),
        url=web_address(part(body, "links").get("deployment"), f"https://{site}" if site else None),
    )
    return [Message(event, delivery, [Said(report, f"{owner}/{repository}" if owner else repository)])]


KIND: Final = SourceKind(
    slug="vercel", title="Vercel", schemes=(Hmac("x-vercel-signature", digest="sha1"),), read=read, forgives=True,
    events="Deployment Created, Succeeded, Promoted, Error and Canceled", brings_secret=True,
    setup="Team Settings, Webhooks, Create Webhook: paste the URL. Vercel shows a secret once: paste it here.",
)  # fmt: skip
