"""The list index, made anew step by step, is what a whole walk over the history gives."""

import datetime as dt
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deploys import clock
from deploys.actions.deploys import record
from deploys.actions.list_index import LISTED
from deploys.actions.listing import close_overdue, refresh_after, refresh_services
from deploys.domain.changes import DeployReport
from deploys.models import Deploy, Team
from tests.conftest import NOON
from tests.factories.catalog import TeamFactory

pytestmark = [pytest.mark.django_db, pytest.mark.database]
NOW = NOON + dt.timedelta(days=2)

MESSAGES = st.lists(
    st.fixed_dictionaries(
        {
            "id": st.integers(1, 8),
            "minute": st.integers(0, 60),
            "release": st.sampled_from([None, "1", "2", "3", "4"]),
            "artifact": st.sampled_from([None, None, "sha256:a", "sha256:b"]),
            "status": st.sampled_from(["success", "success", "success", "failure", "in_progress"]),
            "kind": st.sampled_from([None, None, None, "rollback", "redeploy"]),
            "environment": st.sampled_from(["production", "production", "prod-eu", "staging"]),
        }
    ),
    min_size=1,
    max_size=14,
)


def tell(team: Team, message: dict[str, Any]) -> Deploy:
    at = NOON + dt.timedelta(minutes=message["minute"])
    is_over = message["status"] != "in_progress"
    report = DeployReport(
        id=str(message["id"]), service="shop", environment=message["environment"], status=message["status"],
        started_at=at, finished_at=at + dt.timedelta(minutes=2) if is_over else None, release=message["release"],
        artifact=message["artifact"], kind=message["kind"],
    )  # fmt: skip
    return record(team=team, report=report, source="api", received_at=at).deploy


def index(team: Team) -> dict[str, tuple[Any, ...]]:
    rows = Deploy.objects.filter(team=team).values_list("external_id", *LISTED)
    return {row[0]: row[1:] for row in rows}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(MESSAGES)
def test_step_by_step_gives_what_a_whole_walk_gives(messages: list[dict[str, Any]]) -> None:
    team = TeamFactory()
    with clock.at(NOW):
        for message in messages:
            deploy = tell(team, message)
            if message["environment"] == "staging" or len(messages) % 2:
                refresh_after([deploy])
            else:  # what its message did not list, the next one does
                Deploy.objects.filter(team=team, outcome_listed="").count()
        close_overdue(now=NOW)
        step_by_step = index(team)
        refresh_services({deploy.service_id}, now=NOW)

    assert step_by_step == index(team)


def test_a_deploy_that_ended_before_it_began_is_no_redeploy_of_itself() -> None:
    team = TeamFactory()
    message = {"id": 7, "artifact": None, "kind": None, "environment": "production"}
    with clock.at(NOW):
        refresh_after([tell(team, {**message, "minute": 0, "release": None, "status": "success"})])
        refresh_after([tell(team, {**message, "minute": 20, "release": "3", "status": "in_progress"})])
        refresh_after([tell(team, numbered(15))])

    assert index(team)["7"][:2] == ("forward", "succeeded")
    assert Deploy.objects.get(external_id="7").started_at == NOON + dt.timedelta(minutes=20)


def numbered(n: int, **more: Any) -> dict[str, Any]:
    return {
        "id": n, "minute": n, "release": str(n), "artifact": None, "status": "success", "kind": None,
        "environment": "production", **more,
    }  # fmt: skip


def test_going_back_past_what_is_not_looked_at_marks_it_as_undone() -> None:
    team = TeamFactory()
    with clock.at(NOW):
        for n in range(1, 7):
            refresh_after([tell(team, numbered(n))])
        refresh_after([tell(team, numbered(10, release="2"))])
        back = index(team)
        refresh_after([tell(team, numbered(11, release="5"))])

    at = NOON + dt.timedelta(minutes=12)
    assert [back[str(n)][4] for n in range(1, 7)] == [None, None, at, at, at, at]
    assert back["10"][0] == "rollback"
    assert index(team)["11"][0] == "forward"


def test_one_more_deploy_costs_the_same_whatever_the_history() -> None:
    team = TeamFactory()

    def cost(n: int) -> int:
        deploy = tell(team, numbered(n))
        with CaptureQueriesContext(connection) as queries:
            refresh_after([deploy])
        return len(queries)

    with clock.at(NOW):
        for n in range(1, 5):
            cost(n)
        few = cost(5)
        for n in range(6, 40):
            cost(n)
        assert cost(40) == few


def test_a_row_whose_listing_was_lost_is_listed_by_the_sweep() -> None:
    team = TeamFactory()
    with clock.at(NOW):
        deploy = tell(team, numbered(1))
        Deploy.objects.filter(pk=deploy.pk).update(outcome_listed="", kind_listed="")
        close_overdue(now=NOW)

    assert index(team)["1"][:2] == ("forward", "succeeded")
