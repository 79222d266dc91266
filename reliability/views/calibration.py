"""How often verdicts were right in a team, and what its corrections have taught."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from deploys import clock
from deploys.domain.wording import UNKNOWN, count, counted, percent_range, rate
from deploys.models import Role, Team
from deploys.views.access import TeamRequest, team_page
from deploys.views.acts import is_admin, perform
from incidents.actions import teaching
from incidents.domain.refit import Moved, moved
from incidents.domain.weights import VERSION, WEIGHTS
from incidents.models import TeamWeights
from incidents.queries.teaching import ModelLinks, model_links, model_of, weights_log, why_not_confirm
from reliability.charts.calibration import reliability_diagram
from reliability.charts.tiles import Tile
from reliability.domain.calibration import Calibration, Share, calibration
from reliability.queries.calibration import answered_verdicts

YEAR: Final = dt.timedelta(days=365)
SHOWN: Final = 8
CONFIRM_AT: Final = 0.9


@dataclass(frozen=True, slots=True)
class DrawnLine:
    """A line of the log of weights. `moves` are the furthest ones away from the weights that were in force before."""

    number: int
    at: dt.datetime
    by: str
    act: str
    words: str
    moves: Sequence[tuple[str, float, float]]
    more: int


def _line(row: TeamWeights, before: TeamWeights | None) -> DrawnLine:
    if row.act == TeamWeights.Act.RESET:
        words = "Back to the shipped weights. What was said before is learned from no more."
        by = row.by.name if row.by else "somebody whose account is gone"
    else:
        losses = (
            f"on incidents it had not seen its log-loss is {row.left_out_loss or 0:.3f}, "
            f"that of the shipped weights {row.shipped_loss or 0:.3f}"
        )
        learned = f"Learned from {counted(row.samples_count, 'incident')}: {losses}"
        is_kept = row.act == TeamWeights.Act.KEPT
        words = f"{learned}. Kept." if is_kept else f"{learned}. Not better, so the shipped weights hold."
        by = "Upshot"
    moves = _moves(row, before)
    shown = [(each.term.replace("_", " "), each.before, each.after) for each in moves[:SHOWN]]
    return DrawnLine(row.number, row.made_at, by, row.act, words, shown, max(0, len(moves) - SHOWN))


def _moves(row: TeamWeights, before: TeamWeights | None) -> list[Moved]:
    return moved(_in_force(before, row.base_version), _in_force(row, row.base_version))


def _in_force(row: TeamWeights | None, base: str) -> dict[str, float]:
    """The weights after a line of the log, as far as they are known: those of another shipped version are not."""
    own = row.weights if row is not None and row.act == TeamWeights.Act.KEPT and row.base_version == base else {}
    return {**WEIGHTS, **{name: float(value) for name, value in own.items()}}


def _tiles(found: Calibration, links: ModelLinks) -> list[Tile]:
    return [
        Tile("Right at 90 % and more", *_share(found.sure, "nothing was said so surely and answered")),
        Tile("Innocent changes named", *_share(found.false_blame, "nobody has said yet that no change did it")),
        Tile(
            "Links overturned", rate(links.overturned, links.answered) if links.answered else UNKNOWN,
            f"{count(links.overturned)} of {count(links.answered)} that people answered; "
            f"{counted(links.made, 'link')} made in a year" if links.made else "the model has made no link in a year",
        ),
        Tile(
            "Distance from the truth", f"{found.ece:.3f}" if found.ece is not None else UNKNOWN,
            f"mean gap between said and right (ECE); squared error (Brier) {found.brier:.3f}; {counted(found.count, 'answer')}"
            if found.brier is not None else "no answers yet",
        ),
    ]  # fmt: skip


def _share(share: Share, none: str) -> tuple[str, str]:
    if share.interval is None:
        return UNKNOWN, none
    return rate(share.part, share.whole), f"{share.part} of {share.whole}, likely {percent_range(*share.interval)}"


def _page(request: TeamRequest) -> HttpResponse:
    team: Team = request.team
    answers, reversals = answered_verdicts(team)
    found = calibration(answers)
    rows = weights_log(team)
    model = model_of(team)
    context = {
        "tab": "calibration", "is_admin": is_admin(request), "found": found, "reversals": reversals,
        "answers_count": len(answers), "least": teaching.LEAST, "missing_count": max(0, teaching.LEAST - len(answers)),
        "tiles": _tiles(found, model_links(team, since=clock.now() - YEAR)),
        "figure": reliability_diagram(found) if found.count >= teaching.LEAST else None,
        "lines": [_line(row, before) for row, before in zip(rows, [*rows[1:], None], strict=False)],
        "shipped": VERSION, "own_number": model.team_number, "why_not": why_not_confirm(),
        "confirms": team.auto_confirm_at is not None,
    }  # fmt: skip
    return render(request, "reliability/calibration.html", context)


def _reset(request: TeamRequest) -> None:
    if teaching.reset_weights(team=request.team, by=request.user, now=clock.now()) is None:
        messages.info(request, "The shipped weights are in force already, and nothing was learned since.")
    else:
        messages.success(request, "The shipped weights are in force again.")


def _confirm(request: TeamRequest) -> None:
    wanted = CONFIRM_AT if request.POST.get("confirms") == "on" else None
    try:
        teaching.set_auto_confirm(team=request.team, at=wanted)
    except teaching.NotOffered as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, "Saved.")


@team_page(write_role=Role.ADMIN)
@require_http_methods(["GET", "HEAD", "POST"])
def team_calibration(request: TeamRequest) -> HttpResponse:
    """Everybody in the team may look; admins reset, and let the model confirm where that is offered."""
    if request.method == "POST":
        return perform(request, {"reset": _reset, "confirm": _confirm}, "calibration")
    return _page(request)
