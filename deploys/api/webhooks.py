"""POST /webhooks/github/<source>: verified over the raw bytes, before anything is parsed."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from typing import Final

from django.core.exceptions import RequestDataTooBig
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse, UnreadablePostError
from django.views.decorators.csrf import csrf_exempt

from deploys import clock
from deploys.actions.deliveries import log_delivery, was_taken
from deploys.actions.deploys import RecordedDeploy, record
from deploys.actions.secrets import UnreadableSecret
from deploys.actions.sources import accepted_secrets
from deploys.api.problems import Problem, plain_response
from deploys.domain.signatures import SignatureVerdict, verify_github
from deploys.formats import github
from deploys.models import Delivery, Source

VALID: Final = (SignatureVerdict.VALID, SignatureVerdict.VALID_PREVIOUS)


@dataclass(slots=True)
class _Log:
    """What is known of the delivery so far, for its line in the log."""

    source: Source
    event: str
    delivery_id: str
    signature: str = ""
    body: object = None

    def write(self, verdict: str, reason: str = "", recorded: RecordedDeploy | None = None) -> None:
        """The line."""
        log_delivery(
            team=self.source.team, source=self.source, kind=self.source.kind, event=self.event,
            delivery_id=self.delivery_id, signature=self.signature, received_at=clock.now(), verdict=verdict,
            reason=reason, body=self.body,
            change=recorded.deploy.change if recorded else None,
            service=recorded.deploy.service if recorded else self.source.service,
        )  # fmt: skip


@csrf_exempt
def github_webhook(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """Takes a delivery. What is not about a deploy is answered 200 and logged as ignored: refusals disable webhooks."""
    if request.method != "POST":
        answer = plain_response(Problem("method-not-allowed", "send deliveries by POST"))
        answer["Allow"] = "POST"
        return answer
    source = (
        Source.objects.select_related("team", "service").filter(public_id=public_id, kind=Source.Kind.GITHUB).first()
    )
    if source is None:
        return plain_response(Problem("unknown-source", "no GitHub webhook has this address"))
    log = _Log(source, request.headers.get("X-GitHub-Event", ""), request.headers.get("X-GitHub-Delivery", ""))
    try:
        verdict, reason, recorded = _take(request, source, log)
    except Problem as problem:
        log.write(Delivery.Verdict.REFUSED, f"{problem.type.slug}: {problem.detail}")
        return plain_response(problem)
    except OperationalError:
        return plain_response(Problem("busy", "redeliver in a few seconds"))
    log.write(verdict, reason, recorded)
    public = str(recorded.deploy.change.public_id) if recorded else None
    return JsonResponse({"verdict": verdict, "reason": reason, "deploy": public})


def _take(request: HttpRequest, source: Source, log: _Log) -> tuple[str, str, RecordedDeploy | None]:
    """Verdict, reason and deploy. Raises a Problem for what is refused."""
    body = _verified_body(request, source, log)
    try:
        payload = github.payload_of(body, request.headers.get("Content-Type", ""))
    except github.UnreadableBody as error:
        raise Problem("malformed-body", str(error)) from error
    log.body = payload
    if not log.event:
        raise Problem("missing-event", "expected the header X-GitHub-Event")
    if was_taken(source=source, delivery_id=log.delivery_id):
        return Delivery.Verdict.DUPLICATE, "this delivery was taken before", None
    try:
        said = github.read(log.event, payload)
    except github.UnexpectedPayload as error:
        raise Problem("unexpected-payload", str(error)) from error
    if isinstance(said, github.Ignored):
        return Delivery.Verdict.IGNORED, said.reason, None
    service, environment = github.ruled(said, source.rules)
    report = replace(
        said.report,
        service=service or (source.service.name if source.service else said.report.service),
        environment=environment or said.report.environment,
    )
    recorded = record(
        team=source.team, report=report, source=str(source.public_id), received_at=clock.now(),
        delivery_id=log.delivery_id[:200] or None,
    )  # fmt: skip
    return recorded.verdict, "", recorded


def _verified_body(request: HttpRequest, source: Source, log: _Log) -> bytes:
    """The raw body, once its signature has been found valid and the source is switched on."""
    try:
        body = request.body
    except RequestDataTooBig as error:
        raise Problem("body-too-large", "expected at most 25 MB") from error
    except UnreadablePostError as error:
        raise Problem("malformed-body", "the body ended too early") from error
    try:
        secrets = accepted_secrets(source, now=clock.now())
    except UnreadableSecret as error:
        raise Problem("unreadable-secret", str(error)) from error
    log.signature = verify_github(request.headers.get("X-Hub-Signature-256"), body, secrets=secrets)
    if log.signature == SignatureVerdict.MISSING:
        raise Problem("missing-signature", "expected the header X-Hub-Signature-256; set a secret for the webhook")
    if log.signature not in VALID:
        raise Problem("wrong-signature", "X-Hub-Signature-256 was not made with this webhook's secret over this body")
    if not source.is_active:
        raise Problem("source-switched-off", "switch it on in the team's settings, or delete it at GitHub")
    return body
