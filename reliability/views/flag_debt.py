"""The panel of the clean-up page that tells whether there are more stale flags than there were."""

from __future__ import annotations

from django.template.loader import render_to_string

from deploys import clock
from deploys.views.access import TeamRequest
from reliability.addresses import report_url
from reliability.queries.flag_debt import debt_weeks


def flag_debt(request: TeamRequest, _: object) -> str:
    """Twelve weeks as closed reports told them; nothing before there are two."""
    weeks = debt_weeks(request.team, now=clock.now())
    known = [week for week in weeks if week.stale_count is not None and week.flags_count]
    if len(known) < 2:
        return ""
    context = {
        "weeks": [(week, report_url(request.team, week.label)) for week in weeks], "stale": [week.stale_count for week in weeks],
        "first": known[0], "last": known[-1],
    }  # fmt: skip
    return render_to_string("reliability/_flag_debt.html", context, request)
