"""What a sender makes up fills no table, and every count stays exact."""

from __future__ import annotations

import pytest
from django.db.models import Sum
from pytest_django import Settings

from deploys.models import Environment
from incidents.actions import cardinality, digest
from incidents.actions.cardinality import OTHERS, Names
from incidents.actions.digest import digest_events
from incidents.actions.traffic import TrafficLine, record_sessions
from incidents.models import ErrorEvent, Issue, IssueCount, TrafficCount
from tests.conftest import NOON
from tests.factories.catalog import ServiceFactory
from tests.factories.errors import minutes, parsed_event

pytestmark = [pytest.mark.django_db, pytest.mark.database]


def test_issues_beyond_the_bound_are_one_that_says_so(settings: Settings) -> None:
    settings.NEW_ISSUES_PER_HOUR = 5
    service, other = ServiceFactory.create(), ServiceFactory.create()
    kinds = [f"Type{chr(65 + number)}" for number in range(20)]
    for start in range(0, 20, 4):
        events = [parsed_event(type=kind) for kind in kinds[start : start + 4]]
        digest_events(service=service, events=events, received_at=NOON)
    digest_events(service=service, events=[parsed_event(type=kinds[0]), parsed_event(type=kinds[19])], received_at=NOON)
    digest_events(service=other, events=[parsed_event(type=kinds[0])], received_at=NOON)

    overflow = Issue.objects.get(service=service, fingerprint="overflow")
    issues = Issue.objects.filter(service=service).exclude(pk=overflow.pk)
    assert (issues.count(), overflow.events_count, overflow.kept_count) == (5, 16, 16)
    assert issues.aggregate(n=Sum("events_count"))["n"] == 6
    assert overflow.title == "Overflow: too many new kinds of error in an hour, the rest is collected here"
    assert overflow.explanation["parts"][0] == "more than 5 new issues of this service within an hour"
    assert (ErrorEvent.objects.filter(service=service).count(), Issue.objects.filter(service=other).count()) == (22, 1)


def test_an_earlier_event_gives_the_overflow_issue_no_other_name(settings: Settings) -> None:
    settings.NEW_ISSUES_PER_HOUR = 1
    service = ServiceFactory.create()
    for late in (0, 5):
        events = [parsed_event(type=kind, timestamp=NOON - minutes(late)) for kind in ("A", "B")]
        digest_events(service=service, events=events, received_at=NOON)

    overflow = Issue.objects.get(fingerprint="overflow")
    assert (overflow.type, overflow.events_count, overflow.first_seen_at) == ("Overflow", 2, NOON - minutes(5))


def test_the_next_hour_makes_issues_again(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.NEW_ISSUES_PER_HOUR = 1
    service = ServiceFactory.create()
    events = [parsed_event(type=kind) for kind in ("A", "B")]
    digest_events(service=service, events=events, received_at=NOON)
    now = cardinality.time.time()

    monkeypatch.setattr(cardinality.time, "time", lambda: now + 3_700)
    digest_events(service=service, events=[parsed_event(type="B")], received_at=NOON)

    assert sorted(Issue.objects.values_list("type", "events_count")) == [("A", 1), ("B", 1), ("Overflow", 1)]


def test_imported_errors_know_no_bound(settings: Settings) -> None:
    settings.NEW_ISSUES_PER_HOUR = 1
    service = ServiceFactory.create()

    events = [parsed_event(type=kind) for kind in ("A", "B", "C")]
    digest_events(service=service, events=events, received_at=NOON, is_evidence_only=True)

    assert Issue.objects.count() == 3


def test_releases_and_hosts_beyond_the_bound_are_counted_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cardinality, "MOST_NAMES", 3)
    service = ServiceFactory.create()

    events = [parsed_event(release=f"1.{number}", host=f"web-{number}") for number in range(9)]
    digest_events(service=service, events=events, received_at=NOON)
    lines = [TrafficLine(at=NOON, seconds=60, count=1, failed=0, release=f"1.{number}") for number in range(9)]
    record_sessions(service=service, lines=lines, received_at=NOON)

    counts = IssueCount.objects.order_by("release").values_list("release", "host", "count")
    assert list(counts) == [(OTHERS, OTHERS, 6), *[(f"1.{number}", f"web-{number}", 1) for number in range(3)]]
    traffic = TrafficCount.objects.order_by("release").values_list("release", "count")
    assert list(traffic) == [(OTHERS, 6), ("1.0", 1), ("1.1", 1), ("1.2", 1)]
    assert ErrorEvent.objects.filter(release="1.8").count() == 1


def test_names_are_forgotten_with_the_hour_and_the_least_heard_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cardinality, "MOST_NAMES", 1)
    monkeypatch.setattr(cardinality, "MOST_KINDS", 2)
    names, moment = Names(), [0.0]
    monkeypatch.setattr(cardinality.time, "time", lambda: moment[0])
    one, two, three = (ServiceFactory.build() for _ in range(3))

    assert [names.bounded(one, "host", name) for name in "aba"] == ["a", OTHERS, "a"]
    moment[0] = 3_600
    assert [names.bounded(one, "host", name) for name in "ba"] == ["b", OTHERS]
    assert [names.bounded(each, "host", "x") for each in (two, three)] == ["x", "x"]
    assert names.bounded(one, "host", "c") == "c"


def test_a_team_gets_no_more_environments_than_the_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(digest, "MOST_ENVIRONMENTS", 3)
    service = ServiceFactory.create()

    for numbers in ((0, 1), (2, 3), (4, 1)):
        events = [parsed_event(environment=f"Env-{number}") for number in numbers]
        digest_events(service=service, events=events, received_at=NOON)

    assert sorted(Environment.objects.values_list("name", flat=True)) == [OTHERS, "Env-0", "Env-1", "Env-2"]
    found = ErrorEvent.objects.order_by("environment__name").values_list("environment__name", flat=True)
    assert list(found) == [OTHERS, OTHERS, "Env-0", "Env-1", "Env-1", "Env-2"]
