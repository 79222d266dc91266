"""Pages over 20,000 events of 200 issues, measured: a real instance, one request after the other over one connection.

    python -m bench.pages [--quick]

Milliseconds until the last byte, and bytes of HTML as it is before compression.
"""

from __future__ import annotations

import argparse
import http.client
import os
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.load import Load, Skipped
from bench.servers import Upshot, upshot
from bench.table import Goal, number

EVENTS = 20_000
WARM_UP = 5
_SESSION = """
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from deploys import clock
from deploys.models import Membership, Role, Team, User
from incidents.models import Incident, Issue
team = Team.objects.get()
user = User.objects.create_user("bench@example.org")
Membership.objects.create(team=team, user=user, role=Role.VIEWER, created_at=clock.now())
session = SessionStore()
session[SESSION_KEY] = str(user.pk)
session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
session[HASH_SESSION_KEY] = user.get_session_auth_hash()
session.save()
issue = Issue.objects.order_by("-events_count", "pk").first()
incident = Incident.objects.order_by("number").first()
print("FOUND", session.session_key, team.slug, issue.service.public_id, issue.public_id, incident.number if incident else 0)
"""


@dataclass(frozen=True, slots=True)
class Page:
    """An address with its goals: milliseconds at the 95th percentile and bytes of HTML, where there are any."""

    name: str
    path: str
    must_ms: float | None = None
    stretch_ms: float | None = None
    must_bytes: float | None = None


def pages(slug: str, service: str, issue: str, incident: str) -> list[Page]:
    """What is measured."""
    at = f"/t/{slug}"
    found = [
        Page("issue list", f"{at}/issues/", 100, 60, 150_000),
        Page("issue", f"{at}/issues/{issue}/", 60, 40),
        Page("dashboard", f"{at}/"),
        Page("service", f"{at}/services/{service}/"),
        Page("ingest of the service", f"{at}/services/{service}/ingest/"),
    ]
    return [*found, Page("incident", f"{at}/incidents/{incident}/")] if incident != "0" else found


def measure(server: Upshot, count: int) -> list[tuple[Page, float, float, int]]:
    """Each page with the median and the 95th percentile in ms, and its bytes."""
    said = server.instance.manage("shell", "-v0", "-c", _SESSION)
    key, *names = said[said.index("FOUND") + 5 :].split()
    connection = http.client.HTTPConnection(server.target.url.removeprefix("http://"))
    found = []
    for page in pages(*names):
        waits, size = [], 0
        for turn in range(count + WARM_UP):
            begun = time.perf_counter()
            connection.request("GET", page.path, headers={"Cookie": f"upshot_session={key}"})
            answer = connection.getresponse()
            size = len(answer.read())
            if answer.status != 200:
                raise RuntimeError(f"{page.path} answered {answer.status}")
            if turn >= WARM_UP:
                waits.append((time.perf_counter() - begun) * 1_000)
        found.append((page, statistics.median(waits), statistics.quantiles(waits, n=20)[-1], size))
    return found


def show(found: Sequence[tuple[Page, float, float, int]]) -> str:
    """The table."""
    lines = ["| page | p50 ms | p95 ms | bytes of HTML | goal: must / stretch |", "| --- | ---: | ---: | ---: | --- |"]
    for page, middle, most, size in found:
        goals = []
        if page.must_ms is not None:
            goals.append(Goal("ms", most, page.must_ms, page.stretch_ms, is_most=True))
        if page.must_bytes is not None:
            goals.append(Goal("bytes", size, page.must_bytes, is_most=True))
        lines.append(f"| {page.name} | {number(middle)} | {number(most)} | {size:,} | {'; '.join(map(str, goals))} |")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--quick", action="store_true", help="a tenth of the events, a third of the requests")
    args, _ = parser.parse_known_args(arguments)
    events, requests = (EVENTS // 10, 30) if args.quick else (EVENTS, 100)
    with tempfile.TemporaryDirectory(prefix="upshot-bench-") as scratch:
        try:
            load = Load.prepare(Path(scratch))
        except Skipped as reason:
            print(f"pages are not measured: {reason}")
            return
        with upshot(Path(scratch) / "pages") as server:
            server.serve()
            load.build("pages", events)
            load.send(server.target, name="pages", count=events, connections=64)
            server.wait_for(events)
            time.sleep(10)  # detection has looked at all of it
            before = os.getloadavg()[0]
            print(f"{events:,} events, load average {before:.1f}\n")
            print(show(measure(server, requests)))


if __name__ == "__main__":
    main()
