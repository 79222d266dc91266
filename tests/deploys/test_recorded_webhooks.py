"""Recorded GitHub deliveries, byte for byte, against a running server."""

from __future__ import annotations

import http.client
import json
import uuid
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus, urlsplit

import pytest

from deploys.domain.signatures import github_signature
from tests.instance import Instance, running

pytestmark = [pytest.mark.processes, pytest.mark.conformance]


def delivered(
    instance: Instance, made: dict[str, Any], body: bytes, *, event: str, secret: str | None = None, **more: str
) -> tuple[int, Any]:
    """Status and JSON of the answer to one delivery, signed as GitHub signs it."""
    hook = made["webhooks"]["github"]
    headers = {
        "Content-Type": "application/json", "X-GitHub-Event": event, "X-GitHub-Delivery": str(uuid.uuid4()),
        "X-Hub-Signature-256": github_signature(secret or hook["secret"], body), **more,
    }  # fmt: skip
    connection = http.client.HTTPConnection("127.0.0.1", instance.port, timeout=30)
    connection.request("POST", urlsplit(hook["url"]).path, body=body, headers=headers)
    answer = connection.getresponse()
    said = answer.read()
    connection.close()
    return answer.status, json.loads(said)


def test_every_recording_is_answered_and_shown(shared: Path, tmp_path: Path) -> None:
    recordings = sorted((shared / "fixtures" / "github").glob("*.json"))

    with running(tmp_path / "data") as instance:
        made = instance.provision("acme/shop")
        answers = {
            path.name: delivered(instance, made, path.read_bytes(), event=path.name.split(".")[0])
            for path in recordings
        }
        deployment = (shared / "fixtures" / "github" / "deployment.json").read_bytes()
        form = b"payload=" + quote_plus(deployment).encode()
        as_form = delivered(
            instance, made, form, event="deployment", **{"Content-Type": "application/x-www-form-urlencoded"}
        )
        forged = delivered(instance, made, deployment, event="deployment", secret="somebody else's")
        script = "from deploys.models import Delivery; print(Delivery.objects.count())"
        shown = int(instance.manage("shell", "-v0", "-c", script))

    assert len(recordings) >= 20
    assert {name: status for name, (status, _) in answers.items() if status != 200} == {}
    assert answers["deployment.json"][1]["verdict"] == "created"
    assert answers["ping.json"][1]["verdict"] == "ignored"
    assert as_form[1]["verdict"] == "duplicate"
    assert forged[0] in {401, 403}
    assert shown == len(recordings) + 2
