from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deploys.models import Delivery, Fact, Flag, FlagChange, Scope
from tests.factories.access import bearer
from tests.factories.catalog import TeamFactory

pytestmark = [pytest.mark.django_db, pytest.mark.database]


def post(client: Client, headers: dict[str, str], **message: Any) -> Any:
    return client.post("/api/v1/flags", data=json.dumps(message), content_type="application/json", headers=headers)


def test_a_change_is_recorded_at_its_receipt(client: Client, noon: dt.datetime) -> None:
    headers = bearer(TeamFactory())

    answer = post(client, headers, id="f1", key="new-cart", new_percent=50, services=["shop"], colour=1)

    change = FlagChange.objects.select_related("change").get()
    assert answer.status_code == 201
    assert answer.json() == {
        "key": "new-cart", "environment": "production", "id": "f1", "public_id": str(change.change.public_id),
        "at": "2026-03-04T12:00:00Z", "new_percent": 50.0, "warnings": ["colour: unknown key, ignored"],
    }  # fmt: skip


def test_the_same_again_is_a_duplicate_and_more_is_an_update(client: Client, noon: dt.datetime) -> None:
    headers = bearer(TeamFactory())
    verdicts = [
        post(client, headers, **message).headers["Upshot-Verdict"]
        for message in (
            {"id": "f1", "key": "cart", "new_percent": 50},
            {"id": "f1", "key": "cart", "new_percent": 50},
            {"id": "f1", "key": "cart", "old_percent": 25},
            {"key": "cart", "owner": "Ada"},
            {"key": "cart", "owner": "Ada", "environment": "Production"},
            {"id": "f2", "key": "cart", "new_percent": 0, "owner": "Bo", "delivery_id": "x"},
            {"id": "f2", "key": "cart", "new_percent": 9, "owner": "Bo", "delivery_id": "x"},
        )
    ]

    assert verdicts == ["created", "duplicate", "updated", "created", "duplicate", "created", "duplicate"]
    assert [(each.new_percent, each.old_percent) for each in FlagChange.objects.order_by("pk")] == [(50, 25), (0, None)]
    assert [each.owner for each in Flag.objects.all()] == ["Bo"]


@pytest.mark.parametrize(
    ("message", "pointer", "said"),
    [
        ({"id": "f1", "new_percent": 5}, "#/key", "This field is required."),
        ({"id": "f1", "key": "cart"}, "#/new_percent", "missing"),
        ({"key": "cart", "new_percent": 5}, "#/id", "missing: new_percent belong to a change, which has an id"),
        ({"key": "cart", "segment": []}, "#/segment", 'Expected a dictionary of items but got type "list".'),
    ],
)
def test_what_is_wrong_is_named(client: Client, message: dict[str, Any], pointer: str, said: str) -> None:
    answer = post(client, bearer(TeamFactory()), **message)

    assert (answer.status_code, answer.json()["errors"]) == (422, [{"pointer": pointer, "detail": said}])
    assert (Fact.objects.count(), Delivery.objects.get().verdict) == (0, "refused")


def test_services_are_made_only_with_the_scope(client: Client) -> None:
    team = TeamFactory()
    post(client, bearer(team), id="f1", key="cart", new_percent=5)

    answer = post(client, bearer(team, [Scope.DEPLOYS_WRITE]), id="f2", key="cart", new_percent=5, services=["shop"])

    assert (answer.status_code, answer.json()["type"]) == (422, "http://127.0.0.1:8000/problems/unknown-service")


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
KEYS = [
    "id", "key", "at", "new_percent", "old_percent", "segment", "services", "environment", "created_at", "owner",
    "kind", "expires_at", "last_evaluated_at", "code_references", "archived_at", "delivery_id",
]  # fmt: skip


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(message=st.dictionaries(st.sampled_from(KEYS), anything, max_size=6), is_complete=st.booleans())
def test_hostile_messages_are_answered(client: Client, message: dict[str, Any], is_complete: bool) -> None:
    if is_complete:
        message = {"id": "1", "key": "cart", "new_percent": 5, **message}

    answer = post(client, bearer(TeamFactory()), **message)

    assert answer.status_code in {200, 201, 400, 422}
