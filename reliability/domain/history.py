"""Everything that is known as of an instant, typed. The numbers are computed from this and nothing else."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction

from deploys.domain.deploy_facts import Deploy, DeployKind, deploy_of
from deploys.domain.environments import tier
from deploys.domain.flag_evaluations import Evaluations
from deploys.domain.flag_lifecycle import Flag, FlagChange, flag_change_of, flags_of, ordered_lines
from deploys.domain.instants import FAR_FUTURE, FAR_PAST, exact, optional_instant, parse_instant
from deploys.domain.records import Payload, Record, Records
from reliability.domain.intervals import Interval
from reliability.domain.policy import Policy, policy_of

FOR_EVER = Interval(FAR_PAST, FAR_FUTURE)
IMPACT_CLASSES = ("downtime", "multi_user", "single_user", "impactless")


@dataclass(frozen=True, slots=True)
class Service:
    """A thing a team runs, alive in [born_at, retired_at)."""

    name: str
    life: Interval = FOR_EVER
    is_critical: bool = True
    users: Fraction | None = None


@dataclass(frozen=True, slots=True)
class Cause:
    """One link of an incident: kind is deploy, flag, external, infrastructure, capacity or unknown."""

    kind: str
    id: str | None = None
    weight: Fraction | None = None
    status: str = "confirmed"


@dataclass(frozen=True, slots=True)
class Spell:
    """A stretch of impact. end None: lasts on. degradation: the share of the service lost."""

    start: datetime
    end: datetime | None
    degradation: Fraction


@dataclass(frozen=True, slots=True)
class Incident:
    """An incident that counts, clocks cut at the as-of instant.

    begin_at is the stated start, or the detection where nobody knows the start (is_start_stated tells).
    """

    id: str
    services: tuple[str, ...]
    impact_class: str
    begin_at: datetime
    is_start_stated: bool
    detected_at: datetime | None
    acknowledged_at: datetime | None
    mitigated_at: datetime | None
    restored_at: datetime | None
    spells: tuple[Spell, ...]
    causes: tuple[Cause, ...]
    remedies: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Maintenance:
    """A slot that excuses: because it was announced in time, or because somebody approved it later."""

    interval: Interval
    services: frozenset[str] | None
    is_announced: bool


@dataclass(frozen=True, slots=True)
class Gap:
    """A time in which nobody watched; services None means all."""

    interval: Interval
    services: frozenset[str] | None


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit and the deploys that contained it."""

    sha: str
    committed_at: datetime | None
    deploy_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Objective:
    """A service level objective; service None means the whole. calendar is None for a rolling window."""

    id: str
    service: str | None
    target: Fraction
    sli: str
    window_days: int | None
    calendar: str | None
    min_requests: int


@dataclass(frozen=True, slots=True)
class Traffic:
    """Requests of a service counted from an instant on; failed None means not measured."""

    service: str
    at: datetime
    count: int
    failed: int | None


@dataclass(frozen=True, slots=True)
class Excerpt:
    """What stands for the rest of a history of which only a part was read.

    walk: every deploy that went live in it is here, and their kinds are worked out. below: versions that were live before it
    and that nobody had undone by then, lowest first: at least those that have a version of a deploy of the walk, the first new
    version above each of these, and the top one. kinds: of deploys that went live outside the walk. later: rollbacks after the
    walk, each with the new versions it undid that are here, the earliest of all first.
    """

    walk: Interval
    below: tuple[str, ...] = ()
    kinds: Mapping[str, DeployKind | None] = field(default_factory=dict)
    later: tuple[tuple[str, tuple[str, ...]], ...] = ()


@dataclass(slots=True)
class History:
    """What is known as of an instant, in the policy's tier; excerpt None: all of it."""

    as_of: datetime
    policy: Policy
    services: dict[str, Service] = field(default_factory=dict)
    deploys: dict[str, Deploy] = field(default_factory=dict)
    change_starts: dict[tuple[str, str], datetime] = field(default_factory=dict)
    incidents: list[Incident] = field(default_factory=list)
    commits: list[Commit] = field(default_factory=list)
    flags: list[Flag] = field(default_factory=list)
    flag_changes: list[FlagChange] = field(default_factory=list)
    evaluations: Evaluations | None = None
    maintenances: list[Maintenance] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    objectives: list[Objective] = field(default_factory=list)
    traffic: list[Traffic] = field(default_factory=list)
    excerpt: Excerpt | None = None


def history_of(records: Records, traffic: Iterable[Payload], as_of: datetime) -> History:
    """The typed history from records folded of the facts known at as_of, and the traffic counts known then.

    change_starts holds the start of every deploy and flag change, also later ones and those of other tiers: a link
    to a change that starts after the incident is judged by it.
    """
    policy = policy_of(records.of("history").get("history", {}))
    history = History(as_of, policy)
    _add_changes(history, records)
    _add_incidents(history, records)
    for record in records.complete("maintenance").values():
        _add_maintenance(history, record)
    for record in records.complete("monitoring_gap").values():
        interval = Interval(parse_instant(record["starts_at"]), _end(record.get("ends_at")))
        history.gaps.append(Gap(interval, _named_services(record)))
    history.objectives = [objective_of(identity, record) for identity, record in records.complete("objective").items()]
    history.commits = [_commit(sha, record) for sha, record in records.complete("change").items()]
    history.traffic = [_traffic(line) for line in traffic if _in_tier(line, policy)]
    _add_services(history, records)
    return history


def objective_of(identity: str, record: Payload) -> Objective:
    """The typed objective."""
    calendar, service, days = record.get("calendar"), record.get("service"), record.get("window_days")
    return Objective(
        id=identity,
        service=None if service is None else str(service),
        target=_fraction(record["target"]),
        sli=str(record.get("sli") or "time"),
        window_days=None if calendar is not None else _whole(days),
        calendar=None if calendar is None else str(calendar),
        min_requests=100 if record.get("min_requests") is None else _whole(record["min_requests"]),
    )


def incident_of(identity: str, record: Payload, as_of: datetime) -> Incident | None:
    """The typed incident as known at the instant; None if it begins later.

    A clock after as_of has not happened. Only a declared degradation of a downtime or multi-user incident costs
    availability, and a downtime costs all of it unless declared otherwise.
    """
    started_at, detected_at = optional_instant(record.get("started_at")), optional_instant(record.get("detected_at"))
    begin_at = started_at or detected_at
    if begin_at is None or begin_at > as_of:
        return None
    restored_at = _past(record.get("restored_at"), as_of)
    impact_class = str(record["class"])
    return Incident(
        id=identity,
        services=tuple(dict.fromkeys(map(str, _list(record["services"])))),
        impact_class=impact_class,
        begin_at=begin_at,
        is_start_stated=started_at is not None,
        detected_at=_past(record.get("detected_at"), as_of),
        acknowledged_at=_past(record.get("acknowledged_at"), as_of),
        mitigated_at=_past(record.get("mitigated_at"), as_of),
        restored_at=restored_at,
        spells=tuple(_spells(record, impact_class, begin_at, restored_at)),
        causes=tuple(_cause(link) for link in _objects(record.get("causes"))),
        remedies=tuple((str(item.get("kind")), str(item.get("id"))) for item in _objects(record.get("remedies"))),
    )


def _spells(record: Payload, impact_class: str, begin_at: datetime, restored_at: datetime | None) -> Iterable[Spell]:
    """The stretches in which the incident costs availability."""
    if impact_class not in {"downtime", "multi_user"}:
        return
    declared = record.get("degradation")
    usual = Fraction(impact_class == "downtime") if declared is None else _fraction(declared)
    spells = _objects(record.get("impact"))
    if not spells and usual > 0:
        yield Spell(begin_at, restored_at, usual)
    for spell in spells:
        own = spell.get("degradation")
        degradation = usual if own is None else _fraction(own)
        if degradation > 0:
            end = optional_instant(spell.get("to_at")) or restored_at
            yield Spell(parse_instant(spell["from_at"]), end, degradation)


def _add_changes(history: History, records: Records) -> None:
    as_of, wanted = history.as_of, history.policy.tier
    for identity, record in records.complete("deploy").items():
        history.change_starts["deploy", identity] = parse_instant(record["started_at"])
        deploy = deploy_of(identity, record, as_of)
        if deploy is not None and deploy.tier == wanted:
            history.deploys[identity] = deploy
    lines: list[FlagChange] = []
    for identity, record in records.complete("flag_change").items():
        history.change_starts["flag", identity] = parse_instant(record["at"])
        change = flag_change_of(identity, record, as_of)
        if change is not None and change.tier == wanted:
            lines.append(change)
    ordered = ordered_lines(lines)
    history.flags = flags_of(records.complete("flag").items(), ordered, wanted)
    history.flag_changes = [line for lines in ordered.values() for line in lines if line.is_change]


def _add_incidents(history: History, records: Records) -> None:
    for identity, record in records.complete("incident").items():
        if record.get("dismissed") or record.get("duplicate_of") is not None or not _in_tier(record, history.policy):
            continue
        incident = incident_of(identity, record, history.as_of)
        if incident is not None:
            history.incidents.append(incident)


def _add_maintenance(history: History, record: Record) -> None:
    if record.get("cancelled") or not _in_tier(record, history.policy):
        return
    starts_at, announced_at = parse_instant(record["starts_at"]), _past(record.get("announced_at"), history.as_of)
    is_announced = announced_at is not None and starts_at - announced_at >= history.policy.maintenance_notice
    if is_announced or record.get("excused_by"):
        interval = Interval(starts_at, _end(record.get("ends_at")))
        history.maintenances.append(Maintenance(interval, _named_services(record), is_announced))


def _add_services(history: History, records: Records) -> None:
    """Declared services, and with defaults those that a deploy, a counted incident or an objective names."""
    for name, record in records.complete("service").items():
        life = Interval(optional_instant(record.get("born_at")) or FAR_PAST, _end(record.get("retired_at")))
        users = record.get("users")
        history.services[name] = Service(
            name,
            life,
            is_critical=record.get("critical") is not False,
            users=exact(users) if isinstance(users, int | float) else None,
        )
    named = [deploy.service for deploy in history.deploys.values()]
    named += [name for incident in history.incidents for name in incident.services]
    named += [objective.service for objective in history.objectives if objective.service is not None]
    for name in named:
        history.services.setdefault(name, Service(name))


def _commit(sha: str, record: Record) -> Commit:
    deploys = record.get("deploys")
    committed_at = optional_instant(record.get("committed_at"))
    return Commit(sha, committed_at, tuple(map(str, deploys)) if isinstance(deploys, list) else ())


def _traffic(line: Payload) -> Traffic:
    failed = line.get("failed")
    return Traffic(
        str(line["service"]),
        parse_instant(line["at"]),
        _whole(line["count"]),
        None if failed is None else _whole(failed),
    )


def _cause(link: Payload) -> Cause:
    identity, weight = link.get("id"), link.get("weight")
    return Cause(
        kind=str(link["kind"]),
        id=None if identity is None else str(identity),
        weight=None if weight is None else _fraction(weight),
        status=str(link.get("status") or "confirmed"),
    )


def _in_tier(record: Payload, policy: Policy) -> bool:
    return tier(str(record.get("environment") or "production")) == policy.tier


def _named_services(record: Payload) -> frozenset[str] | None:
    services = record.get("services")
    return frozenset(map(str, services)) if isinstance(services, list) else None


def _past(value: object, as_of: datetime) -> datetime | None:
    at = optional_instant(value)
    return None if at is None or at > as_of else at


def _end(value: object) -> datetime:
    return optional_instant(value) or FAR_FUTURE


def _fraction(value: object) -> Fraction:
    return exact(value) if isinstance(value, int | float) else Fraction(0)


def _whole(value: object) -> int:
    return int(value) if isinstance(value, int | float) else 0


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _objects(value: object) -> list[dict[str, object]]:
    return [item for item in _list(value) if isinstance(item, dict)]
