"""Flags in a real browser: nobody is shut out of their pages, and the life of one flag from its making to the proof of its end."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, Page, expect

from deploys import clock
from deploys.actions.catalog import add_member, make_team
from deploys.actions.deliveries import delivery_line
from deploys.actions.deploys import Incoming
from deploys.actions.flag_checks import Counted, record_checks
from deploys.actions.flag_cleanup import archive_proven
from deploys.actions.flag_registry import archive_flag
from deploys.actions.flag_scans import record_scan
from deploys.actions.posts import Post, post_deploy
from deploys.domain.changes import DeployReport
from deploys.domain.commits import CommitReport
from deploys.domain.flag_code import Place, PlaceKind, Removal, ScanReport
from deploys.domain.flag_rules import FlagKind
from deploys.models import Change, Environment, RegisteredFlag, Role, Team, User
from incidents.models import Incident
from tests.factories.catalog import EnvironmentFactory, ServiceFactory
from tests.factories.flags import ON, percent, registered, served_by
from tests.factories.incidents import incident_of, verdict_of

# The driver runs an event loop in the thread of the tests, which Django would otherwise take for an async view.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "1")

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True, databases="__all__")]

DAY = dt.timedelta(days=1)
LINK = "https://git.example.com/acme/shop/blob/{commit}/{path}#L{line}"
PAGES = ("flags/", "flags/new/", "flags/cleanup/", "flags/keys/", "flags/import/", "flags/{flag}/")


@pytest.fixture
def team() -> Team:
    return make_team(name="Shop", slug="shop", zone="Europe/Berlin", now=clock.now() - 90 * DAY)


@pytest.fixture
def user(team: Team) -> User:
    made = User.objects.create_user("noor@example.org", zone="Europe/Berlin")
    add_member(team=team, user=made, role=Role.ADMIN, now=clock.now())
    return made


@pytest.fixture
def production(team: Team) -> Environment:
    return EnvironmentFactory(team=team)


Open = Callable[..., Page]


@pytest.fixture
def visit(browser: Browser, live_server: Any, user: User) -> Iterator[Open]:
    contexts = []
    client = Client()
    client.force_login(user)
    secret = client.cookies[settings.SESSION_COOKIE_NAME].value

    def go(path: str, *, scheme: Any = "light", width: int = 1280, bypass: bool = False) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, reduced_motion="reduce", bypass_csp=bypass
        )
        contexts.append(context)
        context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": secret, "url": live_server.url}])
        page = context.new_page()
        page.goto(f"{live_server.url}/t/shop/{path}", wait_until="load")
        return page

    yield go
    for context in contexts:
        context.close()


def check(environment: Environment, key: str, *ats: dt.datetime, kind: str = "check") -> None:
    for at in ats:
        hour = at.replace(minute=0, second=0, microsecond=0)
        record_checks({Counted(environment.pk, key, "web", "on", hour, kind): (40, at)})


def watched(environment: Environment, since: dt.datetime, until: dt.datetime) -> None:
    """Something is evaluated twice a day."""
    check(environment, "search", *(since + each * DAY / 2 for each in range(int((until - since) / (DAY / 2)) + 1)))


def scan(team: Team, at: dt.datetime, commit: str, *places: Place, removed: str = "") -> None:
    removals = [Removal("one-page", removed, at)] if removed else []
    report = ScanReport("acme/shop", commit, at, list(places), (), removals, ("shop",), link=LINK, files_count=812)
    record_scan(team=team, report=report, received_at=at)


def deploy(team: Team, release: str, at: dt.datetime, *commits: str) -> None:
    report = DeployReport(id=release, service="shop", status="success", started_at=at, finished_at=at, release=release)
    said = Incoming(report=report, source="api", received_at=at, delivery_id=None, can_create=True, commits=[CommitReport(sha) for sha in commits], head_sha="")  # fmt: skip
    post_deploy(Post(team, said, delivery_line(team=team, kind="api", received_at=at, verdict="")))


@pytest.fixture
def flags(team: Team, production: Environment) -> RegisteredFlag:
    """One of each group of the page."""
    now = clock.now()
    staging = EnvironmentFactory(team=team, name="staging", tier="staging")
    ServiceFactory(team=team, name="shop")
    born = now - 60 * DAY
    watched(production, now - 30 * DAY, now)
    rolled = registered(team, "one-page", now=born, owner="noor@example.org", description="The checkout on one page")
    for environment in (production, staging):
        served_by(rolled, environment, ON, now=now - 40 * DAY)
    check(production, "one-page", now)
    half = registered(team, "vat-rates", now=born, owner="gone@example.org")
    served_by(half, production, percent(50), now=now - 20 * DAY)
    check(production, "vat-rates", now, kind="bulk")
    archive_flag(flag=registered(team, "old-search", now=born), reason="", now=now - 20 * DAY, by=None)
    check(production, "old-search", now)
    registered(team, "till-switch", now=now - 100 * DAY, kind=FlagKind.KILL_SWITCH, owner="noor@example.org")
    leaving = registered(team, "gift-cards", now=born, owner="noor@example.org")
    served_by(leaving, production, ON, now=now - 40 * DAY)
    scan(team, now - 2 * DAY, "aaa", Place("gift-cards", "shop/gifts.py", 9, PlaceKind.CALL))
    places = [
        Place("one-page", f"shop/checkout/{name}.py", 118, PlaceKind.CALL) for name in ("views", "totals", "forms")
    ]
    scan(team, now - DAY, "bbb", *places)
    deploy(team, "4.2.0", now - 3 * DAY, "aaa")
    return rolled


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 1280), ("light", 380)])
def test_nobody_is_shut_out(visit: Open, flags: RegisteredFlag, scheme: str, width: int) -> None:
    found: dict[str, Any] = {}
    shots = os.environ.get("SHOTS", "")
    for path in PAGES:
        page = visit(path.format(flag=flags.public_id), scheme=scheme, width=width, bypass=True)
        if shots:
            page.screenshot(path=f"{shots}/{path.strip('/{}').replace('/', '-')}-{scheme}{width}.png", full_page=True)
        violations = Axe().run(page).response["violations"]
        if violations:
            found[path] = [(each["id"], each["nodes"][0]["html"][:200]) for each in violations]
        if page.evaluate("document.documentElement.scrollWidth") > width:
            found[f"{path} wider than the screen"] = page.evaluate("document.documentElement.scrollWidth")

    assert found == {}


def test_a_flag_is_made_rolled_out_blamed_killed_cleaned_up_and_proven_gone(
    visit: Open, team: Team, production: Environment
) -> None:
    now = clock.now()
    ServiceFactory(team=team, name="shop")

    page = visit("flags/new/")
    page.get_by_role("textbox", name="Key").fill("one-page")
    page.get_by_role("button", name="Make the flag").click()
    expect(page.get_by_role("heading", name="one-page")).to_be_visible()
    page.get_by_label("On: the rules count").check()
    page.get_by_label("To this percentage of users").fill("50")
    page.get_by_role("button", name="Preview").click()
    page.get_by_role("button", name="Change it").click()
    expect(page.get_by_text("on for 50 %").first).to_be_visible()

    change = Change.objects.get(kind="flag")
    incident = incident_of(team, title="Checkout fails", started_at=change.at.isoformat())
    verdict_of(incident, [(change, 0.9), (None, 0.1)])
    page = visit(f"incidents/{incident.number}/")
    page.get_by_text("Turn it off…").click()
    page.get_by_role("button", name="Turn it off").click()
    expect(page.get_by_text("Turned off for everybody.")).to_be_visible()
    assert Incident.objects.get().restored_at is not None
    assert RegisteredFlag.objects.get().settings.get().document["kill"]["reason"].endswith("Checkout fails")

    place, later = Place("one-page", "shop/a.py", 3, PlaceKind.CALL), now + 10 * DAY
    watched(production, now, later)
    with clock.at(later):
        scan(team, now + DAY, "c1", place)
        deploy(team, "v1", now + DAY, "c1")
        scan(team, now + 2 * DAY, "c2", removed="c2")
        deploy(team, "v2", now + 2 * DAY, "c2")
        scan(team, now + 9 * DAY, "c3")
        assert archive_proven(now=later) == 1
    page = visit("flags/cleanup/")
    expect(page.get_by_role("heading", name="Removed and proven")).to_be_visible()
    expect(page.get_by_role("listitem").filter(has_text="live in shop in production")).to_be_visible()
