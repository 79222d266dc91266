"""What a command says on a database without tables."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from django.db import DatabaseError
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.recorder import MigrationRecorder

from reliability.tables import missing_tables
from tests.instance import ROOT, Instance

SENTENCE = (
    "The database has no tables yet, or not all that this version needs: run `manage.py start`, which makes them and"
    " serves, or only `{}`."
)


@pytest.mark.processes
@pytest.mark.parametrize(
    "command",
    [
        ("metrics", "--from", "2026-03-02", "--to", "2026-03-09"),
        ("export_history",),
        ("provision", "acme/shop"),
        ("dead_letters",),
        ("signin_link", "noor@example.org"),
    ],
    ids=lambda command: command[0],
)
def test_a_command_without_tables_names_the_command_to_run(command: tuple[str, ...], tmp_path: Path) -> None:
    environment = Instance(tmp_path).environment

    done = subprocess.run(
        [sys.executable, "manage.py", *command], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )

    sentence = SENTENCE.format("manage.py migrate && manage.py migrate --database inbox")
    assert (done.returncode, done.stdout, done.stderr) == (1, "", sentence + "\n")


@pytest.mark.django_db(databases="__all__")
@pytest.mark.database
def test_a_database_with_all_its_migrations_lacks_nothing_and_one_without_the_last_does() -> None:
    whole = missing_tables()
    MigrationRecorder.Migration.objects.filter(app="reliability").delete()

    assert (whole, missing_tables()) == ("", SENTENCE.format("manage.py migrate"))


def test_a_database_that_cannot_be_asked_is_another_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise DatabaseError("gone")

    monkeypatch.setattr(MigrationExecutor, "__init__", fail)

    assert missing_tables() == ""
