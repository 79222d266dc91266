from __future__ import annotations

from reliability.domain.restatement import Difference, differences, in_words

BEFORE: dict[str, object] = {
    "window": {"as_of_at": "Monday"},
    "total": {"change_failure": {"failed_count": 0, "failed_deploy_ids": []}, "issues": {"total_count": 1}},
    "weeks": [{"downtime_seconds": 5}],
}
AFTER: dict[str, object] = {
    "window": {"as_of_at": "Wednesday"},
    "total": {"change_failure": {"failed_count": 1, "failed_deploy_ids": ["d2"]}, "issues": {"total_count": 1}},
    "weeks": [{"downtime_seconds": 5}, {"downtime_seconds": 0}],
}


def test_numbers_that_differ_by_path() -> None:
    assert differences(BEFORE, AFTER) == [
        Difference("total.change_failure.failed_count", 0, 1),
        Difference("total.change_failure.failed_deploy_ids", [], ["d2"]),
        Difference("weeks.1.downtime_seconds", None, 0),
    ]
    assert differences(BEFORE, BEFORE) == []


def test_in_words() -> None:
    assert in_words(differences(BEFORE, AFTER)) == "failed deploys: was 0, now 1"
    assert in_words([Difference("total.issues.total_count", 1, 2)]) == "incidents: was 1, now 2"
    assert in_words([Difference("weeks.1.downtime_seconds", None, 0)]) == "1 number differs"
    assert in_words([Difference("a", 1, 2), Difference("b", 1, 2)]) == "2 numbers differ"


def test_as_it_is_stored() -> None:
    assert Difference("a", None, 1).printed() == {"path": "a", "before": None, "after": 1}
