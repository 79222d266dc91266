"""What reaches us: the page of a service, the team's overview, the line on the service's page."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.conf import settings

from deploys.models import DsnKey, Role, Service
from incidents.domain.intake import RAW_KEPT
from incidents.models import InboxItem, IngestCount, Job, JobRun, LossCount, ReleaseSighting, TrafficCount
from tests.conftest import NOON
from tests.factories.catalog import ServiceFactory
from tests.factories.inbox import dead_letter_of
from tests.factories.incidents import environment_of, incident_of, service_of
from tests.incidents.views.pages import HOSTILE, Desk, desk, queries, read

pytestmark = [pytest.mark.django_db(databases="__all__"), pytest.mark.database, pytest.mark.usefixtures("half_past")]
HOUR = dt.timedelta(hours=1)


def count(service: Service, item: str, outcome: str, quantity: int, at: dt.datetime = NOON) -> None:
    IngestCount.objects.create(service=service, hour_at=at, item=item, outcome=outcome, quantity=quantity)


def lose(service: Service, reason: str, quantity: int, category: str = "error", at: dt.datetime = NOON) -> None:
    LossCount.objects.create(service=service, hour_at=at, reason=reason, category=category, quantity=quantity)


def heard(at: Desk, **fields: Any) -> Service:
    return ServiceFactory(team=at.team, **{"name": "cart", "last_event_at": NOON + HOUR / 2, **fields})


def wait(service: Service, at: dt.datetime) -> None:
    InboxItem.objects.create(project=service.number, kind="envelope", body=b"x", received_at=at)


def test_the_page_tells_what_was_taken_refused_lost_and_waits() -> None:
    at = desk()
    cart, other = heard(at), ServiceFactory(team=at.team)
    count(cart, "event", "stored", 1_200)
    count(cart, "event", "duplicate", 3)
    count(cart, "wrong_key", "refused", 17)
    count(cart, "attachment", "skipped", 4)
    count(cart, "body", "sampled_out", 8)
    count(other, "event", "stored", 99)
    lose(cart, "queue_overflow", 40)
    wait(cart, NOON)
    wait(other, NOON - HOUR)
    dead_letter_of(cart)
    place = environment_of(at.team)
    TrafficCount.objects.create(service=cart, environment=place, at=NOON, seconds=60, count=5)
    ReleaseSighting.objects.create(
        service=cart, environment=place, release="7.2", first_seen_at=NOON - HOUR, last_seen_at=NOON
    )

    answer = at.get("service-ingest", cart.public_id)

    said = read(answer)
    sums = answer.context["sums"]
    assert (sums.events_count, sums.duplicates_count, sums.refused_count, sums.lost_count) == (1_200, 3, 17, 40)
    assert answer.context["queue"].rows == 1
    assert answer.context["is_late"]
    assert answer.context["figure"].sentence.startswith("In the last 24 hours: 1,200\N{NO-BREAK SPACE}error events")
    assert len(answer.context["figure"].table) == 1
    for phrase in (
        "wrong key 17 The key in the DSN is none of this service",
        "queue overflow error 40 The application made reports faster",
        "attachment 4 Files are not kept.",
        "body sampled out 8",
        "1 body of cart could not be read. Nothing of it is counted yet; it is kept for 14 days, or until somebody decides.",
        "7.2 production 30 min ago",
        "What was taken waits to be digested since 12:00:00",
    ):
        assert phrase in said, phrase


def test_a_day_or_a_week_is_looked_at() -> None:
    at = desk()
    cart = heard(at)
    count(cart, "event", "stored", 5, at=NOON - 3 * 24 * HOUR)

    day, week = at.get("service-ingest", cart.public_id), at.get("service-ingest", cart.public_id, span="week")

    assert day.context["figure"] is None
    assert "Nothing came in the last 24 hours." in read(day)
    assert week.context["sums"].events_count == 5
    assert at.get("service-ingest", cart.public_id, span="odd").context["span"] == ""


def test_a_service_that_never_sent_shows_its_dsn_to_those_who_set_up() -> None:
    at = desk()
    service = heard(at, last_event_at=None)
    DsnKey.objects.create(service=service, public_key="a" * 32, created_at=NOON)
    viewer = desk(Role.VIEWER, team=at.team)

    assert "a" * 32 + "@" in read(at.get("service-ingest", service.public_id))
    assert "a" * 32 not in viewer.get("service-ingest", service.public_id).content.decode()


def test_the_overview_puts_what_is_incomplete_first() -> None:
    at = desk()
    ServiceFactory(team=at.team, name="a-quiet")
    well, bad = heard(at, name="b-well"), heard(at, name="c-bad")
    count(well, "event", "stored", 5)
    lose(bad, "network_error", 2)
    ServiceFactory(team=at.team, name="gone", retired_at=NOON)
    ServiceFactory(name="of others")

    answer = at.get("ingest-overview")

    assert [line.service.name for line in answer.context["lines"]] == ["c-bad", "a-quiet", "b-well"]
    assert "all taken" in read(answer)
    assert "The team has no service yet" in read(desk().get("ingest-overview"))


def test_queries_do_not_grow() -> None:
    at = desk()

    def add(name: str) -> Service:
        service = heard(at, name=name)
        count(service, "event", "stored", 5)
        wait(service, NOON)
        dead_letter_of(service)
        return service

    one = add("a")
    first = [queries(lambda: at.get("ingest-overview")), queries(lambda: at.get("service-ingest", one.public_id))]
    for name in "bc":
        add(name)
    then = [queries(lambda: at.get("ingest-overview")), queries(lambda: at.get("service-ingest", one.public_id))]

    files = len({settings.INBOX_ALIAS, "default"})  # each is asked for its size
    assert first == then == [11 + files, 16]


def test_the_services_page_says_in_a_line_how_it_is() -> None:
    at = desk()
    cart = heard(at)
    assert "nothing refused in 24 h" in read(at.get("service-detail", cart.public_id))

    count(cart, "body", "refused:too_large", 3)
    lose(cart, "queue_overflow", 9)
    dead_letter_of(cart)
    dead_letter_of(cart)
    said = read(at.get("service-detail", cart.public_id))

    assert "3 refused in 24 h" in said
    assert "9 errors lost in 24 h" in said
    assert "2 bodies of cart could not be read" in said
    assert "nothing heard yet" in read(at.get("service-detail", heard(at, name="new", last_event_at=None).public_id))


def test_names_from_outside_are_texts() -> None:
    at = desk()
    cart = heard(at)
    count(cart, "body", f"refused:{HOSTILE}"[:40], 3)
    lose(cart, HOSTILE[:60], 2, category=HOSTILE[:60])

    assert "<script>alert" not in at.get("service-ingest", cart.public_id).content.decode()


def test_another_teams_service_is_not_there() -> None:
    assert desk().get("service-ingest", service_of(desk().team).public_id).status_code == 404


def test_pages_with_numbers_say_what_is_missing_from_them() -> None:
    at = desk()
    shop = service_of(at.team)
    incident = incident_of(at.team)
    pages = [("dashboard", ()), ("report", ("2026-W10",)), ("incident-detail", (incident.number,))]
    assert ["Incomplete" in read(at.get(name, *args)) for name, args in pages] == [False, False, False]

    lose(shop, "queue_overflow", 1_200)
    lose(shop, "before_send", 7)
    dead_letter_of(shop)
    count(shop, "body", "refused:disk", 2)
    count(shop, "body", "expired", 8, at=NOON + RAW_KEPT)
    count(shop, "body", "dead_expired", 1, at=NOON + RAW_KEPT)
    count(shop, "body", "expired", 50)
    said = [read(at.get(name, *args)) for name, args in pages]

    for page in said:
        assert "SDKs of shop reported 1,200 errors lost on Wednesday 4 March: error counts are too low." in page
        assert "2 requests of shop were refused on Wednesday 4 March" in page
        assert "9 bodies of shop that came on Wednesday 4 March were deleted undigested after 14 days" in page
        assert "1 body of shop lies in the dead letters" in page


def test_at_most_four_sentences_are_said() -> None:
    at = desk()
    for number in range(6):
        lose(heard(at, name=f"s{number}"), "queue_overflow", 1)

    assert "2 more" in read(at.get("dashboard"))


def test_what_was_deleted_undigested_is_a_loss_with_a_sentence_of_its_own() -> None:
    at = desk()
    service = heard(at)
    count(service, "body", "expired", 3)
    count(service, "body", "dead_expired", 2)

    page, overview = read(at.get("service-ingest", service.public_id)), read(at.get("ingest-overview"))

    assert "never digested 3 They waited for 14 days and were deleted" in page
    assert "dead letters 2 Nobody decided about them for 14 days" in page
    assert "deleted undigested 5" in page
    assert "incomplete" in overview


def test_the_last_check_in_is_told_and_a_missed_run_is_none() -> None:
    at = desk()
    service = heard(at)
    never = read(at.get("service-ingest", service.public_id))
    job = Job.objects.create(service=service, environment=environment_of(at.team), slug="nightly", created_at=NOON)
    JobRun.objects.create(job=job, run_id="a", status="ok", started_at=NOON - 4 * HOUR, told_at=NOON - 3 * HOUR)
    JobRun.objects.create(job=job, run_id="b", status="missed", started_at=NOON - HOUR)

    assert "of any job never" in never
    assert "of any job 3 h ago" in read(at.get("service-ingest", service.public_id))
