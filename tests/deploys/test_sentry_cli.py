"""The real sentry-cli, 2.x and 3.x, against a running server."""

from __future__ import annotations

import http.server
import json
import os
import shutil
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import skip_or_fail
from tests.instance import ROOT, Instance, running

pytestmark = pytest.mark.processes

LOCKED = ROOT / "tests" / "clients" / "sentry-cli-2.txt"
STATE = """
import json
from deploys.models import Delivery, Deploy, Release
print(json.dumps({
    "releases": [[r.service.name, r.version, r.released_at is not None, r.url, sorted(r.files or []), [c.commit.title for c in r.commit_links.order_by("commit__committed_at", "commit__title")]] for r in Release.objects.order_by("service__name", "version")],
    "deploys": [[d.service.name, d.release.version, d.environment.name, d.status, d.description, d.url, d.commits.count()] for d in Deploy.objects.order_by("service__name", "started_at")],
    "refused": list(Delivery.objects.filter(verdict="refused").values_list("reason", flat=True)),
    "log": Delivery.objects.filter(kind="sentry-cli").count(),
}))
"""


def version_3() -> Path:
    """The one the development requirements bring."""
    binary = Path(sys.executable).with_name("sentry-cli")
    if not binary.exists():
        skip_or_fail("no sentry-cli beside Python: make install-dev")
    return binary


def version_2() -> Path:
    """The older one, installed once for each user into a folder of its own, by hash."""
    folder = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "upshot-tests" / LOCKED.stem
    binary = folder / "bin" / "sentry-cli"
    if not binary.exists():
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes", "--target"]
        done = subprocess.run(
            [*command, str(folder), "-r", str(LOCKED)], capture_output=True, text=True, check=False, timeout=300
        )
        if done.returncode:
            shutil.rmtree(folder, ignore_errors=True)
            skip_or_fail(f"sentry-cli 2 cannot be installed here: {done.stderr[-500:]}")
    return binary


VERSIONS = {"2": version_2, "3": version_3}


@dataclass
class Checkout:
    """A Git repository that the CLI is run in, and what it is told by its environment."""

    folder: Path
    binary: Path
    url: str
    token: str
    more: dict[str, str] = field(default_factory=dict)

    def git(self, *arguments: str) -> None:
        """Runs git, as somebody."""
        who = ["-c", "user.name=Dev One", "-c", "user.email=dev@example.com", "-c", "commit.gpgsign=false"]
        subprocess.run(["git", *who, *arguments], cwd=self.folder, check=True, capture_output=True)

    def commit(self, number: int) -> None:
        """Adds one file in one commit, `number` minutes past noon."""
        (self.folder / f"f{number}.txt").write_text(f"{number}\n", encoding="utf-8")
        self.git("add", ".")
        self.git("commit", "-m", f"change {number}", "--date", f"2026-03-03T12:{number:02}:00Z")

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Runs the CLI."""
        environment = {
            "PATH": os.environ["PATH"], "HOME": str(self.folder.parent), "SENTRY_URL": self.url,
            "SENTRY_AUTH_TOKEN": self.token, "SENTRY_ORG": "acme", "SENTRY_PROJECT": "shop",
            "SENTRY_LOAD_DOTENV": "0", **self.more,
        }  # fmt: skip
        return subprocess.run(
            [str(self.binary), *arguments], cwd=self.folder, env=environment, capture_output=True, text=True,
            check=False, timeout=90,
        )  # fmt: skip

    def says(self, *arguments: str) -> str:
        """What the CLI prints; fails where it does not succeed."""
        done = self.run(*arguments)
        assert done.returncode == 0, f"{arguments}: {done.stdout} {done.stderr}"
        return done.stdout


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[Instance]:
    with running(tmp_path / "data") as served:
        yield served


@pytest.fixture(params=sorted(VERSIONS))
def checkout(request: pytest.FixtureRequest, tmp_path: Path, instance: Instance) -> Checkout:
    binary = VERSIONS[request.param]()
    folder = tmp_path / "home" / "repository"
    folder.mkdir(parents=True)
    made = Checkout(folder, binary, instance.url, instance.provision("acme/shop")["deploy_token"])
    made.git("init", "--quiet", "--initial-branch=main")
    made.git("remote", "add", "origin", "https://git.example.com/acme/shop.git")
    for number in (1, 2):
        made.commit(number)
    return made


def state(instance: Instance) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(instance.manage("shell", "-v0", "-c", STATE))
    return answer


def test_the_commands_of_a_release(checkout: Checkout, instance: Instance) -> None:
    say = checkout.says

    assert "shop" in say("info")
    assert "Created release shop@1.0" in say("releases", "new", "shop@1.0", "--url", "https://ci.example.com/1")
    say("releases", "set-commits", "shop@1.0", "--auto")
    say("releases", "finalize", "shop@1.0")
    say(
        "deploys",
        "new",
        "-r",
        "shop@1.0",
        "-e",
        "production",
        "-n",
        "run 1",
        "-u",
        "https://shop.example.com",
        "-t",
        "60",
    )
    checkout.commit(3)
    say("releases", "new", "-p", "shop", "-p", "web", "shop@1.1+b 7%", "--finalize")
    say("releases", "set-commits", "shop@1.1+b 7%", "--local")
    say("deploys", "new", "-r", "shop@1.1+b 7%", "-e", "production")
    assert "production" in say("deploys", "list", "-r", "shop@1.1+b 7%")
    assert "shop@1.0" in say("releases", "list", "--raw")
    assert "shop@1.0" in say("releases", "info", "shop@1.0", "--show-commits", "--show-projects")
    say("releases", "archive", "shop@1.0")
    say("releases", "restore", "shop@1.0")
    say("releases", "new", "shop@0.9")
    say("releases", "set-commits", "shop@0.9", "--commit", "acme/shop@HEAD~1..HEAD")
    say("releases", "delete", "shop@0.9")

    found = state(instance)
    first, second = ["change 1", "change 2"], ["change 3"]
    assert found["releases"] == [
        ["shop", "shop@1.0", True, "https://ci.example.com/1", ["f1.txt", "f2.txt"], first],
        ["shop", "shop@1.1+b 7%", True, "", ["f3.txt"], second],
        ["web", "shop@1.1+b 7%", True, "", ["f3.txt"], second],
    ]
    assert found["deploys"] == [
        ["shop", "shop@1.0", "production", "success", "run 1", "https://shop.example.com", 2],
        ["shop", "shop@1.1+b 7%", "production", "success", "", "", 1],
        ["web", "shop@1.1+b 7%", "production", "success", "", "", 1],
    ]
    assert found["refused"] == []


def test_what_goes_wrong_is_printed(checkout: Checkout, instance: Instance) -> None:
    checkout.says("releases", "new", "shop@1.0")
    checkout.says("deploys", "new", "-r", "shop@1.0", "-e", "production")

    undeletable = checkout.run("releases", "delete", "shop@1.0")
    checkout.more["SENTRY_AUTH_TOKEN"] = "upshot_wrong"
    stranger = checkout.run("releases", "new", "shop@2.0")

    assert undeletable.returncode == 1
    assert "was deployed and cannot be deleted: archive it" in undeletable.stderr
    assert stranger.returncode == 1
    assert "this token is unknown, revoked or expired" in stranger.stderr
    assert state(instance)["refused"] == ["shop@1.0 was deployed and cannot be deleted: archive it"]


class Flaky(http.server.BaseHTTPRequestHandler):
    """A proxy that passes every request on, and answers 502 instead of the first deploy's 201."""

    target = ""
    lost: list[int] = []

    def handle_one(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)) or None
        headers = {name: value for name, value in self.headers.items() if name in ("Authorization", "Content-Type")}
        request = urllib.request.Request(f"{self.target}{self.path}", body, headers, method=self.command)
        with urllib.request.urlopen(request, timeout=30) as answer:
            status, said = answer.status, answer.read()
        if self.command == "POST" and self.path.endswith("/deploys/") and not self.lost:
            self.lost.append(status)
            status, said = 502, b"{}"
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    do_GET = do_POST = do_PUT = handle_one  # noqa: N815 -- the names the base class looks for

    def log_message(self, *_: object) -> None:
        """Nothing."""


def test_a_deploy_sent_again_after_a_lost_answer_is_one_deploy(checkout: Checkout, instance: Instance) -> None:
    Flaky.target, Flaky.lost = instance.url, []
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Flaky) as proxy:
        threading.Thread(target=proxy.serve_forever, daemon=True).start()
        checkout.url = f"http://127.0.0.1:{proxy.server_port}"
        checkout.says("releases", "new", "shop@1.0")
        checkout.says("deploys", "new", "-r", "shop@1.0", "-e", "production")
        proxy.shutdown()

    assert Flaky.lost == [201]
    assert [deploy[1] for deploy in state(instance)["deploys"]] == ["shop@1.0"]
