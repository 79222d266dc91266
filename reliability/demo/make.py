"""Makes the demo: the older part of its story is imported, the last days are played through the live path."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Final

import orjson

from deploys import clock
from deploys.actions.catalog import add_member, make_team
from deploys.models import Role, Team, User
from incidents.actions import causes, states
from incidents.models import Cause, Incident
from reliability.actions import channels
from reliability.actions.history import import_history, read_for_import
from reliability.actions.replay import play
from reliability.demo import DEMO_PERSON, DEMO_TEAM
from reliability.demo.deliveries import log_deliveries
from reliability.demo.fleet import ZONE
from reliability.demo.learned import people_learn
from reliability.demo.story import LINE, LIVE_DAYS, demo_lines

STEP: Final = dt.timedelta(minutes=5)
COLLEAGUES: Final = (
    ("ida@example.org", "Ida", Role.ADMIN),
    ("jonas@example.org", "Jonas", Role.RESPONDER),
    ("mads@example.org", "Mads", Role.VIEWER),
)

Progress = Callable[[str, int, int], None]
"""Told (what is being done, lines done, lines to do)."""


def has_demo() -> bool:
    """Whether the demo was made here, whole: the team gets its name when everything else is done."""
    return Team.objects.filter(slug=DEMO_TEAM).exists()


def make_demo(*, now: dt.datetime, progress: Progress = lambda _what, _done, _total: None) -> Team:
    """The demo team, with a history that ends at the last full five minutes before `now`. A half-made one is made anew."""
    anchor = now - (now - dt.datetime.min.replace(tzinfo=dt.UTC)) % STEP
    Team.objects.filter(slug=f"{DEMO_TEAM}-unfinished").delete()
    born = anchor - dt.timedelta(days=90)
    person, _ = User.objects.get_or_create(email=DEMO_PERSON, defaults={"first_name": "Demo", "zone": ZONE})
    team = make_team(name="Shop", slug=f"{DEMO_TEAM}-unfinished", zone=ZONE, now=born, admin=person)
    for email, name, role in COLLEAGUES:
        colleague, _ = User.objects.get_or_create(email=email, defaults={"first_name": name, "zone": ZONE})
        add_member(team=team, user=colleague, role=role, now=born)
    _keep_quiet(team, person, born)
    lines = demo_lines(anchor)
    live_from = (anchor - dt.timedelta(days=LIVE_DAYS)).isoformat()
    older = [
        line for line in lines if dt.datetime.fromisoformat(line["received_at"]) < dt.datetime.fromisoformat(live_from)
    ]
    reading = read_for_import(team=team, lines=_encoded(older))
    import_history(
        team=team,
        reading=reading,
        now=now,
        progress=lambda done, _: progress("importing the weeks before", done, len(older)),
    )
    _play_recent(team, lines[len(older) :], anchor, progress)
    _people_decide(team, person)
    log_deliveries(team=team, lines=lines, now=anchor)
    people_learn(team=team, lead=person, colleague=User.objects.get(email=COLLEAGUES[1][0]), now=anchor)
    Team.objects.filter(pk=team.pk).update(slug=DEMO_TEAM)
    team.slug = DEMO_TEAM
    return team


def _keep_quiet(team: Team, person: User, now: dt.datetime) -> None:
    """A channel that is muted: the people of the demo are nobody to write to."""
    wanted = channels.Wanted("On call", is_to_members=True, zone=ZONE)
    channel, _ = channels.make_channel(team=team, kind="email", wanted=wanted, by=person, now=now)
    channels.mute(channel=channel, until=channels.FOR_GOOD)


def _encoded(lines: list[LINE]) -> list[bytes]:
    return [orjson.dumps(line) for line in lines]


def _play_recent(team: Team, lines: list[LINE], anchor: dt.datetime, progress: Progress) -> None:
    """The last days, as live traffic: incidents, classes and verdicts are the machine's own."""
    reading = read_for_import(team=team, lines=_encoded(lines))
    done = 0

    def count(some: int, total: int) -> None:
        nonlocal done
        done += some
        progress("playing the last days", done, total)

    play(reading=reading, team=team, until=anchor, progress=count)


def _people_decide(team: Team, person: User) -> None:
    """People have confirmed what caused all but the last of the machine's incidents, which waits for the reader."""
    found = list(Incident.objects.filter(team=team, source="upshot").order_by("begins_at"))
    for incident in found[:-1]:
        suggested = (
            Cause.objects.select_related("change")
            .filter(incident=incident, status=Cause.Status.SUGGESTED, change__isnull=False)
            .first()
        )
        at = (incident.restored_at or incident.begins_at) + dt.timedelta(hours=1)
        if at > clock.now():
            continue
        with clock.at(at):
            states.acknowledge(incident=incident, by=person, now=at - dt.timedelta(minutes=50))
            if suggested is not None and suggested.change is not None:
                causes.confirm_cause(incident=incident, change=suggested.change, by=person, now=at)
