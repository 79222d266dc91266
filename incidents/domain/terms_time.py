"""When it began: the delay between a change and the first failing event."""

from __future__ import annotations

import math

from incidents.domain.case import Case, Term, span_words
from incidents.domain.evidence import HOUR, MINUTE, Change
from incidents.domain.frames import same_file

DELAYS: tuple[tuple[str, float, float], ...] = (
    ("delay_before", -2 * MINUTE, 0.0),
    ("delay_0_2", 0.0, 2 * MINUTE),
    ("delay_2_4", 2 * MINUTE, 4 * MINUTE),
    ("delay_4_12", 4 * MINUTE, 12 * MINUTE),
    ("delay_12_30", 12 * MINUTE, 30 * MINUTE),
    ("delay_30_90", 30 * MINUTE, 90 * MINUTE),
    ("delay_90_300", 90 * MINUTE, 5 * HOUR),
    ("delay_5h_14h", 5 * HOUR, 14 * HOUR),
    ("delay_14h_72h", 14 * HOUR, 72 * HOUR + MINUTE),
)
DAILY = 26 * HOUR
"""A job that runs at least once a day has met a change by then."""
ROLLOUT_DEFAULT = 15 * MINUTE
"""How long a deploy is taken to run whose end was not reported."""


def rollout_end(change: Change) -> float:
    """When the roll-out was over, as far as known."""
    return change.finish if change.finish is not None else change.start + ROLLOUT_DEFAULT


def delay(case: Case, change: Change) -> list[Term]:
    """One bin of the delay; and whether the first failure fell into the roll-out."""
    gap = case.onset - change.start
    name = next((name for name, low, high in DELAYS if low <= gap < high), DELAYS[-1][0])
    verb = "started" if change.is_deploy else "took effect"
    when = f"{span_words(gap)} before" if gap >= 0 else f"{span_words(gap)} after"
    kind = "deploy" if change.is_deploy else "flag"
    found = [Term(f"{kind}_{name}", 1.0, f"{verb} {when} the first failure")]
    if gap <= 12 * MINUTE and change.is_deploy and change.service in case.around.dependencies(case.primary):
        found.append(Term("dependency_soon", 1.0, f"{case.primary}, which calls it, failed right after"))
    before = sum(1 for s in case.sightings if s.at < change.start - MINUTE / 2)
    if gap < 0 and before >= 2:
        found.append(Term("already_failing", math.log1p(before), f"{before} errors came before it began"))
    if change.is_deploy and change.start - MINUTE <= case.onset <= rollout_end(change) + MINUTE:
        found.append(Term("in_rollout", 1.0, "the first failure fell into its roll-out"))
    return found


def lateness(case: Case, change: Change) -> list[Term]:
    """Reasons why a fault may show itself long after the change: a job, one user's data, a slow leak, rising load."""
    gap = case.onset - change.start
    found: list[Term] = []
    if 45 * MINUTE <= gap <= DAILY and case.is_scheduled:
        found.append(Term("late_job", 1.0, "the errors come from a job that runs on a schedule, so they may come late"))
    touched = bool(change.files) and any(
        same_file(p, f) for p in case.paths(change.service)[:1] for f in change.files or ()
    )
    if gap >= 20 * MINUTE and case.users == 1 and case.events >= 4 and (touched or gap < 3 * HOUR):
        found.append(Term("late_one_user", 1.0, "a single user hits it, so it may have shown late"))
    if gap >= HOUR and case.speaks_of("memory") >= 0.5:
        found.append(Term("late_memory", 1.0, "memory runs out slowly, so it may have shown late"))
    if 10 * MINUTE <= gap < 3 * HOUR and case.speaks_of("exhaustion") >= 0.5 and (case.spike or 1.0) < 1.8:
        found.append(Term("late_exhaustion", 1.0, "capacity ran out without more traffic than usual"))
    if gap >= 90 * MINUTE and case.main is not None and case.main.spacing > 5 * MINUTE:
        found.append(Term("late_rare", 1.0, "the errors are rare, so they may have shown late"))
    return found


def silence(case: Case, change: Change) -> list[Term]:
    """How long all was well after the change was everywhere, in units of the errors' own pace.

    A fault that hits user after user at this pace would have shown before. Says nothing where a few users, a job, a
    leak or a resource that fills up may explain the wait.
    """
    calm = case.onset - (rollout_end(change) if change.is_deploy else change.start)
    if case.main is None:
        if calm <= MINUTE:
            return []
        return [Term("calm_checks", math.log(calm / MINUTE), f"for {span_words(calm)} after it every check was good")]
    if not case.breadth or case.is_scheduled or case.speaks_of("memory", "exhaustion", "disk") >= 0.5:
        return []
    pace = max(MINUTE / 2, case.main.spacing)
    if calm <= pace:
        return []
    said = f"errors come every {span_words(pace)}, but for {span_words(calm)} there was none"
    return [Term("silence", case.breadth * math.log(calm / pace), said)]
