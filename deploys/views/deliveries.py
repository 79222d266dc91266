"""The delivery log: what was sent, and what became of it."""

from __future__ import annotations

import uuid
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from deploys.actions.replays import NotReplayable, replay
from deploys.actions.secrets import UnreadableSecret
from deploys.models import Delivery, Role, Team
from deploys.queries.addresses import deploys_url, webhook_url
from deploys.queries.pages import BadCursor, page_of
from deploys.views.access import TeamRequest, team_page
from deploys.views.forms import PlainForm

PAGE_SIZE = 50
VERDICT_STATES = {"created": "ok", "updated": "ok", "duplicate": "off", "ignored": "off", "refused": "warn"}


class DeliveryFilterForm(PlainForm):
    """The filter above the log."""

    verdict = forms.ChoiceField(
        required=False, choices=[("", "any verdict"), *((each, each) for each in Delivery.Verdict.values)]
    )
    source = forms.ChoiceField(required=False)

    def __init__(self, *args: Any, team: Team, **kwargs: Any) -> None:  # Any: as the base class has it
        super().__init__(*args, **kwargs)
        field: Any = self.fields["source"]  # Any: a field knows its own attributes only
        named = team.sources.order_by("name").values_list("public_id", "name")
        field.choices = [("", "any source"), ("api", "API"), *((str(key), name) for key, name in named)]


@require_safe
@team_page()
def delivery_list(request: TeamRequest) -> HttpResponse:
    """Deliveries, newest first, narrowed by verdict and source."""
    rows = Delivery.objects.filter(team=request.team).select_related(
        "source", "token", "service", "change__deploy__release", "change__service", "change__flag_change__flag"
    )
    rows = rows.defer("body", "raw_encrypted")
    verdict, source = request.GET.get("verdict", ""), request.GET.get("source", "")
    if verdict in Delivery.Verdict.values:
        rows = rows.filter(verdict=verdict)
    if source == "api":
        rows = rows.filter(source__isnull=True)
    elif source:
        key = _uuid(source)
        rows = rows.filter(source__public_id=key) if key else rows.none()
    try:
        page = page_of(rows, by="received_at", query=request.GET, size=PAGE_SIZE)
    except BadCursor as error:
        raise Http404 from error
    context = {
        "form": DeliveryFilterForm(request.GET or None, team=request.team),
        "page": page,
        "lines": [(row, VERDICT_STATES[row.verdict]) for row in page.rows],
        "is_narrow": bool(verdict or source),
        "deploys_url": deploys_url(),
    }
    return render(request, "deploys/delivery_list.html", context)


def _uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


@require_safe
@team_page()
def delivery_detail(request: TeamRequest, public_id: uuid.UUID) -> HttpResponse:
    """One delivery with its body, secrets left out."""
    rows = Delivery.objects.select_related(
        "source",
        "token",
        "service",
        "replay_of",
        "change__deploy__release",
        "change__service",
        "change__flag_change__flag",
    )
    delivery = get_object_or_404(rows, team=request.team, public_id=public_id)
    context = {
        "delivery": delivery,
        "is_": VERDICT_STATES[delivery.verdict],
        "can_replay": delivery.raw_encrypted is not None and request.membership.role != Role.VIEWER,
        "replays": delivery.replays.order_by("pk").defer("body", "raw_encrypted"),
        "address": webhook_url(delivery.source) if delivery.source else deploys_url(),
    }
    return render(request, "deploys/delivery_detail.html", context)


@team_page(write_role=Role.RESPONDER)
@require_POST
def delivery_replay(request: TeamRequest, public_id: uuid.UUID) -> HttpResponse:
    """Takes a delivery again under the rules of now, and shows what became of it."""
    delivery = get_object_or_404(
        Delivery.objects.select_related("source__team", "source__service"), team=request.team, public_id=public_id
    )
    try:
        again = replay(delivery)
    except (NotReplayable, UnreadableSecret) as problem:
        messages.error(request, f"Not replayed: {problem}.")
        return redirect("delivery-detail", request.team.slug, delivery.public_id)
    messages.success(request, f"Replayed: {again.verdict}.")
    return redirect("delivery-detail", request.team.slug, again.public_id)
