"""Many tables made as one step of a migration, and taken away again."""

from __future__ import annotations

import pytest
from django.db import connection, migrations, models
from django.db.migrations.state import ProjectState
from django.db.migrations.writer import MigrationWriter

from deploys.table_operations import CreateModels


def pair() -> CreateModels:
    """Two tables, the second of which refers to the first."""
    one = migrations.CreateModel("One", [("id", models.BigAutoField(primary_key=True))])
    two = migrations.CreateModel(
        "Two",
        [
            ("id", models.BigAutoField(primary_key=True)),
            ("one", models.ForeignKey("deploys.one", on_delete=models.CASCADE)),
        ],
    )
    return CreateModels(models=[one, two])


@pytest.mark.database
@pytest.mark.django_db(transaction=True)
def test_tables_are_made_and_dropped_in_an_order_that_references_allow() -> None:
    make, before = pair(), ProjectState()
    after = before.clone()
    make.state_forwards("deploys", after)
    names = {"deploys_one", "deploys_two"}

    with connection.schema_editor() as editor:
        make.database_forwards("deploys", editor, before, after)
    assert names <= set(connection.introspection.table_names())

    with connection.schema_editor() as editor:
        make.database_backwards("deploys", editor, after, before)
    assert not names & set(connection.introspection.table_names())


def test_what_was_known_as_classes_is_made_anew() -> None:
    state = ProjectState()
    assert not list(state.apps.get_models())

    pair().state_forwards("deploys", state)

    assert {model.__name__ for model in state.apps.get_models()} == {"One", "Two"}


def test_a_migration_writes_it_and_says_what_it_does() -> None:
    migration = type("Migration", (migrations.Migration,), {"operations": [pair()]})("0001_both", "deploys")

    text = MigrationWriter(migration, include_header=False).as_string()

    assert "import deploys.table_operations" in text
    assert text.count("migrations.CreateModel(") == 2
    assert pair().describe() == "Create 2 models"
