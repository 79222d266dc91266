"""Pages full of hostile text, in a real browser: nothing of it runs, and nothing breaks the policy that would stop it."""

from __future__ import annotations

import os
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Page

from reliability.queries import knowledge
from tests.hostile import Places, poison, poisoned_team

# The driver runs an event loop in the thread of the tests, which Django would otherwise take for an async view.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "1")

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True, databases="__all__")]


def test_no_text_runs_in_a_browser(live_server: Any, page: Page, noon: object) -> None:
    knowledge.forget()
    places = Places()
    made = poisoned_team(places)
    poison(places)
    knowledge.forget()
    client = Client()
    client.force_login(made["user"])
    cookie = {
        "name": settings.SESSION_COOKIE_NAME,
        "value": client.cookies[settings.SESSION_COOKIE_NAME].value,
        "url": live_server.url,
    }
    page.context.add_cookies([cookie])  # type: ignore[list-item]  # a cookie as the driver takes it
    dialogs: list[str] = []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    team, number = f"t/{made['team'].slug}", made["incident"].number
    paths = (
        "", "incidents/", f"incidents/{number}/", f"incidents/{number}/choose/", f"incidents/{number}/retrospective/", f"incidents/{number}/notices/",
        f"issues/{made['issue'].public_id}/", "issues/", "deploys/", f"deploys/{made['deploy'].change.public_id}/", "services/",
        f"services/{made['service'].public_id}/", "flags/", "reports/2026-W10/", "deliveries/", "settings/", "settings/machines/", "settings/notifications/",
        f"notices/{made['notice'].public_id}/", "incidents/planned-work/", "incidents/proposals/", "runbooks/", "action-items/", "find/?q=q",
    )  # fmt: skip

    became = {}
    for path in paths:
        answer = page.goto(f"{live_server.url}/{team}/{path}")
        assert answer is not None
        assert answer.ok, path
        found = page.evaluate(
            "[...document.querySelectorAll('q, [onx], [onerror], a[href^=\"javascript:\" i], img[src=x]')].map(e => e.outerHTML)"
        )
        if found:
            became[path] = found[:3]

    assert became == {}
    assert dialogs == []
