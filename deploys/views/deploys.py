"""Deploys: the list, and one of them."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Any

from django import forms
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from deploys import clock
from deploys.domain.deploy_facts import Outcome
from deploys.domain.schema_changes import schema_changes_of
from deploys.domain.wording import counted, duration
from deploys.models import Commit, Deploy, Team
from deploys.ports import change_links, column_cells, columns, panels
from deploys.queries.addresses import deploys_url
from deploys.queries.changes import KINDS, OUTCOMES, DeployFilter, deploys_of
from deploys.queries.derived import ShownDeploy, shown_deploy
from deploys.queries.flags import flag_changes_around
from deploys.queries.pages import BadCursor, page_of, page_within
from deploys.queries.pushes import had_more
from deploys.views.access import TeamRequest, team_page
from deploys.views.forms import PlainForm
from deploys.views.setup import curl_snippet

PAGE_SIZE = 40
MOST_SEARCHED = 20_000
"""Deploys that one search for a text looks at: what is not there is told in the time of a page, then one may go on."""
MOST_COMMITS = 200
KIND_SIGNS = {"forward": "deploy", "hotfix": "hotfix", "rollback": "rollback", "redeploy": "replay"}
OUTCOME_WORDS = {
    "succeeded": ("succeeded", "ok"),
    "failed": ("failed", "warn"),
    "aborted": ("aborted before traffic", "off"),
    "running": ("running", "live"),
    "never_finished": ("never finished", "warn"),
}


class DeployFilterForm(PlainForm):
    """The filter above the list; its state stands in the address."""

    service = forms.ChoiceField(required=False)
    environment = forms.ChoiceField(required=False)
    kind = forms.ChoiceField(required=False, choices=[("", "any kind"), *((each, each) for each in KINDS)])
    outcome = forms.ChoiceField(
        required=False, choices=[("", "any outcome"), *((each, OUTCOME_WORDS[each][0]) for each in OUTCOMES)]
    )
    text = forms.CharField(
        label="Contains", required=False, max_length=250, widget=forms.TextInput({"type": "search", "class": "input"})
    )

    def __init__(self, *args: Any, team: Team, **kwargs: Any) -> None:  # Any: as the base class has it
        super().__init__(*args, **kwargs)
        names = team.services.order_by("name").values_list("name", flat=True)
        self._choose("service", "any service", list(names))
        self._choose("environment", "any", list(team.environments.order_by("name").values_list("name", flat=True)))
        for name in ("from", "to"):
            self.fields[name] = forms.CharField(
                required=False, widget=forms.DateInput({"type": "date", "class": "input"})
            )

    def _choose(self, name: str, anything: str, names: list[str]) -> None:
        field: Any = self.fields[name]  # Any: a field knows its own attributes only
        field.choices = [("", anything), *((each, each) for each in names)]


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the list."""

    deploy: Deploy
    kind: str
    sign: str
    outcome: str
    outcome_is: str
    took: dt.timedelta | None
    cells: list[Any]  # Any: pairs of column and safe HTML


@require_safe
@team_page()
def deploy_list(request: TeamRequest) -> HttpResponse:
    """Deploys, newest first, narrowed by the query string."""
    wanted, now = DeployFilter.of(request.GET), clock.now()
    rows = deploys_of(request.team, wanted, now=now)
    try:
        if wanted.text:
            page = page_within(
                rows, among=Deploy.objects.filter(team=request.team), most=MOST_SEARCHED, by="started_at", query=request.GET, size=PAGE_SIZE
            )  # fmt: skip
        else:
            page = page_of(rows, by="started_at", query=request.GET, size=PAGE_SIZE)
    except BadCursor as error:
        raise Http404 from error
    cells = column_cells("deploy-list", request.team, page.rows)
    context = {
        "form": DeployFilterForm(request.GET or None, team=request.team),
        "page": page,
        "lines": [_line(deploy, cells[deploy.pk], now) for deploy in page.rows],
        "columns": columns("deploy-list"),
        "wanted": wanted,
    }
    if not page.rows and not wanted.is_narrow:
        first = request.team.services.order_by("name").first()
        context["curl"] = curl_snippet(first.name if first else "shop")
    return render(request, "deploys/deploy_list.html", context)


def _line(deploy: Deploy, cells: list[Any], now: dt.datetime) -> Line:  # Any: pairs of column and safe HTML
    kind = deploy.kind_listed or deploy.kind_stated
    outcome, is_ = OUTCOME_WORDS.get(deploy.outcome_listed, OUTCOME_WORDS["running"])
    took = deploy.finished_at - deploy.started_at if deploy.finished_at and deploy.finished_at <= now else None
    return Line(deploy, kind, sign_of(deploy, kind), outcome, is_, took, cells)


def sign_of(deploy: Deploy, kind: str) -> str:
    """The drawn sign of a deploy: what it changed, else what it did to the version."""
    special = {"config": "configuration", "migration": "migration"}.get(deploy.strategy)
    return special or KIND_SIGNS.get(kind, "deploy")


@require_safe
@team_page()
def deploy_detail(request: TeamRequest, public_id: uuid.UUID) -> HttpResponse:
    """One deploy: what it did, its states, what is in it, its neighbours."""
    now = clock.now()
    rows = deploys_of(request.team, DeployFilter(), now=now)
    deploy = rows.filter(change__public_id=public_id).first()
    if deploy is None:
        raise Http404
    deploy.service.team = deploy.team = request.team
    shown = _shown(deploy, now)
    neighbours = {}
    if shown is not None:
        wanted = [key for key in (shown.standing.previous, shown.standing.replaced_by) if key]
        neighbours = rows.in_bulk(wanted) if wanted else {}
    life, commits = _life(shown, now), _commits(deploy, shown.live_at if shown else None)
    kind = str(shown.standing.facts.kind or "") if shown else deploy.kind_stated
    outcome = str(shown.standing.facts.outcome) if shown else "running"
    context = {
        "deploy": deploy,
        "shown": shown,
        "run": f"run {deploy.external_id}" if deploy.external_id.isdecimal() else deploy.external_id,
        "kind": kind,
        "sign": sign_of(deploy, kind),
        "outcome": OUTCOME_WORDS[outcome],
        "life": life,
        "life_words": duration(life),
        "commits_fact": _commits_fact(commits),
        "schema": schema_changes_of(deploy.files or ()),
        "flag_changes": flag_changes_around(deploy, began_at=shown.live_at if shown else None),
        "took": deploy.finished_at - deploy.started_at if deploy.finished_at and deploy.finished_at <= now else None,
        "is_ended": shown is not None and shown.standing.facts.outcome in {Outcome.SUCCEEDED, Outcome.FAILED, Outcome.ABORTED},
        "previous": neighbours.get(shown.standing.previous or 0) if shown else None,
        "replaced_by": neighbours.get(shown.standing.replaced_by or 0) if shown else None,
        "commits": commits,
        "had_more": bool(commits) and had_more(request.team, [commit.sha for commit, _ in commits]),
        "panels": {place: panels(f"deploy-{place}", request, shown) for place in ("answer", "figure", "main", "aside")}
        if shown
        else {},
        "source": _source_words(deploy, request.team),
    }  # fmt: skip
    return render(request, "deploys/deploy_detail.html", context)


def _shown(deploy: Deploy, now: dt.datetime) -> ShownDeploy | None:
    """The deploy with what follows from the facts; None while its start lies ahead."""
    return shown_deploy(deploy, links=change_links(deploy.team, [deploy.pk]), now=now)


def _life(shown: ShownDeploy | None, now: dt.datetime) -> dt.timedelta | None:
    """How long it served users, or has served them so far; None if it never did, or only while it failed."""
    if shown is None or shown.live_at is None or shown.standing.facts.outcome is not Outcome.SUCCEEDED:
        return None
    return (shown.standing.live_until or now) - shown.live_at


def _commits(deploy: Deploy, live_at: dt.datetime | None) -> list[tuple[Commit, dt.timedelta | None]]:
    """The deploy's commits, newest first, each with its age when it went live."""
    commits = deploy.commits.order_by("-committed_at", "sha")[:MOST_COMMITS]
    return [(commit, live_at - commit.committed_at if live_at and commit.committed_at else None) for commit in commits]


def _commits_fact(commits: list[tuple[Commit, dt.timedelta | None]]) -> str:
    """How many, and how old the oldest was."""
    ages = [age for _, age in commits if age is not None]
    words = counted(len(commits), "commit")
    return f"{words}, the oldest {duration(max(ages))} before it was live" if ages else words


def _source_words(deploy: Deploy, team: Team) -> str:
    """Who told us."""
    if deploy.is_inferred:
        return "nobody; seen in errors and sessions"
    if deploy.source == "api":
        return f"the API, {deploys_url()}"
    if deploy.source == "history":
        return "an imported history"
    try:
        source = team.sources.filter(public_id=uuid.UUID(deploy.source)).first()
    except ValueError:
        return deploy.source
    return source.name if source else "a webhook that was deleted"
