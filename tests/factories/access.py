"""Tokens and webhooks with the secrets that a test needs to use them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.test import Client

from deploys.actions.sources import make_source
from deploys.actions.tokens import create_token
from deploys.domain.signatures import github_signature
from deploys.models import Scope, Service, Source, Team
from tests.conftest import NOON

ALL_SCOPES = tuple(Scope.values)


def token_of(team: Team, scopes: Sequence[str] = ALL_SCOPES) -> str:
    """A fresh token's secret."""
    return create_token(team=team, name="for a test", scopes=scopes, now=NOON)[1]


def bearer(team: Team, scopes: Sequence[str] = ALL_SCOPES) -> dict[str, str]:
    """The header of a fresh token, for `client.post(..., headers=...)`."""
    return {"Authorization": f"Bearer {token_of(team, scopes)}"}


def github_source(team: Team, service: Service | None = None, **more: Any) -> tuple[Source, str]:
    """A GitHub webhook and its secret."""
    return make_source(team=team, kind="github", name="GitHub", now=NOON, service=service, **more)


def deliver(
    client: Client,
    source: Source,
    secret: str,
    body: bytes,
    *,
    event: str = "deployment_status",
    delivery: str = "72d3162e-cc78-11e3-81ab-4c9367dc0958",
    content_type: str = "application/json",
) -> Any:  # Any: the test client's response
    """Sends a signed delivery as GitHub would."""
    headers = {
        "X-GitHub-Event": event,
        "X-GitHub-Delivery": delivery,
        "X-Hub-Signature-256": github_signature(secret, body),
    }
    return client.post(f"/webhooks/github/{source.public_id}", data=body, content_type=content_type, headers=headers)
