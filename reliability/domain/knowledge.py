"""What follows from a history, once, for every window that is asked about it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cached_property

from deploys.domain.deploy_facts import DeployFacts, Outcome, deploy_facts, live_time, outcome_of
from reliability.domain.causes import JudgedIncident, judged
from reliability.domain.history import Cause, Commit, History, Incident
from reliability.domain.intervals import Interval
from reliability.domain.uptime import Hit, Timeline, any_down, service_timeline


class Excuses(StrEnum):
    """Which maintenance slots leave the calculation."""

    ANNOUNCED = "announced"
    ALSO_LATE = "also_late"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Failure:
    """A deploy that failed, and how long it hurt.

    recovered_at None: not recovered as of now, or (is_end_unknown) nobody said when.
    """

    facts: DeployFacts
    live_at: datetime
    begun_at: datetime
    recovered_at: datetime | None
    is_end_unknown: bool = False


class Knowledge:
    """Derived facts of a history; every property is computed once. All are in the policy's tier."""

    def __init__(self, history: History) -> None:
        self.history = history
        self._timelines: dict[tuple[str | None, Excuses], Timeline] = {}

    @cached_property
    def incidents(self) -> list[JudgedIncident]:
        """Incidents that count, with their links weighed, in order of their beginning."""
        policy = self.history.policy
        ordered = sorted(self.history.incidents, key=lambda incident: (incident.begin_at, incident.id))
        return [judged(incident, self.history.change_starts, policy.failure_classes) for incident in ordered]

    @cached_property
    def incident_by_id(self) -> dict[str, JudgedIncident]:
        """The same by id."""
        return {case.incident.id: case for case in self.incidents}

    @cached_property
    def deploys(self) -> dict[str, DeployFacts]:
        """Deploys with live time, outcome and kind, by id."""
        harm: dict[str, datetime] = {}
        for case in self.incidents:
            for identity in _named(case.confirmed, "deploy"):
                harm.setdefault(identity, case.incident.begin_at)
        aside = self._outside_the_walk(harm)
        excerpt = self.history.excerpt
        below = [] if excerpt is None else [aside[name].deploy for name in excerpt.below if name in aside]
        walked = deploy_facts(
            (deploy for name, deploy in self.history.deploys.items() if name not in aside),
            remedy_ids=self.remedy_ids("deploy"),
            first_harm_at=harm,
            as_of=self.history.as_of,
            timeout=self.history.policy.deploy_timeout,
            below=below,
        )
        return aside | walked

    def _outside_the_walk(self, harm: Mapping[str, datetime]) -> dict[str, DeployFacts]:
        """Of an excerpt, the deploys that went live outside its walk, with the kinds that are known of them."""
        found: dict[str, DeployFacts] = {}
        excerpt, policy = self.history.excerpt, self.history.policy
        for name, deploy in self.history.deploys.items() if excerpt is not None else ():
            live_at = live_time(deploy, harm.get(name))
            if excerpt is not None and live_at is not None and not excerpt.walk.holds(live_at):
                outcome = outcome_of(deploy, live_at, as_of=self.history.as_of, timeout=policy.deploy_timeout)
                found[name] = DeployFacts(deploy, outcome, live_at, deploy.kind or excerpt.kinds.get(name))
        return found

    @cached_property
    def deploys_of(self) -> dict[str | None, list[DeployFacts]]:
        """Deploys by service, and all of them under None."""
        lists: dict[str | None, list[DeployFacts]] = {None: list(self.deploys.values())}
        for facts in self.deploys.values():
            lists.setdefault(facts.deploy.service, []).append(facts)
        return lists

    @cached_property
    def incidents_of(self) -> dict[str | None, list[JudgedIncident]]:
        """Incidents by service they touched, and each once under None."""
        lists: dict[str | None, list[JudgedIncident]] = {None: self.incidents}
        for case in self.incidents:
            for service in case.incident.services:
                lists.setdefault(service, []).append(case)
        return lists

    def remedy_ids(self, kind: str) -> set[str]:
        """Deploys or flag changes (kind deploy or flag) that an incident lists as what ended it."""
        return self._remedies.get(kind, set())

    @cached_property
    def _remedies(self) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for case in self.incidents:
            for kind, identity in case.incident.remedies:
                found.setdefault(kind, set()).add(identity)
        return found

    @cached_property
    def caused(self) -> dict[tuple[str, str], list[Incident]]:
        """Counting incidents by the change (kind, id) that a confirmed link blames."""
        caused: dict[tuple[str, str], list[Incident]] = {}
        for case in self.incidents:
            if case.is_counting:
                for kind in ("deploy", "flag"):
                    for identity in dict.fromkeys(_named(case.confirmed, kind)):
                        caused.setdefault((kind, identity), []).append(case.incident)
        return caused

    @cached_property
    def condemned(self) -> dict[str, DeployFacts]:
        """Deploys that somebody went back behind: the earliest new version that a rollback undid, with the rollback."""
        return {first: back for back, (first, *_) in self.rollbacks}

    @cached_property
    def suspected_ids(self) -> set[str]:
        """New versions that are not failed, but suggested by a counting incident or carried along by a rollback."""
        carried = {identity for _, (_, *rest) in self.rollbacks for identity in rest}
        suggested = {name for case in self.incidents if case.is_counting for name in _named(case.suggested, "deploy")}
        versions = {name for name in carried | suggested if name in self.deploys and self.deploys[name].is_new_version}
        return versions - self.failures.keys()

    @cached_property
    def failures(self) -> dict[str, Failure]:
        """Failed deploys of any kind by id."""
        failures: dict[str, Failure] = {}
        for identity, facts in self.deploys.items():
            failure = self._failure(identity, facts)
            if failure is not None:
                failures[identity] = failure
        return failures

    @cached_property
    def harmful_flag_change_ids(self) -> set[str]:
        """Ids of flag changes that are a confirmed cause of any incident."""
        return {name for case in self.incidents for name in _named(case.confirmed, "flag")}

    def first_lives_of(self, service: str | None) -> list[tuple[datetime | None, datetime]]:
        """(committed_at, first live time) of every commit that a succeeded deploy delivered.

        A commit counts once per service it reached, and once in the whole (None).
        """
        return [(commit.committed_at, live_at) for commit, live_at in self.first_deliveries_of(service)]

    def first_deliveries_of(self, service: str | None) -> list[tuple[Commit, datetime]]:
        """The same, with the commits themselves."""
        return self._first_deliveries.get(service, [])

    @cached_property
    def _first_deliveries(self) -> dict[str | None, list[tuple[Commit, datetime]]]:
        lists: dict[str | None, list[tuple[Commit, datetime]]] = {}
        for commit in self.history.commits:
            lives: dict[str | None, datetime] = {}
            for identity in commit.deploy_ids:
                facts = self.deploys.get(identity)
                if facts is None or facts.live_at is None or facts.outcome is not Outcome.SUCCEEDED:
                    continue
                for scope in (None, facts.deploy.service):
                    lives[scope] = min(lives.get(scope, facts.live_at), facts.live_at)
            for scope, live_at in lives.items():
                lists.setdefault(scope, []).append((commit, live_at))
        return lists

    def timeline(self, service: str | None, excuses: Excuses = Excuses.ANNOUNCED) -> Timeline:
        """The timeline of a service, or of the whole (None): any critical service down. Without slots one for all excuses."""
        key = (service, excuses if self.history.maintenances else Excuses.NONE)
        if key not in self._timelines:
            if service is None:
                critical = [name for name, item in self.history.services.items() if item.is_critical]
                self._timelines[key] = any_down([self.timeline(name, excuses) for name in critical])
            else:
                self._timelines[key] = self._service_timeline(service, excuses)
        return self._timelines[key]

    def excused(self, service: str, excuses: Excuses = Excuses.ANNOUNCED) -> list[Interval]:
        """The slots that excuse a service."""
        if excuses is Excuses.NONE:
            return []
        return [
            slot.interval
            for slot in self.history.maintenances
            if (slot.services is None or service in slot.services)
            and (slot.is_announced or excuses is Excuses.ALSO_LATE)
        ]

    def _service_timeline(self, service: str, excuses: Excuses) -> Timeline:
        hits = [
            Hit(Interval(spell.start, spell.end or self.history.as_of), spell.degradation, case.incident.id)
            for case in self.incidents_of.get(service, [])
            for spell in case.incident.spells
        ]
        gaps = [gap.interval for gap in self.history.gaps if gap.services is None or service in gap.services]
        return service_timeline(self.history.services[service].life, self.excused(service, excuses), gaps, hits)

    @cached_property
    def rollbacks(self) -> list[tuple[DeployFacts, list[str]]]:
        """Rollbacks that condemn, each with the new versions it undid, earliest first.

        A rollback that was the remedy of an incident with a confirmed cause condemns nobody: that verdict stands.
        """
        explained = {
            identity
            for case in self.incidents
            if case.confirmed
            for kind, identity in case.incident.remedies
            if kind == "deploy"
        }
        rollbacks: list[tuple[DeployFacts, list[str]]] = []
        for identity, facts in self.deploys.items():
            undone = [name for name in facts.undone_ids if self.deploys[name].is_new_version]
            if undone and identity not in explained:
                rollbacks.append((facts, undone))
        for identity, undone_ids in self.history.excerpt.later if self.history.excerpt is not None else ():
            if identity not in explained:
                rollbacks.append((self.deploys[identity], list(undone_ids)))
        return rollbacks

    def _failure(self, identity: str, facts: DeployFacts) -> Failure | None:
        if facts.live_at is None:
            return None
        incidents = self.caused.get(("deploy", identity))
        if incidents:
            restored = [incident.restored_at for incident in incidents]
            known = [at for at in restored if at is not None]
            recovered_at = max(known) if len(known) == len(restored) else None
            return Failure(facts, facts.live_at, min(i.begin_at for i in incidents), recovered_at)
        if facts.outcome is Outcome.FAILED:
            ended_at = facts.deploy.finished_at
            return Failure(facts, facts.live_at, facts.live_at, ended_at, is_end_unknown=ended_at is None)
        if identity in self.condemned:
            return Failure(facts, facts.live_at, facts.live_at, self.condemned[identity].live_at)
        return None


def _named(causes: Iterable[Cause], kind: str) -> list[str]:
    return [cause.id for cause in causes if cause.kind == kind and cause.id is not None]
