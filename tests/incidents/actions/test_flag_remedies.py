"""An incident blamed on a flag, and the flag turned off from there."""

from __future__ import annotations

import datetime as dt

import pytest

from deploys.actions.flag_switches import kill_flag
from deploys.models import Change, FlagSettings, RegisteredFlag, Team, User
from incidents.actions.causes import CauseRefused
from incidents.actions.flag_remedies import turn_off
from incidents.models import Incident, IncidentIssue
from tests.conftest import NOON
from tests.factories.catalog import TeamFactory, UserFactory
from tests.factories.flags import percent, registered, served_by
from tests.factories.incidents import IssueFactory, environment_of, flag_of, incident_of, service_of

pytestmark = [pytest.mark.django_db(databases="__all__"), pytest.mark.database]

LATER = NOON + dt.timedelta(minutes=30)


@pytest.fixture
def team() -> Team:
    return TeamFactory()


@pytest.fixture
def ida() -> User:
    return UserFactory()


def flipped(team: Team) -> tuple[RegisteredFlag, Change]:
    """A flag brought to half the users twenty minutes before noon."""
    flag = registered(team)
    revision = served_by(flag, environment_of(team), percent(50), now=NOON - dt.timedelta(minutes=20))
    assert revision is not None
    assert revision.change is not None
    return flag, Change.objects.select_related("environment", "flag_change__flag").get(pk=revision.change_id)


def test_with_errors_it_is_mitigated_and_they_say_when_it_is_over(team: Team, ida: User) -> None:
    flag, change = flipped(team)
    incident = incident_of(team, title="Checkout fails")
    IncidentIssue.objects.create(incident=incident, issue=IssueFactory(service=service_of(team)), from_at=NOON)

    told = turn_off(incident=incident, change=change, by=ida, now=LATER)

    kill = FlagSettings.objects.get(flag=flag).document["kill"]
    assert (told.mitigated_at, told.restored_at) == (LATER, None)
    assert kill["reason"] == f"{incident.slug}: Checkout fails"
    remedy = told.remedies.get().change
    assert remedy is not None
    assert (remedy.at, remedy.flag_change.new_percent, remedy.flag_change.flag.key) == (LATER, 0, "new-cart")


def test_without_errors_it_counts_as_restored(team: Team, ida: User) -> None:
    _, change = flipped(team)

    told = turn_off(incident=incident_of(team), change=change, by=ida, now=LATER)

    assert (told.restored_at, told.remedies.count()) == (LATER, 1)


def test_what_is_off_or_not_ours_is_refused(team: Team, ida: User) -> None:
    flag, change = flipped(team)
    incident = incident_of(team)
    theirs = flipped(TeamFactory())[1]
    heard = flag_of(team)
    kill_flag(flag=flag, environment=change.environment, reason="x", until=None, now=NOON, by=ida)

    for each in (change, theirs, heard):
        with pytest.raises(CauseRefused):
            turn_off(incident=incident, change=each, by=ida, now=LATER)

    assert Incident.objects.get(pk=incident.pk).remedies.count() == 0
    assert FlagSettings.objects.get(flag__team=theirs.team).document["kill"] is None
