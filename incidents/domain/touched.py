"""Where the files that a change touched meet the stack of an error."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from incidents.domain.frames import same_file

DEEPEST = 3
"""Frames further out call the failing code; that they were changed says little."""


@dataclass(frozen=True, slots=True)
class Place:
    """An own frame by its file and, where known, function; ``depth`` 0 is the innermost."""

    path: str
    function: str
    depth: int

    def __str__(self) -> str:
        return f"{self.path} in {self.function}" if self.function else self.path


def places_touched(stacks: Sequence[tuple[Sequence[str], Sequence[str]]], files: Sequence[str]) -> tuple[Place, ...]:
    """The places among the innermost frames whose file is one of these, innermost first, each file once.

    Each stack is its own paths and its places (``path in function``), both innermost first.
    """
    found: dict[str, Place] = {}
    for paths, places in stacks:
        for depth, path in enumerate(paths[:DEEPEST]):
            if any(same_file(path, file) for file in files):
                known = found.get(path)
                if known is None or depth < known.depth:
                    found[path] = Place(path, _function_in(path, places), depth)
    return tuple(sorted(found.values(), key=lambda place: (place.depth, place.path)))


def _function_in(path: str, places: Sequence[str]) -> str:
    """The function of the innermost frame in this file."""
    return next((place.removeprefix(f"{path} in ") for place in places if place.startswith(f"{path} in ")), "")
