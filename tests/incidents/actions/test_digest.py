"""Error reports become events, issues and counts: once, whatever comes twice."""

from __future__ import annotations

import pytest

from incidents.actions.digest import Digested, digest_events, payload_of
from incidents.models import ErrorEvent, Issue, IssueCount, IssueUser
from tests.conftest import NOON
from tests.factories.catalog import ServiceFactory
from tests.factories.errors import minutes, parsed_event

pytestmark = [pytest.mark.django_db, pytest.mark.database]


def test_events_of_one_fault_are_one_issue_with_its_counts() -> None:
    service = ServiceFactory.create()
    events = [
        parsed_event(user="u1", release="1.0", host="web-1", timestamp=NOON - minutes(7)),
        parsed_event(user="u1", release="1.0", host="web-1", timestamp=NOON - minutes(6)),
        parsed_event(user="u2", release="1.1", host="web-1", timestamp=NOON - minutes(1)),
        parsed_event(type="OSError", message="disk full", frames=()),
    ]

    result = digest_events(service=service, events=events, received_at=NOON)

    issue, other = Issue.objects.order_by("pk")
    assert result == Digested(issue_ids=(issue.pk, other.pk), stored_count=4, duplicate_count=0)
    assert (issue.title, issue.type, issue.culprit, issue.level) == (
        "KeyError: 'sku'",
        "KeyError",
        "shop/pay.py in pay",
        "error",
    )
    assert (issue.events_count, issue.users_count, issue.dirty_at) == (3, 2, NOON)
    assert (issue.first_seen_at, issue.last_seen_at, issue.first_release) == (
        NOON - minutes(7),
        NOON - minutes(1),
        "1.0",
    )
    assert (other.title, other.events_count, other.users_count) == ("OSError: disk full", 1, 0)
    counts = IssueCount.objects.filter(issue=issue).order_by("bucket_at")
    assert list(counts.values_list("bucket_at", "environment__name", "release", "host", "count")) == [
        (NOON - minutes(10), "production", "1.0", "web-1", 2),
        (NOON - minutes(5), "production", "1.1", "web-1", 1),
    ]


def test_a_second_delivery_changes_nothing_but_tells_so() -> None:
    service = ServiceFactory.create()
    events = [parsed_event(user="u1"), parsed_event(user="u2")]
    digest_events(service=service, events=events, received_at=NOON)
    before = list(Issue.objects.values())

    result = digest_events(service=service, events=[*events, *events], received_at=NOON + minutes(9))

    assert result == Digested(issue_ids=(), stored_count=0, duplicate_count=4)
    assert list(Issue.objects.values()) == before
    assert ErrorEvent.objects.count() == 2
    assert IssueUser.objects.count() == 2


def test_one_batch_may_hold_an_event_twice() -> None:
    event = parsed_event()

    result = digest_events(service=ServiceFactory.create(), events=[event, event], received_at=NOON)

    assert (result.stored_count, result.duplicate_count, Issue.objects.get().events_count) == (1, 1, 1)


def test_the_same_event_id_in_another_service_is_another_event() -> None:
    event = parsed_event()

    for service in (ServiceFactory.create(), ServiceFactory.create()):
        digest_events(service=service, events=[event], received_at=NOON)

    assert ErrorEvent.objects.count() == 2


def test_totals_add_up_over_batches_of_any_size() -> None:
    service = ServiceFactory.create()
    events = [parsed_event(user=f"u{n % 3}", timestamp=NOON + minutes(n)) for n in range(12)]

    for start, end in ((5, 12), (0, 1), (1, 5)):
        digest_events(service=service, events=events[start:end], received_at=NOON + minutes(60))

    issue = Issue.objects.get()
    assert (issue.events_count, issue.users_count) == (12, 3)
    assert (issue.first_seen_at, issue.last_seen_at) == (NOON, NOON + minutes(11))
    assert sum(IssueCount.objects.values_list("count", flat=True)) == 12


def test_no_event_happened_after_it_was_received() -> None:
    digest_events(
        service=ServiceFactory.create(), events=[parsed_event(timestamp=NOON + minutes(30))], received_at=NOON
    )

    assert ErrorEvent.objects.get().timestamp == NOON


def test_evidence_wakes_no_detection() -> None:
    digest_events(service=ServiceFactory.create(), events=[parsed_event()], received_at=NOON, is_evidence_only=True)

    assert Issue.objects.get().dirty_at is None


def test_instants_of_receipt_may_differ() -> None:
    events = [parsed_event(), parsed_event()]
    received = [NOON + minutes(1), NOON + minutes(2)]

    digest_events(service=ServiceFactory.create(), events=events, received_at=received)

    assert list(ErrorEvent.objects.order_by("pk").values_list("received_at", flat=True)) == received


def test_users_are_kept_as_hashes_of_their_team() -> None:
    one, other = ServiceFactory.create(), ServiceFactory.create()
    for service in (one, other):
        digest_events(service=service, events=[parsed_event(user="u1", session="t1")], received_at=NOON)

    keys = [(event.user_key, event.trace_key) for event in ErrorEvent.objects.all()]
    assert len(set(keys)) == 2
    assert "u1" not in str(keys)


def test_what_is_stored_is_scrubbed_and_can_be_read_back() -> None:
    event = parsed_event(message="no mail to ann@example.com", tags={"by": "bob@example.com"})

    digest_events(service=ServiceFactory.create(), events=[event], received_at=NOON)

    stored = ErrorEvent.objects.get()
    assert (stored.message, stored.tags) == ("no mail to [filtered]", {"by": "[filtered]"})
    assert payload_of(stored) == {
        "exception": {
            "values": [
                {
                    "type": "KeyError",
                    "value": "no mail to [filtered]",
                    "stacktrace": {
                        "frames": [{"filename": "shop/pay.py", "function": "pay", "lineno": 7, "in_app": True}]
                    },
                }
            ]
        }
    }
    assert "ann@" not in str(Issue.objects.values())


def test_a_resolved_issue_opens_again_when_it_happens_again() -> None:
    service = ServiceFactory.create()
    digest_events(service=service, events=[parsed_event()], received_at=NOON)
    Issue.objects.update(status=Issue.Status.RESOLVED, resolved_at=NOON + minutes(5))

    digest_events(service=service, events=[parsed_event(timestamp=NOON + minutes(4))], received_at=NOON + minutes(9))
    assert Issue.objects.get().status == Issue.Status.RESOLVED

    digest_events(service=service, events=[parsed_event(timestamp=NOON + minutes(8))], received_at=NOON + minutes(9))
    issue = Issue.objects.get()
    assert (issue.status, issue.regressed_at) == (Issue.Status.OPEN, NOON + minutes(8))


def test_an_issue_resolved_in_a_release_stays_resolved_while_old_releases_report_it() -> None:
    service = ServiceFactory.create()
    digest_events(service=service, events=[parsed_event(release="1.0")], received_at=NOON)
    Issue.objects.update(status=Issue.Status.RESOLVED, resolved_at=NOON + minutes(6), resolved_in_release="1.1")
    later = {"timestamp": NOON + minutes(9)}

    digest_events(service=service, events=[parsed_event(release="1.0", **later)], received_at=NOON + minutes(9))
    assert Issue.objects.get().status == Issue.Status.RESOLVED

    digest_events(service=service, events=[parsed_event(release="1.1", **later)], received_at=NOON + minutes(9))
    assert Issue.objects.get().status == Issue.Status.OPEN


def test_an_ignored_issue_counts_and_stays_ignored() -> None:
    service = ServiceFactory.create()
    digest_events(service=service, events=[parsed_event()], received_at=NOON)
    Issue.objects.update(status=Issue.Status.IGNORED)

    digest_events(service=service, events=[parsed_event()], received_at=NOON)

    issue = Issue.objects.get()
    assert (issue.status, issue.events_count) == (Issue.Status.IGNORED, 2)


def test_the_service_knows_its_first_and_last_event() -> None:
    service = ServiceFactory.create()

    for moment in (NOON, NOON + minutes(5), NOON + minutes(2)):
        digest_events(service=service, events=[parsed_event()], received_at=moment)

    service.refresh_from_db()
    assert (service.first_event_at, service.last_event_at) == (NOON, NOON + minutes(5))


@pytest.mark.parametrize("count", [1, 300])
def test_queries_do_not_grow_with_the_batch(count: int, django_assert_max_num_queries: object) -> None:
    service = ServiceFactory.create()
    digest_events(service=service, events=[parsed_event(user="u")], received_at=NOON)
    events = [parsed_event(user=f"u{n}", host=f"h{n % 50}") for n in range(count)]

    # SQLite splits long inserts, hence the four more; six are for new hosts and are gone once they are known
    with django_assert_max_num_queries(19 + 5 * (count > 1)):  # type: ignore[operator]  # a fixture of pytest-django
        digest_events(service=service, events=events, received_at=NOON)
