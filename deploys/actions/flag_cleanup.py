"""Cleaning up flags: what the rules say of each, what people answer, and the end of those that are proven gone."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from deploys.actions.flag_registry import FlagRefused, archive_flag
from deploys.actions.own_flags import OwnFlag, is_on
from deploys.actions.turns import one_write
from deploys.domain.flag_cleanup import Judgement, Limits, Removal, effort, judge, risk
from deploys.domain.flag_dossier import DAY, Dossier
from deploys.domain.flag_evaluations import last_evaluated, with_evaluation
from deploys.domain.flag_lifecycle import Flag as Told
from deploys.domain.flag_lifecycle import FlagChange as ToldChange
from deploys.domain.flag_lifecycle import StaleFlag, stale_flag
from deploys.domain.flag_proof import Clients, Proof, proof_of
from deploys.domain.flag_rules import FlagKind
from deploys.models import Flag, FlagChange, FlagKey, FlagRevision, FlagTask, Policy, RegisteredFlag, Team, User
from deploys.ports import change_links, flag_sightings
from deploys.queries.flag_dossiers import Files, files_of
from deploys.queries.flag_live import live_code

logger = logging.getLogger(__name__)
Act = FlagRevision.Act
LONGEST_KEEP: Final = 30 * DAY
LIMITS: Final = Limits()


@dataclass(frozen=True, slots=True)
class Case:
    """One flag as the clean-up page has it. `stale` is METRICS section 16's word, which orders the list."""

    dossier: Dossier
    judged: Judgement
    proof: Proof
    risk: str
    effort: str
    flag: RegisteredFlag | None = None
    task: FlagTask | None = None
    stale: StaleFlag | None = None

    @property
    def is_listed(self) -> bool:
        """Whether anything is asked of anybody."""
        if self.dossier.archived_at is not None or not self.dossier.is_registered:
            return bool(self.judged.findings)
        return (
            bool(self.judged.findings or self.judged.questions or self.stale) or self.proof.removal is not Removal.NONE
        )


@dataclass(frozen=True, slots=True)
class Cleanup:
    """All flags of a team, those to look at first in front (METRICS section 16), and what they were judged on."""

    cases: Sequence[Case] = ()
    files: Files = field(default_factory=Files)

    def of(self, flag: RegisteredFlag) -> Case | None:
        """The case of one flag."""
        return next((case for case in self.cases if case.flag is not None and case.flag.pk == flag.pk), None)


def cleanup_of(team: Team, *, now: dt.datetime, limits: Limits = LIMITS) -> Cleanup:
    """Judges every flag of a team on what is known now. About thirty queries, however many flags there are."""
    seen = flag_sightings(team, now)
    told = _told(team)
    ids = [int(line.id) for flag in told.values() for line in flag.lines]
    harm = change_links(team, ids).first_harm_at if ids else {}
    incidents = {key: sum(int(line.id) in harm for line in flag.lines) for key, flag in told.items()}
    flags = list(RegisteredFlag.objects.filter(team=team).order_by("pk"))
    files = files_of(team, flags, now=now, seen=seen, incidents=incidents)
    tasks = {task.pk: task for task in FlagTask.objects.filter(flag__team=team)}
    stale_after = Policy.objects.filter(team=team).values_list("stale_after_seconds", flat=True).first() or 1_209_600
    rows: list[tuple[Dossier, RegisteredFlag | None]] = [(files.registered[flag.pk], flag) for flag in flags]
    rows += [(dossier, None) for dossier in [*files.heard, *files.unknown]]
    gone = [dossier.key for dossier, _ in rows if dossier.code.is_gone]
    live = live_code(team, gone)
    apps = _apps(team, files)
    seen_at: dict[str, dt.datetime] = {}
    for (_, key), at in seen.items():
        seen_at[key] = max(at, seen_at.get(key, at))
    cases = []
    for dossier, flag in rows:
        task = tasks.get(flag.pk) if flag is not None else None
        proof = proof_of(
            code=dossier.code, live=live.get(dossier.key, ()), standings=dossier.standings,
            seen_on_errors_at=seen_at.get(dossier.key), at=now,
            clients=Clients(are_known=dossier.key in apps, until=task.clients_until if task else None),
        )  # fmt: skip
        stale = None
        if dossier.is_registered and dossier.archived_at is None:
            at_all = _measured(told.get(dossier.key), dossier, now)
            stale = stale_flag(at_all, now, dt.timedelta(seconds=stale_after), has_hurt=bool(dossier.incidents_count))
        cases.append(
            Case(
                dossier,
                judge(dossier, now, limits, proof.removal),
                proof,
                risk(dossier, now, limits),
                effort(dossier),
                flag,
                task,
                stale,
            )
        )
    return Cleanup(sorted(cases, key=_order), files)


def _order(case: Case) -> tuple[int, float, str]:
    if case.stale is None:
        return 0, 0.0, case.dossier.key
    return -case.stale.priority_points, -case.stale.overdue.total_seconds(), case.dossier.key


def _told(team: Team) -> dict[str, Told]:
    """Flags of production as the history tells them, each with its changes. Two queries."""
    changes: dict[str, list[ToldChange]] = {}
    rows = FlagChange.objects.filter(team=team, change__environment__tier="production").select_related("change", "flag")
    for row in rows.order_by("change__at", "pk"):
        past = changes.setdefault(row.flag.key, [])
        before = (past[-1].new_percent, past[-1].segment) if past else (row.old_percent, None)
        past.append(
            ToldChange(
                id=str(row.change_id), key=row.flag.key, tier="production", at=row.change.at, new_percent=row.new_percent,
                old_percent=row.old_percent, segment=row.segment or None, is_change=before != (row.new_percent, row.segment or None),
            )
        )  # fmt: skip
    found: dict[str, Told] = {key: Told(key, tuple(lines)) for key, lines in changes.items()}
    for flag in Flag.objects.filter(team=team, environment__tier="production"):
        found[flag.key] = Told(
            flag.key, tuple(changes.get(flag.key, ())), flag.created_at, flag.owner or None, flag.is_permanent, flag.expires_at,
            flag.is_evaluation_measured, flag.last_evaluated_at, flag.code_references, flag.archived_at,
        )  # fmt: skip
    return found


def _measured(told: Told | None, dossier: Dossier, now: dt.datetime) -> Told:
    """The flag of the history with what the counters say of its evaluations, where they can say anything."""
    said = told or Told(dossier.key, created_at=dossier.created_at, owner=dossier.owner or None)
    return with_evaluation(said, last_evaluated([each.usage for each in dossier.production], now))


def _apps(team: Team, files: Files) -> set[str]:
    """Keys that programs on users' devices asked for: those whose key names no page. All keys they could ask for, if any."""
    names = FlagKey.objects.filter(team=team, kind=FlagKey.Kind.BROWSER, origins=[]).values_list(
        "environment_id", flat=True
    )
    environments = set(names)
    return {
        key
        for (environment, key), usage in files.usage.items()
        if key and environment in environments and (usage.checked_at or usage.listed_at)
    }


# -- the end -----------------------------------------------------------------------------------------------------------


def archive_proven(*, now: dt.datetime) -> int:
    """Archives flags that are proven gone, with the proof in their history. How many. Idempotent; run by any worker."""
    done = 0
    for team in Team.objects.filter(
        registered_flags__archived_at__isnull=True, flag_repositories__isnull=False
    ).distinct():
        if not is_on(team, OwnFlag.ARCHIVE, now=now):
            continue
        for case in cleanup_of(team, now=now).cases:
            if case.flag is None or case.flag.archived_at is not None or case.proof.removal is not Removal.PROVEN:
                continue
            words = [f"{step.name}: {step.words}" for step in case.proof.steps]
            reason = f"removed and proven gone: {'; '.join(words)}"
            try:
                archive_flag(flag=case.flag, reason=reason, now=now, by=None, proof=words)
            except FlagRefused as error:  # another flag still needs it: the page says so
                logger.info(
                    "a flag that is gone is still needed", extra={"flag": str(case.flag.public_id), "why": str(error)}
                )
                continue
            _close(case.flag, now, None)
            done += 1
    return done


# -- what people say ---------------------------------------------------------------------------------------------------


def keep_flag(*, flag: RegisteredFlag, until: dt.datetime, reason: str, now: dt.datetime, by: User) -> None:
    """Postpones the clean-up, for a reason, by 30 days at most; each time is counted."""
    if not reason.strip():
        raise FlagRefused("say why it is kept: whoever comes next must know", field="reason")
    if not now < until <= now + LONGEST_KEEP:
        raise FlagRefused(f"expected a day within the next {LONGEST_KEEP.days} days", field="until")
    with one_write():
        task = _task(flag)
        task.kept_until, task.kept_reason, task.kept_by = until, reason.strip()[:2_000], by
        task.kept_count += 1
        task.save()
        _note(flag, Act.KEPT, now, by, f"until {until:%-d %B %Y}: {task.kept_reason}")


def close_task(*, flag: RegisteredFlag, now: dt.datetime, by: User | None) -> None:
    """Somebody says that the clean-up is done. Idempotent: the first time stays."""
    with one_write():
        if _close(flag, now, by):
            _note(flag, Act.DONE, now, by, "")


def reopen_task(*, flag: RegisteredFlag, now: dt.datetime, by: User | None) -> None:
    """It was not done after all. Idempotent."""
    with one_write():
        task = _task(flag)
        if task.done_at is None:
            return
        task.done_at, task.done_by = None, None
        task.save()
        _note(flag, Act.REOPENED, now, by, "")


def rehearse(*, flag: RegisteredFlag, reason: str, now: dt.datetime, by: User) -> None:
    """A kill switch was tried out, elsewhere than in production: somebody says so, and what came of it."""
    if flag.kind != FlagKind.KILL_SWITCH:
        raise FlagRefused("only kill switches are rehearsed")
    if not reason.strip():
        raise FlagRefused("say what was tried and what came of it", field="reason")
    with one_write():
        FlagTask.objects.filter(pk=_task(flag).pk).update(rehearsed_at=now)
        _note(flag, Act.REHEARSED, now, by, reason.strip()[:2_000])


def support_clients(*, flag: RegisteredFlag, until: dt.datetime, now: dt.datetime, by: User) -> None:
    """Until when older releases of apps that may ask for the flag are supported."""
    with one_write():
        task = _task(flag)
        task.clients_until = until
        task.save()
        _note(flag, Act.CLIENTS, now, by, f"older apps are supported until {until:%-d %B %Y}")


def _task(flag: RegisteredFlag) -> FlagTask:
    task, _ = FlagTask.objects.select_for_update().get_or_create(flag=flag)
    return task


def _close(flag: RegisteredFlag, now: dt.datetime, by: User | None) -> bool:
    task = _task(flag)
    if task.done_at is not None:
        return False
    task.done_at, task.done_by = now, by
    task.save()
    return True


def _note(flag: RegisteredFlag, act: str, now: dt.datetime, by: User | None, reason: str) -> None:
    FlagRevision.objects.create(flag=flag, act=act, at=now, by=by, reason=reason)
