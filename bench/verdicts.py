"""What a verdict costs, measured: an incident of 400 errors weighed again over stores of different size.

    python -m bench.verdicts [--quick] [--events 10000,1000000]

Each store is SQLite with so many events, a quarter as many five-minute counts and 90 days of traffic of one busy service,
60 deploys and 20 flag changes of the last three days. Timed is one weighing as detection does it: load what surrounds the
incident, weigh every candidate, keep the verdict with its evidence and terms; each is rolled back. Beside it, one pass of
detection with one dirty issue, and a refit of 200 corrections.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from bench.table import Goal, number

SIZES = (10_000, 100_000, 1_000_000)
TURNS = 60
WARM_UP = 5


def measure(size: int) -> dict[str, Any]:
    """In a process with a migrated scratch database of its own: makes the store, then times."""
    from django.db import connection, transaction  # noqa: PLC0415 -- Django is set up by then
    from django.test.utils import CaptureQueriesContext  # noqa: PLC0415 -- as above

    from incidents.actions import attribution, detection  # noqa: PLC0415 -- as above
    from incidents.actions.digest import digest_events  # noqa: PLC0415 -- as above
    from incidents.actions.findings import findings  # noqa: PLC0415 -- as above
    from incidents.models import Episode, ErrorEvent, Incident, Issue, Verdict  # noqa: PLC0415 -- as above
    from incidents.queries.evidence import Lens  # noqa: PLC0415 -- as above
    from tests.conftest import NOON  # noqa: PLC0415 -- as above
    from tests.factories.errors import parsed_event  # noqa: PLC0415 -- as above
    from tests.factories.incidents import deploy_of, flag_of  # noqa: PLC0415 -- as above
    from tests.incidents.test_query_plans import crowd  # noqa: PLC0415 -- as above

    team = crowd(size)
    service = team.services.exclude(deploys=None).get()
    service.first_event_at = NOON - dt.timedelta(days=90)
    service.save(update_fields=["first_event_at"])
    for n in range(60):
        deploy_of(
            team,
            service=service.name,
            release=f"2.{n}",
            at=NOON - dt.timedelta(minutes=71 * n + 3),
            files=["shop/pay.py"],
        )
    for n in range(20):
        flag_of(team, key=f"flag-{n}", at=NOON - dt.timedelta(minutes=200 * n + 20))
    fault = [
        parsed_event(
            type="Fault",
            timestamp=NOON + dt.timedelta(seconds=n),
            user=f"u{n % 40}",
            host=f"web-{n % 9}",
            release="2.0",
        )
        for n in range(400)
    ]
    digest_events(service=service, events=fault, received_at=NOON + dt.timedelta(minutes=7))
    now = NOON + dt.timedelta(minutes=8)
    detection.run(now=now)
    incident = Incident.objects.get(episodes__issue__type="Fault")

    def weigh() -> Verdict:
        lens = Lens(team=team, now=now)
        finding = findings(lens, list(Episode.objects.filter(incident=incident)), [])[0]
        Verdict.objects.filter(incident=incident).delete()
        return attribution.attribute(lens=lens, incident=incident, finding=finding, trigger="due")

    def look() -> None:
        Issue.objects.filter(type="Error7").update(dirty_at=now)
        detection.run(now=now)

    with transaction.atomic(), CaptureQueriesContext(connection) as queries:
        verdict = weigh()
        transaction.set_rollback(True)
    return {
        "events": ErrorEvent.objects.count(),
        "candidates": verdict.candidates_count,
        "queries": len(queries),
        "verdict": timed(weigh),
        "pass": timed(look),
    }


def timed(act: Callable[[], object]) -> dict[str, list[float]]:
    """Milliseconds of each turn, in a transaction that is rolled back: on the wall, and of processor time."""
    from django.db import transaction  # noqa: PLC0415 -- as above

    found: dict[str, list[float]] = {"wall": [], "cpu": []}
    for turn in range(TURNS + WARM_UP):
        begun, spent = time.perf_counter(), time.process_time()
        with transaction.atomic():
            act()
            transaction.set_rollback(True)
        if turn >= WARM_UP:
            found["wall"].append((time.perf_counter() - begun) * 1_000)
            found["cpu"].append((time.process_time() - spent) * 1_000)
    return found


def refit_seconds(count: int = 200) -> float:
    """A refit of so many corrections with each left out once, of 25 candidates with a dozen terms."""
    import random  # noqa: PLC0415 -- for this alone

    from incidents.domain.refit import Sample, left_out_loss, refit  # noqa: PLC0415 -- as above
    from incidents.domain.weights import WEIGHTS  # noqa: PLC0415 -- as above

    drawn = random.Random(1)  # noqa: S311 -- a measurement
    names = sorted(WEIGHTS)
    samples = [
        Sample(tuple(dict.fromkeys(drawn.sample(names, 12), 1.0) for _ in range(25)), frozenset({drawn.randrange(25)}))
        for _ in range(count)
    ]
    begun = time.process_time()
    refit(samples, WEIGHTS)
    left_out_loss(samples, WEIGHTS)
    return time.process_time() - begun


def run_apart(size: int) -> dict[str, Any]:
    """The measurement of one size, in an instance of its own."""
    from tests.instance import Instance  # noqa: PLC0415 -- not needed inside

    with tempfile.TemporaryDirectory(prefix="upshot-bench-") as scratch:
        instance = Instance(Path(scratch))
        instance.migrate()
        code = f"from bench.verdicts import measure, json; print('FOUND', json.dumps(measure({size})))"
        said = instance.manage("shell", "-v0", "-c", code, seconds=3_600)
        found: dict[str, Any] = json.loads(said[said.index("FOUND") + 5 :])
        return found


def show(found: Sequence[dict[str, Any]], refit: float) -> str:
    """The table."""
    lines = [
        "| events stored | candidates | queries | verdict ms p50 | p95 | of processor time p50 | p95 | pass over one dirty issue ms p50 | of processor time | goal |",
        "| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |",
    ]
    for each in found:
        verdict, look = each["verdict"], each["pass"]
        cells = [f"{each['events']:,}", str(each["candidates"]), str(each["queries"])]
        for clock in ("wall", "cpu"):
            cells += [number(statistics.median(verdict[clock])), number(statistics.quantiles(verdict[clock], n=20)[-1])]
        cells += [number(statistics.median(look["wall"])), number(statistics.median(look["cpu"]))]
        cells.append(str(Goal("ms", statistics.median(verdict["wall"]), 50, is_most=True)))
        lines.append("| " + " | ".join(cells) + " |")
    lines.append(f"\nA refit of 200 corrections, each left out once: {refit:.1f} s of processor time.")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--quick", action="store_true", help="the small stores only")
    parser.add_argument("--events", default=",".join(map(str, SIZES)), help="how many events each store holds")
    args, _ = parser.parse_known_args(arguments)
    sizes = [int(each) for each in args.events.split(",")][: 2 if args.quick else None]
    print(f"load average {os.getloadavg()[0]:.1f}\n", flush=True)
    print(show([run_apart(size) for size in sizes], refit_seconds()))


if __name__ == "__main__":
    main(sys.argv[1:])
