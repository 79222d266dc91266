"""What the team promises: the list, the form, and what a service's page says of its budgets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.utils.html import format_html
from django.views.decorators.http import require_http_methods, require_safe

from deploys import clock
from deploys.domain.wording import percent
from deploys.models import Role, Service, Team
from deploys.ports import Column
from deploys.views.access import TeamRequest, team_page
from deploys.views.forms import PlainForm
from reliability.actions.objectives import LONGEST_POLICY, BadObjective, promise
from reliability.addresses import page_url, service_url
from reliability.domain.outlook import Fate, outlook_of
from reliability.models import BurnAlert, Objective
from reliability.queries.reports import objectives_now, team_zone

THE_WHOLE = ""
PERIODS = (
    ("7", "the last 7 days"),
    ("28", "the last 28 days"),
    ("30", "the last 30 days"),
    ("90", "the last 90 days"),
    ("week", "each calendar week"),
    ("month", "each calendar month"),
    ("quarter", "each calendar quarter"),
)


class ObjectiveForm(PlainForm):
    """Whom it is about, what is measured, how much of it, over which period."""

    service = forms.ChoiceField(label="Of which service", required=False)
    sli = forms.ChoiceField(
        label="Measured by",
        choices=(("time", "time: how long it was not down"), ("requests", "requests: how many did not fail")),
        help_text="Requests need session counts that say how many failed.",
    )
    target_percent = forms.DecimalField(
        label="Target, in percent", min_value=1, max_value=100, decimal_places=4, max_digits=7, initial="99.9",
        help_text="99.9 % of 28 days leaves 40 min 19 s to be down.",
    )  # fmt: skip
    period = forms.ChoiceField(label="Over", choices=PERIODS, initial="28")
    budget_policy = forms.CharField(
        label="When the budget is spent", required=False, max_length=LONGEST_POLICY, widget=forms.Textarea({"rows": 4, "class": "input"}),
        help_text="What the team then does, in its own words: “Only fixes are deployed until half the budget is back.” It is shown while the budget is spent, and in the report.",
    )  # fmt: skip

    def __init__(self, *args: Any, team: Team, **kwargs: Any) -> None:  # Any: as the base class has it
        super().__init__(*args, **kwargs)
        names = Service.objects.filter(team=team).order_by("name").values_list("name", flat=True)
        field = self.fields["service"]
        if isinstance(field, forms.ChoiceField):
            field.choices = [(THE_WHOLE, "the whole: any critical service down"), *((name, name) for name in names)]

    def payload(self, objective_id: str) -> dict[str, Any]:  # Any: JSON
        """The objective in the history format's words."""
        data = self.cleaned_data
        period = data["period"]
        return {
            "id": objective_id, "service": data["service"] or None, "sli": data["sli"], "target": float(data["target_percent"] / 100),
            "window_days": int(period) if period.isdigit() else None, "calendar": None if period.isdigit() else period,
        }  # fmt: skip


@team_page()
@require_safe
def objectives(request: TeamRequest) -> HttpResponse:
    """All promises with what is left of their budgets, least first."""
    lines = budget_lines(request.team)
    alerts = BurnAlert.objects.filter(objective__team=request.team).select_related("objective__service")
    context = {
        "lines": lines,
        "alerts": alerts.order_by("-opened_at", "-pk")[:20],
        "add_url": page_url("objective-set", request.team.slug),
        "import_url": page_url("objective-openslo", request.team.slug),
        "file_url": page_url("objective-openslo-file", request.team.slug),
        "may_set": _may_set(request),
    }
    return render(request, "reliability/objectives.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@team_page(role=Role.ADMIN, write_role=Role.ADMIN)
def objective_set(request: TeamRequest) -> HttpResponse:
    """Sets an objective: a new one, or with `?id=` one that exists; `?service=` chooses the service beforehand."""
    team, objective_id = request.team, request.GET.get("id", "")
    known = Objective.objects.select_related("service").filter(team=team, external_id=objective_id).first()
    if objective_id and known is None:
        raise Http404
    initial = _initial(known) if known else {"service": request.GET.get("service", THE_WHOLE)}
    form = ObjectiveForm(request.POST or None, team=team, initial=initial)
    if request.method == "POST" and form.is_valid():
        payload = form.payload(objective_id or _free_id(team, form.cleaned_data))
        try:
            promise(team=team, payload=payload, budget_policy=form.cleaned_data["budget_policy"], by=request.user)
        except BadObjective as problem:
            form.add_error(None, str(problem))
        else:
            messages.success(request, "The objective is set. Its budget counts from the facts that are already here.")
            return redirect("objective-list", team.slug)
    context = {"form": form, "known": known, "list_url": page_url("objective-list", team.slug)}
    return render(request, "reliability/objective_set.html", context, status=422 if form.errors else 200)


def service_budgets(request: TeamRequest, service: Service) -> str:
    """The panel of a service's page: what is left of each of its budgets, or how to promise something."""
    lines = [line for line in budget_lines(request.team) if line["service_name"] == service.name]
    add_url = f"{page_url('objective-set', request.team.slug)}?service={service.name}"
    alerts = BurnAlert.objects.filter(objective__team=request.team).select_related("objective__service")
    context = {
        "lines": lines,
        "alerts": alerts.order_by("-opened_at", "-pk")[:20],
        "add_url": add_url,
        "may_set": _may_set(request),
    }
    return render_to_string("reliability/_service_budgets.html", context, request)


def tightest_budgets(team: Team, services: Sequence[Service]) -> dict[int, str]:
    """For the list of services: what is left of each one's tightest budget. From the shared calculation."""
    return {key: _left_words(line) for key, line in _tightest(team, services).items()}


def tightest_shares(team: Team, services: Sequence[Service]) -> dict[int, float]:
    """The share of its tightest budget that each service has left: the list's order, worst first."""
    return {key: line["share"] for key, line in _tightest(team, services).items()}


def _tightest(team: Team, services: Sequence[Service]) -> dict[int, dict[str, Any]]:  # Any: what a template reads
    keys = {service.name: service.pk for service in services}
    found: dict[int, dict[str, Any]] = {}  # Any: as above
    for line in budget_lines(team):  # least left first
        if line["service_name"] in keys:
            found.setdefault(keys[line["service_name"]], line)
    return found


def _left_words(line: dict[str, Any]) -> str:  # Any: what a template reads
    if line["share"] < 0:
        return format_html("<strong>{}</strong>", "gone")
    return format_html("{} left", percent(line["share"], 0))


BUDGET_COLUMN = Column("Budget", tightest_budgets, rank=tightest_shares)


def budget_lines(team: Team) -> list[dict[str, Any]]:  # Any: what a template reads
    """Every objective as evaluated now, least of its budget left first."""
    services = {service.name: service for service in Service.objects.filter(team=team)}
    policies = dict(Objective.objects.filter(team=team).values_list("external_id", "budget_policy"))
    zone, lines = team_zone(team), []
    for key, printed in objectives_now(team=team, now=clock.now()).items():
        unit = "seconds" if printed["sli"] == "time" else "requests"
        budget, remaining = printed[f"budget_{unit}"], printed[f"remaining_{unit}"]
        service = services.get(printed["service"] or "")
        outlook = outlook_of(printed)
        lines.append({
            "key": key, "service_name": printed["service"], "name": printed["service"] or "the whole", "printed": printed,
            "period": _period_words(printed), "unit": unit, "budget": budget, "remaining": remaining,
            "outlook": outlook.words(zone), "is_spent": outlook.fate is Fate.SPENT, "policy": policies.get(key, ""),
            "share": remaining / budget if budget else 1.0, "url": service_url(team, service) if service else "",
            "edit_url": f"{page_url('objective-set', team.slug)}?id={key}",
            "unreachable": [name.replace("_", " ") for name, rule in printed["alerts"].items() if rule["reachable"] is False],
        })  # fmt: skip
    return sorted(lines, key=lambda line: (line["share"], line["key"]))


def _period_words(printed: dict[str, Any]) -> str:  # Any: a printed objective
    window = str(printed["window"])
    return f"{window[:-1]} days" if window[:-1].isdigit() else f"each {window}"


def _may_set(request: TeamRequest) -> bool:
    return request.membership.role == Role.ADMIN


def _initial(known: Objective) -> dict[str, Any]:  # Any: values of form fields
    return {
        "service": known.service.name if known.service else THE_WHOLE, "sli": known.sli, "period": str(known.window_days or known.calendar),
        "target_percent": f"{known.target * 100:.4f}".rstrip("0").rstrip("."), "budget_policy": known.budget_policy,
    }  # fmt: skip


def _free_id(team: Team, data: dict[str, Any]) -> str:  # Any: cleaned form data
    """A name for the objective that says what it is, and that no other has."""
    period = f"{data['period']}d" if data["period"].isdigit() else data["period"]
    base = f"{data['service'] or 'whole'}-{data['sli']}-{period}"
    taken = set(Objective.objects.filter(team=team).values_list("external_id", flat=True))
    return next(name for name in (base, *(f"{base}-{n}" for n in range(2, len(taken) + 3))) if name not in taken)
