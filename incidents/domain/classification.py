"""Which of the four classes an incident is, counted from its own evidence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from incidents.domain.evidence import Episode, ServiceFacts
from incidents.domain.grouping import Group


@dataclass(frozen=True, slots=True)
class Class:
    """``name`` is downtime, multi_user, single_user or impactless; ``note`` says why, with counts."""

    name: str
    users: int
    note: str


def distinct(episodes: Sequence[Episode]) -> tuple[int, int]:
    """Distinct users and distinct sessions: counted over the samples, at least the largest exact count of one issue."""
    users = {s.user for e in episodes for s in e.sightings if s.user}
    sessions = {s.session for e in episodes for s in e.sightings if s.session}
    return (
        max([len(users), *(e.users for e in episodes)]),
        max([len(sessions), *(e.sessions for e in episodes)]),
    )


def classify(group: Group, services: Sequence[ServiceFacts]) -> Class:
    """The class by the rules of this product: checks first, then people, then sessions where people are not told.

    ``services`` are the facts of the group's services. Next to failed checks counts the word of an alert or status source.
    """
    users, sessions = distinct(group.episodes)
    down = [o for o in group.outages if o.is_unanswered]
    if down:
        names = ", ".join(sorted({o.service for o in down}))
        return Class("downtime", users, f"consecutive failed checks of {names}; {_people(users)} in its errors")
    if any(o.says_down for o in group.outages):
        seen = f"; {_people(users)} in its errors" if group.episodes else "; no error was reported"
        return Class("downtime", users, f"an alert source says it is down{seen}")
    if users >= 2:
        return Class("multi_user", users, f"{users} distinct users in its errors")
    if users == 1:
        return Class("single_user", 1, "1 distinct user in its errors")
    if group.outages and not group.episodes:
        alone = "an alert says so" if any(o.alert for o in group.outages) else "a job did not run as it should"
        return Class("impactless", 0, f"{alone}; no user was seen to be hit")
    if any(facts.reports_users for facts in services):
        return Class("impactless", 0, "no user in its errors, though the service reports users on others")
    if group.episodes and not any(e.issue.is_from_request for e in group.episodes):
        return Class("impactless", 0, "its errors come from no request")
    if sessions >= 2:
        return Class("multi_user", 0, f"{sessions} distinct sessions; users not reported: call set_user")
    if sessions == 1:
        return Class("single_user", 0, "1 distinct session; users not reported: call set_user")
    return Class("impactless", 0, "users not reported")


def _people(users: int) -> str:
    return "1 user" if users == 1 else f"{users} users"
