"""The main job, end to end, with real processes, a real browser and real SDKs.

Somebody starts an empty instance, follows the one-time link, copies the line for CI and the DSN, deploys, breaks
something, and reads which deploy did it.
"""

from __future__ import annotations

import datetime as dt
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.newcomer import copied_dsn, copied_line, set_up
from tests.conftest import skip_or_fail
from tests.instance import ROOT, Instance, eventually

pytestmark = [pytest.mark.browser, pytest.mark.processes]

MINUTE = 60_000
RELEASE = "1.4.2"
PYTHON_APPLICATION = """
import sys
import sentry_sdk

sentry_sdk.init(dsn=sys.argv[1], release=sys.argv[2], environment="production")
for number in range(12):
    sentry_sdk.set_user({"id": f"customer-{number % 5}"})
    try:
        {}["discount_total"]
    except KeyError as error:
        sentry_sdk.capture_exception(error)
sentry_sdk.flush(10)
"""
NODE_APPLICATION = """
import * as Sentry from "@sentry/node";

const [dsn, release] = process.argv.slice(2);
Sentry.init({ dsn, release, environment: "production" });
// The SDK itself drops an error that repeats the one before to the letter; real baskets have numbers.
function total(basket) { throw new TypeError(`basket ${basket} has no lines`); }
for (let number = 0; number < 12; number++) {
  Sentry.withScope((scope) => {
    scope.setUser({ id: `customer-${number % 5}` });
    try { total(1000 + number); } catch (error) { Sentry.captureException(error); }
  });
}
await Sentry.close(10000);
"""


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[Instance]:
    """An empty instance, started as `make run` starts it; its empty tables are copied, which is much quicker."""
    data = tmp_path / "data"
    data.mkdir()
    started = Instance(data=data)
    started.migrate()
    started.start("start")
    try:
        started.wait_until_up(120)
        yield started
    finally:
        started.stop()


@pytest.fixture
def node_client(tmp_path: Path) -> Path:
    """A folder with @sentry/node installed from the lock file."""
    if shutil.which("npm") is None:
        skip_or_fail("node and npm are not installed")
    folder = tmp_path / "node"
    folder.mkdir()
    for name in ("package.json", "package-lock.json"):
        shutil.copy(ROOT / "tests" / "clients" / "node" / name, folder)
    subprocess.run(
        ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
        cwd=folder,
        check=True,
        capture_output=True,
        timeout=300,
    )
    (folder / "application.mjs").write_text(NODE_APPLICATION, encoding="utf-8")
    return folder


def begin(page: Page, instance: Instance, service: str) -> None:
    """From the one-time link, which `start` printed, to the page with the snippets."""
    link = eventually(lambda: re.search(r"http\S+/link/\S+", instance.output()), seconds=60, what="the one-time link")
    set_up(page, link.group(), service)


def deploy(line: str, *, run: str, release: str, started_at: dt.datetime) -> None:
    """Runs the copied line as a CI job would, for a deploy that began a little earlier."""
    line = line.removesuffix("|| true").strip() + f" -d started_at={started_at.timestamp():.0f} -f -sS"
    subprocess.run(
        ["sh", "-c", line],
        env={"PATH": "/usr/bin:/bin", "CI_RUN_ID": run, "RELEASE": release},
        check=True,
        capture_output=True,
        timeout=30,
    )


def raise_in_python(dsn: str, release: str) -> None:
    """Twelve exceptions for five users."""
    subprocess.run([sys.executable, "-c", PYTHON_APPLICATION, dsn, release], check=True, timeout=60)


def read_the_incident(page: Page, instance: Instance, *, names: str) -> None:
    """Within a minute an incident is there, multi-user, with the deploy first among its suspects."""
    row = page.locator("main tr[data-row] th a")
    eventually(
        lambda: page.goto(f"{instance.url}/t/acme/incidents/") and row.count(),
        seconds=60,
        what=f"an incident; {instance.output()[-800:]}",
    )
    row.first.click()
    expect(page.get_by_text("multi-user").first).to_be_visible()
    expect(page.get_by_role("heading", name="Why this deploy?")).to_be_visible()
    expect(page.get_by_text(f"Deploy {names}").first).to_be_visible()


def report(page: Page, instance: Instance) -> str:
    """The words of this week's report."""
    page.goto(f"{instance.url}/t/acme/reports/")
    page.get_by_role("link", name=re.compile(r"\d{4}-W\d\d|this week|running", re.IGNORECASE)).first.click()
    return page.locator("main").inner_text()


def test_a_bad_deploy_is_named_and_counted_after_one_click(instance: Instance, page: Page) -> None:
    begin(page, instance, "checkout")
    dsn = copied_dsn(page)
    deploy(copied_line(page), run="41", release=RELEASE, started_at=dt.datetime.now(dt.UTC) - dt.timedelta(minutes=2))
    expect(page.locator("#heard-deploy")).to_contain_text(RELEASE, timeout=MINUTE)

    raise_in_python(dsn, RELEASE)

    expect(page.locator("li[data-done], #heard-event").first).to_be_visible(timeout=MINUTE)
    read_the_incident(page, instance, names=f"checkout {RELEASE}")
    suspected = report(page, instance)
    assert "0 of 1" in suspected
    assert "suspected" in suspected

    page.goto(f"{instance.url}/t/acme/incidents/1/")
    page.get_by_role("button", name="Confirm cause").click()
    expect(page.get_by_text("Confirmed. Reports count it from now on.")).to_be_visible()

    assert "1 of 1" in report(page, instance)


def test_the_same_with_the_node_sdk(instance: Instance, node_client: Path, page: Page) -> None:
    begin(page, instance, "basket")
    dsn = copied_dsn(page)
    deploy(copied_line(page), run="7", release=RELEASE, started_at=dt.datetime.now(dt.UTC) - dt.timedelta(minutes=2))

    subprocess.run(["node", "application.mjs", dsn, RELEASE], cwd=node_client, check=True, timeout=60)

    read_the_incident(page, instance, names=f"basket {RELEASE}")
