"""`manage.py serve`: the web process and the worker under one supervisor."""

from __future__ import annotations

import os
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from reliability.supervisor import Child, Supervisor, web_command, worker_command


class Command(BaseCommand):
    """Serves until Ctrl-C or SIGTERM."""

    help = "Serve pages, API and ingest, and do the background work, until Ctrl-C."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """Which halves to run: both, unless told otherwise."""
        only = parser.add_mutually_exclusive_group()
        only.add_argument("--web-only", action="store_true", help="only the web process (the worker runs elsewhere)")
        only.add_argument("--worker-only", action="store_true", help="only the worker")

    def handle(self, *args: Any, **options: Any) -> None:  # Any: Django's signature
        """Starts what was asked for."""
        children = []
        if not options["worker_only"]:
            children.append(
                Child("web", web_command(host=settings.HOST, port=settings.PORT, processes=settings.WEB_PROCESSES))
            )
        if not options["web_only"]:
            children.append(Child("worker", worker_command(threads=settings.WORKER_THREADS)))
        supervisor = Supervisor(
            children=children, environment={**os.environ, "DJANGO_SETTINGS_MODULE": "reliability.settings"}
        )
        supervisor.stop_on_signals()
        supervisor.run()
        self.stdout.write("Stopped. Nothing acknowledged is lost.")
