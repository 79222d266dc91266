"""What a week's report costs while history grows: 1, 3 and 10 years of 100,000 deploys and 20,000 incidents a year.

    python -m bench.reports [--full | --quick] [--years 1,3,10] [--postgres [URL]]

The years are added behind the last one, so the week that is asked for stays the same and only what lies before it grows.
50 services; every fifty-first deploy is a rollback, every tenth lists three commits; a tenth of the incidents are downtime, half
name the deploy that caused them; an objective over 90 days for the whole and over 28 days for ten services. Timed in one
process: the report of the last whole week, of a week in the middle of the history, and a look at all budgets. A tenth of the rows
is made, with `--quick` a twentieth; with `--full` all of them, which takes a quarter of an hour on a quiet machine. With the
address of a PostgreSQL server it is measured there too, in a database of its own.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime as dt
import json
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bench.table import Goal, number

DEPLOYS, INCIDENTS, SERVICES = 100_000, 20_000, 50
YEARS = (1, 3, 10)
TURNS = 5
NOW = dt.datetime(2026, 3, 4, 12, tzinfo=dt.UTC)
YEAR = dt.timedelta(days=365)
BATCH = 5_000
CLASSES = ("downtime", *["multi_user"] * 2, *["single_user"] * 4, *["impactless"] * 3)
LOCAL = "postgres://root@127.0.0.1:5432/postgres"
POSTGRES = os.environ.get("UPSHOT_BENCH_POSTGRES", "")


def measure(years: Sequence[int], share: int) -> list[dict[str, Any]]:
    """In a process with a migrated database of its own: adds the years, then times; one result for each number of years."""
    from django.db import connection  # noqa: PLC0415 -- Django is set up by then

    from deploys import clock  # noqa: PLC0415 -- as above
    from deploys.actions.catalog import services_by_name  # noqa: PLC0415 -- as above
    from deploys.actions.facts import record_fact  # noqa: PLC0415 -- as above
    from deploys.models import Fact, Team  # noqa: PLC0415 -- as above
    from incidents.models import Incident  # noqa: PLC0415 -- as above
    from reliability.actions.spans import settle_spans  # noqa: PLC0415 -- as above
    from reliability.domain.intervals import Interval  # noqa: PLC0415 -- as above
    from reliability.queries import knowledge  # noqa: PLC0415 -- as above
    from reliability.queries.reports import objectives_now, report_as_of  # noqa: PLC0415 -- as above

    found: list[dict[str, Any]] = []
    with clock.at(NOW):
        team = Team.objects.create(slug="bench", name="bench", created_at=NOW)
        services_by_name(team=team, names=[f"service-{n}" for n in range(SERVICES)], now=NOW)
        for name in [None, *(f"service-{n}" for n in range(10))]:
            payload = {"id": name or "whole", "service": name, "target": 0.995, "window_days": 28 if name else 90}
            record_fact(team=team, kind="objective", payload=payload, received_at=NOW - 10 * YEAR, origin="person")
        settle_spans(team=team)
        made = 0
        for wanted in years:
            begun = time.perf_counter()
            while made < wanted:
                fill(team, made, share)
                made += 1
            with connection.cursor() as cursor:
                cursor.execute("ANALYZE")
            week = Interval(NOW - dt.timedelta(days=9, hours=12), NOW - dt.timedelta(days=2, hours=12))
            middle = NOW - made * YEAR / 2
            old = Interval(middle, middle + dt.timedelta(days=7))

            def look() -> object:
                knowledge.forget()
                return objectives_now(team=team, now=NOW)

            found.append({
                "years": made, "deploys": team.deploys.count(), "incidents": Incident.objects.count(),
                "facts": Fact.objects.count(), "filled_seconds": time.perf_counter() - begun,
                "week": timed(lambda week=week: report_as_of(team=team, window=week, as_of=NOW)),
                "old": timed(lambda old=old: report_as_of(team=team, window=old, as_of=NOW)),
                "budgets": timed(look),
            })  # fmt: skip
            print(f"{made} years: {json.dumps(found[-1])}", file=sys.stderr, flush=True)
    return found


def timed(act: Callable[[], object]) -> dict[str, list[float]]:
    """Milliseconds of each turn, on the wall and of this process' processor time; the first one, which warms up, apart."""
    walls: list[float] = []
    spent: list[float] = []
    for _ in range(TURNS + 1):
        begun, used = time.perf_counter(), time.process_time()
        act()
        walls.append((time.perf_counter() - begun) * 1_000)
        spent.append((time.process_time() - used) * 1_000)
    return {"first": walls[:1], "wall": walls[1:], "cpu": spent[1:]}


def fill(team: Any, year: int, share: int) -> None:  # Any: a Team; models are not imported before Django is set up
    """Adds one year, that many years ago, with the rows that projections, list index and roll-up would have written."""
    from django.db import transaction  # noqa: PLC0415 -- as above

    rows = _Rows(team, year, random.Random(year))  # noqa: S311 -- a measurement
    total, end = DEPLOYS // share, NOW - dt.timedelta(hours=1) - year * YEAR
    for begin in range(0, total, BATCH):
        for place in range(begin, min(begin + BATCH, total)):
            rows.add(place, end - YEAR + YEAR / total * place)
        with transaction.atomic():
            rows.write()
    rows.say_what_is_live()


class _Rows:
    """The rows of a year, a batch at a time, by table. Their keys are given here: the tables have no others."""

    def __init__(self, team: Any, year: int, drawn: random.Random) -> None:  # Any: as above
        from deploys.actions.catalog import environment_of  # noqa: PLC0415 -- as above

        self.team, self.year, self.drawn = team, year, drawn
        self.services = list(team.services.order_by("pk"))
        self.place = environment_of(team=team, name="production").pk
        self.key = year * 10 * DEPLOYS
        self.stacks: dict[int, list[tuple[int, int, str]]] = {service.pk: [] for service in self.services}
        self.undone: list[tuple[int, dt.datetime]] = []
        self.tables: dict[str, list[tuple[Any, ...]]] = {name: [] for name in _COLUMNS}

    def add(self, n: int, at: dt.datetime) -> None:
        """One deploy, and what hangs on it."""
        from deploys.domain.identifiers import uuid7  # noqa: PLC0415 -- as above
        from reliability.domain.spans import span_of  # noqa: PLC0415 -- as above

        self.key += 1
        key, service, name = self.key, self.services[n % SERVICES], f"{self.year}-{n}"
        finished_at = at + dt.timedelta(minutes=self.drawn.randrange(2, 20))
        stack, kind, stacked = self.stacks[service.pk], "forward", True
        if n % 51 == 7 and len(stack) > 1:
            kind, stacked = "rollback", False
            self.undone.append((stack.pop()[0], finished_at))
            _, release, version = stack[-1]
        else:
            release, version = key, name
            stack.append((key, release, version))
            self.tables["Release"].append((release, service.pk, version, at, "", ""))
        public_id = uuid7()
        self.tables["Change"].append((key, self.team.pk, public_id, "deploy", self.place, service.pk, at))
        self.tables["Deploy"].append((
            key, self.team.pk, service.pk, self.place, "api", name, "success", at, finished_at, release, "", "", "", False, "", "",
            finished_at, kind, "succeeded", False, finished_at, stacked,
        ))  # fmt: skip
        payload = {
            "id": name, "service": service.name, "environment": "production", "release": version, "status": "success",
            "started_at": at.isoformat(), "finished_at": finished_at.isoformat(),
        }  # fmt: skip
        identity = self._tell("deploy", ["api", service.name, name], finished_at, "api", payload)
        span = span_of("deploy", [(finished_at, payload)])
        if n % 10 == 0:
            self._add_commits(n, at, key, str(public_id))
        if n % (DEPLOYS // INCIDENTS) == 0 and (
            other := self._add_incident(name, service, finished_at, key, public_id)
        ):
            span = span.with_that_of([other])
        self._span("deploy", identity, name, span, str(public_id), key)

    def _add_commits(self, n: int, at: dt.datetime, deploy: int, public_id: str) -> None:
        committed_at = at - dt.timedelta(hours=3)
        for place in range(3):
            key, sha = self.key * 3 + place, f"{self.year:02}{n:07}{place:031}"
            self.tables["Commit"].append((key, self.team.pk, sha, committed_at, "", ""))
            self.tables["CommitDeploy"].append((self.team.pk, key, public_id, deploy))
            payload = {"sha": sha, "committed_at": committed_at.isoformat(), "deploys": [public_id]}
            self._tell("change", [sha], at, "history", payload)

    def _add_incident(
        self, name: str, service: Any, after: dt.datetime, deploy: int, public_id: object
    ) -> Any:  # Any: rows
        """An incident; its span, if it names the deploy."""
        from reliability.domain.spans import span_of  # noqa: PLC0415 -- as above

        begins_at = after + dt.timedelta(minutes=self.drawn.randrange(1, 200))
        restored_at = begins_at + dt.timedelta(minutes=self.drawn.randrange(2, 180))
        if restored_at > NOW:  # nothing is told before it happens
            return None
        impact_class, key, names_it = self.drawn.choice(CLASSES), self.key, self.drawn.random() < 0.5
        self.tables["Incident"].append((
            key, self.team.pk, _uuid(), key, "upshot", name, self.place, "", impact_class, begins_at, begins_at, restored_at, begins_at,
            False, "", "upshot", [], "", 0, 0, begins_at,
        ))  # fmt: skip
        self.tables["IncidentService"].append((key, service.pk, 0))
        said = {
            "id": name, "services": [service.name], "class": impact_class, "environment": "production",
            "started_at": begins_at.isoformat(), "detected_at": begins_at.isoformat(),
        }  # fmt: skip
        later: dict[str, Any] = {"id": name, "restored_at": restored_at.isoformat()}
        if names_it:
            later["causes"] = [{"kind": "deploy", "id": str(public_id), "status": "confirmed"}]
            self.tables["Cause"].append((key, "deploy", deploy, "", "confirmed", "person"))
        identity = self._tell("incident", ["upshot", name], begins_at, "upshot", said)
        self._tell("incident", ["upshot", name], restored_at, "upshot", later)
        span = span_of("incident", [(begins_at, said), (restored_at, later)])
        self._span("incident", identity, name, span, "", None)
        if names_it:
            self.tables["NamedChange"].append((self.team.pk, identity, "deploy", str(public_id)))
        return span if names_it else None

    def _tell(self, kind: str, parts: Sequence[str], at: dt.datetime, source: str, payload: dict[str, Any]) -> str:
        identity = json.dumps(parts, ensure_ascii=False, separators=(",", ":"))
        self.tables["Fact"].append((self.team.pk, kind, identity, at, "live", source, payload))
        return identity

    def _span(self, kind: str, identity: str, name: str, span: Any, public_id: str, change_id: int | None) -> None:
        self.tables["RecordSpan"].append((
            self.team.pk, kind, identity, name, public_id, change_id, span.level, span.first_at, span.last_at, span.known_at, span.told_at,
            span.may_cost,
        ))  # fmt: skip

    def write(self) -> None:
        """Writes what was added, and forgets it."""
        for name, columns in _COLUMNS.items():
            _insert(name, columns.split(), self.tables[name])
            self.tables[name] = []
        from deploys.models import Deploy  # noqa: PLC0415 -- as above

        for key, at in self.undone:
            Deploy.objects.filter(pk=key).update(undone_listed_at=at)
        self.undone = []

    def say_what_is_live(self) -> None:
        """Of the newest year, the last deploy of each service serves users; all facts are in the roll-up."""
        from django.db.models import Max  # noqa: PLC0415 -- as above

        from deploys.models import Deploy, Fact  # noqa: PLC0415 -- as above
        from reliability.models import SpanProgress  # noqa: PLC0415 -- as above

        if self.year == 0:
            newest = Deploy.objects.values("service").annotate(at=Max("live_listed_at"))
            for service, at in newest.values_list("service", "at"):
                Deploy.objects.filter(service=service, live_listed_at=at).update(is_live_listed=True)
        last = Fact.objects.aggregate(last=Max("pk"))["last"]
        SpanProgress.objects.update_or_create(
            team=self.team, defaults={"fact_id": last, "facts_count": Fact.objects.filter(team=self.team).count()}
        )


_COLUMNS = {
    "Change": "id team public_id kind environment service at",
    "Release": "id service version created_at url head_sha",
    "Deploy": "change team service environment source external_id status started_at finished_at release kind_stated commit_sha"
    " strategy has_canary_step description url first_received_at kind_listed outcome_listed is_live_listed live_listed_at"
    " is_stacked_listed",
    "Commit": "id team sha committed_at author title",
    "CommitDeploy": "team commit reference deploy",
    "Incident": "id team public_id number source external_id environment title impact_class started_at detected_at restored_at begins_at"
    " is_dismissed duplicate_of_reference detected_by person_keys class_note events_count users_count created_at",
    "IncidentService": "incident service position",
    "Cause": "incident kind change external_id status by",
    "Fact": "team kind identity received_at origin source payload",
    "RecordSpan": "team kind identity name public_id change_id level first_at last_at known_at told_at may_cost",
    "NamedChange": "team incident kind reference",
}


def _uuid() -> object:
    from deploys.domain.identifiers import uuid7  # noqa: PLC0415 -- as above

    return uuid7()


def _insert(name: str, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:  # Any: values of fields
    """Writes rows past the ORM: a million objects of it would take longer than all measurements."""
    from django.apps import apps  # noqa: PLC0415 -- as above
    from django.db import connection, models  # noqa: PLC0415 -- as above

    model = next(each for each in apps.get_models() if each.__name__ == name)
    fields: list[Any] = [model._meta.get_field(column) for column in columns]
    told = (models.DateTimeField, models.UUIDField, models.JSONField)
    prepared = [field.get_db_prep_save if isinstance(field, told) else None for field in fields]
    named = ", ".join(connection.ops.quote_name(field.column) for field in fields)
    values = [
        [
            value if prepare is None or value is None else prepare(value, connection)
            for value, prepare in zip(row, prepared, strict=True)
        ]
        for row in rows
    ]
    with connection.cursor() as cursor:
        marks = ", ".join(["%s"] * len(fields))
        cursor.executemany(f"INSERT INTO {model._meta.db_table} ({named}) VALUES ({marks})", values)  # noqa: S608 -- names of models


@contextlib.contextmanager
def database(postgres: str) -> Iterator[Any]:  # Any: an Instance
    """An instance with a migrated database of its own, gone afterwards; on SQLite, or on the PostgreSQL server of an address."""
    import psycopg  # noqa: PLC0415 -- only here
    from psycopg import sql  # noqa: PLC0415 -- as above

    from tests.instance import Instance  # noqa: PLC0415 -- not needed inside

    with tempfile.TemporaryDirectory(prefix="upshot-bench-") as scratch:
        if not postgres:
            instance = Instance(Path(scratch))
            instance.migrate()
            yield instance
            return
        name = f"upshot_bench_reports_{os.getpid()}"
        address = urlsplit(postgres)._replace(path=f"/{name}").geturl()
        with psycopg.connect(postgres, autocommit=True) as server:
            server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
            try:
                instance = Instance(Path(scratch), {"UPSHOT_DATABASE_URL": address})
                instance.manage("migrate", "-v0", seconds=600)
                yield instance
            finally:
                server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def run_apart(years: Sequence[int], share: int, postgres: str) -> list[dict[str, Any]]:
    """The measurement, in an instance of its own."""
    with database(postgres) as instance:
        code = f"from bench.reports import measure, json; print('FOUND', json.dumps(measure({list(years)}, {share})))"
        said = instance.manage("shell", "-v0", "-c", code, seconds=7_200)
        found: list[dict[str, Any]] = json.loads(said[said.index("FOUND") + 5 :])
        return found


def show(found: Sequence[dict[str, Any]]) -> str:
    """The table, each cell a median on the wall and of processor time, and what the years added."""
    lines = [
        "| years | deploys | incidents | facts | a week's report ms, wall / processor | first | a week in the middle | all budgets | goal |",
        "| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |",
    ]
    for each in found:
        cells = [str(each["years"]), *(f"{each[name]:,}" for name in ("deploys", "incidents", "facts"))]
        cells += [_both(each["week"]), number(each["week"]["first"][0]), _both(each["old"]), _both(each["budgets"])]
        goal = Goal("ms", statistics.median(each["week"]["wall"]), 1_000, is_most=True)
        lines.append("| " + " | ".join([*cells, str(goal)]) + " |")
    first, last = (statistics.median(each["week"]["cpu"]) for each in (found[0], found[-1]))
    years = found[-1]["years"] - found[0]["years"]
    lines += ["", f"One more year of history adds {(last - first) / years:.1f} ms of processor time."] if years else []
    return "\n".join(lines)


def _both(times: dict[str, list[float]]) -> str:
    return f"{number(statistics.median(times['wall']))} / {number(statistics.median(times['cpu']))}"


def main(arguments: Sequence[str] | None = None) -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--quick", action="store_true", help="a twentieth of the rows")
    parser.add_argument("--full", action="store_true", help="all of the rows")
    parser.add_argument("--years", default=",".join(map(str, YEARS)))
    parser.add_argument(
        "--postgres",
        nargs="?",
        default=POSTGRES,
        const=LOCAL,
        help="address of a PostgreSQL server to measure on as well",
    )
    args, _ = parser.parse_known_args(arguments)
    years = [int(each) for each in args.years.split(",")]
    share = 1 if args.full else 20 if args.quick else 10
    for name, address in (("SQLite", ""), *([("PostgreSQL", args.postgres)] if args.postgres else [])):
        print(f"{name}, {DEPLOYS // share:,} deploys a year; load average {os.getloadavg()[0]:.1f}\n", flush=True)
        print(show(run_apart(years, share, address)), end="\n\n", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
