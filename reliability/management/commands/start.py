"""`manage.py start`: everything from an empty folder to a served instance; what `make demo` and `make run` call."""

from __future__ import annotations

import logging
import os
import socket
import sys
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connections

from deploys import clock
from deploys.actions import links
from deploys.models import Team, User
from reliability.demo import DEMO_PERSON, DEMO_TEAM
from reliability.static_files import is_collected


class Command(BaseCommand):
    """Migrates, collects static files, makes the demo history if asked, prints how to get in, serves."""

    help = "Prepare the database and serve; with --demo, make the demo history first (once)."

    def add_arguments(self, parser: CommandParser) -> None:
        """With or without the demo."""
        parser.add_argument("--demo", action="store_true", help="a deterministic history of about 90 days")

    def handle(self, *args: Any, **options: Any) -> None:  # Any: Django's signature
        """Prepares, says where, serves."""
        logging.getLogger("django.request").setLevel(logging.ERROR)
        self._check_port()
        for alias in settings.DATABASES:
            call_command("migrate", database=alias, verbosity=0)
        if not is_collected():
            call_command("collectstatic", interactive=False, verbosity=0)
        if options["demo"]:
            call_command("demo")
        self.stdout.write(f"\nUpshot on {settings.BASE_URL}")
        self.stdout.write(f"{self._way_in(demo=options['demo'])}\nCtrl-C stops it.\n")
        self.stdout.flush()
        connections.close_all()
        # Becomes the supervisor instead of waiting for it: what preparing has loaded is given back.
        os.execv(sys.executable, [sys.executable, "manage.py", "serve"])  # noqa: S606 -- our own command, no shell

    def _check_port(self) -> None:
        """Says early, and in words, that somebody else listens there."""
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((settings.HOST, settings.PORT))
            except OSError as error:
                raise CommandError(
                    f"port {settings.PORT} on {settings.HOST} is taken ({error.strerror}): stop what uses it, or choose another, "
                    f"for example PORT={settings.PORT + 1}"
                ) from error

    def _way_in(self, *, demo: bool) -> str:
        """A one-time link: into the demo, to set up an empty instance, or the plain address."""
        now = clock.now()
        if demo and Team.objects.filter(slug=DEMO_TEAM).exists():
            path = links.make_sign_in_link(user=User.objects.get(email=DEMO_PERSON), now=now)
            return f"Sign in (works once): {settings.BASE_URL}{path}"
        if not User.objects.exists():
            return f"Set it up (works once): {settings.BASE_URL}{links.make_setup_link(now=now)}"
        return f"Sign in: {settings.BASE_URL}/sign-in/   (forgot the password? manage.py signin_link E-MAIL)"
