"""Every shared piece in all its states on one page: the visual reference, and what the accessibility check reads."""

from __future__ import annotations

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from deploys import clock
from deploys.charts.figures import Figure, RatePoint, ReleaseCounts, errors_by_release, rate_around
from deploys.views.forms import PlainForm


class SampleForm(PlainForm):
    """One field of each sort."""

    email = forms.EmailField(label="E-mail address", help_text="You sign in with it.")
    note = forms.CharField(label="Note", widget=forms.Textarea({"rows": 4}), required=False)
    role = forms.ChoiceField(label="Role", choices=[("viewer", "viewer"), ("admin", "admin")])
    theme = forms.ChoiceField(
        label="Theme", choices=[("system", "as the system"), ("dark", "dark")], widget=forms.RadioSelect
    )
    is_agreed = forms.BooleanField(label="Open incidents by itself", required=False)


def _clocks(now: dt.datetime) -> list[dict[str, Any]]:
    return [
        {"name": "impact began", "at": now - dt.timedelta(seconds=432), "state": "passed", "said": "first failing request"},
        {"name": "detected", "at": now - dt.timedelta(seconds=378), "state": "passed", "said": "after 54 s, from errors"},
        {"name": "acknowledged", "at": now - dt.timedelta(seconds=240), "state": "running", "said": "after 2 min 18 s, Noor"},
        {"name": "mitigated", "at": None, "said": ""},
        {"name": "restored", "at": None, "said": "offered when errors stop"},
        {"name": "closed", "at": None, "said": "needs a retrospective"},
    ]  # fmt: skip


def _suspects() -> list[dict[str, Any]]:
    return [
        {"odds": 0.97, "sign": "deploy", "kind": "Deploy", "name": "cart 7.2.0", "url": "#cart",
         "about": "by Noor Aziz, live for 4 min before the first error. Linked by the model; a person has the last word.",
         "evidence": [{"factor": 12.4, "text": "changed cart/price.py, the innermost frame of the error"},
                      {"factor": 4.7, "text": "went live 4 min before the first error"},
                      {"factor": 1.0, "text": "same weekday as usual"},
                      {"factor": 0.3, "text": "staging ran the same release for 22 h without this error"}]},
        {"odds": 0.02, "sign": "", "kind": "", "name": "No change did this", "url": "", "about": "",
         "evidence": [{"factor": 2.6, "text": "how often nothing changed"}]},
        {"odds": 0.004, "sign": "flag", "kind": "Flag", "name": "new-vat 25 → 50 %", "url": "#flag", "about": "",
         "evidence": [{"factor": 3.4, "text": "owned by cart"}, {"factor": 0.2, "text": "41 min before"}]},
    ]  # fmt: skip


def _timeline(now: dt.datetime) -> list[dict[str, Any]]:
    minute = dt.timedelta(minutes=1)
    return [
        {"at": now, "sign": "cause", "cause": True, "text": "Verdict 3: cart 7.2.0, 97 %, was 91 %.", "by": "Upshot"},
        {"at": now - minute, "sign": "note", "kind": "note", "text": "Totals read a column that is still empty.", "by": "Noor Aziz"},
        {"gap": "nothing for 40 min"},
        {"at": now - 42 * minute, "sign": "flag", "text": "Flag new-vat 25 → 50 %, by Leo Brandt."},
    ]  # fmt: skip


def _tiles() -> list[dict[str, Any]]:
    return [
        {"label": "Availability", "value": "99.871 %", "url": "#a", "said": "target 99.9 %; down 12 min 56 s in 2 incidents",
         "spark": [0.99, 0.98, 0.995, None, 0.99, 0.999, 0.97], "target": 0.985, "before": ["week before 99.988 %", "4 weeks before 99.972 %"]},
        {"label": "Budget left", "value": "21 min 13 s", "said": "of 40 min 19 s in 28 days", "spark": [5, 4, 3, 2, 1], "before": ["week before 29 min 09 s"]},
        {"label": "Failed changes", "value": "6.5 %", "small": "2 of 31", "url": "#c", "said": "likely 1.8–20.7 %", "spark": [0, 1, 0, 2, 1], "before": ["week before 2 of 28"]},
        {"label": "Recovery of failed deploys", "value": "≥ 18 min 33 s", "said": "median of 2, one still open", "spark": [None, None, 4], "before": []},
        {"label": "Self-inflicted", "value": "–", "said": "nothing was down", "before": ["week before 64–100 %"]},
    ]  # fmt: skip


def _figures(now: dt.datetime) -> list[Figure]:
    minute, zone = dt.timedelta(minutes=1), ZoneInfo("Europe/Copenhagen")
    begins_at = now.replace(second=0, microsecond=0) - 60 * minute
    failed = [1, 0, 2, 1, 0, 1, 2, 40, 230, 410, 480, 470]
    points = [RatePoint(begins_at + 5 * place * minute, number, 1_300) for place, number in enumerate(failed)]
    baseline = [RatePoint(point.at - dt.timedelta(days=7), 1, 1_250) for point in points]
    old, new = [0, 1, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0, 0, 39, 230, 410, 480, 150]
    return [
        rate_around(points=points, baseline=baseline, step=5 * minute, live_at=now - 29 * minute, name="cart 7.2.0", zone=zone,
                    rollout=(now - 31 * minute, now - 22 * minute)),
        errors_by_release(begins_at=begins_at, step=5 * minute, zone=zone, change=(now - 31 * minute, "7.2.0 starts"),
                          first_error_at=now - 24 * minute, is_last_open=True,
                          releases=[ReleaseCounts("7.1.4", old), ReleaseCounts("7.2.0", new, is_suspect=True)]),
    ]  # fmt: skip


def gallery(request: HttpRequest) -> HttpResponse:
    """The page /ui/, only where debugging or testing is on."""
    now = clock.now()
    messages.success(request, "The member was invited.")
    messages.error(request, "The token was not made: it needs a name.")
    bad_form = SampleForm({"bad-email": "nobody", "bad-role": "viewer", "bad-theme": "dark"}, prefix="bad")
    bad_form.is_valid()
    context = {
        "now": now,
        "earlier": now - dt.timedelta(minutes=10),
        "last_week": now - dt.timedelta(days=4, hours=3),
        "clocks": _clocks(now),
        "suspects": _suspects(),
        "rows": _timeline(now),
        "tiles": _tiles(),
        "form": SampleForm(),
        "bad_form": bad_form,
        "page": Paginator(range(95), 20).page(2),
        "worst": ["", "", "downtime", "", "single_user", "impactless", None, None, "multi_user", ""] * 2,
        "snippet": [("sentry_sdk.init(\n    dsn=\"", False), ("https://1f…@127.0.0.1:8000/1", True), ('",\n)', False)],
        "figures": _figures(now),
        "crumbs": [("Incidents", "#incidents")],
    }  # fmt: skip
    return render(request, "ui/gallery.html", context)
