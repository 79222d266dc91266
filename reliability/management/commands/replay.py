"""`manage.py replay EVENTS`: plays a history through detection and attribution in a scratch store."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from deploys import clock
from deploys.actions.catalog import make_team
from reliability.actions.replay import Answers, printed, replay
from reliability.celery import app
from reliability.formats.history import read_history
from reliability.management.history_files import Progress, file_lines
from reliability.scratch import scratch_database

EXIT_REFUSED = 3


class Command(BaseCommand):
    """Exit status 0: every line accepted; 3: some lines refused."""

    help = "Play a history as if it happened live and write what was detected and blamed. Leaves the instance's data alone."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """The history, and which reading goes where."""
        parser.add_argument("events", type=Path, help="the history file, or - for standard input")
        parser.add_argument("--at", choices=["live", "closed"], help="15 minutes after detection, or at the end")
        parser.add_argument("--answers", type=Path, help="file for that reading")
        parser.add_argument("--answers-live", type=Path, help="file for the live reading")
        parser.add_argument("--answers-closed", type=Path, help="file for the closed reading")

    def handle(self, *args: Any, **options: Any) -> None:  # Any: Django's signature
        """Reads, plays, writes."""
        if bool(options["at"]) != bool(options["answers"]):
            raise CommandError("--at and --answers belong together")
        if not (options["answers"] or options["answers_live"] or options["answers_closed"]):
            raise CommandError(
                "name a file for the answers: --at live|closed --answers FILE, or --answers-live/-closed"
            )
        reading = read_history(file_lines(options["events"]))
        answers = self._play(reading)
        wanted = {"live": options["answers_live"], "closed": options["answers_closed"]}
        if options["at"]:
            _write(options["answers"], options["at"], answers)
        for at, path in wanted.items():
            if path is not None:
                _write(path, at, answers)
        for problem in reading.problems:
            if problem.severity == "error":
                self.stderr.write(str(problem))
        self.stdout.write(
            f"replayed {reading.accepted_count} of {reading.lines_count} lines:"
            f" {len(answers.closed)} incidents, {reading.refused_count} lines refused"
        )
        if reading.refused_count:
            raise SystemExit(EXIT_REFUSED)

    def _play(self, reading: Any) -> Answers:  # Any: a reading
        done = 0
        bar = Progress(sys.stderr, "replaying")

        def progress(count: int, total: int) -> None:
            nonlocal done
            done += count
            bar(done, total)

        eager = app.conf.task_always_eager
        app.conf.task_always_eager = True  # what live code leaves to workers runs here and now, without any broker
        try:
            with scratch_database():
                first = next((x.facts[0].received_at for x in reading.lines if x.facts[0].received_at), clock.now())
                with clock.at(first):
                    team = make_team(name="replay", now=first)
                return replay(reading=reading, team=team, progress=progress)
        finally:
            app.conf.task_always_eager = eager


def _write(path: Path, at: str, answers: Answers) -> None:
    rows, downtime = (
        (answers.live, answers.live_downtime) if at == "live" else (answers.closed, answers.closed_downtime)
    )
    path.write_text(json.dumps(printed(rows, downtime), indent=1) + "\n")
