from __future__ import annotations

from pathlib import Path

import pytest
from django.test import Client

from deploys.domain.problem_types import PROBLEMS

DOCS = Path(__file__).resolve().parents[3] / "docs" / "problems"


def test_every_problem_has_its_page_and_every_page_its_problem() -> None:
    assert {path.stem for path in DOCS.glob("*.md")} == set(PROBLEMS)


@pytest.mark.parametrize("slug", list(PROBLEMS))
def test_pages_begin_with_title_and_status(slug: str) -> None:
    problem = PROBLEMS[slug]
    lines = (DOCS / f"{slug}.md").read_text(encoding="utf-8").splitlines()

    assert lines[:3] == [f"# {problem.title}", "", f"Status {problem.status} · `{slug}`"]
    assert len(lines) >= 5


@pytest.mark.django_db
def test_the_page_is_served_to_anybody(client: Client) -> None:
    answer = client.get("/problems/unknown-service")

    assert answer.status_code == 200
    assert b"<code>services:write</code>" in answer.content
    assert client.get("/problems/nothing").status_code == 404
