from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reliability.domain.causes import Origin, Share, is_possible, judged, origin, shares
from reliability.domain.history import Cause, Incident

TEN = datetime(2026, 3, 3, 10, tzinfo=UTC)
INCIDENT = Incident("i", ("shop",), "downtime", TEN, True, None, None, None, None, (), (), ())


def known_shares(*causes: Cause) -> dict[Share, Fraction]:
    return {share: part for share, part in shares(causes).items() if part}


def half(kind: str, weight: str | None = None) -> Cause:
    return Cause(kind, "x", None if weight is None else Fraction(weight))


@pytest.mark.parametrize(
    ("causes", "expected"),
    [
        ((), {Share.UNKNOWN: 1}),
        ((half("deploy"),), {Share.OWN_CHANGE: 1}),
        ((half("deploy", "1/2"),), {Share.OWN_CHANGE: Fraction(1, 2), Share.UNKNOWN: Fraction(1, 2)}),
        (
            (half("flag", "1"), half("external", "1")),
            {Share.OWN_CHANGE: Fraction(1, 2), Share.EXTERNAL: Fraction(1, 2)},
        ),
        ((half("capacity", "4/5"), half("external")), {Share.CAPACITY: Fraction(4, 5), Share.EXTERNAL: Fraction(1, 5)}),
        ((half("deploy", "1"), half("external")), {Share.OWN_CHANGE: 1}),
        (
            (half("unknown"), half("infrastructure")),
            {Share.UNKNOWN: Fraction(1, 2), Share.INFRASTRUCTURE: Fraction(1, 2)},
        ),
    ],
)
def test_shares(causes: tuple[Cause, ...], expected: dict[Share, Fraction]) -> None:
    assert known_shares(*causes) == expected


kinds = st.sampled_from(["deploy", "flag", "external", "infrastructure", "capacity", "unknown"])
weights = st.none() | st.integers(1, 10).map(lambda tenth: Fraction(tenth, 10))


@given(st.lists(st.builds(Cause, kinds, st.just("x"), weights), max_size=5))
def test_shares_sum_to_exactly_one(causes: list[Cause]) -> None:
    parts = shares(tuple(causes))

    assert sum(parts.values()) == 1
    assert min(parts.values()) >= 0


def test_origins() -> None:
    assert origin((half("external"), half("deploy"))) is Origin.OWN_CHANGE
    assert origin((half("unknown"), half("capacity"))) is Origin.OTHER
    assert origin((half("unknown"),)) is Origin.UNKNOWN
    assert origin(()) is Origin.UNKNOWN


def test_a_cause_cannot_come_after_its_effect() -> None:
    starts = {("deploy", "early"): TEN, ("deploy", "late"): TEN + timedelta(seconds=1)}

    assert is_possible(Cause("deploy", "early"), INCIDENT, starts)
    assert not is_possible(Cause("deploy", "late"), INCIDENT, starts)
    assert is_possible(Cause("deploy", "nobody knows"), INCIDENT, starts)
    assert is_possible(Cause("external"), INCIDENT, starts)


def test_links_are_weighed() -> None:
    late = Cause("deploy", "late")
    links = (Cause("deploy", "a"), late, Cause("flag", "b", None, "suggested"), Cause("deploy", "c", None, "rejected"))
    incident = replace(INCIDENT, causes=links)

    case = judged(incident, {("deploy", "late"): TEN + timedelta(1)}, ("downtime",))

    assert (case.confirmed, case.suggested, case.ignored) == ((links[0],), (links[2],), (late,))
    assert case.is_counting


def test_what_counts_as_a_failure() -> None:
    harmless = replace(INCIDENT, impact_class="impactless")

    assert not judged(harmless, {}, ("downtime",)).is_counting
    assert judged(replace(harmless, remedies=(("flag", "f"),)), {}, ("downtime",)).is_counting
