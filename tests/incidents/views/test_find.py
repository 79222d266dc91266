"""Finding by a word."""

from __future__ import annotations

from typing import Any

import pytest

from tests.factories.catalog import TeamFactory
from tests.factories.incidents import IssueFactory, deploy_of, flag_of, incident_of, service_of
from tests.incidents.views.pages import HOSTILE, desk, words

pytestmark = [pytest.mark.django_db(databases="__all__")]


@pytest.mark.parametrize("text", ["INC-1", "inc-1", " 1 "])
def test_a_number_leads_to_its_incident(text: str) -> None:
    at = desk()
    incident = incident_of(at.team)

    assert at.get("find", q=text).headers["Location"] == at.url("incident-detail", incident.number)


def test_everything_of_the_team_that_is_called_so() -> None:
    at, other = desk(), TeamFactory()
    incident_of(at.team, title="The vat is wrong")
    IssueFactory(service=service_of(at.team, "vat-service"), title="ValueError: vat")
    deploy_of(at.team, release="vat-7")
    flag_of(at.team)
    incident_of(other, title="Their vat")

    results = at.get("find", q="VAT").context["results"]

    assert [each.title for each in results.incidents] == ["The vat is wrong"]
    assert [each.title for each in results.issues] == ["ValueError: vat"]
    assert [each.release.version for each in results.deploys] == ["vat-7"]
    assert [each.name for each in results.services] == ["vat-service"]
    assert [each.key for each in results.flags] == ["instant-vat"]


@pytest.mark.parametrize("text", ["", "nothing is called this", "INC-999", "99999999999999999999", HOSTILE, "\x00"])
def test_what_is_not_there(text: str) -> None:
    at = desk()

    answer = at.get("find", q=text)

    assert answer.status_code == 200
    assert "<script>alert" not in answer.content.decode()
    assert answer.context["results"].is_empty


@pytest.mark.parametrize("count", [1, 3])
def test_queries(count: int, django_assert_num_queries: Any) -> None:
    at = desk()
    for n in range(count):
        deploy_of(at.team, release=f"shop-{n}")
        IssueFactory(service=service_of(at.team), title="shop")

    with django_assert_num_queries(10):
        assert "shop" in words(at.get("find", q="shop"))
