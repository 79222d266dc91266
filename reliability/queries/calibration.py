"""A team's verdicts with the answers they got."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from deploys.models import Team
from incidents.models import CauseSample
from incidents.queries.teaching import samples_of
from reliability.domain.calibration import Answered

MOST: Final = 2_000
NO_CHANGE: Final = ""


def answered_verdicts(team: Team) -> tuple[list[Answered], int]:
    """The newest answered verdicts of incidents that count, and how many of the answers are observed reversals. One query."""
    rows = samples_of(team).values_list("probability", "stated", "named", "refused", "origin")[:MOST]
    answers, reversals = [], 0
    for probability, stated, named, refused, origin in rows:
        reversals += origin == CauseSample.Origin.REVERSAL
        answers.append(answer_of(probability=probability, stated=stated, named=named, refused=refused))
    return answers, reversals


def answer_of(*, probability: float, stated: str, named: Sequence[str], refused: Sequence[str]) -> Answered:
    """What people's words say of the verdict."""
    is_right: bool | None = None
    if named:
        is_right = stated in named
    elif stated in refused:
        is_right = False
    had_guilty = None if not named else any(each != NO_CHANGE for each in named)
    return Answered(probability, stated != NO_CHANGE, is_right, had_guilty)
