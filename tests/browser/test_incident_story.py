"""The life of one incident, from the first failed check to the report of the week, in real processes and a real browser.

The clock of the instance stands on a Tuesday in March when it begins; it is moved by starting the processes again.
"""

from __future__ import annotations

import datetime as dt
import json
import re
import subprocess
import urllib.request
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.browser.newcomer import Shop, copied_dsn, copied_line, open_shop, set_up, watch
from tests.instance import Instance, eventually
from tests.mailbox import Mailbox, mailbox

pytestmark = [pytest.mark.browser, pytest.mark.processes]

TUESDAY = dt.datetime(2026, 3, 3, 10, 0, tzinfo=dt.UTC)
MONDAY = dt.datetime(2026, 3, 9, 11, 0, tzinfo=dt.UTC)
WEEK = "2026-W10"
#: Longer than errors must be away before an incident is over.
QUIET = dt.timedelta(minutes=20)
PROMISE = "Test a basket without a total"
SECONDS = 60.0
#: Collects the static files and prints the one-time link in one process.
PREPARE = """
from django.core.management import call_command
from deploys import clock
from deploys.actions.links import make_setup_link
call_command("collectstatic", interactive=False, verbosity=0)
print(make_setup_link(now=clock.now()))
"""


@dataclass
class Story:
    """An instance with its mail server, its shop, and a clock that can be set."""

    instance: Instance
    box: Mailbox
    shop: Shop
    offset: dt.timedelta = field(default_factory=dt.timedelta)

    @property
    def now(self) -> dt.datetime:
        """What the clock of the instance shows."""
        return dt.datetime.now(dt.UTC) + self.offset

    def set_clock(self, instant: dt.datetime) -> None:
        """The next process begins at this instant."""
        self.offset = instant - dt.datetime.now(dt.UTC)
        self.instance.settings["UPSHOT_CLOCK_OFFSET_SECONDS"] = str(self.offset.total_seconds())

    def go_on_at(self, instant: dt.datetime) -> None:
        """Ends the processes and starts them at another time."""
        self.instance.stop()
        self.set_clock(instant)
        self.instance.serve()

    def at(self, path: str) -> str:
        """An address of the team."""
        return f"{self.instance.url}/t/acme/{path}"

    def mail(self, about: str) -> str:
        """The text of the first mail whose subject says this."""
        return eventually(
            lambda: next((text for subject, text in self.box.texts() if re.search(about, subject)), None),
            seconds=SECONDS, what=f"a mail about {about} among {self.box.texts()}; {self.instance.output()[-800:]}",
        )  # fmt: skip


@pytest.fixture
def story(tmp_path: Path) -> Iterator[Story]:
    data = tmp_path / "data"
    data.mkdir()
    with mailbox() as box, open_shop() as shop:
        told = Story(Instance(data=data, settings={"UPSHOT_EMAIL_URL": box.url}), box, shop)
        told.set_clock(TUESDAY)
        told.instance.migrate()
        try:
            yield told
        finally:
            told.instance.stop()


@pytest.fixture
def visitor(browser: Browser) -> Iterator[Page]:
    """Somebody with another browser, who is not signed in."""
    context = browser.new_context(reduced_motion="reduce")
    yield context.new_page()
    context.close()


@dataclass
class Pipeline:
    """CI with the script that the instance serves, and the clock of the instance."""

    story: Story
    folder: Path
    token: str

    def deploy(self, release: str, run: int) -> None:
        """Deploys a release."""
        tools = self.folder / "tools"
        tools.mkdir(exist_ok=True)
        (tools / "date").write_text(
            f'#!/bin/sh\nexec /bin/date -d "{self.story.offset.total_seconds():+.0f} seconds" "$@"\n', encoding="utf-8"
        )
        (tools / "date").chmod(0o755)
        script = self.folder / "deploy.sh"
        with urllib.request.urlopen(f"{self.story.instance.url}/ci/deploy.sh", timeout=10) as answer:
            script.write_bytes(answer.read())
        environment = {
            "PATH": f"{tools}:/usr/bin:/bin", "HOME": str(self.folder), "GITHUB_ACTIONS": "true", "GITHUB_RUN_ID": str(run),
            "GITHUB_REPOSITORY": "acme/checkout", "UPSHOT_TOKEN": self.token, "UPSHOT_RELEASE": release,
        }  # fmt: skip
        subprocess.run(
            ["sh", script, "--service", "checkout", "--strict", "run", "--", "true"],
            cwd=self.folder, env=environment, check=True, capture_output=True, timeout=60,
        )  # fmt: skip


def raise_errors(dsn: str, release: str, at: dt.datetime) -> None:
    """Twelve errors for five users, as an SDK sends them."""
    place = urlsplit(dsn)
    for number in range(12):
        event = {
            "event_id": uuid.uuid4().hex, "timestamp": at.timestamp(), "platform": "python", "level": "error",
            "release": release, "environment": "production", "user": {"id": f"customer-{number % 5}"},
            "exception": {"values": [{"type": "KeyError", "value": "'total'", "stacktrace": {"frames": [
                {"function": "total", "module": "shop.cart", "filename": "shop/cart.py", "lineno": 12, "in_app": True},
            ]}}]},
        }  # fmt: skip
        lines = [{"event_id": event["event_id"]}, {"type": "event"}, event]
        request = urllib.request.Request(
            f"http://{place.hostname}:{place.port}/api{place.path}/envelope/",
            data="\n".join(json.dumps(line) for line in lines).encode(),
            headers={"X-Sentry-Auth": f"Sentry sentry_key={place.username}, sentry_version=7"},
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            assert answer.status == 200


def seen(page: Page, address: str, words: str | re.Pattern[str]) -> None:
    """Looks at the page again and again until it says so."""
    eventually(
        lambda: page.goto(address) and page.get_by_text(words).count(), seconds=SECONDS, what=f"{words} at {address}"
    )


@dataclass
class Looks:
    """What is wrong with pages, in both themes, wide and narrow; `folder` has a picture of each."""

    folder: Path
    found: dict[str, Any] = field(default_factory=dict)

    def at(self, page: Page, address: str, name: str) -> None:
        """Looks at one page."""
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]  # one of the two
            page.goto(address, wait_until="load")
            for width in (1280, 380):
                page.set_viewport_size({"width": width, "height": 900})
                self.note(page, f"{name} {scheme} {width}", width)
        page.set_viewport_size({"width": 1280, "height": 900})

    def note(self, page: Page, name: str, width: int) -> None:
        """One picture, and what axe says."""
        page.screenshot(path=self.folder / f"{name}.png", full_page=True)
        violations = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
        if violations:
            self.found[name] = [(each["id"], each["nodes"][0]["html"][:200]) for each in violations]
        if (real := page.evaluate("document.documentElement.scrollWidth")) > width:
            self.found[f"{name} is wider than the screen"] = real


def test_an_incident_from_the_first_failed_check_to_the_report_of_the_week(
    story: Story, page: Page, visitor: Page, tmp_path: Path
) -> None:
    looks = Looks(tmp_path)
    path = story.instance.manage("shell", "-v0", "-c", PREPARE).strip()
    story.instance.serve()

    # a service with its deploys, its errors and a monitor
    set_up(page, story.instance.url + path, "checkout")
    dsn = copied_dsn(page)
    token = re.search(r"Bearer (\S+?)['\"]", copied_line(page))
    assert token
    ci = Pipeline(story, tmp_path, token.group(1))
    ci.deploy("1.4.1", run=40)
    page.goto(story.at("services/"))
    page.get_by_role("link", name="checkout").first.click()
    watch(page, story.shop.url)
    service = page.url
    seen(page, service, re.compile("^answers$"))

    # a deploy breaks it: its monitor fails, its users get errors, an incident opens
    ci.deploy("1.4.2", run=41)
    story.shop.is_well = False
    raise_errors(dsn, "1.4.2", story.now)
    incident = story.at("incidents/1/")
    text = story.mail("downtime: checkout")

    # acknowledged from the mail, by somebody whose browser is not signed in
    link = re.search(r"http\S+/acknowledge/\S+", text)
    assert link
    looks.at(visitor, link.group(), "acknowledge")
    visitor.get_by_role("button", name="Acknowledge").click()
    expect(visitor.get_by_role("heading", name="INC-1 is acknowledged")).to_be_visible()

    # the deploy is confirmed as its cause
    seen(page, incident, "Confirm cause")
    looks.at(page, incident, "incident while it lasts")
    expect(page.locator("#causes .suspect").first).to_contain_text("checkout 1.4.2")
    page.get_by_role("button", name="Confirm cause").click()
    expect(page.get_by_text("Confirmed. Reports count it from now on.")).to_be_visible()

    # rolled back by CI; the monitor is answered again, and no more errors come
    ci.deploy("1.4.1", run=42)
    story.shop.is_well = True
    seen(page, service, re.compile("^answers$"))
    page.goto("about:blank")
    story.go_on_at(story.now + QUIET)
    seen(page, incident, re.compile("restored after"))
    expect(page.get_by_text("Proof by reversal")).to_be_visible()
    page.get_by_role("button", name="Yes, it ended it").click()
    expect(page.locator("#facts").get_by_text("no person has said so yet")).to_have_count(0)

    # what it taught, and what is promised
    page.goto(story.at("incidents/1/retrospective/write/"))
    page.get_by_label("What happened, in three sentences?").fill("A basket without a total broke *every* order.")
    page.get_by_label("What made this possible?").fill("No test has a basket without lines.")
    page.get_by_role("button", name="Save").click()
    page.get_by_label("What will be done?").fill(PROMISE)
    page.get_by_label("Due on").fill("2026-03-05")
    page.get_by_role("button", name="Promise it").click()
    page.get_by_role("button", name="Finish").click()
    expect(page.get_by_text("Finished.")).to_be_visible()

    # Monday: the promise is overdue, and the report of the week says so
    page.goto("about:blank")
    story.go_on_at(MONDAY)
    assert "Promised after INC-1, due on 2026-03-05" in story.mail(f"Overdue: {PROMISE}")
    seen(page, story.at(f"reports/{WEEK}/"), "snapshot 1")
    expect(page.locator("#kept + ul")).to_contain_text(
        re.compile(f"overdue {PROMISE}.*due 5 March 2026, after INC-1", re.DOTALL)
    )
    expect(page.locator(".verdict")).to_contain_text("2 deploys, 1 failed")
    expect(page.locator("dd", has_text="nobody watched for 5")).to_be_visible()
    expect(page.locator("section", has=page.locator("#broke")).get_by_role("row").nth(1)).to_contain_text(
        re.compile("INC-1.*checkout 1.4.2 confirmed.*rollback", re.DOTALL)
    )
    for where in ("incidents/", "incidents/1/", "incidents/1/retrospective/", "action-items/", f"reports/{WEEK}/"):
        looks.at(page, story.at(where), where.strip("/").replace("/", "-"))
    looks.at(page, service, "service")
    assert looks.found == {}
