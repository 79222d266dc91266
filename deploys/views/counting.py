"""The counting policy and the owner groups."""

from __future__ import annotations

from typing import Final

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_http_methods

from deploys import clock
from deploys.actions import team as team_actions
from deploys.actions.catalog import NotThatName
from deploys.models import OwnerGroup, Role
from deploys.views.access import TeamRequest, team_page
from deploys.views.acts import is_admin, number_of, perform
from deploys.views.forms import PlainForm

DAY: Final = 86_400


class PolicyForm(PlainForm):
    """How things are counted; lengths in hours or days, as people say them."""

    environment = forms.CharField(
        label="Environment that counts",
        max_length=100,
        help_text="Its tier counts: names that begin with prod or live are production.",
    )
    failure_classes = forms.MultipleChoiceField(
        label="Incidents that make their deploy a failed one", widget=forms.CheckboxSelectMultiple,
        choices=[("downtime", "downtime"), ("multi_user", "multi-user"), ("single_user", "single-user"), ("impactless", "impactless")],
    )  # fmt: skip
    pending_days = forms.FloatField(label="A deploy may still fail for, in days", min_value=0, max_value=365)
    deploy_timeout_hours = forms.FloatField(
        label="A deploy without an end has never finished after, in hours", min_value=0.1, max_value=8_760
    )
    maintenance_notice_hours = forms.FloatField(
        label="Maintenance counts as announced when told ahead, in hours", min_value=0, max_value=8_760
    )
    stale_after_days = forms.FloatField(label="A flag is stale after, in days", min_value=0.1, max_value=3_650)

    SCALES = (
        ("pending_days", "pending_seconds", DAY), ("deploy_timeout_hours", "deploy_timeout_seconds", 3_600),
        ("maintenance_notice_hours", "maintenance_notice_seconds", 3_600), ("stale_after_days", "stale_after_seconds", DAY),
    )  # fmt: skip

    @classmethod
    def of(cls, policy: dict[str, team_actions.PolicyValue]) -> PolicyForm:
        """The form as it stands."""
        scaled = {name: f"{float(str(policy[key])) / size:g}" for name, key, size in cls.SCALES}
        return cls(
            initial={"environment": policy["environment"], "failure_classes": policy["failure_classes"], **scaled}
        )

    def policy(self) -> dict[str, team_actions.PolicyValue]:
        """What was filled in, in the words of the history format."""
        given = self.cleaned_data
        scaled = {key: round(given[name] * size) for name, key, size in self.SCALES}
        return {"environment": given["environment"].strip(), "failure_classes": given["failure_classes"], **scaled}


def _counting_page(request: TeamRequest, *, status: int = 200, form: PolicyForm | None = None) -> HttpResponse:
    groups = OwnerGroup.objects.filter(team=request.team).prefetch_related("services").order_by("name")
    context = {
        "tab": "counting", "is_admin": is_admin(request), "groups": groups,
        "policy_form": form or PolicyForm.of(team_actions.policy_of(request.team)),
    }  # fmt: skip
    return render(request, "deploys/settings_counting.html", context, status=status)


def _save_policy(request: TeamRequest) -> HttpResponse | None:
    form = PolicyForm(request.POST)
    if not form.is_valid():
        return _counting_page(request, status=422, form=form)
    team_actions.change_policy(team=request.team, policy=form.policy(), by=request.user, now=clock.now())
    messages.success(request, "From now on it is counted like this.")
    return None


def _group(request: TeamRequest) -> OwnerGroup:
    return get_object_or_404(OwnerGroup, team=request.team, pk=number_of(request, "group"))


def _rename_group(request: TeamRequest) -> None:
    try:
        team_actions.rename_group(group=_group(request), name=request.POST.get("name", ""))
    except (NotThatName, team_actions.NameTaken) as problem:
        messages.error(request, str(problem))
    else:
        messages.success(request, "The group is renamed.")


def _remove_group(request: TeamRequest) -> None:
    team_actions.remove_group(group=_group(request))
    messages.success(request, "The group is gone; its services belong to nobody.")


@team_page(write_role=Role.ADMIN)
@require_http_methods(["GET", "HEAD", "POST"])
def team_counting(request: TeamRequest) -> HttpResponse:
    """The counting policy and the owner groups."""
    if request.method == "POST":
        return perform(
            request, {"policy": _save_policy, "rename": _rename_group, "remove": _remove_group}, "team-counting"
        )
    return _counting_page(request)
