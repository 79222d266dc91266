"""Where it hurts: the affected services, what they call, what their messages name, and what was deployed there last."""

from __future__ import annotations

import math

from incidents.domain.case import Case, Term
from incidents.domain.evidence import MINUTE, Change

UNDONE = 5 * MINUTE
"""What was taken back later than this before the onset may still have run somewhere."""


def is_code(change: Change) -> bool:
    """A deploy that brought other code: not a repeat, not configuration or a migration alone."""
    return change.is_deploy and not change.is_noop and not change.is_config and not change.is_migration


def place(case: Case, change: Change) -> list[Term]:
    """How the deployed service stands to the affected ones."""
    service = change.service
    calls = case.around.dependencies(case.primary)
    if service == case.primary:
        found = [Term("same_service", 1.0, f"{service} is the service that fails")]
        away = sum(share for name, share in case.named.items() if name != service)
        if away >= 0.5:
            found.append(Term("points_away", 1.0, f"but the errors of {service} point at {_top(case.named)}"))
    elif service in case.services:
        found = [Term("also_affected", 1.0, f"{service} is among the services that fail")]
    elif service in calls:
        hops = "calls" if calls[service] == 1 else "reaches"
        name = "dependency" if calls[service] == 1 else "dependency_far"
        found = [Term(name, 1.0, f"{case.primary}, which fails, {hops} {service}")]
    elif set(case.services) & set(case.around.dependencies(service, hops=1)):
        found = [Term("caller", 1.0, f"{service} calls the service that fails")]
    else:
        found = [Term("unrelated", 1.0, f"{service} has no known link to the services that fail")]
    if len(case.services) > 1 and all(
        name == service or service in case.around.dependencies(name) for name in case.services
    ):
        found.append(Term("common_dependency", 1.0, f"all failing services depend on {service}"))
    return found + _named(case, change)


def _named(case: Case, change: Change) -> list[Term]:
    service = change.service
    share = case.named.get(service, 0.0)
    found: list[Term] = []
    if case.has_expired:
        return found
    if share:
        found.append(Term("named", share, f"{share:.0%} of the errors name {service}"))
    if case.root == service != case.primary:
        found.append(Term("root", 1.0, f"following who names whom leads to {service}"))
        if _is_latest(case, change):
            found.append(Term("root_latest", 1.0, f"it is the latest deploy of {service}"))
    return found


def _top(shares: dict[str, float]) -> str:
    return min(shares, key=lambda name: (-shares[name], name))


def _newer(case: Case, change: Change) -> list[Change]:
    ran = case.around.in_effect(change.service, case.onset - MINUTE)
    return [c for c in ran if c.start > change.start and c.id != change.id]


def undone(case: Case, change: Change) -> list[Term]:
    """Was it taken back before anything failed? What no longer runs breaks nothing new."""
    if change.is_deploy:
        before = case.onset - UNDONE
        if change.start > before or change.is_noop:
            return []
        ran = case.around.in_effect(change.service, before)
        if any(each.id == change.id for each in ran) or _is_return(case, change):
            return []
        return [Term("undone_before", 1.0, "it had been taken back before the first failure")]
    later = [c for c in case.around.by_flag.get(change.key, ()) if change.start < c.start <= case.onset - UNDONE]
    if later and change.old is not None and later[-1].new == change.old:
        return [Term("flag_undone_before", 1.0, "it had been undone before the first failure")]
    return []


def _is_return(case: Case, change: Change) -> bool:
    """Went back to an earlier release, and nothing has been deployed since: the way back brought no code of its own."""
    return bool(change.release) and any(
        change.release in (c.release, c.before)
        for c in case.around.by_service.get(change.service, ()) if c.start < change.start
    )  # fmt: skip


def _is_latest(case: Case, change: Change) -> bool:
    return not _newer(case, change)


def sequence(case: Case, change: Change) -> list[Term]:
    """Which deploy of its service it is, counted back from the onset."""
    newer = _newer(case, change)
    found: list[Term] = []
    if not newer and is_code(change):
        found.append(Term("latest_code", 1.0, f"it is the latest deploy of {change.service} before the failure"))
        if change.service == case.primary and case.speaks_of("memory") >= 0.5:
            found.append(Term("latest_memory", 1.0, "memory runs out under the latest release"))
    if newer:
        count = f"{len(newer)} newer deploy{'s' if len(newer) > 1 else ''}"
        found.append(Term("newer_between", math.log1p(len(newer)), f"{count} of {change.service} lie in between"))
    return found
