"""How a session ended does not depend on the way its updates travelled."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from incidents.domain.sessions import Ending, first_ending

ENDINGS = st.none() | st.builds(Ending, order=st.integers(0, 4), failed=st.booleans())


def test_the_first_ending_stands_and_a_failure_is_believed_on_a_tie() -> None:
    assert first_ending([]) is None
    assert first_ending([None]) is None
    assert first_ending([Ending(3, failed=True), None, Ending(2, failed=False)]) == Ending(2, failed=False)
    assert first_ending([Ending(2, failed=False), Ending(2, failed=True)]) == Ending(2, failed=True)


@given(st.lists(ENDINGS, max_size=6), st.randoms(), st.integers(0, 6))
def test_any_order_grouping_and_repetition_says_the_same(
    endings: list[Ending | None], random: object, cut: int
) -> None:
    shuffled = [*endings, *endings]
    random.shuffle(shuffled)  # type: ignore[attr-defined]  # a random.Random

    assert first_ending(shuffled) == first_ending(endings)
    assert first_ending([first_ending(endings[:cut]), first_ending(endings[cut:])]) == first_ending(endings)
