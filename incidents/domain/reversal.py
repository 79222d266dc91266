"""Proof by reversal: the errors stopped as the change that is blamed was undone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from incidents.domain.case import Case
from incidents.domain.evidence import MINUTE, Change
from incidents.domain.terms_time import rollout_end

REVERSALS = frozenset({"rolled_back", "failed_reverted", "flag_undone"})
"""Terms that say so (`incidents.domain.terms_ending`). Each is absent where the errors went on."""
BUCKET = 5 * MINUTE
WINDOW = 30 * MINUTE
GRACE = 3 * MINUTE
"""Requests that were under way, and events on their way, still come for so long."""


@dataclass(frozen=True, slots=True)
class Reversal:
    """What undid a change: ``how`` in words, ``by`` the id of the change that did (its own where it was withdrawn).

    It took effect in [start, finish].
    """

    how: str
    by: str
    start: float
    finish: float


@dataclass(frozen=True, slots=True)
class Window:
    """Counted whole buckets [start, end), and the seconds of them in which it could happen."""

    start: float
    end: float
    seconds: float


def reversal_of(case: Case, change: Change, terms: Mapping[str, float]) -> Reversal | None:
    """What undid the change as the errors stopped; None where its terms do not say so."""
    if not REVERSALS & terms.keys():
        return None
    if "failed_reverted" in terms and change.finish is not None:
        return Reversal("withdrawn", change.id, change.finish, change.finish)
    later = [c for c in case.around.changes if c.start > max(change.start, case.onset) and c.id != change.id]
    for other in later:
        if change.is_deploy and other.is_deploy and other.service == change.service:
            if change.before and other.release == change.before and other.status != "failure" and not other.is_noop:
                return Reversal("rolled back", other.id, other.start, rollout_end(other))
        elif not change.is_deploy and other.key == change.key and other.new is not None and change.old is not None:
            is_up = (change.new or 0.0) >= change.old
            if (other.new <= change.old) if is_up else (other.new >= change.old):
                return Reversal("turned off" if other.new == 0 else "set back", other.id, other.start, other.start)
    return None


def window_before(onset: float, reversal: Reversal) -> Window:
    """From the first failure, at most half an hour back, to the reversal; at least the bucket that holds it."""
    begin = max(onset, reversal.start - WINDOW)
    first, last = _floor(begin), max(_floor(reversal.start), _floor(begin) + BUCKET)
    return Window(first, last, max(MINUTE, last - begin))


def window_after(reversal: Reversal, now: float) -> Window | None:
    """Half an hour from when the reversal held, or what has passed of it in whole buckets; None before one has."""
    begin = -_floor(-(reversal.finish + GRACE))
    end = min(_floor(now), begin + WINDOW)
    return Window(begin, end, end - begin) if end > begin else None


def _floor(at: float) -> float:
    return at // BUCKET * BUCKET


def reversal_words(told: Mapping[str, object]) -> str:
    """The proof as a sentence, from what is kept with a verdict: errors and seconds before and after."""
    before = _rate(told.get("before_errors"), told.get("before_seconds"))
    after = _rate(told.get("after_errors"), told.get("after_seconds"))
    said = f"It was {told.get('how', 'undone')} as the errors stopped"
    if before is None:
        return f"{said}."
    if after is None:
        return f"{said}: {_a_minute(before)} before; what came after is still being counted."
    minutes = round(float(str(told["after_seconds"])) / MINUTE)
    since = "none" if after == 0 else _a_minute(after)
    return f"{said}: {_a_minute(before)} before, {since} in the {minutes} min after."


def _rate(errors: object, seconds: object) -> float | None:
    if not isinstance(errors, int | float) or not isinstance(seconds, int | float) or seconds <= 0:
        return None
    return errors / seconds * MINUTE


def _a_minute(rate: float) -> str:
    """Two figures: 211, 4.2, 0.13 errors a minute."""
    said = f"{rate:,.0f}" if rate >= 10 else f"{rate:.1f}" if rate >= 1 else f"{rate:.2g}"
    return f"{said} errors a minute"
