"""`manage.py import_history FILE`: what happened elsewhere, line by line."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from deploys import clock
from deploys.actions.catalog import UnknownTeam, ensure_team
from deploys.models import Team
from reliability.actions.history import import_history, propose_incidents, read_for_import, summary
from reliability.formats.history import Reading
from reliability.management.history_files import Progress, file_lines, team_for_reading

EXIT_REFUSED = 3


class Command(BaseCommand):
    """Exit status 0: every line accepted or known already; 3: some lines refused."""

    help = "Import a history file (JSON lines). Importing the same file again changes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        """The file, and how careful to be."""
        parser.add_argument("file", type=Path, help="the file, or - for standard input")
        parser.add_argument("--dry-run", action="store_true", help="only say what would be done")
        parser.add_argument("--strict", action="store_true", help="one refused line imports nothing")
        parser.add_argument("--detect", action="store_true", help="propose incidents from errors and probes")
        parser.add_argument("--format", choices=["text", "json"], default="text", help="how to print the result")
        parser.add_argument("--team", help="slug of the team (default: the only one; made on an empty database)")

    def handle(self, *args: Any, **options: Any) -> None:  # Any: Django's signature
        """Reads, writes, tells."""
        try:
            team = team_for_reading(options["team"]) if options["dry_run"] else ensure_team(options["team"])
        except UnknownTeam as error:
            raise CommandError(str(error)) from error
        reading = read_for_import(team=team, lines=file_lines(options["file"]))
        is_written = not options["dry_run"] and not (options["strict"] and reading.refused_count)
        if is_written:
            detect = bool(options["detect"])
            progress = Progress(sys.stderr, "importing")
            import_history(team=team, reading=reading, now=clock.now(), progress=progress, leave_symptoms=detect)
            if detect:
                self._propose(team, reading)
        self._tell(reading, options["format"], is_written=is_written)
        if reading.refused_count:
            raise SystemExit(EXIT_REFUSED)

    def _propose(self, team: Team, reading: Reading) -> None:
        bar, done = Progress(sys.stderr, "looking at"), 0

        def progress(count: int, total: int) -> None:
            nonlocal done
            done += count
            bar(done, total)

        proposed = propose_incidents(team=team, reading=reading, progress=progress)
        self.stderr.write(f"{proposed} incidents proposed; they count nowhere until somebody accepts them")

    def _tell(self, reading: Reading, form: str, *, is_written: bool) -> None:
        if form == "json":
            self.stdout.write(json.dumps(summary(reading), indent=1, ensure_ascii=False))
            return
        for problem in reading.problems:
            self.stderr.write(str(problem))
        verb = "imported" if is_written else "nothing imported;"
        self.stdout.write(
            f"{verb} {reading.lines_count} lines: {reading.accepted_count} accepted,"
            f" {reading.duplicate_count} known already, {reading.refused_count} refused"
        )
