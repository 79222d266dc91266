from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from deploys.actions.flag_checks import Counted, record_checks
from deploys.actions.flag_registry import set_rights
from deploys.actions.flag_switches import kill_flag, standing
from deploys.actions.flag_tickets import take_ticket
from deploys.domain.instants import instant_text
from deploys.domain.tickets import TicketReport
from deploys.models import Environment, FlagChange, FlagKey, FlagProposal, RegisteredFlag, Role, Team, User
from tests.conftest import NOON
from tests.deploys.views.pages import text_of as words
from tests.factories.catalog import EnvironmentFactory, MembershipFactory, ServiceFactory, TeamFactory
from tests.factories.flags import ON, percent, registered, served_by
from tests.factories.webhooks import source_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("noon")]
HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)


@pytest.fixture
def team() -> Team:
    return TeamFactory(slug="acme")


@pytest.fixture
def production(team: Team) -> Environment:
    return EnvironmentFactory(team=team)


def member(client: Client, team: Team, role: str = Role.RESPONDER) -> User:
    membership = MembershipFactory(team=team, role=role)
    client.force_login(membership.user)
    return membership.user


def text_of(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200, path
    return answer.content.decode()


def page(flag: RegisteredFlag) -> str:
    return f"/t/{flag.team.slug}/flags/{flag.public_id}/"


def test_the_empty_list_says_the_next_step(client: Client, team: Team) -> None:
    member(client, team)
    assert "/t/acme/flags/new/" in text_of(client, "/t/acme/flags/")
    member(client, team, Role.VIEWER)
    assert "A responder of the team makes the first one" in text_of(client, "/t/acme/flags/")


@pytest.mark.parametrize("count", [1, 3])
def test_the_list_costs_the_same_however_long(
    client: Client, team: Team, production: Environment, django_assert_num_queries: Callable[..., Any], count: int
) -> None:
    EnvironmentFactory(team=team, name="staging", tier="staging")
    for number in range(count):
        served_by(registered(team, key=f"flag-{number}"), production, percent(10))
    member(client, team)

    with django_assert_num_queries(10):
        found = text_of(client, "/t/acme/flags/")
    assert found.count("on for 10 %") == count
    assert found.count("staging: off") == count


def test_the_list_tells_states_apart(client: Client, team: Team, production: Environment) -> None:
    rule = {"conditions": [{"attribute": "plan", "operator": "in", "values": ["pro"]}], "serve": {"variant": "on"}}
    served_by(registered(team, key="everybody"), production, ON)
    served_by(registered(team, key="some"), production, {"on": True, "default": {"variant": "off"}, "rules": [rule]})
    killed = registered(team, key="bad")
    served_by(killed, production, ON)
    kill_flag(flag=killed, environment=production, reason="500s in checkout", until=None, now=NOON, by=None)
    record_checks({Counted(production.pk, "some", "shop", "on", NOON, "check"): (3, NOON)})
    member(client, team)

    found = text_of(client, "/t/acme/flags/")

    for each in ("on for everybody", "1 rule, off for the others", "killed", "500s in checkout", "never heard"):
        assert each in found
    assert (
        "everybody"
        not in text_of(client, "/t/acme/flags/?text=some&kind=release").split("<tbody>")[1].split("1 rule")[0]
    )
    assert "No flag matches" in text_of(client, "/t/acme/flags/?state=archived")


def test_a_flag_is_made(client: Client, team: Team) -> None:
    user, shop = member(client, team), ServiceFactory(team=team)
    said = {"key": "one-page", "kind": "release", "value_type": "boolean", "services": [shop.pk], "owner": "kim"}

    answer = client.post("/t/acme/flags/new/", said)

    flag = RegisteredFlag.objects.get()
    assert answer["Location"] == page(flag)
    assert (flag.key, flag.owner, flag.created_by, list(flag.services.all())) == ("one-page", "kim", user, [shop])


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ({"key": "a b"}, "expected 1 to 100 letters"),
        ({"variants": "red"}, "expected name = value"),
        ({"value_type": "integer", "variants": "a = one\nb = 2"}, "one is no integer"),
        ({"value_type": "integer", "variants": "a = 1"}, "2 to 50 variants"),
    ],
)
def test_a_flag_that_cannot_be_is_told_at_its_field(
    client: Client, team: Team, said: dict[str, str], problem: str
) -> None:
    member(client, team)

    answer = client.post("/t/acme/flags/new/", {"key": "x", "kind": "release", "value_type": "boolean", **said})

    assert problem in answer.content.decode()
    assert not RegisteredFlag.objects.exists()


def test_a_migration_brings_its_stages(client: Client, team: Team) -> None:
    member(client, team)

    client.post("/t/acme/flags/new/", {"key": "move", "kind": "migration", "value_type": "boolean"})

    assert [each["name"] for each in RegisteredFlag.objects.get().variants] == [
        "off", "shadow", "new_with_fallback", "new_only",
    ]  # fmt: skip


def test_other_types_take_variants_by_line(client: Client, team: Team) -> None:
    member(client, team)

    client.post(
        "/t/acme/flags/new/", {"key": "c", "kind": "ops", "value_type": "string", "variants": "red = r\nnone ="}
    )

    flag = RegisteredFlag.objects.get()
    assert (flag.variants, flag.off_variant) == ([{"name": "red", "value": "r"}, {"name": "none", "value": ""}], "none")


ROLLOUT = {"is_on": "on", "variant": "on", "percent": "10", "rest": "off", "finer": ""}


def test_a_change_is_shown_before_it_is_made(client: Client, team: Team, production: Environment) -> None:
    user, flag = member(client, team), registered(team)
    record_checks({Counted(production.pk, flag.key, "shop", "off", NOON, "check"): (1234, NOON)})

    preview = client.post(page(flag), {"act": "preview", "environment": "production", **ROLLOUT})
    assert not FlagChange.objects.exists()
    made = client.post(
        page(flag), {"act": "change", "environment": "production", "version": "0", "reason": "first users", **ROLLOUT}
    )

    assert "everybody by default off on for 10 %, else off 10.0 %" in words(preview)
    assert "1,234 checks" in words(preview)
    assert made["Location"] == f"{page(flag)}?in=production"
    assert FlagChange.objects.get().new_percent == 10
    found = text_of(client, page(flag))
    assert "first users" in found
    assert user.name in found


def test_finer_rules_are_json(client: Client, team: Team, production: Environment) -> None:
    member(client, team)
    flag = registered(team)
    split = {"split": [{"variant": "on", "percent": 50}, {"variant": "off", "percent": 50}]}
    finer = {"targets": [{"variant": "on", "units": ["kim"]}], "default": split}

    client.post(
        page(flag),
        {"act": "change", "environment": "production", "version": "0", **ROLLOUT, "finer": json.dumps(finer)},
    )

    rules = standing(flag, production)[0]
    assert (rules.targets, rules.default.split) == ({"kim": "on"}, (("on", 50_000), ("off", 50_000)))
    shown = text_of(client, page(flag))
    assert "&quot;split&quot;" in shown
    assert "kim" in shown


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ({"finer": "{"}, "not JSON"),
        ({"finer": "[]"}, "expected an object"),
        ({"finer": '{"kill": null}'}, "expected an object"),
        ({"finer": '{"rule": []}'}, "unknown"),
        ({"percent": "101"}, "percentage"),
    ],
)
def test_rules_that_cannot_be_are_told(
    client: Client, team: Team, production: Environment, said: dict[str, str], problem: str
) -> None:
    member(client, team)
    flag = registered(team)

    answer = client.post(page(flag), {"act": "preview", "environment": "production", **ROLLOUT, **said}, follow=True)

    assert problem in answer.content.decode()
    assert standing(flag, production)[1] == 0


def test_a_page_that_is_old_changes_nothing(client: Client, team: Team, production: Environment) -> None:
    member(client, team)
    flag = registered(team)
    served_by(flag, production, ON)

    answer = client.post(
        page(flag), {"act": "change", "environment": "production", "version": "0", **ROLLOUT}, follow=True
    )

    assert "somebody changed this flag meanwhile" in answer.content.decode()
    assert standing(flag, production)[0].default.percent == 100_000


def test_a_flag_is_killed_and_brought_back(client: Client, team: Team, production: Environment) -> None:
    member(client, team)
    flag = registered(team)
    served_by(flag, production, ON)

    client.post(page(flag), {"act": "kill", "environment": "production", "reason": "500s", "hours": "24"})
    found = text_of(client, page(flag))
    assert "Bring it back" in found
    assert "500s" in found
    kill = standing(flag, production)[0].kill
    assert kill is not None
    assert (kill.until or NOON) > NOON

    client.post(page(flag), {"act": "revive", "environment": "production"})
    assert standing(flag, production)[0].kill is None


def test_rights_are_the_environments(client: Client, team: Team, production: Environment) -> None:
    flag = registered(team)
    served_by(flag, production, ON)
    set_rights(environment=production, write_role="admin", needs_approval=False)
    member(client, team)

    assert "not change them" in text_of(client, page(flag))
    for act in ("preview", "change", "revive"):
        assert client.post(page(flag), {"act": act, "environment": "production", **ROLLOUT}).status_code == 403
    assert client.post(page(flag), {"act": "kill", "environment": "production", "reason": "500s"}).status_code == 302
    assert standing(flag, production)[0].kill is not None


def test_a_second_person_approves(client: Client, team: Team, production: Environment) -> None:
    flag = registered(team)
    set_rights(environment=production, write_role="responder", needs_approval=True)
    member(client, team)
    client.post(page(flag), {"act": "change", "environment": "production", "version": "0", "reason": "more", **ROLLOUT})
    proposal = FlagProposal.objects.get()
    said = {"act": "approve", "proposal": str(proposal.public_id)}
    assert "somebody else has to approve" in client.post(page(flag), said, follow=True).content.decode()
    assert "waiting for approval" in text_of(client, "/t/acme/flags/")

    member(client, team)
    assert "Waiting for approval" in text_of(client, page(flag))
    client.post(page(flag), said)

    assert FlagChange.objects.get().new_percent == 10
    assert "approved by" in text_of(client, page(flag))
    assert "decided already" in client.post(page(flag), {**said, "act": "refuse"}, follow=True).content.decode()


def test_a_proposal_is_refused(client: Client, team: Team, production: Environment) -> None:
    flag = registered(team)
    set_rights(environment=production, write_role="responder", needs_approval=True)
    member(client, team)
    client.post(page(flag), {"act": "change", "environment": "production", "version": "0", **ROLLOUT})

    client.post(page(flag), {"act": "refuse", "proposal": str(FlagProposal.objects.get().public_id)})

    assert FlagProposal.objects.get().state == "refused"
    assert not FlagChange.objects.exists()


def test_a_flag_is_described_archived_and_restored(client: Client, team: Team, production: Environment) -> None:
    member(client, team)
    flag = registered(team)

    client.post(page(flag), {"act": "describe", "owner": "ann", "description": "the new cart"})
    client.post(page(flag), {"act": "archive", "reason": "done"})
    assert "Restore" in text_of(client, page(flag))
    client.post(page(flag), {"act": "restore"})

    flag.refresh_from_db()
    assert (flag.owner, flag.description, flag.archived_at) == ("ann", "the new cart", None)


def test_what_nobody_asked_for_is_not_found(client: Client, team: Team) -> None:
    member(client, team)
    flag = registered(team)

    assert client.post(page(flag), {"act": "explode"}).status_code == 404
    assert client.post(page(flag), {"act": "kill", "environment": "nowhere"}).status_code == 404
    assert "say why" in client.post(page(flag), {"act": "kill"}, follow=True).content.decode()
    assert client.get(f"{page(flag)}?in=nowhere").status_code == 404
    assert client.get("/t/acme/flags/?cursor=x").status_code == 404


def test_a_key_is_shown_once_and_revoked(client: Client, team: Team, production: Environment) -> None:
    member(client, team, Role.ADMIN)
    said = {
        "act": "make", "environment": production.pk, "application": "shop", "kind": "browser",
        "origins": "https://shop.example.com",
    }  # fmt: skip

    made = client.post("/t/acme/flags/keys/", said).content.decode()
    key = FlagKey.objects.get()
    later = text_of(client, "/t/acme/flags/keys/")

    assert "upflagweb_" in made
    assert made.count(key.prefix) == 2
    assert later.count(key.prefix) == 1
    client.post("/t/acme/flags/keys/", {"act": "revoke", "key": str(key.public_id)})
    key.refresh_from_db()
    assert key.revoked_at == NOON
    wrong = client.post("/t/acme/flags/keys/", {**said, "origins": "nowhere"}).content.decode()
    assert "expected an origin" in wrong
    assert client.post("/t/acme/flags/keys/", {"act": "explode"}).status_code == 404


def test_rights_are_kept(client: Client, team: Team, production: Environment) -> None:
    member(client, team, Role.ADMIN)

    client.post(
        "/t/acme/flags/keys/",
        {"act": "rights", "environment": "production", "write_role": "admin", "needs_approval": "on"},
    )

    assert 'value="admin" selected' in text_of(client, "/t/acme/flags/keys/")
    assert (
        client.post(
            "/t/acme/flags/keys/", {"act": "rights", "environment": "production", "write_role": "viewer"}
        ).status_code
        == 404
    )


def imported(client: Client, said: object, production: Environment, system: str = "flagd") -> str:
    body = said if isinstance(said, bytes) else json.dumps(said).encode()
    sent = {"system": system, "environment": production.pk, "file": SimpleUploadedFile("flags.json", body)}
    return words(client.post("/t/acme/flags/import/", sent))


def test_flags_are_imported_or_left_out_with_the_reason(client: Client, team: Team, production: Environment) -> None:
    member(client, team, Role.ADMIN)
    on = {"state": "ENABLED", "variants": {"on": True, "off": False}, "defaultVariant": "on"}
    registered(team, key="taken")
    said = {"flags": {"fresh": on, "taken": on, "a b": on, "odd": {**on, "targeting": {"if": [{"%": [1, 2]}, "on"]}}}}

    first, second = imported(client, said, production), imported(client, said, production)

    assert "1 flag imported, 3 left out" in first
    assert "archived flags keep their key" in first
    assert "0 flags imported, 4 left out" in second
    assert standing(RegisteredFlag.objects.get(key="fresh"), production)[0].is_on
    assert FlagChange.objects.get().flag.key == "fresh"
    assert "not JSON" in imported(client, b"{", production)
    assert "1 flag imported" in imported(
        client, [{"feature": {"name": "fs"}, "enabled": True}], production, "flagsmith"
    )
    assert "1 flag imported" in imported(client, {"features": [{"name": "ul"}]}, production, "unleash")


def test_more_than_anybody_can_look_after_needs_somebody_to_mean_it(
    client: Client, team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    member(client, team)
    registered(team, "old")
    monkeypatch.setattr("deploys.actions.flag_registry.MOST_TEMPORARY", 1)
    monkeypatch.setattr("deploys.views.flags.MOST_TEMPORARY", 1)
    said = {"key": "one-more", "kind": "release", "value_type": "boolean"}

    refused = client.post("/t/acme/flags/new/", said)
    made = client.post("/t/acme/flags/new/", {**said, "is_over_cap_meant": "on"})
    lasting = client.post("/t/acme/flags/new/", {**said, "key": "stays", "kind": "ops"})

    assert "more than anybody can look after" in words(refused)
    assert (refused.status_code, made.status_code, lasting.status_code) == (200, 302, 302)


def test_a_held_step_says_what_it_waits_for_and_may_be_taken(
    client: Client, team: Team, production: Environment
) -> None:
    ServiceFactory(team=team, name="quiet")
    flag = registered(team, now=NOON - DAY)
    step = {"at": instant_text(NOON - HOUR), "percent": 25, "waits": "health"}
    served_by(flag, production, percent(0, schedule=[step]), now=NOON - DAY)
    member(client, team, Role.VIEWER)
    told = words(client.get(page(flag)))
    assert "25 % was planned for" in told
    assert "nobody could tell: quiet reported nothing for a week" in told
    assert client.post(page(flag), {"act": "take", "environment": "production"}).status_code == 403

    member(client, team)
    said = client.post(page(flag), {"act": "take", "environment": "production"}, follow=True)

    assert "The step to 25 % is taken." in words(said)
    assert "Step held" not in said.content.decode()
    assert standing(flag, production)[0].default_at(NOON).percent == 25_000
    again = client.post(page(flag), {"act": "take", "environment": "production"}, follow=True)
    assert "no step waits any more" in words(again)


def test_a_held_step_taken_by_hand_needs_approval_where_changes_do(
    client: Client, team: Team, production: Environment
) -> None:
    flag = registered(team, now=NOON - DAY)
    step = {"at": instant_text(NOON - HOUR), "percent": 25, "waits": "health"}
    served_by(flag, production, percent(0, schedule=[step]), now=NOON - DAY)
    set_rights(environment=production, write_role=Role.RESPONDER, needs_approval=True)
    member(client, team)

    client.post(page(flag), {"act": "take", "environment": "production"})

    assert FlagProposal.objects.get().document["schedule"][0]["released"] is True
    assert standing(flag, production)[0].default_at(NOON).percent == 0


def test_the_ticket_is_named_on_the_page_and_its_state_told(client: Client, team: Team) -> None:
    flag = registered(team)
    member(client, team)
    url = "https://github.com/acme/shop/issues/7"

    refused = client.post(page(flag), {"act": "describe", "ticket_url": "javascript:alert(1)"}, follow=True)
    client.post(page(flag), {"act": "describe", "ticket_url": url})
    source, _ = source_of("github", team, name="our GitHub")
    take_ticket(source=source, report=TicketReport(url, is_closed=True, at=NOON), received_at=NOON)

    assert "expected an address that begins with https://" in words(refused)
    told = words(client.get(page(flag)))
    assert "closed since" in told
    assert "told by our GitHub" in told
