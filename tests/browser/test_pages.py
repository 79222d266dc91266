"""Pages in a real browser: nobody is shut out, nothing breaks the policy, figures are drawn, narrow screens do not scroll."""

from __future__ import annotations

import datetime as dt
import os

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.test import Client

from deploys import clock
from deploys.actions.catalog import add_member, make_team
from deploys.actions.deliveries import log_delivery
from deploys.actions.facts import record_fact
from deploys.models import Delivery, Role, Service, User
from incidents.models import DeadLetter, Incident, IngestCount, LossCount, TimelineEntry
from reliability.actions.acknowledging import make_link
from reliability.models import Channel, OutgoingNotice
from reliability.queries import knowledge
from tests.factories.access import github_source
from tests.factories.inbox import DeadLetterFactory
from tests.factories.notices import channel_of, notice_of

# The driver runs an event loop in the thread of the tests, which Django would otherwise take for an async view.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "1")

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True, databases="__all__")]

PAGES = (
    "ui/", "ui/figures/", "account/", "t/shop/", "t/shop/reports/", "t/shop/reports/{week}/", "t/shop/settings/", "t/shop/settings/machines/",
    "t/shop/settings/counting/", "t/shop/incidents/", "t/shop/incidents/1/", "t/shop/issues/", "t/shop/deploys/", "t/shop/services/", "t/shop/deliveries/",
    "t/shop/services/{service}/", "t/shop/ingest/", "t/shop/services/{service}/ingest/", "t/shop/dead-letters/", "t/shop/dead-letters/{letter}/",
    "t/shop/settings/privacy/", "t/shop/deploys/live/", "t/shop/services/{service}/compare/", "t/shop/services/{service}/setup/",
    "t/shop/services/{service}/setup/ci/github-actions/", "t/shop/services/{service}/ingest/?span=week", "t/shop/deliveries/{delivery}/",
    "t/shop/objectives/", "t/shop/incidents/planned-work/", "t/shop/settings/notifications/", "t/shop/settings/notifications/{channel}/",
    "t/shop/incidents/1/roles/", "t/shop/incidents/1/edit/", "t/shop/incidents/1/spells/", "t/shop/incidents/1/ending/",
    "t/shop/incidents/1/retrospective/", "t/shop/incidents/1/retrospective/write/", "t/shop/action-items/", "t/shop/runbooks/",
    "t/shop/runbooks/new/", "t/shop/incidents/import/", "t/shop/incidents/declare/", "t/shop/services/{service}/jobs/",
    "t/shop/notices/", "t/shop/notices/{notice}/", "t/shop/incidents/1/notices/", "acknowledge/{secret}/",
)  # fmt: skip
OUTSIDE = (
    "sign-in/",
    "link/none/",
    "no-such-page/",
    "docs/",
    "docs/?q=quiet+hours",
    "docs/notifications/",
    "problems/busy",
)


@pytest.fixture
def shop():
    """A team with one of everything, told an hour ago."""
    knowledge.forget()
    now = clock.now()

    def ago(minutes):
        return (now - dt.timedelta(minutes=minutes)).isoformat()

    team = make_team(name="Shop", slug="shop", zone="Europe/Berlin", now=now - dt.timedelta(days=40))
    user = User.objects.create_user("noor@example.org", zone="Europe/Berlin")
    add_member(team=team, user=user, role=Role.ADMIN, now=now)
    facts = [
        ("service", {"service": "cart"}),
        ("objective", {"id": "o", "service": "cart", "sli": "time", "target": 0.999, "window_days": 28}),
        ("deploy", {"id": "d1", "service": "cart", "release": "7.1", "status": "success", "started_at": ago(70), "finished_at": ago(65)}),
        ("deploy", {"id": "d2", "service": "cart", "release": "7.2", "status": "in_progress", "started_at": ago(3)}),
        ("incident", {"id": "i1", "title": "No order can be paid", "services": ["cart"], "class": "downtime", "started_at": ago(10),
                      "detected_at": ago(9), "causes": [{"kind": "deploy", "id": "d1", "status": "suggested"}]}),
    ]  # fmt: skip
    for kind, payload in facts:
        record_fact(team=team, kind=kind, payload=payload, received_at=now - dt.timedelta(minutes=1), origin="live")
    heard(Service.objects.get(), now)
    notice = notice_of(
        team, incident=Incident.objects.get(), channel=channel_of(team, kind="webhook"), user=user, recipient=""
    )
    notice.attempts.create(at=now, verdict="again", words="answered 503", status=503, answer="later")
    client = Client()
    client.force_login(user)
    return client.cookies[settings.SESSION_COOKIE_NAME].value


def heard(service, now):
    """Something of everything that can come of what a service sends."""
    hour = now.replace(minute=0, second=0, microsecond=0)
    for item, outcome, quantity in [
        ("event", "stored", 1204), ("event", "duplicate", 3), ("session", "counted", 81_220), ("body", "refused:wrong_key", 17),
        ("attachment", "skipped", 4), ("body", "dead", 1), ("check_in", "counted", 24),
    ]:  # fmt: skip
        IngestCount.objects.create(service=service, hour_at=hour, item=item, outcome=outcome, quantity=quantity)
    LossCount.objects.create(service=service, hour_at=hour, reason="queue_overflow", category="error", quantity=412)
    for outcome in ("expired", "dead_expired"):
        IngestCount.objects.create(service=service, hour_at=hour, item="body", outcome=outcome, quantity=2)
    source, _ = github_source(service.team, service)
    log_delivery(
        team=service.team, source=source, kind="github", received_at=now, verdict="refused", signature="invalid",
        reason="wrong-signature: not made with this webhook's secret", body={"action": "created"},
    )  # fmt: skip
    DeadLetterFactory(project=service.number, received_at=now, failed_at=now)


@pytest.fixture
def visit(browser, live_server, shop):
    """visit(path, scheme, width) -> page, with what the console said in page.said."""
    contexts = []

    def go(path, *, scheme="light", width=1280, signed_in=True, bypass=False):
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, reduced_motion="reduce", bypass_csp=bypass
        )
        contexts.append(context)
        if signed_in:
            context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": shop, "url": live_server.url}])
        page = context.new_page()
        page.said = []
        page.on("console", lambda message: page.said.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: page.said.append(str(error)))
        named = {
            "week": week(),
            "service": Service.objects.get().public_id,
            "delivery": Delivery.objects.get().public_id,
            "letter": DeadLetter.objects.order_by("pk")[0].pk,
            "channel": Channel.objects.get().public_id,
            "notice": OutgoingNotice.objects.get().public_id,
            "secret": make_link(notice=OutgoingNotice.objects.get(), now=clock.now()).rstrip("/").rpartition("/")[2],
        }
        page.goto(f"{live_server.url}/{path.format(**named)}", wait_until="load")
        return page

    yield go
    for context in contexts:
        context.close()


def week():
    year, number, _ = clock.now().isocalendar()
    return f"{year}-W{number:02d}"


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 1280), ("light", 380)])
def test_nobody_is_shut_out(visit, scheme, width):
    found = {}
    for path in (*PAGES, *OUTSIDE):
        page = visit(path, scheme=scheme, width=width, signed_in=path not in OUTSIDE, bypass=True)
        violations = Axe().run(page).response["violations"]
        if violations:
            found[path] = [(each["id"], each["nodes"][0]["html"][:200]) for each in violations]
        if page.evaluate("document.documentElement.scrollWidth") > width:
            found[f"{path} wider than the screen"] = page.evaluate("document.documentElement.scrollWidth")

    assert found == {}


def test_nothing_breaks_the_policy_and_figures_are_drawn(visit):
    said, drawn = {}, {}
    for path in PAGES:
        page = visit(path)
        page.wait_for_timeout(300)
        if page.said:
            said[path] = page.said
        charts = page.locator("[data-chart]").count()
        if charts != page.locator("[data-chart] .main-svg:first-child").count():
            drawn[path] = charts

    assert (said, drawn) == ({}, {})


def test_figures_take_the_colours_of_the_theme(visit):
    colours = [
        visit("ui/figures/", scheme=scheme)
        .locator("[data-chart] .ytick text")
        .first.evaluate("node => getComputedStyle(node).fill")
        for scheme in ("light", "dark")
    ]

    assert colours[0] != colours[1]


def test_the_hover_shows_the_true_length(visit):
    page = visit("ui/figures/")
    page.evaluate("Plotly.Fx.hover(document.querySelector('[data-chart=strip]'), [{curveNumber: 3, pointNumber: 0}])")

    assert page.locator(".hovertext").count() == 1


def test_keys_move_between_rows_and_to_the_search(visit):
    page = visit("t/shop/services/")
    page.keyboard.press("j")

    assert page.evaluate("document.activeElement.closest('[data-row]') !== null")


def test_keys_are_listed_lead_to_places_and_can_be_switched_off(visit):
    page = visit("t/shop/services/")
    page.keyboard.press("?")
    assert page.locator("#keys").is_visible()
    assert "Declare an incident" in page.locator("#keys-here").inner_text()
    page.keyboard.press("Escape")

    page.keyboard.press("g")
    page.keyboard.press("2")
    page.wait_for_url("**/incidents/")

    page.locator("[data-dialog=keys]").click()
    page.locator("#keys-on").uncheck()
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    assert not page.locator("#keys").is_visible()
    assert page.said == []


def test_news_of_an_open_incident_come_by_themselves_and_take_nothing_away(visit):
    incident = Incident.objects.get(number=1)
    Incident.objects.filter(pk=incident.pk).update(restored_at=None, closed_at=None, is_dismissed=False)
    page = visit("t/shop/incidents/1/")
    page.clock.install()
    page.reload()
    page.locator("#note").fill("I am still typing")
    TimelineEntry.objects.create(incident=incident, at=clock.now(), kind="note", text="It is the column.")

    page.clock.fast_forward("00:16")
    page.get_by_text("It is the column.").wait_for(timeout=8_000)

    assert page.locator("#note").input_value() == "I am still typing"
    assert page.said == []


def test_a_form_works_without_script(browser, live_server, shop):
    context = browser.new_context(java_script_enabled=False)
    context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": shop, "url": live_server.url}])
    page = context.new_page()
    page.goto(f"{live_server.url}/account/")
    page.locator("input[value=dark]").check()
    page.get_by_role("button", name="Keep").click()

    assert page.locator("html").get_attribute("data-theme") == "dark"
    context.close()
