"""`manage.py signin_link E-MAIL`: a one-time link for somebody who cannot sign in."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from deploys import clock
from deploys.actions import links
from deploys.models import User


class Command(BaseCommand):
    """Prints the link."""

    help = "Print a link that signs a person in once."

    def add_arguments(self, parser: CommandParser) -> None:
        """Whom."""
        parser.add_argument("email")

    def handle(self, *args: Any, **options: Any) -> None:  # Any: Django's signature
        """Makes the link."""
        try:
            user = User.objects.get_by_natural_key(options["email"])
        except User.DoesNotExist as error:
            raise CommandError(f"nobody here has the address {options['email']}") from error
        self.stdout.write(f"{settings.BASE_URL}{links.make_sign_in_link(user=user, now=clock.now())}")
