"""`manage.py demo`: the demo history, made once."""

from __future__ import annotations

import sys
import time
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from deploys import clock
from deploys.models import Team
from reliability.demo import DEMO_TEAM
from reliability.demo.make import has_demo, make_demo


class Command(BaseCommand):
    """Makes the demo team unless it is there."""

    help = "Make the demo team with about 90 days of history; does nothing when it is there."

    def add_arguments(self, parser: CommandParser) -> None:
        """Or take it away again."""
        parser.add_argument("--delete", action="store_true", help="delete the demo team and everything in it")

    def handle(self, *args: Any, **options: Any) -> None:  # Any: Django's signature
        """Makes or deletes it."""
        if options["delete"]:
            deleted, _ = Team.objects.filter(slug=DEMO_TEAM).delete()
            self.stdout.write("The demo is deleted." if deleted else "There is no demo here.")
            return
        if has_demo():
            self.stdout.write("The demo is there; its data are kept.")
            return
        started = time.monotonic()
        make_demo(now=clock.now(), progress=self._progress)
        sys.stderr.write("\n")
        self.stdout.write(f"Made the demo in {time.monotonic() - started:.0f} s.")

    def _progress(self, what: str, done: int, total: int) -> None:
        end = "" if sys.stderr.isatty() else "\n"
        if sys.stderr.isatty() or done >= total:
            sys.stderr.write(f"\r{what}: {min(done, total):,} of {total:,} lines{end}")
            sys.stderr.flush()
