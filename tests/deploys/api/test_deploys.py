"""POST and GET /api/v1/deploys."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deploys import clock
from deploys.models import ApiToken, Delivery, Deploy, Environment, Fact, Scope, Service
from tests.conftest import NOON
from tests.factories.access import bearer
from tests.factories.catalog import TeamFactory

pytestmark = [pytest.mark.django_db, pytest.mark.database]

URL = "/api/v1/deploys"


def post(client: Client, headers: dict[str, str], **message: Any) -> Any:
    return client.post(URL, data=json.dumps(message), content_type="application/json", headers=headers)


def test_a_one_line_curl_records_a_finished_deploy(client: Client, noon: dt.datetime) -> None:
    headers = bearer(TeamFactory(slug="acme"))

    answer = client.post(
        URL,
        data="service=shop&id=42&status=success&release=1.4.2",
        content_type="application/x-www-form-urlencoded",
        headers=headers,
    )

    deploy = Deploy.objects.select_related("change").get()
    public_id = str(deploy.change.public_id)
    assert (answer.status_code, answer.headers["Upshot-Verdict"]) == (201, "created")
    assert {type(value) for value in answer.headers.values()} == {str}  # servers refuse subclasses
    assert answer.json() == {
        "id": "42", "public_id": public_id, "service": "shop", "environment": "production", "status": "success",
        "started_at": "2026-03-04T12:00:00Z", "finished_at": "2026-03-04T12:00:00Z", "live_at": None,
        "release": "1.4.2", "artifact": None, "kind": "forward", "outcome": "succeeded", "strategy": None, "percent": None,
        "commit": None, "files": None, "description": "", "url": "",
        "web_url": f"http://127.0.0.1:8000/t/acme/deploys/{public_id}/", "warnings": [],
    }  # fmt: skip


def test_start_steps_and_end_are_one_deploy(client: Client) -> None:
    headers = bearer(TeamFactory())
    with clock.at(NOON):
        post(client, headers, id="42", service="shop", release="1.4.2")
    with clock.at(NOON + dt.timedelta(minutes=1)):
        post(client, headers, id="42", service="shop", percent=5, strategy="canary")
    with clock.at(NOON + dt.timedelta(minutes=9)):
        answer = post(client, headers, id="42", service="shop", status="success", percent=100)

    deploy = Deploy.objects.select_related("release").get()
    assert answer.status_code == 200
    assert (deploy.status, deploy.started_at, deploy.finished_at) == ("success", NOON, NOON + dt.timedelta(minutes=9))
    assert deploy.release is not None
    assert (deploy.release.version, deploy.has_canary_step, deploy.strategy) == ("1.4.2", True, "canary")


def test_an_end_before_its_start_keeps_the_end_and_learns_the_start(client: Client) -> None:
    headers = bearer(TeamFactory())
    with clock.at(NOON):
        post(client, headers, id="42", service="shop", status="failure")
    with clock.at(NOON + dt.timedelta(minutes=1)):
        post(client, headers, id="42", service="shop", status="in_progress", started_at="2026-03-04T12:50:00+01:00")

    deploy = Deploy.objects.get()
    assert (deploy.status, deploy.started_at, deploy.finished_at) == ("failure", NOON - dt.timedelta(minutes=10), NOON)


def test_a_stated_start_is_not_moved_by_a_message_after_the_end(client: Client) -> None:
    headers = bearer(TeamFactory())
    post(client, headers, id="42", service="shop", started_at=1772618400, status="success", finished_at=1772618700)
    post(client, headers, id="42", service="shop", started_at=1772618500, status="in_progress")

    assert Deploy.objects.get().started_at == dt.datetime.fromtimestamp(1772618400, dt.UTC)


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_of_two_ends_the_later_one_stands(client: Client, order: tuple[int, int]) -> None:
    headers = bearer(TeamFactory())
    ends = [
        {"status": "success", "finished_at": "2026-03-04T11:00:00Z"},
        {"status": "failure", "finished_at": "2026-03-04T11:05:00Z"},
    ]
    for each in order:
        post(client, headers, id="42", service="shop", started_at="2026-03-04T10:00:00Z", **ends[each])

    assert Deploy.objects.get().status == "failure"


def test_the_same_message_again_changes_nothing(client: Client, noon: dt.datetime) -> None:
    headers = bearer(TeamFactory())
    message = {"id": "42", "service": "shop", "status": "success", "release": "1.4.2"}

    first = post(client, headers, **message)
    with clock.at(NOON + dt.timedelta(hours=1)):
        second = post(client, headers, **message)

    assert (first.status_code, second.status_code, second.headers["Upshot-Verdict"]) == (201, 200, "duplicate")
    assert second.json() == {**first.json(), "kind": second.json()["kind"], "outcome": second.json()["outcome"]}
    assert (Deploy.objects.count(), Fact.objects.filter(kind="deploy").count()) == (1, 1)
    assert list(Delivery.objects.order_by("id").values_list("verdict", flat=True)) == ["created", "duplicate"]


def test_a_delivery_id_is_taken_once(client: Client) -> None:
    headers = bearer(TeamFactory())
    post(client, headers, id="42", service="shop", delivery_id="a1", release="1")
    answer = post(client, headers, id="42", service="shop", delivery_id="a1", release="2")

    assert (answer.json()["release"], answer.headers["Upshot-Verdict"]) == ("1", "duplicate")


def test_null_takes_a_value_back(client: Client) -> None:
    headers = bearer(TeamFactory())
    post(client, headers, id="42", service="shop", live_at="2026-03-04T10:00:00Z", release="1")
    post(client, headers, id="42", service="shop", live_at=None, release=None)

    deploy = Deploy.objects.get()
    assert (deploy.live_at, deploy.release) == (None, None)


def test_lists_may_be_form_fields_and_empty_fields_say_nothing(client: Client) -> None:
    client.post(
        URL,
        data="service=shop&id=42&files=a.py&files=b.py,c.py&release=&started_at=1772618400.5",
        content_type="application/x-www-form-urlencoded",
        headers=bearer(TeamFactory()),
    )

    deploy = Deploy.objects.get()
    assert (deploy.files, deploy.release) == (["a.py", "b.py", "c.py"], None)
    assert deploy.started_at == dt.datetime.fromtimestamp(1772618400.5, dt.UTC)


def test_an_end_long_after_the_start_gets_no_assumed_end(client: Client, noon: dt.datetime) -> None:
    post(client, bearer(TeamFactory()), id="1", service="shop", status="success", started_at="2026-02-01T00:00:00Z")

    assert Deploy.objects.get().finished_at is None


def test_unknown_keys_are_ignored_with_a_warning(client: Client) -> None:
    answer = post(client, bearer(TeamFactory()), id="42", service="shop", colour="red")

    assert answer.json()["warnings"] == ["colour: unknown key, ignored"]
    assert Delivery.objects.get().reason == "colour: unknown key, ignored"


@pytest.mark.parametrize(
    ("message", "pointer", "said"),
    [
        ({"service": "shop"}, "#/id", "This field is required."),
        ({"id": "1"}, "#/service", "This field is required."),
        ({"id": "1", "service": "shop", "status": "done"}, "#/status", '"done" is not a valid choice.'),
        (
            {"id": "1", "service": "shop", "started_at": "2026-03-03T10:00:00"},
            "#/started_at",
            "expected a time with offset (2026-03-03T10:00:00Z) or epoch seconds, got '2026-03-03T10:00:00'",
        ),
        (
            {"id": "1", "service": "shop", "started_at": "1772618400"},
            "#/started_at",
            "expected a time with offset (2026-03-03T10:00:00Z) or epoch seconds, got '1772618400'",
        ),
        (
            {"id": "1", "service": "shop", "started_at": 99999999999},
            "#/started_at",
            "expected a time from 1990 to 2199, got 5138-11-16T09:46:39Z",
        ),
        ({"id": "1", "service": "sh\x01op"}, "#/service", "expected printable characters only"),
        (
            {"id": "1", "service": "shop", "percent": 101},
            "#/percent",
            "Ensure this value is less than or equal to 100.",
        ),
        (
            {"id": "1", "service": "shop", "url": "javascript:alert(1)"},
            "#/url",
            "expected an address that begins with https:// or http://",
        ),
    ],
)
def test_what_is_wrong_is_named(client: Client, message: dict[str, Any], pointer: str, said: str) -> None:
    answer = post(client, bearer(TeamFactory()), **message)

    assert (answer.status_code, answer.headers["Content-Type"]) == (422, "application/problem+json")
    assert answer.json()["errors"] == [{"pointer": pointer, "detail": said}]
    delivery = Delivery.objects.get()
    assert (delivery.verdict, delivery.reason) == ("refused", f"invalid-message: {pointer[2:]}: {said}")
    assert Fact.objects.count() == 0


@pytest.mark.parametrize(
    ("body", "content_type", "status", "slug"),
    [
        (b"{", "application/json", 400, "malformed-body"),
        (b"[" * 5000, "application/json", 400, "malformed-body"),
        (b'{"id": NaN}', "application/json", 400, "malformed-body"),
        (b"[1]", "application/json", 422, "invalid-message"),
        (b"", "application/json", 422, "invalid-message"),
        (b"\xff=1", "application/x-www-form-urlencoded", 400, "malformed-body"),
        (b"a&" * 2000, "application/x-www-form-urlencoded", 400, "malformed-body"),
        (b"<x/>", "application/xml", 415, "unsupported-media-type"),
        (b'"' + b"x" * 12_000_001 + b'"', "application/json", 413, "body-too-large"),
    ],
)
def test_bodies_that_cannot_be_read(client: Client, body: bytes, content_type: str, status: int, slug: str) -> None:
    answer = client.post(URL, data=body, content_type=content_type, headers=bearer(TeamFactory()))

    assert (answer.status_code, answer.json()["type"]) == (status, f"http://127.0.0.1:8000/problems/{slug}")
    assert Delivery.objects.get().verdict == "refused"


def test_who_may_post(client: Client, noon: dt.datetime) -> None:
    team = TeamFactory()
    read_only = bearer(team, [Scope.DEPLOYS_READ])
    revoked, expired = bearer(team), bearer(team)
    ApiToken.objects.order_by("-id").filter(pk=ApiToken.objects.order_by("-id")[0].pk).update(expires_at=NOON)
    ApiToken.objects.filter(pk=ApiToken.objects.order_by("-id")[1].pk).update(revoked_at=NOON)
    tries: list[dict[str, str]] = [
        {},
        {"Authorization": "Basic dXNlcjpwYXNz"},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer upshot_nope"},
        {"Authorization": "Bearer \xfc"},
        revoked,
        expired,
        read_only,
    ]

    answers = [post(client, headers, id="1", service="shop") for headers in tries]

    assert [(each.status_code, each.json()["type"].rsplit("/", 1)[1]) for each in answers] == [
        (401, "not-authenticated"),
        (401, "not-authenticated"),
        (401, "token-refused"),
        (401, "token-refused"),
        (401, "token-refused"),
        (401, "token-refused"),
        (401, "token-refused"),
        (403, "missing-scope"),
    ]
    assert all(each.headers["WWW-Authenticate"] for each in answers[:7])
    assert [(each.verdict, each.reason) for each in Delivery.objects.all()] == [
        ("refused", "missing-scope: this token lacks the scope deploys:write")
    ]


def test_a_token_without_services_write_makes_no_services(client: Client) -> None:
    team = TeamFactory()
    headers = bearer(team, [Scope.DEPLOYS_WRITE])

    first = post(client, headers, id="1", service="shop")
    post(client, bearer(team), id="1", service="shop")
    second = post(client, headers, id="2", service="shop", environment="staging")
    third = post(client, headers, id="2", service="shop", environment="PRODUCTION")

    assert first.json() == {
        "type": "http://127.0.0.1:8000/problems/unknown-service",
        "title": "The service does not exist",
        "status": 422,
        "detail": "no service 'shop' here: create it first, or use a token with the scope services:write",
        "errors": [{"pointer": "#/service", "detail": "does not exist"}],
    }
    assert (second.status_code, second.json()["title"]) == (422, "The environment does not exist")
    assert (third.status_code, third.json()["environment"]) == (201, "production")
    assert [each.name for each in Service.objects.all()] == ["shop"]
    assert [each.name for each in Environment.objects.all()] == ["production"]


def test_the_last_use_of_a_token_is_written_once_a_minute(client: Client) -> None:
    headers = bearer(TeamFactory(), [Scope.DEPLOYS_READ])
    seen = []
    for seconds in (0, 30, 61):
        with clock.at(NOON + dt.timedelta(seconds=seconds)):
            client.get(URL, headers=headers)
            seen.append(ApiToken.objects.get().last_used_at)

    assert seen == [NOON, NOON, NOON + dt.timedelta(seconds=61)]


def test_lists_are_cut_into_pages_and_narrowed(client: Client) -> None:
    team = TeamFactory()
    headers = bearer(team)
    for n in range(60):
        service = "shop" if n % 2 else "till"
        post(client, headers, id=str(n), service=service, started_at=1772618400 + n, release=f"1.{n}")
    post(client, bearer(TeamFactory()), id="alien", service="shop", started_at=1772618400)

    first = client.get(URL, headers=headers).json()
    second = client.get(first["next"], headers=headers).json()
    back = client.get(second["previous"], headers=headers).json()
    shop = client.get(f"{URL}?service=shop&from=2026-03-04T10:00:50Z", headers=headers).json()

    assert [each["id"] for each in first["results"] + second["results"]] == [str(n) for n in reversed(range(60))]
    assert (first["previous"], second["next"], back) == (None, None, first)
    assert [each["id"] for each in shop["results"]] == ["59", "57", "55", "53", "51"]


@pytest.mark.parametrize(
    ("query", "status"),
    [("cursor=xx", 400), ("cursor=W10", 400), ("kind=odd", 422), ("from=today", 422), ("from=9999-12-31", 200)],
)
def test_lists_refuse_what_they_do_not_understand(client: Client, query: str, status: int) -> None:
    assert client.get(f"{URL}?{query}", headers=bearer(TeamFactory())).status_code == status


def test_a_list_costs_the_same_for_one_and_three(client: Client) -> None:
    team = TeamFactory()
    headers = bearer(team)
    counts = []
    for n in range(3):
        post(client, headers, id=str(n), service=f"shop-{n}", release="1", artifact=f"sha256:{n}")
        with CaptureQueriesContext(connection) as queries:
            client.get(URL, headers=headers)
        counts.append(len(queries))

    assert counts == [2, 2, 2]


def test_one_deploy_is_read_by_its_team_only(client: Client) -> None:
    team = TeamFactory()
    made = post(client, bearer(team), id="1", service="shop").json()
    address = f"{URL}/{made['public_id']}"

    own = client.get(address, headers=bearer(team))
    alien = client.get(address, headers=bearer(TeamFactory()))

    assert {**own.json(), "warnings": []} == {**made, "kind": own.json()["kind"], "outcome": own.json()["outcome"]}
    assert (alien.status_code, alien.json()["type"]) == (404, "http://127.0.0.1:8000/problems/not-found")


def test_a_method_that_is_not_taken(client: Client) -> None:
    answer = client.delete(URL, headers=bearer(TeamFactory()))

    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, POST, HEAD, OPTIONS")


def test_the_log_keeps_no_secrets(client: Client) -> None:
    post(client, bearer(TeamFactory()), id="1", service="shop", api_token="hunter2", extra={"password": "hunter2"})

    assert "hunter2" not in Delivery.objects.get().body


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
KEYS = [
    "id", "service", "environment", "status", "started_at", "finished_at", "live_at", "release", "artifact", "kind",
    "strategy", "percent", "files", "description", "url", "delivery_id",
]  # fmt: skip


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(message=st.dictionaries(st.sampled_from(KEYS), anything, max_size=6), is_complete=st.booleans())
def test_hostile_messages_are_answered(client: Client, message: dict[str, Any], is_complete: bool) -> None:
    headers = bearer(TeamFactory())
    if is_complete:
        message = {"id": "1", "service": "shop", **message}

    answer = post(client, headers, **message)

    assert answer.status_code in {200, 201, 400, 422}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.binary(max_size=200), is_form=st.booleans())
def test_hostile_bytes_are_answered(client: Client, body: bytes, is_form: bool) -> None:
    content_type = "application/x-www-form-urlencoded" if is_form else "application/json"

    answer = client.post(URL, data=body, content_type=content_type, headers=bearer(TeamFactory()))

    assert answer.status_code in {201, 400, 422}


def test_a_password_in_the_address_is_kept_nowhere(client: Client, noon: dt.datetime) -> None:
    headers = bearer(TeamFactory(slug="acme"))
    address = "https://bot:hunter2hunter2@ci.example.org/run/5"

    answers = [post(client, headers, service="shop", id="5", status="success", url=address) for _ in range(2)]

    kept = json.dumps([list(rows.values()) for rows in (Fact.objects, Deploy.objects, Delivery.objects)], default=str)
    assert "hunter2" not in kept
    assert Deploy.objects.get().url == "https://ci.example.org/run/5"
    assert [answer.headers["Upshot-Verdict"] for answer in answers] == ["created", "duplicate"]
    assert post(client, headers, service="shop", id="6", url="https://bot:hunter2hunter2@").status_code == 422


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("count", [1, 50])
def test_a_deploy_costs_the_same_with_one_commit_and_fifty_and_is_one_transaction(client: Client, count: int) -> None:
    headers = bearer(TeamFactory())
    post(client, headers, id="0", service="shop", release="0", status="success", commits=[{"sha": "0" * 40}])
    commits = [{"sha": f"{n:040x}", "title": f"Change {n}", "files": [f"{n}.py"]} for n in range(1, count + 1)]

    with CaptureQueriesContext(connection) as seen:
        answer = post(
            client, headers, id="1", service="shop", release="1", status="success", commit=commits[0]["sha"],
            commits=commits,
        )  # fmt: skip

    words = [query["sql"].split()[0] for query in seen.captured_queries]
    assert answer.status_code == 201
    if connection.vendor == "sqlite":
        assert (len(words), words.count("BEGIN"), words.count("COMMIT")) == (47, 1, 1)
    else:
        assert len(words) <= 75  # the locks; and the listing in a transaction of its own
