"""Registered flags as pages show them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from django.db.models import Max, Q, QuerySet, Sum

from deploys.domain.bucketing import percent_of
from deploys.domain.flag_documents import InvalidRules
from deploys.domain.flag_exposure import exposure
from deploys.domain.flag_preview import rule_in_words, serve_in_words
from deploys.domain.flag_rules import Rules, Step
from deploys.models import Environment, FlagCheck, FlagSettings, RegisteredFlag, Team
from deploys.queries.flag_rulesets import rules_in

DAY: Final = dt.timedelta(days=1)
#: Production first, then as the tiers come.
TIERS: Final = ("production", "staging", "testing", "development", "other")


@dataclass(frozen=True, slots=True)
class FlagState:
    """What a flag does in an environment, in words; `is_` is the state's colour, `kill` why somebody switched it off."""

    environment: Environment
    words: str
    is_: str
    kill: str = ""
    changed_at: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class FlagLine:
    """One row of the list."""

    flag: RegisteredFlag
    main: FlagState | None
    others: Sequence[FlagState]
    last_checked_at: dt.datetime | None
    is_due: bool


@dataclass(frozen=True, slots=True)
class Served:
    """One line of what is served: to whom, and what."""

    who: str
    what: str


def environments_of(team: Team) -> list[Environment]:
    """The team's environments, production first. One query."""
    rows = list(team.environments.all())
    return sorted(rows, key=lambda row: (TIERS.index(row.tier) if row.tier in TIERS else len(TIERS), row.name))


def flags_of(team: Team, *, text: str = "", kind: str = "", is_archived: bool = False) -> QuerySet[RegisteredFlag]:
    """The team's flags, narrowed."""
    rows = RegisteredFlag.objects.filter(team=team, archived_at__isnull=not is_archived)
    if text:
        rows = rows.filter(Q(key__icontains=text) | Q(description__icontains=text) | Q(owner__icontains=text))
    return rows.filter(kind=kind) if kind else rows


def flag_lines(team: Team, flags: Sequence[RegisteredFlag], *, now: dt.datetime) -> list[FlagLine]:
    """The rows of these flags. Three queries, however many there are."""
    environments = environments_of(team)
    settings = {(row.flag_id, row.environment_id): row for row in FlagSettings.objects.filter(flag__in=flags)}
    checked = dict(
        FlagCheck.objects.filter(
            environment__in=[row.pk for row in environments if row.tier == "production"],
            key__in=[flag.key for flag in flags], kind=FlagCheck.Kind.CHECK,
        ).values_list("key").annotate(Max("last_at"))
    )  # fmt: skip
    lines = []
    for flag in flags:
        states = [state_of(flag, row, settings.get((flag.pk, row.pk)), now) for row in environments]
        lines.append(
            FlagLine(
                flag, states[0] if states else None, states[1:], checked.get(flag.key),
                flag.expires_at is not None and flag.expires_at <= now,
            )
        )  # fmt: skip
    return lines


def state_of(
    flag: RegisteredFlag, environment: Environment, settings: FlagSettings | None, now: dt.datetime
) -> FlagState:
    """What the flag does there now."""
    changed_at = settings.changed_at if settings else None
    try:
        rules = rules_in(flag, settings)
    except InvalidRules:
        return FlagState(environment, "cannot be read", "bad", changed_at=changed_at)
    kill = rules.killed_at(now)
    if kill is not None:
        return FlagState(environment, "killed", "bad", kill.reason, changed_at)
    if not rules.is_on:
        return FlagState(environment, "off", "off", changed_at=changed_at)
    told = exposure(rules, flag.off_variant, now)
    if told.segment is None:
        words = {0: f"everybody gets {flag.off_variant}", 100: "on for everybody"}.get(
            int(told.percent) if told.percent == int(told.percent) else -1, f"on for {told.percent:g} %"
        )
        return FlagState(environment, words, "ok" if told.percent == 100 else "live", changed_at=changed_at)
    default = rules.default_at(now)
    parts = [f"{len(rules.rules)} rule{'s' * (len(rules.rules) != 1)}"] if rules.rules else []
    parts += [f"{len(rules.targets)} user{'s' * (len(rules.targets) != 1)}"] if rules.targets else []
    served = serve_in_words(default)
    if parts and default.rest == flag.off_variant and len(default.split) == 1:
        served = f"{percent_of(default.percent):g} % of the others"
    elif parts:
        served = f"{served} for the others"
    return FlagState(environment, ", ".join([*parts, served]), "live", changed_at=changed_at)


def served_lines(rules: Rules, *, now: dt.datetime) -> list[Served]:
    """What the rules serve, in the order in which they are asked."""
    lines = [Served(f"only while {key} is", variant) for key, variant in rules.prerequisites]
    by_variant: dict[str, list[str]] = {}
    for unit, variant in rules.targets.items():
        by_variant.setdefault(variant, []).append(unit)
    for variant, units in sorted(by_variant.items()):
        shown = ", ".join(sorted(units)[:5])
        lines.append(Served(shown if len(units) <= 5 else f"{shown} and {len(units) - 5} more", variant))
    lines += [
        Served(rule_in_words(rule.name, rule.conditions, rule.segments), serve_in_words(rule.serve))
        for rule in rules.rules
    ]
    lines.append(Served("everybody else" if lines else "everybody", serve_in_words(rules.default_at(now))))
    lines += [
        Served(f"from {step.at:%-d %B %Y %H:%M} UTC", f"{percent_of(step.percent):g} %{_condition(step)}")
        for step in rules.schedule if step.at > now or step.is_held
    ]  # fmt: skip
    return lines


def _condition(step: Step) -> str:
    if not step.is_held:
        return ""
    return ", once its services are well" if step.needs_health else ", once released"


def checks_by_variant(environment: Environment, key: str, *, now: dt.datetime) -> list[Mapping[str, object]]:
    """Single checks of the last 24 h by application and variant, most first. One query."""
    rows = FlagCheck.objects.filter(
        environment=environment, key=key, kind=FlagCheck.Kind.CHECK, hour__gt=now - DAY
    ).values("application", "variant")
    return list(
        rows.annotate(quantity=Sum("quantity"), last_at=Max("last_at")).order_by("-quantity", "application")[:50]
    )
