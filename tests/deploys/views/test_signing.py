"""Getting in and out."""

import datetime as dt
from ipaddress import ip_network

import pytest
from django.test import Client
from django.urls import reverse

from deploys import clock
from deploys.actions import links, people
from deploys.models import Membership, OneTimeLink, Role, SignInAttempt, Team, User
from tests.conftest import NOON
from tests.factories.catalog import MembershipFactory, ServiceFactory, TeamFactory, UserFactory

pytestmark = [pytest.mark.django_db(databases="__all__"), pytest.mark.usefixtures("noon")]

PASSWORD = "seven wild geese"


@pytest.fixture(autouse=True)
def _quick_hashes(settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.ALLOWED_HOSTS = ["testserver"]


@pytest.fixture
def person():
    return User.objects.create_user("noor@example.org", PASSWORD)


def try_to_sign_in(client, password=PASSWORD, email="noor@example.org", **more):
    return client.post("/sign-in/", {"email": email, "password": password, **more})


def signed_in(client):
    return "_auth_user_id" in client.session


def test_address_and_password_let_in(client, person):
    response = try_to_sign_in(client, email=" Noor@Example.org ")

    assert (response.status_code, response.url, signed_in(client)) == (302, "/", True)


def test_a_wrong_password_does_not_say_which_was_wrong(client, person):
    known = try_to_sign_in(client, "wrong")
    unknown = try_to_sign_in(client, "wrong", email="nobody@example.org")

    assert known.status_code == unknown.status_code == 200
    assert b"do not belong together" in known.content
    assert b"do not belong together" in unknown.content


def test_the_sixth_try_is_refused_even_with_the_right_password(client, person):
    for _ in range(5):
        try_to_sign_in(client, "wrong")

    response = try_to_sign_in(client)

    assert (response.status_code, signed_in(client)) == (429, False)


def test_after_a_quarter_of_an_hour_tries_count_again(client, person):
    for _ in range(6):
        try_to_sign_in(client, "wrong")

    with clock.at(NOON + people.SPAN):
        try_to_sign_in(client)

    assert signed_in(client)


def test_success_forgets_the_failures(client, person):
    for _ in range(4):
        try_to_sign_in(client, "wrong")

    try_to_sign_in(client)

    assert SignInAttempt.objects.count() == 0


def test_one_network_address_cannot_try_many_people(client, person, monkeypatch):
    monkeypatch.setattr(people, "PER_ADDRESS", 3)
    for number in range(3):
        try_to_sign_in(client, "wrong", email=f"person{number}@example.org")

    assert try_to_sign_in(client).status_code == 429


def test_behind_a_trusted_proxy_addresses_are_told_apart(client, person, monkeypatch, settings):
    settings.TRUSTED_PROXIES = (ip_network("127.0.0.1"),)
    monkeypatch.setattr(people, "PER_ADDRESS", 3)
    for number in range(3):
        try_to_sign_in(
            Client(headers={"X-Forwarded-For": "198.51.100.7"}), "wrong", email=f"person{number}@example.org"
        )

    assert try_to_sign_in(Client(headers={"X-Forwarded-For": "1.2.3.4, 198.51.100.7"})).status_code == 429
    assert try_to_sign_in(Client(headers={"X-Forwarded-For": "198.51.100.8"})).status_code == 302


@pytest.mark.parametrize(
    ("wanted", "leads_to"), [("/account/", "/account/"), ("https://evil.example/", "/"), ("//evil.example", "/")]
)
def test_next_stays_on_this_instance(client, person, wanted, leads_to):
    assert try_to_sign_in(client, next=wanted).url == leads_to


def test_signing_out_takes_a_post(client, person):
    client.force_login(person)

    assert client.get("/sign-out/").status_code == 405
    assert client.post("/sign-out/").url == "/sign-in/"
    assert not signed_in(client)


def test_a_one_time_link_signs_in_once(client, person):
    path = links.make_sign_in_link(user=person, now=NOON)

    looked = client.get(path)
    used = client.post(path)
    client.logout()
    again = client.post(path)

    assert (looked.status_code, used.url, again.status_code, signed_in(client)) == (200, "/", 410, False)


def test_an_old_link_is_refused(client, person):
    path = links.make_sign_in_link(user=person, now=NOON - links.SIGN_IN_LIFE)

    assert client.post(path).status_code == 410


def test_an_unknown_link_is_refused(client):
    assert client.get("/link/nonsense/").status_code == 410


def test_first_run_makes_account_team_and_service(client):
    fresh = client.get("/")
    path = links.make_setup_link(now=NOON)
    client.get(path)
    account = client.post(path, {"email": "noor@example.org", "password": PASSWORD, "zone": "europe/berlin"})
    team = client.post(account.url, {"name": "Shop", "zone": "Europe/Berlin"})
    home = client.get("/")
    service = client.post(team.url, {"name": "checkout", "is_critical": "on"})

    assert b"Nobody has an account here yet" in fresh.content
    assert (account.url, team.url, home.url) == ("/start/team/", "/t/shop/start/service/", "/t/shop/start/service/")
    made = Team.objects.get()
    assert (made.zone, Membership.objects.get().role, made.services.get().name) == (
        "Europe/Berlin",
        Role.ADMIN,
        "checkout",
    )
    assert service.url == reverse("service-setup", args=["shop", made.services.get().public_id])
    assert User.objects.get().zone == "Europe/Berlin"


def test_the_set_up_link_is_dead_once_somebody_has_an_account(client, person):
    path = links.make_setup_link(now=NOON)

    response = client.post(path, {"email": "eve@example.org", "password": PASSWORD, "zone": "UTC"})

    assert (response.status_code, User.objects.count()) == (410, 1)


@pytest.mark.parametrize("password", ["short", "12345678901234", "noor@example.org"])
def test_easily_guessed_passwords_are_refused(client, password, settings):
    settings.AUTH_PASSWORD_VALIDATORS = [
        *settings.AUTH_PASSWORD_VALIDATORS,
        {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
    ]
    path = links.make_setup_link(now=NOON)

    response = client.post(path, {"email": "noor@example.org", "password": password, "zone": "UTC"})

    assert (response.status_code, User.objects.count()) == (200, 0)


def test_a_person_without_team_cannot_make_one_when_teams_exist(client, person):
    MembershipFactory(role=Role.ADMIN)
    client.force_login(person)

    assert client.post("/start/team/", {"name": "Mine", "zone": "UTC"}).status_code == 403
    assert Team.objects.count() == 1


def test_an_invitation_makes_an_account_and_a_member(client):
    team, admin = TeamFactory(), UserFactory()
    path = links.make_invitation(team=team, role=Role.RESPONDER, by=admin, now=NOON)

    client.get(path)
    response = client.post(path, {"email": "leo@example.org", "password": PASSWORD, "zone": "UTC"})

    assert response.url == "/"
    membership = Membership.objects.get(team=team)
    assert (membership.user.email, membership.role) == ("leo@example.org", Role.RESPONDER)
    assert OneTimeLink.objects.get().used_at == NOON


def test_an_invitation_can_be_taken_up_with_an_account(client, person):
    membership = MembershipFactory(user=person, role=Role.ADMIN)
    path = links.make_invitation(team=membership.team, role=Role.VIEWER, by=person, now=NOON)
    client.force_login(person)

    client.post(path)

    assert Membership.objects.get().role == Role.ADMIN  # an invitation never takes a role away


def test_an_invitation_for_somebody_else_is_refused(client, person):
    path = links.make_invitation(team=TeamFactory(), role=Role.VIEWER, by=person, now=NOON, email="leo@example.org")
    client.force_login(person)

    assert client.post(path).status_code == 410
    assert Membership.objects.count() == 0
    assert OneTimeLink.objects.get().used_at is None


def test_an_invitation_never_takes_over_an_account(client, person):
    path = links.make_invitation(team=TeamFactory(), role=Role.VIEWER, by=person, now=NOON)

    response = client.post(path, {"email": "noor@example.org", "password": "another password", "zone": "UTC"})

    assert b"Sign in first" in response.content
    assert OneTimeLink.objects.get().used_at is None
    assert not signed_in(client)


def test_home_leads_to_the_persons_team(client, person):
    membership = MembershipFactory(user=person)
    client.force_login(person)

    assert client.get("/").url in {f"/t/{membership.team.slug}/", "/account/"}


def test_the_set_up_link_lives_a_day(client):
    path = links.make_setup_link(now=NOON - dt.timedelta(hours=25))

    assert client.get(path).status_code == 410


def test_services_make_home_the_dashboard_for_admins(client, person):
    membership = MembershipFactory(user=person, role=Role.ADMIN)
    client.force_login(person)
    before = client.get("/").url

    ServiceFactory(team=membership.team)

    assert before.endswith("/start/service/")
    assert not client.get("/").url.endswith("/start/service/")
