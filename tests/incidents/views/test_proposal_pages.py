"""Answering what the machine proposes."""

from __future__ import annotations

from typing import Any

import pytest

from deploys.models import Role, Team
from incidents.models import Proposal
from tests.conftest import NOON
from tests.factories.incidents import deploy_of
from tests.incidents.views.pages import HOSTILE, desk, words

pytestmark = [pytest.mark.django_db]


def proposed(team: Team, key: str = "a", *, change: str | None = None, title: str = "KeyError") -> Proposal:
    candidates = [{"change": change, "probability": 0.81, "lines": []}]
    return Proposal.objects.create(
        team=team, key=key, created_at=NOON, verdict={"outcome": "probable", "candidates": candidates},
        payload={
            "title": title, "services": ["shop"], "class": "multi_user", "started_at": "2026-03-04T11:00:00+00:00",
            "restored_at": None, "events": 12, "episodes": [],
        },
    )  # fmt: skip


def test_what_waits_is_shown_with_its_suspect() -> None:
    at = desk()
    proposed(at.team, change=str(deploy_of(at.team).public_id))

    page = words(at.get("proposal-list"))

    assert "KeyError" in page
    assert "12 events" in page
    assert "suspected: shop 1.4.0, 81 %" in page
    assert "1 proposal from errors and checks waits for an answer" in words(at.get("incident-list"))


def test_nothing_waits() -> None:
    assert "Nothing is proposed." in words(desk().get("proposal-list"))


def test_reject() -> None:
    at = desk()
    proposal = proposed(at.team)

    at.post("proposal-answer", proposal.pk, act="reject")

    assert Proposal.objects.get().state == "rejected"
    again = at.client.post(at.url("proposal-answer", proposal.pk), {"act": "accept"}, follow=True)
    assert "has been answered already" in words(again)


def test_accept_without_evidence_left_is_explained() -> None:
    at = desk()
    proposal = proposed(at.team)

    answer = at.client.post(at.url("proposal-answer", proposal.pk), {"act": "accept"}, follow=True)

    assert "Nothing is left of what was proposed." in words(answer)
    assert at.post("proposal-answer", proposal.pk, act="odd").status_code == 404


def test_viewers_and_others() -> None:
    at, other = desk(role=Role.VIEWER), desk()
    proposal = proposed(at.team, title=HOSTILE, change=HOSTILE)

    html = at.get("proposal-list").content.decode()

    assert "<script>alert" not in html
    assert "Accept" not in html
    assert at.post("proposal-answer", proposal.pk, act="reject").status_code == 403
    assert other.post("proposal-answer", proposal.pk, act="reject").status_code == 404


@pytest.mark.parametrize("count", [1, 3])
def test_queries(count: int, django_assert_num_queries: Any) -> None:
    at = desk()
    for n in range(count):
        proposed(at.team, key=str(n), change=str(deploy_of(at.team).public_id))

    with django_assert_num_queries(8):
        at.get("proposal-list")
