"""What a person may change about themselves: address, zone, password, theme."""

from __future__ import annotations

from typing import cast

from django import forms
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.decorators import login_required
from django.contrib.auth.password_validation import validate_password
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST, require_safe

from deploys.actions import people
from deploys.models import Membership, User
from deploys.views.forms import PlainForm, ZoneField, zone_names

THEMES = [("system", "as the system"), ("light", "light"), ("dark", "dark")]
YEAR = 365 * 86_400


class DetailsForm(PlainForm):
    """Address and zone."""

    email = forms.EmailField(label="E-mail address", max_length=254, help_text="You sign in with it.")
    zone = ZoneField(help_text="Times on your pages are in this zone. Reports keep the zone of their team.")


class PasswordForm(PlainForm):
    """The old password and the new one."""

    old = forms.CharField(
        label="Present password",
        strip=False,
        required=False,
        widget=forms.PasswordInput({"autocomplete": "current-password"}),
    )
    new = forms.CharField(
        label="New password",
        strip=False,
        widget=forms.PasswordInput({"autocomplete": "new-password"}),
        help_text="At least 12 characters.",
    )

    def __init__(self, user: User, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.user = user
        if not user.has_usable_password():
            del self.fields["old"]

    def clean_new(self) -> str:
        """A password that is not easily guessed."""
        new: str = self.cleaned_data["new"]
        validate_password(new, self.user)
        return new


class ThemeForm(PlainForm):
    """Light, dark, or what the system says."""

    theme = forms.ChoiceField(label="Theme", choices=THEMES, widget=forms.RadioSelect({"data-theme-choice": True}))


def _page(request: HttpRequest, *, status: int = 200, **forms_given: PlainForm) -> HttpResponse:
    user = cast(User, request.user)
    context = {
        "details_form": forms_given.get("details") or DetailsForm(initial={"email": user.email, "zone": user.zone}, prefix="details"),
        "password_form": forms_given.get("password") or PasswordForm(user, prefix="password"),
        "theme_form": ThemeForm(initial={"theme": request.COOKIES.get("theme", "system")}),
        "memberships": Membership.objects.filter(user=user).select_related("team").order_by("team__name"),
        "zones": zone_names(),
    }  # fmt: skip
    return render(request, "deploys/account.html", context, status=status)


@login_required
@require_safe
def account(request: HttpRequest) -> HttpResponse:
    """The page."""
    return _page(request)


@login_required
@require_POST
def details(request: HttpRequest) -> HttpResponse:
    """Changes address and zone."""
    form = DetailsForm(request.POST, prefix="details")
    if not form.is_valid():
        return _page(request, status=422, details=form)
    try:
        people.change_details(user=User.objects.get(pk=cast(User, request.user).pk), **form.cleaned_data)
    except people.NotPossible as problem:
        form.add_error("email", str(problem))
        return _page(request, status=422, details=form)
    messages.success(request, "Your details are changed.")
    return redirect("account")


@sensitive_post_parameters("password-old", "password-new")
@login_required
@require_POST
def password(request: HttpRequest) -> HttpResponse:
    """Changes the password; every other session of this person ends."""
    user = cast(User, request.user)
    form = PasswordForm(user, request.POST, prefix="password")
    if not form.is_valid():
        return _page(request, status=422, password=form)
    try:
        people.change_password(user=user, old=form.cleaned_data.get("old", ""), new=form.cleaned_data["new"])
    except people.NotPossible as problem:
        form.add_error("old", str(problem))
        return _page(request, status=422, password=form)
    update_session_auth_hash(request, user)
    messages.success(request, "Your password is changed; other sessions are signed out.")
    return redirect("account")


@login_required
@require_POST
def theme(request: HttpRequest) -> HttpResponse:
    """Keeps the theme of this browser."""
    form = ThemeForm(request.POST)
    response = redirect("account")
    if form.is_valid():
        chosen = form.cleaned_data["theme"]
        response.set_cookie("theme", chosen, max_age=YEAR, samesite="Lax", secure=request.is_secure(), httponly=True)
    return response
