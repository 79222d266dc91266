from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploys.domain.records import Fact, fold, fold_all, identity_of, in_arrival_order, known_by, without_repeats

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def fact(minute: int | None, delivery_id: str | None = None, **payload: object) -> Fact:
    at = None if minute is None else NOON + timedelta(minutes=minute)
    return Fact("incident", "i1", payload, at, delivery_id)


def test_later_lines_override_key_by_key_and_null_withdraws() -> None:
    lines = [{"id": "i1", "class": "downtime"}, {"class": "multi_user", "restored_at": "x"}, {"restored_at": None}]

    assert fold("incident", lines) == {"id": "i1", "class": "multi_user", "restored_at": None}


def test_lists_are_replaced_whole() -> None:
    assert fold("incident", [{"services": ["a", "b"]}, {"services": ["c"]}]) == {"services": ["c"]}


def test_deploys_of_a_commit_add_up_in_order_of_mention() -> None:
    lines = [{"deploys": ["d1"]}, {"deploys": ["d2", "d1"]}, {"title": "t"}]

    assert fold("change", lines) == {"deploys": ["d1", "d2"], "title": "t"}
    assert fold("change", [{"deploys": ["d1"]}, {"deploys": None}, {"deploys": ["d3"]}]) == {"deploys": ["d3"]}


@pytest.mark.parametrize("status", ["success", "failure"])
def test_a_late_start_message_does_not_undo_the_end(status: str) -> None:
    lines = [{"status": status, "finished_at": "f"}, {"status": "in_progress", "finished_at": None, "release": "2"}]

    assert fold("deploy", lines) == {"status": status, "finished_at": "f", "release": "2"}


def test_a_final_status_may_be_corrected_and_withdrawn() -> None:
    assert fold("deploy", [{"status": "success"}, {"status": "failure"}]) == {"status": "failure"}
    assert fold("deploy", [{"status": "success"}, {"status": None}]) == {"status": None}


def test_the_largest_canary_share_is_kept_of_messages_in_progress_only() -> None:
    lines = [{"percent": 10}, {"status": "in_progress", "percent": 5}, {"status": "failure", "percent": 0}]

    assert fold("deploy", lines) == {"status": "failure", "percent": 0, "canary_percent": 10}
    assert fold("deploy", [{"status": "success", "percent": 100}]) == {"status": "success", "percent": 100}


def test_undated_facts_come_first_and_ties_keep_their_order() -> None:
    first, second, third, fourth = fact(5, a=1), fact(None, a=2), fact(5, a=3), fact(1, a=4)

    assert in_arrival_order([first, second, third, fourth]) == [second, fourth, first, third]


def test_a_fact_is_known_at_the_instant_it_was_received() -> None:
    early, late, undated = fact(0), fact(1), fact(None)

    assert list(known_by([early, late, undated], NOON)) == [early, undated]


def test_a_repeated_delivery_is_ignored_per_kind_and_source() -> None:
    first, again = fact(0, "x", a=1), fact(1, "x", a=2)
    elsewhere = Fact("incident", "i1", {"a": 3}, None, "x", "other")

    assert list(without_repeats([first, again, elsewhere])) == [first, elsewhere]


def test_records_of_an_unknown_kind_are_none() -> None:
    records = fold_all([fact(0, a=1), fact(1, b=2)])

    assert records.of("incident") == {"i1": {"a": 1, "b": 2}}
    assert records.of("deploy") == {}


def test_identities() -> None:
    assert identity_of("history", {}) == "history"
    assert identity_of("deploy", {"id": "d1"}) == "d1"
    assert identity_of("change", {"sha": "c"}) == "c"
    assert identity_of("flag", {"key": "k", "environment": "eu"}) == "eu/k"
    assert identity_of("flag", {"key": "k"}) == "production/k"
    assert identity_of("flag", {}) is None
    assert identity_of("incident", {}) is None


LINES = st.lists(
    st.dictionaries(st.sampled_from("abc"), st.none() | st.integers(0, 3), max_size=3), min_size=1, max_size=6
)


@given(LINES, st.randoms(use_true_random=False))
def test_the_order_of_the_file_does_not_matter_when_arrival_is_known(
    lines: list[dict[str, int | None]], shuffle: Random
) -> None:
    facts = [fact(index, **line) for index, line in enumerate(lines)]
    shuffled = list(facts)
    shuffle.shuffle(shuffled)

    assert fold_all(shuffled) == fold_all(facts)


@given(LINES)
def test_every_key_has_its_last_word(lines: list[dict[str, int | None]]) -> None:
    expected: dict[str, int | None] = {}
    for line in lines:
        expected.update(line)

    assert fold("incident", lines) == expected
