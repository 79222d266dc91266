"""Every recipe of docs/ci/, its shell lines as they stand there, run as that CI runs them, against a running server."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploys.views.recipes import RECIPES
from tests.conftest import skip_or_fail
from tests.deploys.checkouts import Checkout, repository
from tests.instance import ROOT, Instance, running

pytestmark = pytest.mark.processes

STATE = """
import json
from deploys.models import Deploy
print(json.dumps([[d.environment.name, d.status, d.release and d.release.version, d.url, d.commits.count()] for d in Deploy.objects.order_by("change_id")]))
"""
SCANNED = """
import json
from deploys.models import Flag, FlagRepository
print(json.dumps([[r.name, [s.name for s in r.services.all()], f.key, f.code_references] for r in FlagRepository.objects.all() for f in Flag.objects.filter(team=r.team)]))
"""
FAILING = "#!/bin/sh\nexit 3\n"
#: What each CI sets by itself, for the run of this number.
VARIABLES = {
    "github-actions": {
        "CI": "true", "GITHUB_ACTIONS": "true", "GITHUB_RUN_ID": "RUN", "GITHUB_RUN_ATTEMPT": "1", "GITHUB_ACTOR": "octocat",
        "GITHUB_SERVER_URL": "https://github.com", "GITHUB_REPOSITORY": "acme/shop", "GITHUB_REF_TYPE": "branch",
        "GITHUB_REF_NAME": "main", "GITHUB_SHA": "SHA",
    },
    "gitlab-ci": {
        "CI": "true", "GITLAB_CI": "true", "CI_PIPELINE_ID": "RUN", "CI_JOB_ID": "7RUN", "GITLAB_USER_LOGIN": "ann",
        "CI_JOB_URL": "https://gitlab.example.com/acme/shop/-/jobs/RUN", "CI_PROJECT_NAME": "shop",
        "CI_ENVIRONMENT_NAME": "production", "CI_COMMIT_SHA": "SHA",
    },
    "jenkins": {
        "JENKINS_URL": "http://jenkins:8080/", "BUILD_TAG": "jenkins-shop-RUN", "BUILD_URL": "http://jenkins:8080/job/shop/RUN/",
        "JOB_NAME": "shop", "GIT_COMMIT": "SHA", "GIT_URL": "https://git.example.com/acme/shop.git",
    },
    "circleci": {
        "CI": "true", "CIRCLECI": "true", "CIRCLE_WORKFLOW_ID": "RUN", "CIRCLE_USERNAME": "ann", "CIRCLE_SHA1": "SHA",
        "CIRCLE_BUILD_URL": "https://circleci.com/gh/acme/shop/RUN", "CIRCLE_PROJECT_REPONAME": "shop",
    },
    "curl": {"BUILD_ID": "RUN", "VERSION": "SHA"},
    "sentry-cli": {"VERSION": "SHA"},
}  # fmt: skip
PAGES = {
    "github-actions": "https://github.com/acme/shop/actions/runs/RUN",
    "gitlab-ci": "https://gitlab.example.com/acme/shop/-/jobs/RUN",
    "jenkins": "http://jenkins:8080/job/shop/RUN/",
    "circleci": "https://circleci.com/gh/acme/shop/RUN",
}


def text_of(name: str) -> str:
    return (ROOT / "docs" / "ci" / f"{name}.md").read_text(encoding="utf-8")


def block(name: str, language: str) -> str:
    """The first fenced block of this language."""
    return re.findall(rf"^```{language}\n(.*?)^```", text_of(name), re.MULTILINE | re.DOTALL)[0]


def lines_of(name: str, *, is_failure: bool) -> list[str]:
    """The shell lines of a recipe, verbatim, in the order in which its CI runs them."""
    match name:
        case "github-actions":
            steps = yaml.safe_load(block(name, "yaml"))["jobs"]["deploy"]["steps"]
            return [step["run"] for step in steps if "run" in step]
        case "gitlab-ci":
            job = yaml.safe_load(block(name, "yaml"))["deploy"]
            return [*job["before_script"], *job["script"], *job["after_script"]]
        case "jenkins":
            start, deploy, success, failure = re.findall(r"sh '(.*)'", block(name, "groovy"))
            return [start, deploy, failure if is_failure else success]
        case "circleci":
            steps = yaml.safe_load(block(name, "yaml"))["jobs"]["deploy"]["steps"]
            unwanted = "on_success" if is_failure else "on_fail"
            return [
                step["run"]["command"] for step in steps if step != "checkout" and step["run"].get("when") != unwanted
            ]
        case _:
            return [block(name, "sh")]


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    with running(tmp_path_factory.mktemp("recipes") / "data") as served:
        yield served


def play(checkout: Checkout, name: str, run: int, *, is_failure: bool = False) -> None:
    """One job of this CI. The address in the recipe is an example's; the instance's is what the job's variables say."""
    sha = checkout.git("rev-parse", "HEAD")
    checkout.environment |= {
        key: value.replace("RUN", str(run)).replace("SHA", sha) for key, value in VARIABLES[name].items()
    }
    said = "failure" if is_failure else "success"
    checkout.environment |= {"RESULT": said, "CI_JOB_STATUS": "failed" if is_failure else "success"}
    (checkout.folder / "deploy").write_text(FAILING if is_failure else "#!/bin/sh\n", encoding="utf-8")
    (checkout.folder / "deploy").chmod(0o755)
    for line in lines_of(name, is_failure=is_failure):
        own = line.replace("https://upshot.example.com", checkout.environment["UPSHOT_URL"])
        done = checkout.run("bash", "-eo", "pipefail", "-c", own)
        assert done.returncode == (3 if line == "./deploy" and is_failure else 0), (line, done.stdout, done.stderr)


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_tells_of_success_and_failure(name: str, instance: Instance, tmp_path: Path) -> None:
    cli = Path(sys.executable).with_name("sentry-cli")
    if name == "sentry-cli" and not cli.exists():
        skip_or_fail("no sentry-cli beside Python: make install-dev")
    team = "acme" if name == "sentry-cli" else f"{name}-team"
    token = instance.provision(f"{team}/shop")["deploy_token"]
    checkout = repository(
        tmp_path / "home" / "r", UPSHOT_URL=instance.url, UPSHOT_TOKEN=token, UPSHOT_SERVICE="shop",
        PATH=f"{cli.parent}{os.pathsep}{os.environ['PATH']}",
    )  # fmt: skip
    checkout.git("remote", "add", "origin", "https://git.example.com/acme/shop.git")
    if name != "gitlab-ci":
        checkout.environment["UPSHOT_ENVIRONMENT"] = "production"

    shas = [checkout.git("rev-parse", "HEAD")]
    play(checkout, name, 1)
    shas.append(checkout.commit("change", minute=1))
    play(checkout, name, 2, is_failure=name != "sentry-cli")

    assert told(instance, team) == expected(name, shas)


def told(instance: Instance, team: str) -> list[Any]:
    rows: list[Any] = json.loads(
        instance.manage("shell", "-v0", "-c", STATE.replace("objects", f"objects.filter(team__slug='{team}')"))
    )
    return rows


def expected(name: str, shas: list[str]) -> list[Any]:
    """The first version has no commits, except where the client itself counts them."""
    page = PAGES.get(name, "")
    ends = ("success", "success" if name == "sentry-cli" else "failure")
    counts = {"curl": (0, 0), "sentry-cli": (1, 1)}.get(name, (0, 1))
    return [
        ["production", end, sha, page.replace("RUN", str(run)), count]
        for run, (sha, end, count) in enumerate(zip(shas, ends, counts, strict=True), 1)
    ]


def test_the_script_around_a_command_as_plain_curl_shows_it(instance: Instance, tmp_path: Path) -> None:
    token = instance.provision("around/shop")["deploy_token"]
    checkout = repository(tmp_path / "home" / "r", UPSHOT_URL=instance.url, UPSHOT_TOKEN=token)
    (checkout.folder / "deploy").write_text(FAILING, encoding="utf-8")
    (checkout.folder / "deploy").chmod(0o755)
    lines = re.findall(r"^```sh\n(.*?)^```", text_of("curl"), re.MULTILINE | re.DOTALL)[1]

    done = checkout.run("sh", "-c", lines)

    assert done.returncode == 3
    assert [row[:2] for row in told(instance, "around")] == [["production", "failure"]]


def test_flags_are_found_and_taken_out_as_the_page_on_flags_shows_it(instance: Instance, tmp_path: Path) -> None:
    token = instance.provision("flags/shop")["deploy_token"]
    checkout = repository(tmp_path / "home" / "r", UPSHOT_URL=instance.url, UPSHOT_TOKEN=token, UPSHOT_STRICT="1")
    checkout.git("remote", "add", "origin", "https://git.example.com/acme/shop.git")
    checkout.commit('if is_enabled("one-page-checkout"):\n    pay()\n', "shop.py")
    scan, patch = re.findall(r"^```sh\n(.*?)^```", text_of("feature-flags"), re.MULTILINE | re.DOTALL)
    known = """curl -fsS "$UPSHOT_URL/api/v1/flags" -H "Authorization: Bearer $UPSHOT_TOKEN" -d key=one-page-checkout -d owner=ann"""

    said = [checkout.run("sh", "-ec", lines) for lines in (known, scan, patch)]

    assert [done.returncode for done in said] == [0, 0, 0], [done.stderr for done in said]
    assert said[1].stderr.splitlines()[-1] == "upshot: 1 places of 1 flags in 2 files: created"
    assert (checkout.folder / "shop.py").read_text(encoding="utf-8") == "pay()\n"
    assert json.loads(instance.manage("shell", "-v0", "-c", SCANNED)) == [
        ["acme/shop", ["shop"], "one-page-checkout", 1]
    ]


def test_every_recipe_is_listed() -> None:
    files = {path.stem for path in (ROOT / "docs" / "ci").glob("*.md")} - {"README"}
    linked = set(re.findall(r"\]\(([a-z-]+)\.md\)", text_of("README")))

    assert files == linked == {*RECIPES, "feature-flags"}
