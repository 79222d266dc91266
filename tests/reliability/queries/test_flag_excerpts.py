"""Of a long log, the lines of flags that a window needs give the same numbers as all of them."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from deploys.actions.facts import NewFact, record_facts
from deploys.domain.instants import instant_text
from deploys.models import Environment, FactOrigin, FlagCheck, Team
from reliability.actions.spans import settle_spans
from reliability.domain.intervals import Interval
from reliability.queries.flag_excerpts import lines_of_flags
from reliability.queries.knowledge import knowledge_as_of
from reliability.queries.reports import report_as_of
from tests.factories.catalog import TeamFactory
from tests.factories.flags import registered
from tests.reliability.domain.random_histories import MINUTES, START
from tests.reliability.long_logs import long_logs

pytestmark = [pytest.mark.database, pytest.mark.django_db]

DAY = timedelta(days=1)
WINDOW = Interval(START + 40 * DAY, START + 47 * DAY)
LATER = START + 60 * DAY
SOURCES = ("history", "api", "relay")


def recorded(facts: list[NewFact]) -> Team:
    team: Team = TeamFactory.create(zone="UTC")
    record_facts(team=team, facts=facts)
    settle_spans(team=team)
    return team


def told(kind: str, received_at: datetime, source: str = "history", **payload: Any) -> NewFact:  # Any: JSON
    return NewFact(kind, payload, received_at, source=source, origin=FactOrigin.IMPORT)


def line(name: str, key: str, at: datetime, percent: float) -> NewFact:
    return told("flag", at, id=name, key=key, at=instant_text(at), new_percent=percent)


def drawn_facts(drawn: random.Random) -> Iterator[NewFact]:
    """Flags that come and go in several environments, lines that several senders call the same, and incidents that name them."""

    def moment() -> datetime:
        return START + timedelta(minutes=drawn.randrange(3 * MINUTES))

    keys = [f"k{index}" for index in range(6)]
    names = [f"f{index}" for index in range(14)]
    for key in keys[:5]:
        for place in drawn.sample(["production", "Production", "staging"], drawn.randrange(3)):
            more = {"owner": "kim"} if drawn.random() < 0.5 else {}
            more |= {"created_at": instant_text(moment())} if drawn.random() < 0.5 else {}
            yield told("flag", moment(), key=key, environment=place, **more)
            if drawn.random() < 0.7:
                yield told("flag", moment(), key=key, environment=place, archived_at=instant_text(moment()))
    for name in names:
        said: dict[str, Any] = {"new_percent": drawn.choice([0, 50, 100]), "services": ["shop"]}
        said |= {"environment": "staging"} if drawn.random() < 0.1 else {}
        for source in drawn.sample(SOURCES, drawn.choice([1, 1, 1, 2])):
            at = moment()
            yield told("flag", at, source, id=name, key=drawn.choice(keys), at=instant_text(at), **said)
            if drawn.random() < 0.2:
                yield told("flag", moment(), source, id=name, key=drawn.choice(keys))
    for index in range(5):
        at = moment()
        links = [{"kind": "flag", "id": each} for each in drawn.sample(names, 2)]
        times = {"started_at": instant_text(at), "restored_at": instant_text(at + timedelta(hours=3))}
        kind = drawn.choice(["downtime", "multi_user", "impactless"])
        yield told("incident", at, id=f"i{index}", services=["shop"], causes=links, **{"class": kind}, **times)
        if drawn.random() < 0.5:
            yield told("incident", moment(), id=f"i{index}", remedies=[{"kind": "flag", "id": drawn.choice(names)}])


@pytest.mark.parametrize("seed", range(5))
def test_any_window_of_any_flags_is_the_same(seed: int) -> None:
    drawn = random.Random(seed)
    facts = list(drawn_facts(drawn))
    team = recorded(sorted(facts, key=lambda fact: fact.received_at or START))

    for _ in range(6):
        start = START + timedelta(minutes=drawn.randrange(3 * MINUTES))
        window = Interval(start, start + timedelta(days=drawn.randrange(1, 15)))
        late = {} if drawn.random() < 0.5 else {"received_by": window.end + drawn.randrange(30) * DAY}
        as_of = max(window.end, drawn.choice([window.end, LATER + 30 * DAY]))

        whole = report_as_of(team=team, window=window, as_of=as_of, **late)
        with long_logs():
            assert report_as_of(team=team, window=window, as_of=as_of, **late) == whole


def test_lines_of_flags_archived_before_are_not_read() -> None:
    old = [line(f"f{day}", "old", START + day * DAY, day % 2 * 100) for day in range(9)]
    gone = told("flag", START + 10 * DAY, key="old", archived_at=instant_text(START + 10 * DAY))
    live = [line("a", "live", START, 100), line("b", "live", START + 41 * DAY, 0)]
    team = recorded([*old, gone, *live])

    with long_logs():
        known = knowledge_as_of(team=team, as_of=LATER, span=WINDOW)

    assert [(flag.key, len(flag.lines)) for flag in known.history.flags] == [("live", 2), ("old", 0)]
    assert [change.id for change in known.history.flag_changes] == ["a", "b"]
    assert report_as_of(team=team, window=WINDOW, as_of=LATER)["total"]["change_fault"]["flag_changes_count"] == 1


def test_a_flag_archived_before_that_changed_in_the_window_is_read_whole() -> None:
    gone = told("flag", START, key="old", archived_at=instant_text(START + DAY))
    team = recorded([line("a", "old", START, 100), line("b", "old", START + 41 * DAY, 100), gone])

    found = lines_of_flags(team, gone={"old"}, wanted=(), window=WINDOW)

    assert sorted(each.name for each in found) == ["a", "b"]
    assert lines_of_flags(team, gone={"old"}, wanted=(), window=Interval(LATER, LATER + DAY)) == []
    with long_logs():
        report = report_as_of(team=team, window=WINDOW, as_of=LATER)
    assert report["total"]["change_fault"]["flag_changes_count"] == 0


def test_a_cause_is_held_against_the_start_of_a_flag_archived_long_ago() -> None:
    at = START + 41 * DAY
    links = [{"kind": "flag", "id": "late"}]
    times = {"started_at": instant_text(at), "restored_at": instant_text(at + DAY)}
    team = recorded(
        [
            line("late", "old", at + DAY * 10, 100),
            told("flag", START, key="old", archived_at=instant_text(START)),
            told("incident", at, id="i", services=["shop"], causes=links, **{"class": "downtime"}, **times),
        ]
    )

    with long_logs():
        found = report_as_of(team=team, window=WINDOW, as_of=LATER)

    assert found["total"]["downtime_by_cause"]["own_change_seconds"] == 0
    assert found == report_as_of(team=team, window=WINDOW, as_of=LATER)


def test_flags_served_from_here_are_judged_by_their_counters() -> None:
    team = recorded([line("a", "beta", START, 50)])
    registered(team, "beta", now=START)
    settle_spans(team=team)
    asked = {
        "environment": Environment.objects.get(team=team, name="production"),
        "application": "app",
        "kind": "check",
    }
    FlagCheck.objects.bulk_create(
        FlagCheck(key=key, variant="on", hour=at, quantity=1, last_at=at, **asked)
        for key, days in (("beta", 1), ("other", 60))
        for at in (START + day * DAY for day in range(days))
    )

    whole = report_as_of(team=team, window=WINDOW, as_of=LATER)["flags"]
    with long_logs():
        found = report_as_of(team=team, window=WINDOW, as_of=LATER)["flags"]

    assert [each["reasons"] for each in whole["stale"]] == [["expired", "unevaluated"]]
    assert found == whole
