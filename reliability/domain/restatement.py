"""What changed between two states of the same closed report."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from reliability.domain.dora import Printed

_STATE_OF_KNOWLEDGE = "window.as_of_at"


@dataclass(frozen=True, slots=True)
class Difference:
    """One number, by its dotted path in the printed report, before and after; None where it was not printed."""

    path: str
    before: object
    after: object

    def printed(self) -> Printed:
        """As it is stored with a snapshot."""
        return {"path": self.path, "before": self.before, "after": self.after}


def differences(before: Mapping[str, object], after: Mapping[str, object]) -> list[Difference]:
    """Every number that differs, in order of path. That another day is asked is no difference."""
    old, new = dict(leaves(before)), dict(leaves(after))
    paths = sorted(path for path in {*old, *new} if path != _STATE_OF_KNOWLEDGE)
    return [Difference(path, old.get(path), new.get(path)) for path in paths if old.get(path) != new.get(path)]


def in_words(found: list[Difference]) -> str:
    """The difference that people ask about first: failed deploys, then incidents, then downtime; else a count."""
    by_path = {difference.path: difference for difference in found}
    for path, words in _HEADLINES:
        if path in by_path:
            return f"{words}: was {by_path[path].before}, now {by_path[path].after}"
    return "1 number differs" if len(found) == 1 else f"{len(found)} numbers differ"


_HEADLINES = (
    ("total.change_failure.failed_count", "failed deploys"),
    ("total.change_failure.deploys_count", "deploys"),
    ("total.issues.total_count", "incidents"),
    ("total.availability.downtime_seconds", "seconds of downtime"),
)


def leaves(value: object, path: str = "") -> Iterator[tuple[str, object]]:
    """(path, value) of everything that is not an object; a list of plain values is one value."""
    if isinstance(value, Mapping):
        for key, part in value.items():
            yield from leaves(part, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list) and any(isinstance(item, Mapping) for item in value):
        for index, item in enumerate(value):
            yield from leaves(item, f"{path}.{index}")
    else:
        yield path, value
