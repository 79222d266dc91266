"""What a person may change about themselves."""

import pytest

from deploys.models import User
from tests.factories.catalog import MembershipFactory, UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("noon")]

OLD, NEW = "seven wild geese", "eight tame ducks"


@pytest.fixture(autouse=True)
def _quick_hashes(settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.ALLOWED_HOSTS = ["testserver"]


@pytest.fixture
def person(client):
    user = User.objects.create_user("noor@example.org", OLD)
    client.force_login(user)
    return user


def test_strangers_are_sent_to_sign_in(client):
    assert client.get("/account/").url == "/sign-in/?next=/account/"


def test_the_page_shows_teams_and_roles(client, person):
    membership = MembershipFactory(user=person)

    html = client.get("/account/").content.decode()

    assert membership.team.name in html


def test_zone_and_address_change(client, person):
    client.post("/account/details/", {"details-email": "Noor@Example.com", "details-zone": "europe/berlin"})

    person.refresh_from_db()
    assert (person.email, person.zone) == ("noor@example.com", "Europe/Berlin")


@pytest.mark.parametrize(
    ("email", "zone", "words"),
    [("noor@example.org", "Europe/Atlantis", "No time zone is called"), ("taken@example.org", "UTC", "Somebody else has this address")],
)  # fmt: skip
def test_wrong_details_change_nothing_and_say_why(client, person, email, zone, words):
    UserFactory(email="taken@example.org")

    response = client.post("/account/details/", {"details-email": email, "details-zone": zone})

    person.refresh_from_db()
    assert response.status_code == 422
    assert words in response.content.decode()
    assert (person.email, person.zone) == ("noor@example.org", "UTC")


def test_password_changes_and_this_session_stays(client, person):
    response = client.post("/account/password/", {"password-old": OLD, "password-new": NEW})

    person.refresh_from_db()
    assert (response.status_code, person.check_password(NEW), client.get("/account/").status_code) == (302, True, 200)


def test_password_needs_the_old_one(client, person):
    response = client.post("/account/password/", {"password-old": "wrong", "password-new": NEW})

    person.refresh_from_db()
    assert (response.status_code, person.check_password(OLD)) == (422, True)


def test_who_came_by_link_sets_a_first_password(client):
    user = User.objects.create_user("leo@example.org")
    client.force_login(user)

    client.post("/account/password/", {"password-new": NEW})

    user.refresh_from_db()
    assert user.check_password(NEW)


@pytest.mark.parametrize(
    ("choice", "shown"), [("dark", ' data-theme="dark"'), ("light", ' data-theme="light"'), ("system", "")]
)
def test_the_theme_is_kept_by_the_browser(client, person, choice, shown):
    client.post("/account/theme/", {"theme": choice})

    assert f'<html lang="en"{shown}>' in client.get("/account/").content.decode()


def test_an_invented_theme_is_not_believed(client, person):
    client.cookies["theme"] = 'dark"><script>'

    assert '<html lang="en">' in client.get("/account/").content.decode()


def test_the_page_takes_few_queries(client, person, django_assert_num_queries):
    MembershipFactory.create_batch(3, user=person)

    with django_assert_num_queries(5):  # session, person, teams of the frame, open incidents, memberships
        client.get("/account/")
