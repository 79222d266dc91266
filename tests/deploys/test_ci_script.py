"""The deploy script of an instance, run by the shells there are, against that instance."""

from __future__ import annotations

import json
import shutil
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import skip_or_fail
from tests.deploys.checkouts import Checkout, repository
from tests.instance import Instance, free_port, running

pytestmark = pytest.mark.processes

SHELLS = {"sh": ["sh"], "bash": ["bash", "--posix"], "busybox": ["busybox", "sh"]}
STATE = """
import json
from deploys.models import Deploy
print(json.dumps([
    {"id": d.external_id, "environment": d.environment.name, "status": d.status, "release": d.release and d.release.version,
     "url": d.url, "description": d.description, "files": d.files,
     "commits": list(d.commits.order_by("-committed_at").values_list("title", flat=True)),
     "authors": sorted(set(d.commits.values_list("author", flat=True)))}
    for d in Deploy.objects.filter(service__name="NAME").order_by("change_id")
]))
"""


@dataclass
class Served:
    """An instance, a token of it and its script, as a file."""

    instance: Instance
    token: str
    script: Path

    def deploys(self, service: str) -> list[dict[str, Any]]:
        answer: list[dict[str, Any]] = json.loads(
            self.instance.manage("shell", "-v0", "-c", STATE.replace("NAME", service))
        )
        return answer


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("served")
    with running(folder / "data") as instance:
        token = instance.provision("acme/shop")["deploy_token"]
        with urllib.request.urlopen(f"{instance.url}/ci/deploy.sh", timeout=10) as answer:
            script = folder / "deploy.sh"
            script.write_bytes(answer.read())
        yield Served(instance, token, script)


@pytest.fixture(params=sorted(SHELLS))
def shell(request: pytest.FixtureRequest) -> list[str]:
    command = SHELLS[request.param]
    if shutil.which(command[0]) is None:
        pytest.skip(f"no {command[0]} on this machine")
    return [*command]


def job(served: Served, folder: Path, service: str, run: int = 1) -> Checkout:
    """A repository in a GitHub Actions job of this service."""
    return repository(folder, UPSHOT_TOKEN=served.token, UPSHOT_SERVICE=service, **github(run))


def github(run: int) -> dict[str, str]:
    return {
        "CI": "true", "GITHUB_ACTIONS": "true", "GITHUB_RUN_ID": str(run), "GITHUB_RUN_ATTEMPT": "1", "GITHUB_ACTOR": "octocat",
        "GITHUB_SERVER_URL": "https://github.com", "GITHUB_REPOSITORY": "acme/shop", "GITHUB_REF_TYPE": "branch",
    }  # fmt: skip


def test_start_and_finish_with_the_commits_between(served: Served, shell: list[str], tmp_path: Path) -> None:
    name = f"between-{shell[0]}"
    checkout = job(served, tmp_path / "home" / "r", name)
    first = checkout.git("rev-parse", "HEAD")
    said = [checkout.run(*shell, str(served.script), "--strict", act) for act in ("start", "finish", "finish")]
    odd = 'Say "no" to \\ and\ttabs – ünïcode 🚀 `$HOME` $(false)'
    checkout.commit(odd, "dir with space/ünï.py", 1)
    checkout.commit('Second\n\nBody, "quoted"', 'quo"te\\.txt', 2)
    checkout.environment |= github(2)
    said += [
        checkout.run(*shell, str(served.script), "--strict", *words) for words in (("start",), ("finish", "failed"))
    ]

    assert [done.returncode for done in said] == [0] * 5, [done.stderr for done in said]
    assert served.deploys(name) == [
        {
            "id": "github-1-1-production", "environment": "production", "status": "success", "release": first,
            "url": "https://github.com/acme/shop/actions/runs/1", "description": "GitHub Actions, started by octocat",
            "files": None, "commits": [], "authors": [],
        },
        {
            "id": "github-2-1-production", "environment": "production", "status": "failure",
            "release": checkout.git("rev-parse", "HEAD"), "url": "https://github.com/acme/shop/actions/runs/2",
            "description": "GitHub Actions, started by octocat",
            "files": ["dir with space/ünï.py", 'quo"te\\.txt'],
            "commits": ["Second", odd.replace("\t", " ")], "authors": ["Dev One"],
        },
    ]  # fmt: skip


SERVERS = {
    "Buildkite": (
        {
            "BUILDKITE": "true", "BUILDKITE_BUILD_ID": "0190-ab", "BUILDKITE_COMMIT": "HEAD", "BUILDKITE_TAG": "v2.1.0",
            "BUILDKITE_BUILD_URL": "https://buildkite.com/acme/shop/builds/7", "BUILDKITE_BUILD_CREATOR": "Ann",
            "BUILDKITE_PIPELINE_SLUG": "till-buildkite",
        },
        ("till-buildkite", "buildkite-0190-ab-production", "v2.1.0", "https://buildkite.com/acme/shop/builds/7"),
    ),
    "GitLab CI": (
        {
            "GITLAB_CI": "true", "CI_PIPELINE_ID": "31", "CI_COMMIT_SHA": "f" * 40, "CI_PROJECT_NAME": "till-gitlab",
            "CI_JOB_URL": "https://gitlab.example/acme/till/-/jobs/5", "CI_ENVIRONMENT_NAME": "staging",
        },
        ("till-gitlab", "gitlab-31-staging", "f" * 40, "https://gitlab.example/acme/till/-/jobs/5"),
    ),
    "CircleCI": (
        {
            "CIRCLECI": "true", "CIRCLE_WORKFLOW_ID": "w-1", "CIRCLE_SHA1": "e" * 40, "CIRCLE_PROJECT_REPONAME": "till-circle",
            "CIRCLE_BUILD_URL": "https://circleci.com/gh/acme/till/12",
        },
        ("till-circle", "circleci-w-1-production", "e" * 40, "https://circleci.com/gh/acme/till/12"),
    ),
    "Jenkins": (
        {
            "JENKINS_URL": "https://ci.example/", "BUILD_TAG": "jenkins-till-9", "GIT_COMMIT": "d" * 40,
            "GIT_URL": "git@git.example:acme/till-jenkins.git", "BUILD_URL": "https://ci.example/job/till/9/",
        },
        ("till-jenkins", "jenkins-till-9-production", "d" * 40, "https://ci.example/job/till/9/"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("server", sorted(SERVERS))
def test_each_ci_server_is_known_by_its_variables(served: Served, tmp_path: Path, server: str) -> None:
    variables, (service, identity, release, page) = SERVERS[server]
    checkout = repository(tmp_path / "shop", UPSHOT_TOKEN=served.token, CI="true", **variables)

    done = checkout.run("sh", str(served.script), "--strict", "start")

    assert (done.returncode, release in done.stderr) == (0, True), done.stderr
    (deploy,) = served.deploys(service)
    assert [deploy[key] for key in ("id", "release", "url", "status")] == [identity, release, page, "in_progress"]
    assert server in deploy["description"]


def test_run_gives_back_the_commands_status_input_and_output(served: Served, shell: list[str], tmp_path: Path) -> None:
    name = f"run-{shell[0]}"
    checkout = job(served, tmp_path / "home" / "r", name)

    good = checkout.run(
        *shell,
        str(served.script),
        "run",
        "--",
        "sh",
        "-c",
        'read line; echo "got $line $1"',
        "x",
        "a b",
        text="input\n",
    )
    bad = checkout.run(*shell, str(served.script), "--environment", "staging", "run", "--", "sh", "-c", "exit 3")

    assert (good.returncode, good.stdout, bad.returncode, bad.stdout) == (0, "got input a b\n", 3, "")
    assert [(each["environment"], each["status"]) for each in served.deploys(name)] == [
        ("production", "success"),
        ("staging", "failure"),
    ]


def test_nothing_breaks_where_nobody_listens(served: Served, shell: list[str], tmp_path: Path) -> None:
    checkout = job(served, tmp_path / "home" / "r", "nobody")
    checkout.environment["UPSHOT_URL"] = f"http://127.0.0.1:{free_port()}"

    patient = checkout.run(*shell, str(served.script), "run", "--", "echo", "deployed")
    strict = checkout.run(*shell, str(served.script), "--strict", "finish")

    assert (patient.returncode, patient.stdout, strict.returncode) == (0, "deployed\n", 2)
    assert "could not be told (HTTP 000)" in patient.stderr


def test_what_is_missing_is_said_and_the_command_still_runs(served: Served, shell: list[str], tmp_path: Path) -> None:
    checkout = job(served, tmp_path / "home" / "r", "missing")
    del checkout.environment["UPSHOT_TOKEN"]
    script = str(served.script)

    runs = [
        checkout.run(*shell, script, *words)
        for words in (
            ("start",),
            ("run", "--", "echo", "deployed"),
            ("--strict", "start"),
            ("run", "--typo", "--", "true"),
            (),
        )
    ]

    assert [(done.returncode, done.stdout) for done in runs] == [(0, ""), (0, "deployed\n"), (2, ""), (2, ""), (2, "")]
    assert "set UPSHOT_TOKEN" in runs[0].stderr
    assert "unknown option --typo" in runs[3].stderr


def test_a_refused_token_is_said_and_hurts_nobody(served: Served, tmp_path: Path) -> None:
    checkout = job(served, tmp_path / "home" / "r", "refused")
    checkout.environment["UPSHOT_TOKEN"] = 'upshot_"wrong'

    done = checkout.run("sh", str(served.script), "finish")

    assert done.returncode == 0
    assert "this token is unknown, revoked or expired" in done.stderr


def test_a_shallow_clone_is_deepened_or_said(served: Served, tmp_path: Path) -> None:
    name = "shallow"
    origin = job(served, tmp_path / "home" / "origin", name)
    origin.run("sh", str(served.script), "run", "--", "true")
    for number in range(1, 4):
        origin.commit(f"change {number}", minute=number)
    clones = []
    for run, address in ((2, origin.folder.as_uri()), (3, "file:///nowhere")):
        folder = tmp_path / "home" / f"clone{run}"
        origin.git("clone", "--quiet", "--depth", "1", origin.folder.as_uri(), str(folder))
        clone = Checkout(folder, {**origin.environment, **github(run)})
        clone.git("remote", "set-url", "origin", address)
        clones.append(clone.run("sh", str(served.script), "--environment", "production", "start"))

    _, deepened, apart = served.deploys(name)
    assert deepened["commits"] == ["change 3", "change 2", "change 1"]
    assert (apart["commits"], apart["status"]) == ([], "in_progress")
    assert "this clone is shallow and does not reach" in clones[1].stderr


def test_the_script_is_public_cacheable_and_stamped(served: Served) -> None:
    with urllib.request.urlopen(f"{served.instance.url}/ci/deploy.sh", timeout=10) as answer:
        headers, text = answer.headers, answer.read().decode()

    assert headers["Content-Type"] == "text/x-shellscript; charset=utf-8"
    assert set(headers["Cache-Control"].split(", ")) == {"public", "max-age=300"}
    assert headers["ETag"]
    assert f"default: {served.instance.url}\n" in text
    assert "@VERSION@" not in text
    assert "@URL@" not in text


def test_the_script_has_no_finding_of_shellcheck(served: Served) -> None:
    checker = Path(sys.executable).with_name("shellcheck")
    if not checker.exists():
        skip_or_fail("no shellcheck beside Python: make install-dev")
    done = Checkout(served.script.parent).run(str(checker), "--shell=sh", str(served.script))

    assert (done.returncode, done.stdout) == (0, "")
