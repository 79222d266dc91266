"""What is new of an incident since it was last told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reliability.domain.incident_news import CLASSES, RECENT, Standing, Told, What, news

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
OPEN = Standing("multi_user")
OVER = Standing("multi_user", restored_at=NOW)
TOLD = Told("multi_user")

# told last, as it stands, what is told, what was told then
CASES = {
    "opens": (None, OPEN, "opened", TOLD),
    "opens with its cause": (None, Standing("downtime", cause="a"), "opened", Told("downtime", cause="a")),
    "is over at first sight": (None, OVER, "opened restored", Told("multi_user", is_restored=True)),
    "was over long ago": (None, Standing("downtime", restored_at=NOW - RECENT - timedelta(seconds=1)), "", None),
    "was a false alarm before it was told": (None, Standing("downtime", is_dismissed=True), "", None),
    "nothing new": (TOLD, OPEN, "", TOLD),
    "gets worse": (TOLD, Standing("downtime"), "worsened", Told("downtime")),
    "gets better": (TOLD, Standing("impactless"), "", TOLD),
    "is as bad as before again": (Told("downtime"), Standing("downtime"), "", Told("downtime")),
    "gets worse as it ends": (TOLD, Standing("downtime", restored_at=NOW), "restored", Told("downtime", is_restored=True)),
    "has a cause": (TOLD, Standing("multi_user", cause="a"), "cause", Told("multi_user", cause="a")),
    "has another cause": (Told("multi_user", cause="a"), Standing("multi_user", cause="b"), "cause", Told("multi_user", cause="b")),
    "loses its cause": (Told("multi_user", cause="a"), OPEN, "", Told("multi_user", cause="a")),
    "is over": (TOLD, OVER, "restored", Told("multi_user", is_restored=True)),
    "ends with a cause": (
        TOLD, Standing("multi_user", restored_at=NOW, cause="a"), "cause restored", Told("multi_user", is_restored=True, cause="a"),
    ),
    "comes back": (Told("multi_user", is_restored=True), OPEN, "reopened", TOLD),
    "was a false alarm": (TOLD, Standing("multi_user", is_dismissed=True), "withdrawn", Told("multi_user", is_uncounted=True)),
    "repeats another": (TOLD, Standing("multi_user", is_duplicate=True), "merged", Told("multi_user", is_uncounted=True)),
    "is still a false alarm": (
        Told("multi_user", is_uncounted=True), Standing("downtime", is_dismissed=True), "", Told("multi_user", is_uncounted=True),
    ),
    "was none, and is over": (
        Told("multi_user", is_uncounted=True), OVER, "", Told("multi_user", is_restored=True),
    ),
    "was no false alarm": (Told("multi_user", is_uncounted=True), OPEN, "reopened", TOLD),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_what_is_told(case: str) -> None:
    told, standing, expected, then = CASES[case]

    assert news(told, standing, now=NOW) == (tuple(What(word) for word in expected.split()), then)


standings = st.builds(
    Standing,
    st.sampled_from(CLASSES),
    st.sampled_from([None, NOW]),
    st.booleans(),
    st.booleans(),
    st.sampled_from(["", "a", "b"]),
)


@given(
    told=st.none()
    | st.builds(Told, st.sampled_from(CLASSES), st.booleans(), st.booleans(), st.sampled_from(["", "a"])),
    standing=standings,
)
def test_the_same_standing_is_no_news_twice(told: Told | None, standing: Standing) -> None:
    _, then = news(told, standing, now=NOW)

    assert news(then, standing, now=NOW) == ((), then)


@given(states=st.lists(standings, max_size=8))
def test_an_end_is_told_only_of_what_was_told_to_have_begun(states: list[Standing]) -> None:
    told, is_going_on = None, False
    for standing in states:
        found, told = news(told, standing, now=NOW)
        for what in found:
            if what in {What.OPENED, What.REOPENED}:
                assert not is_going_on
                is_going_on = True
            elif what is What.RESTORED:
                assert is_going_on
                is_going_on = False
            elif what in {What.WITHDRAWN, What.MERGED}:
                is_going_on = False
