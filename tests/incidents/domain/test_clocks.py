"""What clocks may be set to."""

from __future__ import annotations

import datetime as dt

import pytest

from incidents.domain.clocks import Clock, ClockRefused, checked_clocks

NOW = dt.datetime(2026, 3, 4, 12, tzinfo=dt.UTC)


def at(minutes: int) -> dt.datetime:
    return NOW + dt.timedelta(minutes=minutes)


CLOCKS = {
    Clock.STARTED: at(-60),
    Clock.DETECTED: at(-50),
    Clock.ACKNOWLEDGED: None,
    Clock.MITIGATED: at(-30),
    Clock.RESTORED: at(-20),
    Clock.CLOSED: None,
}


@pytest.mark.parametrize(
    ("clock", "instant"),
    [
        (Clock.STARTED, at(-70)),
        (Clock.STARTED, at(-50)),
        (Clock.STARTED, None),
        (Clock.DETECTED, at(-60)),
        (Clock.ACKNOWLEDGED, at(1)),
        (Clock.MITIGATED, at(-20)),
        (Clock.RESTORED, at(-30)),
        (Clock.RESTORED, None),
        (Clock.CLOSED, at(-20)),
    ],
)
def test_clocks_that_fit(clock: Clock, instant: dt.datetime | None) -> None:
    assert checked_clocks(CLOCKS, clock=clock, at=instant, now=NOW) == {**CLOCKS, clock: instant}


@pytest.mark.parametrize(
    ("clock", "instant", "message"),
    [
        (Clock.RESTORED, at(2), "This time has not come yet."),
        (Clock.STARTED, at(-40), "The impact cannot begin after it was detected."),
        (Clock.DETECTED, at(-61), "Detected cannot come before the impact began."),
        (Clock.MITIGATED, at(-10), "Mitigated cannot come after restored."),
        (Clock.RESTORED, at(-40), "Mitigated cannot come after restored."),
        (Clock.CLOSED, at(-21), "Closed cannot come before restored."),
    ],
)
def test_clocks_that_do_not_fit(clock: Clock, instant: dt.datetime, message: str) -> None:
    with pytest.raises(ClockRefused) as refused:
        checked_clocks(CLOCKS, clock=clock, at=instant, now=NOW)

    assert (str(refused.value), refused.value.clock) == (message, clock)


def test_closing_needs_an_end() -> None:
    with pytest.raises(ClockRefused, match="say first when"):
        checked_clocks({**CLOCKS, Clock.RESTORED: None}, clock=Clock.CLOSED, at=NOW, now=NOW)


def test_start_or_detection_must_stay() -> None:
    with pytest.raises(ClockRefused, match="needs a start"):
        checked_clocks({**CLOCKS, Clock.DETECTED: None}, clock=Clock.STARTED, at=None, now=NOW)


@pytest.mark.parametrize(
    ("clock", "words", "question"),
    [
        (Clock.STARTED, "impact began", "When did the impact begin?"),
        (Clock.MITIGATED, "mitigated", "When was it mitigated?"),
    ],
)
def test_clocks_are_asked_for_in_words(clock: Clock, words: str, question: str) -> None:
    assert (clock.words, clock.question) == (words, question)
