"""Pages of settings have one form per act; the pressed button says which by its value."""

from __future__ import annotations

from collections.abc import Callable

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect

from deploys.actions import people
from deploys.models import Role
from deploys.views.access import RANK, TeamRequest

Acts = dict[str, Callable[[TeamRequest], HttpResponse | None]]


def is_admin(request: TeamRequest) -> bool:
    return RANK[Role(request.membership.role)] >= RANK[Role.ADMIN]


def number_of(request: TeamRequest, name: str) -> int:
    try:
        return int(request.POST.get(name, ""))
    except ValueError as error:
        raise Http404 from error


def public_id_of(request: TeamRequest, name: str) -> str:
    """The text of a public id; 404 when it is none."""
    value = request.POST.get(name, "")
    try:
        forms.UUIDField().clean(value)
    except forms.ValidationError as error:
        raise Http404 from error
    return value


def perform(request: TeamRequest, acts: Acts, back: str) -> HttpResponse:
    """Does what the form's `act` names, and goes back to the page unless the act has an answer of its own."""
    act = acts.get(request.POST.get("act", ""))
    if act is None:
        raise Http404
    try:
        answer = act(request)
    except people.NotPossible as problem:
        messages.error(request, str(problem))
        answer = None
    return answer or redirect(back, request.team.slug)
