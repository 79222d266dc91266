"""What an admin decides for the whole team: its name and zone, how much the machine may do, how things are counted."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from deploys.actions.catalog import clean_name
from deploys.actions.facts import record_fact
from deploys.models import FactOrigin, OwnerGroup, Policy, Team, User

PolicyValue = str | int | list[str]


class NameTaken(ValueError):
    """Somebody was faster with this name."""


def change_team(*, team: Team, name: str, zone: str, auto_open: bool, event_days: int) -> None:
    """Name, zone of the reports, whether the machine opens incidents by itself, and for how many days error reports are
    kept. Raises NotThatName.
    """
    team.name = clean_name(name, what="team", longest=100)
    team.zone, team.auto_open, team.event_days = zone, auto_open, event_days
    team.save(update_fields=["name", "zone", "auto_open", "event_days"])


def change_policy(*, team: Team, policy: Mapping[str, PolicyValue], by: User, now: dt.datetime) -> None:
    """From now on the team counts like this. The policy is a fact: reports of before keep theirs in their snapshots."""
    record_fact(
        team=team,
        kind="history",
        payload={"version": 1, "policy": dict(policy)},
        received_at=now,
        origin=FactOrigin.PERSON,
        source="upshot",
        actor=by,
    )


def policy_of(team: Team) -> dict[str, PolicyValue]:
    """The counting policy in force, in the words of the history format."""
    row = Policy.objects.filter(team=team).first() or Policy(team=team)
    return {
        "environment": row.environment,
        "failure_classes": row.failure_classes or ["downtime", "multi_user"],
        "deploy_timeout_seconds": row.deploy_timeout_seconds,
        "pending_seconds": row.pending_seconds,
        "maintenance_notice_seconds": row.maintenance_notice_seconds,
        "stale_after_seconds": row.stale_after_seconds,
    }


def rename_group(*, group: OwnerGroup, name: str) -> None:
    """Another name for an owner group. NameTaken when the team has a group of that name, else NotThatName."""
    name = clean_name(name, what="owner group", longest=100)
    if OwnerGroup.objects.filter(team=group.team_id, name__iexact=name).exclude(pk=group.pk).exists():
        raise NameTaken(f"owner group: the team has one called {name}")
    group.name = name
    group.save(update_fields=["name"])


def remove_group(*, group: OwnerGroup) -> None:
    """The group is gone; its services belong to nobody."""
    group.delete()
