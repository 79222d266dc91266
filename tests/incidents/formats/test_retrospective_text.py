from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from incidents.formats.retrospective_text import RetrospectiveText, StoryLine, plain, retrospective_markdown
from tests.conftest import NOON


def test_the_document() -> None:
    document = RetrospectiveText(
        title="INC-7: Checkout fails",
        facts=[("Impact", "downtime for 12 min")],
        evidence=["same service as the errors"],
        phases=[("to detect", "4 min, the slowest")],
        story=[StoryLine(NOON, "Restored."), StoryLine(NOON, "# It is *the*\ncolumn", "Ida", is_markdown=True)],
        answers=[("What happened?", "It **broke**.\n\n## Then")],
        promises=[("Backfill | first", "Ida", "2026-03-10", "open")],
    )

    assert retrospective_markdown(document).splitlines() == [
        "# INC\\-7: Checkout fails",
        "",
        "- **Impact:** downtime for 12 min",
        "",
        "## Evidence",
        "",
        "- same service as the errors",
        "",
        "## Phases",
        "",
        "| phase | took |",
        "|---|---|",
        "| to detect | 4 min, the slowest |",
        "",
        "## What happened?",
        "",
        "It **broke**.",
        "",
        "#### Then",
        "",
        "## Timeline (UTC)",
        "",
        "- 2026-03-04 12:00:00 Restored.",
        "- 2026-03-04 12:00:00 (Ida)",
        "",
        "  ### It is *the*",
        "  column",
        "",
        "",
        "## Promised",
        "",
        "| what | who | due | state |",
        "|---|---|---|---|",
        "| Backfill \\| first | Ida | 2026\\-03\\-10 | open |",
    ]


def test_an_empty_one_is_whole() -> None:
    document = RetrospectiveText("", (), (), (), (), (), ())

    assert "## Promised" not in retrospective_markdown(document)
    assert "## Evidence" not in retrospective_markdown(document)


@given(st.text(alphabet="ab1.)(*_#>|~`<&!-+[]\\ \n", max_size=30))
def test_plain_text_reads_as_itself(text: str) -> None:
    tokens = MarkdownIt("commonmark").enable("table").enable("strikethrough").parse(plain(text))

    shown = "".join(child.content for token in tokens for child in token.children or ())
    assert {token.type for token in tokens} <= {"paragraph_open", "inline", "paragraph_close"}
    assert shown == " ".join(text.split())
