"""What the people of the demo wrote after their incidents: a retrospective, promises kept and not, and runbooks."""

from __future__ import annotations

import datetime as dt
from typing import Final

from deploys.models import Team, User
from incidents.actions.retrospectives import end_item, finish, promise, save_answers
from incidents.actions.runbooks import mark_used, revise, write_runbook
from incidents.domain.promises import ItemState
from incidents.models import Incident, RunbookUse

DAY: Final = dt.timedelta(days=1)
ANSWERS: Final = {
    "summary": "The card network stopped answering. Orders were taken, no card was charged. It came back by itself.",
    "impact": "Nobody could pay by card. **Invoices went on working**, which few customers found.",
    "conditions": "We wait thirty seconds for each answer, so a few hundred waiting requests fill the whole pool.",
    "detection": "Our monitors saw it after two minutes. The network's own status page followed half an hour later.",
    "response": "The dashboard showed at once that no deploy was near. Finding the right telephone number took ten minutes.",
    "luck": "It was half past eleven, not six in the evening.",
    "learned": "A provider that is slow does us more harm than one that is down.",
}
RUNBOOK: Final = """Cards are refused or time out, and nothing was deployed.

1. Look at the network's status page.
2. Turn on the flag `invoice-first`: invoices become the first way to pay.
3. Call the network's hotline; the number stands in the team's handbook.

> It worked when orders by invoice rise within five minutes.
"""


def people_learn(*, team: Team, lead: User, colleague: User, now: dt.datetime) -> None:
    """Writes it, as of the days after the last outage of somebody else that history knows; nothing where there was none."""
    incident = (
        Incident.objects.filter(team=team, source="history", causes__kind="external", restored_at__isnull=False)
        .select_related("team")
        .order_by("-begins_at")
        .first()
    )
    if incident is None:
        return
    service = incident.incident_services.select_related("service__team").order_by("position")[0].service
    after = min(incident.begins_at + DAY, now)
    title = "Cards are refused and nothing was deployed"
    runbook = write_runbook(
        service=service, title=title, text="Call the card network.", by=lead, now=incident.begins_at - 30 * DAY
    )
    outcome = RunbookUse.Outcome.PARTLY
    mark_used(
        incident=incident, runbook=runbook, outcome=outcome, note="the number was missing", by=colleague, now=after
    )
    revise(
        runbook=runbook,
        title=title,
        text=RUNBOOK,
        seen=1,
        by=colleague,
        now=after,
        note="with the number, and invoices first",
    )
    save_answers(incident=incident, answers=ANSWERS, revision=0, by=lead, now=after)
    finish(incident=incident, is_finished=True, by=lead, now=after)
    today = now.date()
    for what, owner, due_on, is_kept in (
        ("Write the hotline's number into the runbook", colleague, after.date() + DAY, True),
        ("Wait for the card network three seconds, not thirty", lead, today - 4 * DAY, False),
        ("Show invoices first when cards fail", None, today + 10 * DAY, False),
    ):
        item = promise(incident=incident, title=what, owner=owner, due_on=due_on, by=lead, now=after)
        if is_kept:
            end_item(item=item, state=ItemState.DONE, by=colleague, now=min(after + DAY, now))
