"""The little language in which a team names texts of its own to take out: `CUST-######`, `acct_*`.

A regular expression typed by a person can take minutes on one line. This language cannot: `#` is one digit, `?` one letter
or digit, `*` up to 64 characters without a blank; a backslash takes the next character as it is, everything else stands
for itself, whatever its case. Each part is found at its first place and never looked for again (atomic groups), so one
attempt looks at no more than 64 characters for every `*`.
"""

from __future__ import annotations

import re
from functools import lru_cache

LONGEST = 100
MOST_STARS = 3
LEAST_CERTAIN = 3
STAR = 64


class NotAPattern(ValueError):
    """The text is no pattern, or takes out nearly everything. The message says what to write instead."""


def check(pattern: str) -> None:
    """Raises NotAPattern."""
    if len(pattern) > LONGEST:
        raise NotAPattern(f"{pattern[:20]}…: a pattern is at most {LONGEST} characters long")
    parts = _parts(pattern)
    if parts and parts[0] == "*":
        raise NotAPattern(f"{pattern}: begin with what the text begins with, not with *")
    if parts.count("*") > MOST_STARS:
        raise NotAPattern(f"{pattern}: at most {MOST_STARS} times *")
    if sum(part not in ("*", "?") and part != "\\ " for part in parts) < LEAST_CERTAIN:
        raise NotAPattern(f"{pattern}: needs at least {LEAST_CERTAIN} characters or #, else it takes out everything")


@lru_cache(maxsize=64)
def compiled(patterns: tuple[str, ...]) -> tuple[re.Pattern[str], ...]:
    """The patterns ready for use."""
    return tuple(re.compile(_expression(pattern), re.IGNORECASE) for pattern in patterns)


def _expression(pattern: str) -> str:
    parts = _parts(pattern)
    groups: list[str] = [""]
    for part in parts:
        if part == "*":
            groups.append("")
        else:
            groups[-1] += {"#": r"\d", "?": r"[^\W_]"}.get(part, part)
    first, *others = groups
    found = r"(?<!\d)" + first if parts[0] == "#" else first
    for group in others:
        found += rf"(?>\S{{0,{STAR}}}?{group})" if group else rf"\S{{0,{STAR}}}+"
    return found + (r"(?!\d)" if parts[-1] == "#" else "")


def _parts(pattern: str) -> list[str]:
    """`*`, `?` and `#` as they are, every other character escaped."""
    found: list[str] = []
    characters = iter(pattern)
    for character in characters:
        if character == "\\":
            found.append(re.escape(next(characters, "\\")))
        else:
            found.append(character if character in "*?#" else re.escape(character))
    return found
