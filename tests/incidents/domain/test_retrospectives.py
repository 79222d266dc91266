from __future__ import annotations

import datetime as dt

import pytest

from incidents.domain.clocks import Clock
from incidents.domain.retrospectives import (
    LONGEST_ANSWER,
    PROMPTS,
    AnswersRefused,
    Phase,
    checked_answers,
    open_prompts,
    phases,
)
from tests.conftest import NOON


def minutes(number: float) -> dt.timedelta:
    return dt.timedelta(minutes=number)


def at(**clocks: float) -> dict[Clock, dt.datetime | None]:
    return {Clock(f"{name}_at"): NOON + minutes(after) for name, after in clocks.items()}


def test_the_slowest_phase_is_named() -> None:
    assert phases(at(started=0, detected=4, acknowledged=30, mitigated=24, restored=30)) == [
        Phase("to detect", minutes(4)),
        Phase("to acknowledge", minutes(26)),
        Phase("to mitigate", minutes(20), is_slowest=True),
        Phase("to restore", minutes(6)),
    ]


def test_what_is_not_known_is_not_a_phase() -> None:
    assert phases(at(started=0)) == [
        Phase(name, None) for name in ("to detect", "to acknowledge", "to mitigate", "to restore")
    ]
    assert [phase.is_slowest for phase in phases(at(detected=4, restored=30))] == [False] * 4
    assert phases(at(started=5, detected=4, restored=30))[0].took is None
    assert phases(at(started=0, detected=4, restored=30))[3] == Phase("to restore", minutes(26), is_slowest=True)


def test_answers_are_kept_as_typed_by_known_prompts() -> None:
    assert checked_answers({"summary": " a\r\nb\x00 ", "nonsense": "x", "luck": " "}) == {"summary": "a\nb"}
    assert [prompt.key for prompt in open_prompts({"summary": "a"})] == [prompt.key for prompt in PROMPTS[1:]]
    with pytest.raises(AnswersRefused) as refused:
        checked_answers({"luck": "x" * (LONGEST_ANSWER + 1)})
    assert refused.value.key == "luck"
