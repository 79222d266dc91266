"""Commits as senders describe them."""

from __future__ import annotations

import datetime as dt

import pytest

from deploys.domain.commits import CommitReport, files_of, title_of


def test_a_fact_holds_only_what_was_said_cut_to_its_columns() -> None:
    at = dt.datetime(2026, 3, 3, 9, 10, tzinfo=dt.UTC)
    whole = CommitReport("a" * 120, at, "A" * 300, "T" * 600, ("a.py",))

    assert CommitReport("abc").payload == {"sha": "abc"}
    assert whole.payload == {
        "sha": "a" * 100, "committed_at": "2026-03-03T09:10:00Z", "author": "A" * 200, "title": "T" * 500,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("message", "title"),
    [
        ("Add the cart\n\nLonger words.", "Add the cart"),
        ("\r\n  \nAdd\r\n", "Add"),
        ("", ""),
        ("\n", ""),
        ("x" * 600, "x" * 500),
    ],
)
def test_the_title_is_the_first_line_with_words(message: str, title: str) -> None:
    assert title_of(message) == title


def test_files_are_a_sorted_union() -> None:
    commits = [CommitReport("a", files=("b.py", "a.py")), CommitReport("b", files=("a.py", ""))]

    assert files_of(commits, known=["c.py"]) == ["a.py", "b.py", "c.py"]
    assert len(files_of([CommitReport("a", files=tuple(f"{n}.py" for n in range(6000)))])) == 5000
