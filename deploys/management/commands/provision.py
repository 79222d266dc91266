"""manage.py provision TEAM/SERVICE: everything a script needs to send deploys and errors of one service."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from deploys import clock
from deploys.actions.catalog import NotThatName
from deploys.actions.provision import provision


class Command(BaseCommand):
    """Makes what is missing, prints the same ids and DSN every time, and secrets only when they are made."""

    help = "Make a team and a service where they are missing, and print their addresses and secrets."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """TEAM/SERVICE and options."""
        parser.add_argument("path", metavar="TEAM/SERVICE")
        parser.add_argument("--environment", default="production")
        parser.add_argument("--rotate", action="store_true", help="make a new token and a new webhook secret")
        parser.add_argument("--format", choices=["text", "json"], default="text")

    def handle(self, *args: Any, **options: Any) -> None:  # Any: as the base class has it
        """Prints one JSON object, or one line per key."""
        team, slash, service = options["path"].partition("/")
        if not slash:
            raise CommandError("expected TEAM/SERVICE, for example acme/shop")
        try:
            made = provision(
                team_name=team, service_name=service, environment_name=options["environment"],
                is_rotated=options["rotate"], now=clock.now(),
            )  # fmt: skip
        except NotThatName as error:
            raise CommandError(str(error)) from error
        if options["format"] == "json":
            self.stdout.write(json.dumps(made, indent=2))
            return
        github = made.pop("webhooks")["github"]
        made |= {"github_webhook_url": github["url"], "github_webhook_secret": github["secret"]}
        for key, value in made.items():
            self.stdout.write(f"{key}: {value if value is not None else '(made before; --rotate makes a new one)'}")
