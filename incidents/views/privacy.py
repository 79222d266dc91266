"""What is taken out of a team's error reports: the rules, a place to try them, and who changed them."""

from __future__ import annotations

import json
from typing import Final

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from deploys import clock
from deploys.models import Role
from deploys.views.access import TeamRequest, team_page
from deploys.views.acts import is_admin, perform
from deploys.views.forms import PlainForm
from incidents.actions.privacy import change_privacy_rules
from incidents.domain.privacy import as_kept
from incidents.domain.scrubbing import Rules, scrubber_for
from incidents.domain.secret_names import plain_name
from incidents.domain.text_patterns import NotAPattern, check
from incidents.queries.privacy import rules_changes, rules_in_force

MOST_LINES: Final = 100
LONGEST_NAME: Final = 100


class LinesField(forms.CharField):
    """A list of texts, one a line; empty lines and repeats are left out."""

    def __init__(self, *, label: str, help_text: str) -> None:
        super().__init__(label=label, help_text=help_text, required=False, max_length=20_000)
        self.widget = forms.Textarea({"rows": 4, "class": "input mono", "spellcheck": "false", "autocomplete": "off"})

    def clean(self, value: object) -> list[str]:
        """The lines in order."""
        lines = list(dict.fromkeys(line.strip() for line in str(super().clean(value)).splitlines() if line.strip()))
        if len(lines) > MOST_LINES:
            raise ValidationError(f"At most {MOST_LINES} lines; these are {len(lines)}.")
        return lines


class PrivacyForm(PlainForm):
    """The rules, and a text to try them on."""

    names = LinesField(
        label="More secret names",
        help_text="Fields, headers and parameters whose value is always taken out, one a line. customerRef, customer-ref and "
        "CUSTOMER_REF are the same name.",
    )
    safe_names = LinesField(
        label="Safe names",
        help_text="Names that sound secret and are not here, such as session. Their values are still searched for what looks "
        "like a secret.",
    )
    patterns = LinesField(
        label="More texts to take out",
        help_text="One a line, found anywhere: # is one digit, ? one letter or digit, * up to 64 characters without a blank. "
        "CUST-###### or acct_*.",
    )
    keeps_locals = forms.BooleanField(
        label="Keep local variables of frames", required=False,
        help_text="Off: they are dropped, because nobody can list what a program keeps in them. On: they are searched like "
        "everything else, and shown.",
    )  # fmt: skip
    keeps_addresses = forms.BooleanField(
        label="Keep IP addresses", required=False,
        help_text="Off: public addresses are taken out, as they often are people's; those of private networks stay.",
    )  # fmt: skip
    keeps_emails = forms.BooleanField(
        label="Keep e-mail addresses as they are sent", required=False,
        help_text="Off: they are taken out. Users are told apart by a hash either way.",
    )  # fmt: skip
    sample = forms.CharField(
        label="Try it on this text or JSON", required=False, max_length=20_000,
        widget=forms.Textarea({"rows": 5, "class": "input mono", "spellcheck": "false"}),
        help_text="Uses the rules above as they are typed. Nothing of it is kept.",
    )  # fmt: skip

    def clean_names(self) -> list[str]:
        """Names that have a letter or digit, and a bearable length."""
        return _names(self.cleaned_data["names"])

    def clean_safe_names(self) -> list[str]:
        """As for names."""
        return _names(self.cleaned_data["safe_names"])

    def clean_patterns(self) -> list[str]:
        """Patterns of the little language."""
        for pattern in self.cleaned_data["patterns"]:
            try:
                check(pattern)
            except NotAPattern as problem:
                raise ValidationError(str(problem)) from problem
        return list(self.cleaned_data["patterns"])

    def rules(self) -> Rules:
        """What was filled in."""
        given = self.cleaned_data
        return Rules(
            names=frozenset(given["names"]),
            safe_names=frozenset(given["safe_names"]),
            patterns=tuple(sorted(given["patterns"])),
            keeps_locals=given["keeps_locals"],
            keeps_addresses=given["keeps_addresses"],
            keeps_emails=given["keeps_emails"],
        )


def _names(lines: list[str]) -> list[str]:
    for line in lines:
        if not plain_name(line) or len(line) > LONGEST_NAME:
            raise ValidationError(
                f"{line[:40]}: a name has a letter or a digit, and at most {LONGEST_NAME} characters."
            )
    return sorted({plain_name(line) for line in lines})


def _initial(rules: Rules) -> dict[str, object]:
    return {
        name: "\n".join(str(each) for each in value) if isinstance(value, list) else value
        for name, value in as_kept(rules).items()
    }


def _privacy_page(
    request: TeamRequest, *, form: PrivacyForm | None = None, tried: str = "", status: int = 200
) -> HttpResponse:
    context = {
        "tab": "privacy", "is_admin": is_admin(request), "changes": rules_changes(request.team), "tried": tried,
        "form": form or PrivacyForm(initial=_initial(rules_in_force(request.team))),
    }  # fmt: skip
    return render(request, "incidents/privacy.html", context, status=status)


def _save(request: TeamRequest) -> HttpResponse | None:
    form = PrivacyForm(request.POST)
    if not form.is_valid():
        return _privacy_page(request, form=form, status=422)
    if change_privacy_rules(team=request.team, rules=form.rules(), by=request.user, now=clock.now()):
        messages.success(request, "Reports are scrubbed like this from now on; stored ones stay as they are.")
    else:
        messages.info(request, "Nothing was different.")
    return None


def _try(request: TeamRequest) -> HttpResponse:
    form = PrivacyForm(request.POST)
    if not form.is_valid():
        return _privacy_page(request, form=form, status=422)
    return _privacy_page(request, form=form, tried=_tried(form.cleaned_data["sample"], form.rules()) or "(nothing)")


def _tried(sample: str, rules: Rules) -> str:
    """The sample as it would be kept; JSON is read as a part of a report."""
    scrubber = scrubber_for(rules)
    try:
        value = json.loads(sample)
    except (ValueError, RecursionError):
        return scrubber.text(sample)
    return json.dumps(scrubber.value(value), indent=2, ensure_ascii=False)


@team_page(write_role=Role.ADMIN)
@require_http_methods(["GET", "HEAD", "POST"])
def team_privacy(request: TeamRequest) -> HttpResponse:
    """Everybody in the team may see what is taken out; admins change it."""
    if request.method == "POST":
        return perform(request, {"save": _save, "try": _try}, "team-privacy")
    return _privacy_page(request)
