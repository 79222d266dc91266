"""What people do to an incident from its page: each is one form, one action, and back to the page."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from deploys import clock
from deploys.models import Change, Role
from deploys.views.access import TeamRequest, team_page
from incidents.actions import causes, clocks, flag_remedies, impact, merging, notes, response, states
from incidents.domain.clocks import Clock, ClockRefused
from incidents.domain.response import Noticed, ResponseRole, Severity
from incidents.models import Cause, ImpactClass, Incident
from incidents.queries.incident_detail import changes_to_choose
from incidents.views.forms import ClassForm, ClockForm, DuplicateForm, EditForm, OtherCauseForm, to_second
from incidents.views.incidents import BAD_INPUT, found
from incidents.views.naming import named_change
from incidents.views.suspects import about_change

Act = Callable[..., Incident]
STATES: dict[str, tuple[Act, str]] = {
    "acknowledge": (states.acknowledge, "Acknowledged."),
    "lead": (states.take_lead, "You lead this incident."),
    "take-role": (response.take_role, "The role is yours."),
    "mitigate": (states.mitigate, "Mitigated."),
    "restore": (states.resolve, "Restored."),
    "came-back": (states.reopen, "Reopened: it came back."),
    "never-stopped": (states.reopen, "Reopened: it never stopped."),
    "close": (states.close, "Closed."),
    "dismiss": (states.dismiss, "Dismissed. It counts nowhere."),
    "undismiss": (states.undismiss, "It counts again."),
    "not-duplicate": (states.not_duplicate, "It stands for itself."),
}
_MORE: dict[str, dict[str, Any]] = {  # Any: arguments of the action
    "came-back": {"came_back": True},
    "never-stopped": {"came_back": False},
}
CHANGE_ACTS: dict[str, tuple[Act, str]] = {
    "confirm": (causes.confirm_cause, "Confirmed. Reports count it from now on."),
    "reassign": (causes.reassign_cause, "Confirmed. What was named before is rejected."),
    "reject": (causes.reject_cause, "Rejected. It will not be proposed again."),
    "remedy": (causes.add_remedy, "Noted as what ended it."),
    "turn-off": (flag_remedies.turn_off, "Turned off for everybody. What errors do now tells whether that ended it."),
    "no-remedy": (causes.remove_remedy, "No longer noted as what ended it."),
}


def back(request: TeamRequest, incident: Incident, anchor: str = "") -> HttpResponse:
    """To the incident's page."""
    answer = redirect("incident-detail", request.team.slug, incident.number)
    if anchor:
        answer["Location"] += f"#{anchor}"
    return answer


@require_POST
@team_page()
def incident_state(request: TeamRequest, number: int) -> HttpResponse:
    """One step of the incident's life; `act` names it."""
    incident = found(request, number)
    act = request.POST.get("act", "")
    if act not in STATES:
        raise Http404
    action, words = STATES[act]
    more = dict(_MORE.get(act, {}))
    if act == "take-role":
        more["role"] = _role_of(request)
    if act == "dismiss":
        more["reason"] = request.POST.get("reason", "")[:300]
    try:
        action(incident=incident, by=request.user, now=clock.now(), **more)
    except (states.StateRefused, ClockRefused) as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, words)
    return back(request, incident)


@require_http_methods(["GET", "POST"])
@team_page(role=Role.RESPONDER)
def incident_clock(request: TeamRequest, number: int, clock_name: str) -> HttpResponse:
    """Setting one clock."""
    incident = found(request, number)
    try:
        which = Clock(f"{clock_name}_at")
    except ValueError as error:
        raise Http404 from error
    stands = getattr(incident, which.value)
    form = ClockForm(request.POST or None, clock=which, initial={"at": to_second(stands)})
    if request.method == "POST" and form.is_valid():
        at = form.cleaned_data["at"]
        try:
            clocks.set_clock(
                incident=incident, clock=which, at=stands if at == to_second(stands) else at, by=request.user,
                now=clock.now(), reason=form.cleaned_data["reason"],
            )  # fmt: skip
        except ClockRefused as refused:
            form.add_error("at", str(refused))
        else:
            messages.success(request, f"{which.words.capitalize()} is set. It will not be moved by the machine.")
            return back(request, incident)
    context = {"incident": incident, "form": form, "clock": which, "stands": stands, "all_clocks": _told(incident)}
    return render(request, "incidents/clock.html", context, status=BAD_INPUT if form.errors else 200)


def _told(incident: Incident) -> list[tuple[str, Any]]:  # Any: an instant or None
    return [(each.words, getattr(incident, each.value)) for each in Clock]


@require_http_methods(["GET", "POST"])
@team_page(role=Role.RESPONDER)
def incident_class(request: TeamRequest, number: int) -> HttpResponse:
    """Setting the class."""
    incident = found(request, number)
    form = ClassForm(request.POST or None, initial={"impact_class": incident.impact_class, "note": incident.class_note})
    if request.method == "POST" and form.is_valid():
        impact.set_class(
            incident=incident, impact_class=ImpactClass(form.cleaned_data["impact_class"]), by=request.user,
            now=clock.now(), note=form.cleaned_data["note"],
        )  # fmt: skip
        messages.success(request, "The class is yours: the machine will not change it.")
        return back(request, incident)
    return render(
        request, "incidents/class.html", {"incident": incident, "form": form}, status=BAD_INPUT if form.errors else 200
    )


@require_http_methods(["GET", "POST"])
@team_page(role=Role.RESPONDER)
def incident_edit(request: TeamRequest, number: int) -> HttpResponse:
    """Title, services, share lost, severity, who noticed, the missing test."""
    incident = found(request, number)
    stood = [each.service_id for each in incident.incident_services.all()]
    lost = None if incident.degradation is None else round(incident.degradation * 100, 3)
    initial = {
        "title": incident.title, "services": stood, "lost_percent": lost, "severity": incident.severity,
        "noticed": incident.detected_by, "missing_test": incident.missing_test,
    }  # fmt: skip
    form = EditForm(request.POST or None, incident=incident, initial=initial)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        now, by = clock.now(), request.user
        chosen = sorted(data["services"], key=lambda service: (service.pk not in stood, _place(stood, service.pk)))
        share = data["lost_percent"]
        try:
            response.edit(
                incident=incident, title=data["title"], services=chosen,
                degradation=None if share is None else share / 100, severity=Severity(data["severity"]),
                noticed=Noticed(data["noticed"]) if data["noticed"] else None, missing_test=data["missing_test"],
                by=by, now=now, reason=data["reason"],
            )  # fmt: skip
        except impact.ImpactRefused as refused:
            form.add_error(None, str(refused))
        else:
            messages.success(request, "Saved.")
            return back(request, incident)
    return render(
        request, "incidents/edit.html", {"incident": incident, "form": form}, status=BAD_INPUT if form.errors else 200
    )


def _place(stood: list[int], pk: int) -> int:
    return stood.index(pk) if pk in stood else 0


@require_POST
@team_page()
def incident_note(request: TeamRequest, number: int) -> HttpResponse:
    """Adding a note."""
    incident = found(request, number)
    try:
        notes.add_note(incident=incident, text=request.POST.get("note", ""), by=request.user, now=clock.now())
    except notes.NoteRefused as refused:
        messages.error(request, str(refused))
    return back(request, incident, "timeline")


@require_POST
@team_page()
def incident_cause(request: TeamRequest, number: int) -> HttpResponse:
    """A word about a cause: `act` on `change`, or what else did it."""
    incident = found(request, number)
    act = request.POST.get("act", "")
    if act == "other":
        return _other_cause(request, incident)
    if act == "withdraw":
        cause = Cause.objects.filter(incident=incident, pk=_whole(request.POST.get("cause", ""))).first()
        if cause is None:
            raise Http404
        causes.withdraw_cause(incident=incident, cause=cause, by=request.user, now=clock.now())
        messages.success(request, "Taken back.")
        return back(request, incident)
    if act not in CHANGE_ACTS:
        raise Http404
    change = _change_of(request)
    action, words = CHANGE_ACTS[act]
    try:
        action(incident=incident, change=change, by=request.user, now=clock.now())
    except causes.CauseAfterEffect as refused:
        return _ask_about_clocks(request, incident, refused)
    except causes.CauseRefused as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, words)
    return back(request, incident)


def _role_of(request: TeamRequest) -> ResponseRole:
    try:
        return ResponseRole(request.POST.get("role", ""))
    except ValueError as error:
        raise Http404 from error


def _whole(text: str) -> int:
    """A key from a form; 0, which no row has, for anything else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 18 else 0


def _change_of(request: TeamRequest) -> Change:
    """The team's change that the form names, or 404."""
    try:
        public_id = uuid.UUID(request.POST.get("change", ""))
    except ValueError as error:
        raise Http404 from error
    change = (
        Change.objects.select_related("deploy__release", "service", "environment", "flag_change__flag")
        .filter(team=request.team, public_id=public_id)
        .first()
    )
    if change is None:
        raise Http404
    return change


def _other_cause(request: TeamRequest, incident: Incident) -> HttpResponse:
    form = OtherCauseForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Choose what did it: something outside, infrastructure, capacity or unknown.")
        return back(request, incident)
    causes.blame_no_change(
        incident=incident, kind=form.cleaned_data["kind"], by=request.user, now=clock.now(),
        note=form.cleaned_data["note"],
    )  # fmt: skip
    messages.success(request, "Noted: no change did this.")
    return back(request, incident)


def _ask_about_clocks(request: TeamRequest, incident: Incident, refused: causes.CauseAfterEffect) -> HttpResponse:
    """A cause cannot come after its effect: shows both clocks, and lets the person say which is wrong."""
    context = {
        "incident": incident,
        "named": named_change(refused.change, request.team.slug),
        "change": refused.change,
        "changed_at": refused.changed_at,
        "began_at": refused.began_at,
        "distance": refused.changed_at - refused.began_at,
    }
    return render(request, "incidents/late_cause.html", context, status=BAD_INPUT)


@require_GET
@team_page(role=Role.RESPONDER)
def incident_choose(request: TeamRequest, number: int) -> HttpResponse:
    """All changes that may be named as the cause."""
    incident = found(request, number)
    text = request.GET.get("q", "")[:100]
    changes = changes_to_choose(incident, now=clock.now(), text=text)
    linked = dict(incident.causes.exclude(change=None).values_list("change", "status"))
    rows = [
        (
            change,
            named_change(change, request.team.slug),
            about_change(change, incident),
            linked.get(change.pk, ""),
            change.at > incident.begins_at,
        )
        for change in changes
    ]
    context = {"incident": incident, "rows": rows, "q": text, "other_cause_form": OtherCauseForm()}
    return render(request, "incidents/choose.html", context)


@require_http_methods(["GET", "POST"])
@team_page(role=Role.RESPONDER)
def incident_duplicate(request: TeamRequest, number: int) -> HttpResponse:
    """Saying which incident this one repeats."""
    incident = found(request, number)
    form = DuplicateForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        of = Incident.objects.filter(team=request.team, number=form.cleaned_data["of"]).first()
        if of is None:
            form.add_error("of", f"There is no INC-{form.cleaned_data['of']}.")
        else:
            try:
                act = merging.merge if form.cleaned_data["takes_over"] else merging.repeat
                act(incident=incident, into=of, by=request.user, now=clock.now())
            except states.StateRefused as refused:
                form.add_error("of", str(refused))
            else:
                messages.success(request, f"It repeats {of.slug} and counts nowhere.")
                return back(request, incident)
    return render(
        request,
        "incidents/duplicate.html",
        {"incident": incident, "form": form},
        status=BAD_INPUT if form.errors else 200,
    )
