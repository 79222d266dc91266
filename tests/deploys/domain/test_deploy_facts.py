from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploys.domain.deploy_facts import Deploy, DeployFacts, DeployKind, Outcome, deploy_facts, deploy_of, is_final

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


def a_deploy(name: str, after: int = 0, **changes: Any) -> Deploy:  # Any: one value per field
    values: dict[str, Any] = {"service": "shop", "tier": "production", "started_at": NOON + after * HOUR}
    return Deploy(**{"id": name, "status": "success", "release": name, **values, **changes})


def derived(
    *deploys: Deploy, remedies: tuple[str, ...] = (), harm: dict[str, datetime] | None = None
) -> dict[str, DeployFacts]:
    return deploy_facts(deploys, remedy_ids=remedies, first_harm_at=harm or {}, as_of=NOON + 7 * DAY, timeout=DAY)


def kinds(*deploys: Deploy, remedies: tuple[str, ...] = ()) -> list[str | None]:
    facts = derived(*deploys, remedies=remedies)
    return [facts[deploy.id].kind for deploy in deploys]


@pytest.mark.parametrize(
    ("changes", "live_after", "outcome"),
    [
        ({"live_at": NOON + 3 * HOUR, "finished_at": NOON + HOUR}, 3 * HOUR, Outcome.SUCCEEDED),
        ({"was_canary": True, "finished_at": NOON + HOUR}, 0 * HOUR, Outcome.SUCCEEDED),
        ({"finished_at": NOON + HOUR}, HOUR, Outcome.SUCCEEDED),
        ({}, 0 * HOUR, Outcome.SUCCEEDED),
        ({"status": "failure"}, None, Outcome.ABORTED),
        ({"status": "failure", "was_canary": True}, 0 * HOUR, Outcome.FAILED),
        ({"status": "in_progress"}, None, Outcome.NEVER_FINISHED),
        ({"status": "in_progress", "started_at": NOON + 6 * DAY}, None, Outcome.RUNNING),
    ],
)
def test_live_time_and_outcome(changes: dict[str, Any], live_after: timedelta | None, outcome: Outcome) -> None:
    facts = derived(a_deploy("d", **changes))["d"]

    assert facts.live_at == (None if live_after is None else NOON + live_after)
    assert facts.outcome is outcome


def test_harm_shows_that_a_deploy_had_reached_production_unless_its_live_time_is_stated() -> None:
    harm_at = NOON + HOUR / 2
    rolled_out = a_deploy("a", finished_at=NOON + HOUR)
    aborted = a_deploy("b", status="failure", finished_at=NOON + HOUR)
    stated = a_deploy("c", live_at=NOON + HOUR)

    facts = derived(rolled_out, aborted, stated, harm=dict.fromkeys("abc", harm_at))

    assert [facts[name].live_at for name in "abc"] == [harm_at, harm_at, NOON + HOUR]
    assert facts["b"].outcome is Outcome.FAILED


def test_kinds_follow_the_stack_of_live_versions() -> None:
    deploys = [a_deploy(f"d{index}", index, release=release) for index, release in enumerate("12213")]

    assert kinds(*deploys, remedies=("d4",)) == ["forward", "forward", "redeploy", "rollback", "hotfix"]
    assert derived(*deploys)["d3"].undone_ids == ("d1",)


def test_a_version_that_was_undone_goes_forward_again() -> None:
    assert kinds(*(a_deploy(f"d{index}", index, release=release) for index, release in enumerate("1212"))) == [
        "forward",
        "forward",
        "rollback",
        "forward",
    ]


def test_only_succeeded_deploys_change_what_is_live() -> None:
    first, second = a_deploy("a", 0, release="1"), a_deploy("b", 1, release="2", status="failure", was_canary=True)
    third = a_deploy("c", 2, release="1")

    assert kinds(first, second, third) == ["forward", "forward", "redeploy"]


def test_a_stated_rollback_to_a_version_not_on_the_stack_takes_the_place_of_the_top() -> None:
    first, second = a_deploy("a", 0), a_deploy("b", 1)
    back = a_deploy("c", 2, release="b-reverted", kind=DeployKind.ROLLBACK)
    again = a_deploy("d", 3, release="b-reverted")

    facts = derived(first, second, back, again)

    assert facts["c"].undone_ids == ("b",)
    assert facts["d"].kind is DeployKind.REDEPLOY


def test_a_stated_rollback_to_a_known_version_undoes_all_above_it() -> None:
    deploys = [a_deploy("a", 0), a_deploy("b", 1), a_deploy("c", 2)]

    facts = derived(*deploys, a_deploy("d", 3, release="a", kind=DeployKind.ROLLBACK))

    assert facts["d"].undone_ids == ("b", "c")


def test_a_rollback_as_first_deploy_undoes_nothing() -> None:
    assert derived(a_deploy("a", kind=DeployKind.ROLLBACK))["a"].undone_ids == ()


def test_versions_are_compared_by_digest_where_both_have_one() -> None:
    plain, other = a_deploy("a", release="1"), a_deploy("b", release="1", artifact="x")

    assert plain.has_version_of(other)
    assert not other.has_version_of(a_deploy("c", release="1", artifact="y"))
    assert not a_deploy("d", release=None).has_version_of(a_deploy("e", release=None))


def test_services_do_not_share_a_stack() -> None:
    assert kinds(a_deploy("a", release="1"), a_deploy("b", 1, service="api", release="1")) == ["forward", "forward"]


def test_a_deploy_without_traffic_has_no_kind_and_is_counted_by_its_start() -> None:
    facts = derived(a_deploy("a", status="failure"))["a"]

    assert (facts.kind, facts.is_new_version, facts.counted_at) == (None, False, NOON)


RECORD = {
    "id": "d1",
    "service": "shop",
    "environment": "Prod-EU",
    "status": "success",
    "started_at": "2026-03-02T12:00:00Z",
    "finished_at": "2026-03-02T13:00:00Z",
    "live_at": "2026-03-02T12:30:00Z",
    "release": 7,
    "kind": "hotfix",
    "canary_percent": 10,
}


def test_the_typed_deploy() -> None:
    assert deploy_of("d1", RECORD, NOON + DAY) == Deploy(
        id="d1",
        service="shop",
        tier="production",
        started_at=NOON,
        status="success",
        finished_at=NOON + HOUR,
        live_at=NOON + HOUR / 2,
        release="7",
        kind=DeployKind.HOTFIX,
        was_canary=True,
    )


def test_clocks_after_the_as_of_instant_have_not_happened() -> None:
    running = deploy_of("d1", RECORD, NOON + HOUR / 4)

    assert running is not None
    assert (running.status, running.finished_at, running.live_at) == ("in_progress", None, None)
    assert deploy_of("d1", RECORD, NOON - HOUR) is None


def test_final_statuses() -> None:
    assert [is_final(status) for status in ("success", "failure", "in_progress", None)] == [True, True, False, False]


versions = st.builds(
    a_deploy,
    st.just("x"),
    release=st.sampled_from([None, "1", "2", "3"]),
    artifact=st.sampled_from([None, None, "a", "b"]),
    status=st.sampled_from(["success", "success", "failure"]),
    was_canary=st.just(True),
    kind=st.sampled_from([None, None, None, DeployKind.ROLLBACK, DeployKind.FORWARD]),
)


@given(st.lists(versions, max_size=12))
def test_the_stack_is_searched_as_if_entry_by_entry(some: list[Deploy]) -> None:
    deploys = [replace(deploy, id=f"d{index:02}", started_at=NOON + index * HOUR) for index, deploy in enumerate(some)]
    stack: list[Deploy] = []
    expected: dict[str, tuple[str, tuple[str, ...]]] = {}
    for deploy in deploys:
        place = next((i for i in range(len(stack) - 1, -1, -1) if stack[i].has_version_of(deploy)), None)
        found = "forward" if place is None else "redeploy" if place == len(stack) - 1 else "rollback"
        kind = str(deploy.kind or found)
        undone: list[Deploy] = []
        if deploy.status == "success" and kind == "forward":
            stack.append(deploy)
        elif deploy.status == "success" and kind == "rollback":
            keep = max(0, len(stack) - 1) if place is None else place + 1
            undone, stack = stack[keep:], stack[:keep] + ([deploy] if place is None else [])
        expected[deploy.id] = (kind, tuple(past.id for past in undone))

    assert {name: (facts.kind, facts.undone_ids) for name, facts in derived(*deploys).items()} == expected
