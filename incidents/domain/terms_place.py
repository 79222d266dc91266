"""Where it hurts: the affected services, what they call, what their messages name, and what was deployed there last."""

from __future__ import annotations

import math

from incidents.domain.case import Case, Term
from incidents.domain.evidence import MINUTE, Change


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
    later = case.around.deploys_between(change.service, change.start, case.onset - MINUTE)
    return [c for c in later if c.id != change.id and not c.is_noop]


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
