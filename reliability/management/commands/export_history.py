"""`manage.py export_history`: everything a team knows, in the format that `import_history` reads."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from deploys.actions.catalog import UnknownTeam
from reliability.management.history_files import team_for_reading
from reliability.queries.export import history_lines


class Command(BaseCommand):
    """Prints JSON lines."""

    help = "Print a team's history as JSON lines on standard output."

    def add_arguments(self, parser: CommandParser) -> None:
        """Whose, and how much."""
        parser.add_argument("--team", help="slug of the team (default: the only one)")
        parser.add_argument("--without-errors", action="store_true", help="leave error reports out")

    def handle(self, *args: Any, **options: Any) -> None:  # Any: Django's signature
        """Prints line after line."""
        try:
            team = team_for_reading(options["team"])
        except UnknownTeam as error:
            raise CommandError(str(error)) from error
        for line in history_lines(team=team, with_errors=not options["without_errors"]):
            self.stdout.write(line.decode())
