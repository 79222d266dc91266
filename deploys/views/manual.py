"""The documentation, for anybody: it says nothing about an instance's data."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.safestring import mark_safe
from django.views.decorators.http import require_safe

from deploys.queries.manual import LONGEST_QUERY, NoSuchPage, article, groups, search


@require_safe
def docs(request: HttpRequest) -> HttpResponse:
    """All pages, or the sections in which `?q=` is found."""
    q = request.GET.get("q", "").replace("\x00", "").strip()[:LONGEST_QUERY]
    return render(request, "deploys/docs.html", {"q": q, "hits": search(q) if q else [], "groups": groups()})


@require_safe
def docs_page(request: HttpRequest, name: str) -> HttpResponse:
    """One page."""
    try:
        page = article(name)
    except NoSuchPage as error:
        raise Http404 from error
    context = {
        "page": page,
        "headings": [each for each in page.sections if each.level == 2],
        "html": mark_safe(page.html),  # noqa: S308 -- our own file, raw HTML off
    }
    return render(request, "deploys/docs_page.html", context)
