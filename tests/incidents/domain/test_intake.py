"""What became of what was sent, in sums and words."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploys.domain.instants import floor_hour
from incidents.domain.intake import (
    HOUR,
    Counted,
    Fate,
    Hour,
    Intake,
    Lost,
    Reason,
    fate_of,
    hours_of,
    intake,
    reason_of,
)
from incidents.domain.intake_reasons import (
    _LOST,
    _REFUSED,
    EXPIRED,
    SKIPPED,
    advice_on_loss,
    advice_on_refusal,
    humanised,
)

AT = dt.datetime(2026, 3, 4, 11, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("item", "outcome", "fate", "reason"),
    [
        ("event", "stored", Fate.ACCEPTED, "not told"),
        ("session", "counted", Fate.ACCEPTED, "not told"),
        ("event", "duplicate", Fate.DUPLICATE, "not told"),
        ("attachment", "skipped", Fate.SKIPPED, "attachment"),
        ("body", "dead", Fate.DEAD, "not told"),
        ("wrong_key", "refused", Fate.REFUSED, "wrong_key"),
        ("body", "refused", Fate.REFUSED, "not told"),
        ("body", "refused:wrong_key", Fate.REFUSED, "wrong_key"),
        ("body", "refused_wrong_key", Fate.REFUSED, "wrong_key"),
        ("body", "refused too large", Fate.REFUSED, "too large"),
        ("event", "sampled_out", Fate.OTHER, "not told"),
    ],
)
def test_outcomes_come_to_a_fate_and_refusals_to_a_reason(item: str, outcome: str, fate: Fate, reason: str) -> None:
    assert fate_of(outcome) is fate
    if fate is Fate.REFUSED:
        assert reason_of(item, outcome) == reason


def test_a_window_is_summed_by_fate_and_nothing_unknown_is_left_out() -> None:
    counted = [
        Counted(AT, "body", "accepted", 50),
        Counted(AT, "event", "stored", 5),
        Counted(AT + HOUR, "event", "stored", 2),
        Counted(AT, "event", "duplicate", 1),
        Counted(AT, "session", "counted", 40),
        Counted(AT, "request", "counted", 9),
        Counted(AT, "wrong_key", "refused", 3),
        Counted(AT, "body", "refused:odd_thing", 4),
        Counted(AT, "body", "dead", 2),
        Counted(AT, "body", "dead_expired", 1),
        Counted(AT, "body", "expired", 3),
        Counted(AT, "profile", "skipped", 6),
        Counted(AT, "event", "sampled_out", 8),
    ]
    lost = [
        Lost(AT, "queue_overflow", "error", 7),
        Lost(AT, "queue_overflow", "session", 1),
        Lost(AT, "x", "default", 2),
    ]

    assert intake(counted, lost) == Intake(
        taken_count=50,
        events_count=7,
        duplicates_count=1,
        sessions_count=40,
        refused_count=7,
        dead_count=2,
        expired_count=4,
        skipped_count=6,
        lost_count=9,
        refused=[Reason("odd thing", 4, _REFUSED), Reason("wrong key", 3, advice_on_refusal("wrong_key"))],
        expired=[
            Reason(EXPIRED["expired"].name, 3, EXPIRED["expired"].advice),
            Reason(EXPIRED["dead_expired"].name, 1, EXPIRED["dead_expired"].advice),
        ],
        skipped=[
            Reason(
                "profile", 6, "Profiles are not kept. SDKs are asked to stop sending them; switch profiling off to save the traffic."
            )
        ],
        lost=[
            Reason("queue overflow", 7, advice_on_loss("queue_overflow"), "error"),
            Reason("x", 2, _LOST, "default"),
            Reason("queue overflow", 1, advice_on_loss("queue_overflow"), "session"),
        ],
        others=[Reason("request", 9, "", "counted"), Reason("event", 8, "", "sampled out")],
    )  # fmt: skip


def test_a_window_without_counts_is_empty() -> None:
    assert intake([], []).is_empty
    assert not intake([Counted(AT, "event", "stored", 1)], []).is_empty
    assert intake([], []) == Intake(refused=[], expired=[], skipped=[], lost=[], others=[])


def test_hours_hold_errors_alone_and_only_those_of_the_window() -> None:
    counted = [
        Counted(AT, "event", "stored", 5),
        Counted(AT, "session", "counted", 40),
        Counted(AT + HOUR, "body", "refused:busy", 3),
        Counted(AT + HOUR, "body", "dead", 1),
        Counted(AT + 2 * HOUR, "event", "stored", 9),
    ]
    lost = [Lost(AT, "x", "error", 2), Lost(AT, "x", "session", 9), Lost(AT - HOUR, "x", "error", 9)]

    assert hours_of(counted, lost, begins_at=AT, ends_at=AT + 2 * HOUR) == [
        Hour(AT, accepted=5, refused=0, lost=2, dead=0),
        Hour(AT + HOUR, accepted=0, refused=3, lost=0, dead=1),
    ]


def test_hours_begin_on_the_hour() -> None:
    assert floor_hour(AT + dt.timedelta(minutes=59, seconds=59, microseconds=1)) == AT


@pytest.mark.parametrize(("name", "words"), [("wrong_key", "wrong key"), ("a.b-c:d", "a b c d"), ("", "not told")])
def test_names_of_machines_become_words(name: str, words: str) -> None:
    assert humanised(name) == words


@given(st.text(max_size=40), st.text(max_size=40))
def test_every_reason_has_a_sentence(refusal: str, loss: str) -> None:
    assert advice_on_refusal(refusal).endswith(".")
    assert advice_on_loss(loss).endswith(".")
    assert SKIPPED.endswith(".")


@given(st.lists(st.tuples(st.text(max_size=10), st.text(max_size=20), st.integers(1, 1000)), max_size=8))
def test_no_count_is_lost_on_the_way(rows: list[tuple[str, str, int]]) -> None:
    sums = intake([Counted(AT, *row) for row in rows], [])

    others = sum(each.quantity for each in sums.others)
    told = (
        sums.taken_count + sums.events_count + sums.duplicates_count + sums.sessions_count + sums.refused_count + sums.dead_count + sums.skipped_count
    )  # fmt: skip
    assert told + others == sum(quantity for _, _, quantity in rows)
