"""A team's own rules of scrubbing as they are kept, and in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from incidents.domain.scrubbing import Rules

SWITCHES = {
    "keeps_locals": "local variables of frames",
    "keeps_addresses": "public IP addresses",
    "keeps_emails": "e-mail addresses",
}
LISTS = {"names": "secret name", "safe_names": "safe name", "patterns": "pattern"}


def rules_of(kept: Mapping[str, object]) -> Rules:
    """The rules in `kept`; what is missing there is as by default."""
    return Rules(
        names=frozenset(_texts(kept.get("names"))),
        safe_names=frozenset(_texts(kept.get("safe_names"))),
        patterns=tuple(_texts(kept.get("patterns"))),
        keeps_locals=kept.get("keeps_locals") is True,
        keeps_addresses=kept.get("keeps_addresses") is True,
        keeps_emails=kept.get("keeps_emails") is True,
    )


def as_kept(rules: Rules) -> dict[str, object]:
    """The rules as JSON; lists in order of the alphabet."""
    return {name: sorted(getattr(rules, name)) for name in LISTS} | {name: getattr(rules, name) for name in SWITCHES}


def changes(before: Rules, after: Rules) -> list[str]:
    """What somebody changed, one sentence each."""
    said = []
    for name, words in LISTS.items():
        old, new = set(getattr(before, name)), set(getattr(after, name))
        said += [f"{words} {each} added" for each in sorted(new - old)]
        said += [f"{words} {each} removed" for each in sorted(old - new)]
    for name, words in SWITCHES.items():
        if getattr(before, name) != getattr(after, name):
            said.append(f"{words} are {'kept' if getattr(after, name) else 'taken out'}")
    return said


def _texts(value: object) -> Iterable[str]:
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else ()
