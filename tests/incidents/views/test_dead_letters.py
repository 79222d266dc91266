"""Dead letters: who sees which, what is shown of them, and what replay and discard do."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from deploys import clock
from deploys.models import Role
from incidents.actions.ingest import drain
from incidents.models import DeadLetter, DeadLetterAct, ErrorEvent, InboxItem
from tests.conftest import NOON
from tests.factories.catalog import ServiceFactory, UserFactory
from tests.factories.inbox import DeadLetterFactory, dead_letter_of
from tests.incidents.views.pages import Desk, desk, queries, read

pytestmark = [pytest.mark.django_db(databases="__all__"), pytest.mark.database]
SECRET = "hunter2-correct-horse"


@pytest.fixture(autouse=True)
def at_noon() -> Any:
    with clock.at(NOON):
        yield


def shown(answer: Any) -> list[int]:
    return [line.letter.pk for line in answer.context["lines"]]


def decide(at: Desk, act: str, **data: Any) -> Any:
    return at.client.post(at.url(f"dead-letter-{act}"), {"confirmed": "1", **data}, follow=True)


def test_the_list_is_the_teams_newest_first_and_narrowed_by_service() -> None:
    at = desk()
    cart, pay = ServiceFactory(team=at.team, name="cart"), ServiceFactory(team=at.team, name="pay")
    old = dead_letter_of(cart, failed_at=NOON - dt.timedelta(hours=1), reason="BadBody: damaged gzip body")
    new = dead_letter_of(pay)
    dead_letter_of(ServiceFactory())

    answer = at.get("dead-letter-list")

    assert shown(answer) == [new.pk, old.pk]
    assert "BadBody: damaged gzip body" in read(answer)
    assert shown(at.get("dead-letter-list", service=str(cart.public_id))) == [old.pk]
    for odd in ("nobody", str(ServiceFactory().public_id)):
        assert "No dead letter of this service." in read(at.get("dead-letter-list", service=odd))
    assert at.get("dead-letter-list", cursor="odd").status_code == 404
    assert "None: everything that was taken was digested." in read(desk().get("dead-letter-list"))


def test_pages_of_fifty() -> None:
    at = desk()
    service = ServiceFactory(team=at.team)
    letters = [dead_letter_of(service) for _ in range(51)]

    first = at.get("dead-letter-list")
    second = at.client.get(f"{at.url('dead-letter-list')}?{first.context['page'].older}")

    assert [*shown(first), *shown(second)] == [each.pk for each in reversed(letters)]


def test_queries_do_not_grow() -> None:
    at = desk()

    def asked() -> int:
        dead_letter_of(ServiceFactory(team=at.team))
        return queries(lambda: at.get("dead-letter-list"))

    assert [asked(), asked(), asked()] == [10, 10, 10]


def test_a_letter_shows_its_body_scrubbed_and_never_raw() -> None:
    at = desk(Role.VIEWER)
    cart = ServiceFactory(team=at.team, name="cart")
    body = json.dumps({"message": "<script>alert(1)</script>", "password": SECRET}).encode()
    letter = dead_letter_of(cart, kind="store", body=body, reason="ValueError: odd")

    answer = at.get("dead-letter-detail", letter.pk)

    assert "ValueError: odd" in read(answer)
    assert "[filtered]" in answer.content.decode()
    assert SECRET not in answer.content.decode()
    assert "<script>alert(1)" not in answer.content.decode()
    assert at.get("dead-letter-detail", 10**18).status_code == 404


def test_a_decision_is_asked_for_first() -> None:
    at = desk(Role.ADMIN)
    letter = dead_letter_of(ServiceFactory(team=at.team))

    answer = at.post("dead-letter-discard", letter=[letter.pk])

    assert "Discard 1 dead letter?" in read(answer)
    assert f'name="letter" value="{letter.pk}"' in answer.content.decode()
    assert DeadLetter.objects.count() == 1


def test_what_is_replayed_is_digested_again_once_and_who_did_it_is_kept() -> None:
    at = desk()
    service = ServiceFactory(team=at.team)
    body = json.dumps({"message": "hello"}).encode()
    good, bad = dead_letter_of(service, kind="store", body=body), dead_letter_of(service, kind="store")

    answer = decide(at, "replay", letter=[good.pk, bad.pk, "odd", 10**20])
    again = decide(at, "replay", letter=[good.pk])

    assert "2 letters put back into the inbox." in read(answer)
    assert "No letter was chosen, or somebody else has just decided." in read(again)
    assert list(DeadLetterAct.objects.values_list("team", "by", "at", "act", "quantity")) == [
        (at.team.pk, at.user.pk, NOON, "replay", 2)
    ]
    assert "Ida Holm replayed 2 letters" in read(answer)
    assert list(InboxItem.objects.values_list("received_at", flat=True)) == [NOON, NOON]
    drain(now=NOON)
    assert list(ErrorEvent.objects.values_list("event_id", flat=True)) == [good.event_id]
    assert list(DeadLetter.objects.values_list("event_id", flat=True)) == [bad.event_id]


def test_all_means_what_was_seen_of_the_filter() -> None:
    at = desk(Role.ADMIN)
    cart, pay = ServiceFactory(team=at.team), ServiceFactory(team=at.team)
    dead_letter_of(cart)
    seen = dead_letter_of(cart)
    kept = [dead_letter_of(pay), dead_letter_of(cart)]
    wanted = {"which": "all", "newest": seen.pk, "service": str(cart.public_id)}

    asked = at.post("dead-letter-discard", **wanted)
    answer = decide(at, "discard", **wanted)

    assert f'name="newest" value="{seen.pk}"' in asked.content.decode()
    assert "2 letters discarded for good." in read(answer)
    assert list(DeadLetter.objects.order_by("pk")) == kept


@pytest.mark.parametrize("data", [{}, {"which": "all"}, {"which": "all", "newest": "²"}])
def test_nothing_chosen_is_said(data: dict[str, str]) -> None:
    at = desk(Role.ADMIN)
    dead_letter_of(ServiceFactory(team=at.team))

    assert "No letter was chosen" in read(decide(at, "discard", **data))
    assert DeadLetter.objects.count() == 1


def test_letters_of_another_team_cannot_be_decided() -> None:
    at = desk(Role.ADMIN)
    foreign = dead_letter_of(ServiceFactory())

    decide(at, "discard", letter=[foreign.pk])
    decide(at, "discard", which="all", newest=foreign.pk)

    assert list(DeadLetter.objects.all()) == [foreign]
    assert at.get("dead-letter-detail", foreign.pk).status_code == 404


def test_buttons_stand_where_they_may_be_pressed() -> None:
    responder = desk()
    dead_letter_of(ServiceFactory(team=responder.team))
    viewer, admin = desk(Role.VIEWER, responder.team), desk(Role.ADMIN, responder.team)

    said = [read(each.get("dead-letter-list")) for each in (viewer, responder, admin)]

    assert ["Replay all" in each for each in said] == [False, True, True]
    assert ["Discard all" in each for each in said] == [False, False, True]


def test_letters_of_no_service_are_the_instances() -> None:
    dead_letter_of(ServiceFactory())
    stray = DeadLetterFactory(project=10**12)
    user = UserFactory(is_superuser=True)
    client = Client()
    client.force_login(user)

    answer = client.get(reverse("stray-letter-list"))
    detail = client.get(reverse("stray-letter-detail", args=[stray.pk]))
    client.post(reverse("stray-letter-discard"), {"letter": [stray.pk], "confirmed": "1"})

    assert shown(answer) == [stray.pk]
    assert "A dead letter of project 1000000000000" in read(detail)
    assert not DeadLetter.objects.filter(pk=stray.pk).exists()
    assert list(DeadLetterAct.objects.values_list("team", "by", "act")) == [(None, user.pk, "discard")]
