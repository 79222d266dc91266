"""Getting in and out: sign-in, sign-out, one-time links."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.contrib.auth import login, logout
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from deploys import clock
from deploys.actions import links, people
from deploys.models import OneTimeLink, User
from deploys.views.forms import PlainForm, ZoneField, zone_names

BACKEND = "django.contrib.auth.backends.ModelBackend"


class SignInForm(PlainForm):
    """Address and password."""

    email = forms.EmailField(
        label="E-mail address", widget=forms.EmailInput({"autocomplete": "username", "autofocus": True})
    )
    password = forms.CharField(
        label="Password", strip=False, widget=forms.PasswordInput({"autocomplete": "current-password"})
    )


class NewAccountForm(PlainForm):
    """What a new person tells of themselves."""

    email = forms.EmailField(
        label="E-mail address", max_length=254, widget=forms.EmailInput({"autocomplete": "username"})
    )
    password = forms.CharField(
        label="Password",
        strip=False,
        widget=forms.PasswordInput({"autocomplete": "new-password"}),
        help_text="At least 12 characters.",
    )
    zone = ZoneField(help_text="Times on your pages are in this zone.", initial="UTC")

    def clean_password(self) -> str:
        """A password that is not easily guessed."""
        password: str = self.cleaned_data["password"]
        validate_password(password, User(email=self.cleaned_data.get("email", "")))
        return password


def safe_next(request: HttpRequest) -> str:
    """Where to go afterwards: only an address of this instance."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    is_ours = url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return wanted if is_ours else reverse("home")


@sensitive_post_parameters("password")
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """The sign-in page. Five failures in a quarter of an hour stop further tries for that address."""
    if request.user.is_authenticated:
        return HttpResponseRedirect(safe_next(request))
    form = SignInForm(request.POST or None)
    status = 200
    if request.method == "POST" and form.is_valid():
        try:
            user = people.sign_in(request=request, now=clock.now(), **form.cleaned_data)
        except people.TooManyAttempts:
            user, status = None, 429
            form.add_error(None, "Too many tries. Wait a quarter of an hour, or ask for a one-time link.")
        if user is not None:
            login(request, user, backend=BACKEND)
            return HttpResponseRedirect(safe_next(request))
        if status == 200:
            form.add_error(None, "This address and password do not belong together.")
    context = {"form": form, "next": request.GET.get("next", ""), "is_fresh": people.is_fresh()}
    return render(request, "deploys/sign_in.html", context, status=status)


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """Ends the session."""
    logout(request)
    messages.success(request, "You are signed out.")
    return redirect("sign-in")


@sensitive_post_parameters("password")
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def link(request: HttpRequest, secret: str) -> HttpResponse:
    """A one-time link. Looking at it does not use it up, because mail programs look at links too; the button does."""
    try:
        found = links.look_up(secret, now=clock.now())
        match found.purpose:
            case OneTimeLink.Purpose.SIGN_IN:
                return _sign_in_by_link(request, found)
            case OneTimeLink.Purpose.SETUP:
                return _set_up(request, found)
            case _:
                return _join(request, found)
    except (links.UnusableLink, people.NotPossible) as problem:
        return render(request, "deploys/link_unusable.html", {"problem": str(problem)}, status=410)


def _sign_in_by_link(request: HttpRequest, found: OneTimeLink) -> HttpResponse:
    if request.method != "POST":
        return render(request, "deploys/link_sign_in.html", {"person": found.user})
    links.use(found, now=clock.now())
    login(request, found.user, backend=BACKEND)
    return redirect("home")


def _set_up(request: HttpRequest, found: OneTimeLink) -> HttpResponse:
    form = NewAccountForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        user = people.make_first_account(link=found, now=clock.now(), **form.cleaned_data)
        login(request, user, backend=BACKEND)
        return redirect("start-team")
    return render(request, "deploys/start_account.html", {"form": form, "zones": zone_names(), "step": 1, "wide": True})


def _join(request: HttpRequest, found: OneTimeLink) -> HttpResponse:
    context = {"team": found.team, "role": found.get_role_display(), "zones": zone_names(), "invitation": found}
    if request.user.is_authenticated:
        if request.method == "POST":
            people.join(link=found, user=request.user, now=clock.now())
            return redirect("home")
        return render(request, "deploys/join.html", context)
    form = NewAccountForm(
        request.POST or None, initial={"email": found.email, "zone": found.team.zone if found.team else "UTC"}
    )
    if request.method == "POST" and form.is_valid():
        try:
            user = people.join(link=found, now=clock.now(), **form.cleaned_data)
        except people.NotPossible as problem:
            form.add_error("email", ValidationError(str(problem)))
        else:
            login(request, user, backend=BACKEND)
            return redirect("home")
    return render(request, "deploys/join.html", {**context, "form": form})
