"""The documentation in the application: every page is served, every link in it leads somewhere, words are found."""

from __future__ import annotations

import html
import itertools
import re
from pathlib import Path

import pytest
from django.test import Client

from deploys.queries.manual import article, groups, names, page_url, search

DOCS = Path(__file__).resolve().parents[3] / "docs"
pytestmark = pytest.mark.django_db


def test_every_document_stands_in_the_list_once() -> None:
    listed = [name for _, pages in groups() for name, _ in pages]
    files = {path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md")}

    assert sorted(listed) == sorted(names())
    assert len(listed) == len([file for file in files if not file.startswith("problems/")])
    assert groups()[0][1][0] == ("incidents", "Working on an incident")


def test_every_link_of_every_page_leads_to_a_page_and_its_section(client: Client) -> None:
    ids = {page_url(name): set(re.findall(r'id="([^"]+)"', article(name).html)) for name in names()}
    dead = set()
    for name in names():
        for target in re.findall(r'<a href="(/[^"]*)"', article(name).html):
            address, _, anchor = html.unescape(target).partition("#")
            if address in ids:
                if anchor and anchor not in ids[address]:
                    dead.add((name, target))
            elif client.get(address).status_code != 200:
                dead.add((name, target))

    assert dead == set()


def test_no_page_leaves_a_level_of_headings_out() -> None:
    levels = {name: [section.level for section in article(name).sections] for name in names()}

    assert [name for name, found in levels.items() if any(b > a + 1 for a, b in itertools.pairwise(found))] == []


def test_a_page_has_its_sections_beside_it(client: Client) -> None:
    page = client.get("/docs/notifications/").content.decode()

    assert "<h1>Notifications</h1>" in page
    assert '<a href="#quiet-hours-and-muting">Quiet hours and muting</a>' in page
    assert '<h2 id="quiet-hours-and-muting">' in page


@pytest.mark.parametrize("name", ["nothing", "problems/busy", "../README", "ci/README", "%2e%2e/pyproject"])
def test_what_is_no_page_is_not_found(client: Client, name: str) -> None:
    assert client.get(f"/docs/{name}/").status_code == 404


def test_words_are_found_in_sections_headings_first(client: Client) -> None:
    found = search("quiet HOURS")
    page = client.get("/docs/", {"q": "quiet HOURS"}).content.decode()

    assert found[0].url == "/docs/notifications/#quiet-hours-and-muting"
    assert "".join(text for text, _ in found[0].excerpt).startswith("Each channel may have quiet hours")
    assert [text for text, is_hit in found[0].excerpt if is_hit][:2] == ["quiet", "hours"]
    assert '<a href="/docs/notifications/#quiet-hours-and-muting">' in page
    assert "<mark>quiet</mark>" in page
    assert all("quiet" in f"{hit.page} {hit.section.heading} {hit.section.text}".lower() for hit in found)


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", "no such words anywhere", "\x00", "x" * 500, '"'])
def test_any_text_may_be_looked_for(client: Client, text: str) -> None:
    answer = client.get("/docs/", {"q": text})

    assert answer.status_code == 200
    assert "<script>alert" not in answer.content.decode()


def test_the_list_leads_to_all_pages(client: Client) -> None:
    page = client.get("/docs/").content.decode()

    assert [name for name in names() if f'href="{page_url(name)}"' not in page] == []
