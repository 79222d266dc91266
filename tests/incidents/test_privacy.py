"""No secret that a report brings is found anywhere but where bodies wait and where they lie dead."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from deploys.models import Role, Service
from incidents.actions.ingest import drain
from incidents.ingest.writer import Row, store_rows
from incidents.models import DeadLetter, ErrorEvent, InboxItem
from tests.conftest import NOON
from tests.factories.catalog import MembershipFactory, ServiceFactory
from tests.incidents.kept import everything_kept
from tests.incidents.secrets import Case, Maker, cases

pytestmark = [pytest.mark.django_db(databases="__all__"), pytest.mark.database]


def send(service: Service, found: Sequence[Case]) -> None:
    """Every case in an envelope of its own, digested."""
    rows = []
    for number, case in enumerate(found, 1):
        event_id = f"{number:032x}"
        event = {"event_id": event_id, "timestamp": NOON.isoformat(), **case.payload}
        body = "\n".join([json.dumps({"event_id": event_id}), '{"type":"event"}', json.dumps(event)])
        rows.append(Row(service.number, "envelope", "", event_id, body.encode(), NOON))
    store_rows(rows)
    drain(now=NOON)


def test_planted_secrets_are_nowhere_after_the_digest(caplog: pytest.LogCaptureFixture, client: Client) -> None:
    caplog.set_level(logging.DEBUG)
    found = cases()
    service = ServiceFactory.create()
    client.force_login(MembershipFactory.create(team=service.team, role=Role.ADMIN).user)

    send(service, found)

    kept = everything_kept() + caplog.text
    team = service.team.slug
    for event in ErrorEvent.objects.select_related("issue").order_by("pk")[::25]:
        kept += client.get(reverse("issue-detail", args=[team, event.issue.public_id])).content.decode()
    kept += client.get(reverse("issue-list", args=[team])).content.decode()
    assert (ErrorEvent.objects.count(), InboxItem.objects.count()) == (len(found), 0)
    assert len(found) >= 500
    assert [case.name for case in found if any(needle in kept for needle in case.needles)] == []


def test_the_counts_of_sessions_and_losses_hold_no_secrets_either() -> None:
    make, service = Maker(2), ServiceFactory.create()
    words = [make.email() for _ in range(9)]
    attributes = {"release": words[0], "environment": words[1]}
    items: list[tuple[dict[str, object], dict[str, object]]] = [
        ({"type": "sessions"}, {"attrs": attributes, "aggregates": [{"started": NOON.isoformat(), "exited": 2}]}),
        ({"type": "client_report"}, {"discarded_events": [{"reason": words[2], "category": "error", "quantity": 1}]}),
        ({"type": words[3]}, {}),
        (
            {"type": "check_in"},
            {
                "check_in_id": "a" * 32,
                "monitor_slug": words[6],
                "status": "ok",
                "environment": words[7],
                "release": words[8],
            },
        ),
        ({"type": "session"}, {"sid": "1", "init": True, "started": NOON.isoformat(), "attrs": {"release": words[4]}}),
        (
            {"type": "transaction"},
            {
                "contexts": {"trace": {"op": "http.server", "trace_id": "a", "span_id": "b"}},
                "release": words[5],
                "start_timestamp": NOON.timestamp() - 1,
                "timestamp": NOON.timestamp(),
                "transaction": words[5],
            },
        ),
    ]
    lines = ["{}", *(json.dumps(part) for item in items for part in item)]

    store_rows([Row(service.number, "envelope", "", "", "\n".join(lines).encode(), NOON)])
    drain(now=NOON)

    kept = everything_kept()
    assert [word for word in words if word in kept] == []
    assert kept.count("[filtered]") >= len(words)


def test_a_dead_letter_is_listed_without_its_secrets(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    word = Maker(3).email()

    def refuse(**_: object) -> None:
        raise TypeError(f"cannot store {word}")

    monkeypatch.setattr("incidents.actions.ingest.digest_events", refuse)
    send(ServiceFactory.create(), [Case("dead", (word,), {"message": word})])
    call_command("dead_letters")

    assert DeadLetter.objects.count() == 1
    assert word.encode() in bytes(DeadLetter.objects.get().body)
    assert word not in everything_kept() + caplog.text + capsys.readouterr().out
    assert DeadLetter.objects.get().reason == "TypeError: cannot store [filtered]"
