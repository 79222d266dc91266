"""What was changed: files against stack frames, and the kind of change against the kind of error."""

from __future__ import annotations

import math

from incidents.domain.case import Case, Term
from incidents.domain.evidence import HOUR, MINUTE, Change
from incidents.domain.frames import same_file
from incidents.domain.vocabulary import REMOTE


def files(case: Case, change: Change) -> list[Term]:
    """Did the deploy change a file in the stack? A match weighs more the more seldom that file changes."""
    if change.files is None or not change.files or change.service not in case.services:
        return []
    if change.is_config or change.is_migration:
        return []
    best: tuple[int, str] | None = None
    for issue in case.issues:
        if issue.service != change.service:
            continue
        for depth, path in enumerate(issue.paths):
            if any(same_file(path, file) for file in change.files) and (best is None or depth < best[0]):
                best = (depth, path)
    if best is None:
        if change.service not in case.comparable:
            return []
        found = [Term("files_elsewhere", 1.0, "none of the files it changed is in the stack")]
        if case.onset - change.start >= 90 * MINUTE and not _is_resource(case):
            found.append(Term("files_elsewhere_late", 1.0, "and what breaks late breaks where it was changed"))
        return found
    return _match(case, change, *best)


def _match(case: Case, change: Change, depth: int, path: str) -> list[Term]:
    where = ("innermost", "second", "an outer")[min(depth, 2)]
    changed, deploys = case.file_rate(change.service, path)
    rarity = math.log((deploys + 2) / (changed + 1))
    name = ("file_inner", "file_second", "file_outer")[min(depth, 2)]
    short = path.rsplit("/", 1)[-1]
    found = [
        Term(name, 1.0, f"changed {path}, the {where} frame" if depth < 2 else f"changed {path}, {where} frame"),
        Term(
            f"{name}_rare",
            rarity,
            f"{changed} of {deploys} deploys of {change.service} with file lists changed {short}",
        ),
    ]
    if _is_resource(case):
        found.append(Term("file_resource", 1.0, "but what runs out of a resource is rarely what used it up"))
        return found
    if case.onset - change.start >= 90 * MINUTE and _is_remote(case):
        found.append(
            Term("file_remote_late", 1.0, "but a call that somebody else does not answer fails wherever it is made")
        )
        return found
    if case.onset - change.start >= 90 * MINUTE and depth == 0:
        found.append(Term("file_inner_late", 1.0, "a rarely used path may fail long after its change"))
    if depth == 0:
        since = [c for c in case.around.deploys_between(change.service, change.start, case.onset) if c.id != change.id]
        if not any(same_file(path, file) for c in since for file in c.files or ()):
            told = sum(1 for c in since if c.files)
            if told:
                said = f"{told} newer deploys with file lists did not change {short}"
                found.append(Term("file_untouched_since", math.log1p(told), said))
            found.append(Term("file_last_touch", 1.0, f"it is the last deploy known to have changed {short}"))
    return found


def _is_resource(case: Case) -> bool:
    """Do the errors speak of a resource that ran out, which says little about the code that hit the limit?"""
    return case.speaks_of("memory", "exhaustion", "disk") >= 0.5


def _is_remote(case: Case) -> bool:
    """Do the errors name a foreign host, and speak of a call to it that failed?"""
    return sum(case.external.values()) >= 0.5 and case.speaks_of(*REMOTE) >= 0.5


def kind(case: Case, change: Change) -> list[Term]:
    """The kind of deploy against what the errors speak of."""
    found: list[Term] = []
    gap = case.onset - change.start
    if change.is_noop:
        found.append(Term("noop", 1.0, "the release that ran already was deployed again"))
    if change.is_migration:
        if case.speaks_of("schema") >= 0.5:
            found.append(Term("migration_schema", 1.0, "a migration, and the errors speak of the schema"))
        else:
            found.append(Term("migration_other", 1.0, "a migration, but the errors do not speak of the schema"))
    elif change.is_config:
        found.append(Term("config", 1.0, "it changed configuration only"))
        if case.speaks_of("configuration", "authentication", "connection", "name_resolution", "certificate") >= 0.5:
            found.append(Term("config_speaks", 1.0, "and the errors speak of what configuration decides"))
    if _is_rollback(case, change):
        found.append(Term("rollback", 1.0, "it went back to an earlier release"))
        if any(e.reason == "regressed" for e in case.group.episodes):
            found.append(Term("rollback_regressed", 1.0, "and an error of that time is back"))
    if change.status == "failure" and gap < 3 * HOUR:
        found.append(Term("failed", 1.0, "it was reported as failed"))
    if change.strategy == "canary" and (change.percent or 100) < 100 and change.finish is None and gap < 3 * HOUR:
        found.append(Term("canary", 1.0, "it ran as a canary when the failures began"))
    return found


def _is_rollback(case: Case, change: Change) -> bool:
    if change.stated_kind == "rollback":
        return True
    if not change.release or change.is_noop:
        return False
    before = [c.release for c in case.around.by_service.get(change.service, ()) if c.start < change.start]
    return change.release in before[:-1] or change.release in {
        c.before for c in case.around.by_service.get(change.service, ()) if c.start < change.start
    }


def staging(case: Case, change: Change) -> list[Term]:
    """Was the same error seen outside production shortly before this deploy?"""
    for issue in case.issues:
        if issue.service != change.service:
            continue
        seen = [at for at in case.around.staging.get(issue.key, ()) if change.start - 3 * HOUR <= at <= change.start]
        if seen:
            return [Term("staging", 1.0, "the same error was seen outside production shortly before")]
    return []
