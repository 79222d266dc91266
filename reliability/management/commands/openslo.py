"""`manage.py openslo`: objectives from OpenSLO v1 YAML, and as such."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from deploys.actions.catalog import UnknownTeam
from reliability.actions.objectives import BadObjective, set_objective
from reliability.formats.openslo import NotOpenSlo, objectives_of, openslo_text
from reliability.management.history_files import team_for_reading
from reliability.models import Objective


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
            rows = Objective.objects.filter(team=team).select_related("service").order_by("external_id")
            self.stdout.write(openslo_text(_payload(row) for row in rows), ending="")
            return
        text = sys.stdin.read() if options["file"] == "-" else Path(options["file"]).read_text(encoding="utf-8")
        try:
            payloads, refusals = objectives_of(text)
        except NotOpenSlo as error:
            raise CommandError(f"not OpenSLO: {error}") from error
        problems = list(map(str, refusals))
        for payload in payloads:
            try:
                set_objective(team=team, payload=payload, by=None)
            except BadObjective as error:
                problems.append(f"{payload['id']}: {error}")
        self.stdout.write(f"{len(payloads) + len(refusals) - len(problems)} set, {len(problems)} refused")
        for problem in problems:
            self.stderr.write(problem)
        if problems:
            sys.exit(3)


def _payload(row: Objective) -> dict[str, Any]:  # Any: JSON
    return {
        "id": row.external_id, "service": row.service.name if row.service else None, "sli": row.sli, "target": row.target,
        "window_days": row.window_days, "calendar": row.calendar,
    }  # fmt: skip
