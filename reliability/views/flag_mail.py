"""The way out of reminders of flags, and back in."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from deploys import clock
from reliability.actions.flag_reminders import reader_of, resume_reminders, stop_reminders
from reliability.models import FlagMailStop


@csrf_exempt  # mail programs post here by themselves (RFC 8058); the token is the proof
@require_http_methods(["GET", "HEAD", "POST"])
def flag_mail_stop(request: HttpRequest, token: str) -> HttpResponse:
    """A question when it is opened, done when it is posted."""
    reader = reader_of(token)
    if reader is None:
        return render(request, "reliability/flag_mail_stop.html", {"user": None}, status=404)
    team, user = reader
    if request.method == "POST":
        if request.POST.get("act") == "resume":
            resume_reminders(team=team, user=user)
        else:
            stop_reminders(team=team, user=user, now=clock.now())
    is_stopped = FlagMailStop.objects.filter(team=team, user=user).exists()
    return render(request, "reliability/flag_mail_stop.html", {"team": team, "user": user, "is_stopped": is_stopped})
