from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reliability.domain.alerting import Standing, Step, step, urgency
from reliability.domain.burn_rate import RULES

FAST = RULES[0]  # its short span is five minutes
NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("firing", "minutes_since", "expected"),
    [
        (True, None, Step.OPEN),
        (False, None, Step.NOTHING),
        (None, None, Step.NOTHING),
        (True, 600, Step.STAY),
        (False, 4.99, Step.NOTHING),
        (False, 5, Step.CLOSE),
        (None, 600, Step.NOTHING),
    ],
)
def test_each_step(firing: bool | None, minutes_since: float | None, expected: Step) -> None:
    standing = None if minutes_since is None else Standing(NOON - timedelta(minutes=minutes_since))

    assert step(FAST, is_firing=firing, standing=standing, at=NOON) is expected


@given(st.lists(st.sampled_from([True, False, None]), max_size=60))
def test_a_rule_that_flickers_faster_than_its_short_span_is_one_alert(looks: list[bool | None]) -> None:
    standing, opened, quiet = None, 0, 0
    for minute, firing in enumerate([True, *looks]):
        at = NOON + timedelta(minutes=minute)
        what = step(FAST, is_firing=firing, standing=standing, at=at)
        quiet = 0 if firing else quiet + 1
        opened += what is Step.OPEN
        if what is Step.CLOSE:
            assert quiet >= 5
            standing = None
        elif firing:
            standing = Standing(at)

    assert opened <= 1 + len(looks) // 5


def test_rules_page_or_make_tickets() -> None:
    assert [urgency(rule.name) for rule in RULES] == ["page", "page", "ticket", "ticket"]
