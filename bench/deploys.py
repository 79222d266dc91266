"""Deploys at speed: POSTs with 50 commits by eight senders, and the list of deploys with 100,000 rows behind it.

`python bench/deploys.py` makes an instance on SQLite in a temporary folder, serves it, and prints percentiles in
milliseconds beside their targets, met or missed. `--rows`, `--posts` and `--quick` make it smaller.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.instance import Instance, running

SENDERS = 8
POST_TARGET_MS = 50
PAGE_TARGET_MS = 150
QUERIES = (
    "", "?service=service-7", "?outcome=failed", "?environment=staging&kind=forward", "?text=1.99", "?text=nothing+like+it", "live/",
)  # fmt: skip

FILL = """
import datetime as dt
from django.db import transaction
from deploys import clock
from deploys.models import Change, Deploy, Environment, Membership, Release, Service, Team, User
from deploys.actions.catalog import services_by_name, environment_of
team = Team.objects.get(slug="acme")
user = User.objects.create(email="bench@example.org")
Membership.objects.create(team=team, user=user, role="admin", created_at=clock.now())
names = [f"service-{n}" for n in range(50)]
services = list(services_by_name(team=team, names=names, now=clock.now()).values())
places = [environment_of(team=team, name=name) for name in ("production", "staging")]
now, rows = clock.now(), ROWS
for begin in range(0, rows, 5000):
    with transaction.atomic():
        changes, deploys, releases = [], [], []
        for n in range(begin, min(begin + 5000, rows)):
            at = now - dt.timedelta(minutes=5 * (rows - n))
            service, place = services[n % 50], places[n // 50 % 2]
            changes.append(Change(team=team, kind="deploy", environment=place, service=service, at=at))
            releases.append(Release(service=service, version=f"1.{n}", created_at=at))
        Change.objects.bulk_create(changes, batch_size=500)
        Release.objects.bulk_create(releases, batch_size=500)
        for n, (change, release) in enumerate(zip(changes, releases), begin):
            deploys.append(Deploy(
                change=change, team=team, service_id=change.service_id, environment_id=change.environment_id, source="api",
                external_id=str(n), status="success", started_at=change.at, finished_at=change.at + dt.timedelta(minutes=2),
                release=release, kind_listed="forward", outcome_listed="succeeded" if n % 20 else "failed",
                is_live_listed=n >= rows - 100,
            ))
        Deploy.objects.bulk_create(deploys, batch_size=500)
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.auth import SESSION_KEY, BACKEND_SESSION_KEY, HASH_SESSION_KEY
session = SessionStore()
session[SESSION_KEY], session[BACKEND_SESSION_KEY] = str(user.pk), "django.contrib.auth.backends.ModelBackend"
session[HASH_SESSION_KEY] = user.get_session_auth_hash()
session.create()
print(session.session_key)
"""


def percentile(values: list[float], share: float) -> float:
    """The smallest value that this share of them does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, round(share * len(ordered)))]


def message(sender: int, number: int) -> bytes:
    """A deploy with 50 commits of three files each."""
    commits = [
        {
            "sha": f"{sender:04x}{number:06x}{place:030x}", "committed_at": "2026-03-04T11:00:00Z", "author": "Ann Example",
            "title": f"Change {place} of run {number}", "files": [f"shop/{place}/{file}.py" for file in range(3)],
        }
        for place in range(50)
    ]  # fmt: skip
    said = {
        "id": f"{sender}-{number}", "service": f"bench-{sender}", "status": "success", "release": f"2.{sender}.{number}",
        "commit": commits[0]["sha"], "commits": commits,
    }  # fmt: skip
    return json.dumps(said).encode()


def post_deploys(instance: Instance, token: str, count: int, *, first: int = 0) -> list[float]:
    """Milliseconds of `count` POSTs by each of eight senders at once, each on a connection of its own.

    Runs are numbered from `first`.
    """
    took: list[float] = []
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def send(sender: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", instance.port, timeout=60)
        for number in range(count + 3):
            body = message(sender, first + number)
            began = time.perf_counter()
            connection.request("POST", "/api/v1/deploys", body, headers)
            answer = connection.getresponse()
            answer.read()
            assert answer.status == 201, answer.status
            if number >= 3:  # the first ones make the service and open connections
                took.append((time.perf_counter() - began) * 1000)
        connection.close()

    threads = [threading.Thread(target=send, args=(sender,)) for sender in range(SENDERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return took


def processor_seconds(instance: Instance) -> float:
    """What all processes of the instance have used so far, web and worker together (proc(5))."""
    parents, used = {}, {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:  # it has just ended
            continue
        parents[int(path.parent.name)] = int(fields[1])
        used[int(path.parent.name)] = int(fields[11]) + int(fields[12])
    family = {process.pid for process in instance.processes}
    while more := {pid for pid, parent in parents.items() if parent in family} - family:
        family |= more
    return sum(used.get(pid, 0) for pid in family) / os.sysconf("SC_CLK_TCK")


def get_page(instance: Instance, session: str, query: str, count: int) -> list[float]:
    """Milliseconds of the list of deploys, asked for again and again by one reader."""
    connection = http.client.HTTPConnection("127.0.0.1", instance.port, timeout=60)
    took = []
    for _ in range(count):
        began = time.perf_counter()
        connection.request("GET", f"/t/acme/deploys/{query}", headers={"Cookie": f"upshot_session={session}"})
        answer = connection.getresponse()
        page = answer.read()
        took.append((time.perf_counter() - began) * 1000)
        assert answer.status == 200, (answer.status, page[:300])
    connection.close()
    return took


def report(name: str, took: list[float], target: float) -> dict[str, Any]:
    """One line of the result."""
    p50, p95 = percentile(took, 0.5), percentile(took, 0.95)
    print(
        f"{name:<46} n={len(took):<5} p50 {p50:7.1f} ms   p95 {p95:7.1f} ms   target {target} ms   {'met' if p95 <= target else 'MISSED'}",
        flush=True,
    )
    return {"name": name, "p50_ms": round(p50, 1), "p95_ms": round(p95, 1), "target_ms": target}


def main(arguments: list[str] | None = None) -> list[dict[str, Any]]:
    """Runs all of it; one result for each measurement."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--posts", type=int, default=60, help="by each of eight senders")
    parser.add_argument("--quick", action="store_true", help="a tenth of both")
    chosen = parser.parse_known_args(arguments)[0]
    if chosen.quick:
        chosen.rows, chosen.posts = chosen.rows // 10, max(1, chosen.posts // 10)
    load = os.getloadavg()[0]
    print(f"{os.cpu_count()} cores; load average {load:.1f} before the start\n", flush=True)
    results = []
    with tempfile.TemporaryDirectory(prefix="upshot-bench-") as folder, running(Path(folder) / "data") as instance:
        token = instance.provision("acme/shop")["deploy_token"]
        results.append(measure_posts(instance, token, chosen.posts, rows=0))
        session = instance.manage("shell", "-v0", "-c", FILL.replace("ROWS", str(chosen.rows)), seconds=1800).strip()
        for query in QUERIES:
            get_page(instance, session, query, 3)
            results.append(
                report(
                    f"GET deploys/{query}, {chosen.rows} rows", get_page(instance, session, query, 40), PAGE_TARGET_MS
                )
            )
        results.append(measure_posts(instance, token, chosen.posts, rows=chosen.rows))
    return results


def measure_posts(instance: Instance, token: str, count: int, *, rows: int) -> dict[str, Any]:
    """The POSTs over so many deploys, and what each costs the processor."""
    before = processor_seconds(instance)
    took = post_deploys(instance, token, count, first=rows)
    each = (processor_seconds(instance) - before) * 1000 / (SENDERS * (count + 3))
    said = report(f"POST with 50 commits, {SENDERS} senders, {rows} rows", took, POST_TARGET_MS)
    print(
        f"processor ms for each POST, web and worker together: {each:.1f}; load average {os.getloadavg()[0]:.1f}\n",
        flush=True,
    )
    return {**said, "processor_ms": round(each, 1)}


if __name__ == "__main__":
    sys.exit(any(each["p95_ms"] > each["target_ms"] for each in main()))
