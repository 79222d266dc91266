from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
from django.test import Client

from deploys.actions.flag_scans import refresh_references
from deploys.models import (
    Delivery,
    Fact,
    Flag,
    FlagReference,
    FlagRepository,
    FlagScan,
    FlagTrace,
    Scope,
    Service,
    Team,
)
from deploys.queries.flag_code import MOST_KEYS, code_of, places_of
from tests.conftest import NOON
from tests.factories.access import bearer
from tests.factories.catalog import ServiceFactory, TeamFactory
from tests.factories.flags import registered

pytestmark = [pytest.mark.django_db, pytest.mark.database]

ADDRESS = "/api/v1/flags/references"
HERE = {"key": "new-cart", "path": "shop/a.py", "line": 3, "kind": "call"}
LINK = "https://git.example.com/acme/shop/blob/{commit}/{path}#L{line}"


def post(client: Client, team: Team, **said: Any) -> Any:
    message = {
        "repository": "acme/shop",
        "commit": "c1",
        "scanned_at": "2026-03-04T10:00:00Z",
        "references": [HERE],
        **said,
    }
    return client.post(
        ADDRESS, data=json.dumps(message), content_type="application/json", headers=bearer(team, [Scope.DEPLOYS_WRITE])
    )


def team_with_flag() -> Team:
    team: Team = TeamFactory()
    registered(team)
    return team


def test_a_scan_is_kept_with_its_time_and_counted_into_the_history(client: Client, noon: dt.datetime) -> None:
    team = team_with_flag()
    ServiceFactory(team=team, name="shop")

    answer = post(client, team, services=["shop", "till"], link=LINK, scanner="abc", files_count=9, colour=1)

    row = FlagRepository.objects.get()
    assert (answer.status_code, answer.json()) == (
        201,
        {
            "repository": "acme/shop", "verdict": "created", "keys_count": 1,
            "warnings": ["colour: unknown key, ignored", "services: no service 'till' here"],
        },
    )  # fmt: skip
    assert (row.scanned_at.isoformat(), row.received_at, row.scanner) == ("2026-03-04T10:00:00+00:00", noon, "abc")
    assert list(row.services.values_list("name", flat=True)) == ["shop"]
    assert Flag.objects.get(key="new-cart").code_references == 1
    assert places_of(team, ["new-cart"])["new-cart"][0].url == "https://git.example.com/acme/shop/blob/c1/shop/a.py#L3"
    assert Delivery.objects.get().event == "flag scan"
    assert Service.objects.count() == 1


def test_the_same_or_an_older_scan_changes_nothing(client: Client, noon: dt.datetime) -> None:
    team = team_with_flag()
    verdicts = [
        post(client, team, **said).json()["verdict"]
        for said in ({}, {}, {"commit": "c0", "scanned_at": "2026-03-04T09:00:00Z", "references": []})
    ]
    facts = Fact.objects.count()

    again = post(client, team).json()["verdict"]

    assert (verdicts, again, Fact.objects.count()) == (["created", "duplicate", "duplicate"], "duplicate", facts)
    assert (FlagReference.objects.count(), FlagScan.objects.count()) == (1, 1)


def test_what_is_gone_keeps_its_trace_with_the_removing_commit(client: Client, noon: dt.datetime) -> None:
    team = team_with_flag()
    post(client, team, references=[HERE, {**HERE, "kind": "doc", "path": "CHANGES.md"}])

    standing = client.get(f"{ADDRESS}?repository=acme/shop", headers=bearer(team, [Scope.DEPLOYS_WRITE])).json()
    removed = [{"key": "new-cart", "commit": "c2", "at": "2026-03-04T11:00:00Z"}]
    post(client, team, commit="c3", scanned_at="2026-03-04T11:30:00Z", references=[], removed=removed)

    assert standing == {"keys": ["new-cart"], "standing": {"new-cart": ["shop/a.py"]}}
    trace = FlagTrace.objects.get()
    assert (trace.gone_commit, trace.gone_scanned_at) == ("c2", dt.datetime(2026, 3, 4, 11, 30, tzinfo=dt.UTC))
    assert Flag.objects.get(key="new-cart").code_references == 0

    post(client, team, commit="c4", scanned_at="2026-03-04T11:45:00Z")

    assert (FlagTrace.objects.get().gone_scanned_at, FlagTrace.objects.get().gone_commit) == (None, "")
    assert Flag.objects.get(key="new-cart").code_references == 1


def test_a_job_of_an_older_commit_run_again_brings_nothing_back(client: Client, noon: dt.datetime) -> None:
    team = team_with_flag()
    post(client, team)
    post(client, team, commit="c2", scanned_at="2026-03-04T11:00:00Z", references=[])

    verdicts = [
        post(client, team, commit=commit, scanned_at="2026-03-04T11:30:00Z", references=references).json()["verdict"]
        for commit, references in (("c1", [HERE]), ("c2", []))
    ]

    assert (verdicts, FlagReference.objects.count()) == (["duplicate", "updated"], 0)
    assert FlagRepository.objects.get().scanned_at == dt.datetime(2026, 3, 4, 11, 30, tzinfo=dt.UTC)


def test_an_incomplete_scan_takes_nothing_for_gone(client: Client, noon: dt.datetime) -> None:
    team = team_with_flag()
    post(client, team)

    post(client, team, commit="c2", scanned_at="2026-03-04T11:00:00Z", references=[], is_complete=False)

    assert FlagTrace.objects.get().gone_scanned_at is None
    assert Flag.objects.get(key="new-cart").code_references is None


def test_a_count_that_nobody_confirms_for_a_week_is_withdrawn(client: Client, noon: dt.datetime) -> None:
    team = team_with_flag()
    post(client, team)

    changed = [refresh_references(now=NOON + dt.timedelta(days=days)) for days in (6, 8, 9)]

    assert (changed, Flag.objects.get(key="new-cart").code_references) == ([0, 1, 0], None)


def test_a_flag_that_no_scanned_repository_ever_had_is_not_counted(client: Client, noon: dt.datetime) -> None:
    team = team_with_flag()

    post(client, team, references=[])

    assert Flag.objects.get(key="new-cart").code_references is None
    assert code_of(team)["new-cart"][0].was_there is False


def test_a_scan_from_the_future_is_as_old_as_its_receipt(client: Client, noon: dt.datetime) -> None:
    post(client, team_with_flag(), scanned_at="2026-09-01T00:00:00Z")

    assert FlagRepository.objects.get().scanned_at == noon


@pytest.mark.parametrize(
    ("said", "pointer"),
    [
        ({"references": [HERE, {"key": "a"}]}, "#/references/1/kind"),
        ({"references": [{**HERE, "line": True}]}, "#/references/0/line"),
        ({"references": [{**HERE, "path": "a\nb"}]}, "#/references/0/path"),
        ({"references": ["a"]}, "#/references/0"),
        ({"references": {}}, "#/references"),
        ({"dynamic": [{"path": "a", "line": 1, "prefix": 3}]}, "#/dynamic/0/prefix"),
        ({"removed": [{"key": "a", "at": "soon"}]}, "#/removed/0/at"),
        ({"removed": [{"key": "a", "at": 1}]}, "#/removed/0/at"),
        ({"link": "javascript:alert(1)"}, "#/link"),
        ({"commit": ""}, "#/commit"),
    ],
)
def test_what_is_wrong_is_named(client: Client, said: dict[str, Any], pointer: str) -> None:
    answer = post(client, team_with_flag(), **said)

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"].startswith(pointer)
    assert FlagRepository.objects.count() == 0


def test_teams_see_their_own_flags_and_scans(client: Client, noon: dt.datetime) -> None:
    ours, theirs = team_with_flag(), TeamFactory()
    registered(theirs, key="theirs")
    post(client, ours)
    post(client, theirs, references=[{**HERE, "key": "theirs"}])

    told = client.get(f"{ADDRESS}?repository=acme/shop", headers=bearer(theirs, [Scope.DEPLOYS_WRITE])).json()

    assert told == {"keys": ["theirs"], "standing": {"theirs": ["shop/a.py"]}}
    assert (list(code_of(ours)), list(places_of(ours, ["theirs"]))) == (["new-cart"], [])
    assert FlagRepository.objects.count() == 2


def test_the_name_of_a_repository_is_needed(client: Client) -> None:
    answer = client.get(ADDRESS, headers=bearer(TeamFactory(), [Scope.DEPLOYS_WRITE]))

    assert (answer.status_code, answer.json()["errors"]) == (
        422,
        [{"pointer": "#/repository", "detail": "expected a name"}],
    )


@pytest.mark.parametrize("path", ["flags.py", "flag_patch.py"])
def test_the_scripts_are_served_with_this_address(client: Client, path: str) -> None:
    answer = client.get(f"/ci/{path}")
    text = answer.content.decode()

    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/x-python; charset=utf-8")
    assert ("@VERSION@" in text, "@URL@" in text) == (False, False)
    assert client.get(f"/ci/{path}", headers={"If-None-Match": answer.headers["ETag"]}).status_code == 304


def test_keys_are_asked_for_up_to_a_bound() -> None:
    assert MOST_KEYS == 20_000
