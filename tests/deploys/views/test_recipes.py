"""Recipes for a service's CI, with real names."""

from __future__ import annotations

import pytest
from django.test import Client

from deploys.models import Role, Service
from deploys.views.recipes import RECIPES, recipe_text
from tests.factories.catalog import MembershipFactory, ServiceFactory, TeamFactory

pytestmark = pytest.mark.django_db


def page(client: Client, service: Service, name: str) -> str:
    client.force_login(MembershipFactory(team=service.team, role=Role.RESPONDER).user)
    answer = client.get(f"/t/{service.team.slug}/services/{service.public_id}/setup/ci/{name}/")
    return answer.content.decode() if answer.status_code == 200 else str(answer.status_code)


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_has_the_instances_address_and_the_services_name(client: Client, name: str) -> None:
    service = ServiceFactory(team=TeamFactory(slug="ours"), name="billing")

    text = page(client, service, name)

    assert "http://127.0.0.1:8000" in text
    assert "billing" in text
    assert "upshot.example.com" not in text
    assert "acme" not in text


def test_a_name_with_spaces_is_left_to_the_reader() -> None:
    assert "UPSHOT_SERVICE: shop" in recipe_text("gitlab-ci", team="ours", service="Web Shop")
    assert "SENTRY_PROJECT=web-shop" in recipe_text("sentry-cli", team="ours", service="Web Shop")


def test_no_other_recipe(client: Client) -> None:
    assert page(client, ServiceFactory(), "other") == "404"


def test_the_set_up_links_to_every_recipe(client: Client) -> None:
    service = ServiceFactory()
    client.force_login(MembershipFactory(team=service.team, role=Role.RESPONDER).user)

    text = client.get(f"/t/{service.team.slug}/services/{service.public_id}/setup/").content.decode()

    assert [name for name in RECIPES if f"/setup/ci/{name}/" not in text] == []
