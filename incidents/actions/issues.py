"""What people decide about an issue."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from deploys.models import Membership, User
from incidents.models import Issue


class IssueRefused(ValueError):
    """What was asked of the issue cannot be."""


def resolve_issue(*, issue: Issue, now: dt.datetime, in_release: str = "") -> None:
    """It is fixed, in `in_release` where one is named: the same error later, or in a later release, is a regression."""
    Issue.objects.filter(pk=issue.pk).update(
        status=Issue.Status.RESOLVED, resolved_at=now, resolved_in_release=in_release.strip()[:250]
    )


def ignore_issue(*, issue: Issue) -> None:
    """It is known and left alone: it is counted, but opens no incident."""
    Issue.objects.filter(pk=issue.pk).update(status=Issue.Status.IGNORED, resolved_at=None, resolved_in_release="")


def reopen_issue(*, issue: Issue) -> None:
    """It matters again."""
    Issue.objects.filter(pk=issue.pk).update(status=Issue.Status.OPEN, resolved_at=None, resolved_in_release="")


@transaction.atomic
def assign_issue(*, issue: Issue, to: User | None) -> None:
    """This member looks after it; None: nobody. Raises IssueRefused for somebody outside the team."""
    if to is not None and not Membership.objects.filter(team=issue.service.team_id, user=to).exists():
        raise IssueRefused("Choose a member of this team.")
    Issue.objects.filter(pk=issue.pk).update(assignee=to)
