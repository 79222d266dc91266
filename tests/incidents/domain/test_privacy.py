"""A team's rules as kept and in words."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from incidents.domain.privacy import as_kept, changes, rules_of
from incidents.domain.scrubbing import Rules

TEXTS = st.lists(st.text(min_size=1), unique=True).map(sorted)


@given(st.builds(Rules, names=TEXTS.map(frozenset), safe_names=TEXTS.map(frozenset), patterns=TEXTS.map(tuple), keeps_locals=st.booleans(),
                 keeps_addresses=st.booleans(), keeps_emails=st.booleans()))  # fmt: skip
def test_rules_come_back_as_they_were_kept(rules: Rules) -> None:
    assert rules_of(as_kept(rules)) == rules


def test_what_is_no_rule_is_as_by_default() -> None:
    assert rules_of({"names": "x", "patterns": [1], "keeps_locals": 1}) == Rules()


def test_changes_are_said_one_by_one() -> None:
    before = Rules(names=frozenset({"a", "b"}), keeps_emails=True)
    after = Rules(
        names=frozenset({"b", "c"}), safe_names=frozenset({"session"}), patterns=("C-###",), keeps_locals=True
    )

    assert changes(before, after) == [
        "secret name c added",
        "secret name a removed",
        "safe name session added",
        "pattern C-### added",
        "local variables of frames are kept",
        "e-mail addresses are taken out",
    ]
    assert changes(after, after) == []
