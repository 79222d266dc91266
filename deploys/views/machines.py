"""API tokens and webhooks: what may send to a team."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from deploys import clock
from deploys.actions import sources, tokens
from deploys.domain.signatures import Token
from deploys.domain.source_rules import PATTERNS, RULE_KEYS
from deploys.formats.sources import KINDS
from deploys.models import ApiToken, Delivery, Role, Scope, Service, Source, Team
from deploys.queries.addresses import webhook_url
from deploys.queries.deliveries import first_deliveries, last_deliveries
from deploys.views.access import TeamRequest, team_page
from deploys.views.acts import Acts, perform, public_id_of
from deploys.views.forms import PlainForm


class TokenForm(PlainForm):
    """A new API token."""

    name = forms.CharField(label="Name", max_length=100, help_text="Where it is used: GitHub Actions, release script.")
    scopes = forms.MultipleChoiceField(
        label="May", choices=[(scope, scope) for scope in Scope.values], widget=forms.CheckboxSelectMultiple,
        initial=[Scope.DEPLOYS_WRITE, Scope.RELEASES_WRITE, Scope.SERVICES_WRITE],
    )  # fmt: skip
    days = forms.IntegerField(
        label="Ends after days", required=False, min_value=1, max_value=3_650, help_text="Empty: never."
    )


def secret_field(help_text: str) -> forms.CharField:
    """Where a secret that the sender made is pasted."""
    return forms.CharField(
        label="Secret of the sender", required=False, max_length=sources.LONGEST_SECRET, help_text=help_text,
        widget=forms.TextInput({"class": "input mono", "autocomplete": "off", "spellcheck": "false"}),
    )  # fmt: skip


class SourceForm(PlainForm):
    """A new webhook of any kind of the table."""

    kind = forms.ChoiceField(label="Kind", choices=[(kind.slug, kind.title) for kind in KINDS.values()])
    name = forms.CharField(
        label="Name", max_length=100, help_text="For example the organisation or repository that sends."
    )
    service = forms.ModelChoiceField(
        label="All it sends is about",
        queryset=Service.objects.none(),
        required=False,
        empty_label="what the rules or the repository's name say",
    )
    secret = secret_field(
        "Empty: one is made and shown once. GitLab's signing token (whsec_…) and Vercel's secret are made there: paste them here."
    )
    is_strict = forms.BooleanField(
        label="Only what a rule names", required=False, help_text="The rest is refused, and stands in the log."
    )

    def __init__(self, team: Team, *args: Any, **kwargs: Any) -> None:  # Any: as the base class has it
        super().__init__(*args, **kwargs)
        chosen = self.fields["service"]
        assert isinstance(chosen, forms.ModelChoiceField)  # noqa: S101 -- for the type checker
        chosen.queryset = Service.objects.filter(team=team).order_by("name")


class RotateForm(PlainForm):
    """A new secret of one webhook."""

    secret = secret_field(
        "Empty: one is made and shown once. Senders that make their own show it there: paste it here."
    )


class RulesForm(PlainForm):
    """The mapping of one webhook, one rule a line."""

    rules = forms.CharField(
        label="Rules", required=False, max_length=20_000, widget=forms.Textarea({"rows": 4, "class": "input mono", "spellcheck": "false"}),
        help_text="One a line: repository, environment, workflow → service, environment. An empty place or * means any. The first that fits counts.",
    )  # fmt: skip

    def clean_rules(self) -> list[dict[str, str]]:
        """The rules, parsed; each line must have both sides."""
        found = []
        for number, line in enumerate(self.cleaned_data["rules"].splitlines(), 1):
            if not line.strip():
                continue
            left, arrow, right = line.replace("->", "→").partition("→")
            named, to = ([part.strip() for part in side.split(",")] for side in (left, right))
            if not arrow or len(named) > 3 or len(to) > 2 or not to[0]:
                raise forms.ValidationError(
                    f"Line {number}: expected repository, environment, workflow → service, environment."
                )
            values = [*[*named, "", ""][:3], *[*to, ""][:2]]
            found.append(dict(zip(RULE_KEYS, ["" if value == "*" else value for value in values], strict=True)))
        return found


def rules_text(source: Source) -> str:
    """The rules of a webhook as the form takes them."""
    return "\n".join(_line(rule) for rule in source.rules)


def _line(rule: Mapping[str, str]) -> str:
    named = [rule.get(key) or "*" for key in PATTERNS]
    named = named[:2] if named[2] == "*" else named
    return f"{', '.join(named)} → {rule.get('service') or '*'}, {rule.get('to_environment') or '*'}"


def _machines_page(request: TeamRequest, *, status: int = 200, **more: Any) -> HttpResponse:  # Any: the context
    team = request.team
    now = clock.now()
    source_form = more.pop("source_form", None) or SourceForm(team)
    rotate_forms = more.pop("rotate_forms", {})
    rows = list(Source.objects.filter(team=team, kind__in=KINDS).select_related("service").order_by("kind", "name"))
    first, last = first_deliveries(rows), last_deliveries(rows)
    context = {
        "tab": "machines", "is_admin": True, "token_form": TokenForm(), "source_form": source_form,
        "tokens": ApiToken.objects.filter(team=team, revoked_at__isnull=True).select_related("created_by").order_by("-created_at"),
        "sources": [
            {"source": source, "kind": KINDS[source.kind], "wait": _wait(request, source, first.get(source.pk)), "last": last.get(source.pk), "url": webhook_url(source), "rules_form": RulesForm(initial={"rules": rules_text(source)}, auto_id=f"{source.public_id}-%s"),
             "rotate_form": rotate_forms.get(source.pk) or RotateForm(auto_id=f"{source.public_id}-%s"),
             "until": source.previous_secret_until if source.previous_secret_until and source.previous_secret_until > now else None}
            for source in rows
        ],
        "now": now, **more,
    }  # fmt: skip
    return render(request, "deploys/settings_machines.html", context, status=status)


def _make_token(request: TeamRequest) -> HttpResponse:
    form = TokenForm(request.POST)
    if not form.is_valid():
        return _machines_page(request, status=422, token_form=form)
    now, days = clock.now(), form.cleaned_data["days"]
    row, secret = tokens.create_token(
        team=request.team, name=form.cleaned_data["name"], scopes=form.cleaned_data["scopes"], now=now, by=request.user,
        expires_at=now + dt.timedelta(days=days) if days else None,
    )  # fmt: skip
    return _machines_page(
        request, shown={"what": f"Token {row.name}", "secret": secret, "use": "Send it as Authorization: Bearer …"}
    )


def _revoke_token(request: TeamRequest) -> None:
    row = get_object_or_404(ApiToken, team=request.team, public_id=public_id_of(request, "token"))
    tokens.revoke_token(token=row, now=clock.now())
    messages.success(request, f"Token {row.name} is refused from now on.")


def _make_source(request: TeamRequest) -> HttpResponse:
    form = SourceForm(request.team, request.POST)
    if not form.is_valid():
        return _machines_page(request, status=422, source_form=form)
    said = form.cleaned_data
    if Source.objects.filter(team=request.team, kind=said["kind"], name=said["name"].strip()).exists():
        form.add_error("name", "The team has a webhook of this kind and name.")
        return _machines_page(request, status=422, source_form=form)
    try:
        source, secret = sources.make_source(team=request.team, now=clock.now(), **said)
    except sources.NotASecret as error:
        form.add_error("secret", str(error))
        return _machines_page(request, status=422, source_form=form)
    return _machines_page(request, shown=_secret_of(source, secret))


def _secret_of(source: Source, secret: str) -> dict[str, str]:
    """What to copy, this once. An address that holds the secret is given whole."""
    kind, url = KINDS[source.kind], webhook_url(source)
    is_in_address = any(isinstance(scheme, Token) and scheme.in_address for scheme in kind.schemes)
    return {
        "what": f"Secret of {source.name}", "secret": secret, "url": f"{url}?token={secret}" if is_in_address else url,
        "use": f"{kind.title}: {kind.setup} Events: {kind.events}.",
    }  # fmt: skip


def _wait(
    request: TeamRequest, source: Source, first: Delivery | None
) -> dict[str, Any]:  # Any: what ui/waiting.html takes
    """The tick of a webhook: whether anything with a valid proof has come."""
    return {
        "id": f"heard-{source.public_id}", "what": "the first delivery", "began_at": source.created_at,
        "heard_at": first.received_at if first else None, "heard": f"{first.event} {first.verdict}".strip() if first else "",
        "poll_url": reverse("source-heard", args=[request.team.slug, source.public_id]),
    }  # fmt: skip


@team_page(role=Role.ADMIN)
@require_safe
def source_heard(request: TeamRequest, public_id: uuid.UUID) -> HttpResponse:
    """One tick, asked for every two seconds."""
    source = get_object_or_404(Source, team=request.team, public_id=public_id)
    return render(request, "ui/waiting.html", _wait(request, source, first_deliveries([source]).get(source.pk)))


def _source(request: TeamRequest) -> Source:
    return get_object_or_404(Source, team=request.team, public_id=public_id_of(request, "source"))


def _rotate(request: TeamRequest) -> HttpResponse:
    source = _source(request)
    form = RotateForm(request.POST, auto_id=f"{source.public_id}-%s")
    if form.is_valid():
        try:
            secret = sources.rotate_secret(source=source, now=clock.now(), secret=form.cleaned_data["secret"])
        except sources.NotASecret as error:
            form.add_error("secret", str(error))
        else:
            return _machines_page(request, shown=_secret_of(source, secret))
    return _machines_page(request, status=422, rotate_forms={source.pk: form})


def _switch(request: TeamRequest) -> None:
    source = _source(request)
    sources.set_active(source=source, is_active=not source.is_active)
    messages.success(request, f"What {source.name} sends is {'refused' if source.is_active else 'taken'} from now on.")


def _set_rules(request: TeamRequest) -> HttpResponse | None:
    source, form = _source(request), RulesForm(request.POST)
    if not form.is_valid():
        messages.error(request, " ".join(map(str, form.errors["rules"])))
        return None
    sources.set_rules(source=source, rules=form.cleaned_data["rules"])
    messages.success(request, f"The rules of {source.name} are changed.")
    return None


@team_page(role=Role.ADMIN, write_role=Role.ADMIN)
@require_http_methods(["GET", "HEAD", "POST"])
def team_machines(request: TeamRequest) -> HttpResponse:
    """API tokens and webhooks. A new secret is shown in the answer and nowhere else."""
    if request.method == "POST":
        acts: Acts = {
            "token": _make_token,
            "revoke": _revoke_token,
            "source": _make_source,
            "rotate": _rotate,
            "switch": _switch,
            "rules": _set_rules,
        }
        return perform(request, acts, "team-machines")
    return _machines_page(request)
