"""Which episodes and outages are one incident: links between pairs, then connected parts.

One fault shows itself under several signatures and in several services; two faults may overlap. A pair is linked by the
log odds that both have one origin: how close their beginnings lie, measured by how often their events come, whether
their services depend on or name each other, and whether they speak of the same thing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from incidents.domain.detection import Rule, quiet_after
from incidents.domain.evidence import HOUR, MINUTE, Episode, Outage, ServiceFacts
from incidents.domain.link_weights import WEIGHTS
from incidents.domain.vocabulary import OPERATIONAL, external_hosts, mechanisms, named_services

Symptom = Episode | Outage


@dataclass(frozen=True, slots=True)
class Group:
    """One incident's evidence, in order of start."""

    episodes: tuple[Episode, ...]
    outages: tuple[Outage, ...]

    @property
    def start(self) -> float:
        """The first failing evidence."""
        return min([e.start for e in self.episodes] + [o.start for o in self.outages])

    @property
    def met_at(self) -> float:
        """When the first rule was met."""
        return min([e.met_at for e in self.episodes] + [o.met_at for o in self.outages])

    @property
    def last(self) -> float:
        """The last failing evidence."""
        return max([e.end for e in self.episodes] + [o.last_failed for o in self.outages])

    @property
    def services(self) -> tuple[str, ...]:
        """The service with most events first, then by number of events and name; those with outages only, last."""
        counts: dict[str, int] = {}
        for episode in self.episodes:
            counts[episode.service] = counts.get(episode.service, 0) + episode.count
        for outage in self.outages:
            counts.setdefault(outage.service, 0)
        return tuple(sorted(counts, key=lambda name: (-counts[name], name)))

    @property
    def keys(self) -> frozenset[str]:
        """The keys of its symptoms."""
        return frozenset([e.key for e in self.episodes] + [o.key for o in self.outages])


def last_of(symptom: Symptom) -> float:
    """Its last failing evidence."""
    return symptom.end if isinstance(symptom, Episode) else symptom.last_failed


def _spacing(symptom: Symptom) -> float:
    return symptom.spacing if isinstance(symptom, Episode) else MINUTE


def pause_between(one: Symptom, other: Symptom) -> float:
    """Seconds between the end of one and the start of the other; 0 when they overlap."""
    return max(0.0, max(one.start, other.start) - min(last_of(one), last_of(other)))


def pair_features(one: Symptom, other: Symptom, services: Mapping[str, ServiceFacts]) -> dict[str, float]:
    """What speaks for one origin of two symptoms; names are the keys of the weights."""
    apart = abs(one.start - other.start)
    # The first event comes about one spacing after the fault begins; both lags blur the distance.
    slack = 2 * MINUTE + _spacing(one) + _spacing(other)
    later, earlier = (one, other) if one.start >= other.start else (other, one)
    found = {
        "base": 1.0,
        "near": math.exp(-apart / slack),
        "distance": math.log1p(apart / (5 * MINUTE)),
        "pause": math.log1p(pause_between(one, other) / (5 * MINUTE)),
        "inside": float(later.start <= last_of(earlier)),
    }
    same = one.service == other.service
    found["same_service"] = float(same)
    if same:
        found["same_service_near"] = found["near"]
    else:
        found |= _relation(one.service, other.service, services, found["near"])
    if isinstance(one, Episode) and isinstance(other, Episode):
        found |= _likeness(one, other, services)
    elif same:
        found["outage_same_service"] = 1.0
    else:
        found["outage_elsewhere"] = 1.0
    return found


def _relation(one: str, other: str, services: Mapping[str, ServiceFacts], near: float) -> dict[str, float]:
    mine = services.get(one, ServiceFacts(one)).depends_on
    theirs = services.get(other, ServiceFacts(other)).depends_on
    if other in mine or one in theirs:
        return {"linked": 1.0, "linked_near": near}
    second = {d for name in mine for d in services.get(name, ServiceFacts(name)).depends_on}
    second_theirs = {d for name in theirs for d in services.get(name, ServiceFacts(name)).depends_on}
    if other in second or one in second_theirs or mine & theirs:
        return {"linked_far": 1.0, "linked_far_near": near}
    return {"unlinked_near": near}


def _likeness(one: Episode, other: Episode, services: Mapping[str, ServiceFacts]) -> dict[str, float]:
    names = frozenset(services)
    a, b = one.issue, other.issue
    found: dict[str, float] = {}
    same = a.service == b.service
    hosts = set(external_hosts(a.hosts, names)) & set(external_hosts(b.hosts, names)) or set(a.hosts) & set(b.hosts)
    named = (named_services(a.text, a.hosts, names) - {a.service}) & (
        named_services(b.text, b.hosts, names) - {b.service}
    )
    found["same_host"] = float(bool(hosts))
    found["different_hosts"] = float(not hosts and bool(a.hosts) and bool(b.hosts))
    found["same_named"] = float(bool(named))
    if not same:
        found["names_other"] = float(
            b.service in named_services(a.text, a.hosts, names) or a.service in named_services(b.text, b.hosts, names)
        )
    if one.breadth is not None and other.breadth is not None:
        found["breadth_apart"] = abs(one.breadth - other.breadth)
    found["same_text"] = float(a.type == b.type and a.text == b.text)
    mine, theirs = mechanisms(a.type, a.text) & OPERATIONAL, mechanisms(b.type, b.text) & OPERATIONAL
    found["same_mechanism"] = float(bool(mine & theirs))
    found["operational_and_not"] = float(bool(mine) != bool(theirs))
    if same:
        found["shared_frames"] = min(2, len(set(a.places) & set(b.places))) / 2
    return found


def link_score(one: Symptom, other: Symptom, services: Mapping[str, ServiceFacts]) -> float:
    """Log odds that two symptoms have one origin."""
    return sum(WEIGHTS.get(name, 0.0) * value for name, value in pair_features(one, other, services).items())


def may_link(one: Symptom, other: Symptom, rule: Rule) -> bool:
    """Close enough in time to be asked at all: overlapping, or resumed before the incident counts as over for good."""
    gap = max(one.gap if isinstance(one, Episode) else 0.0, other.gap if isinstance(other, Episode) else 0.0)
    return pause_between(one, other) <= max(rule.reopen, quiet_after(gap, rule))


def groups(
    symptoms: Sequence[Symptom],
    services: Mapping[str, ServiceFacts],
    rule: Rule,
    score: Callable[[Symptom, Symptom, Mapping[str, ServiceFacts]], float] = link_score,
) -> list[Group]:
    """Put symptoms together: pairs in order of their log odds, joined while the parts' mean over all pairs is positive.

    Average linkage keeps one weak bridge from chaining two faults. The result does not depend on the input's order.
    """
    ordered = sorted(symptoms, key=lambda s: (s.start, s.key))
    links: dict[tuple[int, int], float] = {}
    for i, one in enumerate(ordered):
        for j in range(i + 1, len(ordered)):
            if ordered[j].start > last_of(one) + 12 * HOUR:
                break
            if may_link(one, ordered[j], rule):
                links[i, j] = score(one, ordered[j], services)
    part = {i: [i] for i in range(len(ordered))}
    where = {i: i for i in range(len(ordered))}
    for (i, j), value in sorted(links.items(), key=lambda item: (-item[1], item[0])):
        a, b = where[i], where[j]
        if value <= 0 or a == b:
            continue
        # Pairs too far apart in time to be asked say nothing either way, as long as the rest carries the link.
        between = [links[min(p, q), max(p, q)] for p in part[a] for q in part[b] if (min(p, q), max(p, q)) in links]
        if sum(between) / len(between) <= 0:
            continue
        keep, drop = min(a, b), max(a, b)
        part[keep] += part.pop(drop)
        for index in part[keep]:
            where[index] = keep
    return sorted((_group([ordered[i] for i in sorted(members)]) for members in part.values()), key=lambda g: g.start)


def _group(members: Sequence[Symptom]) -> Group:
    return Group(
        tuple(m for m in members if isinstance(m, Episode)),
        tuple(m for m in members if isinstance(m, Outage)),
    )
