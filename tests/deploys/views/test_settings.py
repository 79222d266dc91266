"""What a team sets: people, machines, counting."""

import re

import pytest

from deploys.actions import links
from deploys.actions.sources import accepted_secrets, make_source
from deploys.actions.tokens import create_token
from deploys.models import ApiToken, Fact, Membership, OneTimeLink, OwnerGroup, Policy, Role, Scope, Source, Team
from tests.conftest import NOON
from tests.factories.access import deliver, github_source
from tests.factories.catalog import MembershipFactory, ServiceFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("noon")]


@pytest.fixture
def admin(client):
    member = MembershipFactory(role=Role.ADMIN)
    client.force_login(member.user)
    return member


def path_of(admin, page=""):
    return f"/t/{admin.team.slug}/settings/{page}"


def act(client, admin, page="", **fields):
    return client.post(path_of(admin, page), fields)


def said(client, response):
    html = client.get(response.url).content.decode()
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


# -- people ---------------------------------------------------------------------------------------------------------


def test_an_invitation_link_is_shown_once_and_works(client, admin):
    shown = act(client, admin, act="invite", role="viewer").content.decode()
    later = client.get(path_of(admin)).content.decode()

    (path,) = re.findall(r"(/link/[\w-]+/)", shown)
    assert path not in later
    client.logout()
    client.post(path, {"email": "leo@example.org", "password": "seven wild geese", "zone": "UTC"})
    assert Membership.objects.get(user__email="leo@example.org").role == Role.VIEWER


def test_an_invitation_can_be_withdrawn(client, admin):
    links.make_invitation(team=admin.team, role=Role.VIEWER, by=admin.user, now=NOON)

    act(client, admin, act="withdraw", invitation=OneTimeLink.objects.get().public_id)

    assert OneTimeLink.objects.get().expires_at == NOON


def test_roles_change(client, admin):
    member = MembershipFactory(team=admin.team)

    act(client, admin, act="role", membership=member.pk, role="admin")

    member.refresh_from_db()
    assert member.role == Role.ADMIN


@pytest.mark.parametrize("fields", [{"act": "role", "role": "viewer"}, {"act": "remove"}])
def test_a_team_keeps_an_admin(client, admin, fields):
    response = act(client, admin, membership=admin.pk, **fields)

    assert "A team needs an admin" in said(client, response)
    assert Membership.objects.get().role == Role.ADMIN


def test_a_member_can_be_removed(client, admin):
    member = MembershipFactory(team=admin.team)

    act(client, admin, act="remove", membership=member.pk)

    assert list(Membership.objects.all()) == [admin]


def test_members_of_other_teams_are_out_of_reach(client, admin):
    stranger = MembershipFactory()

    act(client, admin, act="remove", membership=stranger.pk)

    assert Membership.objects.filter(pk=stranger.pk).exists()


def test_the_team_changes(client, admin):
    act(client, admin, act="save", name="Shop", zone="europe/berlin", event_days="30")
    act(client, admin, act="save", name="Shop", zone="europe/berlin", event_days="")

    team = Team.objects.get()
    assert (team.name, team.zone, team.auto_open, team.event_days) == ("Shop", "Europe/Berlin", False, 30)


def test_mistakes_are_said_beside_the_field(client, admin):
    response = act(client, admin, act="save", name="", zone="Nowhere")

    assert response.status_code == 422
    assert response.content.decode().count('class="error"') == 2


@pytest.mark.parametrize(
    "fields",
    [{}, {"act": "explode"}, {"act": "remove"}, {"act": "remove", "membership": "x"}, {"act": "role", "membership": "1", "role": "king"}, {"act": "withdraw", "invitation": "x"}],
)  # fmt: skip
def test_what_no_form_of_ours_sends_is_not_found(client, admin, fields):
    assert act(client, admin, **fields).status_code == 404


def test_viewers_see_members_but_no_forms(client, admin):
    viewer = MembershipFactory(team=admin.team, role=Role.VIEWER)
    client.force_login(viewer.user)

    html = client.get(path_of(admin)).content.decode()

    assert admin.user.email in html
    assert '<form method="post"' not in html.split("<main", 1)[1]
    assert "Tokens and webhooks" not in html


# -- machines -------------------------------------------------------------------------------------------------------


def test_a_token_is_shown_once(client, admin):
    shown = act(
        client, admin, "machines/", act="token", name="CI", scopes=["deploys:write"], days="30"
    ).content.decode()
    later = client.get(path_of(admin, "machines/")).content.decode()

    (secret,) = set(re.findall(r"upshot_[\w-]{20,}", shown))
    row = ApiToken.objects.get()
    assert secret.startswith(row.prefix)
    assert secret not in later
    assert (row.scopes, row.created_by, (row.expires_at - NOON).days) == (["deploys:write"], admin.user, 30)


def test_a_token_needs_a_scope(client, admin):
    response = act(client, admin, "machines/", act="token", name="CI")

    assert (response.status_code, ApiToken.objects.count()) == (422, 0)


def test_a_revoked_token_is_gone_from_the_list(client, admin):
    row, _ = create_token(team=admin.team, name="old one", scopes=[Scope.DEPLOYS_READ], now=NOON)

    response = act(client, admin, "machines/", act="revoke", token=row.public_id)

    row.refresh_from_db()
    assert row.revoked_at == NOON
    assert "old one" not in said(client, response).replace("Token old one is refused", "")


def test_a_webhook_has_an_address_and_a_secret(client, admin):
    service = ServiceFactory(team=admin.team)

    shown = act(
        client, admin, "machines/", act="source", kind="github", name="acme", service=service.pk
    ).content.decode()

    source = Source.objects.get()
    assert f"/webhooks/github/{source.public_id}" in shown
    assert source.service == service


def test_a_sender_may_bring_its_secret_or_need_it_in_the_address(client, admin):
    pasted = {"kind": "gitlab", "name": "acme", "secret": "whsec_c2VjcmV0c2VjcmV0"}
    shown = act(client, admin, "machines/", act="source", is_strict="on", **pasted).content.decode()
    in_address = act(client, admin, "machines/", act="source", kind="jenkins", name="CI").content.decode()
    bad = act(client, admin, "machines/", act="source", kind="gitlab", name="b", secret="short")

    gitlab, jenkins = Source.objects.order_by("kind")
    assert "whsec_c2VjcmV0c2VjcmV0" in shown
    assert gitlab.is_strict
    assert f"/webhooks/jenkins/{jenkins.public_id}?token=" in in_address
    assert bad.status_code == 422
    assert "expected 8 to 500 visible characters" in bad.content.decode()


def test_the_first_delivery_is_noticed(client, admin):
    source, secret = github_source(admin.team)
    address = path_of(admin, f"machines/{source.public_id}/heard/")
    before = client.get(address).content.decode()
    deliver(client, source, "another", b"{}", event="ping")
    refused = client.get(path_of(admin, "machines/")).content.decode()
    deliver(client, source, secret, b"{}", event="ping")

    assert "Listening for the first delivery" in before
    assert "last delivery refused" in refused
    assert "Listening for the first delivery" in refused
    assert "ping ignored" in client.get(address).content.decode()


@pytest.mark.parametrize("fields", [{"name": "acme"}, {"name": "other", "service": "0"}])
def test_a_webhook_needs_a_new_name_and_a_service_of_the_team(client, admin, fields):
    make_source(team=admin.team, kind="github", name="acme", now=NOON)
    foreign = ServiceFactory()

    response = act(
        client,
        admin,
        "machines/",
        act="source",
        **{**fields, **({"service": foreign.pk} if "service" in fields else {})},
    )

    assert (response.status_code, Source.objects.count()) == (422, 1)


def test_a_new_secret_leaves_the_old_one_a_day(client, admin):
    source, old = github_source(admin.team)

    shown = act(client, admin, "machines/", act="rotate", source=source.public_id).content.decode()

    assert old not in shown
    assert "The secret before is accepted until" in shown


def test_a_new_secret_may_be_the_one_that_the_sender_made(client, admin):
    source, old = make_source(team=admin.team, kind="gitlab", name="acme", now=NOON)
    pasted = " whsec_c2VjcmV0c2VjcmV0 "

    bad = act(client, admin, "machines/", act="rotate", source=source.public_id, secret="short")
    source.refresh_from_db()
    before = accepted_secrets(source, now=NOON)
    shown = act(client, admin, "machines/", act="rotate", source=source.public_id, secret=pasted).content.decode()

    source.refresh_from_db()
    assert (bad.status_code, before) == (422, [old])
    assert "expected 8 to 500 visible characters" in bad.content.decode()
    assert accepted_secrets(source, now=NOON) == [pasted.strip(), old]
    assert pasted.strip() in shown


def test_a_webhook_can_be_switched_off_and_on(client, admin):
    source, _ = github_source(admin.team)

    states = []
    for _ in range(2):
        act(client, admin, "machines/", act="switch", source=source.public_id)
        source.refresh_from_db()
        states.append(source.is_active)

    assert states == [False, True]


def test_rules_are_lines(client, admin):
    source, _ = github_source(admin.team)

    act(
        client,
        admin,
        "machines/",
        act="rules",
        source=source.public_id,
        rules="acme/cart, prod → cart, production\n\n*, *, deploy* -> everything",
    )

    source.refresh_from_db()
    assert source.rules == [
        {
            "repository": "acme/cart",
            "environment": "prod",
            "workflow": "",
            "service": "cart",
            "to_environment": "production",
        },
        {"repository": "", "environment": "", "workflow": "deploy*", "service": "everything", "to_environment": ""},
    ]


@pytest.mark.parametrize("rules", ["nonsense", "a, b, c, d → e", "a → b, c, d", "a → "])
def test_a_wrong_rule_changes_nothing(client, admin, rules):
    source, _ = github_source(admin.team)

    response = act(client, admin, "machines/", act="rules", source=source.public_id, rules=rules)

    source.refresh_from_db()
    assert "Line 1: expected repository" in said(client, response)
    assert source.rules == []


def test_things_of_other_teams_are_not_found(client, admin):
    other = MembershipFactory().team
    source, _ = github_source(other)
    token, _ = create_token(team=other, name="x", scopes=[Scope.DEPLOYS_READ], now=NOON)

    for fields in ({"act": "rotate", "source": source.public_id}, {"act": "revoke", "token": token.public_id}):
        assert act(client, admin, "machines/", **fields).status_code == 404


def test_the_line_for_ci_gets_a_token(client, admin):
    service = ServiceFactory(team=admin.team)
    path = f"/t/{admin.team.slug}/services/{service.public_id}/setup/token/"

    part = client.post(path, headers={"HX-Request": "true"}).content.decode()
    page = client.post(path).content.decode()

    for html in (part, page):
        (secret,) = set(re.findall(r"upshot_[\w-]{20,}", html))
        assert f"Bearer <mark>{secret}</mark>" in html
    assert "<html" not in part
    assert ApiToken.objects.count() == 2


# -- counting -------------------------------------------------------------------------------------------------------

POLICY = {
    "environment": "live", "failure_classes": ["downtime"], "pending_days": "2", "deploy_timeout_hours": "1.5",
    "maintenance_notice_hours": "12", "stale_after_days": "30",
}  # fmt: skip


def test_the_policy_is_a_fact(client, admin):
    act(client, admin, "counting/", act="policy", **POLICY)

    fact = Fact.objects.get()
    policy = Policy.objects.get()
    assert (fact.kind, fact.origin, fact.actor) == ("history", "person", admin.user)
    assert (policy.environment, policy.failure_classes, policy.pending_seconds, policy.deploy_timeout_seconds) == (
        "live",
        ["downtime"],
        172_800,
        5_400,
    )
    assert (policy.maintenance_notice_seconds, policy.stale_after_seconds) == (43_200, 2_592_000)


def test_the_policy_form_shows_what_is_in_force(client, admin):
    act(client, admin, "counting/", act="policy", **POLICY)

    html = client.get(path_of(admin, "counting/")).content.decode()

    assert 'value="1.5"' in html
    assert 'value="live"' in html


def test_a_wrong_policy_changes_nothing(client, admin):
    response = act(client, admin, "counting/", act="policy", **{**POLICY, "pending_days": "-1"})

    assert (response.status_code, Fact.objects.count()) == (422, 0)


def test_groups_are_renamed_and_removed(client, admin):
    group = OwnerGroup.objects.create(team=admin.team, name="Find")
    OwnerGroup.objects.create(team=admin.team, name="Pay")

    act(client, admin, "counting/", act="rename", group=group.pk, name="Search")
    taken = act(client, admin, "counting/", act="rename", group=group.pk, name="pay")
    group.refresh_from_db()
    act(client, admin, "counting/", act="remove", group=group.pk)

    assert group.name == "Search"
    assert "the team has one called pay" in said(client, taken)
    assert [each.name for each in OwnerGroup.objects.all()] == ["Pay"]


@pytest.mark.parametrize(("page", "count"), [("", 7), ("machines/", 10), ("counting/", 8)])
def test_pages_take_few_queries(client, admin, django_assert_num_queries, page, count):
    for number in range(3):
        MembershipFactory(team=admin.team)
        create_token(team=admin.team, name=str(number), scopes=[Scope.DEPLOYS_READ], now=NOON, by=admin.user)
        make_source(team=admin.team, kind="github", name=str(number), now=NOON, service=ServiceFactory(team=admin.team))
        OwnerGroup.objects.create(team=admin.team, name=str(number))

    with django_assert_num_queries(count):
        client.get(path_of(admin, page))
