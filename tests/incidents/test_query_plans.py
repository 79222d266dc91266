"""No page may read a table of events or counts from end to end: its cost would grow with what came in.

Every page is opened over a million events and as many counts as 90 days bring, made without payloads; each SELECT it sends
is explained by the database. On PostgreSQL the rows really read are looked at too.
"""

from __future__ import annotations

import datetime as dt
import json
import os
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from deploys.models import Deploy, Environment, Role, Service, Team
from incidents.actions.detection import run as detect
from incidents.actions.digest import digest_events
from incidents.actions.drift import find_drift
from incidents.models import ErrorEvent, Incident, Issue
from tests.conftest import NOON
from tests.factories.catalog import MembershipFactory
from tests.factories.changes import DeployFactory
from tests.factories.errors import parsed_event
from tests.factories.incidents import incident_of

pytestmark = [pytest.mark.django_db(databases="__all__"), pytest.mark.database, pytest.mark.scale]
EVENTS = int(os.environ.get("UPSHOT_SCALE_EVENTS", "1000000"))
ISSUES = 200
BIG = ("incidents_errorevent", "incidents_issuecount", "incidents_trafficcount", "incidents_issueuser",
       "incidents_requestcount", "incidents_check")  # fmt: skip
FEW = 1_000
"""A table of so few rows is read whole, and rightly."""
MOST_READ = 100_000
"""Rows that one step of one query may read: the five-minute counts of 200 busy issues in a day are 57,600."""


def numbers(count: int) -> str:
    """A table expression of the numbers from 0, as column n."""
    if connection.vendor == "postgresql":
        return f"SELECT generate_series(0, {count - 1}) AS n"
    return f"WITH RECURSIVE up(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM up WHERE n + 1 < {count}) SELECT n FROM up"  # noqa: S608 -- a number


def back(seconds: str) -> str:
    """An instant so many seconds before NOON, as this database writes it."""
    if connection.vendor == "postgresql":
        return f"TIMESTAMPTZ '{NOON.isoformat()}' - ({seconds}) * INTERVAL '1 second'"
    return f"strftime('%Y-%m-%d %H:%M:%S', '{NOON:%Y-%m-%d %H:%M:%S}', '-' || ({seconds}) || ' seconds')"


def text(number: str) -> str:
    return f"CAST({number} AS TEXT)"


def crowd(events_count: int) -> Team:
    """A team with one busy service: 90 days of events of 200 issues, five-minute counts and sessions."""
    team = MembershipFactory(role=Role.ADMIN).team
    deploy = DeployFactory(team=team)
    events = [parsed_event(type=f"Error{n}", timestamp=NOON) for n in range(ISSUES)]
    digest_events(service=deploy.service, events=events, received_at=NOON)
    fill(deploy.service, deploy.environment, events_count)
    incident_of(team)
    return team


def fill(service: Service, place: Environment, events_count: int) -> None:
    """Rows in bulk: so many events, a quarter of that in counts. The 200 issues have consecutive ids."""
    first = Issue.objects.filter(service=service).order_by("pk").values_list("pk", flat=True)[0]
    span = 90 * 86_400
    event_at = back(f"n * {span // events_count + 1} % {span}")
    bucket_at = back(f"(n / {ISSUES}) * 300 + 300")
    host = f"'web-' || {text('n % 9')}"
    events = (
        "incidents_errorevent (service_id, event_id, issue_id, environment_id, timestamp, received_at, release, host, level, "
        "user_key, trace_key, message, payload, tags)"
    )
    rows = {
        events: [
            service.pk, f"'e' || {text('n')}", f"{first} + n % {ISSUES}", place.pk, event_at, event_at, "'1.0'", host,
            "'error'", text("n % 5000"), "''", "'it broke'", blob(), "NULL",
        ],
        "incidents_issuecount (issue_id, environment_id, bucket_at, release, host, count)": [
            f"{first} + n % {ISSUES}", place.pk, bucket_at, f"'1.' || {text('n % 3')}", host, 4,
        ],
        "incidents_trafficcount (service_id, environment_id, release, at, seconds, count, failed, origin, received_at)": [
            service.pk, place.pk, "'1.0'", back("n * 60"), 60, 500, 1, "'live'", back("n * 60"),
        ],
        "incidents_issueuser (issue_id, user_key, first_seen_at)": [
            f"{first} + n % {ISSUES}", f"'u' || {text('n')}", back("n % 86400"),
        ],
    }  # fmt: skip
    counts = dict(zip(rows, (events_count, events_count // 4, 90 * 1_440, events_count // 10), strict=True))
    with connection.cursor() as cursor:
        for table, values in rows.items():
            said = ", ".join(str(value) for value in values)
            cursor.execute(f"INSERT INTO {table} SELECT {said} FROM ({numbers(counts[table])}) AS up")  # noqa: S608 -- made of the constants above
        cursor.execute("ANALYZE")


def blob() -> str:
    return "''::bytea" if connection.vendor == "postgresql" else "x''"


def pages(team: Team) -> dict[str, str]:
    """Every page that shows errors or counts, by what it is."""
    service = Service.objects.filter(team=team, deploys__isnull=False).first()
    issue, deploy = Issue.objects.filter(service=service).order_by("pk").first(), Deploy.objects.get(team=team)
    incident = Incident.objects.filter(team=team).first()
    assert service is not None
    assert issue is not None
    assert incident is not None
    at = f"/t/{team.slug}"
    return {
        "dashboard": f"{at}/",
        "issues": f"{at}/issues/",
        "issues of a release": f"{at}/issues/?release=9.9",
        "issue": f"{at}/issues/{issue.public_id}/",
        "incidents": f"{at}/incidents/",
        "incident": f"{at}/incidents/{incident.number}/",
        "services": f"{at}/services/",
        "service": f"{at}/services/{service.public_id}/",
        "ingest of a service": f"{at}/services/{service.public_id}/ingest/",
        "ingest of the team": f"{at}/ingest/",
        "deploys": f"{at}/deploys/",
        "deploy": f"{at}/deploys/{deploy.change.public_id}/",
        "what is live": f"{at}/deploys/live/",
        "verdicts": f"{at}/calibration/",
        "merging an issue": f"{at}/issues/{issue.public_id}/merge/",
    }


def test_nothing_reads_a_table_of_events_from_end_to_end(client: Client, noon: dt.datetime) -> None:
    team = crowd(EVENTS)
    client.force_login(team.memberships.get().user)

    found: list[str] = []
    for name, path in pages(team).items():
        with CaptureQueriesContext(connection) as queries:
            answer = client.get(path)
        assert answer.status_code == 200, (name, answer.status_code)
        found += [f"{name}: {problem}" for query in queries for problem in problems(query["sql"])]
    with CaptureQueriesContext(connection) as queries:
        work(team)
    found += [f"in the background: {problem}" for query in queries for problem in problems(query["sql"])]

    assert found == []


def work(team: Team) -> None:
    """What workers do with one more event, and with a new fault, which is weighed."""
    service = Deploy.objects.select_related("service__team").get(team=team).service
    find_drift(now=NOON)  # as every two minutes: detection asks what it remembers
    digest_events(service=service, events=[parsed_event(type="Error7", timestamp=NOON)], received_at=NOON)
    detect(now=NOON + dt.timedelta(minutes=1))
    fault = [parsed_event(type="New", timestamp=NOON + dt.timedelta(seconds=n), user=f"u{n}") for n in range(30)]
    digest_events(service=service, events=fault, received_at=NOON + dt.timedelta(minutes=1))
    assert detect(now=NOON + dt.timedelta(minutes=2)).verdicts
    find_drift(now=NOON)


def problems(sql: str) -> list[str]:
    """What is wrong with the plan of a query, in the database's own words."""
    if not sql.lstrip().upper().startswith("SELECT") or not any(table in sql for table in BIG):
        return []
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {sql}")
            plan: Any = cursor.fetchone()[0]
            plan = json.loads(plan) if isinstance(plan, str) else plan
            return [f"{line} in {sql[:1500]}" for line in _read(plan[0]["Plan"])]
        cursor.execute(f"EXPLAIN QUERY PLAN {sql}")
        return [
            f"{row[-1]} in {sql[:1500]}"
            for row in cursor.fetchall()
            if row[-1].startswith("SCAN") and row[-1].split()[1].strip('"') in BIG
        ]


def _read(node: dict[str, Any]) -> list[str]:  # Any: JSON
    """Steps that read too many rows of a large table, and full scans of one."""
    found = []
    if node.get("Relation Name") in BIG:
        rows = (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"]
        if rows > (FEW if node["Node Type"] == "Seq Scan" else MOST_READ):
            found.append(f"{node['Node Type']} of {node['Relation Name']} read {rows:.0f} rows")
    for child in node.get("Plans", ()):
        found += _read(child)
    return found


def test_a_scan_is_noticed(noon: dt.datetime) -> None:
    crowd(5_000)

    with CaptureQueriesContext(connection) as queries:
        ErrorEvent.objects.filter(message="nothing has an index on this").first()

    assert len(problems(queries[0]["sql"])) == 1
