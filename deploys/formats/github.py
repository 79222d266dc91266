"""GitHub's webhooks: deployment and deployment_status become reports. Field names: octokit/webhooks schemas.

Senders differ (older servers leave `action` out, `payload` may be an object or JSON text), so only what is needed is
looked at, and everything else is let be.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Final
from urllib.parse import parse_qs

import orjson

from deploys.domain.changes import DeployReport
from deploys.domain.instants import NotAnInstant, parse_instant

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
_VERSION = re.compile(r"(?:refs/tags/)?(v?\d+(?:\.\d+)+[\w.+-]*)")


class UnreadableBody(ValueError):
    """The body is not what its content type says."""


class UnexpectedPayload(ValueError):
    """The payload lacks something, or has it in a form nobody can read. The argument is the path and what is wrong."""


@dataclass(frozen=True, slots=True)
class Ignored:
    """A delivery that says nothing about a deploy."""

    reason: str


@dataclass(frozen=True, slots=True)
class Deployment:
    """A delivery about a deploy; `report.service` is the repository's name until a rule says otherwise."""

    repository: str
    report: DeployReport


def payload_of(body: bytes, content_type: str) -> Mapping[str, Any]:  # Any: JSON
    """The JSON object of a delivery, sent as such or as the form field `payload`. UnreadableBody otherwise."""
    try:
        if content_type.split(";", maxsplit=1)[0].strip().lower() == "application/x-www-form-urlencoded":
            fields = parse_qs(body.decode("ascii"), max_num_fields=10, errors="strict")
            if "payload" not in fields:
                raise UnreadableBody("the form has no field payload")
            body = fields["payload"][0].encode()
        payload = orjson.loads(body)
    except (ValueError, UnicodeError) as error:
        raise UnreadableBody(str(error)) from error
    if not isinstance(payload, Mapping):
        raise UnreadableBody("expected a JSON object")
    return payload


def read(event: str, payload: Mapping[str, Any]) -> Deployment | Ignored:  # Any: JSON
    """What a delivery says. UnexpectedPayload when a deployment lacks its id, environment, repository or time."""
    if event == "ping":
        return Ignored("ping: the webhook is set up")
    if event not in {"deployment", "deployment_status"}:
        return Ignored(f"{event}: only deployment and deployment_status are about deploys")
    deployment = _object(payload, "deployment")
    status: Mapping[str, Any] = {}  # Any: JSON
    if event == "deployment_status":
        status = _object(payload, "deployment_status")
        state = _text(status, "state", "deployment_status")
        if state == "inactive":
            return Ignored("inactive: superseded by another deployment, which says nothing about how this one went")
        if state not in STATES:
            return Ignored(f"{state}: unknown state")
    repository = _text(_object(payload, "repository"), "full_name", "repository")
    return Deployment(repository, _report(deployment, status, repository))


def _report(deployment: Mapping[str, Any], status: Mapping[str, Any], repository: str) -> DeployReport:  # Any: JSON
    state = STATES[status["state"]] if status else "in_progress"
    extra = _extra(deployment.get("payload"))
    return DeployReport(
        id=_text(deployment, "id", "deployment"),
        service=repository.rsplit("/", 1)[-1][:200],
        environment=_text(deployment, "environment", "deployment")[:100],
        status=state,
        started_at=_instant(deployment, "created_at", "deployment"),
        finished_at=None if state == "in_progress" else _instant(status, "created_at", "deployment_status"),
        release=_release(deployment, extra),
        artifact=_line(extra.get("artifact") or extra.get("digest"), 250),
        kind="rollback" if deployment.get("task") == "deploy:rollback" else None,
        description=_line(deployment.get("description"), 2000),
        url=_address(status),
    )


def _release(deployment: Mapping[str, Any], extra: Mapping[str, Any]) -> str | None:  # Any: JSON
    """A version the payload names, a tag that looks like one, or else the commit: a branch is the same every time."""
    if stated := _line(extra.get("release") or extra.get("version"), 250):
        return stated
    tag = _VERSION.fullmatch(_line(deployment.get("ref"), 250) or "")
    return tag[1] if tag else _line(deployment.get("sha"), 250)


def _address(status: Mapping[str, Any]) -> str | None:  # Any: JSON
    """Where the run or the deployed site can be looked at."""
    for key in ("log_url", "target_url", "environment_url"):
        address = _line(status.get(key), 501)
        if address and len(address) <= 500 and address.startswith(("https://", "http://")):
            return address
    return None


def _extra(value: object) -> Mapping[str, Any]:  # Any: JSON
    """The deployment's own payload: an object, or one written as JSON text."""
    if isinstance(value, str):
        try:
            value = orjson.loads(value)
        except orjson.JSONDecodeError:
            return {}
    return value if isinstance(value, Mapping) else {}


def _object(payload: Mapping[str, Any], key: str) -> Mapping[str, Any]:  # Any: JSON
    value = payload.get(key)
    if not isinstance(value, Mapping):
        raise UnexpectedPayload(f"{key}: expected an object")
    return value


def _text(value: Mapping[str, Any], key: str, path: str) -> str:  # Any: JSON
    text = _line(value.get(key), 200)
    if not text:
        raise UnexpectedPayload(f"{path}.{key}: expected a text or a number")
    return text


def _line(value: object, longest: int) -> str | None:
    """One printable line of a text or number; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    text = "".join(each if each.isprintable() else " " for each in str(value)[:longest]).strip()
    return text or None


def _instant(value: Mapping[str, Any], key: str, path: str) -> Any:  # Any: an instant; JSON
    try:
        return parse_instant(value.get(key))
    except NotAnInstant as error:
        raise UnexpectedPayload(f"{path}.{key}: {error}") from error


def ruled(deployment: Deployment, rules: Sequence[Mapping[str, str]]) -> tuple[str | None, str | None]:
    """Service and environment by the first rule that fits, each None where no rule names it. `*` and `?` match, no case."""
    repository, environment = deployment.repository.lower(), (deployment.report.environment or "").lower()
    for rule in rules:
        if fnmatchcase(repository, (rule.get("repository") or "*").lower()) and fnmatchcase(
            environment, (rule.get("environment") or "*").lower()
        ):
            return rule.get("service") or None, rule.get("to_environment") or None
    return None, None
