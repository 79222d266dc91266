"""Webhooks of every kind: answers, rules, rotation, replays."""

from __future__ import annotations

import datetime as dt
import json
import threading
from collections import Counter
from typing import Any

import pytest
from django.db import connection, connections
from django.test import Client

from deploys import clock, ports
from deploys.actions.deliveries import REPLAYABLE, forget_old_deliveries
from deploys.actions.replays import REPLAYED, NotReplayable, replay
from deploys.actions.sources import NotASecret, clean_secret, rotate_secret, set_active, set_rules
from deploys.domain.signatures import StandardWebhooks
from deploys.formats.sources import KINDS
from deploys.models import Change, Delivery, Deploy, Fact, FlagChange, Push, Service
from tests.conftest import NOON
from tests.factories.catalog import ServiceFactory, TeamFactory
from tests.factories.webhooks import proof_headers, send, source_of

pytestmark = [pytest.mark.django_db, pytest.mark.database]

STANDARD = 0
DEPLOY = {"id": "42", "service": "shop", "status": "success", "release": "1.4.2", "finished_at": "2026-03-04T11:59:00Z"}


def body(**more: Any) -> bytes:
    return json.dumps({**DEPLOY, **more}).encode()


def problem(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"].rsplit("/", 1)[1]


def gitlab(**more: Any) -> bytes:
    said = {"object_kind": "deployment", "status": "success", "deployment_id": 7, "environment": "production",
            "status_changed_at": "2026-03-04 11:00:00 UTC", "project": {"path_with_namespace": "acme/shop"}}  # fmt: skip
    return json.dumps({**said, **more}).encode()


@pytest.mark.parametrize("scheme", [STANDARD, 1])
def test_a_signed_webhook_of_ones_own_records_a_deploy(client: Client, noon: dt.datetime, scheme: int) -> None:
    source, secret = source_of("generic", TeamFactory())

    answer = send(client, source, secret, body(), scheme=scheme)

    deploy = Deploy.objects.select_related("release").get()
    assert (answer.status_code, answer.json()["verdict"]) == (200, "created")
    assert (deploy.external_id, deploy.status, deploy.release and deploy.release.version) == ("42", "success", "1.4.2")
    assert deploy.started_at == deploy.finished_at == NOON - dt.timedelta(minutes=1)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (b"nope", (400, "malformed-body")),
        (b"[]", (400, "malformed-body")),
        (b"{}", (422, "unexpected-payload")),
        (body(status="done"), (422, "unexpected-payload")),
        (body(finished_at="yesterday"), (422, "unexpected-payload")),
        (body(live_at=1772618400000), (422, "unexpected-payload")),
        (body(percent=101), (422, "unexpected-payload")),
        (body(files="a"), (422, "unexpected-payload")),
        (body(type="party"), (422, "unsupported-event")),
    ],
)
def test_ones_own_webhook_is_told_what_is_wrong(client: Client, said: bytes, expected: tuple[int, str]) -> None:
    source, secret = source_of("generic", TeamFactory())

    assert problem(send(client, source, secret, said)) == expected
    assert [row.verdict for row in Delivery.objects.all()] == ["refused"]


def test_keys_are_taken_and_taken_back(client: Client) -> None:
    source, secret = source_of("generic", TeamFactory())
    more = {"percent": 20, "files": ["a.py"], "description": "x", "url": "https://ci/1", "commit": "f" * 40, "kind": "hotfix", "strategy": "canary"}  # fmt: skip
    send(client, source, secret, body(status="in_progress", **more))
    send(client, source, secret, json.dumps({"type": "deploy", "data": {"id": "42", "service": "shop", "release": None, "percent": None, "files": None, "kind": None}}).encode())  # fmt: skip
    ping = send(client, source, secret, b'{"type": "ping"}')

    deploy = Deploy.objects.get()
    assert (deploy.release, deploy.percent, deploy.files, deploy.kind_stated) == (None, None, None, "")
    assert (deploy.commit_sha, deploy.strategy, deploy.url) == ("f" * 40, "canary", "https://ci/1")
    assert ping.json()["verdict"] == "ignored"


def test_a_recorded_request_is_refused_later(client: Client) -> None:
    source, secret = source_of("generic", TeamFactory())
    with clock.at(NOON):
        headers = proof_headers(StandardWebhooks(), secret, body(), now=NOON)
    answers = []
    for minutes in (4, 6):
        with clock.at(NOON + dt.timedelta(minutes=minutes)):
            answers.append(
                client.post(
                    f"/webhooks/generic/{source.public_id}",
                    data=body(),
                    content_type="application/json",
                    headers=headers,
                )
            )

    assert answers[0].json()["verdict"] == "created"
    assert problem(answers[1]) == (401, "stale-timestamp")


def test_senders_that_punish_refusals_get_200_once_they_are_known(client: Client) -> None:
    source, secret = source_of("gitlab", TeamFactory())
    answers = [send(client, source, secret, said) for said in (b"nope", b"{}", gitlab(status="odd"), gitlab(deployment_id=None))]  # fmt: skip
    forged = client.post(f"/webhooks/gitlab/{source.public_id}", data=gitlab(), content_type="application/json", headers={"X-Gitlab-Token": "x"})  # fmt: skip

    assert [(each.status_code, each.json()["verdict"]) for each in answers] == [(200, "ignored")] * 4
    assert answers[0].json()["reason"].startswith("malformed-body: ")
    assert answers[3].json()["reason"] == "unexpected-payload: deployment_id: expected a text or a number"
    assert problem(forged) == (401, "wrong-signature")


def test_runs_are_deploys_only_where_a_rule_names_them(client: Client) -> None:
    source, secret = source_of("circleci", TeamFactory())
    said = json.dumps({
        "type": "workflow-completed", "id": "e1", "project": {"slug": "gh/acme/shop"},
        "workflow": {"id": "w1", "name": "deploy-it", "status": "success", "created_at": "2026-03-04T11:00:00Z", "stopped_at": "2026-03-04T11:05:00Z"},
    }).encode()  # fmt: skip

    before = send(client, source, secret, said)
    set_rules(source=source, rules=[{"workflow": "deploy*", "service": "till", "to_environment": "staging"}])
    after = send(client, source, secret, said)

    assert before.json() == {"verdict": "ignored", "reason": "deploy-it: a deploy only where a rule names it", "deploy": None}  # fmt: skip
    assert after.json()["verdict"] == "created"
    assert list(Deploy.objects.values_list("service__name", "environment__name")) == [("till", "staging")]


def test_a_strict_source_takes_only_what_a_rule_names(client: Client) -> None:
    team = TeamFactory()
    strict, secret = source_of("generic", team, is_strict=True)
    forgiving, other = source_of("gitlab", team, is_strict=True)

    assert problem(send(client, strict, secret, body())) == (422, "unknown-repository")
    assert send(client, forgiving, other, gitlab()).json()["reason"] == "unknown-repository: no rule names acme/shop"
    assert not Service.objects.exists()


def test_a_retired_service_takes_no_deploys(client: Client) -> None:
    team = TeamFactory()
    ServiceFactory(team=team, name="shop", retired_at=NOON - dt.timedelta(days=1))
    source, secret = source_of("generic", team)

    assert problem(send(client, source, secret, body())) == (422, "inactive-service")
    assert send(client, source, secret, body(finished_at="2026-03-01T00:00:00Z")).json()["verdict"] == "created"


def test_a_flag_flip_is_about_the_service_of_its_project(client: Client, noon: dt.datetime) -> None:
    team = TeamFactory()
    ServiceFactory(team=team, name="shop")
    source, secret = source_of("gitlab", team)
    said = {"object_kind": "feature_flag", "object_attributes": {"id": 6, "name": "new-till", "active": False}, "project": {"path_with_namespace": "acme/shop"}}  # fmt: skip

    answer = send(client, source, secret, json.dumps(said).encode(), headers={"Idempotency-Key": "k1"})

    change = FlagChange.objects.select_related("flag", "change").get()
    assert answer.json()["verdict"] == "created"
    assert (change.flag.key, change.new_percent, change.change.at) == ("new-till", 0, NOON)
    assert [each.name for each in change.services.all()] == ["shop"]


def test_cloud_events_shake_hands(client: Client) -> None:
    source, _ = source_of("cdevents", TeamFactory())
    address = f"/webhooks/cdevents/{source.public_id}"
    answer = client.options(address, headers={"WebHook-Request-Origin": "events.example.com"})
    other = client.options(address.replace("cdevents", "github"))

    assert (answer.status_code, answer["WebHook-Allowed-Origin"], answer["WebHook-Allowed-Rate"]) == (200, "events.example.com", "120")  # fmt: skip
    assert (other.status_code, other["Allow"]) == (405, "POST")
    assert client.options(address).headers.get("WebHook-Allowed-Origin") is None


def test_a_batch_takes_what_it_can(client: Client) -> None:
    source, secret = source_of("cdevents", TeamFactory())
    data = {"context": {"timestamp": "2026-03-04T11:00:00Z"}, "subject": {"id": "shop", "content": {"environment": {"id": "production"}, "artifactId": "pkg:oci/shop@sha256%3Aab?tag=1.4.2"}}}  # fmt: skip
    event = {
        "specversion": "1.0",
        "id": "1",
        "source": "/ci",
        "type": "dev.cdevents.service.deployed.0.2.0",
        "data": data,
    }
    events = [event, {"id": "2"}, {**event, "id": "3", "specversion": "0.3"}, {**event, "id": "4", "data": {}}, {**event, "id": "5", "type": "other"}]  # fmt: skip

    answer = send(client, source, secret, json.dumps(events).encode(), headers={"Content-Type": "application/cloudevents-batch+json"})  # fmt: skip
    empty = send(client, source, secret, b"[]", headers={"Content-Type": "application/cloudevents-batch+json"})

    deploy = Deploy.objects.select_related("release", "artifact").get()
    assert [each["verdict"] for each in answer.json()["messages"]] == ["created", *["ignored"] * 4]
    assert (deploy.release and deploy.release.version, deploy.artifact and deploy.artifact.digest) == ("1.4.2", "sha256:ab")  # fmt: skip
    assert empty.json() == {"verdict": "ignored", "reason": "an empty batch", "deploy": None}


def test_trouble_of_other_tools_goes_to_who_takes_it(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[Any] = []

    def taker(team: object, report: Any, at: object) -> ports.OutsideAnswer:
        told.append((report.state, report.service, report.origin, report.id, report.artifact))
        return ports.OutsideAnswer("created", "opened")

    monkeypatch.setattr(ports, "_outside_takers", [])
    ports.register_outside_taker(taker)
    source, secret = source_of("cdevents", TeamFactory())
    said = {"context": {"id": "1", "source": "/m", "type": "dev.cdevents.incident.detected.0.2.0", "timestamp": "2026-03-04T11:00:00Z"}, "subject": {"id": "i-1", "source": "/mon", "content": {"service": {"id": "shop"}, "artifactId": "pkg:oci/a@sha256%3Aab"}}}  # fmt: skip

    answer = send(client, source, secret, json.dumps(said).encode())

    assert answer.json() == {"verdict": "created", "reason": "opened", "deploy": None}
    assert told == [("detected", "shop", f"{source.public_id} /mon", "i-1", "sha256:ab")]


def test_a_gate_pointed_at_the_events_is_refused(client: Client) -> None:
    source, secret = source_of("flagger", TeamFactory())
    gate = {"name": "shop", "namespace": "prod", "phase": "Progressing", "checksum": "85d5", "metadata": {"env": "production"}}  # fmt: skip

    assert problem(send(client, source, secret, json.dumps(gate).encode())) == (422, "unsupported-event")


def test_a_replay_follows_the_rules_of_now_and_repeats_nothing(client: Client) -> None:
    source, secret = source_of("generic", TeamFactory(), is_strict=True)
    send(client, source, secret, body())
    delivery = Delivery.objects.get()
    set_rules(source=source, rules=[{"service": "till"}])

    first, second = (replay(Delivery.objects.select_related("source__team").get(pk=delivery.pk)) for _ in range(2))

    assert (delivery.verdict, first.verdict, second.verdict) == ("refused", "created", "duplicate")
    assert (first.signature, first.replay_of, first.body) == (REPLAYED, delivery, "")
    assert list(Deploy.objects.values_list("service__name", flat=True)) == ["till"]
    assert Delivery.objects.count() == 3


def test_what_cannot_be_replayed_says_why(client: Client) -> None:
    source, secret = source_of("generic", TeamFactory())
    with clock.at(NOON):
        send(client, source, secret, body())
        send(client, source, "whsec_bm8=", body())
        send(client, source, secret, b"nope")
    taken, forged, odd = Delivery.objects.select_related("source__team").order_by("pk")

    assert replay(odd).reason.startswith("malformed-body: ")
    assert forged.raw_encrypted is None
    with pytest.raises(NotReplayable):
        replay(forged)
    set_active(source=source, is_active=False)
    taken.refresh_from_db()
    with pytest.raises(NotReplayable, match="switched off"):
        replay(taken)
    forget_old_deliveries(now=NOON + REPLAYABLE + dt.timedelta(seconds=1))
    assert not Delivery.objects.filter(raw_encrypted__isnull=False, received_at=NOON).exists()


def test_no_proof_and_no_plain_body_is_kept(client: Client) -> None:
    source, secret = source_of("generic", TeamFactory())
    send(client, source, secret, body(release="a-version-to-look-for"))

    raw = bytes(Delivery.objects.get().raw_encrypted or b"")

    assert b"a-version-to-look-for" not in raw
    assert secret.encode() not in raw


def test_pasted_secrets_are_looked_at(client: Client) -> None:
    source, _ = source_of("gitlab", TeamFactory())
    assert rotate_secret(source=source, now=NOON, secret=" whsec_c2VjcmV0c2VjcmV0 ") == "whsec_c2VjcmV0c2VjcmV0"
    for secret in ("short", "with\nline end", "ümlaut-secret", "x" * 501):
        with pytest.raises(NotASecret):
            clean_secret(secret)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_kind_refuses_strangers(client: Client, kind: str) -> None:
    source, secret = source_of(kind, TeamFactory())
    address = f"/webhooks/{kind}/{source.public_id}"

    assert problem(client.post(address, data=b"{}", content_type="application/json")) == (401, "missing-signature")
    assert problem(send(client, source, secret + "x", b"{}")) == (401, "wrong-signature")
    assert problem(client.get(address)) == (405, "method-not-allowed")
    assert problem(client.post(address.replace(kind, "nobody"))) == (404, "unknown-source")


@pytest.mark.django_db(transaction=True)
def test_five_deliveries_at_once_from_eight_threads_make_one_row() -> None:
    if connection.vendor == "sqlite":
        pytest.skip("the test database of SQLite lives in memory and has one connection")
    source, secret = source_of("generic", TeamFactory())
    start, answers = threading.Barrier(8), []

    def deliver() -> None:
        try:
            start.wait(timeout=30)
            answers.extend(send(Client(), source, secret, body()).json()["verdict"] for _ in range(5))
        finally:
            connections.close_all()

    workers = [threading.Thread(target=deliver) for _ in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(timeout=120)

    assert Counter(answers) == {"created": 1, "duplicate": 39}
    assert [model._default_manager.count() for model in (Deploy, Change, Service, Push)] == [1, 1, 1, 0]
    assert Fact.objects.filter(kind="deploy").count() == 1
    assert Delivery.objects.count() == 40
