"""What the commands that read and write history files share."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from django.core.management.base import CommandError

from deploys.actions.catalog import UnknownTeam
from deploys.models import Team

BAR_WIDTH = 40
UTF8_MARK = b"\xef\xbb\xbf"


def file_lines(path: Path | None) -> Iterator[bytes]:
    """The lines of a file, or of standard input for ``-`` and None. CommandError where it cannot be read."""
    if path is None or str(path) == "-":
        yield from sys.stdin.buffer
        return
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file):
                yield line.removeprefix(UTF8_MARK) if number == 0 else line
    except OSError as error:
        message = f"{path}: {error.strerror}"
        raise CommandError(message) from error


def team_for_reading(slug: str | None) -> Team:
    """The team named, or the only one; a database without team answers as an empty team would.

    Raises UnknownTeam. Writes nothing.
    """
    teams = list(Team.objects.filter(**({} if slug is None else {"slug": slug}))[:2])
    if len(teams) == 1:
        return teams[0]
    if teams:
        raise UnknownTeam("--team: several teams exist, name one")
    if slug is not None:
        raise UnknownTeam(f"--team: no team {slug!r}")
    return Team(pk=0, slug="default", name="default", zone="UTC")


class Progress:
    """A bar on a terminal; on anything else one line at the start and one at the end of the work."""

    def __init__(self, out: TextIO, verb: str) -> None:
        self.out, self.verb = out, verb
        self.is_terminal = out.isatty()
        self.started = time.monotonic()

    def __call__(self, done: int, total: int) -> None:
        """Shows where the work is."""
        if self.is_terminal:
            filled = BAR_WIDTH * done // max(total, 1)
            bar = "█" * filled + "·" * (BAR_WIDTH - filled)
            self.out.write(f"\r{self.verb} {bar} {done:,} of {total:,} lines")
            self.out.write("\n" if done >= total else "")
        elif done >= total:
            self.out.write(f"{self.verb} {total:,} lines took {time.monotonic() - self.started:.1f} s\n")
        self.out.flush()
