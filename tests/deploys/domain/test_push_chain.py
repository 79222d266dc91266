from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploys.domain.push_chain import MOST_STEPS, Move, commits_between, same_commit


def name(letter: str) -> str:
    """A commit's name of forty characters."""
    return (letter * 40)[:40]


def moves(*told: tuple[str, str], main: bool = True) -> Callable[[str], Sequence[Move]]:
    """Pushes as (before, letters of the commits), looked up as the table does."""
    known = [Move(name(before), name(shas[-1]), [name(each) for each in shas], main) for before, shas in told]
    return lambda sha: [each for each in known if sha in each.shas or sha == each.after]


@pytest.mark.parametrize(
    ("base", "head", "pushes", "found"),
    [
        ("a", "d", [("a", "bcd")], "dcb"),
        ("a", "c", [("a", "bcd")], "cb"),
        ("b", "d", [("a", "bcd")], "dc"),
        ("a", "d", [("a", "b"), ("b", "cd")], "dcb"),
        ("a", "d", [("b", "cd"), ("a", "b")], "dcb"),
        ("a", "a", [], ""),
        ("a", "d", [("b", "cd")], None),
        ("d", "b", [("a", "bcd")], None),
        ("a", "d", [("d", "d")], None),
        ("b", "d", [("", "abcd")], "dc"),
        ("x", "d", [("", "abcd")], None),
    ],
)
def test_commits_lie_between_two_points(base: str, head: str, pushes: list[tuple[str, str]], found: str | None) -> None:
    between = commits_between(name(base), name(head), moves(*pushes))

    assert between == (None if found is None else [name(each) for each in found])


def test_a_merged_branch_does_not_lead_aside() -> None:
    branch = Move(name("0"), name("f"), [name("e"), name("f")])
    main = Move(name("a"), name("m"), [name("e"), name("f"), name("m")], is_default_branch=True)
    known = [branch, main]

    between = commits_between(name("a"), name("m"), lambda sha: [each for each in known if sha in each.shas])
    middle = commits_between(name("a"), name("e"), lambda sha: [each for each in known if sha in each.shas])

    assert between == [name("m"), name("f"), name("e")]
    assert middle == [name("e")]


def test_a_chain_without_end_is_given_up() -> None:
    names = [f"{number:040x}" for number in range(1, MOST_STEPS + 3)]
    known = {after: Move(before, after, [after]) for before, after in itertools.pairwise(names)}

    assert commits_between(names[0], names[-1], lambda sha: [known[sha]]) is None
    assert len(commits_between(names[1], names[-1], lambda sha: [known[sha]]) or []) == MOST_STEPS


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [("abcdef1", "abcdef12", True), ("abcdef1", "abcdef2", False), ("abc", "abc", False), ("", "abcdef1", False)],
)
def test_names_may_be_cut(one: str, other: str, same: bool) -> None:
    assert same_commit(one, other) is same


def test_a_cut_head_that_is_not_listed_takes_the_whole_push() -> None:
    push = Move(name("a"), name("d"), [name("b"), name("c")])

    assert commits_between(name("a"), name("d"), lambda _: [push]) == [name("c"), name("b")]


@given(sizes=st.lists(st.integers(1, 4), min_size=1, max_size=8), data=st.data())
def test_a_history_cut_into_pushes_gives_back_what_lies_between(sizes: list[int], data: st.DataObject) -> None:
    history = [f"{number:040x}" for number in range(1, sum(sizes) + 2)]
    known, start = [], 0
    for size in sizes:
        known.append(Move(history[start], history[start + size], history[start + 1 : start + size + 1]))
        start += size
    base, head = sorted([data.draw(st.integers(0, start)), data.draw(st.integers(0, start))])

    between = commits_between(history[base], history[head], lambda sha: [each for each in known if sha in each.shas])

    assert between == history[base + 1 : head + 1][::-1]
