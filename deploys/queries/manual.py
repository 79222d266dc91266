"""The documentation as it lies in docs/: which pages there are, one page, and a search over all of them."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from django.conf import settings
from django.urls import reverse

from deploys.formats.manual import Article, Section, article_of

#: The pages by what they are for; a folder stands for its pages. What is not named stands under the last.
GROUPS: Final = (
    ("Every day", ("incidents", "deploys", "flags", "reports", "notifications")),
    ("What the numbers mean", ("metrics", "attribution", "history")),
    ("Connecting", ("ingest", "ci", "sources", "api")),
    ("Running it", ("running", "settings", "scaling", "reliability", "architecture")),
    ("Measured", ("measurements",)),
    ("Decided", ("decisions",)),
    ("More", ()),
)
#: Has pages of its own, at the addresses that problems name.
ELSEWHERE: Final = "problems/"
LONGEST_QUERY: Final = 100
MOST_WORDS: Final = 8
MOST_FOUND: Final = 20
AROUND: Final = 90


class NoSuchPage(LookupError):
    """Raised for a name that is no page."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A section in which all words were found: where, and an excerpt as (text, is what was looked for) pieces."""

    url: str
    page: str
    section: Section
    excerpt: Sequence[tuple[str, bool]]


@cache
def names() -> tuple[str, ...]:
    """The names of all pages: their paths below docs/ without `.md`; a README is called as its folder."""
    root = _root()
    paths = [path.relative_to(root).with_suffix("").as_posix() for path in sorted(root.rglob("*.md"))]
    return tuple(path.removesuffix("/README") for path in paths if not path.startswith(ELSEWHERE))


@cache
def article(name: str) -> Article:
    """One page. Raises NoSuchPage."""
    if name not in names():
        raise NoSuchPage(name)
    file = _root() / f"{name}.md"
    if not file.is_file():
        file = _root() / name / "README.md"
    folder = file.parent.relative_to(_root()).as_posix()
    return article_of(file.read_text(encoding="utf-8"), leads=lambda target: _leads(target, folder, name))


def groups() -> list[tuple[str, list[tuple[str, str]]]]:
    """The names and titles of all pages, by group, in order."""
    left = list(names())
    found = []
    for words, wanted in GROUPS:
        mine = [name for each in wanted for name in names() if name == each or name.startswith(f"{each}/")]
        left = [name for name in left if name not in mine]
        found.append((words, mine))
    found[-1][1].extend(left)
    return [(words, [(name, article(name).title) for name in mine]) for words, mine in found if mine]


def search(text: str) -> list[Hit]:
    """The sections that hold every word of the text, or a word that begins so; headings first. At most MOST_FOUND."""
    words = text[:LONGEST_QUERY].lower().split()[:MOST_WORDS]
    if not words:
        return []
    scored: list[tuple[int, int, int, str, str, Section]] = []
    for order, name in enumerate(names()):
        page = article(name)
        for section in page.sections:
            head, body = f" {page.title} {section.heading} ".lower(), f" {section.text} ".lower()
            scores = [_score(word, head, body) for word in words]
            if all(scores):
                scored.append((-sum(scores), order, len(scored), page.title, name, section))
    scored.sort(key=lambda each: each[:3])
    return [
        Hit(page_url(name, section.anchor), title, section, _excerpt(section.text, words))
        for _, _, _, title, name, section in scored[:MOST_FOUND]
    ]


def page_url(name: str, anchor: str = "") -> str:
    """The address of a page, or of a section of it."""
    return reverse("docs-page", args=[name]) + (f"#{anchor}" if anchor else "")


def _root() -> Path:
    return Path(settings.BASE_DIR) / "docs"


def _leads(target: str, folder: str, name: str) -> str | None:
    path, _, anchor = target.partition("#")
    if not path:
        return page_url(name, anchor)
    found = posixpath.normpath(posixpath.join(folder, path))
    if found.startswith(ELSEWHERE):
        return reverse("problem", args=[found.removeprefix(ELSEWHERE).removesuffix(".md")])
    if found == "api/openapi.yaml":
        return reverse("api-schema")
    page = found.removesuffix(".md").removesuffix("/README")
    return page_url(page, anchor) if page in names() else None


def _score(word: str, head: str, body: str) -> int:
    """How much a section is about a word; 0 where it does not hold it. A whole word counts more than a part."""
    if f" {word} " in head:
        return 20
    if word in head:
        return 10
    return min(5, body.count(word)) if word in body else 0


def _excerpt(text: str, words: Sequence[str]) -> list[tuple[str, bool]]:
    """What stands around the first word that is found."""
    low = text.lower()
    first = min((low.find(word) for word in words if word in low), default=0)
    begin = max(0, low.rfind(" ", 0, max(0, first - AROUND)) + 1) if first > AROUND else 0
    shown = text[begin : first + 2 * AROUND]
    pieces: list[tuple[str, bool]] = [("…", False)] if begin else []
    while shown:
        hits = [(place, -len(word)) for word in words if (place := shown.lower().find(word)) >= 0]
        if not hits:
            pieces.append((shown, False))
            break
        place, length = min(hits)
        pieces += [(shown[:place], False), (shown[place : place - length], True)]
        shown = shown[place - length :]
    if begin + len(text[begin : first + 2 * AROUND]) < len(text):
        pieces.append(("…", False))
    return [piece for piece in pieces if piece[0]]
