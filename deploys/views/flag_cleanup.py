"""Flags to clean up: what is known of each, how fresh that is, what a rule asks for, and the proof that removed ones are gone."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.dateparse import parse_date
from django.views.decorators.http import require_http_methods

from deploys import clock
from deploys.actions.flag_cleanup import (
    LIMITS,
    Case,
    cleanup_of,
    close_task,
    keep_flag,
    rehearse,
    reopen_task,
    support_clients,
)
from deploys.actions.flag_registry import FlagRefused
from deploys.domain.flag_cleanup import Removal, State
from deploys.domain.flag_dossier import DAY, Standing
from deploys.domain.flag_lifecycle import POINTS, StaleReason
from deploys.domain.flag_summary import is_due, summary_of
from deploys.domain.wording import counted, duration
from deploys.models import FlagRepository, FlagRevision, RegisteredFlag, Role
from deploys.ports import panels
from deploys.queries.flag_code import ShownPlace, places_of
from deploys.queries.flag_usage import checks_by_week
from deploys.views.access import RANK, TeamRequest, team_page

MOST_PLACES: Final = 6
MOST_REMOVED: Final = 20
REASONS: Final[Mapping[StaleReason, str]] = {
    StaleReason.FULLY_ON: "fully on", StaleReason.FULLY_OFF: "fully off", StaleReason.EXPIRED: "expired",
    StaleReason.UNEVALUATED: "not checked", StaleReason.UNREFERENCED: "no code",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Piece:
    """One piece of evidence; `is_unknown` marks what nobody can tell now."""

    label: str
    words: str
    is_unknown: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """A flag as the page shows it."""

    case: Case
    points: int
    sum_words: str
    standing: str
    pieces: Sequence[Piece]
    places: Sequence[ShownPlace]
    more_count: int
    weeks: Sequence[int]
    patch: str
    now: dt.datetime

    @property
    def asked(self) -> list[str]:
        """Where it is asked for, in words: `6 s ago in production`."""
        at = [(each.environment, each.usage.checked_at) for each in self.case.dossier.standings]
        return [
            f"{duration((self.now - when).total_seconds())} ago in {where}" for where, when in at if when is not None
        ]


@require_http_methods(["GET", "HEAD", "POST"])
@team_page()
def flag_cleanup(request: TeamRequest) -> HttpResponse:
    """The list, most pressing first (METRICS section 16); buttons answer what is asked."""
    now = clock.now()
    if request.method == "POST":
        return _act(request, now)
    cleanup = cleanup_of(request.team, now=now)
    listed = [case for case in cleanup.cases if case.is_listed]
    places = places_of(request.team, [case.dossier.key for case in listed])
    weeks = checks_by_week([row.pk for row in cleanup.files.environments if row.tier == "production"], now=now)
    rows = [row_of(case, places.get(case.dossier.key, ()), weeks.get(case.dossier.key, ()), now) for case in listed]
    kinds = _grouped(rows)
    context = {
        **kinds,
        "summary": summary_of([(case.dossier, case.judged) for case in cleanup.cases], now),
        "repositories": FlagRepository.objects.filter(team=request.team).order_by("name"),
        "fresh_since": now - 7 * DAY,
        "removed": _removed(request),
        "can_write": RANK[Role(request.membership.role)] >= RANK[Role.RESPONDER],
        "tomorrow": (now + DAY).date(), "last_day": (now + 30 * DAY).date(), "cap": LIMITS.cap,
        "is_empty": not cleanup.cases, "panels": panels("flag-cleanup", request, cleanup),
    }  # fmt: skip
    return render(request, "deploys/flag_cleanup.html", context)


def _grouped(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """Each flag in one group: zombies, on their way out, postponed, to clean up, without evidence, and all other findings."""
    found: dict[str, list[Row]] = {name: [] for name in ("zombies", "leaving", "kept", "due", "questions", "others")}
    for row in rows:
        state = row.case.judged.state
        if state is State.ZOMBIE:
            name = "zombies"
        elif row.case.proof.removal is not Removal.NONE:
            name = "leaving"
        elif state is State.KEPT:
            name = "kept"
        elif is_due(row.case.judged) or row.case.stale is not None:
            name = "due"
        elif state is State.NEEDS_EVIDENCE:
            name = "questions"
        else:
            name = "others"
        found[name].append(row)
    return found


def _removed(request: TeamRequest) -> list[FlagRevision]:
    """Flags that were archived with the proof that they are gone, newest first."""
    rows = FlagRevision.objects.filter(
        flag__team=request.team,
        flag__archived_at__isnull=False,
        act=FlagRevision.Act.ARCHIVED,
        after__proof__isnull=False,
    )
    return list(rows.select_related("flag").order_by("-at", "-pk")[:MOST_REMOVED])


def row_of(case: Case, places: Sequence[ShownPlace], weeks: Sequence[int], now: dt.datetime) -> Row:
    """One flag in words."""
    main = next(iter(case.dossier.production), None)
    return Row(
        case=case, points=case.stale.priority_points if case.stale else 0, sum_words=_sum(case), standing=_standing(main, now),
        pieces=_pieces(case, main, now), places=places[:MOST_PLACES], more_count=max(len(places) - MOST_PLACES, 0), weeks=weeks,
        patch=_patch(case, main), now=now,
    )  # fmt: skip


def _sum(case: Case) -> str:
    """`3 fully on · 2 not checked · 2 for 64 d overdue`: what the points are made of."""
    if case.stale is None:
        return ""
    parts = sorted(((POINTS[reason], REASONS[reason]) for reason in case.stale.reasons), reverse=True)
    words = [f"{points} {name}" for points, name in parts]
    overdue = case.stale.priority_points - sum(points for points, _ in parts)
    if case.dossier.incidents_count:
        words.append("3 caused an incident")
        overdue -= 3
    if case.stale.owner is None:
        words.append("1 no owner")
        overdue -= 1
    if overdue > 0:
        words.append(f"{overdue} for {duration(case.stale.overdue.total_seconds())} overdue")
    return " · ".join(words)


def _standing(main: Standing | None, now: dt.datetime) -> str:
    if main is None:
        return "in no production environment"
    what = f"everybody gets {main.constant}" if main.constant is not None else f"on for {main.percent:g} %, by rules"
    return what if main.since is None else f"{what} for {duration((now - main.since).total_seconds())}"


def _pieces(case: Case, main: Standing | None, now: dt.datetime) -> list[Piece]:
    """Evidence with its freshness, and what is not known as such."""
    dossier = case.dossier
    pieces = [_checked(each, now) for each in dossier.standings]
    if (
        main is not None
        and main.constant is None
        and main.usage.only_variant is not None
        and main.usage.only_since is not None
    ):
        pieces.append(
            Piece(
                "answers",
                f"only {main.usage.only_variant} since {_day(main.usage.only_since)}, {main.usage.only_count:,} in 14 d",
            )
        )
    if dossier.expires_at is not None:
        is_past = dossier.expires_at <= now
        pieces.append(Piece("expired" if is_past else "expires", _day(dossier.expires_at)))
    if dossier.dependants:
        pieces.append(Piece("needed by", ", ".join(dossier.dependants)))
    if dossier.incidents_count:
        pieces.append(Piece("incidents", f"{counted(dossier.incidents_count, 'change')} of it confirmed as a cause"))
    if dossier.is_owner_active is False:
        pieces.append(Piece("owner", f"{dossier.owner} is no longer in the team"))
    if case.task is not None:
        done = f"closed {_day(case.task.done_at)}" if case.task.done_at else "open"
        pieces.append(Piece("to-do", f"{done}, postponed {case.task.kept_count} ×" if case.task.kept_count else done))
    return pieces


def _checked(standing: Standing, now: dt.datetime) -> Piece:
    usage, label = standing.usage, f"checked, {standing.environment}"
    if usage.checked_at is not None and now - usage.checked_at <= 14 * DAY:
        return Piece(label, f"{duration((now - usage.checked_at).total_seconds())} ago")
    why = usage.why_unknown(now, 14 * DAY)
    if why:
        return Piece(label, f"unknown: {why}", is_unknown=True)
    return Piece(
        label, "never" if usage.checked_at is None else f"{duration((now - usage.checked_at).total_seconds())} ago"
    )


def _day(at: dt.datetime) -> str:
    return f"{at:%-d %B %Y}"


def _patch(case: Case, main: Standing | None) -> str:
    """The command that prints a patch, for a boolean flag that everybody has alike."""
    flag = case.flag
    if (
        flag is None
        or flag.value_type != "boolean"
        or main is None
        or main.constant is None
        or not case.dossier.code.some
    ):
        return ""
    value = next((each["value"] for each in flag.variants if each["name"] == main.constant), None)
    word = "on" if value else "off"
    return f"curl -fsS {settings.BASE_URL}/ci/flag_patch.py | python3 - {flag.key} --value {word} > {flag.key}.patch"


# -- answers -----------------------------------------------------------------------------------------------------------


def _act(request: TeamRequest, now: dt.datetime) -> HttpResponse:
    act = ACTS.get(request.POST.get("act", ""))
    if act is None:
        raise Http404
    named = RegisteredFlag.objects.filter(team=request.team, archived_at__isnull=True)
    flag = named.filter(public_id=request.POST["flag"]).first() if _is_id(request) else None
    if flag is None:
        messages.error(request, "That flag is not here, or is archived by now.")
        return redirect("flag-cleanup", request.team.slug)
    try:
        messages.success(request, act(request, flag, now))
    except FlagRefused as error:
        messages.error(request, f"{flag.key}: {error}")
    return redirect("flag-cleanup", request.team.slug)


def _is_id(request: TeamRequest) -> bool:
    try:
        uuid.UUID(request.POST.get("flag", ""))
    except ValueError:
        return False
    return True


def _keep(request: TeamRequest, flag: RegisteredFlag, now: dt.datetime) -> str:
    until = _date(request)
    keep_flag(flag=flag, until=until, reason=request.POST.get("reason", ""), now=now, by=request.user)
    return f"{flag.key} is kept until {_day(until)}."


def _done(request: TeamRequest, flag: RegisteredFlag, now: dt.datetime) -> str:
    close_task(flag=flag, now=now, by=request.user)
    return f"The to-do of {flag.key} is closed. Should code still ask, it is named here again."


def _reopen(request: TeamRequest, flag: RegisteredFlag, now: dt.datetime) -> str:
    reopen_task(flag=flag, now=now, by=request.user)
    return f"The to-do of {flag.key} is open again."


def _rehearsed(request: TeamRequest, flag: RegisteredFlag, now: dt.datetime) -> str:
    rehearse(flag=flag, reason=request.POST.get("reason", ""), now=now, by=request.user)
    return f"Noted: {flag.key} was rehearsed."


def _clients(request: TeamRequest, flag: RegisteredFlag, now: dt.datetime) -> str:
    until = _date(request)
    support_clients(flag=flag, until=until, now=now, by=request.user)
    return f"Older apps that may ask for {flag.key} are supported until {_day(until)}."


def _date(request: TeamRequest) -> dt.datetime:
    """The day the form names, at its beginning in UTC. FlagRefused where it names none."""
    try:
        named = parse_date(request.POST.get("until", ""))
    except ValueError:
        named = None
    if named is None:
        raise FlagRefused("say until which day", field="until")
    return dt.datetime(named.year, named.month, named.day, tzinfo=dt.UTC)


ACTS: Final[Mapping[str, Callable[[TeamRequest, RegisteredFlag, dt.datetime], str]]] = {
    "keep": _keep, "done": _done, "reopen": _reopen, "rehearse": _rehearsed, "clients": _clients,
}  # fmt: skip
