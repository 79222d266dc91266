"""Flags in a real browser: nobody is shut out of their pages, and the life of one flag from its making to the proof of its end."""

from __future__ import annotations

import datetime as dt
import json
import os
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, Page, expect

from deploys import clock
from deploys.actions.catalog import add_member, make_team
from deploys.actions.deliveries import delivery_line
from deploys.actions.deploys import Incoming
from deploys.actions.flag_checks import CheckTally, Counted, record_checks
from deploys.actions.flag_cleanup import archive_proven
from deploys.actions.flag_keys import make_key
from deploys.actions.flag_registry import archive_flag
from deploys.actions.flag_scans import record_scan
from deploys.actions.flag_segments import save_segment
from deploys.actions.flag_serving import FlagStore
from deploys.actions.posts import Post, post_deploy
from deploys.api.ofrep import Ofrep
from deploys.domain.changes import DeployReport
from deploys.domain.commits import CommitReport
from deploys.domain.flag_code import Place, PlaceKind, Removal, ScanReport
from deploys.domain.flag_rules import FlagKind
from deploys.domain.instants import instant_text
from deploys.models import Change, DsnKey, Environment, RegisteredFlag, Role, Service, Team, User
from incidents.actions import detection
from incidents.actions.ingest import drain
from incidents.ingest.application import Ingest
from incidents.ingest.keys import KeyCache, look_up
from incidents.ingest.writer import GroupWriter, Row, store_rows
from incidents.models import Incident
from tests.asgi import Reply, answer
from tests.factories.catalog import EnvironmentFactory, ServiceFactory
from tests.factories.flags import ON, percent, registered, served_by

# The driver runs an event loop in the thread of the tests, which Django would otherwise take for an async view.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "1")

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True, databases="__all__")]

DAY, HOUR, MINUTE = dt.timedelta(days=1), dt.timedelta(hours=1), dt.timedelta(minutes=1)
LINK = "https://git.example.com/acme/shop/blob/{commit}/{path}#L{line}"
PAGES = (
    "flags/",
    "flags/new/",
    "flags/cleanup/",
    "flags/keys/",
    "flags/import/",
    "flags/segments/",
    "flags/segments/staff/",
    "flags/{flag}/",
)


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
    beta = {"attribute": "email", "operator": "ends_with", "values": ["@example.org"]}
    save_segment(team=team, key="staff", said={"conditions": [beta], "included": ["noor"]}, now=born, by=None)
    rolled = registered(team, "one-page", now=born, owner="noor@example.org", description="The checkout on one page")
    for environment in (production, staging):
        served_by(rolled, environment, ON, now=now - 40 * DAY)
    check(production, "one-page", now)
    half = registered(team, "vat-rates", now=born, owner="gone@example.org")
    rule = {"segments": ["staff"], "serve": {"variant": "on"}}
    held = {"at": instant_text(now - HOUR), "percent": 100, "waits": "health"}
    served_by(half, production, percent(50, rules=[rule], schedule=[held]), now=now - 20 * DAY)
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


@dataclass
class Till:
    """A service with the flag in its code: it asks for every user, and fails those who get the new checkout."""

    service: Service
    front: Ingest
    flags: Ofrep
    store: FlagStore
    tally: CheckTally
    arrived: list[Row]
    dsn: str
    key: str

    def asks(self, user: str) -> bool:
        """What the flag says for one user, over the protocol."""
        reply = elsewhere(
            self.flags, "/ofrep/v1/evaluate/flags/one-page", body=json.dumps({"context": {"targetingKey": user}}).encode(),
            headers=[("authorization", f"Bearer {self.key}")],
        )  # fmt: skip
        assert reply.status == 200, reply.body
        return bool(json.loads(reply.body)["value"])

    def serves(self, at: dt.datetime) -> int:
        """Users come until 24 of them got the new checkout, or a hundred did not: each of the 24 is an error report, ten
        seconds apart. How many those were.
        """
        self.store.refresh()
        exposed: list[str] = []
        for number in range(1_000):
            user = f"customer-{number}"
            if self.asks(user):
                exposed.append(user)
            if len(exposed) == 24 or number + 1 - len(exposed) == 100:
                break
        for number, user in enumerate(exposed):
            self._fails(user, at + number * dt.timedelta(seconds=10))
        self.tally.flush()
        store_rows(self.arrived)
        self.arrived.clear()
        assert drain(now=clock.now()).stored_count == len(exposed)
        return len(exposed)

    def _fails(self, user: str, at: dt.datetime) -> None:
        frame = {"filename": "shop/checkout.py", "function": "pay", "lineno": 7, "in_app": True}
        event = {
            "timestamp": at.timestamp(), "environment": "production", "release": "4.2.0", "user": {"id": user},
            "exception": {"values": [{"type": "KeyError", "value": "'vat'", "stacktrace": {"frames": [frame]}}]},
            "contexts": {"flags": {"values": [{"flag": "one-page", "result": True}, {"flag": "search", "result": True}]}},
        }  # fmt: skip
        lines = [{"event_id": uuid4().hex}, {"type": "event"}, event]
        reply = elsewhere(
            self.front, f"/api/{self.service.number}/envelope/", body=b"\n".join(json.dumps(each).encode() for each in lines),
            headers=[("X-Sentry-Auth", f"Sentry sentry_key={self.dsn}, sentry_version=7")],
        )  # fmt: skip
        assert reply.status == 200, reply.body


def elsewhere(application: Any, path: str, **request: Any) -> Reply:
    """The answer of an application, from a thread without the driver's event loop. No query is made in there."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(answer, application, path, **request).result()


@pytest.fixture
def till(team: Team, production: Environment) -> Till:
    """A shop that has long been served, and was deployed twenty minutes ago."""
    now = clock.now()
    service = ServiceFactory(team=team, name="shop", first_event_at=now - 30 * DAY)
    deploy(team, "4.2.0", now - 20 * MINUTE, "c0")
    _, key = make_key(environment=production, kind="server", application="shop", now=now)
    dsn, arrived = DsnKey.objects.create(service=service, public_key="0" * 31 + "7", created_at=now), []
    assert look_up(service.number, dsn.public_key)
    store, tally = FlagStore(), CheckTally()
    front = Ingest(
        keys=KeyCache(find=lambda project, secret: (project, secret) == (service.number, dsn.public_key)),
        writer=GroupWriter(store=lambda rows: bool(arrived.extend(rows)), wake=lambda: None), now=clock.now,
    )  # fmt: skip
    return Till(service, front, Ofrep(store=store, tally=tally), store, tally, arrived, dsn.public_key, key)


@pytest.fixture
def later(settings: Any) -> Callable[[dt.timedelta], None]:
    """Moves the clock of the whole process, the served pages' too."""

    def move(by: dt.timedelta) -> None:
        settings.CLOCK_OFFSET_SECONDS += by.total_seconds()

    return move


def test_a_flag_is_made_rolled_out_blamed_killed_cleaned_up_and_proven_gone(
    visit: Open, till: Till, production: Environment, later: Callable[[dt.timedelta], None]
) -> None:
    team = till.service.team
    page = visit("flags/new/")
    page.get_by_role("textbox", name="Key").fill("one-page")
    page.get_by_label("shop").check()
    page.get_by_role("button", name="Make the flag").click()
    expect(page.get_by_role("heading", name="one-page")).to_be_visible()
    assert till.serves(clock.now()) == 0
    page.get_by_label("On: the rules count").check()
    page.get_by_label("To this percentage of users").fill("50")
    page.get_by_role("button", name="Preview").click()
    page.get_by_role("button", name="Change it").click()
    expect(page.get_by_text("on for 50 %").first).to_be_visible()
    flip = Change.objects.get(kind="flag")

    later(10 * MINUTE)
    assert till.serves(flip.at + 2 * MINUTE) == 24
    detection.run(now=clock.now())

    incident = Incident.objects.get()
    verdict = incident.verdicts.get()
    assert (verdict.change, verdict.outcome) == (flip, "likely")
    page = visit(f"incidents/{incident.number}/")
    expect(page.get_by_role("heading", name="Why this flag change?")).to_be_visible()
    suspect = page.locator("#causes .suspect").first
    expect(suspect).to_contain_text("one-page")
    expect(suspect).to_contain_text("every failing user had it on")
    page.get_by_text("Turn it off…").click()
    page.get_by_role("button", name="Turn it off").click()
    expect(page.get_by_text("Turned off for everybody.")).to_be_visible()
    assert RegisteredFlag.objects.get().settings.get().document["kill"]["reason"].startswith(incident.slug)

    later(2 * HOUR)
    assert till.serves(clock.now()) == 0
    detection.run(now=clock.now())
    page = visit(f"incidents/{incident.number}/")
    expect(page.get_by_text(re.compile("restored after")).first).to_be_visible()
    incident.refresh_from_db()
    assert incident.restored_at is not None
    assert incident.mitigated_at is not None
    assert incident.remedies.get().change.flag_change.new_percent == 0

    now, place = clock.now(), Place("one-page", "shop/checkout.py", 3, PlaceKind.CALL)
    watched(production, now, now + 10 * DAY)
    later(10 * DAY)
    scan(team, now + DAY, "c1", place)
    deploy(team, "4.3.0", now + DAY, "c1")
    page = visit("flags/cleanup/")
    expect(page.get_by_role("link", name="one-page")).to_be_visible()
    scan(team, now + 2 * DAY, "c2", removed="c2")
    deploy(team, "4.4.0", now + 2 * DAY, "c2")
    scan(team, now + 9 * DAY, "c3")
    assert archive_proven(now=clock.now()) == 1
    page = visit("flags/cleanup/")
    expect(page.get_by_role("heading", name="Removed and proven")).to_be_visible()
    expect(page.get_by_role("listitem").filter(has_text="live in shop in production")).to_be_visible()
    assert (till.store.refresh(), len(till.store.rulesets[production.pk].flags)) == (None, 0)
