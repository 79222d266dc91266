"""Notes become harmless HTML."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incidents.formats.markdown import note_html


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("It is **the** `column`.", "<p>It is <strong>the</strong> <code>column</code>.</p>\n"),
        ("one\ntwo", "<p>one<br>\ntwo</p>\n"),
        ("# Big", "<h3>Big</h3>\n"),
        ("- a\n- b", "<ul>\n<li>a</li>\n<li>b</li>\n</ul>\n"),
        ("~~old~~", "<p><s>old</s></p>\n"),
        (
            "[log](https://logs.example/x?a=1&b=2)",
            '<p><a href="https://logs.example/x?a=1&amp;b=2" rel="noopener noreferrer nofollow">log</a></p>\n',
        ),
        ("![alt](https://evil.example/pixel)", "<p></p>\n"),
        ("<b>raw</b>", "<p>&lt;b&gt;raw&lt;/b&gt;</p>\n"),
        ("[x](javascript:alert(1))", "<p>[x](javascript:alert(1))</p>\n"),
        ("[x](data:text/html,hi)", "<p>[x](data:text/html,hi)</p>\n"),
        ("[x](//evil.example)", '<p><a href="//evil.example" rel="noopener noreferrer nofollow">x</a></p>\n'),
    ],
)
def test_notes(text: str, html: str) -> None:
    assert note_html(text) == html


@given(st.text(alphabet=st.sampled_from("<>&\"'`[]()!#*-_/\\:=ascriptonj \n"), max_size=80))
def test_no_markup_of_the_writers_own_survives(text: str) -> None:
    html = note_html(text).lower()

    assert "<script" not in html
    assert "<img" not in html
    assert 'href="javascript' not in html
