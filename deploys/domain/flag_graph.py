"""Prerequisites between flags: a flag may need others, in no circle and not too deep."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

Needs = Mapping[str, Iterable[str]]
"""For each flag, those it needs directly."""


def circle_of(needs: Needs, start: str) -> list[str]:
    """A way from the flag back to itself, both ends named; empty where there is none."""
    way: list[str] = []
    cleared: set[str] = set()

    def search(key: str) -> bool:
        for each in needs.get(key, ()):
            if each == start:
                return True
            if each not in cleared:
                cleared.add(each)
                way.append(each)
                if search(each):
                    return True
                way.pop()
        return False

    return [start, *way, start] if search(start) else []


def depth_of(needs: Needs, key: str) -> int:
    """Length of the longest chain of needs from here; 0 without any. Only for needs without circles."""
    return max((1 + depth_of(needs, each) for each in needs.get(key, ())), default=0)


def dependants_of(needs: Needs, key: str) -> list[str]:
    """Flags that need this one directly, by name."""
    return sorted(name for name, wanted in needs.items() if key in set(wanted))
