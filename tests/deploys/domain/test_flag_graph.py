from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from deploys.domain.flag_graph import circle_of, dependants_of, depth_of

KEYS = st.sampled_from("abcdef")


def test_circles_are_named() -> None:
    needs = {"a": ["b", "c"], "b": ["d"], "c": ["d"], "d": ["a"], "e": ["e"]}

    assert circle_of(needs, "a") == ["a", "b", "d", "a"]
    assert circle_of(needs, "e") == ["e", "e"]
    assert circle_of({"a": ["b", "c"], "b": ["d"], "c": ["d"]}, "a") == []


def test_depth_is_the_longest_chain() -> None:
    assert depth_of({"a": ["b", "c"], "b": ["c"]}, "a") == 2
    assert depth_of({}, "a") == 0


def test_dependants_need_it_directly() -> None:
    assert dependants_of({"b": ["a"], "c": ["b"], "d": ["a", "b"]}, "a") == ["b", "d"]


@given(st.dictionaries(KEYS, st.lists(KEYS, max_size=4)), KEYS)
def test_a_circle_is_found_exactly_where_the_flag_reaches_itself(needs: dict[str, list[str]], start: str) -> None:
    reached: set[str] = set()
    ahead = list(needs.get(start, ()))
    while ahead:
        each = ahead.pop()
        if each not in reached:
            reached.add(each)
            ahead += needs.get(each, ())

    circle = circle_of(needs, start)

    assert bool(circle) is (start in reached)
    assert all(after in needs[before] for before, after in pairwise(circle))
    assert not circle or circle[0] == circle[-1] == start
