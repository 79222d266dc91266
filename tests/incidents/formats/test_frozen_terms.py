"""Terms as they are kept."""

from hypothesis import given
from hypothesis import strategies as st

from incidents.formats.frozen_terms import FrozenCandidate, freeze, thaw

candidates = st.builds(FrozenCandidate, st.text(), st.dictionaries(st.text(), st.floats(-9, 9)))


@given(st.lists(candidates))
def test_what_is_frozen_thaws_the_same(kept: list[FrozenCandidate]) -> None:
    assert list(thaw(memoryview(freeze(kept)))) == kept
