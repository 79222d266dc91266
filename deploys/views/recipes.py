"""The recipes of docs/ci/ with this instance's address and the service's names filled in."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from typing import Final

from django.conf import settings
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.safestring import mark_safe
from django.utils.text import slugify
from django.views.decorators.http import require_safe
from markdown_it import MarkdownIt

from deploys.models import Role, Service
from deploys.views.access import TeamRequest, team_page

#: File name and title, in the order of the list.
RECIPES: Final = {
    "github-actions": "GitHub Actions",
    "gitlab-ci": "GitLab CI",
    "jenkins": "Jenkins",
    "circleci": "CircleCI",
    "curl": "Plain curl",
    "sentry-cli": "sentry-cli",
}
LANGUAGES: Final = {"sh": "shell", "yaml": "YAML", "groovy": "Groovy"}
_FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[([^]]+)\]\([^)]+\)")
_SERVICE = re.compile(r"""(UPSHOT_SERVICE(?:: | = ')|SENTRY_PROJECT=|service=|--service )shop\b""")


def recipe_text(name: str, *, team: str, service: str) -> str:
    """The recipe's Markdown without its title, with the example's address, team and service replaced by real ones.

    A service's name that a shell would take apart stays the example's: it is for the reader to quote.
    """
    text = (settings.BASE_DIR / "docs" / "ci" / f"{name}.md").read_text(encoding="utf-8").split("\n", 2)[2]
    text = text.replace("https://upshot.example.com", settings.BASE_URL).replace(
        "SENTRY_ORG=acme", f"SENTRY_ORG={team}"
    )
    if re.fullmatch(r"[\w.-]+", service, re.ASCII):
        text = _SERVICE.sub(lambda found: found[1] + service, text)
    else:
        text = text.replace("SENTRY_PROJECT=shop", f"SENTRY_PROJECT={slugify(service) or 'shop'}")
    return _LINK.sub(r"\1", text)


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a recipe: words as HTML, or code to be copied."""

    html: str = ""
    language: str = ""
    code: tuple[tuple[str, bool], ...] = ()


def pieces_of(text: str) -> list[Piece]:
    """The recipe cut at its fenced blocks."""
    markdown = MarkdownIt("commonmark", {"html": False})
    found: list[Piece] = []
    for place, part in enumerate(_FENCE.split(text)):
        if place % 3 == 0 and part.strip():
            found.append(Piece(html=mark_safe(markdown.render(part))))  # noqa: S308 -- our own file, raw HTML off
        elif place % 3 == 1:
            language = part
        elif place % 3 == 2:
            found.append(Piece(language=LANGUAGES[language], code=((part.rstrip("\n"), False),)))
    return found


@team_page(role=Role.RESPONDER)
@require_safe
def recipe(request: TeamRequest, service_id: uuid.UUID, name: str) -> HttpResponse:
    """One recipe, to be copied."""
    service = get_object_or_404(Service, team=request.team, public_id=service_id)
    if name not in RECIPES:
        raise Http404
    pieces = pieces_of(recipe_text(name, team=request.team.slug, service=service.name))
    return render(
        request,
        "deploys/recipe.html",
        {"service": service, "title": RECIPES[name], "pieces": pieces},
    )
