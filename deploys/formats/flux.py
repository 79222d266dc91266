"""Flux's notification controller, provider generic-hmac: Kustomizations and HelmReleases that were applied or failed."""

from __future__ import annotations

from typing import Final

from deploys.domain.changes import DeployReport
from deploys.domain.signatures import NamedHmac
from deploys.formats.reading import instant, json_of, line, needed, part, place_of, sha, text, version_of
from deploys.formats.webhook import Inbound, Json, Message, Said, SourceKind, ignored

KINDS: Final = ("Kustomization", "HelmRelease")
DONE: Final = frozenset(
    {"ReconciliationSucceeded", "InstallSucceeded", "UpgradeSucceeded", "RollbackSucceeded", "TestSucceeded"}
)
BEGUN: Final = frozenset({"Progressing", "ProgressingWithRetry", "ReconciliationStarted"})


def read(inbound: Inbound) -> list[Message]:
    """One reason about one object at one revision; a repeated reconciliation of a revision is the same delivery."""
    payload = json_of(inbound.body)
    about, reason = needed(payload, "involvedObject"), text(payload, "reason")
    kind, name = text(about, "kind", "involvedObject"), text(about, "name", "involvedObject")
    revision = _revision(payload)
    uid = line(about.get("uid"), 64) or f"{line(about.get('namespace'), 60) or ''}/{name[:60]}"
    delivery = f"{uid} {(revision or '')[:80]} {reason[:50]}"
    status = _status(reason, line(payload.get("severity")))
    if kind not in KINDS:
        return ignored(reason, f"{kind}: only Kustomizations and HelmReleases are deploys", delivery)
    if status is None or revision is None:
        return ignored(reason, f"{reason}: says nothing about a deploy of a revision", delivery)
    at, metadata, commit = instant(payload, "timestamp"), part(payload, "metadata"), _commit(revision)
    stated = next((metadata[key] for key in ("environment", "env", "cluster") if metadata.get(key)), None)
    report = DeployReport(
        id=f"{uid} {revision}"[:200],
        service=line(metadata.get("service")) or name,
        environment=place_of(stated, about.get("namespace")),
        status=status,
        started_at=at if status == "in_progress" else None,
        finished_at=None if status == "in_progress" else at,
        release=version_of(revision) or commit or revision,
        commit=commit,
        kind="rollback" if reason == "RollbackSucceeded" else None,
        description=line(payload.get("message"), 2000),
    )
    return [Message(reason, delivery, [Said(report, name, trigger=name)])]


def _status(reason: str, severity: str | None) -> str | None:
    if reason in DONE:
        return "success"
    if reason in BEGUN:
        return "in_progress"
    return "failure" if severity == "error" else None


def _revision(payload: Json) -> str | None:
    """The revision, under a key that begins with the controller's group."""
    found = [value for key, value in part(payload, "metadata").items() if str(key).rpartition("/")[2] == "revision"]
    return line(found[0], 150) if found else None


def _commit(revision: str) -> str | None:
    """`main@sha1:731f…`, or `main/731f…` of older versions."""
    return sha(revision.rpartition(":")[2]) or sha(revision.rpartition("/")[2])


KIND: Final = SourceKind(
    slug="flux", title="Flux", schemes=(NamedHmac("X-Signature"),), read=read, events="Kustomizations and HelmReleases",
    setup="A Provider of type generic-hmac with this URL as address and the secret under the key token, and an Alert with eventMetadata env: production.",
)  # fmt: skip
