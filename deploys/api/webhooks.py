"""POST /webhooks/<kind>/<source>: verified over the raw bytes, before anything is parsed."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from django.core.exceptions import RequestDataTooBig
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse, UnreadablePostError
from django.views.decorators.csrf import csrf_exempt

from deploys import clock
from deploys.actions.deliveries import log_delivery
from deploys.actions.intake import Taken, take
from deploys.actions.listing import refresh_now
from deploys.actions.replays import kept_for_replay
from deploys.actions.secrets import UnreadableSecret
from deploys.actions.sources import accepted_secrets
from deploys.actions.turns import one_write
from deploys.api.problems import Problem, plain_response
from deploys.domain.signatures import SignatureVerdict, verify
from deploys.formats.reading import shown
from deploys.formats.sources import KINDS
from deploys.formats.webhook import Inbound, Message, NotTaken, SourceKind
from deploys.models import Delivery, Source

RATE: Final = "120"  # requests a minute, for senders that ask (CloudEvents webhooks, section 4.2)


@dataclass(slots=True)
class _Log:
    """What is known of the delivery so far, for its lines in the log."""

    source: Source
    event: str
    delivery_id: str
    signature: str = ""
    body: object = None
    raw: bytes | None = None
    is_first: bool = field(default=True)

    def write(self, taken: Taken, message: Message | None = None) -> None:
        """One line. What a replay needs stands in the first line of a batch only."""
        log_delivery(
            team=self.source.team, source=self.source, kind=self.source.kind, signature=self.signature,
            event=message.event if message else self.event,
            delivery_id=(message.delivery_id if message else "") or self.delivery_id, received_at=clock.now(),
            verdict=taken.verdict, reason=taken.reason, change=taken.change,
            service=taken.service or self.source.service, body=self.body if self.is_first else None,
            raw=self.raw if self.is_first else None,
        )  # fmt: skip
        self.is_first = False


@csrf_exempt
def webhook(request: HttpRequest, kind: str, public_id: uuid.UUID) -> HttpResponse:
    """Takes a delivery. What says nothing to record is answered 200 and logged as ignored: refusals disable webhooks."""
    declared = KINDS.get(kind)
    if request.method == "OPTIONS" and declared is not None and declared.shakes_hands:
        return _handshake(request)
    if request.method != "POST":
        answer = plain_response(Problem("method-not-allowed", "send deliveries by POST"))
        answer["Allow"] = "POST, OPTIONS" if declared is not None and declared.shakes_hands else "POST"
        return answer
    source = Source.objects.select_related("team", "service").filter(public_id=public_id, kind=kind).first()
    if declared is None or source is None:
        return plain_response(Problem("unknown-source", "no webhook of this kind has this address"))
    log = _Log(source, _header(request, declared.event_header), _header(request, declared.delivery_header))
    try:
        taken = _take(request, source, declared, log)
        return HttpResponse() if declared.is_silent else _answer(taken)
    except Problem as problem:
        with one_write():
            log.write(Taken(Delivery.Verdict.REFUSED, f"{problem.type.slug}: {problem.detail}"))
        return plain_response(problem)
    except OperationalError:
        return plain_response(Problem("busy", "redeliver in a few seconds"))


def _take(request: HttpRequest, source: Source, kind: SourceKind, log: _Log) -> list[Taken]:
    """What became of each message, logged. Raises a Problem for what is refused as a whole."""
    inbound = _verified(request, source, kind, log)
    log.raw, log.body = kept_for_replay(kind, inbound), shown(inbound)
    try:
        messages = kind.read(inbound)
    except NotTaken as error:
        if not kind.forgives or error.slug == "unsupported-event":
            raise Problem(error.slug, str(error)) from error
        messages = [Message(log.event, log.delivery_id, ignored=f"{error.slug}: {error}", problem=error.slug)]
    if not messages:
        messages = [Message(log.event, log.delivery_id, ignored="an empty batch")]
    done = []
    with one_write():
        for message in messages:
            taken = take(source=source, kind=kind, message=message, received_at=inbound.received_at)
            if taken.verdict == Delivery.Verdict.REFUSED and len(messages) == 1:
                raise Problem(taken.problem, taken.reason)
            log.write(taken, message)
            done.append(taken)
        refresh_now()
    return done


def _verified(request: HttpRequest, source: Source, kind: SourceKind, log: _Log) -> Inbound:
    """The request, once its proof has been found valid and the source is switched on."""
    try:
        body = request.body
    except RequestDataTooBig as error:
        raise Problem("body-too-large", "expected at most 25 MB") from error
    except UnreadablePostError as error:
        raise Problem("malformed-body", "the body ended too early") from error
    headers = {name.lower(): value for name, value in request.headers.items()}
    inbound = Inbound(body, headers, clock.now(), request.GET.dict())
    try:
        secrets = accepted_secrets(source, now=inbound.received_at)
    except UnreadableSecret as error:
        raise Problem("unreadable-secret", str(error)) from error
    log.signature = verify(kind.schemes, inbound.proof, secrets=secrets, now=inbound.received_at)
    expected = ", or ".join(scheme.says for scheme in kind.schemes)
    if log.signature == SignatureVerdict.MISSING:
        raise Problem("missing-signature", f"expected {expected}")
    if log.signature == SignatureVerdict.STALE:
        raise Problem("stale-timestamp", "the signed time is more than five minutes from ours")
    if not SignatureVerdict(log.signature).is_valid:
        raise Problem("wrong-signature", f"not made with this webhook's secret over this body: {expected}")
    if not source.is_active:
        raise Problem("source-switched-off", "switch it on in the team's settings, or delete it at the sender")
    return inbound


def _answer(taken: Sequence[Taken]) -> HttpResponse:
    """200 with the verdict; of a batch, with each."""
    said = [_said(each) for each in taken]
    return JsonResponse(said[0] if len(said) == 1 else {**said[0], "messages": said})


def _said(taken: Taken) -> dict[str, Any]:  # Any: JSON
    deploy = str(taken.change.public_id) if taken.change else None
    return {"verdict": taken.verdict, "reason": taken.reason, "deploy": deploy}


def _handshake(request: HttpRequest) -> HttpResponse:
    """Any origin may deliver: what it delivers must be signed (CloudEvents, HTTP webhooks, section 4)."""
    answer = HttpResponse(status=200, headers={"Allow": "POST, OPTIONS", "WebHook-Allowed-Rate": RATE})
    if origin := request.headers.get("WebHook-Request-Origin"):
        answer["WebHook-Allowed-Origin"] = "".join(each for each in origin if each.isprintable())[:200]
    return answer


def _header(request: HttpRequest, name: str) -> str:
    return request.headers.get(name, "") if name else ""
