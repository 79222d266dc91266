"""What is live where, and what two versions of a service differ by."""

from __future__ import annotations

import uuid
from typing import Any

from django import forms
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from deploys import clock
from deploys.models import Deploy, Service
from deploys.ports import panels
from deploys.queries.comparison import Comparison, compare
from deploys.queries.pushes import had_more
from deploys.queries.services import board
from deploys.views.access import TeamRequest, team_page
from deploys.views.forms import PlainForm
from deploys.views.setup import curl_snippet

MOST_CHOICES = 100


@require_safe
@team_page()
def live_board(request: TeamRequest) -> HttpResponse:
    """Each service in each environment: what serves users, since when, and what is on its way."""
    environments, lines = board(request.team, now=clock.now())
    context: dict[str, Any] = {"environments": environments, "lines": lines}
    if not environments:
        first = request.team.services.order_by("name").first()
        context["curl"] = curl_snippet(first.name if first else "shop")
    return render(request, "deploys/live_board.html", context)


class CompareForm(PlainForm):
    """Two deploys of one service, the last ones first."""

    base = forms.ChoiceField(label="From", required=False)
    head = forms.ChoiceField(label="To", required=False)

    def __init__(self, *args: Any, deploys: list[Deploy], **kwargs: Any) -> None:  # Any: as the base class has it
        super().__init__(*args, **kwargs)
        choices = [(str(row.change.public_id), _name(row)) for row in deploys]
        for name in ("base", "head"):
            field: Any = self.fields[name]  # Any: a field knows its own attributes only
            field.choices = choices


def _name(deploy: Deploy) -> str:
    release = deploy.release.version if deploy.release else deploy.external_id
    return f"{release}, {deploy.started_at:%Y-%m-%d %H:%M} UTC, {deploy.environment.name}"


@require_safe
@team_page()
def version_compare(request: TeamRequest, public_id: uuid.UUID) -> HttpResponse:
    """Commits, files, flag changes and errors between two deploys; the last two, unless the address names others."""
    service = get_object_or_404(Service, team=request.team, public_id=public_id)
    service.team = request.team
    rows = Deploy.objects.filter(service=service).select_related("change", "release", "environment")
    deploys = list(rows.order_by("-started_at", "-pk")[:MOST_CHOICES])
    chosen = _chosen(deploys, request)
    context: dict[str, Any] = {"service": service, "form": None, "found": None}
    if len(chosen) == 2:
        base, head = chosen
        for deploy in chosen:
            deploy.service = service
        found = compare(base, head, now=clock.now())
        data = {"base": str(base.change.public_id), "head": str(head.change.public_id)}
        listed = sorted(
            {row.pk: row for row in (*deploys, *chosen)}.values(), key=lambda row: row.started_at, reverse=True
        )
        context |= {
            "form": CompareForm(data, deploys=listed),
            "found": found,
            "had_more": bool(found.commits) and had_more(request.team, [commit.sha for commit in found.commits]),
            "answer": sentence(found),
            "panels": panels("compare-main", request, found),
        }
    return render(request, "deploys/version_compare.html", context)


def _chosen(deploys: list[Deploy], request: TeamRequest) -> list[Deploy]:
    """The pair the address names; the last two succeeded ones of one environment where it names none. Else what there is."""
    named = [request.GET.get(name, "") for name in ("base", "head")]
    if not any(named):
        done = [row for row in deploys if row.outcome_listed == "succeeded"] or deploys
        pair = [row for row in done if row.environment_id == done[0].environment_id][:2] if done else []
        return pair[::-1]
    by_id = {str(row.change.public_id): row for row in deploys}
    return [by_id.get(name) or _older(deploys, name) for name in named]


def _older(deploys: list[Deploy], name: str) -> Deploy:
    """A deploy of the service that is not among the last ones. Http404 where there is none."""
    try:
        key = uuid.UUID(name)
    except ValueError as error:
        raise Http404 from error
    rows = Deploy.objects.select_related("change", "release", "environment")
    return get_object_or_404(rows, service__in={row.service_id for row in deploys}, change__public_id=key)


def sentence(found: Comparison) -> str:
    """What a reader wants first: how many steps and commits lie between, and whether the schema moved."""
    base, head = (each.release.version if each.release else each.external_id for each in (found.base, found.head))
    if not found.steps:
        return f"{base} and {head} are one deploy."
    back = " going back" if found.is_back else ""
    steps = f"{len(found.steps)} deploy{'s' if len(found.steps) != 1 else ''}"
    commits = f"{len(found.commits)} commit{'s' if len(found.commits) != 1 else ''}"
    schema = (
        f", {len(found.schema.migrations)} of {len(found.files)} files change the schema"
        if found.schema.migrations
        else ""
    )
    return f"From {base} to {head}{back}: {steps}, {commits}{schema}."
