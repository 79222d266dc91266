"""What is derived of a history of which only a part was read."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from deploys.domain.deploy_facts import DeployKind
from reliability.domain.history import Excerpt
from reliability.domain.intervals import Interval
from tests.reliability.domain.test_beside import deploy, incident, known

WALK = Interval(datetime(2026, 3, 3, 7, tzinfo=UTC), datetime(2026, 3, 3, 11, tzinfo=UTC))


@pytest.mark.parametrize(
    ("causes", "condemned"),
    [
        ([], ["d2"]),
        (
            [{"kind": "deploy", "id": "d1", "status": "confirmed"}],
            [],
        ),  # a person has said who did it: not the one undone
    ],
)
def test_a_rollback_behind_the_part_condemns_unless_it_ended_an_explained_incident(
    causes: list[dict[str, Any]], condemned: list[str]
) -> None:
    lines = [deploy("d1", 8, "1"), deploy("d2", 9, "2"), deploy("d3", 12, "1"), incident("a", 10, "d3", causes=causes)]
    part = known(lines)
    part.history.excerpt = Excerpt(WALK, kinds={"d3": DeployKind.ROLLBACK}, later=(("d3", ("d2",)),))

    assert list(part.condemned) == condemned
