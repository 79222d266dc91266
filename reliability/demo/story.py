"""The demo's history, line by line, as it would have reached the tracker. Pure: the same anchor gives the same lines."""

from __future__ import annotations

import datetime as dt
import math
import random
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final
from zoneinfo import ZoneInfo

from reliability.demo.fleet import (
    BUGS,
    CHRONIC,
    COMMIT_THINGS,
    COMMIT_VERBS,
    FLAG_BUG,
    FLAGS,
    OUTSIDE,
    PEOPLE,
    SERVICES,
    ZONE,
    DemoError,
    DemoService,
)

DAYS: Final = 90
#: The last days come in through the live path, so that incidents and verdicts are the machine's own.
LIVE_DAYS: Final = 6
MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0
LINE = dict[str, Any]


def iso(instant: float) -> str:
    """UTC, to the millisecond."""
    return dt.datetime.fromtimestamp(instant, dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass(slots=True, eq=False)
class Planned:
    """A deploy of the story. Its number and release are given when all are known, in the order of time."""

    at: float
    service: DemoService
    files: list[str]
    seconds: float
    kind: str | None = None
    strategy: str = "rolling"
    undoes: Planned | None = None
    number: str = ""
    release: str = ""
    before: str = ""


@dataclass(slots=True, eq=False)
class Trouble:
    """Something that goes wrong in [begin, end) and is logged or found."""

    name: str
    begin: float
    end: float
    error: DemoError
    impact: str
    guilty: Planned | None = None
    remedy: Planned | None = None


@dataclass(slots=True)
class Story:
    """Tells the history up to `anchor` (epoch seconds)."""

    anchor: float
    random: random.Random = field(default_factory=lambda: random.Random("upshot demo"))  # noqa: S311 -- a story, no secret
    lines: list[tuple[float, LINE]] = field(default_factory=list)
    planned: list[Planned] = field(default_factory=list)
    past: list[Trouble] = field(default_factory=list)
    outages: list[tuple[str, float, float]] = field(default_factory=list)
    live: dict[str, list[tuple[float, str]]] = field(default_factory=dict)
    count: int = 0

    @property
    def start(self) -> float:
        """The first instant told of."""
        return self.anchor - DAYS * DAY

    def say(self, kind: str, received: float, /, **payload: Any) -> None:
        """One line, if it has been received by the anchor."""
        if received <= self.anchor:
            self.lines.append((received, {"kind": kind, "received_at": iso(received), "payload": payload}))

    def whole(self) -> list[LINE]:
        """All lines, in order of arrival."""
        self.cast()
        self.plan_past()
        last = self.plan_recent()
        self.plan_ordinary()
        self.name_deploys()
        for planned in self.planned:
            self.tell_deploy(planned)
        self.flags()
        for trouble in self.past:
            self.tell_past(trouble)
        self.tell_recent(last)
        self.traffic()
        self.chronic_errors()
        self.lines.sort(key=lambda pair: pair[0])
        return [line for _, line in self.lines]

    # -- who there is ------------------------------------------------------------------------------------------------

    def cast(self) -> None:
        """Services, objectives, planned work."""
        self.say("history", self.start, version=1, made_by="upshot demo", policy={})
        for service in SERVICES:
            self.say(
                "service", self.start, service=service.name, critical=service.critical, users=service.users or None,
                depends_on=list(service.depends_on), hosts=list(service.hosts), probed=service.critical, born_at=iso(self.start),
            )  # fmt: skip
        promises = (
            ("whole", None, "time", 0.999, {"window_days": 28}),
            ("checkout-uptime", "checkout", "time", 0.999, {"window_days": 28}),
            ("storefront-uptime", "storefront", "time", 0.9995, {"window_days": 28}),
            ("payments-requests", "payments", "requests", 0.995, {"window_days": 28}),
            ("search-uptime", "search", "time", 0.995, {"calendar": "month"}),
        )
        for name, on, sli, target, period in promises:
            self.say("objective", self.start, id=name, service=on, sli=sli, target=target, **period)
        for weeks, title in ((10, "Database upgrade"), (5, "Move to the new racks"), (2, "Certificate renewal")):
            at = self.local(self.anchor - weeks * 7 * DAY, 3)
            self.say(
                "maintenance", at - 4 * DAY, id=f"slot-{weeks}", starts_at=iso(at), ends_at=iso(at + HOUR), announced_at=iso(at - 4 * DAY),
                title=title, services=["checkout", "payments"],
            )  # fmt: skip

    def local(self, instant: float, hour: float) -> float:
        """The given hour of that day in the shop's zone."""
        day = dt.datetime.fromtimestamp(instant, ZoneInfo(ZONE)).replace(hour=0, minute=0, second=0, microsecond=0)
        return day.timestamp() + hour * HOUR

    # -- deploys -----------------------------------------------------------------------------------------------------

    def plan_ordinary(self) -> None:
        """What the teams ship on working days, most of it innocent, away from the hours of trouble."""
        busy = [trouble.begin for trouble in self.past] + self.trouble_times()
        for service in SERVICES:
            for day in range(DAYS):
                noon = self.local(self.start + day * DAY, 12)
                weekday = dt.datetime.fromtimestamp(noon, ZoneInfo(ZONE)).weekday()
                rate = service.deploys_per_week / 5 * (0, 1)[weekday < 5] * (1.0, 0.6)[weekday == 4]
                for _ in range(self.poisson(rate)):
                    at = self.local(noon, self.random.triangular(8.5, 17.5, 11))
                    if all(abs(at - each) > 2.5 * HOUR for each in busy):
                        self.plan(service, at)

    def trouble_times(self) -> list[float]:
        """When the recent troubles begin: a third party, then a flag, then a deploy."""
        return [self.past_hour(5, 11.2), self.past_hour(3, 13.4), self.past_hour(1, 14.4)]

    def past_hour(self, back: int, hour: float) -> float:
        """That hour on the day `back` days before the anchor; a day earlier when it is not well past."""
        at = self.local(self.anchor - back * DAY, hour)
        return at if at < self.anchor - 3 * HOUR else self.local(self.anchor - (back + 1) * DAY, hour)

    def poisson(self, mean: float) -> int:
        """A Poisson draw by Knuth's method; small means only."""
        limit, product, number = math.exp(-mean), self.random.random(), 0
        while product > limit:
            product *= self.random.random()
            number += 1
        return number

    def plan(
        self,
        service: DemoService,
        at: float,
        *,
        files: list[str] | None = None,
        kind: str | None = None,
        strategy: str = "rolling",
        undoes: Planned | None = None,
    ) -> Planned:
        """A deploy to come."""
        if files is None:
            files = sorted(self.random.sample(service.files, self.random.randint(1, min(3, len(service.files)))))
        planned = Planned(at, service, files, self.random.uniform(3, 7) * MINUTE, kind, strategy, undoes)
        self.planned.append(planned)
        return planned

    def name_deploys(self) -> None:
        """Numbers and releases in the order of time; a rollback brings back what ran before the deploy it undoes."""
        current = {service.name: f"{service.major}.0.0" for service in SERVICES}
        self.live = {name: [(self.start, release)] for name, release in current.items()}
        self.planned.sort(key=lambda planned: planned.at)
        for planned in self.planned:
            self.count += 1
            name = planned.service.name
            planned.number, planned.before = f"run-{4000 + self.count}", current[name]
            major, minor, patch = (int(part) for part in current[name].split("."))
            if planned.undoes is not None:
                planned.release = planned.undoes.before
            elif planned.kind == "hotfix":
                planned.release = f"{major}.{minor}.{patch + 1}"
            else:
                highest = max(int(release.split(".")[1]) for _, release in self.live[name])
                planned.release = f"{major}.{highest + 1}.0"
            current[name] = planned.release
            self.live[name].append((planned.at + planned.seconds / 2, planned.release))

    def tell_deploy(self, planned: Planned) -> None:
        """A start message, an end message, the commits."""
        at, end, number = planned.at, planned.at + planned.seconds, planned.number
        title = f"{self.random.choice(COMMIT_VERBS)} {self.random.choice(COMMIT_THINGS)}"
        common: LINE = {
            "id": number, "service": planned.service.name, "environment": "production", "release": planned.release, "started_at": iso(at),
            "strategy": planned.strategy, "files": planned.files if planned.undoes is None else None,
            "description": f"Back to {planned.release}" if planned.undoes else title,
        }  # fmt: skip
        if planned.kind:
            common["kind"] = planned.kind
        self.say("deploy", at + 2, **common, status="in_progress", delivery_id=f"{number}-start")
        self.say("deploy", end + 1, **common, status="success", finished_at=iso(end), delivery_id=f"{number}-end")
        for _ in range(self.random.choice((1, 1, 2, 3)) if planned.undoes is None else 0):
            made = at - self.random.expovariate(1 / (5 * HOUR)) - 20 * MINUTE
            self.say(
                "change", end + 1, sha=f"{self.random.getrandbits(160):040x}", committed_at=iso(made), deploys=[number],
                service=planned.service.name, author=self.random.choice(PEOPLE), title=title,
            )  # fmt: skip

    def release_at(self, service: str, instant: float) -> str:
        """What was live then."""
        return max((pair for pair in self.live[service] if pair[0] <= instant), default=self.live[service][0])[1]

    # -- flags -------------------------------------------------------------------------------------------------------

    def flags(self) -> None:
        """Descriptions and changes of the flags, without the one that hurts."""
        for flag in FLAGS:
            known: LINE = {
                "key": flag.key, "created_at": iso(self.anchor - flag.created * DAY), "owner": flag.owner or None,
                "kind": "permanent" if flag.permanent else "temporary", "code_references": flag.references,
            }  # fmt: skip
            if flag.expires is not None:
                known["expires_at"] = iso(self.anchor - flag.expires * DAY)
            if flag.is_measured:
                known["last_evaluated_at"] = None if flag.evaluated is None else iso(self.anchor - flag.evaluated * DAY)
            self.say(
                "flag",
                self.anchor - flag.created * DAY,
                **{key: value for key, value in known.items() if key != "last_evaluated_at"},
            )
            self.say("flag", self.anchor - 0.05 * DAY, **known)
            before = 0
            for day, percent in flag.steps:
                at = self.local(self.anchor - day * DAY, 10.5)
                self.flip(flag.key, at, before, percent, flag.service)
                before = percent

    def flip(self, key: str, at: float, old: int, new: int, service: str) -> str:
        """One flag change. Returns its id."""
        self.count += 1
        number = f"flip-{self.count}"
        self.say(
            "flag",
            at + 1,
            id=number,
            key=key,
            at=iso(at),
            old_percent=old,
            new_percent=new,
            services=[service],
            delivery_id=number,
        )
        return number

    # -- trouble -----------------------------------------------------------------------------------------------------

    def plan_past(self) -> None:
        """Incidents of the weeks before, logged and judged by people."""
        classes = ("multi_user", "single_user", "downtime", "multi_user", "impactless", "multi_user", "single_user")
        for n, back in enumerate((86, 79, 73, 66, 61, 54, 47, 41, 34, 29, 22, 17, 12, 9)):
            at = self.past_hour(back, 9.5 + (n * 1.7) % 7)
            if n % 7 == 3:
                self.past.append(Trouble(f"old-{n}", at, at + (12 + 5 * (n % 3)) * MINUTE, OUTSIDE, "downtime"))
                continue
            bug = BUGS[n % len(BUGS)]
            service = self.service(bug.service)
            guilty = self.plan(service, at, files=sorted({bug.frames[-1][0], self.random.choice(service.files)}))
            begin = at + self.random.uniform(3, 9) * MINUTE
            end = begin + self.random.uniform(14, 70) * MINUTE
            if self.random.random() < 0.5:
                remedy = self.plan(service, end - 4 * MINUTE, kind="rollback", undoes=guilty)
            else:
                remedy = self.plan(service, end - 5 * MINUTE, kind="hotfix")
            self.past.append(Trouble(f"old-{n}", begin, end, bug, classes[n % 7], guilty, remedy))

    def service(self, name: str) -> DemoService:
        """One of the cast."""
        return next(each for each in SERVICES if each.name == name)

    def tell_past(self, trouble: Trouble) -> None:
        """The errors it left and what people wrote down."""
        users = {"single_user": 1, "impactless": 0}.get(trouble.impact, self.random.randint(6, 40))
        service = trouble.error.service
        release = trouble.guilty.release if trouble.guilty else self.release_at(service, trouble.begin)
        self.errors(
            trouble.error, trouble.begin, trouble.end, count=self.random.randint(14, 60), users=users, release=release
        )
        detected, heard = (
            trouble.begin + self.random.uniform(1, 6) * MINUTE,
            trouble.begin + self.random.uniform(7, 11) * MINUTE,
        )
        title = f"{trouble.error.type} in {service}" if trouble.guilty else "The card network does not answer"
        self.say(
            "incident", heard, id=trouble.name, services=[service] if trouble.guilty else [service, "checkout"], title=title,
            started_at=iso(trouble.begin), detected_at=iso(detected), acknowledged_at=iso(heard), **{"class": trouble.impact},
        )  # fmt: skip
        ended: LINE = {"id": trouble.name, "mitigated_at": iso(trouble.end - MINUTE), "restored_at": iso(trouble.end)}
        if trouble.remedy:
            ended["remedies"] = [{"kind": "deploy", "id": trouble.remedy.number}]
        self.say("incident", trouble.end + 2 * MINUTE, **ended)
        cause = {"kind": "deploy", "id": trouble.guilty.number} if trouble.guilty else {"kind": "external"}
        self.say("incident", trouble.end + 3 * HOUR, id=trouble.name, causes=[cause])

    def plan_recent(self) -> Trouble:
        """The deploy that goes wrong on the last day, and the way back."""
        at = self.trouble_times()[2]
        checkout = self.service("checkout")
        guilty = self.plan(checkout, at - 4 * MINUTE, files=["orders/models.py", "orders/totals.py"])
        remedy = self.plan(checkout, at + 21 * MINUTE, kind="rollback", strategy="all_at_once", undoes=guilty)
        return Trouble("last", at + 20, at + 24 * MINUTE, BUGS[0], "downtime", guilty, remedy)

    def tell_recent(self, last: Trouble) -> None:
        """Three troubles that the machine finds by itself: a third party, a flag, a deploy."""
        outside, flag, _ = self.trouble_times()
        self.errors(
            OUTSIDE, outside, outside + 21 * MINUTE, count=70, users=44, release=self.release_at("payments", outside)
        )
        self.outages.append(("payments", outside + MINUTE, outside + 20 * MINUTE))
        self.flip("instant-vat", flag - 5 * MINUTE, 25, 50, "checkout")
        release = self.release_at("checkout", flag)
        self.errors(
            FLAG_BUG, flag, flag + 38 * MINUTE, count=48, users=29, release=release, flags={"instant-vat": True}
        )
        self.flip("instant-vat", flag + 38 * MINUTE, 50, 0, "checkout")
        if last.guilty:
            self.errors(last.error, last.begin, last.end, count=140, users=61, release=last.guilty.release)
        self.outages.append(("checkout", last.begin + 2 * MINUTE, last.end - MINUTE))

    # -- evidence ----------------------------------------------------------------------------------------------------

    def errors(
        self,
        error: DemoError,
        begin: float,
        end: float,
        *,
        count: int,
        users: int,
        release: str,
        flags: dict[str, bool] | None = None,
    ) -> None:
        """Error reports spread over [begin, end), the first at its beginning."""
        service = next(each for each in SERVICES if each.name == error.service)
        people = [f"customer-{self.random.randint(1000, 9999)}" for _ in range(users)]
        times = [begin, *sorted(self.random.uniform(begin, end) for _ in range(count - 1))]
        for at in times:
            payload: LINE = {
                "event_id": uuid.UUID(int=self.random.getrandbits(128)).hex, "timestamp": iso(at), "service": error.service, "environment": "production",
                "release": release, "type": error.type, "message": error.message.format(n=self.random.randint(100, 99999)),
                "frames": [{"file": file, "function": function, "line": line, "in_app": True} for file, function, line in error.frames],
                "host": self.random.choice(service.hosts), "tags": {"country": self.random.choice(("DK", "SE", "DE", "NO"))},
            }  # fmt: skip
            if people:
                payload["user"] = self.random.choice(people)
            if flags:
                payload["flags"] = flags
            self.say("error", at + self.random.uniform(0.2, 3), **payload)

    def chronic_errors(self) -> None:
        """Trickles that mean nothing new."""
        for error, per_day in CHRONIC:
            at = self.start + self.random.expovariate(per_day / DAY)
            while at < self.anchor:
                self.errors(
                    error,
                    at,
                    at,
                    count=1,
                    users=1 if error.service != "mailer" else 0,
                    release=self.release_at(error.service, at),
                )
                at += self.random.expovariate(per_day / DAY)

    def traffic(self) -> None:
        """Sessions each quarter of an hour (each hour in the older part), and checks each minute of the live days."""
        for service in (each for each in SERVICES if each.sessions):
            for at, seconds in self.quarters():
                hour = (at % DAY) / HOUR
                share = 0.12 + 0.88 * max(0.0, math.sin((hour - 5) / 17 * math.pi)) if 5 <= hour <= 22 else 0.12
                count = max(1, round(service.sessions * share * seconds / 900 * self.random.uniform(0.92, 1.08)))
                failed = sum(self.random.random() < 0.0006 for _ in range(min(count, 400)))
                self.say(
                    "sessions", at + seconds + 5, service=service.name, environment="production", release=self.release_at(service.name, at),
                    at=iso(at), seconds=seconds, count=count, failed=failed,
                )  # fmt: skip
        for service in (each for each in SERVICES if each.critical):
            for at in self.minutes():
                is_down = any(name == service.name and begin <= at < end for name, begin, end in self.outages)
                self.say(
                    "probe", at + 1, service=service.name, environment="production", at=iso(at), ok=not is_down, status=503 if is_down else 200,
                    latency_ms=round(self.random.uniform(18, 60), 1),
                )  # fmt: skip

    def quarters(self) -> Iterator[tuple[float, float]]:
        """Starts and lengths of the traffic intervals."""
        at = math.ceil(self.start / HOUR) * HOUR
        while at < self.anchor:
            seconds = 900.0 if at >= self.anchor - LIVE_DAYS * DAY else HOUR
            yield at, seconds
            at += seconds

    def minutes(self) -> Iterator[float]:
        """The checks of the live days: each minute within an hour of trouble, each five minutes elsewhere."""
        at = math.ceil((self.anchor - LIVE_DAYS * DAY) / 300) * 300.0
        while at < self.anchor:
            yield at
            at += MINUTE if any(-1800 <= at - trouble <= 5400 for trouble in self.trouble_times()) else 300.0


def demo_lines(anchor: dt.datetime) -> list[LINE]:
    """The whole history up to `anchor` (aware), in order of arrival."""
    return Story(anchor=anchor.timestamp()).whole()
