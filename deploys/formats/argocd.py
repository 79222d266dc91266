"""Argo CD notifications: there is no fixed body, so ours is a template; docs/sources/argocd.md has it to copy."""

from __future__ import annotations

from typing import Final

from deploys.domain.changes import DeployReport
from deploys.domain.signatures import Token
from deploys.formats.reading import (
    json_of,
    last_part,
    line,
    moment,
    place_of,
    repository_of,
    sha,
    text,
    version_of,
    web_address,
)
from deploys.formats.webhook import Inbound, Json, Message, Said, SourceKind, ignored

PHASES: Final = {
    "Running": "in_progress",
    "Terminating": "in_progress",
    "Succeeded": "success",
    "Failed": "failure",
    "Error": "failure",
}


def read(inbound: Inbound) -> list[Message]:
    """One synchronisation of one application. A revision that is synchronised again later is another deploy."""
    payload = json_of(inbound.body)
    app, phase = text(payload, "app"), line(payload.get("phase")) or ""
    revision, started_at = line(payload.get("revision")), moment(payload.get("started_at"))
    begun = started_at.isoformat() if started_at else ""
    identity = "@".join(filter(None, (app, (revision or "")[:64], begun)))[:200]
    delivery = f"{identity[:160]} {phase}"
    if phase not in PHASES:
        return ignored("sync", f"{phase or 'no phase'}: no synchronisation has begun", delivery)
    status, release, artifact = PHASES[phase], *_image(payload)
    repository = repository_of(payload.get("repo"))
    report = DeployReport(
        id=identity,
        service=line(payload.get("service")) or app,
        environment=place_of(payload.get("environment"), payload.get("dest_namespace")),
        status=status,
        started_at=started_at,
        finished_at=None if status == "in_progress" else moment(payload.get("finished_at")),
        release=line(payload.get("release"), 250) or release or version_of(revision) or revision,
        artifact=artifact,
        commit=sha(revision),
        url=web_address(payload.get("url")),
    )
    return [Message("sync", delivery, [Said(report, repository or last_part(app), trigger=app)])]


def _image(payload: Json) -> tuple[str | None, str | None]:
    """Tag and digest of the application's image, where it has just one."""
    images = payload.get("images")
    named = list(dict.fromkeys(filter(None, map(line, images[:100])))) if isinstance(images, list) else []
    if len(named) != 1:
        return None, None
    name, _, digest = named[0].partition("@")
    _, colon, tag = name.rpartition("/")[2].partition(":")
    return tag[:250] if colon else None, digest[:250] or None


KIND: Final = SourceKind(
    slug="argocd", title="Argo CD", schemes=(Token(),), read=read, events="synchronisations that begin, succeed or fail",
    setup="argocd-notifications-cm: a webhook service with this URL, the header Authorization: Bearer and the secret, and the template of docs/sources/argocd.md.",
)  # fmt: skip
