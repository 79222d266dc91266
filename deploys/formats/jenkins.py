"""Jenkins' Notification plugin, format JSON: a job that deploys. It signs nothing, so the address holds the secret.

The plugin's `timestamp` is the start in STARTED and the end in COMPLETED (JobListener.java).
"""

from __future__ import annotations

import datetime as dt
from typing import Final

from deploys.domain.changes import DeployReport
from deploys.domain.signatures import Token
from deploys.domain.web_addresses import without_userinfo
from deploys.formats.reading import (
    json_of,
    last_part,
    line,
    milliseconds,
    needed,
    part,
    repository_of,
    sha,
    text,
    web_address,
)
from deploys.formats.webhook import Inbound, Json, Message, Said, SourceKind, UnexpectedPayload, ignored

RESULTS: Final = {
    "SUCCESS": "success",
    "UNSTABLE": "success",
    "FAILURE": "failure",
    "ABORTED": "failure",
    "NOT_BUILT": "failure",
}


def read(inbound: Inbound) -> list[Message]:
    """The start or the end of a build of the job. FINALIZED repeats COMPLETED a little later."""
    payload = json_of(inbound.body)
    job, build = text(payload, "name"), needed(payload, "build")
    phase, number = text(build, "phase", "build"), text(build, "number", "build")
    address = web_address(build.get("full_url"))
    delivery = f"{without_userinfo(line(build.get('full_url'), 150) or f'{job[:140]} {number}')} {phase}"
    result = RESULTS.get(line(build.get("status")) or "")
    if phase not in {"STARTED", "COMPLETED"}:
        return ignored(phase, f"{phase}: STARTED and COMPLETED say it all", delivery)
    if phase == "COMPLETED" and result is None:
        return ignored(phase, "COMPLETED without a result", delivery)
    started_at, finished_at = _times(build, phase)
    given, scm = part(build, "parameters"), part(build, "scm")
    repository, commit = repository_of(scm.get("url")), sha(scm.get("commit"))
    report = DeployReport(
        id=(line(address, 200) if address else None) or f"{job[:180]} {number}",
        service=_given(given, "SERVICE") or (last_part(repository) if repository else job),
        environment=(_given(given, "ENVIRONMENT", "ENV", "DEPLOY_ENV") or "production")[:100],
        status=(result or "in_progress") if phase == "COMPLETED" else "in_progress",
        started_at=started_at,
        finished_at=finished_at,
        release=_given(given, "RELEASE", "VERSION", "TAG") or commit,
        commit=commit,
        url=address,
    )
    return [Message(phase, delivery, [Said(report, repository or job, trigger=job)])]


def _times(build: Json, phase: str) -> tuple[dt.datetime, dt.datetime | None]:
    """Start, and end if there is one."""
    at, duration = milliseconds(build.get("timestamp")), build.get("duration")
    if at is None:
        raise UnexpectedPayload("build.timestamp: expected epoch milliseconds")
    if phase == "STARTED":
        return at, None
    is_length = isinstance(duration, int) and not isinstance(duration, bool) and 0 <= duration < 10**10
    return at - dt.timedelta(milliseconds=duration if is_length and isinstance(duration, int) else 0), at


def _given(parameters: Json, *names: str) -> str | None:
    """The first of these build parameters that is set, whatever its case."""
    lowered = {str(key).lower(): value for key, value in parameters.items()}
    return next((said for name in names if (said := line(lowered.get(name.lower())))), None)


KIND: Final = SourceKind(
    slug="jenkins", title="Jenkins", schemes=(Token(in_address=True),), read=read, events="STARTED and COMPLETED",
    setup="The deploying job, Job Notifications (Notification plugin): format JSON, protocol HTTP, and the URL with ?token= and the secret.",
    rules=("repository", "environment", "workflow"),
)  # fmt: skip
