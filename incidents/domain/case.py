"""One incident laid out for attribution: its evidence, what its messages speak of, and what surrounded it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property

from incidents.domain.evidence import (
    HOUR,
    MINUTE,
    Change,
    Context,
    Episode,
    IssueFacts,
    ServiceFacts,
    Sighting,
    breadth_of,
)
from incidents.domain.frames import same_file
from incidents.domain.grouping import Group
from incidents.domain.vocabulary import external_hosts, mechanisms, named_services


@dataclass(frozen=True, slots=True)
class Term:
    """One piece of evidence on a candidate: the weight's name, the value it is multiplied with, and a sentence."""

    name: str
    value: float
    sentence: str


def span_words(seconds: float) -> str:
    """A duration as people say it: 40 s, 3 min, 2 h 10 min, 1.5 days."""
    seconds = abs(seconds)
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 100 * MINUTE:
        return f"{seconds / MINUTE:.0f} min"
    if seconds < 36 * HOUR:
        hours, minutes = divmod(round(seconds / MINUTE), 60)
        return f"{hours} h {minutes} min" if minutes and hours < 10 else f"{hours} h"
    return f"{seconds / HOUR / 24:.1f} days"


@dataclass
class Case:
    """``ended_at`` is the instant the impact ended, None while it goes on. Everything derived is computed once."""

    group: Group
    around: Context
    ended_at: float | None = None

    @cached_property
    def onset(self) -> float:
        """The first failing evidence."""
        return self.group.start

    @cached_property
    def services(self) -> tuple[str, ...]:
        """Affected services, the most affected first."""
        return self.group.services

    @property
    def primary(self) -> str:
        """The most affected service."""
        return self.services[0]

    @cached_property
    def names(self) -> frozenset[str]:
        """All services of the team."""
        return frozenset(self.around.services)

    def facts(self, service: str) -> ServiceFacts:
        """Facts of a service, empty ones if it was never declared."""
        return self.around.services.get(service, ServiceFacts(service))

    @cached_property
    def main(self) -> Episode | None:
        """The episode with most events, None for an incident of failed checks alone."""
        return max(self.group.episodes, key=lambda e: (e.count, -e.start, e.key), default=None)

    @cached_property
    def issues(self) -> tuple[IssueFacts, ...]:
        """The issues, the one with most events first."""
        ordered = sorted(self.group.episodes, key=lambda e: (-e.count, e.start, e.key))
        return tuple(e.issue for e in ordered)

    @cached_property
    def sightings(self) -> tuple[Sighting, ...]:
        """All sampled events in order of time."""
        return tuple(
            sorted((s for e in self.group.episodes for s in e.sightings), key=lambda s: (s.at, s.host, s.user))
        )

    @cached_property
    def events(self) -> int:
        """Events in all."""
        return sum(e.count for e in self.group.episodes)

    @cached_property
    def mechanisms(self) -> dict[str, float]:
        """Share of the events whose message speaks of a mechanism."""
        shares: Counter[str] = Counter()
        for episode in self.group.episodes:
            for name in mechanisms(episode.issue.type, episode.issue.text):
                shares[name] += episode.count
        return {name: count / max(1, self.events) for name, count in shares.items()}

    def speaks_of(self, *wanted: str) -> float:
        """The largest share of events that speak of one of these mechanisms."""
        return max(self.mechanisms.get(name, 0.0) for name in wanted)

    @cached_property
    def named(self) -> dict[str, float]:
        """Share of the events that name a service of the team other than the one they come from."""
        shares: Counter[str] = Counter()
        for episode in self.group.episodes:
            issue = episode.issue
            for name in named_services(issue.text, issue.hosts, self.names) - {issue.service}:
                shares[name] += episode.count
        return {name: count / max(1, self.events) for name, count in shares.items()}

    @cached_property
    def external(self) -> dict[str, float]:
        """Share of the events that name a host outside the team."""
        shares: Counter[str] = Counter()
        for episode in self.group.episodes:
            for host in external_hosts(episode.issue.hosts, self.names):
                shares[host] += episode.count
        return {host: count / max(1, self.events) for host, count in shares.items()}

    @cached_property
    def root(self) -> str:
        """The service reached by following who names whom, from the most affected one; itself if it names nobody."""
        at, seen = self.primary, {self.primary}
        while True:
            mine = sum(e.count for e in self.group.episodes if e.service == at)
            counts: Counter[str] = Counter()
            for episode in self.group.episodes:
                if episode.service == at:
                    for name in named_services(episode.issue.text, episode.issue.hosts, self.names) - seen:
                        counts[name] += episode.count
            best = min(counts, key=lambda name: (-counts[name], name), default=None)
            if best is None or counts[best] < 0.3 * mine:
                return at
            at = best
            seen.add(best)

    @cached_property
    def users(self) -> int:
        """Distinct users among the sampled events."""
        return len({s.user for s in self.sightings if s.user})

    @cached_property
    def breadth(self) -> float:
        """From 0 (a few users again and again) to 1 (every event another user); 0 where too few events name one."""
        return breadth_of([s.user for s in self.sightings]) or 0.0

    @cached_property
    def is_scheduled(self) -> bool:
        """Looks like a job: nobody is behind it, and it begins close to a full or half hour or comes in even bunches."""
        if self.users or not self.group.episodes:
            return False
        bunches = [
            s.at for k, s in enumerate(self.sightings) if k == 0 or s.at - self.sightings[k - 1].at > 10 * MINUTE
        ]
        punctual = sum(1 for at in bunches if (at + 20) % (HOUR / 4) <= 3 * MINUTE)
        return bool(bunches) and punctual >= max(1, 0.75 * len(bunches))

    @cached_property
    def rate_before_end(self) -> float:
        """Mean seconds between events in all, at least one second."""
        return max(1.0, (self.group.last - self.onset) / max(1, self.events))

    @cached_property
    def spike(self) -> float | None:
        """Highest traffic ratio of the affected services around the onset; None where none counts its traffic."""
        end = min(self.around.now, self.onset + HOUR)
        ratios = [self.around.traffic_ratio(name, self.onset - 5 * MINUTE, end) for name in self.services]
        known = [ratio for ratio in ratios if ratio is not None]
        return max(known, default=None)

    @cached_property
    def has_expired(self) -> bool:
        """Do the errors say that a certificate has expired? Then what they name is its owner, not what was changed."""
        return self.mechanisms.get("expiry", 0.0) >= 0.5 and self.mechanisms.get("certificate", 0.0) >= 0.5

    @cached_property
    def comparable(self) -> frozenset[str]:
        """Affected services whose stack paths can be compared with file lists: some deploy changed such a file once."""
        found = set()
        for service in self.services:
            paths = self.paths(service)
            lists = [c.files for c in self.around.by_service.get(service, ()) if c.files]
            if any(same_file(path, file) for path in paths for files in lists for file in files):
                found.add(service)
        return frozenset(found)

    def paths(self, service: str) -> tuple[str, ...]:
        """Own source paths in the stacks of a service's issues."""
        return tuple(dict.fromkeys(p for issue in self.issues if issue.service == service for p in issue.paths))

    def file_rate(self, service: str, path: str) -> tuple[int, int]:
        """In how many of the service's deploys with file lists a file was changed: (changed, all)."""
        known = self._file_rates.get((service, path))
        if known is None:
            lists = [c.files for c in self.around.by_service.get(service, ()) if c.files]
            known = sum(1 for files in lists if any(same_file(path, file) for file in files)), len(lists)
            self._file_rates[service, path] = known
        return known

    @cached_property
    def _file_rates(self) -> dict[tuple[str, str], tuple[int, int]]:
        return {}

    def related(self, change: Change) -> frozenset[str]:
        """Services a change belongs to; those that evaluate its flag where the sender did not say."""
        if change.is_deploy or change.services:
            return frozenset(change.services)
        return self.around.flag_services.get(change.key, frozenset())
