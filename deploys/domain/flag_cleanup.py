"""Whether a flag has outlived its use: ten rules, each on fresh evidence or on none, and the state that follows.

Where evidence is missing a rule asks a question instead of guessing: the flag then needs evidence, and is never called
stale for that. Rules and limits are those of FLAGS section 3; reasons and their order in reports are METRICS section 16's.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum

from deploys.domain.flag_dossier import DAY, ENOUGH_CHECKS, Dossier, Standing
from deploys.domain.flag_rules import FlagKind


class Rule(StrEnum):
    """The rules, by the numbers people quote."""

    ROLLED_OUT = "R1"
    EXPIRED = "R2"
    UNUSED = "R3"
    FORGOTTEN = "R4"
    ABANDONED = "R5"
    ORPHAN = "R6"
    ZOMBIE = "R7"
    TICKET_LIES = "R8"
    UNTESTED = "R9"
    CAP = "R10"


class State(StrEnum):
    """Where a flag stands in its life. All are derived; nobody types them."""

    DRAFT = "draft"
    DEVELOPING = "developing"
    TESTING = "testing"
    ROLLING_OUT = "rolling out"
    ROLLED_OUT = "rolled out"
    CLEANUP_DUE = "cleanup due"
    CODE_REMOVED = "code removed"
    DRAINING = "draining"
    ARCHIVED = "archived"
    PERMANENT = "permanent"
    KEPT = "kept"
    ABANDONED = "abandoned"
    ZOMBIE = "zombie"
    NEEDS_EVIDENCE = "needs evidence"


class Removal(IntEnum):
    """How far the proof that a flag is gone has come."""

    NONE = 0
    CODE_REMOVED = 1
    DRAINING = 2
    PROVEN = 3


@dataclass(frozen=True, slots=True)
class Limits:
    """When a rule fires; the defaults are FLAGS section 3's. `fresh_ticket`: how long a tracker's word is believed.
    `fresh_push`: how long that of one that tells of each change by itself; silence says that nothing changed, until the
    sender has been silent altogether for so long.
    """

    rolled_out: timedelta = 14 * DAY
    unused: timedelta = 14 * DAY
    forgotten: timedelta = 30 * DAY
    abandoned: timedelta = 30 * DAY
    untested: timedelta = 90 * DAY
    zombie: timedelta = DAY
    fresh_ticket: timedelta = DAY
    fresh_push: timedelta = 7 * DAY
    cap: int = 50


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule that fired: what it asks for, and since when it holds (None: nobody knows)."""

    rule: Rule
    action: str
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """A rule that could not be judged, and what is missing for it."""

    rule: Rule
    missing: str


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the rules say of a flag."""

    state: State
    findings: tuple[Finding, ...] = ()
    questions: tuple[Question, ...] = ()

    @property
    def rules(self) -> tuple[Rule, ...]:
        """Those that fired."""
        return tuple(each.rule for each in self.findings)


#: Rules that ask for a flag to go, or for a decision on it.
STALE = frozenset({Rule.ROLLED_OUT, Rule.EXPIRED, Rule.UNUSED, Rule.FORGOTTEN})
DUE = STALE | {Rule.ABANDONED}
Said = Finding | Question


def judge(dossier: Dossier, at: datetime, limits: Limits, removal: Removal = Removal.NONE) -> Judgement:
    """Every rule on one flag at an instant."""
    said = list(_said(dossier, at, limits))
    findings = tuple(each for each in said if isinstance(each, Finding))
    questions = tuple(each for each in said if isinstance(each, Question))
    return Judgement(_state(dossier, at, findings, questions, removal), findings, questions)


def _said(dossier: Dossier, at: datetime, limits: Limits) -> Iterator[Said]:
    if dossier.archived_at is not None or not dossier.is_registered:
        yield from zombie(dossier, at, limits)
        return
    rolled = list(rolled_out(dossier, at, limits))
    yield from rolled
    yield from expired(dossier, at)
    yield from unused(dossier, at, limits)
    if not rolled:
        yield from forgotten(dossier, at, limits)
    yield from abandoned(dossier, at, limits)
    yield from orphan(dossier)
    yield from ticket_lies(dossier, at, limits)
    yield from untested(dossier, at, limits)
    yield from over_cap(dossier, limits)


def rolled_out(dossier: Dossier, at: datetime, limits: Limits) -> Iterator[Said]:
    """R1: everybody in production has had what a temporary flag brings for longer than the limit.

    By the configuration alone (E1), or because a thousand checks were all answered so while it was on (E2).
    """
    if dossier.is_lasting or not dossier.production:
        return
    since = [_constant_since(dossier, each, at, limits.rolled_out) for each in dossier.production]
    known = [each for each in since if each is not None]
    if len(known) == len(since) and at - max(known) > limits.rolled_out:
        yield Finding(Rule.ROLLED_OUT, "remove the flag and keep what it brought", max(known))


def _constant_since(dossier: Dossier, standing: Standing, at: datetime, limit: timedelta) -> datetime | None:
    usage = standing.usage
    if standing.is_complete:
        return standing.since
    is_watched = usage.is_alive(at) and usage.watched_since is not None and at - usage.watched_since > limit
    is_mixed = standing.is_reached and standing.constant is None and dossier.kind is not FlagKind.MIGRATION
    is_one = usage.only_variant not in {None, standing.off} and usage.only_count >= ENOUGH_CHECKS
    return usage.only_since if is_watched and is_mixed and is_one else None


def expired(dossier: Dossier, at: datetime) -> Iterator[Said]:
    """R2: its date has passed."""
    if dossier.expires_at is not None and dossier.expires_at <= at:
        yield Finding(Rule.EXPIRED, "review it" if dossier.is_lasting else "clean it up", dossier.expires_at)


def unused(dossier: Dossier, at: datetime, limits: Limits) -> Iterator[Said]:
    """R3: production has not asked for it, and somebody watched all the time. Without code it goes; with code that is dead.

    A flag that is meant to stay goes only where no code is left either.
    """
    if not dossier.production:
        return
    if dossier.created_at is None or at - dossier.created_at < limits.unused:
        return
    was_checked = dossier.was_checked(at, limits.unused, only_production=True)
    if was_checked or (dossier.is_lasting and not dossier.code.is_gone):
        return
    if was_checked is None:
        yield Question(Rule.UNUSED, dossier.why_unknown(at, limits.unused))
        return
    checks = [each.usage.checked_at for each in dossier.production if each.usage.checked_at is not None]
    since = max(checks, default=dossier.created_at)
    if dossier.code.is_gone:
        yield Finding(Rule.UNUSED, "remove it: no code asks for it", since)
    elif dossier.code.some:
        yield Finding(Rule.UNUSED, "dead path: take the code out", since)
    else:
        yield Question(Rule.UNUSED, f"references: {dossier.code.why}")


def forgotten(dossier: Dossier, at: datetime, limits: Limits) -> Iterator[Said]:
    """R4: some users have had it for long, and the others not; or a migration stands still between two stages."""
    if dossier.is_lasting:
        return
    halfway = [each for each in dossier.production if each.is_reached and not each.is_complete]
    still = [each.since for each in halfway if each.since is not None and at - each.since >= limits.forgotten]
    if halfway and len(still) == len(halfway):
        yield Finding(Rule.FORGOTTEN, "decide: to everybody, or off", max(still))


def abandoned(dossier: Dossier, at: datetime, limits: Limits) -> Iterator[Said]:
    """R5: off everywhere for long, and the code is still there."""
    if dossier.is_lasting or not dossier.standings or any(each.is_reached for each in dossier.standings):
        return
    since = [each.since or dossier.created_at for each in dossier.standings]
    known = [each for each in since if each is not None]
    if len(known) < len(since) or at - max(known) < limits.abandoned:
        return
    if dossier.code.some or dossier.was_checked(at, limits.unused):
        yield Finding(Rule.ABANDONED, "remove the feature, or bring it out", max(known))
    elif not dossier.code.is_gone:
        yield Question(Rule.ABANDONED, f"references: {dossier.code.why}")


def orphan(dossier: Dossier) -> Iterator[Said]:
    """R6: nobody answers for it: no owner, or one who left."""
    if not dossier.owner or dossier.is_owner_active is False:
        yield Finding(Rule.ORPHAN, "give it an owner")


def zombie(dossier: Dossier, at: datetime, limits: Limits) -> Iterator[Said]:
    """R7: archived, or no flag at all, and something asked for it today."""
    checks = [each.usage.checked_at for each in dossier.standings if each.usage.checked_at is not None]
    if checks and at - max(checks) <= limits.zombie:
        yield Finding(Rule.ZOMBIE, "find who asks: they get the default in their code", max(checks))


def ticket_lies(dossier: Dossier, at: datetime, limits: Limits) -> Iterator[Said]:
    """R8: the clean-up is said to be done, and code is left or still asks."""
    if dossier.ticket is None:
        return
    is_pushed = dossier.ticket.is_pushed
    is_closed = dossier.ticket.closed_at(at, limits.fresh_push if is_pushed else limits.fresh_ticket)
    if is_closed is None:
        lately = "for a week" if is_pushed else "today"
        yield Question(Rule.TICKET_LIES, f"nobody has said {lately} whether the ticket is closed")
    elif is_closed:
        was_checked = dossier.was_checked(at, DAY)
        if dossier.code.some or was_checked:
            yield Finding(Rule.TICKET_LIES, "reopen the ticket", dossier.ticket.since or dossier.ticket.observed_at)
        elif dossier.code.count is None or was_checked is None:
            yield Question(Rule.TICKET_LIES, f"whether it is done: {dossier.code.why or 'checks are not known'}")


def untested(dossier: Dossier, at: datetime, limits: Limits) -> Iterator[Said]:
    """R9: a kill switch that nobody has pulled for long, in earnest or to try."""
    if dossier.kind is not FlagKind.KILL_SWITCH:
        return
    last = dossier.exercised_at or dossier.created_at
    if last is not None and at - last >= limits.untested:
        yield Finding(Rule.UNTESTED, "rehearse it", last)


def over_cap(dossier: Dossier, limits: Limits) -> Iterator[Said]:
    """R10: one more temporary flag than the team wants to have."""
    if dossier.rank is not None and dossier.rank > limits.cap:
        yield Finding(Rule.CAP, f"more than {limits.cap} temporary flags: remove others first", dossier.created_at)


def _state(
    dossier: Dossier,
    at: datetime,
    findings: tuple[Finding, ...],
    questions: tuple[Question, ...],
    removal: Removal,
) -> State:
    rules = {each.rule for each in findings}
    if dossier.archived_at is not None or not dossier.is_registered:
        return State.ZOMBIE if Rule.ZOMBIE in rules else State.ARCHIVED
    if removal is not Removal.NONE:
        return State.CODE_REMOVED if removal is Removal.CODE_REMOVED else State.DRAINING
    if dossier.kept_until is not None and dossier.kept_until > at and rules & DUE:
        return State.KEPT
    if dossier.is_lasting:
        return State.CLEANUP_DUE if Rule.UNUSED in rules else State.PERMANENT
    if Rule.ABANDONED in rules:
        return State.ABANDONED
    if rules & STALE:
        return State.CLEANUP_DUE
    if questions:
        return State.NEEDS_EVIDENCE
    return _stage(dossier, at)


def _stage(dossier: Dossier, at: datetime) -> State:
    """How far a flag has come that nothing speaks against."""
    if any(each.is_reached for each in dossier.production):
        return State.ROLLED_OUT if all(each.is_complete for each in dossier.production) else State.ROLLING_OUT
    if any(each.is_reached for each in dossier.standings):
        return State.TESTING
    is_in_code = dossier.code.some or dossier.was_checked(at, 14 * DAY)
    return State.DEVELOPING if is_in_code else State.DRAFT


# -- how to go about it ------------------------------------------------------------------------------------------------


def effort(dossier: Dossier) -> str:
    """S up to three files of code, M up to ten, L beyond; `unknown` without a scan that counts."""
    if dossier.code.count is None:
        return "unknown"
    return "S" if dossier.code.files_count <= 3 else "M" if dossier.code.files_count <= 10 else "L"


def risk(dossier: Dossier, at: datetime, limits: Limits) -> str:
    """How likely taking the flag out breaks something: low, medium or high.

    High: environments differ, users differ, keys are put together, other flags need it, or any evidence is missing. Low:
    configuration and answers have agreed for the limit, at most three files, no incident. Medium: all else.
    """
    constants = {each.constant for each in dossier.standings}
    if len(constants) != 1 or None in constants or dossier.code.is_dynamic or dossier.dependants:
        return "high"
    if dossier.was_checked(at, limits.rolled_out, only_production=True) is None or dossier.code.count is None:
        return "high"
    agree = all(_agrees(each, at, limits.rolled_out) for each in dossier.production)
    return "low" if agree and dossier.code.files_count <= 3 and not dossier.incidents_count else "medium"


def _agrees(standing: Standing, at: datetime, limit: timedelta) -> bool:
    """Whether the configuration has stood for the limit, and nothing else was answered in that time."""
    usage = standing.usage
    is_old = standing.since is not None and at - standing.since >= limit
    is_other = usage.only_variant not in {None, standing.constant}
    was_mixed = usage.only_since is not None and at - usage.only_since < limit
    return is_old and not is_other and not was_mixed
