"""What detection and attribution look at: small records that the database side and the laboratory both fill.

All times are seconds since the epoch, UTC, corrected for the sender's clock: arithmetic on them is what this floor does.
Intervals are half-open. Everything is optional that a sender may not send; what is missing stays empty.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from deploys.domain.schema_changes import is_schema_change

MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0


@dataclass(frozen=True, slots=True)
class ServiceFacts:
    """A service as far as attribution cares. ``depends_on`` names the services it calls, declared or learned."""

    name: str
    depends_on: frozenset[str] = frozenset()
    hosts: tuple[str, ...] = ()
    is_probed: bool = False
    reports_users: bool = False
    evidence_since: float = -math.inf


@dataclass(frozen=True, slots=True)
class IssueFacts:
    """The static side of an issue: what its fingerprint was made from.

    ``is_library_inside``: the innermost frame is not the team's own code.
    """

    key: str
    service: str
    type: str = ""
    text: str = ""
    hosts: tuple[str, ...] = ()
    status: int | None = None
    paths: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    is_from_request: bool = True
    is_library_inside: bool = False


@dataclass(frozen=True, slots=True)
class Sighting:
    """One error event, reduced. ``user`` and ``session`` are keys, empty where not reported."""

    at: float
    host: str = ""
    release: str = ""
    user: str = ""
    session: str = ""
    flags: Mapping[str, bool] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Episode:
    """One issue misbehaving from ``start`` to ``end`` (its last event so far), with a bounded sample of its events.

    ``reason`` is novel, regressed or burst; ``gap`` the median time between its occurrences; ``earlier`` how many events
    of the issue came before. ``sightings`` are in order of time: the first and the last ones of many. ``breadth`` is that
    of their users, None where too few events name one.
    """

    issue: IssueFacts
    start: float
    end: float
    count: int
    met_at: float
    reason: str = "novel"
    gap: float = 0.0
    sightings: tuple[Sighting, ...] = ()
    users: int = 0
    sessions: int = 0
    earlier: int = 0
    breadth: float | None = None

    @property
    def key(self) -> str:
        """Stable while the episode grows: the issue and the service, not the moment."""
        return f"{self.issue.service}|{self.issue.key}"

    @property
    def service(self) -> str:
        """Where it was seen."""
        return self.issue.service

    @property
    def spacing(self) -> float:
        """Mean seconds between its events so far: how late the first event may come after the fault began."""
        return (self.end - self.start) / max(1, self.count - 1)


def breadth_of(users: Sequence[str]) -> float | None:
    """From 0 (a few users again and again) to 1 (every event another user); None where fewer than four events name one."""
    named = [user for user in users if user]
    if len(named) < 4:
        return None
    return min(1.0, max(0.0, (len(set(named)) / len(named) - 0.6) / 0.4))


@dataclass(frozen=True, slots=True)
class Outage:
    """Two or more consecutive failed checks of a service: [first failed, first good after); open while ``end`` is None.

    ``job`` is the name of the recurring job whose runs failed, ``alert`` the id of the alert that says so (``says_down``:
    and that nothing works any more); both empty where the service itself did not answer.
    """

    service: str
    start: float
    end: float | None
    met_at: float
    last_failed: float
    job: str = ""
    alert: str = ""
    says_down: bool = False

    @property
    def key(self) -> str:
        """Stable while the outage lasts."""
        what = f"job {self.job}" if self.job else f"alert {self.alert}" if self.alert else "checks"
        return f"{self.service}|{what}|{self.start:.0f}"

    @property
    def is_unanswered(self) -> bool:
        """Whether it was seen that the service itself did not answer."""
        return not self.job and not self.alert


@dataclass(frozen=True, slots=True)
class Change:
    """A production deploy or flag change. ``start`` is when it began; for a flag it is the instant it took effect.

    ``before`` is the release that ran when a deploy began; ``files`` is None where nobody told. ``services`` of a flag
    are those that own or evaluate it, told or learned; empty where unknown.
    """

    id: str
    kind: str
    services: tuple[str, ...]
    start: float
    finish: float | None = None
    status: str = "in_progress"
    release: str = ""
    before: str = ""
    strategy: str = ""
    percent: float | None = None
    files: tuple[str, ...] | None = None
    stated_kind: str = ""
    key: str = ""
    old: float | None = None
    new: float | None = None
    segment: Mapping[str, str] | None = None

    @property
    def is_deploy(self) -> bool:
        """A deploy, of whatever kind; otherwise a flag change."""
        return self.kind == "deploy"

    @property
    def service(self) -> str:
        """The service deployed; for a flag the first that it belongs to, else empty."""
        return self.services[0] if self.services else ""

    @property
    def is_noop(self) -> bool:
        """The release that ran already was deployed again."""
        return self.is_deploy and bool(self.release) and self.release == self.before

    @property
    def is_migration(self) -> bool:
        """A schema migration: said by strategy, or all its files are migrations."""
        if self.strategy == "migration":
            return True
        return bool(self.files) and all(is_schema_change(path) for path in self.files or ())

    @property
    def is_config(self) -> bool:
        """Configuration only: said by strategy, or no file of it is code."""
        if self.strategy == "config":
            return True
        return bool(self.files) and all(_is_config_file(path) for path in self.files or ())


_CONFIG_ENDINGS = (
    ".yaml",
    ".yml",
    ".toml",
    ".ini",
    ".cfg",
    ".conf",
    ".env",
    ".properties",
    ".tfvars",
    ".lock",
    ".json",
)
_PROSE_ENDINGS = (".md", ".rst", ".txt", ".adoc")
_LOCK_FILES = ("requirements.txt", "go.sum", "go.mod", "package.json", "gemfile.lock", "pipfile.lock", "cargo.lock")


def _is_config_file(path: str) -> bool:
    name = path.lower().rsplit("/", 1)[-1]
    return name.endswith(_CONFIG_ENDINGS + _PROSE_ENDINGS) or name.startswith(".env") or name in _LOCK_FILES


@dataclass(frozen=True, slots=True)
class TrafficPoint:
    """Sessions or requests of a service in [at, at + seconds), of one release or of all ("")."""

    at: float
    seconds: float
    count: int
    release: str = ""


@dataclass
class Context:
    """Everything around an incident that may explain it, as known ``now``.

    ``changes`` are sorted by (start, id) and span the candidates' window and what came after. ``staging`` tells for an
    issue key when it was seen outside production. ``file_rates`` (service -> path -> share of its deploys that changed
    it) is computed from ``changes`` where not given. ``rejected`` holds change ids that people refused for these issues.
    """

    now: float
    services: Mapping[str, ServiceFacts]
    changes: Sequence[Change]
    traffic: Mapping[str, Sequence[TrafficPoint]] = field(default_factory=dict)
    flag_services: Mapping[str, frozenset[str]] = field(default_factory=dict)
    staging: Mapping[str, Sequence[float]] = field(default_factory=dict)
    host_releases: Mapping[str, Sequence[Sighting]] = field(default_factory=dict)
    known_texts: Mapping[str, float] = field(default_factory=dict)
    rejected: frozenset[str] = frozenset()

    @cached_property
    def by_service(self) -> dict[str, list[Change]]:
        """Deploys of each service, in order."""
        found: dict[str, list[Change]] = {}
        for change in self.changes:
            if change.is_deploy:
                found.setdefault(change.service, []).append(change)
        return found

    @cached_property
    def by_flag(self) -> dict[str, list[Change]]:
        """Changes of each flag, in order."""
        found: dict[str, list[Change]] = {}
        for change in self.changes:
            if not change.is_deploy:
                found.setdefault(change.key, []).append(change)
        return found

    def deploys_between(self, service: str, after: float, until: float) -> list[Change]:
        """Deploys of a service that started in (after, until]."""
        mine = self.by_service.get(service, [])
        starts = [change.start for change in mine]
        return mine[bisect_right(starts, after) : bisect_right(starts, until)]

    def in_effect(self, service: str, at: float) -> tuple[Change, ...]:
        """Deploys of a service whose code ran at an instant, in order: without what was taken back, failed or repeated."""
        key = (service, at)
        if key not in self._in_effect:
            begun = [change for change in self.by_service.get(service, ()) if change.start <= at]
            self._in_effect[key] = in_effect(begun, at)
        return self._in_effect[key]

    @cached_property
    def _in_effect(self) -> dict[tuple[str, float], tuple[Change, ...]]:
        return {}

    def dependencies(self, service: str, hops: int = 2) -> dict[str, int]:
        """Services that this one calls, with the number of hops (1..hops)."""
        reached: dict[str, int] = {}
        edge = {service}
        for hop in range(1, hops + 1):
            edge = {d for s in edge for d in (self.services[s].depends_on if s in self.services else ())} - {service}
            for name in edge:
                reached.setdefault(name, hop)
        return reached

    def traffic_ratio(self, service: str, start: float, end: float) -> float | None:
        """Highest rate in [start, end) over the same service's usual rate at that time of day; None if not measured.

        Usual is the median rate of the points at the same time of day on other days (one hour around); without other
        days, of the three hours before.
        """
        rates = self._rates(service)
        if not rates:
            return None
        times = [at for at, _, _ in rates]
        inside = [
            (at, rate) for at, seconds, rate in rates[bisect_left(times, start - HOUR) : bisect_left(times, end)]
            if at + seconds > start
        ]  # fmt: skip
        if not inside:
            return None
        usual = [rate for at, _, rate in rates if at < start - 3 * HOUR and _same_hour(at, start)]
        if len(usual) < 4:
            usual = [rate for at, _, rate in rates if start - 3 * HOUR <= at < start - 900]
        if not usual:
            return None
        middle = sorted(usual)[len(usual) // 2]
        return max(rate for _, rate in inside) / middle if middle > 0 else None

    def _rates(self, service: str) -> list[tuple[float, float, float]]:
        cached = self._rate_cache.get(service)
        if cached is None:
            sums: dict[tuple[float, float], int] = {}
            for point in self.traffic.get(service, ()):
                sums[point.at, point.seconds] = sums.get((point.at, point.seconds), 0) + point.count
            cached = [(at, seconds, count / seconds) for (at, seconds), count in sorted(sums.items()) if seconds > 0]
            self._rate_cache[service] = cached
        return cached

    @cached_property
    def _rate_cache(self) -> dict[str, list[tuple[float, float, float]]]:
        return {}

    def release_share(self, service: str, release: str, at: float, within: float) -> float | None:
        """Share of the service's traffic on a release around an instant, from traffic counts; None if not measured.

        Counts over more than ``within`` seconds are no measure of a share that changes faster.
        """
        total = mine = 0
        for point in self.traffic.get(service, ()):
            if point.at <= at < point.at + point.seconds and point.release and point.seconds <= within:
                total += point.count
                mine += point.count if point.release == release else 0
        return mine / total if total >= 20 else None


def releases_before(deploys: Sequence[Change]) -> dict[str, str]:
    """The release that ran before each deploy of one service, by deploy id; empty where unknown.

    ``deploys`` are in order of start. Failed deploys, partial ones that never reached everybody and migrations leave the
    running release as it was.
    """
    current, found = "", {}
    for deploy in deploys:
        found[deploy.id] = current
        stays = deploy.is_migration or deploy.status == "failure"
        partial = deploy.percent is not None and deploy.percent < 100
        if deploy.release and not stays and not partial:
            current = deploy.release
    return found


def in_effect(deploys: Sequence[Change], at: float) -> tuple[Change, ...]:
    """Of the deploys of one service in order of start, those whose code ran at ``at``.

    Going back to a release takes back all that brought other code since; a failed deploy or an aborted canary leaves with
    its end; a repeat brings nothing. Migrations stay: a schema does not go back with the code.
    """
    ran: list[Change] = []
    for deploy in deploys:
        if deploy.is_noop or (deploy.status == "failure" and (deploy.finish is None or deploy.finish <= at)):
            continue
        if deploy.is_migration or not deploy.release:
            ran.append(deploy)
            continue
        returned = next((k for k, each in enumerate(ran) if deploy.release in (each.release, each.before)), None)
        if returned is None:
            ran.append(deploy)
            continue
        last = returned if ran[returned].release == deploy.release else returned - 1
        ran = [each for k, each in enumerate(ran) if k <= last or each.is_migration]
    return tuple(ran)


def _same_hour(one: float, other: float) -> bool:
    apart = abs(one - other) % DAY
    return min(apart, DAY - apart) <= HOUR / 2
