from __future__ import annotations

from incidents.domain.response import Ending, ResponseRole, Severity


def test_everything_has_words() -> None:
    assert [role.words for role in ResponseRole] == [
        "incident lead", "communications", "change sponsor", "deployment lead", "data steward", "rollback captain",
    ]  # fmt: skip
    assert all(role.duty for role in ResponseRole)
    assert [(each.words, bool(each.meaning)) for each in (Severity.UNSAID, Severity.SEV1)] == [
        ("not said", True), ("SEV1", True),
    ]  # fmt: skip
    assert len({each.words for each in Ending}) == len(Ending)
