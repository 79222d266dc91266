"""The pages behind the `type` of a problem: docs/problems/<slug>.md, for anybody."""

from __future__ import annotations

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.safestring import mark_safe
from markdown_it import MarkdownIt

from deploys.domain.problem_types import PROBLEMS


def problem_page(request: HttpRequest, slug: str) -> HttpResponse:
    """What the problem means and what to do."""
    problem = PROBLEMS.get(slug)
    if problem is None:
        raise Http404
    text = (settings.BASE_DIR / "docs" / "problems" / f"{slug}.md").read_text(encoding="utf-8")
    text = text.split("\n\n", 2)[2]  # title and status are the page's head
    article = MarkdownIt("commonmark", {"html": False}).render(text)
    return render(
        request,
        "deploys/problem.html",
        {"problem": problem, "article": mark_safe(article)},  # noqa: S308 -- our own file, raw HTML off
    )
