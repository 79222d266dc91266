"""What a retrospective asks, and what of it the clocks already know."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from incidents.domain.clocks import Clock

LONGEST_ANSWER = 20_000


@dataclass(frozen=True, slots=True)
class Prompt:
    """One question. It asks for conditions, never for culprits."""

    key: str
    question: str
    hint: str


PROMPTS = (
    Prompt("summary", "What happened, in three sentences?", "For somebody who was not there and has one minute."),
    Prompt("impact", "What did users notice?", "What they could not do, what they did instead, what they were told."),
    Prompt(
        "conditions",
        "What made this possible?",
        "Conditions, not people: tools, defaults, missing checks, load, habits. Why did each step make sense at the time?",
    ),
    Prompt("detection", "How was it noticed, and what would have shown it earlier?", ""),
    Prompt("response", "What helped us, and what slowed us down?", ""),
    Prompt("luck", "Where were we lucky?", "What would have made it worse, and did not happen."),
    Prompt(
        "learned", "What do we know now that we did not know before?", "What follows from it becomes an action item."
    ),
)
PROMPT_KEYS = tuple(prompt.key for prompt in PROMPTS)


@dataclass(frozen=True, slots=True)
class Phase:
    """One stretch of the incident, None where a clock is missing or runs backwards. `is_slowest` of those that add up."""

    name: str
    took: timedelta | None
    is_slowest: bool = False


def phases(clocks: Mapping[Clock, datetime | None]) -> list[Phase]:
    """To detect, to acknowledge, to mitigate, to restore, after METRICS section 9.

    Acknowledgement lies inside mitigation, so it is never the slowest. Not mitigated apart: restoration from detection.
    """
    detected, mitigated = clocks.get(Clock.DETECTED), clocks.get(Clock.MITIGATED)
    found = [
        ("to detect", _between(clocks.get(Clock.STARTED), detected)),
        ("to acknowledge", _between(detected, clocks.get(Clock.ACKNOWLEDGED))),
        ("to mitigate", _between(detected, mitigated)),
        ("to restore", _between(mitigated or detected, clocks.get(Clock.RESTORED))),
    ]
    known = [(took, name) for name, took in found if took is not None and name != "to acknowledge"]
    slowest = max(known, key=lambda each: each[0], default=(None, ""))[1] if len(known) > 1 else ""
    return [Phase(name, took, is_slowest=name == slowest) for name, took in found]


def _between(begin: datetime | None, end: datetime | None) -> timedelta | None:
    return end - begin if begin is not None and end is not None and end >= begin else None


class AnswersRefused(ValueError):
    """Answers that cannot be kept; `key` is the prompt, the message says why."""

    def __init__(self, key: str, message: str) -> None:
        super().__init__(message)
        self.key = key


def checked_answers(answers: Mapping[str, str]) -> dict[str, str]:
    """The answers to known prompts as they are kept. Raises AnswersRefused for one that is too long."""
    kept: dict[str, str] = {}
    for key in PROMPT_KEYS:
        text = answers.get(key, "").replace("\x00", "").replace("\r\n", "\n").strip()
        if len(text) > LONGEST_ANSWER:
            raise AnswersRefused(
                key, f"An answer has at most {LONGEST_ANSWER:,} characters; this one has {len(text):,}."
            )
        if text:
            kept[key] = text
    return kept


def open_prompts(answers: Mapping[str, str]) -> Sequence[Prompt]:
    """The prompts nobody has answered."""
    return [prompt for prompt in PROMPTS if not answers.get(prompt.key)]
