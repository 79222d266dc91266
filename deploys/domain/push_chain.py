"""Which commits lie between two points, worked out from pushes: each says from where to where a branch moved."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

#: Pushes walked through before giving up.
MOST_STEPS: Final = 500


@dataclass(frozen=True, slots=True)
class Move:
    """A push: `shas` are its commits, oldest first; `before` is where the branch stood, empty for a new one."""

    before: str
    after: str
    shas: Sequence[str]
    is_default_branch: bool = False


def commits_between(base: str, head: str, moves_with: Callable[[str], Sequence[Move]]) -> list[str] | None:
    """The commits after `base` up to and with `head`, newest first; None where the pushes known do not reach.

    `moves_with(sha)` gives the pushes that contain or end with a commit. A head that lies behind the base has no way
    to it, so a rollback gets None. Of several pushes with one commit, one that ends with it and one of the default
    branch is taken first: pushes of branches that were merged lead aside.
    """
    if same_commit(base, head):
        return []
    found: list[str] = []
    seen: set[str] = set()
    for _ in range(MOST_STEPS):
        if head in seen:
            return None
        seen.add(head)
        moves = sorted(
            moves_with(head), key=lambda move: (not same_commit(move.after, head), not move.is_default_branch)
        )
        move = next((each for each in moves if each.before or base in each.shas), None)
        if move is None:
            return None
        for sha in reversed(_up_to(move.shas, head)):
            if same_commit(sha, base):
                return found
            found.append(sha)
        if same_commit(move.before, base):
            return found
        head = move.before
    return None


def same_commit(one: str, other: str) -> bool:
    """Whether two names are of one commit; senders may cut them to seven characters or more."""
    shorter = min(len(one), len(other))
    return shorter >= 7 and one[:shorter] == other[:shorter]


def _up_to(shas: Sequence[str], head: str) -> Sequence[str]:
    """The commits up to and with the head; all of them where it is not among them."""
    place = next((place for place, sha in enumerate(shas) if same_commit(sha, head)), len(shas) - 1)
    return shas[: place + 1]
