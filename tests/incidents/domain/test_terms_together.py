"""Pairs of evidence that say more, or less, than both alone."""

from __future__ import annotations

from bench.attribution_priors import TERMS
from incidents.domain.case import Term
from incidents.domain.terms_together import RULES, together
from incidents.domain.weights import WEIGHTS


def test_a_pair_has_the_product_of_its_values() -> None:
    alone = [Term("silence", 2.0, ""), Term("latest_code", 1.0, "")]

    assert together(alone) == []
    (both,) = together([*alone, Term("dependency", 0.5, "")])
    assert (both.name, both.value) == ("silence_dependency", 1.0)


def test_every_pair_has_terms_that_are_weighed_and_a_weight_of_its_own() -> None:
    for name, one, other, said in RULES:
        assert {name, one, other} <= WEIGHTS.keys()
        assert name in TERMS, "a prior, which the sign of its weight must not contradict"
        assert WEIGHTS[name] >= 0
        assert said.startswith(("and ", "but ")), "it is read after the sentences of the two"
