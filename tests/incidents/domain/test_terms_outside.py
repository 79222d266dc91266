from __future__ import annotations

from dataclasses import replace

import pytest

from incidents.domain.attribution import terms_of
from incidents.domain.evidence import Outage
from tests.incidents.domain.cases import case, outage


@pytest.mark.parametrize(
    ("told", "sentence"),
    [
        ([outage()], "only checks failed; no error was reported"),
        ([replace(outage(), alert="a1")], "only an alert told of it; no error was reported"),
        ([replace(outage(), job="backup")], "only failed runs of a job told of it; no error was reported"),
        (
            [outage(), replace(outage(), alert="a1")],
            "only failed checks and an alert told of it; no error was reported",
        ),
    ],
)
def test_what_told_of_it_without_an_error_is_named(told: list[Outage], sentence: str) -> None:
    sentences = {
        term.name: term.sentence for change, terms in terms_of(case(outages=told)) if change is None for term in terms
    }

    assert sentences["none_checks_only"] == sentence
