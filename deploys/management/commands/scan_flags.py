"""manage.py scan_flags TEAM FOLDER: looks for a team's flags in a checkout on this machine."""

from __future__ import annotations

import datetime as dt
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from deploys import clock
from deploys.actions.flag_scans import record_scan
from deploys.ci import flags as scanner
from deploys.domain.flag_code import Dynamic, Place, PlaceKind, Removal, ScanReport
from deploys.domain.instants import optional_instant
from deploys.models import Team
from deploys.queries.flag_code import keys_of, standing_in


class Command(BaseCommand):
    """Does what /ci/flags.py does in a CI job, without a token: for repositories that this machine has."""

    help = "Scan a checkout for the flags of a team and keep what was found."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """TEAM, FOLDER and options."""
        parser.add_argument("team", metavar="TEAM")
        parser.add_argument("folder", metavar="FOLDER")
        parser.add_argument("--repository", default="", help="default: from the remote's address")
        parser.add_argument("--service", action="append", default=[], help="a service built from it")

    def handle(self, *args: Any, **options: Any) -> None:  # Any: as the base class has it
        """Scans, keeps, and prints one line."""
        team, root = Team.objects.filter(slug=options["team"]).first(), Path(options["folder"])
        if team is None or not root.is_dir():
            raise CommandError(f"no team {options['team']!r} here" if team is None else f"{root}: no such folder")
        now = clock.now()
        repository = options["repository"] or scanner.repository_name(root)
        found = scanner.scan(root, keys_of(team))
        message = scanner.message_of(
            root, found, repository=repository, services=options["service"] or [repository.rpartition("/")[2]],
            branch=scanner.branch_now(root), standing=standing_in(team, repository),
        )  # fmt: skip
        if not message["commit"]:
            raise CommandError(f"{root} is no git checkout with a commit: what is found must have a version")
        made = record_scan(team=team, report=report_of(message, now), received_at=now)
        places = len(found.places)
        self.stdout.write(
            f"{repository}: {places} places of {made.keys_count} flags in {found.files_count} files, {made.verdict}"
        )


def report_of(message: dict[str, Any], now: dt.datetime) -> ScanReport:  # Any: what the scanner says
    """The scanner's message as the action takes it."""
    return ScanReport(
        repository=message["repository"], commit=message["commit"], scanned_at=now, branch=message["branch"],
        places=[Place(each["key"], each["path"], each["line"], PlaceKind(each["kind"])) for each in message["references"]],
        dynamic=[Dynamic(**each) for each in message["dynamic"]],
        removed=[Removal(each["key"], each["commit"], optional_instant(each["at"])) for each in message["removed"]],
        services=tuple(message["services"]), files_count=message["files_count"], is_complete=message["is_complete"],
        link=message["link"],
    )  # fmt: skip
