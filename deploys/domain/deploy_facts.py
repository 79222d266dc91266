"""What follows from the facts about deploys: live time, outcome, kind, and what a rollback undid.

Nothing here is stored. It depends on incidents (causes and remedies), which are arguments, so that it can be computed
as of any instant.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from deploys.domain.environments import tier
from deploys.domain.instants import optional_instant, parse_instant
from deploys.domain.records import CANARY_PERCENT, FINAL_STATUSES, Payload


class DeployKind(StrEnum):
    """What a deploy did to the version that was live."""

    FORWARD = "forward"
    HOTFIX = "hotfix"
    ROLLBACK = "rollback"
    REDEPLOY = "redeploy"

    @property
    def is_new_version(self) -> bool:
        """Forward or hotfix: the kinds that the change failure rate is about."""
        return self in {DeployKind.FORWARD, DeployKind.HOTFIX}


class Outcome(StrEnum):
    """How a deploy ended, as far as it is known."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"  # took traffic and was withdrawn
    ABORTED = "aborted"  # never live
    RUNNING = "running"
    NEVER_FINISHED = "never_finished"  # no final status within the time limit: neither success nor failure


@dataclass(frozen=True, slots=True)
class Deploy:
    """A deploy as its sender described it, clocks cut at the as-of instant."""

    id: str
    service: str
    tier: str
    started_at: datetime
    status: str
    finished_at: datetime | None = None
    live_at: datetime | None = None
    release: str | None = None
    artifact: str | None = None
    kind: DeployKind | None = None
    was_canary: bool = False

    def has_version_of(self, other: "Deploy") -> bool:
        """Artifact digests decide where both are known, else release names; no release equals nothing."""
        if self.artifact is not None and other.artifact is not None:
            return self.artifact == other.artifact
        return self.release is not None and self.release == other.release


@dataclass(frozen=True, slots=True)
class DeployFacts:
    """A deploy with what follows from all facts.

    kind is None while the deploy has no live time and its sender stated none. undone_ids are the deploys that this
    one, a succeeded rollback, took back: earliest first; returned_to_id is the one whose version it put live again,
    None where that is not known.
    """

    deploy: Deploy
    outcome: Outcome
    live_at: datetime | None = None
    kind: DeployKind | None = None
    undone_ids: tuple[str, ...] = ()
    returned_to_id: str | None = None

    @property
    def is_stacked(self) -> bool:
        """Put a version live that was not live before; from then on somebody may go back to it."""
        if self.outcome is not Outcome.SUCCEEDED or self.live_at is None or self.kind is None:
            return False
        return self.kind.is_new_version or (self.kind is DeployKind.ROLLBACK and self.returned_to_id is None)

    @property
    def counted_at(self) -> datetime:
        """The instant that assigns the deploy to a window: first traffic, or else the start."""
        return self.live_at or self.deploy.started_at

    @property
    def is_new_version(self) -> bool:
        """Took traffic with a version that was not live before."""
        return self.live_at is not None and self.kind is not None and self.kind.is_new_version


def deploy_of(identity: str, record: Payload, as_of: datetime) -> Deploy | None:
    """The typed deploy as known at the instant; None if it begins later.

    A clock that lies after as_of has not happened: a final status whose finished_at is such has not come.
    """
    started_at = parse_instant(record["started_at"])
    if started_at > as_of:
        return None
    finished_at = optional_instant(record.get("finished_at"))
    status = str(record.get("status") or "in_progress")
    if finished_at is not None and finished_at > as_of:
        finished_at, status = None, "in_progress"
    live_at = optional_instant(record.get("live_at"))
    percent, kind = record.get(CANARY_PERCENT), record.get("kind")
    return Deploy(
        id=identity,
        service=str(record["service"]),
        tier=tier(str(record.get("environment") or "production")),
        started_at=started_at,
        status=status,
        finished_at=finished_at,
        live_at=None if live_at is not None and live_at > as_of else live_at,
        release=_text(record.get("release")),
        artifact=_text(record.get("artifact")),
        kind=None if kind is None else DeployKind(str(kind)),
        was_canary=isinstance(percent, int | float) and percent > 0,
    )


def live_time(deploy: Deploy, first_harm_at: datetime | None) -> datetime | None:
    """First production traffic.

    first_harm_at is the start of the earliest incident that a valid, confirmed link blames on this deploy: what hurt
    production had reached it, unless the sender states the instant.
    """
    if deploy.live_at is not None:
        return deploy.live_at
    live_at = None
    if deploy.was_canary:
        live_at = deploy.started_at
    elif deploy.status == "success":
        live_at = deploy.finished_at or deploy.started_at
    if first_harm_at is not None and (live_at is None or first_harm_at < live_at):
        live_at = max(first_harm_at, deploy.started_at)
    return live_at


def outcome_of(deploy: Deploy, live_at: datetime | None, *, as_of: datetime, timeout: timedelta) -> Outcome:
    """How the deploy ended; silence for longer than the timeout is unknown, not success."""
    if deploy.status == "success":
        return Outcome.SUCCEEDED
    if deploy.status == "failure":
        return Outcome.ABORTED if live_at is None else Outcome.FAILED
    return Outcome.RUNNING if as_of - deploy.started_at <= timeout else Outcome.NEVER_FINISHED


def deploy_facts(
    deploys: Iterable[Deploy],
    *,
    remedy_ids: Collection[str],
    first_harm_at: Mapping[str, datetime],
    as_of: datetime,
    timeout: timedelta,
    below: Iterable[Deploy] = (),
) -> dict[str, DeployFacts]:
    """Facts by deploy id. Give the deploys of one tier: versions are compared per service among them.

    remedy_ids: deploys that some counted incident lists as what ended it. first_harm_at: see live_time. below: versions
    that were live before all of these and that nobody had undone, lowest first. Enough are those that have a version of
    these deploys, and the top one.
    """
    facts: dict[str, DeployFacts] = {}
    by_service: dict[str, list[tuple[datetime, str]]] = {}
    for deploy in deploys:
        live_at = live_time(deploy, first_harm_at.get(deploy.id))
        outcome = outcome_of(deploy, live_at, as_of=as_of, timeout=timeout)
        facts[deploy.id] = DeployFacts(deploy, outcome, live_at, deploy.kind)
        if live_at is not None:
            by_service.setdefault(deploy.service, []).append((live_at, deploy.id))
    stacks: dict[str, _LiveVersions] = {}
    for past in below:
        stacks.setdefault(past.service, _LiveVersions()).push(past)
    for service, lives in by_service.items():
        live = stacks.setdefault(service, _LiveVersions())
        for _, identity in sorted(lives):
            facts[identity] = _walked(facts[identity], live, is_remedy=identity in remedy_ids)
    return facts


class _LiveVersions:
    """The stack of versions that were put live, top last; finds a version without walking through the years below."""

    def __init__(self) -> None:
        self._stack: list[Deploy] = []
        self._by_artifact: dict[str, list[int]] = {}
        self._by_release: dict[str, list[int]] = {}
        self._by_bare_release: dict[str, list[int]] = {}

    def __len__(self) -> int:
        return len(self._stack)

    @property
    def top(self) -> Deploy:
        """What is live. IndexError where nothing was put live yet."""
        return self._stack[-1]

    def place_of(self, deploy: Deploy) -> int | None:
        """The highest entry of the same version (Deploy.has_version_of); None if there is none."""
        places = []
        if deploy.artifact is not None:
            places.append(self._by_artifact.get(deploy.artifact, []))
        if deploy.release is not None:
            index = self._by_release if deploy.artifact is None else self._by_bare_release
            places.append(index.get(deploy.release, []))
        return max((place[-1] for place in places if place), default=None)

    def push(self, deploy: Deploy) -> None:
        """The deploy's version is live now."""
        for index, name in self._entries(deploy):
            index.setdefault(name, []).append(len(self._stack))
        self._stack.append(deploy)

    def pop_down_to(self, size: int) -> list[Deploy]:
        """Takes everything above away; what was taken, lowest first."""
        taken = self._stack[size:]
        del self._stack[size:]
        for deploy in taken:
            for index, name in self._entries(deploy):
                index[name].pop()
        return taken

    def _entries(self, deploy: Deploy) -> list[tuple[dict[str, list[int]], str]]:
        entries = []
        if deploy.artifact is not None:
            entries.append((self._by_artifact, deploy.artifact))
        if deploy.release is not None:
            entries.append((self._by_release, deploy.release))
            if deploy.artifact is None:
                entries.append((self._by_bare_release, deploy.release))
        return entries


def _walked(facts: DeployFacts, live: _LiveVersions, *, is_remedy: bool) -> DeployFacts:
    """The facts with the kind; changes what is live if the deploy succeeded."""
    deploy, place = facts.deploy, live.place_of(facts.deploy)
    kind = deploy.kind
    if kind is None:
        if place is None:
            kind = DeployKind.HOTFIX if is_remedy else DeployKind.FORWARD
        else:
            kind = DeployKind.REDEPLOY if place == len(live) - 1 else DeployKind.ROLLBACK
    undone: list[Deploy] = []
    returned_to = None
    if facts.outcome is Outcome.SUCCEEDED:
        if kind.is_new_version:
            live.push(deploy)
        elif kind is DeployKind.ROLLBACK and place is not None:
            undone = live.pop_down_to(place + 1)
            returned_to = live.top.id
        elif kind is DeployKind.ROLLBACK:
            undone = live.pop_down_to(max(0, len(live) - 1))
            live.push(deploy)
    return DeployFacts(deploy, facts.outcome, facts.live_at, kind, tuple(past.id for past in undone), returned_to)


def is_final(status: object) -> bool:
    """Whether a status ends a deploy."""
    return status in FINAL_STATUSES


def _text(value: object) -> str | None:
    return None if value is None else str(value)
