"""A history in memory, seen through the product's own detection: what the laboratory fits on.

Nothing here knows the answer. `Memory` takes the lines in, `View` is what was known at an instant.
"""

from __future__ import annotations

import sys
from bisect import bisect_left
from collections import defaultdict
from dataclasses import dataclass, field, replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from deploys.domain.releases import is_same_version
from incidents.domain import detection, spells
from incidents.domain.event import ErrorEvent, Frame
from incidents.domain.evidence import (
    DAY,
    MINUTE,
    Change,
    Context,
    Episode,
    IssueFacts,
    ServiceFacts,
    Sighting,
    TrafficPoint,
    breadth_of,
    releases_before,
)
from incidents.domain.fingerprint import group
from incidents.domain.frames import in_app_frames, is_in_app, place_of, source_paths
from incidents.domain.load import load_of
from incidents.domain.topology import learned_calls

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
    aliases: dict[str, str] = field(default_factory=dict)

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
        names = frozenset(memory.services)
        seen = [memory.issues[key] for key, rows in memory.rows.items() if any(row.received <= now for row in rows)]
        calls = learned_calls(((issue.service, issue.hosts) for issue in seen), names)
        if "learned" in without:
            calls = {}
        self.services = {
            name: ServiceFacts(
                name,
                frozenset(p["depends_on"]) | calls.get(name, frozenset()) if "topology" not in without else frozenset(),
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
        if "unreported" not in self.without:
            found += self._unreported(found)
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

    def _unreported(self, known: list[Change]) -> list[Change]:
        """Releases that errors and sessions came from by now, and that no known deploy brought."""
        firsts: dict[tuple[str, str], float] = {}
        for key, rows in self.memory.rows.items():
            service = self.memory.issues[key].service
            for row in rows:
                if row.received <= self.now and row.sighting.release and "release" not in self.without:
                    at = row.raw_at - self.offsets.get(row.sighting.host, 0.0)
                    place = (service, row.sighting.release)
                    firsts[place] = min(firsts.get(place, at), at)
        for service, points in self.memory.traffic.items():
            for received, point in points:
                if received <= self.now and point.release and "traffic" not in self.without:
                    at = point.at + point.seconds / 2
                    place = (service, point.release)
                    firsts[place] = min(firsts.get(place, at), at)
        named: dict[str, list[str]] = defaultdict(list)
        for change in known:
            named[change.service].append(change.release)
        files = {
            p["release"]: p["files"] for received, p in self.memory.deploys if received <= self.now and "files" in p
        }
        found = []
        for (service, release), at in sorted(firsts.items()):
            if at < self.since.get(service, self.now) + DAY or any(is_same_version(release, n) for n in named[service]):
                continue
            id_ = f"unreported {service} {release}"
            told = files.get(release) if "files" not in self.without else None
            found.append(
                Change(
                    id=id_, kind="deploy", services=(service,), start=at, release=release,
                    files=tuple(told) if told is not None else None,
                )
            )  # fmt: skip
            for _, p in self.memory.deploys:
                if p["environment"] == "production" and p["service"] == service and p["release"] == release:
                    self.memory.aliases.setdefault(id_, p["id"])
        return found

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
                        breadth=breadth_of([r.sighting.user for r in sample]),
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
