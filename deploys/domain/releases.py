"""Whether two names stand for one version: a build, an SDK and a CI job rarely spell it alike."""

from __future__ import annotations

import re
from typing import Final

_SHORTEST_HASH: Final = 7
_HASH = re.compile(r"[0-9a-f]{7,64}")
_NUMBERS = re.compile(r"v?(\d+(?:\.\d+)+)(?:[-+.].*)?")


def bare_version(release: str) -> str:
    """The version in a release's name, in lower case: without `package@`, `refs/tags/` and the `v` before a number.

    What is left of an empty name is empty. Build metadata stays: two builds of one version are two versions.
    """
    text = release.strip().lower().removeprefix("refs/tags/")
    text = text.rpartition("@")[2] or text
    return text[1:] if len(text) > 1 and text[0] == "v" and text[1].isdigit() else text


def is_same_version(one: str, other: str) -> bool:
    """Do two release names stand for one version?

    Equal once bare, or a commit's hash and its abbreviation of seven digits or more. An empty name equals nothing.
    """
    first, second = sorted((bare_version(one), bare_version(other)), key=len)
    if not first:
        return False
    if first == second:
        return True
    is_hash = _HASH.fullmatch(first) and _HASH.fullmatch(second) and re.search("[a-f]", second)
    return bool(is_hash) and second.startswith(first)


def is_older_version(one: str, than: str) -> bool:
    """Is the first a lower number than the second? False where either is no dotted number: hashes have no order."""
    numbers = [_numbers(bare_version(each)) for each in (one, than)]
    first, second = numbers
    return first is not None and second is not None and first < second


def _numbers(version: str) -> tuple[int, ...] | None:
    match = _NUMBERS.fullmatch(version)
    return tuple(int(number[:18]) for number in match[1].split(".")) if match else None
