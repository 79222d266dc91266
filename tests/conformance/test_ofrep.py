"""The evaluation protocol against what was written down beforehand in expected/ofrep.json: answers, recorded requests of
the real clients, and the real clients themselves against a running instance."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from deploys import clock
from deploys.actions.flag_checks import CheckTally
from deploys.actions.flag_serving import FlagStore
from deploys.api.ofrep import Ofrep
from deploys.models import Environment, FlagCheck
from tests.asgi import Reply, answer
from tests.conformance.flag_instances import book, set_up
from tests.conftest import NOON, skip_or_fail
from tests.factories.catalog import EnvironmentFactory
from tests.instance import ROOT, Instance, eventually, running

pytestmark = pytest.mark.conformance
ALL = "/ofrep/v1/evaluate/flags"
CLIENTS = ROOT / "tests" / "clients"
BOOK = book()


@dataclass
class Served:
    """The application in this process."""

    application: Ofrep
    store: FlagStore
    tally: CheckTally
    environment: Environment
    keys: dict[str, str]

    def ask(self, path: str, body: object = None, *, key: str = "server", **headers: str) -> Reply:
        said = {
            "Authorization": f"Bearer {self.keys[key]}",
            **{name.replace("_", "-"): each for name, each in headers.items()},
        }
        raw = b"" if body is None else json.dumps(body).encode()
        return answer(self.application, path, body=raw, headers=list(said.items()))


@pytest.fixture
def served(db: None) -> Iterator[Served]:
    environment = EnvironmentFactory()
    with clock.at(NOON):
        keys = set_up(environment, NOON)
        store, tally = FlagStore(), CheckTally()
        store.refresh()
        yield Served(Ofrep(store=store, tally=tally), store, tally, environment, keys)


def test_every_answer_is_the_one_written_down(served: Served) -> None:
    for key, body, status, expected in BOOK["answers"]:
        reply = served.ask(f"{ALL}/{key}", body)
        assert (reply.status, json.loads(reply.body)) == (status, expected), key
    for key, piece in BOOK["bytes"]:
        assert piece in served.ask(f"{ALL}/{key}", {}).body.decode(), key


@pytest.mark.parametrize("recording", sorted(BOOK["recordings"]))
def test_what_real_clients_send_is_understood(served: Served, shared: Path, recording: str) -> None:
    """Flags that the recorder made up to be wrong are none of ours; the others, and addresses that hold no key, are."""
    expected, seen = BOOK["recordings"][recording], set()
    for each in json.loads((shared / "fixtures" / "ofrep" / recording).read_text())["requests"]:
        path = urlsplit(each["path"]).path
        key = path.removeprefix(ALL).removeprefix("/")
        if key not in expected:
            continue
        headers = [
            (name, value)
            for name, value in each["headers"]
            if name.lower() not in {"authorization", "content-length", "if-none-match"}
        ]
        reply = answer(
            served.application, path, method=each["method"], body=(each["body"] or "").encode(),
            headers=[*headers, ("Authorization", f"Bearer {served.keys['server']}")],
        )  # fmt: skip
        status = 405 if each["method"] == "GET" else expected[key]
        assert reply.status == status, path
        seen.add(key)
    assert seen == set(expected)


# -- the clients themselves ------------------------------------------------------------------------------------------

SET_UP = """
import json
from deploys import clock
from tests.conformance.flag_instances import set_up
from deploys.models import Team
team = Team.objects.get(slug="acme")
environment = team.environments.get(name="production")
print(json.dumps(set_up(environment, clock.now())))
"""
FLIP = """
from deploys import clock
from deploys.actions.flag_switches import {act}
from deploys.models import Environment, RegisteredFlag
flag = RegisteredFlag.objects.get(key="bool-on")
environment = Environment.objects.get(name="production")
{act}(flag=flag, environment=environment, reason="errors", now=clock.now(), by=None{more})
print(clock.now().timestamp())
"""
CHECKED = """
import json
from django.db.models import Sum
from deploys.models import FlagCheck
rows = FlagCheck.objects.values_list("key", "application", "variant", "kind").annotate(Sum("quantity"))
print(json.dumps(sorted(map(list, rows))))
"""


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Instance, dict[str, str]]]:
    with running(tmp_path_factory.mktemp("flags") / "data") as made:
        made.provision("acme/shop")
        yield made, json.loads(made.manage("shell", "-v0", "-c", SET_UP))


def python_client() -> list[str]:
    """The locked client, installed once for each user into a folder of its own."""
    locked = CLIENTS / "openfeature.txt"
    folder = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "upshot-tests" / locked.stem
    if not (folder / "openfeature").is_dir():
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes", "--target"]
        done = subprocess.run(
            [*command, str(folder), "-r", str(locked)], capture_output=True, text=True, check=False, timeout=300
        )
        if done.returncode:
            shutil.rmtree(folder, ignore_errors=True)
            skip_or_fail(f"the OpenFeature client cannot be installed here: {done.stderr[-500:]}")
    return [sys.executable, "-I", "-c", f"import sys; sys.path.insert(0, {str(folder)!r}); sys.argv = sys.argv[1:]; exec(open(sys.argv[0]).read())", str(CLIENTS / "python" / "flags.py")]  # fmt: skip


def node_client(which: str) -> list[str]:
    folder = CLIENTS / "node-flags"
    if shutil.which("node") is None or shutil.which("npm") is None:
        skip_or_fail("node and npm are not installed")
    if not (folder / "node_modules" / "@openfeature" / "web-sdk").is_dir():
        install = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        done = subprocess.run(install, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
        if done.returncode:
            skip_or_fail(f"the OpenFeature clients for Node cannot be installed: {done.stderr[-300:]}")
    return ["node", str(folder / "ask.mjs"), which]


CLIENTS_BY_NAME = {
    "python": (python_client, "server"),
    "node": (lambda: node_client("server"), "server"),
    "web": (lambda: node_client("web"), "browser"),
}


@pytest.mark.processes
@pytest.mark.parametrize("name", CLIENTS_BY_NAME)
def test_the_real_client_gets_every_answer(instance: tuple[Instance, dict[str, str]], name: str) -> None:
    live, keys = instance
    command, kind = CLIENTS_BY_NAME[name]
    asked = BOOK["clients"]["both"]

    done = subprocess.run(
        [*command(), live.url, keys[kind]], input="\n".join(map(json.dumps, asked)), capture_output=True, text=True,
        timeout=120, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr[-2000:]
    found = [json.loads(line) for line in done.stdout.splitlines()]
    for question, got in zip(asked, found, strict=True):
        value, variant, reason, error = question["answer"]
        assert (got["value"], got["reason"], got["error"]) == (value, reason, error), question
        assert error or got["variant"] == variant, question


def ask_live(live: Instance, key: str, flag: str) -> Any:
    request = urllib.request.Request(
        f"{live.url}{ALL}/{flag}", b"{}", {"Authorization": f"Bearer {key}"}, method="POST"
    )
    with urllib.request.urlopen(request, timeout=10) as found:
        return json.load(found)


@pytest.mark.processes
def test_a_kill_takes_effect_within_two_seconds(instance: tuple[Instance, dict[str, str]]) -> None:
    live, keys = instance
    assert ask_live(live, keys["server"], "bool-on")["value"] is True

    for act, more, wanted in (("kill_flag", ", until=None", False), ("revive_flag", "", True)):
        flipped_at = float(live.manage("shell", "-v0", "-c", FLIP.format(act=act, more=more)))
        eventually(
            lambda wanted=wanted: ask_live(live, keys["server"], "bool-on")["value"] is wanted,
            seconds=10,
            what="the flip",
        )
        assert time.time() - flipped_at < 3, "a second between two looks, and what the shell takes to end"


@pytest.mark.processes
def test_checks_are_counted_exactly_by_parallel_workers(tmp_path: Path) -> None:
    with running(tmp_path / "data", UPSHOT_WEB_PROCESSES="2") as live:
        live.provision("acme/shop")
        keys = json.loads(live.manage("shell", "-v0", "-c", SET_UP))
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda _: ask_live(live, keys["server"], "bool-on"), range(400)))
        live.stop()
        assert json.loads(live.manage("shell", "-v0", "-c", CHECKED)) == [["bool-on", "shop", "on", "check", 400]]


def test_nothing_is_counted_that_was_not_asked(served: Served) -> None:
    served.tally.flush()

    assert not FlagCheck.objects.exists()
