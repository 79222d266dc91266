"""What is known of pushes."""

from __future__ import annotations

from collections.abc import Sequence

from deploys.models import Push, Team
from deploys.queries.chunks import chunks


def had_more(team: Team, shas: Sequence[str]) -> bool:
    """Whether a push with one of these commits had others that its sender did not name. One query in most teams."""
    truncated = Push.objects.filter(team=team, is_truncated=True)
    return truncated.exists() and any(truncated.filter(commits__sha__in=some).exists() for some in chunks(shas))
