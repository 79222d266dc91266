from __future__ import annotations

import datetime as dt

import pytest

from deploys.domain.flag_code import (
    CodeEvidence,
    Dynamic,
    Place,
    PlaceKind,
    RepositoryCode,
    ScanReport,
    code_evidence,
)

NOW = dt.datetime(2026, 3, 4, 12, tzinfo=dt.UTC)
YESTERDAY, LONG_AGO = NOW - dt.timedelta(days=1), NOW - dt.timedelta(days=8)


def repository(name: str = "shop", at: dt.datetime = YESTERDAY, count: int = 0, **more: bool) -> RepositoryCode:
    files = tuple(f"{each}.py" for each in range(count))
    return RepositoryCode(name, at, more.pop("is_complete", True), count, files, **more)


CASES: list[tuple[list[RepositoryCode], CodeEvidence]] = [
    ([], CodeEvidence(None, "no repository is scanned")),
    ([repository()], CodeEvidence(None, "no scanned repository ever asked for it")),
    (
        [repository(count=2), repository("till", count=1), repository("other", LONG_AGO)],
        CodeEvidence(3, "", some=True, files_count=3, repositories_count=2, scanned_at=YESTERDAY),
    ),
    ([repository(was_there=True)], CodeEvidence(0, scanned_at=YESTERDAY)),
    (
        [repository(was_there=True), repository("till", LONG_AGO, was_there=True)],
        CodeEvidence(None, "no complete scan of till in the last 7 days", scanned_at=LONG_AGO),
    ),
    (
        [repository(was_there=True, is_complete=False)],
        CodeEvidence(None, "no complete scan of shop in the last 7 days", scanned_at=YESTERDAY),
    ),
    (
        [repository(count=1), repository("till", LONG_AGO, was_there=True)],
        CodeEvidence(
            None,
            "no complete scan of till in the last 7 days",
            some=True,
            files_count=1,
            repositories_count=1,
            scanned_at=LONG_AGO,
        ),
    ),
    (
        [repository(was_there=True, is_dynamic=True)],
        CodeEvidence(
            None, "keys are put together in code, and one of them may be this", is_dynamic=True, scanned_at=YESTERDAY
        ),
    ),
    (
        [repository(count=1, is_dynamic=True)],
        CodeEvidence(1, some=True, files_count=1, repositories_count=1, is_dynamic=True, scanned_at=YESTERDAY),
    ),
]


@pytest.mark.parametrize(("repositories", "told"), CASES)
def test_what_repositories_say_together(repositories: list[RepositoryCode], told: CodeEvidence) -> None:
    assert code_evidence(repositories, NOW) == told


def test_only_a_known_zero_means_gone() -> None:
    assert [CodeEvidence(count).is_gone for count in (0, 1, None)] == [True, False, False]


@pytest.mark.parametrize(
    ("prefix", "suffix", "told"),
    [("", "", True), ("checkout-", "", True), ("", "-eu", True), ("checkout", "-eu", True), ("checkout-", "-eu", False), ("cart-", "", False), ("", "-us", False)],
)  # fmt: skip
def test_a_key_put_together_may_be_this_one(prefix: str, suffix: str, told: bool) -> None:
    assert Dynamic("a.py", 1, prefix, suffix).may_be("checkout-eu") is told


def test_words_in_documents_are_not_counted() -> None:
    call, doc = Place("k", "a.py", 1, PlaceKind.CALL), Place("k", "a.md", 1, PlaceKind.DOC)
    report = ScanReport("acme/shop", "c", NOW, [call, doc, Place("other", "a.md", 2, PlaceKind.DOC)])

    assert report.counted() == {"k": [call]}
