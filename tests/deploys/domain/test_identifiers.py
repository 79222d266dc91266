"""Public identifiers."""

import uuid

from hypothesis import given
from hypothesis import strategies as st

from deploys.domain.identifiers import public_ids_among, uuid7, uuid7_of


def test_uuid7_of_has_the_example_of_the_standard() -> None:
    # RFC 9562, appendix A.6
    random_bits = 0xCC3 << 62 | 0x18C4DC0C0C07398F

    assert uuid7_of(0x017F22E279B0, random_bits) == uuid.UUID("017f22e2-79b0-7cc3-98c4-dc0c0c07398f")


@given(st.integers(0, 2**48 - 2), st.integers(0, 2**74 - 1), st.integers(0, 2**74 - 1))
def test_uuid7_of_sorts_by_time(milliseconds: int, one: int, other: int) -> None:
    assert uuid7_of(milliseconds, one) < uuid7_of(milliseconds + 1, other)


def test_uuid7_is_of_version_seven() -> None:
    made = uuid7()

    assert (made.version, made.variant) == (7, uuid.RFC_4122)


def test_public_ids_are_told_from_those_of_senders() -> None:
    one = uuid7()

    assert public_ids_among(["run-7", str(one), ""]) == [one]
