"""Which change caused an incident, if any: weighs every candidate and "no change" and says how sure it is.

S(c) is the sum of weight times value over the terms of candidate c; P(c) = exp S(c) / sum of exp S over all candidates
and the null candidate (a conditional logit; each weighted term is a log-likelihood ratio under independence). A missing
input adds no term. The verdict is the most probable; its probability is how often such verdicts are right.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from incidents.domain import terms_code, terms_ending, terms_exposure, terms_outside, terms_place, terms_time
from incidents.domain.candidates import in_question
from incidents.domain.case import Case, Term
from incidents.domain.evidence import Change
from incidents.domain.terms_together import together
from incidents.domain.weights import VERSION, WEIGHTS

LIKELY, PROBABLE = 0.9, 0.5
SHOWN = 0.05
"""Weighted terms smaller than this change nothing that a reader could see; they are summed but not shown."""

_DEPLOY: tuple[Callable[[Case, Change], list[Term]], ...] = (
    terms_time.delay, terms_time.lateness, terms_time.silence, terms_place.place, terms_place.sequence,
    terms_place.undone, terms_code.files, terms_code.kind,
    terms_code.staging, terms_exposure.release, terms_exposure.concentration, terms_ending.ending, terms_ending.lasting,
)  # fmt: skip
_FLAG: tuple[Callable[[Case, Change], list[Term]], ...] = (
    terms_time.delay, terms_time.lateness, terms_time.silence, terms_place.undone, terms_exposure.flag,
    terms_ending.ending, terms_ending.lasting,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Line:
    """One readable reason: ``log_ratio`` is weight times value; its factor e^log_ratio is how much likelier it makes it."""

    term: str
    log_ratio: float
    sentence: str

    @property
    def factor(self) -> float:
        """How many times likelier (below 1: less likely)."""
        return math.exp(self.log_ratio)


@dataclass(frozen=True, slots=True)
class Weighed:
    """A candidate with its probability and reasons, the heaviest first. ``change`` None is "no change did this".

    ``terms`` are the values that the weights were multiplied with.
    """

    change: Change | None
    probability: float
    score: float
    lines: tuple[Line, ...]
    terms: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Verdict:
    """All candidates, the most probable first, and the inputs that were missing, in words."""

    ranked: tuple[Weighed, ...]
    missing: tuple[str, ...]
    version: str

    @property
    def best(self) -> Weighed:
        """The most probable."""
        return self.ranked[0]

    @property
    def outcome(self) -> str:
        """``likely`` from .9, ``probable`` from .5, else ``undecided``."""
        if self.best.probability >= LIKELY:
            return "likely"
        return "probable" if self.best.probability >= PROBABLE else "undecided"


def terms_of(case: Case) -> list[tuple[Change | None, list[Term]]]:
    """The terms of every candidate, the null candidate first: what is fitted is what runs."""
    found: list[tuple[Change | None, list[Term]]] = [(None, terms_outside.outside(case) + terms_ending.unaided(case))]
    for change in in_question(case):
        parts = _DEPLOY if change.is_deploy else _FLAG
        terms = [term for part in parts for term in part(case, change)]
        found.append((change, terms + together(terms)))
    return found


def missing_inputs(case: Case, candidates: Sequence[Change]) -> tuple[str, ...]:
    """What would sharpen the verdict, worded as what to send."""
    found: list[str] = []
    deploys = [c for c in candidates if c.is_deploy]
    if any(c.files is None for c in deploys):
        found.append("no file list for some deploys: send files with the deploy")
    if case.sightings and not any(s.release for s in case.sightings):
        found.append("no release on the errors: set release in the SDK")
    if not any(case.around.traffic.get(name) for name in case.services):
        found.append("no traffic counts: enable session tracking")
    if any(not c.is_deploy for c in candidates) and not any(s.flags for s in case.sightings):
        found.append("no flag values on the errors: enable the SDK's flag tracking")
    if not case.facts(case.primary).depends_on and len(case.names) > 1:
        found.append(f"no dependencies of {case.primary} known: declare what it calls")
    return tuple(found)


def attribute(case: Case, weights: Mapping[str, float] = WEIGHTS, version: str = VERSION) -> Verdict:
    """Weigh all candidates of a case by these weights. Ties go to the null candidate, then to the earlier change."""
    every = terms_of(case)
    scores = [sum(weights.get(t.name, 0.0) * t.value for t in terms) for _, terms in every]
    top = max(scores)
    odds = [math.exp(score - top) for score in scores]
    total = sum(odds)
    weighed = [
        Weighed(change, odd / total, score, _lines(terms, weights), _values(terms))
        for (change, terms), score, odd in zip(every, scores, odds, strict=True)
    ]
    order = sorted(range(len(weighed)), key=lambda k: (-weighed[k].probability, k))
    changes = [change for change, _ in every if change is not None]
    return Verdict(tuple(weighed[k] for k in order), missing_inputs(case, changes), version)


def _values(terms: Sequence[Term]) -> dict[str, float]:
    found: dict[str, float] = {}
    for term in terms:
        found[term.name] = found.get(term.name, 0.0) + term.value
    return found


def _lines(terms: Sequence[Term], weights: Mapping[str, float]) -> tuple[Line, ...]:
    lines = [Line(t.name, weights.get(t.name, 0.0) * t.value, t.sentence) for t in terms]
    return tuple(sorted((x for x in lines if abs(x.log_ratio) >= SHOWN), key=lambda x: (-abs(x.log_ratio), x.term)))
