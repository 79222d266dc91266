"""What a message about a release may hold."""

from __future__ import annotations

from deploys.domain.commits import CommitReport
from deploys.domain.release_report import ReleaseReport


def test_the_newest_two_thousand_commits_are_kept() -> None:
    commits = tuple(CommitReport(str(number)) for number in range(2001))

    shorter, said = ReleaseReport("1", commits=commits).within_limits()

    assert shorter == ReleaseReport("1", commits=commits[:2000])
    assert said == "2001 commits were sent: the newest 2000 are kept"


def test_less_stays_as_it_is() -> None:
    for report in (
        ReleaseReport("1"),
        ReleaseReport("1", commits=()),
        ReleaseReport("1", commits=(CommitReport("a"),)),
    ):
        assert report.within_limits() == (report, "")
