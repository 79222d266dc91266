"""Five naive rules for "which change did it", as tools of the field ship them: what the product is compared with.

Each is given the incidents as the product found and dated them at the end (so that only the verdict differs), the lines of
the history, and nothing else. A rule answers (cause or None, confidence, candidates). Confidences are what such a rule can
say of itself: a fixed one half, or its share of the votes.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

MINUTE, HOUR = 60.0, 3600.0
BACK = 72 * HOUR

Line = dict[str, Any]  # Any: a line of the history
Verdict = tuple[str | None, float, list[str]]


@dataclass(frozen=True)
class Deploy:
    """A production deploy as reported in the end."""

    id: str
    service: str
    start: float
    release: str
    status: str


class Facts:
    """The lines of a history by service and time."""

    def __init__(self, lines: list[Line]) -> None:
        folded: dict[str, Line] = {}
        errors: dict[str, list[tuple[float, str, str]]] = defaultdict(list)
        seen: set[str] = set()
        self.calls: dict[str, set[str]] = {}
        for line in lines:
            p = line["payload"]
            if line["kind"] == "deploy" and p["environment"] == "production":
                folded.setdefault(p["id"], {}).update(p)
            elif line["kind"] == "service":
                self.calls[p["service"]] = set(p["depends_on"])
            elif line["kind"] == "error" and p["environment"] == "production" and p["event_id"] not in seen:
                seen.add(p["event_id"])
                own = [f for f in p["frames"] if f["in_app"]]
                place = f"{own[-1]['file']} {own[-1]['function']}" if own else ""
                errors[p["service"]].append((p["timestamp"], p.get("release", ""), f"{p['type']} {place}"))
        found = [Deploy(p["id"], p["service"], p["started_at"], p["release"], p["status"]) for p in folded.values()]
        self.deploys = sorted(found, key=lambda d: (d.start, d.id))
        self.starts = [d.start for d in self.deploys]
        self.errors = {service: sorted(rows) for service, rows in errors.items()}
        self.times = {service: [at for at, _, _ in rows] for service, rows in self.errors.items()}

    def before(self, at: float, back: float = BACK) -> list[Deploy]:
        """Deploys that started in (at − back, at], the latest first."""
        return self.deploys[bisect_left(self.starts, at - back) : bisect_right(self.starts, at)][::-1]

    def count(self, service: str, start: float, end: float) -> int:
        """Errors of a service in [start, end)."""
        times = self.times.get(service, [])
        return bisect_left(times, end) - bisect_left(times, start)


def last_of_anything(facts: Facts, incident: Line) -> Verdict:
    """The last deploy that succeeded before, wherever (Apache DevLake's incident-deploy connector)."""
    found = [d for d in facts.before(incident["start"]) if d.status == "success"]
    return _first(found)


def last_of_service(facts: Facts, incident: Line) -> Verdict:
    """The last deploy of the service that fails."""
    return _first([d for d in facts.before(incident["start"]) if d.service == incident["service"]])


def first_seen_release(facts: Facts, incident: Line) -> Verdict:
    """The deploy of the release in which an error of the incident was seen first (Sentry's first release)."""
    service = incident["service"]
    rows = facts.errors.get(service, [])
    known = {what for at, _, what in rows if at < incident["start"] - MINUTE}
    for at, release, what in rows:
        if incident["start"] - MINUTE <= at <= incident["end"] + MINUTE and what not in known and release:
            named = [d for d in facts.before(at + 2 * MINUTE) if d.service == service and d.release == release]
            return _first(named)
    return None, 0.5, []


def rate_change(facts: Facts, incident: Line) -> Verdict:
    """The deploy of an affected service after which its errors rose most: half an hour before against after, at least twice."""
    rises: list[tuple[float, Deploy]] = []
    for deploy in facts.before(incident["start"] + 2 * MINUTE, 24 * HOUR):
        if deploy.service not in incident["services"]:
            continue
        before = facts.count(deploy.service, deploy.start - HOUR / 2, deploy.start)
        after = facts.count(deploy.service, deploy.start, deploy.start + HOUR / 2)
        if after >= 4 and (after + 1) >= 2 * (before + 1):
            rises.append(((after + 1) / (before + 1), deploy))
    ranked = [d for _, d in sorted(rises, key=lambda r: (-r[0], -r[1].start))]
    return _first(ranked)


def votes_with_decay(facts: Facts, incident: Line) -> Verdict:
    """Votes of the errors for deploys before them in four windows, a veto for those that began earlier, and decay by age.

    After Gandalf (Azure, NSDI 2020); its windows and weights are not published, these are ours.
    """
    votes: Counter[str] = Counter()
    calls = set().union(*(facts.calls.get(s, set()) for s in incident["services"]))
    for deploy in facts.before(incident["start"] + 2 * MINUTE):
        near = 1.0 if deploy.service in incident["services"] else 0.4 if deploy.service in calls else 0.05
        age = incident["start"] - deploy.start
        if near < 0.1 and age > 3 * HOUR:
            continue
        windows = sum(age <= w for w in (HOUR, 6 * HOUR, 24 * HOUR, BACK))
        ahead = facts.count(incident["service"], deploy.start - HOUR, deploy.start)
        during = facts.count(incident["service"], incident["start"], incident["end"] + 1)
        blame = max(0.0, (during - 2 * ahead) / max(1, during))
        votes[deploy.id] += near * windows / 4 * blame * math.exp(-max(0.0, age) / (4 * HOUR))
    total = sum(votes.values()) + 0.08
    ranked = [i for i, v in votes.most_common() if v > 0]
    if not ranked or votes[ranked[0]] < 0.08:
        return None, 0.08 / total, ranked[:5]
    return ranked[0], votes[ranked[0]] / total, ranked[:5]


def _first(found: list[Deploy]) -> Verdict:
    ids = [d.id for d in found][:5]
    return (ids[0] if ids else None), 0.5, ids


RULES: dict[str, Callable[[Facts, Line], Verdict]] = {
    "last deploy of anything": last_of_anything,
    "last deploy of the service": last_of_service,
    "first-seen release": first_seen_release,
    "rate change": rate_change,
    "votes with decay": votes_with_decay,
}


def answered(rule: Callable[[Facts, Line], Verdict], facts: Facts, answers: Line) -> Line:
    """The answers file with the rule's verdicts in place of the product's."""
    rows = []
    for incident in answers["incidents"]:
        cause, confidence, candidates = rule(facts, incident)
        rows.append({**incident, "cause_id": cause, "confidence": confidence, "candidates": candidates})
    return {**answers, "incidents": rows}
