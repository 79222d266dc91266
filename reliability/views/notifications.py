"""The channels of a team: a page of all, and one of each."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar, Final

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db.models import Max
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.text import capfirst
from django.views.decorators.http import require_http_methods, require_POST

from deploys import clock
from deploys.actions.catalog import NotThatName
from deploys.domain.wording import counted, listed
from deploys.models import Role, Team
from deploys.views.access import TeamRequest, team_page
from deploys.views.acts import is_admin
from deploys.views.forms import PlainForm, ZoneField, zone_names
from reliability.actions import channels, delivering, notices
from reliability.actions.channels import ChannelRefused, Wanted
from reliability.domain.incident_news import CLASSES
from reliability.models import Channel, OutgoingNotice
from reliability.models.notices import default_subjects

BAD_INPUT = 422
SUBJECTS: Final = (
    *((name, f"{name.replace('_', '-')} incidents") for name in CLASSES), ("budget", "budgets that burn too fast"),
    ("promise", "action items that are due"),
    ("upkeep", "certificates that end"),
)  # fmt: skip
MUTES: Final = {"1": "1 hour", "8": "8 hours", "24": "a day", "": "until I take it back"}
KINDS: Final[Mapping[str, str]] = {f"add-{kind}": str(kind) for kind in Channel.Kind}


class ChannelForm(PlainForm):
    """What all channels have."""

    name = forms.CharField(label="Name", max_length=100)
    subjects = forms.MultipleChoiceField(
        label="Tells of", choices=SUBJECTS, widget=forms.CheckboxSelectMultiple, initial=default_subjects,
        help_text="An incident is told from the moment it reaches such a class, and then to its end.",
    )  # fmt: skip


class EmailForm(ChannelForm):
    """A channel by e-mail."""

    is_to_members = forms.BooleanField(
        label="To everybody of the team who may act", required=False, help_text="Their mail has a link to acknowledge."
    )
    addresses = forms.CharField(
        label="And to these addresses", required=False, max_length=20_000, widget=forms.Textarea({"rows": 2, "class": "input"}),
        help_text="One a line. Each can leave from the mail itself.",
    )  # fmt: skip

    def clean_addresses(self) -> list[str]:
        """The addresses, each a valid one."""
        found = [
            line.strip() for line in self.cleaned_data["addresses"].replace(",", "\n").splitlines() if line.strip()
        ]
        for address in found:
            try:
                validate_email(address)
            except ValidationError as error:
                raise ValidationError(f"{address} is no e-mail address.") from error
            if len(address) > 254:
                raise ValidationError("An e-mail address has at most 254 characters.")
        return found


class UrlForm(ChannelForm):
    """A channel that posts to an address."""

    url = forms.CharField(
        label="Address", max_length=channels.LONGEST_URL, required=False,
        widget=forms.TextInput({"class": "input mono", "autocomplete": "off", "spellcheck": "false", "placeholder": "https://"}),
    )  # fmt: skip
    URL_HELP: ClassVar[Mapping[str, str]] = {
        "slack": "The URL of an incoming webhook. It is kept encrypted and not shown again.",
        "teams": "Where a Teams workflow takes what it posts to a channel. It is kept encrypted and not shown again.",
        "webhook": "Where signed CloudEvents are posted. It is kept encrypted and not shown again.",
    }

    def __init__(
        self, *args: Any, kind: str, is_new: bool = True, **kwargs: Any
    ) -> None:  # Any: as the base class has it
        super().__init__(*args, **kwargs)
        self.fields["url"].help_text = self.URL_HELP[kind] + ("" if is_new else " Empty: as it is.")
        self.fields["url"].required = is_new


class HoursForm(PlainForm):
    """When a channel makes no noise."""

    quiet_from = forms.TimeField(
        label="Quiet from", required=False, widget=forms.TimeInput({"type": "time", "class": "input"}, format="%H:%M")
    )
    quiet_to = forms.TimeField(
        label="Quiet to", required=False, widget=forms.TimeInput({"type": "time", "class": "input"}, format="%H:%M")
    )
    zone = ZoneField(label="On the clock of", help_text="Times in its messages are on this clock, too.")
    is_quiet_for_downtime = forms.BooleanField(
        label="Quiet for downtime, too",
        required=False,
        help_text="What is held is told when they end, as it stands then.",
    )


def _new_form(kind: str, data: Any = None) -> ChannelForm:  # Any: a QueryDict
    return EmailForm(data, auto_id=f"{kind}-%s") if kind == "email" else UrlForm(data, kind=kind, auto_id=f"{kind}-%s")


def _last(rows: Sequence[Channel]) -> dict[int, OutgoingNotice]:
    """The newest notice of each channel that was sent, given up, or is tried again. Two queries."""
    done = OutgoingNotice.objects.filter(channel__in=rows, outcome__in=["", "sent", "given_up"], attempts_count__gt=0)
    ends = done.order_by().values("channel").annotate(end=Max("pk")).values_list("end", flat=True)
    return {row.channel_id: row for row in OutgoingNotice.objects.filter(pk__in=list(ends)).defer("body", "story")}


def to_whom(channel: Channel) -> str:
    """Where the channel leads, in words."""
    if channel.kind != Channel.Kind.EMAIL:
        return channel.host
    people = ["everybody who may act"] if channel.is_to_members else []
    return listed([*people, *channel.addresses], 4)


def tells(channel: Channel) -> str:
    """What it tells of, in words."""
    names = {
        **{name: name.replace("_", "-") for name in CLASSES},
        "budget": "budgets",
        "promise": "action items",
        "upkeep": "certificates",
    }
    return listed([names[each] for each in names if each in channel.subjects], 4) or "nothing"


def _list_page(request: TeamRequest, *, status: int = 200, **more: Any) -> HttpResponse:  # Any: the context
    now = clock.now()
    rows = list(Channel.objects.filter(team=request.team, removed_at=None).order_by("kind", "name", "pk"))
    last = _last(rows)
    opened = more.pop("form", None)
    context = {
        "tab": "notifications", "is_admin": is_admin(request), "can_act": request.membership.role != Role.VIEWER,
        "rows": [{"channel": row, "to": to_whom(row), "tells": tells(row), "last": last.get(row.pk), "is_muted": is_muted(row, now)} for row in rows],
        "had_some": bool(rows) or Channel.objects.filter(team=request.team).exists(), "mail_is_set": settings.MAIL_IS_SET, "for_good": channels.FOR_GOOD,
        "forms": [
            (act, capfirst(Channel.Kind(kind).label), opened[1] if opened is not None and opened[0] == kind else _new_form(kind))
            for act, kind in KINDS.items()
        ],
        "mutes": MUTES.items(), **more,
    }  # fmt: skip
    return render(request, "reliability/notifications.html", context, status=status)


def is_muted(channel: Channel, now: datetime) -> bool:
    """Whether it is muted now."""
    return channel.muted_until is not None and now < channel.muted_until


@require_http_methods(["GET", "HEAD", "POST"])
@team_page(write_role=Role.ADMIN)
def team_notifications(request: TeamRequest) -> HttpResponse:
    """All channels. Everybody may look, administrators add."""
    if request.method != "POST":
        return _list_page(request)
    kind = KINDS.get(request.POST.get("act", ""))
    if kind is None:
        raise Http404
    return _add(request, kind)


def _channel(team: Team, public_id: object) -> Channel:
    return get_object_or_404(Channel.objects.select_related("team"), team=team, public_id=public_id, removed_at=None)


def _add(request: TeamRequest, kind: str) -> HttpResponse:
    form = _new_form(kind, request.POST)
    if form.is_valid():
        try:
            channel, secret = channels.make_channel(
                team=request.team, kind=kind, wanted=Wanted(zone=request.team.zone, **form.cleaned_data), by=request.user, now=clock.now()
            )  # fmt: skip
        except (ChannelRefused, NotThatName) as refused:
            form.add_error(getattr(refused, "field", "name"), str(refused))
        else:
            if secret:
                return _list_page(request, shown={"what": f"Secret of {channel.name}", "secret": secret})
            messages.success(request, f"{channel.name} is set up. Test it now.")
            return redirect("team-notifications", request.team.slug)
    return _list_page(request, status=BAD_INPUT, form=(kind, form))


@require_POST
@team_page()
def channel_act(request: TeamRequest, public_id: uuid.UUID) -> HttpResponse:
    """What whoever may act does with a channel: a test, mute it, tell again."""
    channel, now = _channel(request.team, public_id), clock.now()
    hours = request.POST.get("hours", "1")
    match request.POST.get("act", ""):
        case "test":
            _test(request, channel, now)
        case "mute" if hours in MUTES:
            channels.mute(channel=channel, until=channels.muted_for(int(hours) if hours else None, now=now))
            messages.success(request, f"{channel.name} is muted. What happens meanwhile is not told later.")
        case "unmute":
            channels.unmute(channel=channel)
            messages.success(request, f"{channel.name} tells again, from the next news on.")
        case _:
            raise Http404
    return redirect("team-notifications", request.team.slug)


def _test(request: TeamRequest, channel: Channel, now: datetime) -> None:
    try:
        written = notices.write_test(channel=channel, by=request.user, now=now)
    except notices.TooSoon as problem:
        messages.error(request, f"{problem}.")
        return
    rows = delivering.deliver_now(written, now=now)
    if not rows:
        messages.error(request, f"{channel.name} leads to nobody: everybody has left it, or nobody may act.")
        return
    failed = [row for row in rows if row.outcome != OutgoingNotice.Outcome.SENT]
    if not failed:
        messages.success(request, f"The test was sent to {counted(len(rows), 'recipient')}: {rows[0].why}.")
        return
    to = f" to {failed[0].recipient}" if failed[0].recipient else ""
    messages.error(request, f"The test was not sent{to}: {failed[0].why or 'it waits'}.")


# -- one channel --------------------------------------------------------------------------------------------------------


def _edit_forms(channel: Channel, data: Any = None) -> tuple[ChannelForm, HoursForm]:  # Any: a QueryDict
    initial: dict[str, Any] = {"name": channel.name, "subjects": channel.subjects}  # Any: initial values
    hours = {
        "quiet_from": channel.quiet_from, "quiet_to": channel.quiet_to, "zone": channel.zone, "is_quiet_for_downtime": channel.is_quiet_for_downtime,
    }  # fmt: skip
    form: ChannelForm
    if channel.kind == Channel.Kind.EMAIL:
        initial |= {"is_to_members": channel.is_to_members, "addresses": "\n".join(channel.addresses)}
        form = EmailForm(data, initial=initial)
    else:
        form = UrlForm(data, kind=channel.kind, is_new=False, initial=initial)
    return form, HoursForm(data, initial=hours)


def _channel_page(
    request: TeamRequest, channel: Channel, *, status: int = 200, **more: Any
) -> HttpResponse:  # Any: the context
    form, hours = more.pop("edit_forms", None) or _edit_forms(channel)
    now = clock.now()
    until = channel.previous_secret_until
    context = {
        "channel": channel, "form": form, "hours_form": hours, "zones": zone_names(), "to": to_whom(channel),
        "leavers": list(channel.leavers.order_by("address")[:100]), "until": until if until is not None and until > now else None, **more,
    }  # fmt: skip
    return render(request, "reliability/channel.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@team_page(role=Role.ADMIN, write_role=Role.ADMIN)
def team_channel(request: TeamRequest, public_id: uuid.UUID) -> HttpResponse:
    """One channel, for administrators."""
    channel = _channel(request.team, public_id)
    if request.method != "POST":
        return _channel_page(request, channel)
    now = clock.now()
    match request.POST.get("act", ""):
        case "save":
            return _save(request, channel)
        case "rotate" if channel.kind == Channel.Kind.WEBHOOK:
            secret = channels.rotate_secret(channel=channel, now=now)
            channel.refresh_from_db()
            return _channel_page(request, channel, shown={"what": f"New secret of {channel.name}", "secret": secret})
        case "on":
            channels.switch_on(channel=channel)
            messages.success(request, f"{channel.name} is on again.")
        case "off":
            channels.switch_off(channel=channel, because=f"switched off by {request.user.name}", now=now)
            messages.success(request, f"{channel.name} is off.")
        case "take-back":
            address = request.POST.get("address", "")
            channels.take_back(channel=channel, address=address)
            messages.success(request, f"{address} gets its mail again.")
        case "remove":
            channels.remove(channel=channel, now=now)
            messages.success(request, f"{channel.name} is removed. What it told stays in the log.")
            return redirect("team-notifications", request.team.slug)
        case _:
            raise Http404
    return redirect("team-channel", request.team.slug, channel.public_id)


def _save(request: TeamRequest, channel: Channel) -> HttpResponse:
    form, hours = _edit_forms(channel, request.POST)
    if form.is_valid() and hours.is_valid():
        try:
            channels.change_channel(channel=channel, wanted=Wanted(**form.cleaned_data, **hours.cleaned_data))
        except (ChannelRefused, NotThatName) as refused:
            at = getattr(refused, "field", "name")
            (hours if at in hours.fields else form).add_error(at, str(refused))
        else:
            messages.success(request, "Saved.")
            return redirect("team-channel", request.team.slug, channel.public_id)
    return _channel_page(request, channel, status=BAD_INPUT, edit_forms=(form, hours))
