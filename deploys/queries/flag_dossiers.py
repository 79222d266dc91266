"""Everything known of a team's flags, as the rules take it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from django.db.models import Max

from deploys.domain.flag_code import CodeEvidence, RepositoryCode, code_evidence
from deploys.domain.flag_documents import InvalidRules
from deploys.domain.flag_dossier import Dossier, Standing, Ticket, Usage
from deploys.domain.flag_rules import LASTING, FlagKind, Rules
from deploys.domain.flag_standing import reach
from deploys.domain.tickets import ticket_key
from deploys.models import (
    Delivery,
    Environment,
    Flag,
    FlagChange,
    FlagRevision,
    FlagSettings,
    FlagTask,
    Membership,
    OwnerGroup,
    RegisteredFlag,
    Team,
    User,
)
from deploys.queries.flag_code import code_of
from deploys.queries.flag_pages import environments_of
from deploys.queries.flag_rulesets import rules_in
from deploys.queries.flag_usage import Place, Sightings, usage_of

Act = FlagRevision.Act
EXERCISES: Final = (Act.KILLED, Act.REVIVED, Act.REHEARSED)


@dataclass(frozen=True, slots=True)
class Files:
    """All dossiers of a team: flags served from here by their row, flags only heard of, and keys that are no flag's."""

    registered: Mapping[int, Dossier] = field(default_factory=dict)
    heard: Sequence[Dossier] = ()
    unknown: Sequence[Dossier] = ()
    environments: Sequence[Environment] = ()
    usage: Mapping[Place, Usage] = field(default_factory=dict)
    code: Mapping[str, Sequence[RepositoryCode]] = field(default_factory=dict)


def files_of(
    team: Team, flags: Sequence[RegisteredFlag], *, now: dt.datetime, seen: Sightings, incidents: Mapping[str, int]
) -> Files:
    """The dossiers. `seen`: flags on errors; `incidents`: confirmed ones by key. About fifteen queries, however many flags."""
    environments = environments_of(team)
    usage = usage_of([row.pk for row in environments], now=now, seen=seen)
    code = code_of(team)
    settings = {(row.flag_id, row.environment_id): row for row in FlagSettings.objects.filter(flag__team=team)}
    since = _moved(team)
    people, tasks = (
        _People.of(team),
        {task.pk: task for task in FlagTask.objects.filter(flag__team=team).select_related("ticket_source")},
    )
    told = _trackers(tasks.values())
    exercised = dict(
        FlagRevision.objects.filter(flag__team=team, act__in=EXERCISES).values_list("flag").annotate(Max("at"))
    )
    rules = {(flag.pk, row.pk): _rules(flag, settings.get((flag.pk, row.pk))) for flag in flags for row in environments}
    needed_by = _needed_by(flags, rules)
    ranks = _ranks(flags)
    found: dict[int, Dossier] = {}
    for flag in flags:
        standings = tuple(
            _standing(
                flag, row, rules[flag.pk, row.pk], since.get((flag.pk, row.pk)), _used(usage, row.pk, flag.key), now
            )
            for row in environments
        )
        task = tasks.get(flag.pk)
        found[flag.pk] = Dossier(
            key=flag.key, kind=FlagKind(flag.kind), created_at=flag.created_at, archived_at=flag.archived_at,
            expires_at=flag.expires_at, owner=flag.owner, is_owner_active=people.is_active(flag.owner), standings=standings,
            code=code_evidence(code.get(flag.key, ()), now), ticket=_ticket(flag, task, told),
            dependants=tuple(needed_by.get(flag.key, ())), incidents_count=incidents.get(flag.key, 0),
            exercised_at=exercised.get(flag.pk), rank=ranks.get(flag.pk), kept_until=task.kept_until if task else None,
        )  # fmt: skip
    known = {flag.key for flag in flags}
    heard = _heard(team, known, usage, code, people, incidents, now)
    known |= {each.key for each in heard}
    return Files(found, heard, _unknown(environments, usage, known), environments, usage, code)


def ticket_of(flag: RegisteredFlag) -> Ticket | None:
    """What is known of one flag's ticket. Two queries where a tracker told of it."""
    task = FlagTask.objects.filter(flag=flag).select_related("ticket_source").first()
    return _ticket(flag, task, _trackers([task] if task else []))


def _trackers(tasks: Iterable[FlagTask]) -> dict[int, dt.datetime]:
    """When each webhook that told of a ticket was last heard of. One query where there is any."""
    sources = {task.ticket_source_id for task in tasks if task.ticket_source_id is not None}
    if not sources:
        return {}
    rows = Delivery.objects.filter(source__in=sources).exclude(verdict=Delivery.Verdict.REFUSED)
    return dict(rows.values_list("source").annotate(Max("received_at")))


def _ticket(flag: RegisteredFlag, task: FlagTask | None, told: Mapping[int, dt.datetime]) -> Ticket | None:
    """Our own to-do where somebody closed it, else what a tracker told of the ticket that the flag names, else our own."""
    if task is None:
        return None
    if task.done_at is None and task.ticket_key and task.ticket_key == ticket_key(flag.ticket_url):
        heard = [at for at in (task.ticket_heard_at, told.get(task.ticket_source_id or 0)) if at is not None]
        return Ticket(
            task.ticket_is_closed, max(heard, default=None), is_pushed=True, since=task.ticket_at,
            told_by=task.ticket_source.name if task.ticket_source else "",
        )  # fmt: skip
    return Ticket(task.done_at is not None, task.done_at, is_own=True)


def _used(usage: Mapping[Place, Usage], environment: int, key: str) -> Usage:
    return usage.get((environment, key)) or usage.get((environment, ""), Usage())


def _rules(flag: RegisteredFlag, settings: FlagSettings | None) -> Rules | None:
    try:
        return rules_in(flag, settings)
    except InvalidRules:  # logged where it is served
        return None


def _moved(team: Team) -> dict[tuple[int, int], dt.datetime]:
    """When each flag last changed for any user in each environment."""
    rows = FlagRevision.objects.filter(flag__team=team, change__isnull=False, environment__isnull=False)
    return {
        (flag, environment): at
        for flag, environment, at in rows.values_list("flag_id", "environment_id").annotate(Max("at"))
    }


def _standing(
    flag: RegisteredFlag,
    row: Environment,
    rules: Rules | None,
    since: dt.datetime | None,
    usage: Usage,
    now: dt.datetime,
) -> Standing:
    is_production = row.tier == "production"
    if rules is None:  # nobody can say what it serves: it depends
        return Standing(
            row.name, is_production, None, is_reached=True, is_complete=False, off=flag.off_variant, usage=usage
        )
    told = reach(rules, flag.off_variant, FlagKind(flag.kind), now)
    return Standing(
        row.name,
        is_production,
        told.constant,
        told.is_reached,
        told.is_complete,
        flag.off_variant,
        told.percent,
        since,
        usage,
    )


def _needed_by(flags: Sequence[RegisteredFlag], rules: Mapping[tuple[int, int], Rules | None]) -> dict[str, list[str]]:
    keys = {flag.pk: flag.key for flag in flags if flag.archived_at is None}
    found: dict[str, set[str]] = {}
    for (flag, _), said in rules.items():
        for needed, _variant in said.prerequisites if said is not None and flag in keys else ():
            found.setdefault(needed, set()).add(keys[flag])
    return {key: sorted(needing) for key, needing in found.items()}


def _ranks(flags: Sequence[RegisteredFlag]) -> dict[int, int]:
    """Places of active temporary flags, oldest first, from one."""
    active = [flag for flag in flags if flag.archived_at is None and FlagKind(flag.kind) not in LASTING]
    return {flag.pk: place for place, flag in enumerate(sorted(active, key=lambda row: (row.created_at, row.pk)), 1)}


@dataclass(frozen=True, slots=True)
class _People:
    """Names and addresses by which owners are written, and whether those people are still in the team."""

    active: frozenset[str]
    gone: frozenset[str]

    @classmethod
    def of(cls, team: Team) -> _People:
        """Everybody of the team, its groups, and everybody of the instance who is not in it."""
        members = User.objects.filter(pk__in=Membership.objects.filter(team=team).values("user"))
        groups = OwnerGroup.objects.filter(team=team).values_list("name", flat=True)
        active = {name for user in members.filter(is_active=True) for name in _names(user)}
        gone = {name for user in members.filter(is_active=False) for name in _names(user)}
        others = User.objects.exclude(pk__in=members.values("pk")).values_list("email", flat=True)
        return cls(frozenset(active | {name.lower() for name in groups}), frozenset(gone | set(others)) - active)

    def is_active(self, owner: str) -> bool | None:
        """Whether the owner is in the team; None for a name that is nobody's."""
        name = owner.strip().lower()
        return True if name in self.active else False if name in self.gone else None


def _names(user: User) -> set[str]:
    return {user.email.lower(), user.name.lower()}


def _heard(
    team: Team,
    known: Collection[str],
    usage: Mapping[Place, Usage],
    code: Mapping[str, Sequence[RepositoryCode]],
    people: _People,
    incidents: Mapping[str, int],
    now: dt.datetime,
) -> list[Dossier]:
    """Flags of other systems, by what those told of their changes; as temporary ones unless said to be permanent."""
    changes = FlagChange.objects.filter(team=team).exclude(flag__key__in=list(known))
    last = dict(changes.values_list("flag").annotate(Max("change__at")))
    newest = {
        row.flag_id: row
        for row in changes.filter(change__at__in=set(last.values())).select_related("change").order_by("pk")
        if row.change.at == last.get(row.flag_id)
    }
    by_key: dict[str, list[Flag]] = {}
    for flag in (
        Flag.objects.filter(team=team).exclude(key__in=list(known)).select_related("environment").order_by("pk")
    ):
        by_key.setdefault(flag.key, []).append(flag)
    found = []
    for key, rows in by_key.items():
        standings = tuple(_heard_standing(row, newest.get(row.pk), usage) for row in rows)
        first = rows[0]
        found.append(
            Dossier(
                key=key, kind=FlagKind.PERMISSION if any(row.is_permanent for row in rows) else FlagKind.RELEASE,
                created_at=min((row.created_at for row in rows if row.created_at), default=None),
                archived_at=min((row.archived_at for row in rows if row.archived_at), default=None),
                expires_at=min((row.expires_at for row in rows if row.expires_at), default=None), owner=first.owner,
                is_owner_active=people.is_active(first.owner), standings=standings,
                code=code_evidence(code.get(key, ()), now) if key in code else CodeEvidence(None, "no repository is scanned"),
                incidents_count=incidents.get(key, 0),
            )
        )  # fmt: skip
    return found


def _heard_standing(flag: Flag, change: FlagChange | None, usage: Mapping[Place, Usage]) -> Standing:
    percent = change.new_percent if change else 0.0
    is_everybody = percent == 100 and not (change and change.segment)
    used = _used(usage, flag.environment_id, flag.key)
    if flag.last_evaluated_at is not None:
        used = Usage(
            used.telemetry_at,
            used.watched_since,
            max(flag.last_evaluated_at, used.checked_at or flag.last_evaluated_at),
            used.listed_at,
        )
    return Standing(
        flag.environment.name, flag.environment.tier == "production", "on" if is_everybody else "off" if percent == 0 else None,
        is_reached=percent > 0, is_complete=is_everybody, percent=percent, since=change.change.at if change else None, usage=used,
    )  # fmt: skip


def _unknown(
    environments: Sequence[Environment], usage: Mapping[Place, Usage], known: Collection[str]
) -> list[Dossier]:
    """Keys that something asked for and that no flag has."""
    by_key: dict[str, list[Standing]] = {}
    names = {row.pk: row for row in environments}
    for (environment, key), used in usage.items():
        if key and not key.startswith("(") and key not in known and used.checked_at is not None:
            row = names[environment]
            by_key.setdefault(key, []).append(
                Standing(row.name, row.tier == "production", None, is_reached=False, is_complete=False, usage=used)
            )
    return [Dossier(key=key, is_registered=False, standings=tuple(each)) for key, each in sorted(by_key.items())]
