"""`manage.py dead_letters`: what was acknowledged and could not be digested, and what to do with it."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from incidents.actions.ingest import discard_dead_letters, replay_dead_letters
from incidents.models import DeadLetter


class Command(BaseCommand):
    """Lists dead letters, newest first; puts them back into the inbox, or throws them away."""

    help = "List dead letters with their reasons; --replay puts them back into the inbox, --discard deletes them."

    def add_arguments(self, parser: CommandParser) -> None:
        """Which letters, and what to do with them."""
        parser.add_argument("ids", nargs="*", type=int, help="only these; all without")
        parser.add_argument("--most", type=int, default=100, help="how many to list (100)")
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--replay", action="store_true", help="put them back into the inbox")
        what.add_argument("--discard", action="store_true", help="delete them for good")

    def handle(self, *args: Any, **options: Any) -> None:  # Any: Django's signature
        """Lists, replays or discards."""
        letters = DeadLetter.objects.filter(pk__in=options["ids"]) if options["ids"] else DeadLetter.objects.all()
        if options["replay"] or options["discard"]:
            act = replay_dead_letters if options["replay"] else discard_dead_letters
            done = act(ids=list(letters.values_list("pk", flat=True)))
            self.stdout.write(f"{done} {'put back into the inbox' if options['replay'] else 'deleted'}")
            return
        columns = ("pk", "project", "received_at", "event_id", "reason")
        for pk, project, received_at, event_id, reason in letters.order_by("-pk").values_list(*columns)[
            : options["most"]
        ]:
            self.stdout.write(f"{pk}\t{project}\t{received_at:%Y-%m-%dT%H:%M:%SZ}\t{event_id or '-'}\t{reason[:200]!r}")
        self.stdout.write(f"{letters.count()} dead letters")
