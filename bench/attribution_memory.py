"""A history in memory, seen through the product's own detection, grouping and terms: what the laboratory fits on.

Nothing here knows the answer. `Memory` takes the lines in, `View` is what was known at an instant, `play` returns every
incident as it stands at the end and as it stood 15 minutes after detection.
"""

from __future__ import annotations

import sys
from bisect import bisect_left
from collections import defaultdict
from dataclasses import dataclass, field, replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from incidents.domain import attribution, detection, grouping, spells
from incidents.domain.case import Case
from incidents.domain.classification import classify
from incidents.domain.event import ErrorEvent, Frame
from incidents.domain.evidence import (
    HOUR,
    MINUTE,
    Change,
    Context,
    Episode,
    IssueFacts,
    ServiceFacts,
    Sighting,
    TrafficPoint,
    releases_before,
)
from incidents.domain.fingerprint import group
from incidents.domain.frames import in_app_frames, is_in_app, place_of, source_paths
from incidents.domain.load import load_of

RULE = detection.Rule()
SAMPLE = 200


@dataclass
class Row:
    """One production event of an issue, as received."""

    received: float
    raw_at: float
    sighting: Sighting
    at: float = 0.0


@dataclass
class Memory:
    """A history played into memory; ``view(T)`` is what was known at T."""

    issues: dict[str, IssueFacts] = field(default_factory=dict)
    rows: dict[str, list[Row]] = field(default_factory=lambda: defaultdict(list))
    staging: dict[str, list[tuple[float, float]]] = field(default_factory=lambda: defaultdict(list))
    services: dict[str, dict] = field(default_factory=dict)
    deploys: list[tuple[float, dict]] = field(default_factory=list)
    flags: list[tuple[float, dict]] = field(default_factory=list)
    traffic: dict[str, list[tuple[float, TrafficPoint]]] = field(default_factory=lambda: defaultdict(list))
    probes: dict[str, list[tuple[float, detection.Probe]]] = field(default_factory=lambda: defaultdict(list))
    seen: set = field(default_factory=set)

    def play(self, events: list[dict]) -> Memory:
        for event in events:
            getattr(self, f"_{event['kind']}")(event["received_at"], event["payload"])
        for rows in self.rows.values():
            rows.sort(key=lambda r: r.raw_at)
        return self

    def _service(self, received, p):
        self.services[p["service"]] = p

    def _deploy(self, received, p):
        self.deploys.append((received, p))

    def _flag(self, received, p):
        self.flags.append((received, p))

    def _sessions(self, received, p):
        if p["environment"] == "production":
            self.traffic[p["service"]].append(
                (received, TrafficPoint(p["at"], p["seconds"], p["count"], p.get("release", "")))
            )

    def _probe(self, received, p):
        self.probes[p["service"]].append((received, detection.Probe(p["at"], p["ok"])))

    def _error(self, received, p):
        if (p["service"], p["event_id"]) in self.seen:
            return
        self.seen.add((p["service"], p["event_id"]))
        frames = tuple(Frame(f["file"], "", f["function"], f["line"], f["in_app"]) for f in p["frames"])
        made = group(ErrorEvent(p["event_id"], None, p["type"], p["message"], frames=frames))
        key = f"{p['service']}|{made.key}"
        if key not in self.issues:
            self.issues[key] = IssueFacts(
                key=made.key,
                service=p["service"],
                type=p["type"],
                text=made.message.text,
                hosts=made.message.hosts,
                status=made.message.status,
                paths=source_paths(frames),
                places=tuple(place_of(f) for f in in_app_frames(frames)),
                is_library_inside=bool(frames) and not is_in_app(frames[-1]),
            )
        if p["environment"] != "production":
            self.staging[made.key].append((received, p["timestamp"]))
            return
        sighting = Sighting(
            p["timestamp"],
            p.get("host", ""),
            p.get("release", ""),
            p.get("user", ""),
            "",
            p.get("flags", {}),
            p.get("tags", {}),
        )
        self.rows[key].append(Row(received, p["timestamp"], sighting))


class View:
    """What was known at ``now``."""

    def __init__(self, memory: Memory, now: float, without: frozenset[str] = frozenset()) -> None:
        self.memory, self.now, self.without = memory, now, without
        deltas: dict[str, list[float]] = defaultdict(list)
        self.since: dict[str, float] = {}
        self.users: set[str] = set()
        flag_rows: dict[str, list[tuple[float, frozenset[str]]]] = defaultdict(list)
        for key, rows in memory.rows.items():
            service = memory.issues[key].service
            for row in rows:
                if row.received > now:
                    continue
                deltas[row.sighting.host].append(row.raw_at - row.received)
                self.since[service] = min(self.since.get(service, row.received), row.received)
                if row.sighting.user:
                    self.users.add(service)
                if row.sighting.flags:
                    flag_rows[service].append((row.received, frozenset(row.sighting.flags)))
        self.offsets = {host: spells.clock_offset(values) for host, values in deltas.items()}
        owners: dict[str, set[str]] = defaultdict(set)
        for service, rows in flag_rows.items():
            for _, keys in sorted(rows, key=lambda r: r[0])[-40:]:
                for flag in keys:
                    owners[flag].add(service)
        self.owners = (
            {flag: frozenset(names) for flag, names in owners.items()} if "flag_context" not in without else {}
        )
        self.services = {
            name: ServiceFacts(
                name,
                frozenset(p["depends_on"]) if "topology" not in without else frozenset(),
                tuple(p["hosts"]),
                p["probed"],
                name in self.users,
                self.since.get(name, 0.0),
            )
            for name, p in memory.services.items()
        }
        self.changes = self._changes()
        self.traffic = (
            {name: [point for received, point in points if received <= now] for name, points in memory.traffic.items()}
            if "traffic" not in without
            else {}
        )
        self._loads: dict = {}

    def _changes(self) -> list[Change]:
        folded: dict[str, dict] = {}
        for received, p in self.memory.deploys:
            if received <= self.now and p["environment"] == "production":
                old = folded.setdefault(p["id"], {})
                if old.get("status") in ("success", "failure") and p["status"] == "in_progress":
                    for k, v in p.items():
                        old.setdefault(k, v)
                    continue
                old.update(p)
        found = [
            Change(
                id=p["id"],
                kind="deploy",
                services=(p["service"],),
                start=p["started_at"],
                finish=p.get("finished_at"),
                status=p["status"],
                release=p.get("release", ""),
                strategy=p.get("strategy", ""),
                percent=p.get("percent"),
                files=tuple(p["files"]) if "files" in p and "files" not in self.without else None,
            )
            for p in folded.values()
        ]
        by_service = defaultdict(list)
        for change in sorted(found, key=lambda c: (c.start, c.id)):
            by_service[change.service].append(change)
        done = []
        for changes in by_service.values():
            before = releases_before(changes)
            done += [replace(c, before=before[c.id]) for c in changes]
        flags = {p["id"]: p for received, p in self.memory.flags if received <= self.now}
        done += [
            Change(
                id=p["id"],
                kind="flag",
                services=tuple(p.get("services", ())),
                start=p["at"],
                key=p["key"],
                old=p["old_percent"],
                new=p["new_percent"],
                segment=p.get("segment"),
            )
            for p in flags.values()
        ]
        return sorted(done, key=lambda c: (c.start, c.id))

    def corrected(self, key: str) -> list[Row]:
        rows = [r for r in self.memory.rows[key] if r.received <= self.now]
        for row in rows:
            row.at = row.raw_at - self.offsets.get(row.sighting.host, 0.0)
        return sorted(rows, key=lambda r: r.at)

    def _near(self, service: str):
        starts = [c.start for c in self.changes if c.is_deploy and c.service == service]

        def near(at: float) -> bool:
            k = bisect_left(starts, at - RULE.change_before)
            return k < len(starts) and starts[k] <= at + 2 * MINUTE

        return near

    def load(self, service: str):
        if service not in self._loads:
            self._loads[service] = load_of(self.traffic.get(service, ()))
        return self._loads[service]

    def symptoms(self, keys=None) -> list:
        found: list = []
        near = {name: self._near(name) for name in self.services}
        for key in sorted(self.memory.rows if keys is None else keys):
            issue = self.memory.issues[key]
            rows = self.corrected(key)
            if len(rows) < RULE.events:
                continue
            around = detection.Surroundings(
                self.services[issue.service].evidence_since, near[issue.service], self.load(issue.service)
            )
            for span in detection.spans([detection.Bucket(r.at, r.at) for r in rows], around, RULE):
                inside = [r for r in rows if span.start <= r.at <= span.end]
                sample = inside if len(inside) <= SAMPLE else inside[: SAMPLE // 2] + inside[-SAMPLE // 2 :]
                found.append(
                    Episode(
                        issue,
                        span.start,
                        span.end,
                        span.count,
                        span.met_at,
                        span.reason,
                        span.gap,
                        tuple(
                            replace(
                                r.sighting,
                                at=r.at,
                                flags=r.sighting.flags if "flag_context" not in self.without else {},
                                release=r.sighting.release if "release" not in self.without else "",
                            )
                            for r in sample
                        ),
                        users=len({r.sighting.user for r in inside if r.sighting.user}),
                        earlier=span.earlier,
                    )
                )
        if "probes" not in self.without:
            for service, probes in self.memory.probes.items():
                known = [probe for received, probe in probes if received <= self.now]
                found += detection.outages(service, known, RULE)
        return found

    def context(self) -> Context:
        texts: dict[str, float] = {}
        firsts: dict[str, list[tuple[float, str]]] = defaultdict(list)
        for key, rows in self.memory.rows.items():
            issue = self.memory.issues[key]
            if rows and rows[0].received <= self.now:
                firsts[f"{issue.service}|{issue.type}|{issue.text}"].append((rows[0].raw_at, key))
        for text, seen in firsts.items():
            if len(seen) > 1:
                texts[text] = min(seen)[0]
        return Context(
            now=self.now,
            services=self.services,
            changes=self.changes,
            traffic=self.traffic,
            flag_services=self.owners,
            staging={k: [at for received, at in v if received <= self.now] for k, v in self.memory.staging.items()},
            known_texts=texts,
        )


def case_of(group_: grouping.Group, context: Context) -> Case:
    when = spells.spells(group_, context.now, RULE)
    return Case(group_, context, when[-1].end)


def answer(case: Case, verdict: attribution.Verdict, services) -> dict:
    facts = [services[name] for name in case.services if name in services]
    best = verdict.best
    end = case.ended_at if case.ended_at is not None else case.group.last
    return {
        "start": case.onset,
        "end": end,
        "service": case.primary,
        "services": list(case.services),
        "class": classify(case.group, facts).name,
        "cause_id": best.change.id if best.change else None,
        "confidence": best.probability,
        "candidates": [w.change.id for w in verdict.ranked if w.change][:5],
        "detected_at": case.group.met_at,
    }


def live_moment(memory: Memory, closed: grouping.Group) -> float:
    """15 minutes after the rule was met, by arrival."""
    moments = [o.met_at for o in closed.outages]
    for episode in closed.episodes:
        rows = sorted(
            r.received
            for r in memory.rows[f"{episode.service}|{episode.issue.key}"]
            if episode.start <= r.at <= episode.end
        )
        moments.append(rows[min(len(rows), RULE.events) - 1])
    return min(moments) + 15 * MINUTE


def play(events: list[dict], without: frozenset[str] = frozenset()):
    """(closed, live) lists of (case, services); the live list holds None where nothing overlapped yet."""
    memory = Memory().play(events)
    final = View(memory, events[-1]["received_at"] + 3 * HOUR, without)
    found = grouping.groups(final.symptoms(), final.services, RULE)
    context = final.context()
    closed, live = [], []
    for group_ in found:
        closed.append(case_of(group_, context))
        moment = live_moment(memory, group_)
        view = View(memory, moment, without)
        recent = [
            k
            for k, rows in memory.rows.items()
            if any(moment - 8 * HOUR <= r.raw_at <= moment + HOUR and r.received <= moment for r in rows)
        ]
        then = [g for g in grouping.groups(view.symptoms(recent), view.services, RULE) if g.keys & group_.keys]
        best = max(then, key=lambda g: (len(g.keys & group_.keys), -abs(g.start - group_.start)), default=None)
        live.append(case_of(best, view.context()) if best is not None else None)
    return memory, final, closed, live
