"""A person teaches the model from the incident's page, in a real browser: not this, choose another, take back, confirm."""

from __future__ import annotations

import datetime as dt
import os
import re
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.test import Client
from playwright.sync_api import Page, expect

from deploys import clock
from deploys.actions.facts import record_fact
from deploys.models import Role, Team
from incidents.actions import detection
from incidents.actions.digest import digest_events
from incidents.models import Cause, CauseSample, Incident, Issue
from reliability.queries import knowledge
from tests.factories.catalog import MembershipFactory
from tests.factories.errors import parsed_event
from tests.incidents.actions.test_detection import PAY, shop

# The driver runs an event loop in the thread of the tests, which Django would otherwise take for an async view.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "1")

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True, databases="__all__")]


@pytest.fixture
def started() -> dt.datetime:
    """When the errors began: 20 minutes ago."""
    return clock.now().replace(microsecond=0) - dt.timedelta(minutes=20)


@pytest.fixture
def team(started: dt.datetime) -> Team:
    """A shop whose errors began two minutes after a deploy that changed their innermost frame."""
    knowledge.forget()
    service = shop()
    for name, minutes, files in (
        ("4.16.9", 190, ["web/menu.js"]),
        ("4.17.3", 41, ["shop/cart.py"]),
        ("4.18.0", 2, ["shop/pay.py"]),
    ):
        at = started - dt.timedelta(minutes=minutes)
        payload = {
            "id": name, "service": "shop", "release": name, "status": "success", "started_at": at.isoformat(), "files": files,
            "finished_at": (at + dt.timedelta(minutes=1)).isoformat(),
        }  # fmt: skip
        record_fact(team=service.team, kind="deploy", payload=payload, received_at=at, origin="live", source="api")
    fail(service, started, "KeyError", 24)
    detection.run(now=clock.now())
    return service.team


def fail(service: Any, started: dt.datetime, kind: str, count: int) -> None:
    """Errors, four a minute, of five users."""
    events = [
        parsed_event(
            timestamp=started + dt.timedelta(seconds=15 * n), type=kind, frames=PAY, release="4.18.0", user=f"u{n % 5}",
            host=f"shop-{n % 3}",
        )
        for n in range(count)
    ]  # fmt: skip
    digest_events(service=service, events=events, received_at=[each.event.timestamp for each in events])


@pytest.fixture
def at(page: Page, live_server: Any, team: Team) -> str:
    """Somebody who works on incidents is signed in; the address of the team."""
    member = MembershipFactory(team=team, role=Role.RESPONDER)
    client = Client()
    client.force_login(member.user)
    key = client.cookies[settings.SESSION_COOKIE_NAME].value
    page.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": key, "url": live_server.url}])
    return f"{live_server.url}/t/{team.slug}"


def links() -> list[tuple[str, str, str]]:
    rows = Cause.objects.order_by("id").values_list("change__deploy__external_id", "kind", "status")
    return [(name or kind, status, "") for name, kind, status in rows]


def suspect(page: Page, name: str) -> Any:
    """The row of a suspect."""
    return page.locator("#causes .suspect").filter(has=page.get_by_text(re.compile(name))).first


def test_a_person_rejects_reassigns_takes_back_and_confirms(page: Page, at: str) -> None:
    page.goto(f"{at}/incidents/1/")
    expect(page.get_by_role("heading", name="Why this deploy?")).to_be_visible()
    first = page.locator("#causes .suspect").first
    expect(first).to_contain_text("shop 4.18.0")
    expect(first).to_contain_text("changed shop/pay.py, the innermost frame")
    expect(page.locator("#causes")).to_contain_text("The code: it changed shop/pay.py in pay, the innermost frame")

    first.get_by_role("button", name="Not this").click()

    expect(page.get_by_text("Rejected. It will not be proposed again.")).to_be_visible()
    detection.run(now=clock.now())
    page.reload()
    expect(page.locator("#causes .suspect").first).not_to_contain_text("4.18.0")
    expect(page.locator("#causes")).to_contain_text("Not this: Deploy shop 4.18.0")
    assert CauseSample.objects.get().refused == [str(Incident.objects.get().causes.get().change.public_id)]

    suspect(page, r"shop 4\.17\.3").get_by_role("button", name=re.compile("Choose|Confirm cause")).click()

    expect(page.get_by_text(re.compile(r"Confirmed\. (Reports|What)"))).to_be_visible()
    expect(page.get_by_role("heading", name="What caused it")).to_be_visible()
    assert ("4.17.3", "confirmed", "") in links()
    assert ("4.18.0", "rejected", "") in links()
    sample = CauseSample.objects.get()
    assert (len(sample.named), len(sample.refused), sample.verdict_number) == (1, 1, 1)

    page.get_by_role("button", name="Take back").click()
    expect(page.locator(".flashes")).to_contain_text("Taken back.")
    assert CauseSample.objects.get().named == []

    page.get_by_role("link", name="Choose another change…").click()
    row = page.locator("tr").filter(has_text="shop 4.18.0")
    row.get_by_role("button", name="This one").click()

    expect(page.get_by_text("Confirmed. What was named before is rejected.")).to_be_visible()
    assert links() == [("4.18.0", "confirmed", "")]


def test_no_change_did_this(page: Page, at: str) -> None:
    page.goto(f"{at}/incidents/1/")
    row = suspect(page, "No change did this")
    row.locator("summary").click()
    row.get_by_label("No change did this, but").select_option("external")
    row.get_by_role("button", name="No change did this").click()

    expect(page.get_by_text("Noted: no change did this.")).to_be_visible()
    assert CauseSample.objects.get().named == [""]


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 1280), ("light", 380)])
def test_the_answers_are_read_by_everybody(page: Page, at: str, team: Team, scheme: str, width: int) -> None:
    """The verdict's page, the calibration's, and merging: no barrier, no sideways scrolling, the policy kept."""
    issue = Issue.objects.get()
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light", reduced_motion="reduce")
    page.set_viewport_size({"width": width, "height": 900})
    for path in ("incidents/1/", "calibration/", f"issues/{issue.public_id}/", f"issues/{issue.public_id}/merge/"):
        page.goto(f"{at}/{path}", wait_until="load")
        page.evaluate("for (const folded of document.querySelectorAll('details')) folded.open = true")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path


def test_axe_finds_nothing(browser: Any, live_server: Any, at: str, page: Page) -> None:
    cookies = page.context.cookies()
    context = browser.new_context(viewport={"width": 1280, "height": 900}, bypass_csp=True, reduced_motion="reduce")
    context.add_cookies(cookies)
    issue = Issue.objects.get()
    tried = context.new_page()
    found = {}
    for path in ("incidents/1/", "calibration/", f"issues/{issue.public_id}/", f"issues/{issue.public_id}/merge/"):
        tried.goto(f"{at}/{path}", wait_until="load")
        violations = Axe().run(tried).response["violations"]
        if violations:
            found[path] = [(each["id"], each["nodes"][0]["html"][:200]) for each in violations]
    context.close()

    assert found == {}


def test_issues_are_merged_and_taken_apart(page: Page, at: str, team: Team, started: dt.datetime) -> None:
    fail(team.services.get(), started, "TypeError", 3)
    first = Issue.objects.get(type="KeyError")
    page.goto(f"{at}/issues/{first.public_id}/")

    page.get_by_role("link", name="Merge with another…").click()
    page.locator("tr").filter(has_text="TypeError").get_by_role("button", name="Merge").click()

    expect(page.get_by_text("People put 2 issues together")).to_be_visible()
    expect(page.locator("main")).to_contain_text(re.compile(r"27\s+events"))

    page.get_by_role("button", name="Take all apart").click()

    expect(page.get_by_text(re.compile("Taken apart."))).to_be_visible()
    assert set(Issue.objects.values_list("merged_into", flat=True)) == {None}
