"""One flag: what it serves where, whom a change would move, the switch for an emergency, everything done to it."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods

from deploys import clock
from deploys.actions.flag_registry import FlagRefused, archive_flag, describe_flag, restore_flag, rights_of
from deploys.actions.flag_steps import Held, held
from deploys.actions.flag_switches import (
    change_or_propose,
    checked_rules,
    decide,
    kill_flag,
    revive_flag,
    standing,
)
from deploys.domain.bucketing import percent_of
from deploys.domain.flag_documents import document_of
from deploys.domain.flag_preview import preview
from deploys.domain.flag_rules import Rules
from deploys.domain.flag_schedule import held_step, taken
from deploys.domain.tickets import ticket_key
from deploys.models import Environment, FlagProposal, FlagRevision, RegisteredFlag, Role
from deploys.queries.flag_dossiers import ticket_of
from deploys.queries.flag_pages import FlagState, Served, checks_by_variant, environments_of, served_lines, state_of
from deploys.queries.flag_rulesets import names_of
from deploys.views.access import RANK, TeamRequest, team_page
from deploys.views.acts import public_id_of
from deploys.views.forms import PlainForm

MOST_REVISIONS = 30
HOURS = {"1": "in an hour", "24": "in a day", "168": "in a week", "": "only when somebody says so"}


class RulesForm(PlainForm):
    """What a flag serves in one environment: the default by fields, everything finer as JSON."""

    is_on = forms.BooleanField(label="On: the rules count", required=False)
    variant = forms.ChoiceField(label="Serve")
    percent = forms.FloatField(label="To this percentage of users", min_value=0, max_value=100)
    rest = forms.ChoiceField(label="Serve the others")
    finer = forms.CharField(
        label="Rules, targets, prerequisites, schedule", required=False, max_length=200_000,
        widget=forms.Textarea({"rows": 8, "class": "input mono", "spellcheck": "false"}),
        help_text="JSON. A default in it counts instead of the fields above.",
    )  # fmt: skip

    def __init__(self, *args: Any, flag: RegisteredFlag, **kwargs: Any) -> None:  # Any: as the base class has it
        super().__init__(*args, **kwargs)
        for name in ("variant", "rest"):
            field: Any = self.fields[name]  # Any: a field knows its own attributes only
            field.choices = [(each, each) for each in names_of(flag)]

    def clean_finer(self) -> dict[str, Any]:  # Any: JSON
        """The JSON object; the kill has a form of its own."""
        try:
            said = json.loads(self.cleaned_data["finer"] or "{}")
        except (ValueError, RecursionError) as error:
            raise forms.ValidationError(f"not JSON: {error}") from error
        if not isinstance(said, dict) or {"on", "kill"} & said.keys():
            raise forms.ValidationError("expected an object with rules, targets, prerequisites, schedule or default")
        return said

    def document(self, rules: Rules) -> dict[str, Any]:  # Any: JSON
        """The rules that are meant, with the kill that stands."""
        said = self.cleaned_data
        default = {"variant": said["variant"], "percent": said["percent"], "rest": said["rest"]}
        if said["percent"] == 100 and "schedule" not in said["finer"]:
            default = {"variant": said["variant"]}
        if rules.default.by is not None:
            default["by"] = rules.default.by
        return {"on": said["is_on"], "kill": document_of(rules)["kill"], "default": default, **said["finer"]}


def initial_of(flag: RegisteredFlag, rules: Rules) -> dict[str, Any]:  # Any: values of the form
    """The form's values for standing rules."""
    document = document_of(rules)
    finer = {key: document[key] for key in ("targets", "rules", "prerequisites", "schedule") if document[key]}
    if len(rules.default.split) > 1:
        finer["default"] = document["default"]
    return {
        "is_on": rules.is_on,
        "variant": rules.default.split[0][0],
        "percent": percent_of(rules.default.percent),
        "rest": rules.default.rest or flag.off_variant,
        "finer": json.dumps(finer, indent=2, ensure_ascii=False) if finer else "",
    }


@dataclass(frozen=True, slots=True)
class Place:
    """A flag in one environment, as its page shows it."""

    environment: Environment
    state: FlagState
    version: int
    lines: list[Served]
    form: RulesForm
    checks: list[Mapping[str, object]]
    checked: int
    may_change: bool
    needs_approval: bool
    held: Held | None


@require_http_methods(["GET", "HEAD", "POST"])
@team_page()
def flag_detail(request: TeamRequest, public_id: uuid.UUID) -> HttpResponse:
    """The flag in the environment that `in` names, else in the first (production, where there is one)."""
    flag = get_object_or_404(RegisteredFlag.objects.select_related("team"), team=request.team, public_id=public_id)
    environments, now = environments_of(request.team), clock.now()
    named = request.POST.get("environment") or request.GET.get("in", "")
    here = next((each for each in environments if each.name == named), None)
    if not named and environments:
        here = environments[0]
    if named and here is None:
        raise Http404
    if request.method == "POST":
        return _act(request, flag, here, now)
    return _page(request, flag, here, environments, now)


def _page(
    request: TeamRequest,
    flag: RegisteredFlag,
    here: Environment | None,
    environments: list[Environment],
    now: dt.datetime,
) -> HttpResponse:
    proposals = FlagProposal.objects.filter(flag=flag, state="open").select_related("environment", "asked_by")
    revisions = flag.revisions.select_related("environment", "by", "approved_by", "change")
    context = {
        "flag": flag,
        "place": _place(request, flag, here, now) if here else None,
        "environments": environments,
        "revisions": revisions.order_by("-at", "-id")[:MOST_REVISIONS],
        "proposals": proposals.order_by("asked_at")[:20],
        "services": flag.services.order_by("name"),
        "ticket": ticket_of(flag),
        "hours": HOURS,
        "can_write": RANK[Role(request.membership.role)] >= RANK[Role.RESPONDER],
        "is_due": flag.expires_at is not None and flag.expires_at <= now,
    }
    return render(request, "deploys/flag_detail.html", context)


def _place(request: TeamRequest, flag: RegisteredFlag, environment: Environment, now: dt.datetime) -> Place:
    settings = flag.settings.filter(environment=environment).first()
    state = state_of(flag, environment, settings, now)
    rules, version = standing(flag, environment)
    rights, checks = rights_of(environment), checks_by_variant(environment, flag.key, now=now)
    return Place(
        environment, state, version, served_lines(rules, now=now), RulesForm(flag=flag, initial=initial_of(flag, rules)),
        checks, sum(int(str(row["quantity"])) for row in checks),
        RANK[Role(request.membership.role)] >= RANK[Role(rights.write_role)], rights.needs_approval,
        held(flag, settings, now=now),
    )  # fmt: skip


def _act(request: TeamRequest, flag: RegisteredFlag, here: Environment | None, now: dt.datetime) -> HttpResponse:
    """What the pressed button says. Killing needs no approval and no special right: it is for emergencies."""
    act, reason = request.POST.get("act", ""), request.POST.get("reason", "").strip()[:2_000]
    back = redirect("flag-detail", request.team.slug, flag.public_id)
    try:
        if act in {"preview", "change", "kill", "revive", "take"}:
            if here is None:
                raise Http404
            back["Location"] += f"?in={here.name}"
            if act in {"preview", "change"}:
                return _change(request, flag, here, now, reason) or back
            if act == "take":
                _take(request, flag, here, now)
                return back
            _switch(request, flag, here, now, reason)
        elif act in {"approve", "refuse"}:
            _decide(request, flag, now, is_approved=act == "approve")
        elif act == "archive":
            archive_flag(flag=flag, reason=reason, now=now, by=request.user)
        elif act == "restore":
            restore_flag(flag=flag, reason=reason, now=now, by=request.user)
        elif act == "describe":
            describe_flag(flag=flag, details=_details(request), now=now, by=request.user)
        else:
            raise Http404
    except FlagRefused as error:
        messages.error(request, str(error))
    return back


def _details(request: TeamRequest) -> dict[str, str]:
    """What the form says of the flag. FlagRefused for an address that leads nowhere."""
    said = {
        name: request.POST[name].strip()[:2_000]
        for name in ("description", "owner", "ticket_url")
        if name in request.POST
    }
    if said.get("ticket_url") and not ticket_key(said["ticket_url"]):
        raise FlagRefused("the ticket: expected an address that begins with https://", field="ticket_url")
    return said


def _switch(request: TeamRequest, flag: RegisteredFlag, here: Environment, now: dt.datetime, reason: str) -> None:
    if request.POST.get("act") == "kill":
        hours = request.POST.get("hours", "")
        until = now + dt.timedelta(hours=int(hours)) if hours in HOURS and hours else None
        kill_flag(flag=flag, environment=here, reason=reason, until=until, now=now, by=request.user)
        messages.success(request, f"{flag.key} is killed in {here}: everybody gets {flag.off_variant} within seconds.")
        return
    _needs(request, here)
    if revive_flag(flag=flag, environment=here, reason=reason, now=now, by=request.user) is not None:
        messages.success(request, f"The rules of {flag.key} count again in {here}.")


def _take(request: TeamRequest, flag: RegisteredFlag, here: Environment, now: dt.datetime) -> None:
    """The step that waits, without waiting."""
    _needs(request, here)
    rules, version = standing(flag, here)
    step = held_step(rules, now)
    if step is None:
        raise FlagRefused("no step waits any more")
    made = change_or_propose(
        flag=flag, environment=here, document=document_of(taken(rules, now)), version=version,
        reason=f"the step to {percent_of(step.percent):g} %, taken without waiting for its services", now=now, by=request.user,
    )  # fmt: skip
    words = "waits for somebody's approval" if isinstance(made, FlagProposal) else "is taken"
    messages.success(request, f"The step to {percent_of(step.percent):g} % {words}.")


def _change(
    request: TeamRequest, flag: RegisteredFlag, here: Environment, now: dt.datetime, reason: str
) -> HttpResponse | None:
    """First the preview, then, from there, the change."""
    _needs(request, here)
    form = RulesForm(request.POST, flag=flag)
    rules, version = standing(flag, here)
    if not form.is_valid():
        problems = [
            f"{form.fields[name].label if name in form.fields else ''}: {said[0]}" for name, said in form.errors.items()
        ]
        raise FlagRefused("; ".join(problems))
    document = form.document(rules)
    if request.POST.get("act") == "change":
        stated = request.POST.get("version", "")
        made = change_or_propose(
            flag=flag, environment=here, document=document, version=int(stated) if stated.isdecimal() else -1,
            reason=reason, now=now, by=request.user,
        )  # fmt: skip
        words = {
            FlagProposal: "waits for somebody's approval",
            FlagRevision: "is changed",
            type(None): "was so already",
        }
        messages.success(request, f"{flag.key} in {here} {words[type(made)]}.")
        return None
    after = checked_rules(flag=flag, environment=here, document=document)
    checks = checks_by_variant(here, flag.key, now=now)
    context = {
        "flag": flag, "environment": here, "version": version,
        "form": form, "moves": preview(rules, after, flag.off_variant, now), "checks": checks,
        "checked": sum(int(str(row["quantity"])) for row in checks), "needs_approval": rights_of(here).needs_approval,
        "is_same": rules == after, "is_off": not after.is_on,
    }  # fmt: skip
    return render(request, "deploys/flag_preview.html", context)


def _decide(request: TeamRequest, flag: RegisteredFlag, now: dt.datetime, *, is_approved: bool) -> None:
    waiting = FlagProposal.objects.filter(flag=flag).select_related("environment", "asked_by", "flag__team")
    proposal = get_object_or_404(waiting, public_id=public_id_of(request, "proposal"))
    _needs(request, proposal.environment)
    revision = decide(proposal=proposal, is_approved=is_approved, now=now, by=request.user)
    if not is_approved:
        messages.success(request, "Refused.")
    elif revision is None:
        messages.error(request, "The flag was changed meanwhile, or serves this already: nothing was changed.")
    else:
        messages.success(request, f"Approved: {flag.key} in {proposal.environment} is changed.")


def _needs(request: TeamRequest, environment: Environment) -> None:
    needed = Role(rights_of(environment).write_role)
    if RANK[Role(request.membership.role)] < RANK[needed]:
        raise PermissionDenied(f"changing flags in {environment} needs the role {needed.label}")
