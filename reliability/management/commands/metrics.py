"""`manage.py metrics`: every number of a window, from the database or from a history file alone."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from django.core.management.base import BaseCommand, CommandError, CommandParser

from deploys import clock
from deploys.actions.catalog import UnknownTeam
from reliability.domain.asked import knowledge_of, report
from reliability.domain.dora import Printed
from reliability.domain.intervals import Interval
from reliability.domain.weeks import NotAPointInTime, UnknownZone, point_in_time, zone_named
from reliability.formats.history import read_history
from reliability.management.history_files import file_lines, team_for_reading
from reliability.queries.reports import report_as_of


class Command(BaseCommand):
    """Prints one JSON object, described by the metrics contract."""

    help = "Print the reliability and delivery numbers of a window as JSON."

    def add_arguments(self, parser: CommandParser) -> None:
        """The window, the zone, the state of knowledge, and where the facts are."""
        points = "a date, a local date-time, a date-time with offset, or epoch seconds"
        parser.add_argument("--from", required=True, dest="start", help=f"first instant: {points}")
        parser.add_argument("--to", required=True, dest="end", help="first instant after the window")
        parser.add_argument("--zone", help="time zone of weeks, days and local times (default: the team's, or UTC)")
        parser.add_argument("--as-of", help="state of knowledge (default: now)")
        parser.add_argument("--history", type=Path, metavar="FILE", help="compute from this file alone; keeps nothing")
        parser.add_argument("--team", help="slug of the team (default: the only one)")
        parser.add_argument("--format", choices=["json"], default="json")

    def handle(self, *args: Any, **options: Any) -> None:  # Any: Django's signature
        """Computes and prints."""
        try:
            printed = self._printed(options)
        except (UnknownZone, NotAPointInTime, UnknownTeam) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(json.dumps(printed, indent=1, ensure_ascii=False, allow_nan=False))

    def _printed(self, options: dict[str, Any]) -> Printed:  # Any: as above
        path: Path | None = options["history"]
        team = team_for_reading(options["team"]) if path is None else None
        zone = zone_named(options["zone"] or (team.zone if team is not None else "UTC"))
        window = Interval(point_in_time(options["start"], zone), point_in_time(options["end"], zone))
        if window.is_empty:
            raise CommandError("--to: expected an instant after --from")
        as_of = clock.now() if options["as_of"] is None else point_in_time(options["as_of"], zone)
        if team is not None:
            return report_as_of(team=team, window=window, as_of=as_of, zone=zone)
        return self._of_file(path, window, zone, as_of)

    def _of_file(self, path: Path | None, window: Interval, zone: ZoneInfo, as_of: datetime) -> Printed:
        reading = read_history(file_lines(path))
        for problem in reading.problems:
            self.stderr.write(str(problem))
        return report(knowledge_of(reading.facts, reading.traffic_known_by(as_of), as_of), window, zone)
