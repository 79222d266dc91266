"""Flags at speed: evaluations over HTTP, how soon a flip is served, what counting costs, how long a scan takes, how right rules are.

`python -m bench.flags` makes an instance on SQLite in a temporary folder, serves it with one web process, and prints each
figure beside its target. `--quick` measures for a second instead of ten.
"""

from __future__ import annotations

import argparse
import json
import random
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from bench import flag_rules
from bench.deploys import processor_seconds
from bench.table import Goal
from deploys.ci import flags as scanner
from tests.instance import ROOT, Instance, running

CONNECTIONS = 4
RATE_TARGET = 1_500
P95_TARGET_MS = 10
FLIP_TARGET_S = 2
COUNT_TARGET_US = 0.5
SCAN_TARGET_S = 1

MAKE = """
from deploys import clock
from deploys.actions.catalog import environment_of
from deploys.actions.flag_keys import make_key
from deploys.actions.flag_registry import create_flag
from deploys.actions.flag_switches import change_flag
from deploys.domain.flag_rules import FlagKind, ValueType
from deploys.domain.flag_variants import BOOLEAN
from deploys.models import Team
team = Team.objects.get(slug="acme")
place = environment_of(team=team, name="production")
for n in range(200):
    flag = create_flag(team=team, key=f"flag-{n}", kind=FlagKind.RELEASE, value_type=ValueType.BOOLEAN, variants=BOOLEAN, off_variant="off", now=clock.now())
    change_flag(flag=flag, environment=place, version=None, reason="", now=clock.now(), by=None, document={
        "on": True, "default": {"variant": "on", "percent": 50, "rest": "off"},
        "rules": [{"conditions": [{"attribute": "country", "operator": "in", "values": ["AT"]}], "serve": {"variant": "on"}},
                  {"conditions": [{"attribute": "app", "operator": "semver_ge", "values": ["2.4.0"]}], "serve": {"variant": "on", "percent": 20, "rest": "off"}}]})
print(make_key(environment=place, kind="server", application="bench", now=clock.now())[1])
"""
FLIP = """
import sys, time
from deploys import clock
from deploys.actions.flag_switches import change_flag
from deploys.models import Environment, RegisteredFlag
flag, place = RegisteredFlag.objects.get(key="flag-0"), Environment.objects.get(name="production")
for turn in range(TURNS):
    time.sleep(1.5 + 0.37 * (turn % 3))
    change_flag(flag=flag, environment=place, version=None, reason="", now=clock.now(), by=None,
                document={"on": True, "default": {"variant": "on" if turn % 2 else "off"}})
    print(turn % 2, time.time(), flush=True)
"""


class Asker:
    """One connection that asks for flags: raw, so that the asking costs little of what is measured."""

    def __init__(self, port: int, secret: str) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.secret = secret

    def ask(self, key: str, user: str) -> bytes:
        """One evaluation; the body of the answer."""
        body = json.dumps({"context": {"targetingKey": user, "country": "DE", "app": "2.5.1"}})
        self.socket.sendall(
            f"POST /ofrep/v1/evaluate/flags/{key} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {self.secret}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()
        )
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += self.socket.recv(65536)
        head, _, rest = answer.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200"), head[:200]
        length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
        while len(rest) < length:
            rest += self.socket.recv(65536)
        return rest


def percentile(values: list[float], share: float) -> float:
    """The smallest value that this share of them does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, round(share * len(ordered)))]


def evaluations(instance: Instance, secret: str, seconds: float) -> tuple[float, float]:
    """Evaluations a second over four connections, and the 95th percentile of one in milliseconds."""
    took: list[float] = []
    until = time.perf_counter() + seconds

    def go(number: int) -> None:
        asker, draw = Asker(instance.port, secret), random.Random(number)  # noqa: S311 -- which flag is asked for
        while (began := time.perf_counter()) < until:
            asker.ask(f"flag-{draw.randrange(200)}", str(draw.random()))
            took.append((time.perf_counter() - began) * 1000)

    began = time.perf_counter()
    threads = [threading.Thread(target=go, args=(number,)) for number in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return len(took) / (time.perf_counter() - began), percentile(took, 0.95)


def flips(instance: Instance, secret: str, turns: int) -> list[float]:
    """Seconds from the commit of a flip until an asker gets its value, asking every five milliseconds."""
    script = FLIP.replace("TURNS", str(turns))
    flipper = subprocess.Popen(
        [sys.executable, "manage.py", "shell", "-v0", "-c", script],
        cwd=ROOT,
        env=instance.environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    asker, seen, told = Asker(instance.port, secret), [], []
    last = None

    def listen() -> None:
        assert flipper.stdout is not None
        told.extend(tuple(map(float, line.split())) for line in flipper.stdout)

    listener = threading.Thread(target=listen)
    listener.start()
    while listener.is_alive() or (told and len(seen) < len(told) and time.time() - told[-1][1] < 10):
        value = json.loads(asker.ask("flag-0", "user-1"))["value"]
        if value != last:
            seen.append((float(value), time.time()))
            last = value
        time.sleep(0.005)
    listener.join()
    return [
        next((at - committed for value, at in seen if value == wanted and at >= committed - 0.5), float("inf"))
        for wanted, committed in told[1:]  # the first may change nothing that is seen
    ]


COUNTING = """
import datetime as dt, time
from deploys.actions.flag_checks import CheckTally
from deploys.domain.flag_evaluation import evaluate
from deploys.models import Environment
from deploys.queries.flag_rulesets import ruleset_of
ruleset = ruleset_of(Environment.objects.get(name="production"))
now, tally, turns = dt.datetime.now(dt.UTC), CheckTally(), 100_000
contexts = [{"targetingKey": str(n), "country": "DE", "app": "2.5.1"} for n in range(1000)]
began = time.process_time()
for n in range(turns):
    evaluate(ruleset, "flag-7", contexts[n % 1000], now)
evaluated = time.process_time() - began
began = time.process_time()
for n in range(turns):
    tally.add(1, "flag-7", "bench", "on", "check", now)
counted = time.process_time() - began
print(turns / evaluated, counted / turns * 1e6)
"""


def scan_seconds(folder: Path) -> float:
    """A scan for 500 keys in 10 MB of source."""
    draw = random.Random(1)  # noqa: S311 -- words of a text
    keys = [f"flag-{n}-of-the-shop" for n in range(500)]
    for number in range(1000):
        lines = [f"    value_{n} = compute('{draw.random()}', \"text {n}\")  # what it is for" for n in range(150)]
        if number % 20 == 0:
            lines.append(f"    if client.get_boolean_value('{draw.choice(keys)}', False): pass")
        suffix = "py" if number % 2 else "ts"
        (folder / f"module_{number}.{suffix}").write_text(
            "def f(client):\n" + "\n".join(lines) + "\n", encoding="utf-8"
        )
    began = time.process_time()  # of this process: others may be at work
    found = scanner.scan(folder, keys)
    took = time.process_time() - began
    size = sum(path.stat().st_size for path in folder.iterdir()) / 1e6
    print(f"scanned {found.files_count} files, {size:.1f} MB, {len(found.places)} places")
    return took


def main(words: list[str] | None = None) -> None:
    """Prints every figure beside its target."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    said, _ = parser.parse_known_args(words)
    with tempfile.TemporaryDirectory() as folder, running(Path(folder) / "data") as instance:
        instance.provision("acme/shop")
        secret = instance.manage("shell", "-v0", "-c", MAKE).strip().splitlines()[-1]
        time.sleep(2)
        evaluations(instance, secret, 0.5)
        before = processor_seconds(instance)
        seconds = 1 if said.quick else 10
        rate, p95 = evaluations(instance, secret, seconds)
        used = processor_seconds(instance) - before
        took = flips(instance, secret, 5 if said.quick else 21)
        pure, counting = map(float, instance.manage("shell", "-v0", "-c", COUNTING).split())
    with tempfile.TemporaryDirectory() as folder:
        scanned = scan_seconds(Path(folder))
    print(f"{pure:,.0f} evaluations a second of processor time in memory, two rules and a percentage")
    print(
        f"{rate * seconds / max(used, 0.01):,.0f} evaluations over HTTP for each second of processor time of the instance"
    )
    for label, goal in (
        ("single evaluations over HTTP, one web process", Goal("/s", rate, RATE_TARGET)),
        ("p95 of one, four at a time", Goal("ms", p95, P95_TARGET_MS, is_most=True)),
        ("flip to effect, p95", Goal("s", percentile(took, 0.95), FLIP_TARGET_S, is_most=True)),
        ("counting one evaluation", Goal("us", counting, COUNT_TARGET_US, is_most=True)),
        ("scan of 500 keys", Goal("s", scanned, SCAN_TARGET_S, is_most=True)),
    ):
        print(f"- {label}: {goal}")
    print()
    flag_rules.main()


if __name__ == "__main__":
    main(sys.argv[1:])
