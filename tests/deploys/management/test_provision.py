from __future__ import annotations

import json
import re
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from deploys.models import ApiToken, DsnKey, Service, Source, Team
from tests.factories.access import deliver

pytestmark = [pytest.mark.django_db, pytest.mark.database]


def provision(path: str, *options: str) -> Any:
    out = StringIO()
    call_command("provision", path, *options, "--format", "json", stdout=out)
    return json.loads(out.getvalue())


def test_it_prints_everything_a_script_needs() -> None:
    made = provision("acme/shop")

    service, source = Service.objects.get(), Source.objects.get()
    key = DsnKey.objects.get().public_key
    assert re.fullmatch(r"[0-9a-f]{32}", key)
    assert {**made, "deploy_token": "", "webhooks": ""} == {
        "team": "acme",
        "service": "shop",
        "environment": "production",
        "dsn": f"http://{key}@127.0.0.1:8000/{service.number}",
        "deploy_token": "",
        "deploys_url": "http://127.0.0.1:8000/api/v1/deploys",
        "webhooks": "",
        "web_url": f"http://127.0.0.1:8000/t/acme/services/{service.public_id}/",
    }
    assert made["webhooks"]["github"]["url"] == f"http://127.0.0.1:8000/webhooks/github/{source.public_id}"
    assert ApiToken.objects.get().scopes == ["deploys:write", "releases:write", "services:write"]
    assert service.is_declared


def test_a_second_time_it_prints_the_same_without_secrets() -> None:
    first, second = provision("acme/shop"), provision("acme/shop", "--environment", "staging")

    expected = {**first, "environment": "staging", "deploy_token": None}
    expected["webhooks"] = {"github": {**first["webhooks"]["github"], "secret": None}}
    assert second == expected
    assert (Team.objects.count(), Service.objects.count(), ApiToken.objects.count()) == (1, 1, 1)


def test_rotating_makes_new_secrets_and_keeps_the_old_webhook_secret_for_a_day(client: Client) -> None:
    first, second = provision("acme/shop"), provision("acme/shop", "--rotate")

    source = Source.objects.get()
    assert second["dsn"] == first["dsn"]
    assert second["deploy_token"] not in {None, first["deploy_token"]}
    secrets = [each["webhooks"]["github"]["secret"] for each in (first, second)]
    assert [
        deliver(client, source, secret, b"{}", event="ping", delivery=secret).status_code for secret in secrets
    ] == [200, 200]
    statuses = [
        client.post(
            "/api/v1/deploys",
            data="id=1&service=till",
            content_type="application/x-www-form-urlencoded",
            headers={"Authorization": f"Bearer {each['deploy_token']}"},
        ).status_code
        for each in (first, second)
    ]
    assert statuses == [401, 201]


def test_two_services_of_a_team_have_their_own_webhooks(client: Client) -> None:
    shop, till = provision("acme/shop"), provision("acme/till")

    assert (shop["team"], till["team"], Team.objects.count(), Source.objects.count()) == ("acme", "acme", 1, 2)


@pytest.mark.parametrize("path", ["acme", "/shop", "acme/", "acme/a\x01b"])
def test_what_cannot_be_a_name_is_refused(path: str) -> None:
    with pytest.raises(CommandError):
        provision(path)


def test_text_is_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("provision", "Große Läden/shop")

    out = capsys.readouterr().out
    assert "team: groe-laden" in out or "team: gro" in out
    assert "github_webhook_secret: " in out
