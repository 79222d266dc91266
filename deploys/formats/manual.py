"""A page of the documentation: Markdown in; HTML with anchors, and its sections as plain text, out."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token

#: Where a link of a page leads: given its target as written, the address, or None where nothing is served there.
Leads = Callable[[str], str | None]
_OUTSIDE: Final = re.compile(r"(?:https?|mailto):")


@dataclass(frozen=True, slots=True)
class Section:
    """What stands under one heading, as text. The first, before any heading, has no anchor."""

    heading: str
    anchor: str
    level: int
    text: str


@dataclass(frozen=True, slots=True)
class Article:
    """`html` is without the title and may stand on a page: raw HTML of the source is shown as text."""

    title: str
    html: str
    sections: Sequence[Section]


def anchor_of(heading: str) -> str:
    """The anchor of a heading, as GitHub makes it, so that links between the files work in both places."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")


def article_of(text: str, *, leads: Leads) -> Article:
    """The page of this Markdown. Links that lead nowhere here become plain text."""
    markdown = _markdown()
    tokens = markdown.parse(text)
    title, sections, parts, used = "", [Section("", "", 1, "")], [], dict[str, int]()
    shown: list[Token] = []
    words: list[str] = []
    skip = 0
    for place, token in enumerate(tokens):
        if token.type == "heading_open":
            heading = _plain(tokens[place + 1])
            if token.tag == "h1" and not title:
                title, skip = heading, 3  # itself, its text and its end
            else:
                anchor = _unique(anchor_of(heading), used)
                token.attrSet("id", anchor)
                sections[-1] = _with(sections[-1], words)
                sections.append(Section(heading, anchor, int(token.tag[1]), ""))
                words = []
        if token.type == "inline":
            _lead(token, leads)
            if tokens[place - 1].type != "heading_open":
                words.append(_plain(token))
        elif token.type in {"fence", "code_block"}:
            words.append(token.content)
        if skip:
            skip -= 1
        else:
            shown.append(token)
    sections[-1] = _with(sections[-1], words)
    parts.append(str(markdown.renderer.render(shown, markdown.options, {})))
    return Article(title, "".join(parts), sections)


def _with(section: Section, words: Sequence[str]) -> Section:
    return Section(section.heading, section.anchor, section.level, " ".join(" ".join(words).split()))


def _unique(anchor: str, used: dict[str, int]) -> str:
    used[anchor] = used.get(anchor, -1) + 1
    return f"{anchor}-{used[anchor]}" if used[anchor] else anchor


def _plain(token: Token) -> str:
    return "".join("\n" if each.type == "softbreak" else each.content for each in token.children or ())


def _lead(token: Token, leads: Leads) -> None:
    """Sends the links of a piece of text where they lead here."""
    kept, dead = [], 0
    for each in token.children or ():
        if each.type == "link_open":
            target = str(each.attrGet("href") or "")
            address = target if _OUTSIDE.match(target) else leads(target)
            if address is None:
                dead += 1
                continue
            each.attrSet("href", address)
            if _OUTSIDE.match(target):
                each.attrSet("rel", "noopener noreferrer")
        elif each.type == "link_close" and dead:
            dead -= 1
            continue
        kept.append(each)
    token.children = kept


def _markdown() -> MarkdownIt:
    """CommonMark with tables. What may be wider than a screen scrolls, and can be reached by keyboard."""
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    box = '<div class="scroll" tabindex="0" role="group" aria-label="Table">'

    def opened(
        renderer: RendererHTML, tokens: Sequence[Token], place: int, options: Any, env: Any
    ) -> str:  # Any: the library's own
        return box + renderer.renderToken(tokens, place, options, env)

    def closed(
        renderer: RendererHTML, tokens: Sequence[Token], place: int, options: Any, env: Any
    ) -> str:  # Any: as above
        return renderer.renderToken(tokens, place, options, env) + "</div>"

    def coded(
        renderer: RendererHTML, tokens: Sequence[Token], place: int, options: Any, env: Any
    ) -> str:  # Any: as above
        plain = renderer.fence if tokens[place].type == "fence" else renderer.code_block
        return plain(tokens, place, options, env).replace("<pre>", '<pre tabindex="0">', 1)

    markdown.add_render_rule("table_open", opened)
    markdown.add_render_rule("table_close", closed)
    markdown.add_render_rule("fence", coded)
    markdown.add_render_rule("code_block", coded)
    return markdown
