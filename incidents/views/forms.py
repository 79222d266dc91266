"""What people fill in on incident and issue pages."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.utils import timezone

from deploys.models import Service, Team, User
from deploys.views.forms import PlainForm
from incidents.domain.clocks import Clock
from incidents.domain.response import Noticed, Severity
from incidents.models import ImpactClass, Incident
from incidents.queries.incidents import IncidentFilter
from incidents.views.naming import OTHER_CAUSES

CLASS_CHOICES = [
    (ImpactClass.DOWNTIME.value, "downtime: users could not use it"),
    (ImpactClass.MULTI_USER.value, "multi-user: several users were hit"),
    (ImpactClass.SINGLE_USER.value, "single-user: one user was hit"),
    (ImpactClass.IMPACTLESS.value, "impactless: nobody noticed"),
]
STATE_CHOICES = [
    ("", "all that count"),
    ("open", "open"),
    ("restored", "restored, not closed"),
    ("closed", "closed"),
    ("uncounted", "false alarms, duplicates"),
    ("all", "everything"),
]
CAUSE_CHOICES = [
    ("", "any cause"),
    ("confirmed", "a change, confirmed"),
    ("suggested", "a change, suspected"),
    ("other", "no change of ours"),
    ("undecided", "nothing said yet"),
]
NOTICED_CHOICES = [
    ("", "as told"),
    (Noticed.MACHINE.value, "our machines"),
    (Noticed.PERSON.value, "one of us"),
    (Noticed.USERS.value, "users"),
]


def service_field() -> forms.ModelChoiceField[Service]:
    """The filter by service; `offer_services` gives it its choices."""
    return forms.ModelChoiceField(
        label="Service",
        required=False,
        queryset=Service.objects.none(),
        to_field_name="name",
        empty_label="any service",
    )


def offer_services(form: forms.Form, team: Team) -> None:
    """The services of the team stand in the form's `service_field`."""
    services: Any = form.fields["service"]  # Any: a field knows its own attributes only
    services.queryset = Service.objects.filter(team=team).order_by("name")


class InstantField(forms.DateTimeField):
    """A time to the second, typed in the reader's zone."""

    def __init__(self, **kwargs: Any) -> None:  # Any: as the base class has it
        super().__init__(
            widget=forms.DateTimeInput(attrs={"type": "datetime-local", "step": "1"}, format="%Y-%m-%dT%H:%M:%S"),
            input_formats=["%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M"],
            **kwargs,
        )


class IncidentFilterForm(PlainForm):
    """The filter above the list. An unknown value narrows nothing."""

    q = forms.CharField(
        label="Text or number", required=False, max_length=100, widget=forms.TextInput({"type": "search"})
    )
    state = forms.ChoiceField(label="State", required=False, choices=STATE_CHOICES)
    impact_class = forms.ChoiceField(label="Class", required=False, choices=[("", "any class"), *ImpactClass.choices])
    service = service_field()
    cause = forms.ChoiceField(label="Cause", required=False, choices=CAUSE_CHOICES)
    severity = forms.ChoiceField(
        label="Severity", required=False,
        choices=[("", "any severity"), *((each.value, each.words) for each in Severity if each)],
    )  # fmt: skip
    since = forms.DateField(label="Began from", required=False, widget=forms.DateInput({"type": "date"}))
    until = forms.DateField(label="To, inclusive", required=False, widget=forms.DateInput({"type": "date"}))

    def __init__(self, *args: Any, team: Team, **kwargs: Any) -> None:  # Any: as the base class has it
        super().__init__(*args, **kwargs)
        offer_services(self, team)

    @property
    def wanted(self) -> IncidentFilter:
        """The filter as far as it is understood."""
        self.is_valid()
        data = self.cleaned_data
        return IncidentFilter(
            state=data.get("state", ""),
            impact_class=data.get("impact_class", ""),
            service=data.get("service"),
            cause=data.get("cause", ""),
            text=data.get("q", ""),
            severity=data.get("severity", ""),
            since=_midnight(data.get("since")),
            until=_midnight(data.get("until"), days=1),
        )


def _midnight(day: dt.date | None, *, days: int = 0) -> dt.datetime | None:
    """The beginning of this day, or of one so many days later, in the reader's zone; None for days no calendar has."""
    if day is None:
        return None
    try:
        return timezone.make_aware(dt.datetime.combine(day + dt.timedelta(days=days), dt.time()))
    except OverflowError:
        return None


class ServicesField(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]  # takes no parameter at run time
    """Services of one team, as a list of boxes."""

    def __init__(self, **kwargs: Any) -> None:  # Any: as the base class has it
        super().__init__(queryset=Service.objects.none(), widget=forms.CheckboxSelectMultiple, **kwargs)


class DeclareForm(PlainForm):
    """Declaring by hand. Only the title is needed."""

    title = forms.CharField(
        label="What is broken?", max_length=300, widget=forms.TextInput({"autofocus": True, "autocomplete": "off"}),
        help_text="In words people say: Checkout fails at the order total.",
    )  # fmt: skip
    impact_class = forms.ChoiceField(
        label="How were users hit?",
        required=False,
        choices=[("", "not known yet"), *CLASS_CHOICES],
        help_text="Not known yet counts as multi-user, until the errors or a person say otherwise.",
    )
    services = ServicesField(label="Services", required=False)
    started_at = InstantField(label="Impact began", required=False)
    detected_at = InstantField(
        label="Detected", required=False, help_text="Left empty: now, or not known if it is over."
    )
    acknowledged_at = InstantField(label="Acknowledged", required=False)
    mitigated_at = InstantField(label="Mitigated", required=False)
    restored_at = InstantField(label="Restored", required=False, help_text="Only if it is over already.")
    note = forms.CharField(label="Note", required=False, max_length=20_000, widget=forms.Textarea({"rows": 3}))

    def __init__(self, *args: Any, team: Team, **kwargs: Any) -> None:  # Any: as the base class has it
        super().__init__(*args, **kwargs)
        services: Any = self.fields["services"]  # Any: a field knows its own attributes only
        services.queryset = Service.objects.filter(team=team, retired_at=None).order_by("name")
        self.fields["started_at"].help_text = f"Left empty: now. Times in {timezone.get_current_timezone_name()}."


class ClockForm(PlainForm):
    """Setting one clock; empty withdraws it."""

    at = InstantField(label="At", required=False)
    reason = forms.CharField(
        label="Why", required=False, max_length=300, help_text="Stands in the timeline beside your name."
    )

    def __init__(self, *args: Any, clock: Clock, **kwargs: Any) -> None:  # Any: as the base class has it
        super().__init__(*args, **kwargs)
        self.fields["at"].label = clock.words.capitalize()
        self.fields[
            "at"
        ].help_text = f"Time in {timezone.get_current_timezone_name()}, with seconds. Empty: not yet, or not known."


def to_second(at: dt.datetime | None) -> dt.datetime | None:
    """What the field shows of an instant."""
    return None if at is None else at.replace(microsecond=0)


class ClassForm(PlainForm):
    """Setting the class."""

    impact_class = forms.ChoiceField(label="Class", choices=CLASS_CHOICES, widget=forms.RadioSelect)
    note = forms.CharField(label="Why", required=False, max_length=300, help_text="Stands beside the class.")


class EditForm(PlainForm):
    """What an incident is called, what it hit and how much of it."""

    title = forms.CharField(label="Title", max_length=300)
    services = ServicesField(label="Services", required=True)
    lost_percent = forms.FloatField(
        label="Share of the service that was lost, %", required=False, min_value=0, max_value=100,
        help_text="Empty: all of it for downtime, nothing for the other classes.",
    )  # fmt: skip
    severity = forms.ChoiceField(
        label="Severity", required=False,
        choices=[(each.value, f"{each.words}: {each.meaning}" if each else "not said") for each in Severity],
        help_text="How urgently people work on it. The class says how users were hit; only the class counts in reports.",
    )  # fmt: skip
    noticed = forms.ChoiceField(label="Who noticed it first?", required=False, choices=NOTICED_CHOICES)
    missing_test = forms.CharField(
        label="The test that would have caught it", required=False, max_length=300,
        help_text="Where a test was missing, say which. It stands in the retrospective.",
    )  # fmt: skip
    reason = forms.CharField(label="Why", required=False, max_length=300, help_text="Stands in the timeline.")

    def __init__(self, *args: Any, incident: Incident, **kwargs: Any) -> None:  # Any: as the base class has it
        super().__init__(*args, **kwargs)
        services: Any = self.fields["services"]  # Any: a field knows its own attributes only
        services.queryset = Service.objects.filter(team=incident.team_id).order_by("name")


class DuplicateForm(PlainForm):
    """Which incident this one repeats."""

    of = forms.CharField(label="It repeats", max_length=20, help_text="The number of the other incident: INC-12.")
    takes_over = forms.BooleanField(
        label="Merge: the other one takes over its services, times and issues", required=False
    )

    def clean_of(self) -> int:
        """The number."""
        number = str(self.cleaned_data["of"]).strip().upper().removeprefix("INC-")
        if not (number.isascii() and number.isdigit() and len(number) < 10):
            raise forms.ValidationError("Write a number like INC-12.")
        return int(number)


class OtherCauseForm(PlainForm):
    """What did it, if no change did."""

    kind = forms.ChoiceField(label="No change did this, but", choices=list(OTHER_CAUSES.items()))
    note = forms.CharField(label="Note", required=False, max_length=300)


class PersonField(forms.ModelChoiceField):  # type: ignore[type-arg]  # takes no parameter at run time
    """One person, called by name."""

    def label_from_instance(self, obj: User) -> str:
        """The name."""
        return obj.name


class AssignForm(PlainForm):
    """Who looks after an issue."""

    assignee = PersonField(label="Looked after by", required=False, queryset=User.objects.none(), empty_label="nobody")

    def __init__(self, *args: Any, team: Team, **kwargs: Any) -> None:  # Any: as the base class has it
        super().__init__(*args, **kwargs)
        people: Any = self.fields["assignee"]  # Any: a field knows its own attributes only
        people.queryset = User.objects.filter(memberships__team=team).order_by("email")
