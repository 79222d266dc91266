"""From counters, scans and deploys to what is said of a flag, and to its end."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from deploys.actions.deliveries import delivery_line, log_delivery
from deploys.actions.deploys import Incoming
from deploys.actions.flag_checks import Counted, record_checks
from deploys.actions.flag_cleanup import (
    Case,
    archive_proven,
    cleanup_of,
    close_task,
    keep_flag,
    rehearse,
    reopen_task,
    support_clients,
)
from deploys.actions.flag_keys import make_key
from deploys.actions.flag_registry import FlagRefused, archive_flag, describe_flag
from deploys.actions.flag_scans import record_scan
from deploys.actions.flag_tickets import take_ticket
from deploys.actions.flags import record_flag
from deploys.actions.posts import Post, post_deploy
from deploys.domain.changes import DeployReport, FlagReport
from deploys.domain.commits import CommitReport
from deploys.domain.flag_cleanup import Rule, State
from deploys.domain.flag_code import Place, PlaceKind, Removal, ScanReport
from deploys.domain.flag_rules import FlagKind
from deploys.domain.tickets import TicketReport
from deploys.models import Environment, RegisteredFlag, Team
from tests.conftest import NOON
from tests.factories.catalog import EnvironmentFactory, MembershipFactory, ServiceFactory, TeamFactory, UserFactory
from tests.factories.flags import ON, percent, registered, served_by
from tests.factories.webhooks import source_of

pytestmark = [pytest.mark.django_db, pytest.mark.database]

DAY = dt.timedelta(days=1)
HERE = Place("new-cart", "shop/a.py", 3, PlaceKind.CALL)


@pytest.fixture
def team() -> Team:
    return TeamFactory(slug="acme")


@pytest.fixture
def production(team: Team) -> Environment:
    return EnvironmentFactory(team=team)


def checked(
    environment: Environment, key: str, *ats: dt.datetime, variant: str = "on", kind: str = "check", n: int = 1
) -> None:
    for at in ats:
        hour = at.replace(minute=0, second=0, microsecond=0)
        record_checks({Counted(environment.pk, key, "shop", variant, hour, kind): (n, at)})


def alive(environment: Environment, since: dt.datetime, until: dt.datetime) -> None:
    """Some flag is asked for twice a day."""
    steps = int((until - since) / (DAY / 2))
    checked(environment, "another", *(since + step * DAY / 2 for step in range(steps + 1)))


def scan(team: Team, at: dt.datetime, commit: str, *places: Place, removed: str = "") -> None:
    removals = [Removal("new-cart", removed, at - DAY / 24)] if removed else []
    report = ScanReport("acme/shop", commit, at, list(places), removed=removals, services=("shop",))
    record_scan(team=team, report=report, received_at=at)


def deploy(team: Team, release: str, at: dt.datetime, **more: Any) -> None:
    commits = [CommitReport(sha) for sha in more.pop("commits", ())]
    report = DeployReport(
        id=release, service="shop", status="success", started_at=at, finished_at=at, release=release, **more
    )
    said = Incoming(
        report=report, source="api", received_at=at, delivery_id=None, can_create=True, commits=commits, head_sha=""
    )
    post_deploy(Post(team, said, delivery_line(team=team, kind="api", received_at=at, verdict="")))


def case_of(team: Team, now: dt.datetime, key: str = "new-cart") -> Case:
    return next(case for case in cleanup_of(team, now=now).cases if case.dossier.key == key)


def test_counters_are_the_evidence_of_use(team: Team, production: Environment) -> None:
    flag = registered(team)
    served_by(flag, production, percent(50))
    now = NOON + 20 * DAY
    alive(production, NOON, now)
    checked(production, "new-cart", NOON + DAY, now - 15 * DAY)

    usage = case_of(team, now).dossier.standings[0].usage

    assert (usage.telemetry_at, usage.watched_since, usage.checked_at) == (now, NOON, now - 15 * DAY)
    assert usage.was_checked(now, 14 * DAY) is False
    stale = case_of(team, now).stale
    assert stale is not None
    assert [str(reason) for reason in stale.reasons] == ["unevaluated"]


def test_silence_is_not_the_absence_of_checks(team: Team, production: Environment) -> None:
    served_by(registered(team), production, percent(50))
    alive(production, NOON, NOON + 20 * DAY)
    checked(production, "new-cart", NOON + DAY)
    now = NOON + 22 * DAY

    case = case_of(team, now)

    assert (case.judged.state, case.judged.rules) == (State.NEEDS_EVIDENCE, (Rule.ORPHAN,))
    assert case.judged.questions[0].missing == "production: no telemetry since 24 March 2026"
    assert case.stale is None


def test_a_gap_of_a_day_begins_the_watch_anew(team: Team, production: Environment) -> None:
    served_by(registered(team), production, percent(50))
    alive(production, NOON, NOON + 5 * DAY)
    alive(production, NOON + 7 * DAY, NOON + 20 * DAY)

    assert case_of(team, NOON + 20 * DAY).dossier.standings[0].usage.watched_since == NOON + 7 * DAY


def test_listings_hide_checks_and_are_none(team: Team, production: Environment) -> None:
    served_by(registered(team), production, percent(50))
    now = NOON + 20 * DAY
    alive(production, NOON, now)
    checked(production, "new-cart", now, kind="bulk")

    case = case_of(team, now)

    assert [each.missing for each in case.judged.questions] == ["production: only listed, never asked for by itself"]
    assert case.stale is None


def test_one_answer_a_thousand_times_is_a_roll_out(team: Team, production: Environment) -> None:
    flag = registered(team, owner="ann")
    everybody = {"variant": "on"}
    rules = {
        "on": True,
        "rules": [{"name": "all", "conditions": [{"attribute": "a", "operator": "exists"}], "serve": everybody}],
        "default": {"variant": "off"},
    }
    served_by(flag, production, rules)
    now = NOON + 16 * DAY
    checked(production, "new-cart", NOON, variant="off")
    checked(production, "new-cart", *(NOON + dt.timedelta(hours=1) + day * DAY for day in range(16)), now, n=100)

    assert case_of(team, now).judged.rules == (Rule.ROLLED_OUT,)
    assert case_of(team, now).dossier.standings[0].usage.only_count == 1500  # fifteen times in the last 14 days


def test_an_archived_flag_and_an_unknown_key_that_are_asked_for_are_zombies(
    team: Team, production: Environment
) -> None:
    flag = registered(team)
    archive_flag(flag=flag, reason="", now=NOON, by=None)
    checked(production, "new-cart", NOON + 2 * DAY)
    checked(production, "no-such", NOON + 2 * DAY, variant="")
    checked(production, "(others)", NOON + 2 * DAY, variant="")

    cases = cleanup_of(team, now=NOON + 2 * DAY + dt.timedelta(hours=1)).cases

    assert {case.dossier.key: case.judged.state for case in cases} == {"new-cart": "zombie", "no-such": "zombie"}
    assert {case.is_listed for case in cases} == {True}


def test_flags_of_other_systems_are_judged_too(team: Team) -> None:
    report = FlagReport(key="theirs", id="1", at=NOON, new_percent=100, environment="production", owner="ann")
    record_flag(team=team, report=report, source="api", received_at=NOON)

    case = case_of(team, NOON + 15 * DAY, "theirs")

    assert (case.flag, case.judged.rules) == (None, (Rule.ROLLED_OUT,))
    assert case.stale is not None


@pytest.mark.parametrize(
    ("owner", "told"), [("", None), ("ann@example.org", True), ("gone@example.org", False), ("the till people", None)]
)
def test_owners_are_looked_up_among_people(team: Team, production: Environment, owner: str, told: bool | None) -> None:
    MembershipFactory(team=team, user=UserFactory(email="ann@example.org"))
    UserFactory(email="gone@example.org")
    registered(team, owner=owner)

    assert case_of(team, NOON).dossier.is_owner_active is told


def test_a_flag_is_proven_gone_by_scan_deploy_and_seven_quiet_days_and_then_archived(
    team: Team, production: Environment, django_assert_max_num_queries: Callable[..., Any]
) -> None:
    ServiceFactory(team=team, name="shop")
    flag = registered(team, owner="ann")
    served_by(flag, production, ON)
    scan(team, NOON, "c1", HERE)
    deploy(team, "v1", NOON, commits=["c1"])
    alive(production, NOON, NOON + 40 * DAY)
    checked(production, "new-cart", *(NOON + day * DAY for day in range(20)))
    removed_at = NOON + 20 * DAY

    def steps(now: dt.datetime) -> list[bool | None]:
        return [step.is_met for step in case_of(team, now).proof.steps]

    assert steps(NOON + DAY)[0] is False

    scan(team, removed_at, "c3", removed="c2")
    assert steps(removed_at) == [True, False, None, True]
    assert case_of(team, removed_at).judged.state is State.CODE_REMOVED

    deploy(team, "v2", removed_at + DAY, commits=["c2", "c3"])
    assert steps(removed_at + DAY) == [True, True, False, True]
    assert case_of(team, removed_at + DAY).judged.state is State.DRAINING
    assert archive_proven(now=removed_at + 2 * DAY) == 0

    scan(team, removed_at + 6 * DAY, "c4")
    done_at = removed_at + 8 * DAY
    with django_assert_max_num_queries(80):
        assert [archive_proven(now=done_at), archive_proven(now=done_at)] == [1, 0]
    flag.refresh_from_db()
    assert flag.archived_at == done_at
    revision = flag.revisions.get(act="archived")
    assert "live in shop in production" in revision.reason
    assert len(revision.after["proof"]) == 4
    assert case_of(team, done_at).is_listed is False


def test_an_older_version_or_one_that_says_nothing_proves_nothing(team: Team, production: Environment) -> None:
    ServiceFactory(team=team, name="shop")
    registered(team)
    scan(team, NOON, "c1", HERE)
    deploy(team, "v1", NOON, commits=["c1"])
    scan(team, NOON + DAY, "c3", removed="c2")
    before = case_of(team, NOON + DAY).proof.steps[1]

    deploy(team, "v2", NOON + 2 * DAY)
    after = case_of(team, NOON + 2 * DAY).proof.steps[1]

    assert (before.is_met, before.words) == (False, "not yet: shop in production")
    assert (after.is_met, after.words) == (None, "unknown what is in the deploys of shop in production")


def test_apps_on_devices_hold_a_flag_until_somebody_says_how_long(team: Team, production: Environment) -> None:
    flag = registered(team)
    make_key(environment=production, kind="browser", application="ios", now=NOON)
    checked(production, "new-cart", NOON, kind="bulk")
    by = UserFactory()
    before = case_of(team, NOON).proof.steps[3]

    support_clients(flag=flag, until=NOON + 90 * DAY, now=NOON, by=by)

    after = case_of(team, NOON).proof.steps[3]
    assert (before.is_met, after.is_met, after.words) == (None, False, "deprecated until 2 June 2026")


def test_the_to_do_comes_with_the_flag_is_closed_and_opened_again(team: Team, production: Environment) -> None:
    flag, by = registered(team), UserFactory()
    checked(production, "new-cart", NOON)
    told = []
    for act in (close_task, close_task, reopen_task, reopen_task):
        act(flag=flag, now=NOON, by=by)
        told.append(Rule.TICKET_LIES in case_of(team, NOON).judged.rules)

    assert told == [True, True, False, False]
    assert list(flag.revisions.order_by("pk").values_list("act", flat=True)) == ["created", "done", "reopened"]


def test_keeping_needs_a_reason_and_an_end_and_is_counted(team: Team, production: Environment) -> None:
    flag, by = registered(team, owner="ann"), UserFactory()
    served_by(flag, production, ON)
    now = NOON + 15 * DAY

    for until, reason in ((now + 31 * DAY, "why"), (now, "why"), (now + DAY, " ")):
        with pytest.raises(FlagRefused):
            keep_flag(flag=flag, until=until, reason=reason, now=now, by=by)
    keep_flag(flag=flag, until=now + 5 * DAY, reason="the campaign runs", now=now, by=by)
    keep_flag(flag=flag, until=now + 9 * DAY, reason="still", now=now, by=by)

    case = case_of(team, now)
    assert case.task is not None
    assert (case.judged.state, case.task.kept_count) == (State.KEPT, 2)
    assert case_of(team, now + 10 * DAY).judged.state is State.CLEANUP_DUE


def test_a_kill_switch_is_rehearsed_and_only_that(team: Team, production: Environment) -> None:
    switch, other, by = registered(team, kind=FlagKind.KILL_SWITCH), registered(team, "other"), UserFactory()
    now = NOON + 100 * DAY
    before = case_of(team, now).judged.rules

    rehearse(flag=switch, reason="in staging: the old way took over", now=now, by=by)

    assert Rule.UNTESTED in before
    assert Rule.UNTESTED not in case_of(team, now).judged.rules
    for flag, reason in ((other, "x"), (switch, " ")):
        with pytest.raises(FlagRefused):
            rehearse(flag=flag, reason=reason, now=now, by=by)


def test_teams_do_not_see_each_other(team: Team, production: Environment) -> None:
    registered(team)
    scan(team, NOON, "c1", HERE)
    other = TeamFactory()

    assert cleanup_of(other, now=NOON).cases == []
    assert RegisteredFlag.objects.count() == 1


@pytest.mark.parametrize("count", [1, 4])
def test_judging_costs_the_same_however_many(
    team: Team, production: Environment, django_assert_num_queries: Callable[..., Any], count: int
) -> None:
    for each in range(count):
        flag = registered(team, f"flag-{each}")
        served_by(flag, production, percent(10))
        checked(production, flag.key, NOON)
    scan(team, NOON, "c1", *(Place(f"flag-{each}", "a.py", each + 1, PlaceKind.CALL) for each in range(count)))

    with django_assert_num_queries(30):
        cleanup_of(team, now=NOON)


def test_a_ticket_that_its_tracker_closed_lies_while_code_asks(team: Team, production: Environment) -> None:
    url = "https://github.com/acme/shop/issues/7"
    flag = registered(team, ticket_url=url, owner="")
    served_by(flag, production, ON)
    scan(team, NOON, "c1", HERE)
    source, _ = source_of("github", team, name="our GitHub")
    told = TicketReport(url, is_closed=True, at=NOON)

    def ticket_rules(at: dt.datetime) -> tuple[list[Rule], list[Rule]]:
        judged = case_of(team, at).judged
        return [each for each in judged.rules if each is Rule.TICKET_LIES], [each.rule for each in judged.questions if each.rule is Rule.TICKET_LIES]  # fmt: skip

    assert ticket_rules(NOON) == ([], [])
    assert take_ticket(source=source, report=told, received_at=NOON) is True
    assert ticket_rules(NOON + 3 * DAY) == ([Rule.TICKET_LIES], [])
    ticket = case_of(team, NOON + 3 * DAY).dossier.ticket
    assert ticket is not None
    assert (ticket.since, ticket.told_by, ticket.observed_at) == (NOON, "our GitHub", NOON)
    assert ticket_rules(NOON + 8 * DAY) == ([], [Rule.TICKET_LIES])
    log_delivery(team=team, kind="github", event="push", received_at=NOON + 6 * DAY, verdict="created", source=source)
    scan(team, NOON + 7 * DAY, "c1", HERE)
    assert ticket_rules(NOON + 8 * DAY) == ([Rule.TICKET_LIES], [])

    describe_flag(flag=flag, details={"ticket_url": f"{url}7"}, now=NOON, by=None)
    assert ticket_rules(NOON + 8 * DAY) == ([], [])


def test_what_somebody_closed_here_is_closed_whatever_a_tracker_says(team: Team, production: Environment) -> None:
    flag = registered(team, ticket_url="https://github.com/acme/shop/issues/7")
    source, _ = source_of("github", team)
    take_ticket(source=source, report=TicketReport(flag.ticket_url, is_closed=False, at=NOON), received_at=NOON)
    close_task(flag=flag, now=NOON, by=None)

    ticket = case_of(team, NOON).dossier.ticket
    assert ticket is not None
    assert (ticket.is_own, ticket.is_closed) == (True, True)
