"""CDEvents 0.3 to 0.5 over CloudEvents: read by subject and predicate; minor versions do not matter, unknown ones are let be."""

from __future__ import annotations

import datetime as dt
from typing import Final
from urllib.parse import unquote

from deploys.domain.changes import DeployReport, OutsideReport, PushReport
from deploys.domain.commits import CommitReport
from deploys.domain.signatures import Hmac, StandardWebhooks, Token
from deploys.formats.cloudevents import CloudEvent, events_of
from deploys.formats.reading import line, moment, part, text, web_address
from deploys.formats.webhook import (
    Inbound,
    Json,
    Message,
    Said,
    SourceKind,
    UnexpectedPayload,
    ignored,
    unsupported,
)

OUTCOMES: Final = {"success": "success"} | dict.fromkeys(("failure", "error", "cancel", "cancelled"), "failure")
EXPECTED: Final = "service.deployed, .upgraded, .rolledback, change.merged, pipelinerun.* and incident.*"
#: What is known and says nothing to record, and why.
SILENT: Final = {
    "service.published": "the service can be reached; nothing was deployed",
    "service.removed": "a service is retired on its own page",
}


def read(inbound: Inbound) -> list[Message]:
    """One message per event. In a batch, one that cannot be read does not stop the others."""
    events, is_batch = events_of(inbound)
    found: list[Message] = []
    for event in events:
        try:
            if event.problem:
                raise UnexpectedPayload(event.problem)
            found += _read(event)
        except UnexpectedPayload as error:
            if not is_batch:
                raise
            found += ignored(event.type or "unreadable", f"{error.slug}: {error}", _delivery(event), problem=error.slug)
    return found


def _delivery(event: CloudEvent) -> str:
    """Source and id together are unique (CloudEvents 1.0.2, `id`)."""
    return f"{event.source[:120]} {event.id[:75]}".strip()


def _read(event: CloudEvent) -> list[Message]:
    parts, delivery = event.type.split("."), _delivery(event)
    if len(parts) < 4 or parts[:2] != ["dev", "cdevents"]:
        return unsupported(event.type[:90], "CDEvents (dev.cdevents.*)", delivery)
    name = f"{parts[2]}.{parts[3]}"
    if name in SILENT:
        return ignored(name, f"{name}: {SILENT[name]}", delivery)
    at = moment(part(event.data, "context").get("timestamp")) or moment(event.time)
    subject = part(event.data, "subject")
    match parts[2], parts[3]:
        case "service", "deployed" | "upgraded" | "rolledback":
            said = _service(event, subject, at, is_rollback=parts[3] == "rolledback")
        case "pipelinerun", "queued" | "started" | "finished":
            said = _run(subject, at, parts[3])
        case "change", "merged":
            said = _change(subject, at)
        case "incident", "detected" | "reported" | "resolved":
            said = _incident(event, subject, at, parts[3])
        case _:
            return unsupported(name, EXPECTED, delivery)
    return [Message(name, delivery, [said])]


def _service(event: CloudEvent, subject: Json, at: dt.datetime | None, *, is_rollback: bool) -> Said:
    """A deploy that has ended well: CDEvents has no word for one that begins or fails."""
    content, service = part(subject, "content"), text(subject, "id", "subject")
    release, digest = _package(content.get("artifactId"))
    report = DeployReport(
        id=_delivery(event), service=service, environment=_named(content, "environment"), status="success",
        finished_at=_known(at), release=release, artifact=digest, kind="rollback" if is_rollback else None,
    )  # fmt: skip
    return Said(report, service)


def _run(subject: Json, at: dt.datetime | None, predicate: str) -> Said:
    """A run of a pipeline, which is a deploy where a rule names the pipeline. Without an outcome it has not ended."""
    content = part(subject, "content")
    name, status = line(content.get("pipelineName")) or "", OUTCOMES.get(line(content.get("outcome")) or "")
    is_final = predicate == "finished" and status is not None
    report = DeployReport(
        id=text(subject, "id", "subject"), service=name or text(subject, "id", "subject"),
        status=status if is_final else "in_progress", started_at=_known(at) if predicate == "started" else None,
        finished_at=_known(at) if is_final else None, description=line(content.get("errors"), 2000),
        url=web_address(content.get("uri"), content.get("url")),
    )  # fmt: skip
    return Said(report, name, trigger=name, by_rule=True)


def _change(subject: Json, at: dt.datetime | None) -> Said:
    """A commit, by the name the change has, and when it was merged."""
    repository = line(part(subject, "content", "repository").get("id")) or ""
    name = text(subject, "id", "subject", 64)
    commit = CommitReport(sha=name, committed_at=_known(at))
    return Said(PushReport(repository=repository, ref="", before=None, after=name, commits=(commit,)), repository)


def _incident(event: CloudEvent, subject: Json, at: dt.datetime | None, state: str) -> Said:
    content = part(subject, "content")
    report = OutsideReport(
        origin=line(subject.get("source"), 300) or event.source, id=text(subject, "id", "subject"), state=state,
        at=_known(at), service=_named(content, "service"), environment=_named(content, "environment"),
        artifact=_package(content.get("artifactId"))[1], title=line(content.get("description"), 500),
        url=web_address(content.get("ticketURI")),
    )  # fmt: skip
    return Said(report, report.service or "")


def _named(content: Json, key: str) -> str | None:
    return line(part(content, key).get("id"), 100)


def _known(at: dt.datetime | None) -> dt.datetime:
    if at is None:
        raise UnexpectedPayload("context.timestamp: expected a time with offset")
    return at


def _package(address: object) -> tuple[str | None, str | None]:
    """Version and digest of a package URL: `pkg:oci/app@sha256%3A0b31…?tag=1.4.0`."""
    found, _, query = (line(address, 600) or "").partition("?")
    version = unquote(found.rpartition("@")[2])[:250] if "@" in found else ""
    tag = next((each[4:] for each in query.split("&") if each.startswith("tag=")), "")
    digest = version if version.startswith("sha256:") else None
    return unquote(tag)[:250] or (None if digest else version) or None, digest


KIND: Final = SourceKind(
    slug="cdevents", title="CDEvents", read=read, shakes_hands=True, keeps=("ce-*",),
    schemes=(StandardWebhooks(), Hmac("X-Upshot-Signature-256", prefix="sha256="), Token()),
    rules=("repository", "environment", "workflow"), events="service.*, change.merged, pipelinerun.* and incident.*",
    setup="A CloudEvents HTTP sink: this URL, and the header Authorization: Bearer and the secret. Binary, structured and batched messages are taken.",
)  # fmt: skip
