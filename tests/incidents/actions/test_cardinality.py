"""What a sender makes up fills no table, and every count stays exact."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import pytest
from django.db import transaction
from django.db.models import Sum
from pytest_django import DjangoAssertNumQueries, DjangoCaptureOnCommitCallbacks, Settings

from deploys.models import Environment, Service
from incidents.actions import cardinality, digest
from incidents.actions.cardinality import OTHERS, Names
from incidents.actions.digest import digest_events
from incidents.actions.sessions import count_sessions
from incidents.actions.traffic import TrafficLine, record_sessions
from incidents.domain.sessions import Ending
from incidents.formats.sessions import SessionUpdate
from incidents.models import ErrorEvent, Issue, IssueCount, NamesUsed, TrafficCount
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


class Worker:
    """What one process remembers of names, asked one name at a time."""

    def __init__(self, committed: Callable[..., contextlib.AbstractContextManager[object]]) -> None:
        self._names = Names()
        self._committed = committed

    def keeps(self, service: Service, names: str, kind: str = "host") -> str:
        with self._committed(execute=True):
            return "".join(name for name in names if name in self._names.kept({(service, kind): {name}})[service, kind])


@pytest.fixture
def worker(django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks) -> Callable[[], Worker]:
    return lambda: Worker(django_capture_on_commit_callbacks)


def test_workers_share_the_bound(worker: Callable[[], Worker], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cardinality, "MOST_NAMES", 4)
    service, other = ServiceFactory.create(), ServiceFactory.create()
    one, two = worker(), worker()

    assert (one.keeps(service, "ab"), two.keeps(service, "cbd"), one.keeps(service, "aexcd")) == ("ab", "cbd", "acd")
    assert (two.keeps(service, "xa"), two.keeps(service, "x", "release"), two.keeps(other, "x")) == ("a", "x", "x")
    assert NamesUsed.objects.get(service=service, kind="host").names == ["a", "b", "c", "d"]


def test_names_are_asked_for_once_and_not_at_all_beyond_the_bound(
    worker: Callable[[], Worker],
    monkeypatch: pytest.MonkeyPatch,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    monkeypatch.setattr(cardinality, "MOST_NAMES", 2)
    service, one, two = ServiceFactory.create(), worker(), worker()
    one.keeps(service, "ab")

    with django_assert_num_queries(0):
        assert one.keeps(service, "abcdef") == "ab"
    with django_assert_num_queries(3):  # a savepoint around the one that reads
        assert two.keeps(service, "c") == ""
    with django_assert_num_queries(0):
        assert two.keeps(service, "cab") == "ab"


def test_no_name_is_always_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cardinality, "MOST_NAMES", 1)
    service = ServiceFactory.create()

    digest_events(service=service, events=[parsed_event(release="1.0")], received_at=NOON)
    digest_events(service=service, events=[parsed_event(release=""), parsed_event(release="2.0")], received_at=NOON)

    assert sorted(IssueCount.objects.values_list("release", flat=True)) == ["", OTHERS, "1.0"]


def test_names_of_a_transaction_that_failed_are_not_remembered() -> None:
    service, names = ServiceFactory.create(), Names()

    with contextlib.suppress(ValueError), transaction.atomic():
        names.kept({(service, "host"): {"a"}})
        raise ValueError

    assert (NamesUsed.objects.exists(), names._known) == (False, {})


def test_names_are_forgotten_with_the_hour_and_the_least_heard_first(
    worker: Callable[[], Worker], monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    monkeypatch.setattr(cardinality, "MOST_NAMES", 1)
    monkeypatch.setattr(cardinality, "MOST_KINDS", 2)
    moment = [0.0]
    monkeypatch.setattr(cardinality.time, "time", lambda: moment[0])
    names = worker()
    one, two, three = (ServiceFactory.create() for _ in range(3))

    assert names.keeps(one, "aba") == "aa"
    moment[0] = 3_600
    assert names.keeps(one, "ba") == "b"
    assert [names.keeps(each, "x") for each in (two, three)] == ["x", "x"]
    with django_assert_num_queries(3):
        assert names.keeps(one, "c") == ""  # the row still knows it


def test_a_failure_taken_back_leaves_the_count_of_all_releases_beyond_the_bound(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cardinality, "MOST_NAMES", 1)
    service = ServiceFactory.create()
    digest_events(service=service, events=[parsed_event(release="1.0")], received_at=NOON)

    for order, failed in ((3, True), (2, False)):
        update = SessionUpdate(
            sid="s", at=NOON, is_init=False, order=order, environment="production", release="2.0",
            ending=Ending(order, failed=failed),
        )  # fmt: skip
        for hour, lines in count_sessions(service=service, updates=[(update, NOON)]).items():
            record_sessions(service=service, lines=lines, received_at=hour)

    assert list(TrafficCount.objects.values_list("release", "count", "failed")) == [(OTHERS, 1, 0)]


def test_a_team_gets_no_more_environments_than_the_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(digest, "MOST_ENVIRONMENTS", 3)
    service = ServiceFactory.create()

    for numbers in ((0, 1), (2, 3), (4, 1)):
        events = [parsed_event(environment=f"Env-{number}") for number in numbers]
        digest_events(service=service, events=events, received_at=NOON)

    assert sorted(Environment.objects.values_list("name", flat=True)) == [OTHERS, "Env-0", "Env-1", "Env-2"]
    found = ErrorEvent.objects.order_by("environment__name").values_list("environment__name", flat=True)
    assert list(found) == [OTHERS, OTHERS, "Env-0", "Env-1", "Env-1", "Env-2"]
