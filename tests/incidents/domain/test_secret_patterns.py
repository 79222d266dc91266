"""No text can keep a pattern busy: a structural rule, asked of every pattern that reads what came from outside.

A pattern whose unbounded repeats hold no other repeat that may give back can try each beginning once for each length: no
attempt is worse than linear in a run that its repeat may take. Bounded repeats (`{0,64}`) count as a constant.
"""

from __future__ import annotations

import re
import re._constants as ops  # type: ignore[import-untyped]  # the parser has no public name
import re._parser as parser  # type: ignore[import-untyped]  # as above
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incidents.domain import scrubbing, secret_names, secret_pairs, secret_shapes, text_patterns
from incidents.domain.scrubbing import DEFAULT

BOUND = 2_001
GIVING_BACK = (ops.MAX_REPEAT, ops.MIN_REPEAT)


def repeats(tree: Any, *, is_inside: bool = False) -> Iterator[bool]:  # Any: nodes of the parser
    """Whether each unbounded repeat that may give back stands inside another one."""
    for op, argument in tree:
        inside = is_inside
        if op in GIVING_BACK and (argument[1] is ops.MAXREPEAT or argument[1] > BOUND):
            yield is_inside
            inside = True
        for part in argument if isinstance(argument, tuple | list) else [argument]:
            for tree_ in part if isinstance(part, list) else [part]:
                if isinstance(tree_, parser.SubPattern):
                    yield from repeats(tree_, is_inside=inside)


def patterns() -> dict[str, re.Pattern[str]]:
    modules = (scrubbing, secret_names, secret_pairs, secret_shapes)
    return {
        f"{module.__name__}.{name}": value
        for module in modules
        for name, value in vars(module).items()
        if isinstance(value, re.Pattern)
    }


@pytest.mark.parametrize("name", sorted(patterns()))
def test_no_repeat_inside_a_repeat_may_give_back(name: str) -> None:
    pattern = patterns()[name]

    assert not any(repeats(parser.parse(pattern.pattern, pattern.flags & ~re.UNICODE)))


def test_the_rule_finds_what_it_looks_for() -> None:
    assert any(repeats(parser.parse(r"(?:a+b?)+c")))
    assert not any(repeats(parser.parse(r"(?:a++b?)++c")))


def _is_pattern(text: str) -> bool:
    try:
        text_patterns.check(text)
    except text_patterns.NotAPattern:
        return False
    return True


@given(
    st.text(alphabet="#?*\\ab-1. ", max_size=40).filter(_is_pattern),
    st.text(alphabet="ab-1. x", max_size=60),
)
def test_patterns_of_teams_repeat_nothing_without_a_bound(pattern: str, text: str) -> None:
    (compiled,) = text_patterns.compiled((pattern,))

    assert list(repeats(parser.parse(compiled.pattern))) == []
    assert isinstance(compiled.sub("", text), str)


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("CUST-######", "of CUST-123456.", "of X."),
        ("cust-*", "of CUST-ab/12 now", "of X now"),
        ("###-##-####", "ssn 123-45-6789, not 1123-45-67890", "ssn X, not 1123-45-67890"),
        ("id=*;", "id=abc; id=a b;", "X id=a b;"),
        ("a?c-1", "abc-1 a-c-1", "X a-c-1"),
        (r"price\*\#1", "price*#1 price##1", "X price##1"),
        ("trailing\\", "trailing\\ x", "X x"),
        ("a*b*c-d", "a1b2b3c-d", "X"),
    ],
)
def test_patterns_of_teams(pattern: str, text: str, expected: str) -> None:
    text_patterns.check(pattern)
    (compiled,) = text_patterns.compiled((pattern,))

    assert compiled.sub("X", text) == expected


@pytest.mark.parametrize(
    ("pattern", "problem"),
    [
        ("*secret", "*secret: begin with what the text begins with, not with *"),
        ("abc*d*e*f*g", "abc*d*e*f*g: at most 3 times *"),
        ("a?*", "a?*: needs at least 3 characters or #, else it takes out everything"),
        ("", ": needs at least 3 characters or #, else it takes out everything"),
        ("x" * 101, "xxxxxxxxxxxxxxxxxxxx…: a pattern is at most 100 characters long"),
    ],
)
def test_what_is_no_pattern(pattern: str, problem: str) -> None:
    with pytest.raises(text_patterns.NotAPattern) as error:
        text_patterns.check(pattern)

    assert str(error.value) == problem


@given(
    st.lists(
        st.sampled_from(
            [
                "a",
                "@",
                ".",
                "://",
                "=",
                ":",
                '"',
                "\\",
                "'",
                "%",
                "eyJ",
                "-----BEGIN ",
                "1",
                " ",
                "pass",
                "token=",
                "<",
                ">",
                "{",
                "[",
            ]
        ),
        max_size=400,
    )
)
def test_hostile_texts_are_scrubbed_to_texts_of_bounded_length(parts: list[str]) -> None:
    text = "".join(parts)

    assert len(DEFAULT.text(text)) <= 2 * len(text) + 100
