"""`manage.py serve`: the web process and the worker under one supervisor."""

from __future__ import annotations

import os
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from reliability.supervisor import supervisor_command, web_command, worker_command


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
        """Becomes the supervisor of what was asked for."""
        commands = {}
        if not options["worker_only"]:
            commands["web"] = web_command(host=settings.HOST, port=settings.PORT, processes=settings.WEB_PROCESSES)
        if not options["web_only"]:
            commands["worker"] = worker_command(threads=settings.WORKER_THREADS)
        os.chdir(settings.BASE_DIR)  # from where the commands find the application
        os.execv(sys.executable, supervisor_command(commands))  # noqa: S606 -- our own command, no shell
