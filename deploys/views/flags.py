"""Feature flags: the list, a new one, and who may ask for them and change them."""

from __future__ import annotations

import json
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from deploys import clock
from deploys.actions.catalog import NotThatName
from deploys.actions.flag_cleanup import LIMITS
from deploys.actions.flag_keys import make_key, revoke_key
from deploys.actions.flag_registry import MOST_TEMPORARY, FlagRefused, create_flag, set_rights, temporary_count
from deploys.domain.flag_rules import DAYS, FlagKind, ValueType
from deploys.domain.flag_variants import BOOLEAN, MIGRATION
from deploys.models import Environment, FlagEnvironment, FlagKey, FlagProposal, RegisteredFlag, Role, Service, Team
from deploys.queries.flag_pages import environments_of, flag_lines, flags_of
from deploys.queries.pages import BadCursor, page_of
from deploys.views.access import RANK, TeamRequest, team_page
from deploys.views.acts import is_admin, public_id_of
from deploys.views.forms import PlainForm

PAGE_SIZE = 60
KIND_WORDS = {
    FlagKind.RELEASE: "release: goes once the feature is out",
    FlagKind.EXPERIMENT: "experiment: goes once it is decided",
    FlagKind.MIGRATION: "migration: from an old way to a new one, in stages",
    FlagKind.OPS: "operations: stays, reviewed twice a year",
    FlagKind.PERMISSION: "permission: stays, reviewed each year",
    FlagKind.KILL_SWITCH: "kill switch: stays, reviewed each year",
}


class FlagFilterForm(PlainForm):
    """The filter above the list; its state stands in the address."""

    kind = forms.ChoiceField(
        required=False, choices=[("", "any kind"), *((str(each), str(each).replace("_", " ")) for each in FlagKind)]
    )
    state = forms.ChoiceField(required=False, choices=[("", "in use"), ("archived", "archived")])
    text = forms.CharField(
        label="Contains", required=False, max_length=100, widget=forms.TextInput({"type": "search", "class": "input"})
    )


class FlagForm(PlainForm):
    """A new flag."""

    key = forms.CharField(
        label="Key", max_length=100, help_text="As the code asks for it: letters, digits, dots, dashes, underscores.",
        widget=forms.TextInput({"class": "input mono", "autocomplete": "off", "spellcheck": "false"}),
    )  # fmt: skip
    description = forms.CharField(
        label="What it is for", required=False, max_length=2_000, widget=forms.Textarea({"rows": 2, "class": "input"})
    )
    kind = forms.ChoiceField(label="Kind", choices=list(KIND_WORDS.items()), help_text="Says when it is due.")
    value_type = forms.ChoiceField(
        label="Values are", initial="boolean",
        choices=[
            ("boolean", "on and off"), ("string", "texts"), ("integer", "whole numbers"), ("float", "numbers"),
            ("object", "JSON"),
        ],
    )  # fmt: skip
    variants = forms.CharField(
        label="Variants", required=False, max_length=50_000,
        widget=forms.Textarea({"rows": 3, "class": "input mono", "spellcheck": "false"}),
        help_text="One a line, name = value; the last is the one served while the flag is off. On and off, and a migration, need none.",
    )  # fmt: skip
    owner = forms.CharField(label="Owner", required=False, max_length=200, help_text="Who is asked when it is due.")
    ticket_url = forms.URLField(label="Ticket for its clean-up", required=False, max_length=500, assume_scheme="https")
    services = forms.ModelMultipleChoiceField(
        label="Services it changes", queryset=Service.objects.none(), required=False,
        widget=forms.CheckboxSelectMultiple, help_text="Incidents of these are weighed against its flips first.",
    )  # fmt: skip

    is_over_cap_meant = forms.BooleanField(
        label="Make it although there are so many",
        required=False,
        help_text="Each temporary flag doubles what can be live.",
    )

    def __init__(self, *args: Any, team: Team, **kwargs: Any) -> None:  # Any: as the base class has it
        super().__init__(*args, **kwargs)
        if temporary_count(team) < MOST_TEMPORARY:
            del self.fields["is_over_cap_meant"]
        chosen: Any = self.fields["services"]  # Any: a field knows its own attributes only
        chosen.queryset = Service.objects.filter(team=team, retired_at__isnull=True).order_by("name")

    def said(self) -> tuple[list[dict[str, Any]], str]:
        """The variants and the one that is off. FlagRefused where a line cannot be read."""
        if self.cleaned_data["kind"] == FlagKind.MIGRATION:
            return MIGRATION, "off"
        lines = [line for line in self.cleaned_data["variants"].splitlines() if line.strip()]
        if not lines and self.cleaned_data["value_type"] == ValueType.BOOLEAN:
            return BOOLEAN, "off"
        found = [_variant(line, self.cleaned_data["value_type"]) for line in lines]
        return found, found[-1]["name"] if found else ""


def _variant(line: str, value_type: str) -> dict[str, Any]:  # Any: JSON
    name, equals, value = (part.strip() for part in line.partition("="))
    if not equals:
        raise FlagRefused(f"{line}: expected name = value", field="variants")
    if value_type == ValueType.STRING:
        return {"name": name, "value": value}
    try:
        return {"name": name, "value": json.loads(value)}
    except (ValueError, RecursionError) as error:
        raise FlagRefused(f"{name}: {value} is no {value_type}", field="variants") from error


class KeyForm(PlainForm):
    """A new key for an application."""

    environment = forms.ModelChoiceField(label="Environment", queryset=Environment.objects.none(), empty_label=None)
    application = forms.CharField(
        label="Application", max_length=100, help_text="What asks with it; checks are counted by this name."
    )
    kind = forms.ChoiceField(
        label="Used in", choices=[("server", "a server: the key stays secret"), ("browser", "a browser or an app")]
    )
    origins = forms.CharField(
        label="Pages that may use it", required=False, max_length=4_000, widget=forms.Textarea({"rows": 2, "class": "input mono"}),
        help_text="One a line, such as https://shop.example.com. Empty: any. Only for browsers.",
    )  # fmt: skip

    def __init__(self, *args: Any, team: Team, **kwargs: Any) -> None:  # Any: as the base class has it
        super().__init__(*args, **kwargs)
        chosen: Any = self.fields["environment"]  # Any: a field knows its own attributes only
        chosen.queryset = Environment.objects.filter(team=team).order_by("name")


@require_safe
@team_page()
def flag_list(request: TeamRequest) -> HttpResponse:
    """Flags, newest first, narrowed by the query string."""
    form, now = FlagFilterForm(request.GET or None), clock.now()
    text, kind = request.GET.get("text", "")[:100], request.GET.get("kind", "")[:20]
    is_archived = request.GET.get("state") == "archived"
    rows = flags_of(request.team, text=text, kind=kind, is_archived=is_archived)
    try:
        page = page_of(rows, by="created_at", query=request.GET, size=PAGE_SIZE)
    except BadCursor as error:
        raise Http404 from error
    lines = flag_lines(request.team, page.rows, now=now)
    context = {
        "form": form,
        "page": page,
        "lines": lines,
        "main": lines[0].main.environment if lines and lines[0].main else None,
        "is_narrow": bool(text or kind or is_archived),
        "can_write": RANK[Role(request.membership.role)] >= RANK[Role.RESPONDER],
        "is_admin": is_admin(request),
        "waiting": FlagProposal.objects.filter(flag__team=request.team, state="open").count(),
    }
    return render(request, "deploys/flag_list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@team_page(role=Role.RESPONDER)
def flag_new(request: TeamRequest) -> HttpResponse:
    """A new flag, off everywhere."""
    form = FlagForm(request.POST or None, team=request.team)
    if request.method == "POST" and form.is_valid() and (flag := _created(request, form)) is not None:
        messages.success(request, f"{flag.key} is registered, and off everywhere. Roll it out below.")
        if (number := temporary_count(request.team)) > LIMITS.cap:
            messages.warning(request, f"The team has {number} temporary flags, more than {LIMITS.cap}: clean some up.")
        return redirect("flag-detail", request.team.slug, flag.public_id)
    days = ", ".join(f"{str(kind).replace('_', ' ')} {days}" for kind, days in DAYS.items())
    return render(request, "deploys/flag_new.html", {"form": form, "days": days})


def _created(request: TeamRequest, form: FlagForm) -> RegisteredFlag | None:
    said = form.cleaned_data
    try:
        variants, off = form.said()
        return create_flag(
            team=request.team, key=said["key"], kind=FlagKind(said["kind"]), variants=variants, off_variant=off,
            value_type=ValueType.STRING if said["kind"] == FlagKind.MIGRATION else ValueType(said["value_type"]),
            now=clock.now(), by=request.user, description=said["description"], owner=said["owner"],
            ticket_url=said["ticket_url"], services=said["services"], is_over_cap_meant=said.get("is_over_cap_meant", False),
        )  # fmt: skip
    except FlagRefused as error:
        form.add_error(error.field if error.field in form.fields else None, str(error))
        return None


@require_http_methods(["GET", "HEAD", "POST"])
@team_page(role=Role.ADMIN, write_role=Role.ADMIN)
def flag_keys(request: TeamRequest) -> HttpResponse:
    """Keys by which applications ask, and who may change flags in which environment."""
    form, secret = KeyForm(request.POST if request.POST.get("act") == "make" else None, team=request.team), ""
    if request.method == "POST":
        match request.POST.get("act"):
            case "make":
                secret = _made(request, form)
            case "revoke":
                wanted = FlagKey.objects.filter(team=request.team).select_related("environment")
                revoke_key(key=get_object_or_404(wanted, public_id=public_id_of(request, "key")), now=clock.now())
                messages.success(request, "The key is refused from now on.")
            case "rights":
                _rights(request)
            case _:
                raise Http404
        if not secret and not form.is_bound:
            return redirect("flag-keys", request.team.slug)
    environments = environments_of(request.team)
    rights = {row.environment_id: row for row in FlagEnvironment.objects.filter(environment__in=environments)}
    context = {
        "form": KeyForm(team=request.team) if secret else form,
        "secret": secret,
        "url": settings.BASE_URL,
        "keys": FlagKey.objects.filter(team=request.team, revoked_at__isnull=True)
        .select_related("environment")
        .order_by("-created_at", "-pk")[:200],
        "rights": [(row, rights.get(row.pk) or FlagEnvironment(environment=row)) for row in environments],
    }
    return render(request, "deploys/flag_keys.html", context)


def _made(request: TeamRequest, form: KeyForm) -> str:
    if not form.is_valid():
        return ""
    said = form.cleaned_data
    try:
        return make_key(
            environment=said["environment"], kind=said["kind"], application=said["application"], now=clock.now(),
            by=request.user, origins=said["origins"].split(),
        )[1]  # fmt: skip
    except (FlagRefused, NotThatName) as error:
        form.add_error("origins" if isinstance(error, FlagRefused) else "application", str(error))
        return ""


def _rights(request: TeamRequest) -> None:
    environment = request.team.environments.filter(name=request.POST.get("environment", "")).first()
    role = request.POST.get("write_role", "")
    if environment is None or role not in {Role.RESPONDER, Role.ADMIN}:
        raise Http404
    set_rights(environment=environment, write_role=role, needs_approval="needs_approval" in request.POST)
    messages.success(request, f"Who may change flags in {environment} is kept.")
