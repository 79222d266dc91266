"""The retrospective of an incident: what is known already, what people say, what they promise."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.safestring import SafeString, mark_safe
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from deploys import clock
from deploys.domain.wording import UNKNOWN, duration, percent
from deploys.models import Role, User
from deploys.views.access import TeamRequest, team_page
from deploys.views.forms import PlainForm
from incidents.actions import retrospectives
from incidents.domain.clocks import Clock
from incidents.domain.promises import is_overdue
from incidents.domain.retrospectives import LONGEST_ANSWER, PROMPTS, AnswersRefused, open_prompts, phases
from incidents.formats.markdown import note_html
from incidents.formats.retrospective_text import RetrospectiveText, StoryLine, retrospective_markdown
from incidents.models import Incident, Retrospective
from incidents.queries.promises import today_of
from incidents.views.forms import PersonField
from incidents.views.incidents import BAD_INPUT, can_write, detail_context, found
from incidents.views.timeline import Row, oldest_first

MOST_REASONS = 6


class ItemForm(PlainForm):
    """Something to be done, by whom, until when."""

    title = forms.CharField(label="What will be done?", max_length=300)
    owner = PersonField(
        label="Who looks after it", required=False, queryset=User.objects.none(), empty_label="nobody yet"
    )
    due_on = forms.DateField(label="Due on", required=False, widget=forms.DateInput({"type": "date"}))

    def __init__(self, *args: Any, team: Any, **kwargs: Any) -> None:  # Any: as the base class has it
        super().__init__(*args, **kwargs)
        people: Any = self.fields["owner"]  # Any: a field knows its own attributes only
        people.queryset = User.objects.filter(memberships__team=team).order_by("first_name", "last_name", "email")


class AnswersForm(PlainForm):
    """One text for each prompt, and the revision it was written on."""

    revision = forms.IntegerField(widget=forms.HiddenInput, min_value=0)

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # Any: as the base class has it
        super().__init__(*args, **kwargs)
        for prompt in PROMPTS:
            self.fields[prompt.key] = forms.CharField(
                label=prompt.question, help_text=prompt.hint, required=False, max_length=LONGEST_ANSWER, strip=False,
                widget=forms.Textarea({"rows": 4, "class": "input"}),
            )  # fmt: skip


def _retrospective(incident: Incident) -> Retrospective | None:
    return Retrospective.objects.select_related("updated_by", "finished_by").filter(incident=incident).first()


def facts(
    incident: Incident, context: dict[str, Any]
) -> list[tuple[str, str]]:  # Any: what the page of an incident shows
    """What is known without asking anybody, as pairs of a name and a sentence."""
    card, proof = context["card"], context["proof"]
    hit = f", {incident.users_count} users and {incident.events_count} errors seen" if incident.events_count else ""
    lost = f", {percent(incident.degradation, 0)} lost" if incident.degradation is not None else ""
    going = "so far" if incident.is_open else ""
    told = [
        ("Impact", f"{incident.impact_class.replace('_', '-')} for {context['lasted']} {going}".strip() + lost + hit),
        ("Services", ", ".join(service.name for service in context["detail"].services) or "none named"),
        ("Noticed first", str(context["noticed"])),
    ]
    if card.confirmed:
        told += [
            ("Cause", f"{cause.kind} {cause.name}: {cause.said}. {cause.about}".strip()) for cause in card.confirmed
        ]
    elif card.suspects and card.suspects[0].odds is not None:
        first = card.suspects[0]
        told.append(("Suspected", f"{first.kind} {first.name}, not confirmed by a person".strip()))
    else:
        told.append(("Cause", "nobody has said"))
    if proof:
        told.append(("Proof by reversal", proof.words))
    ended = [f"{named.kind} {named.name}" for named in context["remedies"]]
    if not ended and context["ending"]:
        ended = [context["ending"].words + (f": {incident.ended_note}" if incident.ended_note else "")]
    if not ended and proof and proof.name:
        ended = [f"{proof.name}, by the errors; no person has said so"]
    told.append(("Ended by", ", ".join(ended) or "nothing named"))
    if incident.missing_test:
        told.append(("Missing test", incident.missing_test))
    return told


def reasons(context: dict[str, Any]) -> Sequence[str]:  # Any: as above
    """The evidence for the confirmed change; for the first suspect where nothing is confirmed. At most six."""
    card = context["card"]
    decided = [each for each in card.suspects if each.verdict == "confirmed"]
    shown = decided or ([] if card.confirmed else list(card.suspects[:1]))
    return [line.text for each in shown[:1] for line in each.evidence if line.factor > 1][:MOST_REASONS]


def _phases(incident: Incident) -> list[tuple[str, str, bool]]:
    clocks = {each: getattr(incident, each.value) for each in Clock}
    return [
        (phase.name, UNKNOWN if phase.took is None else duration(phase.took), phase.is_slowest)
        for phase in phases(clocks)
    ]


def _items(request: TeamRequest, incident: Incident) -> list[tuple[Any, bool]]:  # Any: an action item
    today = today_of(request.team, clock.now())
    rows = incident.action_items.select_related("owner").order_by("state", "due_on", "pk")
    return [(row, is_overdue(state=row.state, due_on=row.due_on, today=today)) for row in rows]


def _safe(text: str) -> SafeString:
    return mark_safe(note_html(text))  # noqa: S308 -- note_html is what makes it safe


@require_http_methods(["GET", "POST"])
@team_page()
def incident_retrospective(request: TeamRequest, number: int) -> HttpResponse:
    """All of it on one page; `act` finishes it or opens it again."""
    incident = found(request, number)
    if request.method == "POST":
        is_finished = request.POST.get("act") == "finish"
        retrospectives.finish(incident=incident, is_finished=is_finished, by=request.user, now=clock.now())
        messages.success(request, "Finished." if is_finished else "Open again.")
        return _back(request, incident)
    return render(request, "incidents/retrospective.html", _context(request, incident, ItemForm(team=request.team)))


def _context(request: TeamRequest, incident: Incident, item_form: ItemForm) -> dict[str, Any]:  # Any: context
    context = detail_context(request, incident)
    row = _retrospective(incident)
    answers = row.answers if row else {}
    return {
        "incident": incident,
        "retrospective": row,
        "facts": facts(incident, context),
        "reasons": reasons(context),
        "phases": _phases(incident),
        "rows": oldest_first(context["rows"]),
        "answers": [(prompt, _safe(answers[prompt.key]) if answers.get(prompt.key) else "") for prompt in PROMPTS],
        "is_begun": bool(answers),
        "open_count": len(open_prompts(answers)),
        "prompts_count": len(PROMPTS),
        "items": _items(request, incident),
        "item_form": item_form,
        "can_write": can_write(request),
    }


def _back(request: TeamRequest, incident: Incident) -> HttpResponse:
    return redirect("incident-retrospective", request.team.slug, incident.number)


@require_http_methods(["GET", "POST"])
@team_page(role=Role.RESPONDER)
def incident_retrospective_write(request: TeamRequest, number: int) -> HttpResponse:
    """Answering the prompts."""
    incident = found(request, number)
    row = _retrospective(incident)
    initial = {**(row.answers if row else {}), "revision": row.revision if row else 0}
    posted = request.POST.copy()
    form = AnswersForm(posted or None, initial=initial)
    theirs: Retrospective | None = None
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            retrospectives.save_answers(
                incident=incident, answers={prompt.key: data[prompt.key] for prompt in PROMPTS},
                revision=data["revision"], by=request.user, now=clock.now(),
            )  # fmt: skip
        except AnswersRefused as refused:
            form.add_error(refused.key, str(refused))
        except retrospectives.SavedMeanwhile as refused:
            theirs = refused.retrospective
            posted["revision"] = str(theirs.revision)
            form.add_error(None, "Somebody else saved it since you opened it. Saving again replaces what they wrote.")
        else:
            messages.success(request, "Saved.")
            return _back(request, incident)
    written = [
        (prompt.question, theirs.answers[prompt.key]) for prompt in PROMPTS if theirs and theirs.answers.get(prompt.key)
    ]
    context = {"incident": incident, "form": form, "theirs": theirs, "written": written}
    return render(request, "incidents/retrospective_write.html", context, status=BAD_INPUT if form.errors else 200)


@require_POST
@team_page()
def incident_promise(request: TeamRequest, number: int) -> HttpResponse:
    """Adding an action item."""
    incident = found(request, number)
    form = ItemForm(request.POST, team=request.team)
    if form.is_valid():
        data = form.cleaned_data
        try:
            retrospectives.promise(
                incident=incident, title=data["title"], owner=data["owner"], due_on=data["due_on"], by=request.user,
                now=clock.now(),
            )  # fmt: skip
        except retrospectives.ItemRefused as refused:
            form.add_error("title", str(refused))
        else:
            messages.success(request, "Promised.")
            return _back(request, incident)
    return render(request, "incidents/retrospective.html", _context(request, incident, form), status=BAD_INPUT)


@require_GET
@team_page()
def incident_retrospective_export(request: TeamRequest, number: int) -> HttpResponse:
    """The whole as a Markdown file."""
    incident = found(request, number)
    context = detail_context(request, incident)
    row = _retrospective(incident)
    answers = row.answers if row else {}
    document = RetrospectiveText(
        title=f"{incident.slug}: {incident.title}",
        facts=facts(incident, context),
        evidence=reasons(context),
        phases=[(name, f"{took}, the slowest" if is_slowest else took) for name, took, is_slowest in _phases(incident)],
        story=[_line(each) for each in oldest_first(context["rows"])],
        answers=[(prompt.question, answers[prompt.key]) for prompt in PROMPTS if answers.get(prompt.key)],
        promises=[
            (
                item.title,
                item.owner.name if item.owner else "nobody",
                str(item.due_on or "no day"),
                "overdue" if late else item.state,
            )
            for item, late in _items(request, incident)
        ],
    )
    answer = HttpResponse(retrospective_markdown(document), content_type="text/markdown; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{incident.slug}.md"'
    return answer


def _line(row: Row) -> StoryLine:
    assert row.at is not None  # noqa: S101 -- only gaps have no instant, and those are left out
    return StoryLine(row.at, row.source or row.text, row.by, is_markdown=bool(row.source))
