"""Teams, their people, services and environments: found by name, made where missing."""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Iterable, Mapping
from typing import Any, Final

from django.db import transaction
from django.utils.text import slugify

from deploys import clock
from deploys.actions.facts import record_fact
from deploys.domain.tiers import tier_of
from deploys.models import DsnKey, Environment, FactOrigin, Membership, Policy, ProjectNumber, Role, Service, Team, User
from deploys.queries.prepared import PreparedRows
from deploys.signals import service_declared

_environments: Final = PreparedRows(lambda team: Environment.objects.filter(team=team), team=-101)
_services: Final = PreparedRows(
    lambda team, names: Service.objects.filter(team=team, name__among=names), team=-101, names=["(name)"]
)

#: The one environment that stands for all beyond a bound.
OTHER_ENVIRONMENTS: Final = "(others)"


class UnknownTeam(LookupError):
    """No team of that name, or no name given where there are several."""


class NotThatName(ValueError):
    """A name that cannot stand for a service, an environment or a team."""


def clean_name(name: str, *, what: str, longest: int) -> str:
    """The name without space around it. NotThatName when it is empty, too long or holds a control character."""
    name = name.strip()
    if not name or len(name) > longest or not name.isprintable():
        raise NotThatName(f"{what}: expected 1 to {longest} printable characters")
    return name


# -- teams ----------------------------------------------------------------------------------------------------------


@transaction.atomic
def make_team(
    *, name: str, slug: str = "", zone: str = "UTC", now: dt.datetime | None = None, admin: User | None = None
) -> Team:
    """A new team with its policy at the defaults, and `admin` as its first member."""
    name = clean_name(name, what="team", longest=100)
    team = Team.objects.create(
        name=name, slug=slug or free_slug(name), zone=zone, created_at=now if now is not None else clock.now()
    )
    Policy.objects.create(team=team)
    if admin is not None:
        add_member(team=team, user=admin, role=Role.ADMIN, now=team.created_at)
    return team


def free_slug(name: str) -> str:
    """A slug for this name that no team has yet."""
    base = slugify(name)[:50] or "team"
    taken = set(Team.objects.filter(slug__startswith=base).values_list("slug", flat=True))
    if base not in taken:
        return base
    return next(slug for slug in (f"{base}-{n}" for n in range(2, len(taken) + 3)) if slug not in taken)


def ensure_team(slug: str | None = None) -> Team:
    """The team a command works on: the one named, else the only one, else `default`, made on an empty database.

    UnknownTeam when the name is unknown or several teams exist and none is named.
    """
    if slug is not None:
        team = Team.objects.filter(slug=slug).first()
        if team is None:
            raise UnknownTeam(f"--team: no team {slug!r}")
        return team
    teams = list(Team.objects.order_by("id")[:2])
    if len(teams) > 1:
        raise UnknownTeam("--team: several teams exist, name one")
    return teams[0] if teams else make_team(name="default")


def add_member(*, team: Team, user: User, role: str, now: dt.datetime | None = None) -> Membership:
    """The person is a member with this role from now on; a member already there gets this role."""
    membership, _ = Membership.objects.update_or_create(
        team=team,
        user=user,
        defaults={"role": role},
        create_defaults={"role": role, "created_at": now if now is not None else clock.now()},
    )
    return membership


# -- environments ---------------------------------------------------------------------------------------------------


def environments_by_name(
    *, team: Team, names: Iterable[str], now: dt.datetime, most: int | None = None
) -> dict[str, Environment]:
    """The environments with these names, whatever their case, keyed by the name as given; missing ones are made.

    One query, and two more where something is missing. The row keeps the spelling that came first. A team with `most`
    environments gets no more of them: names it does not have all stand for OTHER_ENVIRONMENTS then.
    """
    wanted = dict.fromkeys(names)
    if not wanted:
        return {}
    known = _known_environments(team)
    missing = {name.lower(): name for name in reversed(wanted) if name.lower() not in known}
    surplus: set[str] = set()
    if missing and most is not None and len(known) + len(missing) > most:
        surplus = set(sorted(missing)[max(0, most - len(known)) :])
        missing = {key: name for key, name in missing.items() if key not in surplus}
        missing.update({} if OTHER_ENVIRONMENTS in known else {OTHER_ENVIRONMENTS: OTHER_ENVIRONMENTS})
    if missing:
        Environment.objects.bulk_create(
            [
                Environment(team=team, name=name[:100], tier=tier_of(name), created_at=now)
                for name in reversed(missing.values())
            ],
            ignore_conflicts=True,
        )
        known = _known_environments(team)
    return {name: known[OTHER_ENVIRONMENTS if name.lower() in surplus else name[:100].lower()] for name in wanted}


def _known_environments(team: Team) -> dict[str, Environment]:
    """By name in lower case."""
    found = _environments(team=team.pk)
    for each in found:
        each.team = team
    return {each.name.lower(): each for each in found}


def environment_of(*, team: Team, name: str, now: dt.datetime | None = None) -> Environment:
    """The environment of this name, whatever its case; made where it is missing."""
    moment = now if now is not None else clock.now()
    return environments_by_name(team=team, names=[name], now=moment)[name]


# -- services -------------------------------------------------------------------------------------------------------


def services_by_name(*, team: Team, names: Iterable[str], now: dt.datetime) -> dict[str, Service]:
    """The services with these names, each with number and DSN key; missing ones are made as not declared.

    For the projectors of every kind that names services. One query, and three where something is missing.
    """
    wanted = list(dict.fromkeys(names))
    known = _known_services(team, wanted)
    missing = [name for name in wanted if name not in known]
    if missing:
        numbers = ProjectNumber.objects.bulk_create([ProjectNumber() for _ in missing])
        Service.objects.bulk_create(
            [
                Service(team=team, name=name, number=number.pk, is_declared=False, created_at=now)
                for name, number in zip(missing, numbers, strict=True)
            ],
            ignore_conflicts=True,
        )
        made = _known_services(team, missing)
        DsnKey.objects.bulk_create(
            [
                DsnKey(service=service, public_key=new_public_key(), created_at=now)
                for service in made.values()
                if service.number in {number.pk for number in numbers}
            ]
        )
        known.update(made)
    return known


def _known_services(team: Team, names: list[str]) -> dict[str, Service]:
    found = _services(team=team.pk, names=names)
    for each in found:
        each.team = team
    return {each.name: each for each in found}


def new_public_key() -> str:
    """128 random bits in hex, the form SDKs accept in a DSN."""
    return secrets.token_hex(16)


def make_service(
    *,
    team: Team,
    name: str,
    now: dt.datetime | None = None,
    actor: User | None = None,
    **facts: Any,  # Any: values of the history format's keys
) -> Service:
    """Declares a service, with keys of the history format (`critical`, `users`, `depends_on`, …); one that exists is
    declared again, which changes only the keys given. Goes through the fact log.
    """
    name = clean_name(name, what="service", longest=200)
    edit_service(team=team, name=name, facts=facts, now=now, actor=actor)
    service = team.services.get(name=name)
    transaction.on_commit(lambda: service_declared.send(sender=Service, service_id=service.pk))
    return service


def edit_service(
    *,
    team: Team,
    name: str,
    facts: Mapping[str, Any],  # Any: values of the history format's keys
    now: dt.datetime | None = None,
    actor: User | None = None,
) -> None:
    """Records what a person or a command says about a service, in the history format's keys."""
    record_fact(
        team=team,
        kind="service",
        payload={"service": name, **facts},
        received_at=now if now is not None else clock.now(),
        origin=FactOrigin.PERSON if actor is not None else FactOrigin.LIVE,
        source="upshot",
        actor=actor,
    )


def set_owner_group(*, service: Service, name: str) -> None:
    """The service belongs to this group of its team from now on; an empty name means to nobody."""
    name = name.strip()
    group = None
    if name:
        name = clean_name(name, what="owner group", longest=100)
        group = service.team.owner_groups.filter(name__iexact=name).first()
        group = group or service.team.owner_groups.create(name=name)
    Service.objects.filter(pk=service.pk).update(owner_group=group)


def set_event_rate(*, service: Service, rate: int | None, burst: int | None) -> None:
    """What the service may send from now on: `rate` errors a second and `burst` at once. None is what the instance has,
    and a rate of 0 means no limit. The web processes follow within seconds.
    """
    Service.objects.filter(pk=service.pk).update(event_rate=rate, event_burst=burst)
