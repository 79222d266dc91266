"""`manage.py openslo`: objectives from OpenSLO v1 YAML, and as such."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from deploys.actions.catalog import UnknownTeam
from reliability.actions.openslo import Taken, as_openslo, take
from reliability.formats.openslo import NotOpenSlo
from reliability.management.history_files import team_for_reading


class Command(BaseCommand):
    """Without a file prints the team's objectives; with one sets those it holds."""

    help = "Print the objectives of a team as OpenSLO v1, or set those of an OpenSLO file (- reads standard input)."

    def add_arguments(self, parser: CommandParser) -> None:
        """The file, the team."""
        parser.add_argument("file", nargs="?", help="OpenSLO v1 YAML; - for standard input")
        parser.add_argument("--team", help="slug of the team (default: the only one)")

    def handle(self, *args: Any, **options: Any) -> None:  # Any: Django's signature
        """Sets or prints. Ends with 3 where an SLO was refused."""
        try:
            team = team_for_reading(options["team"])
        except UnknownTeam as error:
            raise CommandError(str(error)) from error
        if options["file"] is None:
            self.stdout.write(as_openslo(team), ending="")
            return
        text = sys.stdin.read() if options["file"] == "-" else Path(options["file"]).read_text(encoding="utf-8")
        try:
            done = take(team=team, text=text, by=None)
        except NotOpenSlo as error:
            raise CommandError(f"not OpenSLO: {error}") from error
        problems = [str(each) for each in done if each.state is Taken.REFUSED]
        self.stdout.write(f"{len(done) - len(problems)} set, {len(problems)} refused")
        for problem in problems:
            self.stderr.write(problem)
        if problems:
            sys.exit(3)
