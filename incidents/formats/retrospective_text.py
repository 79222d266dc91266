"""A retrospective as Markdown, for whatever keeps documents."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

#: What CommonMark reads as markup anywhere in a line; a backslash takes that from it (CommonMark 0.31, section 2.4).
_MARKUP = re.compile(r"([\\`*_{}\[\]<>#|~&!+-])")
_NUMBERED = re.compile(r"^(\d+)([.)])")


@dataclass(frozen=True, slots=True)
class StoryLine:
    """One line of the timeline. `is_markdown`: people wrote it so; else it is plain text."""

    at: datetime
    text: str
    by: str = ""
    is_markdown: bool = False


@dataclass(frozen=True, slots=True)
class RetrospectiveText:
    """All that stands in the document, in its order."""

    title: str
    facts: Sequence[tuple[str, str]]
    evidence: Sequence[str]
    phases: Sequence[tuple[str, str]]
    story: Sequence[StoryLine]
    answers: Sequence[tuple[str, str]]
    promises: Sequence[tuple[str, str, str, str]]


def plain(text: str) -> str:
    """Text as Markdown that reads as itself, on one line."""
    line = " ".join(text.split())
    return _NUMBERED.sub(r"\1\\\2", _MARKUP.sub(r"\\\1", line))


def retrospective_markdown(document: RetrospectiveText) -> str:
    """The document. What people wrote stays Markdown, its headings two levels down; all else reads as plain text."""
    lines = [f"# {plain(document.title)}", ""]
    lines += [f"- **{plain(name)}:** {plain(text)}" for name, text in document.facts]
    if document.evidence:
        lines += ["", "## Evidence", "", *(f"- {plain(each)}" for each in document.evidence)]
    lines += ["", "## Phases", "", "| phase | took |", "|---|---|"]
    lines += [f"| {plain(name)} | {plain(took)} |" for name, took in document.phases]
    for question, answer in document.answers:
        lines += ["", f"## {plain(question)}", "", _lower(answer)]
    lines += ["", "## Timeline (UTC)", ""]
    for row in document.story:
        lines += _story(row)
    if document.promises:
        lines += ["", "## Promised", "", "| what | who | due | state |", "|---|---|---|---|"]
        lines += [f"| {' | '.join(plain(cell) for cell in row)} |" for row in document.promises]
    return "\n".join(lines) + "\n"


def _story(row: StoryLine) -> list[str]:
    head = f"- {row.at.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
    by = f" ({plain(row.by)})" if row.by else ""
    if not row.is_markdown:
        return [f"{head} {plain(row.text)}{by}"]
    return [f"{head}{by}", "", *(f"  {line}".rstrip() for line in _lower(row.text).split("\n")), ""]


def _lower(text: str) -> str:
    """Headings of people's Markdown below those of the document; never deeper than six."""
    return re.sub(r"^(#{1,6})(?=\s)", lambda match: "#" * min(6, len(match[1]) + 2), text, flags=re.MULTILINE)
