"""The page on which a team says what is taken out of its reports."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from deploys.models import Membership, Role
from incidents.actions.ingest import drain
from incidents.actions.privacy import change_privacy_rules
from incidents.domain.scrubbing import Rules
from incidents.models import ErrorEvent, PrivacyRules
from incidents.queries.privacy import RulesChange, rules_changes, rules_in_force, scrubbers_of
from tests.conftest import NOON
from tests.factories.catalog import MembershipFactory, ServiceFactory, TeamFactory
from tests.factories.errors import minutes
from tests.incidents.secrets import Case
from tests.incidents.test_privacy import send

pytestmark = [pytest.mark.django_db(databases="__all__"), pytest.mark.database]


@pytest.fixture
def admin() -> Membership:
    return MembershipFactory.create(role=Role.ADMIN)


def post(client: Client, member: Membership, **fields: str) -> Any:  # Any: the test client's response
    client.force_login(member.user)
    return client.post(reverse("team-privacy", args=[member.team.slug]), fields)


@pytest.mark.usefixtures("noon")
def test_admins_change_the_rules_and_everybody_reads_who_did(client: Client, admin: Membership) -> None:
    answer = post(
        client,
        admin,
        act="save",
        names="customerRef\n\nother-name\n",
        safe_names="session",
        patterns="C-###",
        keeps_locals="on",
    )
    again = post(
        client,
        admin,
        act="save",
        names="other_name\ncustomer_ref",
        safe_names="session",
        patterns="C-###",
        keeps_locals="on",
    )
    client.force_login(MembershipFactory.create(team=admin.team, role=Role.VIEWER).user)
    page = client.get(answer["Location"]).content.decode()

    rules = Rules(
        names=frozenset({"customer_ref", "other_name"}), safe_names=frozenset({"session"}), patterns=("C-###",), keeps_locals=True
    )  # fmt: skip
    assert (answer.status_code, again.status_code, PrivacyRules.objects.count()) == (302, 302, 1)
    assert rules_in_force(admin.team) == rules
    assert "secret name customer_ref added; secret name other_name added" in page
    assert admin.user.name in page
    assert '<form class="form"' not in page


def test_trying_shows_what_would_be_kept_and_keeps_nothing(client: Client, admin: Membership) -> None:
    text = post(client, admin, act="try", patterns="C-###", sample="C-123 <b> of ann@example.com").content.decode()
    tree = post(
        client, admin, act="try", names="ref", keeps_emails="on", sample='{"ref": "a", "to": "a@b.example"}'
    ).content.decode()
    nothing = post(client, admin, act="try", sample="").content.decode()

    assert "[filtered] &lt;b&gt; of [filtered]" in text
    assert "&quot;ref&quot;: &quot;[filtered]&quot;" in tree
    assert "&quot;to&quot;: &quot;a@b.example&quot;" in tree
    assert "(nothing)" in nothing
    assert not PrivacyRules.objects.exists()


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"patterns": "*x"}, "*x: begin with what the text begins with, not with *"),
        ({"names": "--"}, "--: a name has a letter or a digit"),
        ({"safe_names": "x" * 101}, "a name has a letter or a digit, and at most 100 characters"),
        ({"names": "\n".join(f"n{number}" for number in range(101))}, "At most 100 lines; these are 101."),
    ],
)
@pytest.mark.parametrize("act", ["save", "try"])
def test_what_makes_no_sense_is_said_at_its_field(
    client: Client, admin: Membership, act: str, fields: dict[str, str], said: str
) -> None:
    answer = post(client, admin, act=act, **fields)

    assert (answer.status_code, said in answer.content.decode()) == (422, True)
    assert not PrivacyRules.objects.exists()


def test_the_next_report_is_scrubbed_by_the_rules_of_its_team(admin: Membership) -> None:
    report = {"message": "REF-77 of ann@example.com", "extra": {"color": "red"}}
    rules = Rules(names=frozenset({"color"}), patterns=("REF-##",), keeps_emails=True)
    for team in (admin.team, TeamFactory.create()):
        send(ServiceFactory.create(team=team), [Case("before", (), report)])
    change_privacy_rules(team=admin.team, rules=rules, by=admin.user, now=NOON)
    ErrorEvent.objects.all().delete()
    for team in (admin.team, TeamFactory.create()):
        send(ServiceFactory.create(team=team), [Case("after", (), report)])
    drain(now=NOON)

    assert list(ErrorEvent.objects.order_by("pk").values_list("message", flat=True)) == [
        "[filtered] of ann@example.com",
        "REF-77 of [filtered]",
    ]


def test_the_rules_of_all_teams_of_a_batch_are_one_query(
    admin: Membership, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    other = TeamFactory.create()
    change_privacy_rules(team=admin.team, rules=Rules(keeps_emails=True), by=admin.user, now=NOON)
    change_privacy_rules(team=admin.team, rules=Rules(keeps_locals=True), by=admin.user, now=NOON + minutes(1))

    with django_assert_num_queries(1):
        found = scrubbers_of([admin.team.pk, other.pk])

    assert {team: scrubber.rules for team, scrubber in found.items()} == {
        admin.team.pk: Rules(keeps_locals=True),
        other.pk: Rules(),
    }


def test_the_record_of_changes_goes_back_as_far_as_asked(admin: Membership) -> None:
    for number, rules in enumerate([Rules(keeps_emails=True), Rules(keeps_emails=True, keeps_locals=True), Rules()]):
        change_privacy_rules(team=admin.team, rules=rules, by=admin.user, now=NOON + minutes(number))
    name = admin.user.name
    admin.user.delete()

    all_of_them = rules_changes(admin.team)
    assert [change.said for change in all_of_them] == [
        ("local variables of frames are taken out", "e-mail addresses are taken out"),
        ("local variables of frames are kept",),
        ("e-mail addresses are kept",),
    ]
    assert rules_changes(admin.team, most=1) == [
        RulesChange(
            NOON + minutes(2), "", ("local variables of frames are taken out", "e-mail addresses are taken out")
        )
    ]
    assert name
