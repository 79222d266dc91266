"""When it began: the delay between a change and the first failing event."""

from __future__ import annotations

from incidents.domain.case import Case, Term, span_words
from incidents.domain.evidence import HOUR, MINUTE, Change

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
    if change.is_deploy and change.start - MINUTE <= case.onset <= rollout_end(change) + MINUTE:
        found.append(Term("in_rollout", 1.0, "the first failure fell into its roll-out"))
    return found


def lateness(case: Case, change: Change) -> list[Term]:
    """Reasons why a fault may show itself long after the change: a job, one user's data, a slow leak, rising load."""
    gap = case.onset - change.start
    found: list[Term] = []
    if gap >= 45 * MINUTE and case.is_scheduled:
        found.append(Term("late_job", 1.0, "the errors come from a job that runs on a schedule, so they may come late"))
    if gap >= 20 * MINUTE and case.users == 1 and case.events >= 4:
        found.append(Term("late_one_user", 1.0, "a single user hits it, so it may have shown late"))
    if gap >= HOUR and case.speaks_of("memory") >= 0.5:
        found.append(Term("late_memory", 1.0, "memory runs out slowly, so it may have shown late"))
    if 10 * MINUTE <= gap < 3 * HOUR and case.speaks_of("exhaustion") >= 0.5 and (case.spike or 1.0) < 1.8:
        found.append(Term("late_exhaustion", 1.0, "capacity ran out without more traffic than usual"))
    if gap >= 90 * MINUTE and case.main is not None and case.main.spacing > 5 * MINUTE:
        found.append(Term("late_rare", 1.0, "the errors are rare, so they may have shown late"))
    return found
