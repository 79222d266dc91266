"""Webhooks of every kind, with proofs as their senders make them."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import json
from typing import Any

from django.test import Client

from deploys import clock
from deploys.actions.sources import made_secret, make_source
from deploys.domain.signatures import BodyHashToken, Hmac, NamedHmac, Scheme, StandardWebhooks, Token
from deploys.formats.sources import KINDS
from deploys.models import Source, Team
from tests.conftest import NOON


def source_of(kind: str, team: Team, **more: Any) -> tuple[Source, str]:
    """A webhook of this kind and its secret."""
    return make_source(team=team, kind=kind, name=more.pop("name", kind), now=NOON, secret=made_secret(kind), **more)


def proof_headers(scheme: Scheme, secret: str, body: bytes, *, now: dt.datetime) -> dict[str, str]:
    """The headers by which a sender of this scheme proves itself."""
    match scheme:
        case Hmac():
            return {scheme.header: scheme.value(secret, body)}
        case NamedHmac():
            return {scheme.header: "sha256=" + hmac.new(secret.encode(), body, "sha256").hexdigest()}
        case StandardWebhooks():
            at = str(int(now.timestamp()))
            signature = scheme.value(secret, body, message_id="msg_1", at=at)
            return {"webhook-id": "msg_1", "webhook-timestamp": at, "webhook-signature": f"v1,old {signature}"}
        case Token():
            return {scheme.header: f"Bearer {secret}" if scheme.header == "Authorization" else secret}
        case BodyHashToken():
            claims = {"iss": scheme.issuer, "sha256": hashlib.sha256(body).hexdigest()}
            text = url_safe(json.dumps({"alg": "HS256"}).encode()) + "." + url_safe(json.dumps(claims).encode())
            return {scheme.header: f"{text}.{url_safe(hmac.new(secret.encode(), text.encode(), 'sha256').digest())}"}
    raise AssertionError(scheme)


def url_safe(raw: bytes) -> str:
    """Base64 as tokens have it."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def send(
    client: Client, source: Source, secret: str, body: bytes, *, headers: dict[str, str] | None = None, scheme: int = -1
) -> Any:  # Any: the test client's response
    """Delivers as the sender of this kind would, by one of its schemes: the last and plainest, unless told."""
    given = dict(headers or {})
    content_type = given.pop("Content-Type", "application/json")
    given |= proof_headers(KINDS[source.kind].schemes[scheme], secret, body, now=clock.now())
    return client.post(
        f"/webhooks/{source.kind}/{source.public_id}", data=body, content_type=content_type, headers=given
    )
