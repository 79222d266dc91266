"""How it ended, or that it did not: reversals and repairs tell more than beginnings."""

from __future__ import annotations

import math

from incidents.domain.case import Case, Term, span_words
from incidents.domain.evidence import MINUTE, Change
from incidents.domain.frames import same_file
from incidents.domain.terms_time import rollout_end

GRACE = 3 * MINUTE


def _slack(case: Case) -> float:
    """How exactly the end is known: the last event comes about one mean gap before the fault ends."""
    return GRACE + 2.5 * case.rate_before_end


def _ends_in(case: Case, start: float, finish: float) -> bool:
    """Did the last failing event fall around [start, finish]?"""
    return case.ended_at is not None and start - _slack(case) <= case.ended_at <= finish + GRACE


def ending(case: Case, change: Change) -> list[Term]:
    """Evidence from what was done afterwards about one candidate."""
    return _deploy_ending(case, change) if change.is_deploy else _flag_ending(case, change)


def _events_after(case: Case, at: float) -> int:
    return sum(1 for s in case.sightings if s.at > at)


def _deploy_ending(case: Case, change: Change) -> list[Term]:
    found: list[Term] = []
    deploys, after = case.around.by_service.get(change.service, ()), max(change.start, case.onset)
    later = [c for c in deploys if after < c.start <= case.around.now and c.id != change.id]
    back = None
    if later and not change.is_noop:
        behind = {c.release for c in deploys if c.start < change.start} | {change.before}
        behind -= {change.release, ""}
        back = next((c for c in later if c.release in behind), None)
    if change.status == "failure" and change.finish is not None and change.finish > case.onset:
        found += _withdrawn(case, change.finish, "failed_reverted", "it was withdrawn")
    if back is not None and back.status != "failure":
        found += _withdrawn(case, rollout_end(back), "rolled_back", "it was rolled back", begin=back.start)
    if case.ended_at is None:
        return found
    for fix in later:
        if fix is not back and fix.status != "failure" and _ends_in(case, fix.start, rollout_end(fix)):
            found.append(Term("ended_by_deploy", 1.0, f"the errors stopped with the next deploys of {change.service}"))
            if change.files and fix.files and any(same_file(a, b) for a in change.files for b in fix.files):
                found.append(Term("fix_same_files", 1.0, "the deploy that ended it changed the same files"))
            elif change.files and fix.files:
                found.append(Term("fix_other_files", 1.0, "the deploy that ended it changed other files"))
            break
    if change.start - MINUTE <= case.onset < rollout_end(change) and _ends_in(
        case, rollout_end(change), rollout_end(change)
    ):
        found.append(Term("ended_with_rollout", 1.0, "the errors stopped when its roll-out was complete"))
    return found


def _withdrawn(case: Case, at: float, name: str, said: str, begin: float | None = None) -> list[Term]:
    """After a reversal: did the errors stop, or go on regardless?"""
    after = _events_after(case, at + GRACE)
    if after >= 2:
        return [
            Term(f"{name}_in_vain", 1.0 + min(1.0, math.log10(after / 2)), f"{said}, and {after} errors came after")
        ]
    if case.ended_at is not None and _ends_in(case, begin if begin is not None else at, at):
        return [Term(name, 1.0, f"{said} as the errors stopped")]
    return []


def lasting(case: Case, change: Change) -> list[Term]:
    """It ended although nothing was done about the change: what is broken in code stays broken until somebody acts.

    Says nothing where faults come and go by themselves: a job that runs now and then, a single user, a resource that is
    freed when traffic falls; or where the change left by itself, as a failed deploy or a roll-out that was completed does.
    """
    if case.ended_at is None or case.is_scheduled or case.users == 1 or case.speaks_of("memory", "exhaustion") >= 0.5:
        return []
    slack, name = _slack(case), change.service or change.key
    if change.is_deploy:
        if change.status == "failure" or (
            change.start - MINUTE <= case.onset < rollout_end(change) >= case.ended_at - slack
        ):
            return []
        others = [c for c in case.around.by_service.get(change.service, ()) if c.id != change.id]
    else:
        others = [c for c in case.around.by_flag.get(change.key, ()) if c.id != change.id]
        others += [c for s in case.related(change) for c in case.around.by_service.get(s, ())]
    for other in others:
        end = rollout_end(other) if other.is_deploy else other.start
        if other.start > max(change.start, case.onset) and other.start - slack <= case.ended_at <= end + GRACE:
            return []
    return [Term("ended_unaided", 1.0, f"the errors stopped though nothing was done about {name}")]


def _flag_ending(case: Case, change: Change) -> list[Term]:
    """Undone: the same flag went back (towards) its old share after the onset."""
    if change.new is None or change.old is None:
        return []
    up = change.new >= change.old
    for other in case.around.by_flag.get(change.key, ()):
        if other.start <= max(change.start, case.onset) or other.new is None:
            continue
        undone = other.new <= change.old if up else other.new >= change.old
        if not undone:
            continue
        if _events_after(case, other.start + GRACE) >= 2:
            return [Term("flag_undone_in_vain", 1.0, "it was undone, and the errors went on")]
        if case.ended_at is not None and _ends_in(case, other.start, other.start):
            return [Term("flag_undone", 1.0, "it was undone as the errors stopped")]
        return []
    return []


def unaided(case: Case) -> list[Term]:
    """For "no change did this": it ended with, or without, something being changed near."""
    if case.ended_at is None:
        return []
    near = set(case.services) | set(case.named)
    for service in case.services:
        near |= set(case.around.dependencies(service, hops=1))
    slack = _slack(case)
    for change in case.around.changes:
        if change.start <= case.onset or not near & case.related(change) or change.status == "failure":
            continue
        end = rollout_end(change) if change.is_deploy else change.start
        if change.start - slack <= case.ended_at <= end + GRACE:
            return [Term("none_ended_with_change", 1.0, f"it ended as {change.service or change.key} was changed")]
    lasted = span_words(case.ended_at - case.onset)
    return [Term("none_ended_alone", 1.0, f"it ended after {lasted} with no change near")]
