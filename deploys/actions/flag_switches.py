"""What a flag serves, changed: by a person, by approval, by time. Each change is audited, and is a change like a deploy."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Final

from deploys.actions.flag_registry import SOURCE, FlagRefused, rights_of, tell_of, touch
from deploys.actions.flags import record_flag
from deploys.actions.turns import one_write
from deploys.domain.bucketing import WHOLE
from deploys.domain.flag_documents import InvalidRules, document_of, rules_of
from deploys.domain.flag_evaluation import DEEPEST
from deploys.domain.flag_exposure import exposure
from deploys.domain.flag_graph import circle_of, depth_of
from deploys.domain.flag_preview import preview
from deploys.domain.flag_rules import DAYS, FlagKind, Kill, Rules, Ruleset, Stage
from deploys.domain.flag_schedule import waits_for_health
from deploys.models import (
    Change,
    Environment,
    FactOrigin,
    FlagProposal,
    FlagRevision,
    FlagSettings,
    RegisteredFlag,
    User,
)
from deploys.queries.flag_rulesets import names_of, needs_of, rules_in, ruleset_of, served

Act = FlagRevision.Act
#: How many timed flags are looked at in one go.
BATCH: Final = 200


class ChangedMeanwhile(FlagRefused):
    """Somebody else changed the flag after the page was shown."""


def checked_rules(*, flag: RegisteredFlag, environment: Environment, document: object) -> Rules:
    """The rules, if they can be used: known variants, segments and prerequisites, no circle, not too deep. FlagRefused."""
    try:
        rules = rules_of(document, names_of(flag))
    except InvalidRules as error:
        raise FlagRefused(str(error), field="document") from error
    everything = ruleset_of(environment)
    for rule in rules.rules:
        for segment in rule.segments:
            if segment not in everything.segments:
                raise FlagRefused(f"no segment is called {segment}", field="document")
    for key, variant in rules.prerequisites:
        other = everything.flags.get(key)
        if other is None or variant not in other.variants:
            raise FlagRefused(f"no flag {key} has a variant {variant}", field="document")
    changed = Ruleset({**everything.flags, flag.key: replace(served(flag, None), rules=rules)})
    needs = needs_of(changed)
    if circle := circle_of(needs, flag.key):
        raise FlagRefused(f"these flags would need each other: {' → '.join(circle)}", field="document")
    # prerequisites of those that need this flag grow with it
    for key in needs:
        if depth_of(needs, key) > DEEPEST:
            raise FlagRefused(f"{key} would need flags more than {DEEPEST} steps away", field="document")
    return rules


def change_flag(
    *,
    flag: RegisteredFlag,
    environment: Environment,
    document: object,
    version: int | None,
    reason: str,
    now: dt.datetime,
    by: User | None,
    approved_by: User | None = None,
    act: str = Act.CHANGED,
) -> FlagRevision | None:
    """The flag serves by these rules from now on; None where that is what it did already.

    `version`: of the settings the change was made from (0: none yet); ChangedMeanwhile where they are others by now.
    None does not ask.
    """
    with one_write():
        flag = RegisteredFlag.objects.select_related("team").get(pk=flag.pk)
        if flag.archived_at is not None:
            raise FlagRefused("this flag is archived: restore it first")
        settings = _locked(flag, environment)
        standing = settings.version if settings else 0
        if version is not None and version != standing:
            raise ChangedMeanwhile("somebody changed this flag meanwhile: look at it again")
        rules = checked_rules(flag=flag, environment=environment, document=document)
        before = rules_in(flag, settings)
        if rules == before and settings is not None:
            return None
        if settings is not None:
            _note_time(flag, environment, settings, before, now)
        settings = settings or FlagSettings(flag=flag, environment=environment, version=0)
        settings.document, settings.changed_at, settings.noted_at = document_of(rules), now, now
        settings.version += 1
        settings.is_timed = _is_timed(rules, now)
        settings.save()
        revision = FlagRevision.objects.create(
            flag=flag, environment=environment, act=act, at=now, by=by, approved_by=approved_by, reason=reason,
            before=document_of(before), after=settings.document,
        )  # fmt: skip
        if preview(before, rules, flag.off_variant, now):
            revision.change = record_flip(flag, environment, str(revision.public_id), before, now, rules, now, by)
            revision.save(update_fields=["change"])
        _follow_migration(flag, environment, rules, now, by)
        touch([environment])
    return revision


def kill_flag(
    *,
    flag: RegisteredFlag,
    environment: Environment,
    reason: str,
    until: dt.datetime | None,
    now: dt.datetime,
    by: User | None,
) -> FlagRevision | None:
    """Everybody gets the off variant, now, whatever the rules say; by itself no longer at `until`. Asks no approval."""
    if until is not None and until <= now:
        raise FlagRefused("expected an end after now", field="until")
    if not reason.strip():
        raise FlagRefused("say why: whoever comes next must know", field="reason")
    with one_write():
        rules = rules_in(flag, _locked(flag, environment))
        killed = replace(rules, kill=Kill(reason.strip()[:500], by.email if by else "", now, until))
        return change_flag(
            flag=flag, environment=environment, document=document_of(killed), version=None, reason=reason, now=now,
            by=by, act=Act.KILLED,
        )  # fmt: skip


def revive_flag(
    *, flag: RegisteredFlag, environment: Environment, reason: str, now: dt.datetime, by: User | None
) -> FlagRevision | None:
    """The rules count again. None where the flag is not killed."""
    with one_write():
        rules = rules_in(flag, _locked(flag, environment))
        if rules.kill is None:
            return None
        return change_flag(
            flag=flag, environment=environment, document=document_of(replace(rules, kill=None)), version=None,
            reason=reason, now=now, by=by, act=Act.REVIVED,
        )  # fmt: skip


# -- a second person -------------------------------------------------------------------------------------------------


def change_or_propose(
    *,
    flag: RegisteredFlag,
    environment: Environment,
    document: object,
    version: int,
    reason: str,
    now: dt.datetime,
    by: User,
) -> FlagRevision | FlagProposal | None:
    """Changes the flag; where the environment wants a second person, asks for one instead."""
    if not rights_of(environment).needs_approval:
        return change_flag(
            flag=flag, environment=environment, document=document, version=version, reason=reason, now=now, by=by
        )
    rules = checked_rules(flag=flag, environment=environment, document=document)
    return FlagProposal.objects.create(
        flag=flag, environment=environment, document=document_of(rules), version=version, reason=reason, asked_at=now,
        asked_by=by,
    )  # fmt: skip


def decide(*, proposal: FlagProposal, is_approved: bool, now: dt.datetime, by: User) -> FlagRevision | None:
    """Applies or refuses what somebody proposed. FlagRefused for the one who asked, and for what was decided before."""
    if is_approved and proposal.asked_by_id == by.pk:
        raise FlagRefused("somebody else has to approve what you asked for")
    with one_write():
        state = FlagProposal.State.APPLIED if is_approved else FlagProposal.State.REFUSED
        claimed = FlagProposal.objects.filter(pk=proposal.pk, state=FlagProposal.State.OPEN).update(
            state=state, decided_at=now, decided_by=by
        )
        if not claimed:
            raise FlagRefused("this was decided already")
        if not is_approved:
            return None
        try:
            return change_flag(
                flag=proposal.flag, environment=proposal.environment, document=proposal.document,
                version=proposal.version, reason=proposal.reason, now=now, by=proposal.asked_by, approved_by=by,
            )  # fmt: skip
        except ChangedMeanwhile:
            FlagProposal.objects.filter(pk=proposal.pk).update(state=FlagProposal.State.OUTDATED)
            return None


# -- time ------------------------------------------------------------------------------------------------------------


def note_what_time_changed(*, now: dt.datetime) -> int:
    """Puts steps of schedules and ends of kills that have come into the timeline, at their own instants. How many.

    What is served needs none of this: rules are a function of time. Idempotent; run by any worker.
    """
    noted = 0
    rows = FlagSettings.objects.filter(is_timed=True, noted_at__lt=now, flag__archived_at__isnull=True)
    for pk in list(rows.order_by("noted_at").values_list("pk", flat=True)[:BATCH]):
        with one_write():
            settings = FlagSettings.objects.select_for_update().filter(pk=pk).first()
            if settings is None or settings.noted_at >= now:
                continue
            flag = RegisteredFlag.objects.select_related("team").get(pk=settings.flag_id)
            environment = Environment.objects.get(pk=settings.environment_id)
            rules = rules_in(flag, settings)
            noted += _note_time(flag, environment, settings, rules, now)
            FlagSettings.objects.filter(pk=pk).update(noted_at=now, is_timed=_is_timed(rules, now))
    return noted


def _note_time(
    flag: RegisteredFlag, environment: Environment, settings: FlagSettings, rules: Rules, now: dt.datetime
) -> int:
    """Records what the standing rules changed by themselves since they were last looked at, up to now."""
    noted, last = 0, settings.noted_at
    for at in _moments(rules):
        if not settings.noted_at < at <= now:
            continue
        if exposure(rules, flag.off_variant, last) != exposure(rules, flag.off_variant, at):
            identity = f"{settings.pk}.{settings.version}.{at:%Y%m%dT%H%M%S.%f}"
            change = record_flip(flag, environment, identity, rules, last, rules, at, None, received_at=now)
            FlagRevision.objects.create(
                flag=flag, environment=environment, act=Act.STEPPED, at=at, change=change,
                reason="the schedule's step came" if any(step.at == at for step in rules.schedule) else "the kill ended",
            )  # fmt: skip
            noted += 1
        last = at
    return noted


def _is_timed(rules: Rules, now: dt.datetime) -> bool:
    """Whether the rules may change without anybody changing them."""
    return waits_for_health(rules) or any(at > now for at in _moments(rules))


def _moments(rules: Rules) -> list[dt.datetime]:
    """When time alone may change what the rules serve, in order."""
    ends = {rules.kill.until} if rules.kill is not None and rules.kill.until is not None else set()
    return sorted(ends | {step.at for step in rules.schedule})


def record_flip(
    flag: RegisteredFlag,
    environment: Environment,
    identity: str,
    before: Rules,
    before_at: dt.datetime,
    after: Rules,
    at: dt.datetime,
    by: User | None,
    *,
    received_at: dt.datetime | None = None,
) -> Change | None:
    """The fact of a change, in the history's words."""
    old, new = exposure(before, flag.off_variant, before_at), exposure(after, flag.off_variant, at)
    report = replace(
        tell_of(flag, environment.name), id=identity, at=at, old_percent=old.percent, new_percent=new.percent,
        segment=new.segment, services=tuple(flag.services.values_list("name", flat=True)) or None,
    )  # fmt: skip
    recorded = record_flag(
        team=flag.team, report=report, source=SOURCE, received_at=received_at or at, delivery_id=identity, actor=by,
        origin=FactOrigin.PERSON if by else FactOrigin.LIVE,
    )  # fmt: skip
    return recorded.change.change if recorded.change else None


def _follow_migration(
    flag: RegisteredFlag, environment: Environment, rules: Rules, now: dt.datetime, by: User | None
) -> None:
    """A migration that is cut over in production becomes due; one that goes back is not due any more."""
    if flag.kind != FlagKind.MIGRATION or environment.tier != "production":
        return
    default = rules.default_at(now)
    is_over = rules.is_on and default.split == ((str(Stage.COMPLETE), WHOLE),) and default.percent == WHOLE
    if is_over is (flag.expires_at is not None):
        return
    flag.expires_at = now + dt.timedelta(days=DAYS[FlagKind.MIGRATION]) if is_over else None
    flag.save(update_fields=["expires_at"])
    record_flag(
        team=flag.team, report=tell_of(flag, environment.name), source=SOURCE, received_at=now, actor=by,
        origin=FactOrigin.PERSON if by else FactOrigin.LIVE,
    )  # fmt: skip


def _locked(flag: RegisteredFlag, environment: Environment) -> FlagSettings | None:
    """The settings, held until the transaction ends; and with them the flag, so that two first changes wait too."""
    RegisteredFlag.objects.select_for_update().filter(pk=flag.pk).values_list("pk", flat=True).first()
    return FlagSettings.objects.filter(flag=flag, environment=environment).first()


def standing(flag: RegisteredFlag, environment: Environment) -> tuple[Rules, int]:
    """The rules in force and their version (0: nobody changed them yet)."""
    settings = FlagSettings.objects.filter(flag=flag, environment=environment).first()
    return rules_in(flag, settings), settings.version if settings else 0
