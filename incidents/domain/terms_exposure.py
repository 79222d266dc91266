"""Who fails: hosts on a release, users under a flag, members of a segment. These terms refute as well as support."""

from __future__ import annotations

import math
from collections.abc import Sequence

from incidents.domain.case import Case, Term
from incidents.domain.evidence import HOUR, MINUTE, Change, Sighting
from incidents.domain.terms_time import rollout_end

HIT, MISS = 0.97, 0.03
"""Chance that a failing host (user) is exposed if the change is guilty, and that it is not: tags are sometimes wrong."""


def share_on(case: Case, change: Change, at: float) -> float:
    """Share of the service's traffic on the deploy's release at an instant: counted, else interpolated."""
    end = rollout_end(change)
    counted = case.around.release_share(change.service, change.release, at, (end - change.start) / 2)
    if counted is not None:
        return min(0.99, max(0.01, counted))
    if change.percent is not None and change.percent < 100 and (change.finish is None or at < end):
        return max(0.02, change.percent / 100)
    if change.status == "failure":
        return 0.3 if at < end else 0.02
    return min(0.99, max(0.02, (at - change.start) / max(MINUTE, end - change.start)))


def release(case: Case, change: Change) -> list[Term]:
    """Failing hosts on the new (or only on the old) release while both ran, once for each host and release."""
    if not change.release or change.is_noop or change.is_migration or change.service not in case.services:
        return []
    seen: dict[tuple[str, str], Sighting] = {}
    until = max(rollout_end(change), change.start) + 5 * MINUTE
    for sighting in _of_service(case, change.service):
        if sighting.release and change.start - MINUTE <= sighting.at <= until:
            seen.setdefault((sighting.host, sighting.release), sighting)
    on_new = on_old = 0
    new_sum = old_sum = 0.0
    for sighting in seen.values():
        share = share_on(case, change, sighting.at)
        if share > 0.85:
            continue
        if sighting.release == change.release:
            on_new += 1
            new_sum += math.log(HIT / share)
            old_sum += math.log(MISS / share)
        else:
            on_old += 1
            new_sum += math.log(MISS / (1 - share))
            old_sum += math.log(HIT / (1 - share))
    if not on_new + on_old:
        return []
    value = math.log(0.88 * math.exp(min(20, new_sum)) + 0.12 * math.exp(min(20, old_sum)) + 1e-9)
    value = max(-8.0, min(4.0, value))
    said = f"while it rolled out, {on_new} of {on_new + on_old} failing hosts ran it"
    found = [Term("release", value, said)]
    if on_new >= 3 and not on_old:
        found.append(Term("release_only_new", 1.0, "only hosts that already ran it failed"))
    return found


def _of_service(case: Case, service: str) -> list[Sighting]:
    return [s for e in case.group.episodes if e.service == service for s in e.sightings]


def concentration(case: Case, change: Change) -> list[Term]:
    """A deploy that reached a few hosts only (canary, failed) and failures on few hosts."""
    partial = change.status == "failure" or (change.percent is not None and change.percent < 100)
    hosts = case.facts(change.service).hosts
    if not partial or len(hosts) < 3 or change.service not in case.services:
        return []
    failing = {s.host for s in _of_service(case, change.service) if s.host and s.at >= change.start - MINUTE}
    events = sum(e.count for e in case.group.episodes if e.service == change.service)
    if not failing or events < 4:
        return []
    share = len(failing) / len(hosts)
    if share <= 0.5:
        return [Term("few_hosts", 1.0, f"it reached few hosts, and only {len(failing)} of {len(hosts)} hosts fail")]
    return [Term("many_hosts", 1.0, f"it reached few hosts, but {len(failing)} of {len(hosts)} hosts fail")]


def flag(case: Case, change: Change) -> list[Term]:
    """A flag change: whose flag it is, which way it went, and whether the failing users are those it reaches."""
    owners = case.related(change)
    found: list[Term] = []
    told = [s for s in case.sightings if s.flags]
    if len(told) >= 3 and not any(change.key in s.flags for s in told):
        found.append(Term("flag_not_evaluated", 1.0, "the failing code evaluates flags, and never this one"))
    if not owners:
        found.append(Term("flag_owner_unknown", 1.0, "it may belong to any service: nobody said whose it is"))
    elif case.primary in owners:
        found.append(Term("flag_own", 1.0, f"{case.primary}, which fails, evaluates it"))
    elif owners & set(case.services):
        found.append(Term("flag_affected", 1.0, "a service that fails evaluates it"))
    elif owners & set(case.around.dependencies(case.primary)) or owners & set(case.named):
        found.append(Term("flag_dependency", 1.0, "a service that the failing one calls evaluates it"))
    else:
        found.append(Term("flag_other", 1.0, f"it belongs to {', '.join(sorted(owners))}, which does not fail"))
    if change.old is not None and change.new is not None:
        found.append(
            Term("flag_step", abs(change.new - change.old) / 100, f"it went from {change.old:g} to {change.new:g} %")
        )
        if change.new < change.old:
            found.append(Term("flag_down", 1.0, "it was switched down"))
    return found + _past(case, change) + _exposure(case, change) + _segment(case, change)


def _past(case: Case, change: Change) -> list[Term]:
    """Who had been on that side of the flag before: what went well for them yesterday does not fail today."""
    if change.old is None or change.new is None or change.segment:
        return []
    up = change.new >= change.old
    had, has = (change.old, change.new) if up else (100 - change.old, 100 - change.new)
    side = "on" if up else "off"
    found = []
    if had > 0 and has > 0:
        found.append(
            Term("flag_had", had / has, f"{had / has:.0%} of those who have it {side} now had it {side} before")
        )
    earlier = [
        c for c in case.around.by_flag.get(change.key, ()) if c.start < change.start - HOUR and c.new is not None
    ]
    best = max((c.new if up else 100 - c.new for c in earlier if c.new is not None), default=0.0)
    if best >= has > had:
        found.append(Term("flag_was_there", 1.0, f"it had been {side} for {best:g} % before"))
    elif had == 0 and best == 0:
        found.append(Term("flag_first", 1.0, f"nobody is known to have had it {side} before"))
    return found


def _per_user(sightings: Sequence[Sighting]) -> list[Sighting]:
    """One event for each user, in order; events without a user stand for themselves, at most five of them."""
    seen: dict[str, Sighting] = {}
    for number, sighting in enumerate(sightings):
        key = sighting.user or sighting.session or f"#{number}"
        if not key.startswith("#") or sum(k.startswith("#") for k in seen) < 5:
            seen.setdefault(key, sighting)
    return list(seen.values())


def _exposure(case: Case, change: Change) -> list[Term]:
    told = [s for s in _per_user(case.sightings) if change.key in s.flags]
    if not told or change.new is None:
        return []
    up = change.old is None or change.new >= change.old
    share = change.new / 100 if up else 1 - change.new / 100
    share = min(0.97, max(0.03, share))
    exposed = sum(1 for s in told if s.flags[change.key] == up)
    value = exposed * math.log(HIT / share) + (len(told) - exposed) * math.log(MISS / (1 - share))
    state = "on" if up else "off"
    said = f"{exposed} of {len(told)} failing users had it {state}; {share:.0%} of all would"
    found = [Term("flag_exposure", max(-10.0, min(10.0, value)), said)]
    if exposed == len(told) and len(told) >= 2:
        found.append(Term("flag_all_exposed", 1.0, f"every failing user had it {state}"))
    return found


def _segment(case: Case, change: Change) -> list[Term]:
    if not change.segment:
        return []
    told = [s for s in _per_user(case.sightings) if any(key in s.tags for key in change.segment or {})]
    if not told:
        return []
    inside = sum(1 for s in told if all(s.tags.get(k) in (None, v) for k, v in change.segment.items()))
    share = 0.35
    value = inside * math.log(HIT / share) + (len(told) - inside) * math.log(MISS / (1 - share))
    words = ", ".join(f"{k} {v}" for k, v in sorted(change.segment.items()))
    return [Term("flag_segment", max(-8.0, min(6.0, value)), f"{inside} of {len(told)} failing users are in {words}")]
