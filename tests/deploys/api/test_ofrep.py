"""Keys, pages, listings, event streams, counts, and a database that is away."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import OperationalError

from deploys import clock
from deploys.actions.flag_checks import (
    MOST_UNKNOWN,
    OTHERS,
    CheckTally,
    Counted,
    fold_old_hours,
    record_checks,
)
from deploys.actions.flag_keys import make_key, revoke_key
from deploys.actions.flag_registry import FlagRefused, archive_flag
from deploys.actions.flag_serving import FlagStore
from deploys.actions.flag_switches import kill_flag
from deploys.api.ofrep import Ofrep, is_ofrep
from deploys.formats.ofrep import MOST_BYTES
from deploys.models import Environment, FlagCheck, FlagKey, FlagSettings
from tests.asgi import Reply, answer
from tests.conftest import NOON
from tests.factories.catalog import EnvironmentFactory
from tests.factories.flags import ON, percent, registered, served_by

pytestmark = [pytest.mark.django_db, pytest.mark.database]
ALL = "/ofrep/v1/evaluate/flags"
MINUTE = dt.timedelta(minutes=1)


@dataclass
class Serving:
    """One process' worth of the protocol."""

    environment: Environment
    store: FlagStore
    tally: CheckTally
    application: Ofrep
    secret: str

    def ask(self, path: str = ALL, body: Any = None, *, method: str = "POST", **headers: str) -> Reply:
        """Asks with the server's key unless the headers say otherwise."""
        said = {
            "authorization": f"Bearer {self.secret}",
            **{name.replace("_", "-"): each for name, each in headers.items()},
        }
        raw = body if isinstance(body, bytes | list) else json.dumps(body or {}).encode()
        return answer(
            self.application, path, method=method, body=raw, headers=[pair for pair in said.items() if pair[1]]
        )

    def counted(self) -> list[tuple[str, str, str, int]]:
        """What the database holds after a flush."""
        self.tally.flush()
        return sorted(FlagCheck.objects.values_list("key", "variant", "kind", "quantity"))


@pytest.fixture
def serving() -> Iterator[Serving]:
    environment = EnvironmentFactory()
    flag = registered(environment.team)
    served_by(flag, environment, ON)
    _, secret = make_key(environment=environment, kind="server", application="shop", now=NOON)
    with clock.at(NOON):
        store, tally = FlagStore(), CheckTally()
        store.refresh()
        yield Serving(environment, store, tally, Ofrep(store=store, tally=tally), secret)


def browser_key(serving: Serving, *origins: str) -> str:
    _, secret = make_key(environment=serving.environment, kind="browser", application="web", now=NOON, origins=origins)
    serving.store.refresh()
    return secret


# -- keys --------------------------------------------------------------------------------------------------------------


def test_a_key_is_sent_either_way(serving: Serving) -> None:
    by_header = serving.ask(f"{ALL}/new-cart", authorization="", x_api_key=serving.secret)

    assert (serving.ask(f"{ALL}/new-cart").status, by_header.status) == (200, 200)


@pytest.mark.parametrize("header", ["", "Bearer ", "Bearer nonsense", "Basic nonsense"])
def test_without_a_known_key_nothing_is_told(serving: Serving, header: str) -> None:
    reply = serving.ask(f"{ALL}/new-cart", authorization=header)

    assert reply.status == 401
    assert json.loads(reply.body)["errorDetails"]
    assert reply.headers["www-authenticate"].startswith("Bearer")
    assert serving.counted() == []


def test_keys_are_stored_hashed_and_see_their_environment_only(serving: Serving) -> None:
    staging = EnvironmentFactory(team=serving.environment.team, name="staging", tier="staging")
    other_team = EnvironmentFactory()
    registered(other_team.team, key="theirs")
    _, secret = make_key(environment=staging, kind="server", application="shop", now=NOON)
    serving.store.refresh()

    assert not FlagKey.objects.filter(secret_hash__contains=secret).exists()
    assert json.loads(serving.ask(f"{ALL}/new-cart", authorization=f"Bearer {secret}").body)["value"] is False
    assert serving.ask(f"{ALL}/theirs").status == 404


def test_a_revoked_key_is_refused(serving: Serving) -> None:
    key = FlagKey.objects.get()
    revoke_key(key=key, now=NOON)
    revoke_key(key=key, now=NOON + dt.timedelta(hours=1))
    serving.store.refresh()

    assert serving.ask(f"{ALL}/new-cart").status == 401
    key.refresh_from_db()
    assert key.revoked_at == NOON


@pytest.mark.parametrize("origins", [["shop.example.com"], ["ftp://a"], ["https://a/b"], ["https://a"] * 21])
def test_origins_that_cannot_be_are_refused(origins: list[str]) -> None:
    with pytest.raises(FlagRefused):
        make_key(environment=EnvironmentFactory(), kind="browser", application="web", now=NOON, origins=origins)


def test_a_servers_key_has_no_origins() -> None:
    with pytest.raises(FlagRefused):
        make_key(environment=EnvironmentFactory(), kind="server", application="a", now=NOON, origins=["https://a"])


# -- pages -------------------------------------------------------------------------------------------------------------


def test_a_page_uses_a_browsers_key_from_its_origins(serving: Serving) -> None:
    secret = browser_key(serving, "https://shop.example.com")

    def from_origin(origin: str, key: str = secret) -> Reply:
        return serving.ask(ALL, authorization=f"Bearer {key}", origin=origin)

    allowed = from_origin("https://shop.example.com")
    assert allowed.status == 200
    assert allowed.headers["access-control-allow-origin"] == "https://shop.example.com"
    assert allowed.headers["access-control-expose-headers"] == "ETag, Retry-After"
    assert from_origin("https://evil.example").status == 403
    assert "browser's key" in json.loads(from_origin("https://shop.example.com", serving.secret).body)["errorDetails"]
    assert from_origin("https://anywhere.example", browser_key(serving)).status == 200


def test_a_preflight_may_send_what_clients_send(serving: Serving) -> None:
    reply = serving.ask(ALL, method="OPTIONS", authorization="", origin="https://shop.example.com")

    assert reply.status == 204
    allowed = reply.headers["access-control-allow-headers"].lower()
    assert all(name in allowed for name in ("authorization", "content-type", "if-none-match", "x-api-key"))


def test_the_public_learns_no_names_of_rules(serving: Serving) -> None:
    flag = registered(serving.environment.team, key="ruled")
    rule = {
        "name": "big customers",
        "conditions": [{"attribute": "a", "operator": "exists"}],
        "serve": {"variant": "on"},
    }
    served_by(flag, serving.environment, {**ON, "rules": [rule]})
    secret = browser_key(serving)

    private = serving.ask(f"{ALL}/ruled", {"context": {"a": 1}})
    public = serving.ask(f"{ALL}/ruled", {"context": {"a": 1}}, authorization=f"Bearer {secret}")

    assert json.loads(private.body)["metadata"] == {"rule": "big customers"}
    assert json.loads(public.body)["metadata"] == {}


# -- listings ----------------------------------------------------------------------------------------------------------


def test_a_listing_is_sent_again_only_when_something_changed(serving: Serving) -> None:
    flag = registered(serving.environment.team, key="half")
    served_by(flag, serving.environment, percent(50))
    serving.store.refresh()
    kim: dict[str, Any] = {"context": {"targetingKey": "kim", "plan": "pro"}}

    first = serving.ask(ALL, kim)
    tag = first.headers["etag"]
    same = serving.ask(ALL, {"context": {"plan": "pro", "targetingKey": "kim"}}, if_none_match=f'"x", W/{tag}')
    other = serving.ask(ALL, {"context": {"targetingKey": "kim", "plan": "free"}}, if_none_match=tag)
    kill_flag(flag=flag, environment=serving.environment, reason="errors", until=None, now=NOON, by=None)
    serving.store.refresh()
    later = serving.ask(ALL, kim, if_none_match=tag)

    assert [each["key"] for each in json.loads(first.body)["flags"]] == ["half", "new-cart"]
    assert (same.status, same.body, same.headers["etag"]) == (304, b"", tag)
    assert (other.status, later.status) == (200, 200)
    assert len({tag, other.headers["etag"], later.headers["etag"]}) == 3


def test_one_flag_without_an_answer_does_not_spoil_the_listing(serving: Serving) -> None:
    served_by(registered(serving.environment.team, key="half"), serving.environment, percent(50))
    serving.store.refresh()

    found = json.loads(serving.ask(ALL, {"context": {}}).body)["flags"]

    assert [(each["key"], each.get("errorCode"), each.get("value")) for each in found] == [
        ("half", "TARGETING_KEY_MISSING", None), ("new-cart", None, True),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("path", "method", "body", "status"),
    [
        (f"{ALL}/new-cart", "GET", b"", 405),
        (f"{ALL}/new-cart", "POST", b"{", 400),
        (ALL, "POST", b"[]", 400),
        (ALL, "POST", b'{"context": 7}', 400),
        (f"{ALL}/new-cart", "POST", b"", 200),
        (f"{ALL}/new-cart", "POST", [b'{"con', b'text": {}}'], 200),
        (f"{ALL}/new-cart", "POST", b" " * (MOST_BYTES + 1), 413),
        (f"{ALL}/", "POST", b"{}", 404),
        ("/ofrep/v1/configuration", "POST", b"{}", 404),
    ],
)
def test_other_requests_are_answered_in_the_protocols_form(
    serving: Serving, path: str, method: str, body: Any, status: int
) -> None:
    reply = serving.ask(path, body, method=method)

    assert reply.status == status
    assert reply.headers["content-type"] == "application/json"
    assert status == 200 or {"errorCode", "errorDetails"} <= json.loads(reply.body).keys()
    assert is_ofrep(path)


def test_a_bug_is_a_500_in_the_protocols_form(serving: Serving, caplog: pytest.LogCaptureFixture) -> None:
    served = serving.store.rulesets[serving.environment.pk].flags["new-cart"]
    object.__setattr__(served, "variants", {})

    reply = serving.ask(f"{ALL}/new-cart")

    assert (reply.status, json.loads(reply.body)["errorCode"]) == (500, "GENERAL")
    assert "could not be evaluated" in caplog.text


# -- a process that must learn -----------------------------------------------------------------------------------------


def test_only_what_changed_is_read_again(serving: Serving, django_assert_num_queries: Callable[..., Any]) -> None:
    with django_assert_num_queries(1):
        serving.store.refresh()
    EnvironmentFactory(team=serving.environment.team, name="staging", tier="staging")
    served_by(registered(serving.environment.team, key="other"), serving.environment, ON)

    with django_assert_num_queries(7):
        serving.store.refresh()
    assert serving.ask(f"{ALL}/other").status == 200


def test_a_flag_that_cannot_be_read_leaves_the_others_be(serving: Serving, caplog: pytest.LogCaptureFixture) -> None:
    served_by(registered(serving.environment.team, key="broken"), serving.environment, ON)
    FlagSettings.objects.filter(flag__key="broken").update(document={"default": {}})
    serving.store.refresh()

    assert (serving.ask(f"{ALL}/broken").status, serving.ask(f"{ALL}/new-cart").status) == (404, 200)
    assert "cannot be read" in caplog.text


def test_an_archived_flag_is_not_found_and_counted(serving: Serving) -> None:
    flag = serving.environment.team.registered_flags.get()
    archive_flag(flag=flag, reason="gone", now=NOON, by=None)
    serving.store.refresh()

    assert serving.ask(f"{ALL}/new-cart").status == 404
    assert serving.counted() == [("new-cart", "", "check", 1)]


def test_while_the_database_is_away_the_last_known_is_served(serving: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object, **__: object) -> None:
        raise OperationalError("gone")

    monkeypatch.setattr("deploys.actions.flag_serving.FlagEpoch.objects.filter", away)
    with pytest.raises(OperationalError):
        serving.store.refresh()

    assert json.loads(serving.ask(f"{ALL}/new-cart").body)["value"] is True


def test_an_unknown_key_is_not_called_wrong_while_the_database_is_away(serving: Serving) -> None:
    with clock.at(NOON + dt.timedelta(seconds=1)):
        reply = serving.ask(f"{ALL}/new-cart", authorization="Bearer upflag_newer")

    assert (reply.status, reply.headers["retry-after"]) == (503, "5")


def test_a_key_made_a_moment_ago_is_waited_for(serving: Serving) -> None:
    _, secret = make_key(environment=serving.environment, kind="server", application="shop", now=NOON)
    keys = dict(serving.store.keys)
    serving.store.refresh()
    known, serving.store.keys = serving.store.keys, keys

    class Later(FlagStore):
        async def heard_since(self, at: dt.datetime, *, seconds: float = 2.0) -> bool:
            self.keys = known
            return True

    store = Later(keys=keys, rulesets=serving.store.rulesets)
    reply = answer(
        Ofrep(store=store, tally=serving.tally),
        f"{ALL}/new-cart",
        body=b"{}",
        headers=[("authorization", f"Bearer {secret}")],
    )
    assert reply.status == 200


# -- counts ------------------------------------------------------------------------------------------------------------


def test_checks_and_listings_are_counted_apart(serving: Serving) -> None:
    for _ in range(3):
        serving.ask(f"{ALL}/new-cart")
    serving.ask(f"{ALL}/nobodys")
    serving.ask(ALL)
    serving.ask("/ofrep/v1/fallbacks/new-cart")

    expected = [
        ("new-cart", "new_with_fallback", "fallback", 1), ("new-cart", "on", "bulk", 1), ("new-cart", "on", "check", 3),
        ("nobodys", "", "check", 1),
    ]  # fmt: skip
    assert serving.counted() == expected
    assert serving.counted() == expected
    row = FlagCheck.objects.get(kind="bulk")
    assert (row.application, row.environment, row.hour, row.last_at) == ("shop", serving.environment, NOON, NOON)
    assert serving.ask("/ofrep/v1/fallbacks/nobodys").status == 404


def test_what_several_processes_count_adds_up() -> None:
    environment = EnvironmentFactory()
    tallies = [CheckTally(), CheckTally()]
    for minutes, tally in enumerate(tallies):
        for _ in range(5):
            tally.add(environment.pk, "a", "shop", "on", "check", NOON + dt.timedelta(minutes=minutes))
    for tally in tallies:
        tally.flush()
        tally.flush()

    row = FlagCheck.objects.get()
    assert (row.quantity, row.last_at) == (10, NOON + dt.timedelta(minutes=1))


def test_what_cannot_be_written_stays_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    environment = EnvironmentFactory()
    tally = CheckTally()
    tally.add(environment.pk, "a", "shop", "on", "check", NOON)

    def away(*_: object, **__: object) -> None:
        raise OperationalError("gone")

    with monkeypatch.context() as patched:
        patched.setattr("deploys.actions.flag_checks.record_checks", away)
        with pytest.raises(OperationalError):
            tally.flush()
    tally.add(environment.pk, "a", "shop", "on", "check", NOON)
    tally.flush()

    assert FlagCheck.objects.get().quantity == 2


def test_keys_that_are_nobodys_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    environment = EnvironmentFactory()
    tally = CheckTally()
    for number in range(MOST_UNKNOWN + 10):
        tally.add(environment.pk, f"k{number}", "web", "", "check", NOON)
    tally.add(environment.pk, "k0", "web", "", "check", NOON)
    monkeypatch.setattr("deploys.actions.flag_checks.MOST_COUNTS", 0)
    tally.add(environment.pk, "real", "web", "on", "check", NOON)
    tally.flush()

    assert FlagCheck.objects.count() == MOST_UNKNOWN + 1
    assert FlagCheck.objects.get(key=OTHERS).quantity == 11
    assert FlagCheck.objects.get(key="k0").quantity == 2


def test_old_hours_become_days_and_no_check_is_lost() -> None:
    environment = EnvironmentFactory()
    midnight = NOON.replace(hour=0)
    old = midnight - dt.timedelta(days=40)
    hours = [
        old,
        old + dt.timedelta(hours=3),
        old + dt.timedelta(hours=23),
        old + dt.timedelta(days=1, hours=5),
        midnight,
    ]
    record_checks({Counted(environment.pk, "a", "shop", "on", hour, "check"): (2, hour) for hour in hours})

    assert fold_old_hours(now=NOON) == 3
    assert fold_old_hours(now=NOON) == 0
    assert list(FlagCheck.objects.order_by("hour").values_list("hour", "quantity", "last_at")) == [
        (old, 6, old + dt.timedelta(hours=23)),
        (old + dt.timedelta(days=1), 2, old + dt.timedelta(days=1, hours=5)),
        (midnight, 2, midnight),
    ]


# -- where changes are announced ---------------------------------------------------------------------------------------


def stream_path(serving: Serving) -> tuple[str, str]:
    [stream] = json.loads(serving.ask(ALL).body)["eventStreams"]
    assert stream["type"] == "sse"
    path, _, query = stream["url"].partition("?")
    return path[path.index("/ofrep") :], query


def streamed(serving: Serving, query: str, *, origin: str = "") -> list[dict[str, Any]]:
    """What a stream sends while a flag of its environment changes once; the client goes after the first message."""
    sent: list[dict[str, Any]] = []

    async def play() -> None:
        heard = asyncio.Event()

        async def receive() -> dict[str, Any]:
            await heard.wait()
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            sent.append(dict(message))
            if message.get("body", b"").startswith(b"retry"):
                serving.store._wake(serving.environment.pk)
            elif message.get("body", b"").startswith(b"id"):
                heard.set()

        headers = [(b"origin", origin.encode())] if origin else []
        scope = {
            "type": "http",
            "method": "GET",
            "path": "/ofrep/v1/events",
            "query_string": query.encode(),
            "headers": headers,
        }
        await asyncio.wait_for(serving.application(scope, receive, send), 10)

    asyncio.run(play())
    return sent


def test_a_change_is_announced(serving: Serving) -> None:
    _, query = stream_path(serving)

    start, retry, message = streamed(serving, query)

    assert (start["status"], dict(start["headers"])[b"content-type"]) == (200, b"text/event-stream")
    assert retry["body"] == b"retry: 2000\n\n"
    data = message["body"].decode().split("data: ")[1]
    assert json.loads(data) == {"type": "refetchEvaluation", "etag": str(serving.store.epochs[serving.environment.pk])}


def test_a_stream_needs_an_address_of_ours_and_a_key_that_stands(serving: Serving) -> None:
    path, query = stream_path(serving)
    assert path == "/ofrep/v1/events"

    assert streamed(serving, "stream=forged")[0]["status"] == 401
    revoke_key(key=FlagKey.objects.get(), now=NOON)
    serving.store.refresh()
    assert streamed(serving, query)[0]["status"] == 401


def test_streams_are_bounded_and_of_their_origins(serving: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = browser_key(serving, "https://shop.example.com")
    [stream] = json.loads(serving.ask(ALL, authorization=f"Bearer {secret}").body)["eventStreams"]
    query = stream["url"].partition("?")[2]

    assert streamed(serving, query, origin="https://evil.example")[0]["status"] == 403
    monkeypatch.setattr("deploys.api.ofrep.MOST_STREAMS", 0)
    assert streamed(serving, query, origin="https://shop.example.com")[0]["status"] == 503


def test_a_key_that_asks_too_often_is_told_how_long_to_wait(serving: Serving) -> None:
    limited = Serving(
        serving.environment, serving.store, serving.tally,
        Ofrep(store=serving.store, tally=serving.tally, rate=1), serving.secret,
    )  # fmt: skip

    replies = [limited.ask(f"{ALL}/new-cart") for _ in range(3)]

    assert [reply.status for reply in replies] == [200, 200, 429]
    assert (replies[2].headers["retry-after"], json.loads(replies[2].body)["errorCode"]) == ("1", "GENERAL")
    assert limited.counted() == [("new-cart", "on", "check", 2)]


def test_counts_are_exact_in_whatever_order_the_times_come(serving: Serving) -> None:
    minutes = (0, 59, 30, 60, 59, 61, 0, 130, 60, 200, 61)
    for each in minutes:
        serving.tally.add(serving.environment.pk, "a", "shop", "on", "check", NOON + each * MINUTE)
    serving.tally.flush()

    expected = []
    for hour in sorted({each // 60 for each in minutes}):
        inside = [each for each in minutes if each // 60 == hour]
        expected.append((NOON + 60 * hour * MINUTE, len(inside), NOON + max(inside) * MINUTE))
    rows = FlagCheck.objects.filter(key="a").order_by("hour")
    assert list(rows.values_list("hour", "quantity", "last_at")) == expected
