"""POST /webhooks/github/<source>."""

from __future__ import annotations

import base64
import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deploys import clock
from deploys.actions.secrets import encrypt
from deploys.actions.sources import rotate_secret, set_active
from deploys.domain.signatures import github_signature
from deploys.models import Delivery, Deploy, Service, Source
from tests.conftest import NOON
from tests.factories.access import deliver, github_source
from tests.factories.catalog import ServiceFactory, TeamFactory

pytestmark = [pytest.mark.django_db, pytest.mark.database]


def body(state: str | None = None, at: str = "2026-03-03T10:05:00Z", **deployment: Any) -> bytes:
    said: dict[str, Any] = {
        "deployment": {"id": 17, "sha": "f95f852", "ref": "main", "environment": "production", "created_at": "2026-03-03T10:00:00Z", **deployment},
        "repository": {"full_name": "acme/shop"},
    }  # fmt: skip
    if state:
        said["deployment_status"] = {"state": state, "created_at": at}
    return json.dumps(said).encode()


def test_a_deployment_and_its_statuses_are_one_deploy(client: Client) -> None:
    source, secret = github_source(TeamFactory())
    answers = [
        deliver(client, source, secret, body(), event="deployment", delivery="a"),
        deliver(client, source, secret, body("in_progress"), delivery="b"),
        deliver(client, source, secret, body("success"), delivery="c"),
        deliver(client, source, secret, body("inactive"), delivery="d"),
        deliver(client, source, secret, body("in_progress"), delivery="e"),
        deliver(client, source, secret, body("success"), delivery="c"),
    ]

    deploy = Deploy.objects.select_related("service", "environment", "release").get()
    assert [(each.status_code, each.json()["verdict"]) for each in answers] == [
        (200, "created"), (200, "duplicate"), (200, "updated"), (200, "ignored"), (200, "duplicate"), (200, "duplicate"),
    ]  # fmt: skip
    assert (deploy.service.name, deploy.environment.name, deploy.status, deploy.source) == (
        "shop", "production", "success", str(source.public_id),
    )  # fmt: skip
    assert deploy.release is not None
    assert (deploy.release.version, deploy.external_id) == ("f95f852", "17")
    assert (deploy.started_at, deploy.finished_at) == (
        dt.datetime(2026, 3, 3, 10, 0, tzinfo=dt.UTC), dt.datetime(2026, 3, 3, 10, 5, tzinfo=dt.UTC),
    )  # fmt: skip
    assert Delivery.objects.count() == 6


def test_a_success_that_arrives_first_is_not_undone(client: Client) -> None:
    source, secret = github_source(TeamFactory())
    deliver(client, source, secret, body("success"), delivery="c")
    deliver(client, source, secret, body(), event="deployment", delivery="a")

    assert Deploy.objects.get().status == "success"


@pytest.mark.parametrize("order", ["ab", "ba"])
def test_statuses_stand_in_the_order_of_their_own_times(client: Client, order: str) -> None:
    source, secret = github_source(TeamFactory())
    bodies = {"a": body("failure", "2026-03-03T10:05:00Z"), "b": body("success", "2026-03-03T10:07:00Z")}
    for name in order:
        deliver(client, source, secret, bodies[name], delivery=name)

    assert Deploy.objects.get().status == "success"


def test_rules_and_the_sources_own_service_decide_where_it_goes(client: Client) -> None:
    team = TeamFactory()
    rules = [{"repository": "acme/*", "environment": "prod-*", "service": "till", "to_environment": "production"}]
    source, secret = github_source(team, ServiceFactory(team=team, name="shop front"), rules=rules)

    deliver(client, source, secret, body("success", environment="prod-eu"), delivery="a")
    deliver(client, source, secret, body("success", environment="staging", id=18), delivery="b")

    rows = Deploy.objects.order_by("external_id").values_list("service__name", "environment__name")
    assert list(rows) == [("till", "production"), ("shop front", "staging")]


def test_the_previous_secret_is_accepted_for_a_day(client: Client) -> None:
    source, old = github_source(TeamFactory())
    new = rotate_secret(source=source, now=NOON)
    statuses = []
    for hours, secret in ((0, new), (23, old), (24, old), (24, new)):
        with clock.at(NOON + dt.timedelta(hours=hours)):
            answer = deliver(client, source, secret, b"{}", event="ping", delivery=f"{hours}{secret}")
            statuses.append((answer.status_code, Delivery.objects.latest("id").signature))

    assert statuses == [(200, "valid"), (200, "valid (previous)"), (401, "invalid"), (200, "valid")]


def problem(answer: Any) -> tuple[int, str]:
    assert answer.headers["Content-Type"] == "application/problem+json"
    return answer.status_code, answer.json()["type"].rsplit("/", 1)[1]


def test_refusals_are_precise(client: Client) -> None:
    source, secret = github_source(TeamFactory())
    address = f"/webhooks/github/{source.public_id}"
    signed = {"X-Hub-Signature-256": github_signature(secret, b"{}")}

    def post(data: bytes, headers: dict[str, str]) -> tuple[int, str]:
        return problem(client.post(address, data=data, content_type="application/json", headers=headers))

    assert problem(client.get(address)) == (405, "method-not-allowed")
    assert problem(client.post("/webhooks/github/018f0000-0000-7000-8000-000000000000")) == (404, "unknown-source")
    assert post(b"{}", {}) == (401, "missing-signature")
    assert post(b"{}", {"X-Hub-Signature": "sha1=00"}) == (401, "missing-signature")
    assert post(b"{} ", signed) == (401, "wrong-signature")
    assert post(b"{}", signed) == (400, "missing-event")
    assert problem(deliver(client, source, secret, b"nope")) == (400, "malformed-body")
    assert problem(deliver(client, source, secret, b"{}")) == (422, "unexpected-payload")
    set_active(source=source, is_active=False)
    assert problem(deliver(client, source, secret, b"{}", event="ping")) == (403, "source-switched-off")
    Source.objects.update(secret_encrypted=encrypt("x")[:-2])
    assert problem(deliver(client, source, secret, b"{}")) == (503, "unreadable-secret")
    assert set(Delivery.objects.values_list("verdict", flat=True)) == {"refused"}
    assert Delivery.objects.count() == 8


def test_a_refused_delivery_may_come_again(client: Client) -> None:
    source, secret = github_source(TeamFactory())
    set_active(source=source, is_active=False)
    deliver(client, source, secret, body("success"))
    set_active(source=source, is_active=True)

    assert deliver(client, source, secret, body("success")).json()["verdict"] == "created"


def test_a_body_that_is_not_signed_is_not_kept(client: Client) -> None:
    source, _ = github_source(TeamFactory())
    deliver(client, source, "another", body("success"))

    assert Delivery.objects.get().body == ""


def test_the_first_mention_makes_the_service_of_the_repository(client: Client) -> None:
    source, secret = github_source(TeamFactory())
    deliver(client, source, secret, body("success"))

    assert [(each.name, each.is_declared) for each in Service.objects.all()] == [("shop", False)]


@pytest.mark.conformance
def test_recorded_deliveries_get_what_github_must_get(client: Client, shared: Path) -> None:
    """Byte for byte: everything that GitHub sends is answered 200, and the two kinds about deploys make one."""
    source, secret = github_source(TeamFactory(), None)
    verdicts = {}
    for path in sorted((shared / "fixtures" / "github").glob("*.json")):
        event = path.name.split(".")[0]
        answer = deliver(client, source, secret, path.read_bytes(), event=event, delivery=path.name)
        assert answer.status_code == 200, path.name
        verdicts[path.name] = answer.json()["verdict"]

    taken = {name: verdict for name, verdict in verdicts.items() if verdict != "ignored"}
    assert taken == {
        "deployment.json": "created",
        "deployment.with-installation.json": "duplicate",
        "deployment_status.json": "updated",
        "deployment_status.with-installation.json": "duplicate",
        "push.with-new-branch.json": "created",
    }
    deploy = Deploy.objects.select_related("service", "release").get()
    assert (deploy.external_id, deploy.service.name, deploy.status) == ("145988746", "Hello-World", "success")
    assert deploy.release is not None
    assert deploy.release.version == "f95f852bd8fca8fcc58a9a2d6c842781e32a215e"


@pytest.mark.conformance
def test_recorded_signatures_are_judged_by_the_endpoint(client: Client, shared: Path) -> None:
    fixtures = shared / "fixtures"
    vectors = json.loads((fixtures / "signatures" / "vectors.json").read_text())["vectors"]
    for vector in [each for each in vectors if each["scheme"] == "github"]:
        source, _ = github_source(TeamFactory())
        Source.objects.filter(pk=source.pk).update(secret_encrypted=encrypt(vector["secret"]))
        raw = (
            base64.b64decode(vector["body_b64"])
            if "body_b64" in vector
            else (fixtures / vector["body_file"]).read_bytes()
        )
        headers = dict(vector["headers"])
        content_type = headers.pop("Content-Type")
        answer = client.post(
            f"/webhooks/github/{source.public_id}", data=raw, content_type=content_type, headers=headers
        )
        assert (answer.status_code == 200) == vector["valid"], vector["why"]
        assert answer.status_code in {200, 401}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    raw=st.binary(max_size=100) | st.just(body("success")),
    event=st.sampled_from(["deployment", "deployment_status", "ping", "", "x\x7f"]),
    signature=st.sampled_from(["right", "", "sha256=00", "sha256=\xe9"]),
    content_type=st.sampled_from(
        ["application/json", "application/x-www-form-urlencoded", "", "multipart/form-data; boundary=x"]
    ),
)
def test_hostile_deliveries_are_answered(
    client: Client, raw: bytes, event: str, signature: str, content_type: str
) -> None:
    source, secret = github_source(TeamFactory())
    header = github_signature(secret, raw) if signature == "right" else signature
    answer = client.post(
        f"/webhooks/github/{source.public_id}",
        data=raw,
        content_type=content_type,
        headers={"X-GitHub-Event": event, "X-Hub-Signature-256": header, "X-GitHub-Delivery": "d" * 300},
    )

    assert answer.status_code in {200, 400, 401, 422}
