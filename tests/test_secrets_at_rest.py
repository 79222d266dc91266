"""Secrets that come in by any way are found in no table and in no line of the log; only hashes and ciphertext are."""

from __future__ import annotations

import datetime as dt
import json
import logging

import pytest
from django.test import Client
from django.urls import reverse

from deploys.models import Role, User
from incidents.actions.ingest import drain
from incidents.ingest.writer import Row, store_rows
from tests.conftest import NOON
from tests.factories.access import deliver, github_source, token_of
from tests.factories.catalog import MembershipFactory, ServiceFactory
from tests.incidents.kept import everything_kept

pytestmark = [pytest.mark.django_db(databases="__all__"), pytest.mark.database]
PASSWORD, WRONG, NEXT = "first-good-pass-4711", "wrong-pass-no-0815", "next-good-pass-1234"


def test_no_way_in_leaves_a_secret_in_the_open(
    client: Client, noon: dt.datetime, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    user = User.objects.create_user("ann@example.org", PASSWORD)
    team = MembershipFactory.create(user=user, role=Role.ADMIN).team
    service = ServiceFactory.create(team=team, name="shop")
    token, (source, webhook_secret) = token_of(team), github_source(team)

    for password in (WRONG, PASSWORD):
        client.post("/sign-in/", {"email": user.email, "password": password})
    client.post(reverse("account-password"), {"password-old": PASSWORD, "password-new": NEXT})
    for bearer in (token, "upshot_" + "w" * 40):
        client.post(
            "/api/v1/deploys",
            data=json.dumps({"service": "shop", "id": "1", "status": "success", "release": "1", "branch": f"https://ci:{WRONG}@ci.internal/1",
                             "note": f"curl -H 'Authorization: Bearer {token}'", "api_key": WRONG}),
            content_type="application/json", headers={"Authorization": f"Bearer {bearer}"},
        )  # fmt: skip
    body = json.dumps({"hook": {"config": {"secret": webhook_secret}}, "text": f"push with {token}"}).encode()
    deliver(client, source, webhook_secret, body)
    deliver(client, source, "not-the-secret", body, delivery="2")
    event = {
        "message": f"sent {token} to https://key:{WRONG}@errors.internal/1",
        "extra": {"webhook_secret": webhook_secret},
    }
    lines = [json.dumps({"event_id": "a" * 32}), '{"type":"event"}', json.dumps(event)]
    store_rows([Row(service.number, "envelope", "", "a" * 32, "\n".join(lines).encode(), NOON)])
    drain(now=NOON)

    kept = everything_kept() + caplog.text
    secrets = {
        "password": PASSWORD,
        "wrong password": WRONG,
        "token": token,
        "webhook secret": webhook_secret,
        "next": NEXT,
    }
    assert [name for name, secret in secrets.items() if secret in kept] == []
    assert "[redacted]" in kept
    assert "[filtered]" in kept
