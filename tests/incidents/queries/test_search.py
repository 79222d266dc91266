"""Incidents are found by what people wrote about them, on both databases, whatever changed since."""

from __future__ import annotations

import pytest
from django.db import connection

from deploys.models import Team
from incidents.actions.search_index import ensure_search_index
from incidents.models import Incident, Retrospective, TimelineEntry
from incidents.queries.incidents import IncidentFilter, incident_page
from incidents.queries.search import words_of
from tests.conftest import NOON
from tests.factories.catalog import TeamFactory
from tests.factories.incidents import incident_of

pytestmark = [pytest.mark.django_db, pytest.mark.database]


@pytest.fixture
def team() -> Team:
    return TeamFactory()


def note(incident: Incident, text: str) -> TimelineEntry:
    return TimelineEntry.objects.create(incident=incident, at=NOON, kind="note", text=text)


def found(team: Team, text: str) -> list[str]:
    page = incident_page(team=team, wanted=IncidentFilter(text=text))
    return sorted(incident.title for incident in page.incidents)


def test_titles_numbers_notes_and_answers(team: Team) -> None:
    first, second = incident_of(team, title="Totals"), incident_of(team, title="Login")
    note(first, "The *column* was empty: backfill!")
    Retrospective.objects.create(incident=second, answers={"luck": "Die Säule hielt"}, updated_at=NOON)
    note(incident_of(TeamFactory(), title="Theirs"), "column")

    assert found(team, "otal") == ["Totals"]
    assert found(team, "inc-2") == ["Login"]
    assert found(team, "COLUMN backf") == ["Totals"]
    assert found(team, "säule") == ["Login"]
    assert found(team, "column nowhere") == []
    assert found(team, "luck") == []


def test_what_is_changed_or_gone_is_found_no_more(team: Team) -> None:
    entry = note(incident_of(team, title="Totals"), "column")
    told = Retrospective.objects.create(incident=entry.incident, answers={"luck": "backup"}, updated_at=NOON)

    entry.text = "index"
    entry.save()
    Retrospective.objects.filter(pk=told.pk).update(answers={"luck": "replica"})

    assert [found(team, word) for word in ("column", "index", "backup", "replica")] == [[], ["Totals"], [], ["Totals"]]
    entry.delete()
    told.delete()
    assert [found(team, word) for word in ("index", "replica")] == [[], []]


@pytest.mark.parametrize(
    "text", ['"', "' OR 1=1", "a AND", "NOT", "* ^ :", "()", "%", "a:b*", "NEAR(a b)", "&|!", "\\"]
)
def test_no_text_breaks_it(team: Team, text: str) -> None:
    note(incident_of(team, title="Totals"), "column")

    assert found(team, text) == []


def test_words_are_few_and_in_lower_case() -> None:
    assert words_of("It's a b c d e f g h i") == ["it", "s", "a", "b", "c", "d", "e", "f"]


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL's indexes cannot be lost like this")
def test_an_index_that_a_migration_lost_is_made_again(team: Team) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER incidents_timelineentry_fts_add")
    note(incident_of(team, title="Totals"), "column")
    assert found(team, "column") == []

    ensure_search_index()
    ensure_search_index()

    assert found(team, "column") == ["Totals"]
