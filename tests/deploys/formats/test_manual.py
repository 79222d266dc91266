"""A page of the documentation as HTML with anchors, and as text to be searched."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploys.formats.manual import Section, anchor_of, article_of

TEXT = """# Incidents

What *one* is.

## Who is told, and when?

See [mail](other.md#mail) and [the `code`](../setup.py), or [out](https://example.org).

```sh
curl "$URL"
```

    indented

## Who is told, and when?

| a | b |
|---|---|
| 1 | <script>x</script> |
"""


def leads(target: str) -> str | None:
    return f"/docs/{target}" if target.startswith("other") else None


def test_a_page_is_its_title_its_html_and_its_sections() -> None:
    page = article_of(TEXT, leads=leads)

    assert page.title == "Incidents"
    assert page.sections == [
        Section("", "", 1, "What one is."),
        Section("Who is told, and when?", "who-is-told-and-when", 2, 'See mail and the code, or out. curl "$URL" indented'),
        Section("Who is told, and when?", "who-is-told-and-when-1", 2, "a b 1 <script>x</script>"),
    ]  # fmt: skip
    assert "<h1" not in page.html
    assert '<h2 id="who-is-told-and-when-1">' in page.html
    assert '<a href="/docs/other.md#mail">mail</a> and the <code>code</code>, or' in page.html
    assert '<a href="https://example.org" rel="noopener noreferrer">out</a>' in page.html
    assert '<pre tabindex="0"><code class="language-sh">' in page.html
    assert '<pre tabindex="0"><code>indented' in page.html
    assert '<div class="scroll" tabindex="0" role="group" aria-label="Table"><table>' in page.html
    assert "</table>\n</div>" in page.html
    assert "<td>&lt;script&gt;x&lt;/script&gt;</td>" in page.html


@pytest.mark.parametrize(
    ("heading", "anchor"),
    [("Who is told?", "who-is-told"), ("`manage.py start`", "managepy-start"), ("UPSHOT_BASE_URL", "upshot_base_url")],
)
def test_anchors_are_those_of_the_files(heading: str, anchor: str) -> None:
    assert anchor_of(heading) == anchor


@given(st.text(alphabet="#*`[]()<>|-ab \n", max_size=200))
def test_no_markdown_breaks_it_or_brings_html_along(text: str) -> None:
    page = article_of(text, leads=leads)

    assert "<a>" not in page.html
    assert "<b>" not in page.html
