"""Registered flags as the evaluator takes them."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping

from deploys.domain.flag_documents import InvalidRules, rules_of, segment_of
from deploys.domain.flag_rules import FlagKind, Rules, Ruleset, Segment, ServedFlag, ValueType, always
from deploys.domain.flag_variants import variants_of
from deploys.models import Environment, FlagSegment, FlagSettings, RegisteredFlag

logger = logging.getLogger(__name__)


def names_of(flag: RegisteredFlag) -> list[str]:
    """The names of a flag's variants, in their order."""
    return [each["name"] for each in flag.variants]


def on_variant(flag: RegisteredFlag) -> str:
    """The variant that a first roll-out brings: the first that is not the off one."""
    return next((name for name in names_of(flag) if name != flag.off_variant), flag.off_variant)


def rules_in(flag: RegisteredFlag, settings: FlagSettings | None) -> Rules:
    """The flag's rules in one environment: off, until somebody says otherwise."""
    if settings is None:
        return Rules(always(on_variant(flag)))
    return rules_of(settings.document, names_of(flag))


def served(flag: RegisteredFlag, settings: FlagSettings | None) -> ServedFlag:
    """The flag as the evaluator takes it. InvalidRules where what is stored cannot be read."""
    value_type = ValueType(flag.value_type)
    return ServedFlag(
        key=flag.key,
        value_type=value_type,
        variants=variants_of(value_type, flag.variants),
        off=flag.off_variant,
        salt=flag.salt,
        rules=rules_in(flag, settings),
        kind=FlagKind(flag.kind),
    )


def ruleset_of(environment: Environment) -> Ruleset:
    """Every flag of an environment that is not archived, and the team's segments. Three queries.

    A flag whose stored rules cannot be read is left out and logged: it must not take the others with it.
    """
    settings = {row.flag_id: row for row in FlagSettings.objects.filter(environment=environment)}
    flags = {}
    for flag in RegisteredFlag.objects.filter(team=environment.team_id, archived_at__isnull=True):
        try:
            flags[flag.key] = served(flag, settings.get(flag.pk))
        except InvalidRules as error:
            logger.error("the rules of a flag cannot be read", extra={"flag": str(flag.public_id), "why": str(error)})
    return Ruleset(flags, segments_of(FlagSegment.objects.filter(team=environment.team_id)))


def segments_of(rows: Iterable[FlagSegment]) -> dict[str, Segment]:
    """Segments by key."""
    return {row.key: segment_of(row.key, row.document) for row in rows}


def needs_of(ruleset: Ruleset) -> Mapping[str, list[str]]:
    """Which flags need which, directly."""
    return {key: [needed for needed, _ in flag.rules.prerequisites] for key, flag in ruleset.flags.items()}
