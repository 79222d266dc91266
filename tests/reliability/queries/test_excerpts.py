"""What is read of a long log gives the same numbers as all of it."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deploys.actions.facts import NewFact, record_facts
from deploys.actions.listing import refresh_services
from deploys.domain.instants import instant_text
from deploys.domain.records import Fact
from deploys.models import FactOrigin, Team
from reliability.actions.spans import settle_spans
from reliability.domain.intervals import Interval
from reliability.queries.knowledge import knowledge_as_of
from reliability.queries.reports import report_as_of
from tests.factories.catalog import TeamFactory
from tests.reliability.domain.random_histories import MINUTES, SERVICES, START, histories, moments
from tests.reliability.long_logs import long_logs

pytestmark = [pytest.mark.database, pytest.mark.django_db]

WEEK = timedelta(days=7)
LATER = START + 6 * WEEK
few = settings(
    max_examples=6,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture],
)


@st.composite
def told_in_parts(draw: st.DrawFn) -> list[Fact]:
    """Histories in which some incidents and deploys are told of twice, and the second word says more, or takes back."""
    facts: list[Fact] = []
    for fact in draw(histories()):
        later = {"restored_at", "causes", "remedies", "finished_at", "status", "percent"} & fact.payload.keys()
        if fact.kind not in {"incident", "deploy"} or not later or not draw(st.booleans()):
            facts.append(fact)
            continue
        held = draw(st.sets(st.sampled_from(sorted(later))))
        if "status" in held or "finished_at" in held:
            held |= later & {"status", "finished_at"}
        first = {key: value for key, value in fact.payload.items() if key not in held}
        first_at = draw(moments)
        second: dict[str, Any] = {"id": fact.payload["id"], **{key: fact.payload[key] for key in held}}
        if fact.kind == "incident" and draw(st.booleans()):
            second["dismissed"] = draw(st.booleans())
        facts.append(Fact(fact.kind, fact.identity, first, first_at))
        facts.append(Fact(fact.kind, fact.identity, second, first_at + timedelta(minutes=draw(st.integers(0, 9000)))))
    for index in range(draw(st.integers(0, 3))):
        at = draw(moments)
        line = {
            "id": f"f{index}",
            "key": "beta",
            "at": instant_text(at),
            "new_percent": draw(st.sampled_from([0, 50, 100])),
        }
        facts.append(Fact("flag", "", line, draw(st.none() | moments)))
    return facts


def recorded(facts: list[Fact]) -> Team:
    team: Team = TeamFactory.create(zone="UTC")
    ordered = sorted(facts, key=lambda fact: (fact.received_at is not None, fact.received_at or START))
    record_facts(
        team=team,
        facts=[NewFact(fact.kind, fact.payload, fact.received_at, origin=FactOrigin.IMPORT) for fact in ordered],
    )
    return team


def busy_weeks(drawn: random.Random) -> list[Fact]:
    """Two services that often go back to versions of days before, with incidents named in time or late."""
    facts: list[Fact] = []
    names = [f"d{index}" for index in range(drawn.randrange(8, 24))]
    for name in names:
        at = START + timedelta(minutes=drawn.randrange(MINUTES))
        end = at + timedelta(minutes=drawn.randrange(60))
        payload: dict[str, Any] = {"id": name, "service": drawn.choice(SERVICES), "started_at": instant_text(at)}
        payload |= {"finished_at": instant_text(end), "status": drawn.choice(["success"] * 6 + ["failure"])}
        payload["release"] = str(drawn.randrange(7))
        if drawn.random() < 0.15:
            payload |= {"artifact": f"sha256:{drawn.randrange(5)}"}
        if drawn.random() < 0.15:
            payload["kind"] = drawn.choice(["forward", "rollback", "redeploy", "hotfix"])
        facts.append(Fact("deploy", name, payload, end))
        commits = {
            "sha": f"c{name}",
            "committed_at": instant_text(at - timedelta(hours=2)),
            "deploys": drawn.sample(names, 2),
        }
        facts.append(Fact("change", "", commits, end))
    for index in range(drawn.randrange(6)):
        at = START + timedelta(minutes=drawn.randrange(MINUTES))
        end = at + timedelta(minutes=drawn.randrange(1, 3000))
        links = [{"kind": "deploy", "id": each} for each in drawn.sample(names, drawn.randrange(3))]
        payload = {
            "id": f"i{index}",
            "services": ["shop"],
            "class": drawn.choice(["downtime", "multi_user", "impactless"]),
        }
        payload |= {"started_at": instant_text(at), "causes": links}
        facts.append(Fact("incident", "", payload, at))
        later: dict[str, Any] = {"id": f"i{index}", "restored_at": instant_text(end)}
        if drawn.random() < 0.4:
            later["remedies"] = [{"kind": "deploy", "id": drawn.choice(names)}]
        if drawn.random() < 0.8:
            facts.append(Fact("incident", "", later, end + timedelta(days=drawn.randrange(9))))
    return facts


@few
@given(st.data(), st.randoms(use_true_random=False))
def test_an_old_window_sees_what_went_back_behind_it_and_was_blamed_later(
    data: st.DataObject, drawn: random.Random
) -> None:
    team = recorded(busy_weeks(drawn))
    refresh_services(team.services.values_list("pk", flat=True), now=LATER)
    settle_spans(team=team)

    for _ in range(4):
        start = data.draw(moments, "start")
        window = Interval(start, start + timedelta(minutes=data.draw(st.integers(1, 9000), "minutes")))
        whole = report_as_of(team=team, window=window, as_of=LATER)
        with long_logs(short=timedelta(0)):
            assert report_as_of(team=team, window=window, as_of=LATER) == whole


@few
@given(st.data())
def test_any_window_of_any_history_is_the_same(data: st.DataObject) -> None:
    team = recorded(data.draw(told_in_parts()))
    if data.draw(st.booleans(), "listed"):
        refresh_services(team.services.values_list("pk", flat=True), now=LATER)
    settled = data.draw(st.sampled_from([0, 7, None]), "settled")
    settle_spans(team=team, most=settled, batch=5)

    for _ in range(3):
        start = data.draw(moments, "start")
        window = Interval(start, start + timedelta(minutes=data.draw(st.integers(1, 9000), "minutes")))
        as_of = data.draw(moments | st.just(LATER), "as of")
        received_by = data.draw(st.none() | moments, "received by")
        if received_by is not None:
            as_of, received_by = LATER, max(received_by, window.end)
        short = data.draw(st.sampled_from([timedelta(0), timedelta(days=35)]), "short")

        def printed(
            window: Interval = window, as_of: datetime = as_of, received_by: datetime | None = received_by
        ) -> dict[str, Any]:  # Any: a JSON tree
            return report_as_of(team=team, window=window, as_of=as_of, received_by=received_by)

        whole = printed()
        with long_logs(short=short):
            assert printed() == whole


WINDOW = Interval(START + WEEK, START + 2 * WEEK)


def days(count: float) -> datetime:
    return START + timedelta(days=count)


def deployed(name: str, release: str, at: float) -> Fact:
    moment = instant_text(days(at))
    payload = {"id": name, "service": "shop", "release": release, "status": "success", "started_at": moment}
    return Fact("deploy", "", payload | {"finished_at": moment}, days(at))


def broke(name: str, at: float, to: float, **more: object) -> Fact:
    payload = {"id": name, "services": ["shop"], "class": "downtime", "started_at": instant_text(days(at))}
    return Fact("incident", "", payload | {"restored_at": instant_text(days(to))} | more, days(to))


BLAMED = [{"kind": "deploy", "id": "a"}]
FIRST = [deployed("a", "1", 1), deployed("b", "2", 2)]
CASES: list[tuple[list[Fact], str, str, object]] = [
    ([*FIRST, deployed("c", "1", 9)], "deploys", "rollback_count", 1),
    ([*FIRST, deployed("c", "1", 9)], "failed_deployment_recovery", "completed_count", 1),
    ([*FIRST, deployed("c", "2", 9)], "deploys", "redeploy_count", 1),
    ([deployed("a", "1", 1), deployed("b", "2", 9), deployed("c", "3", 10), deployed("d", "1", 20)], "change_failure", "failed_deploy_ids", ["b"]),
    ([deployed("a", "1", 1), deployed("b", "2", 9), deployed("c", "3", 10), deployed("d", "1", 20)], "change_failure", "suspected_deploy_ids", ["c"]),
    ([*FIRST, deployed("d", "1", 20)], "failed_deployment_recovery", "open_count", 1),
    ([deployed("a", "1", 1), broke("i", 2, 3, causes=BLAMED), broke("j", 20, 21, causes=BLAMED)], "failed_deployment_recovery", "open_count", 1),
    ([deployed("a", "1", 9), broke("i", 30, 31, causes=BLAMED)], "change_failure", "failed_count", 1),
    ([deployed("a", "1", 20), broke("i", 8, 9, causes=BLAMED)], "downtime_by_cause", "unknown_seconds", 86_400),
    ([deployed("a", "1", 9), broke("i", 20, 21, remedies=BLAMED)], "deploys", "hotfix_count", 1),
    (FIRST, "deploys", "took_traffic_count", 0),
]  # fmt: skip


@pytest.mark.parametrize("short", [timedelta(0), timedelta(days=35)])
@pytest.mark.parametrize(("facts", "part", "name", "number"), CASES)
def test_what_lies_outside_a_window_counts_in_it(
    facts: list[Fact], part: str, name: str, number: object, short: timedelta
) -> None:
    team = recorded(facts)
    refresh_services(team.services.values_list("pk", flat=True), now=LATER)
    settle_spans(team=team)
    whole = report_as_of(team=team, window=WINDOW, as_of=LATER)

    with long_logs(short=short):
        found = report_as_of(team=team, window=WINDOW, as_of=LATER)

    assert whole["services"]["shop"][part][name] == number
    assert found == whole


def test_outside_the_window_only_incidents_that_may_cost_a_budget_are_read() -> None:
    minor = broke("minor", 1, 2, **{"class": "multi_user"})
    facts = [
        minor,
        broke("partly", 5, 6, **{"class": "multi_user"}, degradation=0.5),
        broke("down", 1, 2),
        broke("now", 8, 9),
    ]
    budget = Fact("objective", "", {"id": "o", "target": 0.5, "window_days": 28}, days(0))
    shop = Fact("service", "", {"service": "shop"}, days(0))
    team = recorded([*facts, budget, shop, broke("later", 30, 31)])

    for is_settled in (False, True):
        if is_settled:
            settle_spans(team=team)
        with long_logs():
            known = knowledge_as_of(team=team, as_of=LATER, span=WINDOW)
            found = report_as_of(team=team, window=WINDOW, as_of=LATER)

        assert sorted(each.id for each in known.history.incidents) == ["down", "now", "partly"]
        assert found["objectives"]["o"]["spent_seconds"] == 2.5 * 86_400
        assert found == report_as_of(team=team, window=WINDOW, as_of=LATER)


def test_a_service_that_only_incidents_name_is_there_although_the_first_was_told_of_late() -> None:
    early, late = broke("early", 3, 4), broke("late", 1, 2)
    team = recorded([early, Fact("incident", "", late.payload, days(25))])
    settle_spans(team=team)

    for received_by in (days(20), LATER):
        with long_logs():
            found = report_as_of(team=team, window=WINDOW, as_of=LATER, received_by=received_by)

        assert found["services"].keys() == {"shop"}
        assert found == report_as_of(team=team, window=WINDOW, as_of=LATER, received_by=received_by)


def test_what_was_open_at_the_instant_asked_for_is_open_although_it_is_over_now() -> None:
    opened = broke("i", 2, 3)
    held = {key: value for key, value in opened.payload.items() if key != "restored_at"}
    team = recorded(
        [
            Fact("incident", "", held, days(2)),
            Fact("incident", "", {"id": "i", "restored_at": instant_text(days(3))}, days(25)),
        ]
    )
    settle_spans(team=team)

    with long_logs():
        then, now = (report_as_of(team=team, window=WINDOW, as_of=as_of) for as_of in (days(20), LATER))

    assert [each["total"]["availability"]["downtime_seconds"] for each in (then, now)] == [7 * 86_400, 0]
