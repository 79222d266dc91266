"""The set-up of a service."""

import pytest
from django.urls import reverse

from deploys.models import DsnKey, Role
from deploys.views.setup import curl_snippet
from tests.conftest import NOON
from tests.factories.catalog import MembershipFactory, ServiceFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("noon")]


@pytest.fixture(autouse=True)
def _hosts(settings):
    settings.ALLOWED_HOSTS = ["testserver"]
    settings.BASE_URL = "https://upshot.example"


@pytest.fixture
def membership(client):
    member = MembershipFactory(role=Role.RESPONDER)
    client.force_login(member.user)
    return member


@pytest.fixture
def service(membership):
    made = ServiceFactory(team=membership.team, name="checkout")
    DsnKey.objects.create(service=made, public_key="ab" * 16, created_at=NOON)
    return made


def url_of(service, name="service-setup", *more):
    return reverse(name, args=[service.team.slug, service.public_id, *more])


def test_snippets_hold_the_real_values(client, service):
    html = client.get(url_of(service)).content.decode()

    assert f"<mark>https://{'ab' * 16}@upshot.example/{service.number}</mark>" in html
    assert "https://upshot.example/api/v1/deploys" in html
    assert "-d service=checkout" in html


def test_the_tick_asks_until_something_is_heard(client, service):
    waiting = client.get(url_of(service, "service-heard", "event")).content.decode()
    service.first_event_at = NOON
    service.save(update_fields=["first_event_at"])
    heard = client.get(url_of(service, "service-heard", "event")).content.decode()

    assert 'hx-trigger="every 2s"' in waiting
    assert "Listening for the first event" in waiting
    assert "hx-" not in heard
    assert "Heard the first event" in heard


def test_a_tick_for_something_else_is_not_found(client, service):
    assert client.get(url_of(service, "service-heard", "parcel")).status_code == 404


def test_a_service_of_another_team_is_not_found(client, membership):
    foreign = ServiceFactory()

    assert client.get(reverse("service-setup", args=[membership.team.slug, foreign.public_id])).status_code == 404
    assert client.get(url_of(foreign)).status_code == 404


def test_without_a_key_nothing_is_offered_to_copy(client, service):
    DsnKey.objects.update(is_active=False)

    html = client.get(url_of(service)).content.decode()

    assert "snippet-python" not in html
    assert "switched off" in html


@pytest.mark.parametrize(
    ("name", "word"),
    [("checkout", "checkout"), ("web.api-2", "web.api-2"), ("my shop", "'my shop'"), ("o'hare;rm", "'o'\\''hare;rm'")],
)
def test_names_are_one_word_in_the_shell(name, word):
    assert f"-d service={word} " in "".join(text for text, _ in curl_snippet(name))
