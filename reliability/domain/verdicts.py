"""The verdict of a week, month or quarter: one word by fixed rules, then sentences with what happened, what did it, what holds.

The word is decided by the objectives alone, as the printed report has them at the end of the period's elapsed part:

- `missed`: the budget of some objective is overspent over the objective's own period;
- `at risk`: no budget is overspent, but in this period some objective spent more than the period's share of its budget, or
  less than LEAST_LEFT of some budget is left;
- `met`: neither;
- `not judged`: no objective has enough data, or there is none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from deploys.domain.wording import count, counted, duration, percent_up, rate, target

LEAST_LEFT: Final = 0.2

Printed = Mapping[str, Any]  # Any: a part of the printed report, described by the metrics contract


class Word(StrEnum):
    """What the period is called."""

    MET = "met"
    AT_RISK = "at risk"
    MISSED = "missed"
    NOT_JUDGED = "not judged"


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of the verdict's text; `to` names what it leads to: decide, broke, or nothing."""

    text: str
    is_strong: bool = False
    to: str = ""


@dataclass(frozen=True, slots=True)
class Worst:
    """The incident that hurt most: its title, how long it lasted in seconds, whom it hit, and what is said to have
    caused it (`status`: confirmed, suggested, or empty when nothing is named)."""

    label: str
    title: str
    lasted_seconds: float
    users_count: int = 0
    cause: str = ""
    status: str = ""
    ended_by: str = ""
    is_open: bool = False


def unit_of(objective: Printed) -> str:
    """What its budget counts."""
    return "seconds" if objective["sli"] == "time" else "requests"


def left_ratio(objective: Printed) -> float:
    """The share of the budget that is left, negative when overspent; 1 for a budget of nothing that nothing was spent of."""
    unit = unit_of(objective)
    budget, remaining = objective[f"budget_{unit}"], objective[f"remaining_{unit}"]
    if not budget:
        return 1.0 if remaining >= 0 else -1.0
    return float(remaining / budget)


def is_over_share(objective: Printed) -> bool:
    """Whether the period spent more than its own share of the budget."""
    unit = unit_of(objective)
    return bool(objective[f"report_spent_{unit}"] > objective[f"report_budget_{unit}"])


def week_word(objectives: Sequence[Printed]) -> Word:
    """The word, by the rules above."""
    judged = [each for each in objectives if each["met"] is not None]
    if not judged:
        return Word.NOT_JUDGED
    if not all(each["met"] for each in judged):
        return Word.MISSED
    if any(is_over_share(each) or left_ratio(each) < LEAST_LEFT for each in judged):
        return Word.AT_RISK
    return Word.MET


def headline(objectives: Sequence[Printed]) -> Printed | None:
    """The objective the verdict speaks of: one that decided the word, the whole before services, the tightest first."""
    judged = [each for each in objectives if each["met"] is not None]
    word = week_word(objectives)
    guilty = {
        Word.MISSED: [each for each in judged if not each["met"]],
        Word.AT_RISK: [each for each in judged if is_over_share(each) or left_ratio(each) < LEAST_LEFT],
    }.get(word, [])
    ordered = sorted(guilty or judged, key=lambda each: (each["service"] is not None, left_ratio(each)))
    return ordered[0] if ordered else None


def verdict(
    report: Printed, worst: Worst | None, undecided_count: int, period: str = "week"
) -> tuple[Word, list[Part]]:
    """The word and the sentences. `worst` is the incident that hurt most, if any did; `period` what is reported on."""
    objectives = list(report["objectives"].values())
    word = week_word(objectives)
    parts = _opening(report, objectives, word, period)
    if worst is not None:
        parts += _about(worst)
    parts += _changes(report["total"])
    parts += _what_holds(objectives, word)
    if undecided_count:
        parts.append(Part(" "))
        parts.append(
            Part(
                f"{'One cause waits' if undecided_count == 1 else f'{undecided_count} causes wait'} for your decision.",
                to="decide",
            )
        )
    return word, parts


def _whose(objective: Printed) -> str:
    return f" of {objective['service']}" if objective["service"] else ""


def _window(objective: Printed) -> str:
    """`28-day`, `monthly`."""
    name = str(objective["window"])
    return f"{name[:-1]}-day" if name.endswith("d") else f"{name}ly"


def _opening(report: Printed, objectives: Sequence[Printed], word: Word, period: str) -> list[Part]:
    whole = report["total"]["availability"]
    if not whole["observed_seconds"]:
        return [Part("Nobody watched", is_strong=True), Part(f" this {period}: there is no number to judge.")]
    up, down = percent_up(whole["downtime_seconds"], whole["observed_seconds"]), whole["downtime_seconds"]
    plain = f"up {up}, down {duration(down)}" if down else "nothing was down"
    chosen = headline(objectives)
    if chosen is None:
        return [Part("No target is set", is_strong=True), Part(f" that could be judged: {plain}.")]
    if unit_of(chosen) == "requests":
        return _opening_of_requests(chosen, word, period)
    spent, share = chosen["report_spent_seconds"], chosen["report_budget_seconds"]
    where = f" on {chosen['service']}" if chosen["service"] else ""
    if word is Word.MISSED:
        over = duration(-chosen["remaining_seconds"])
        own = f"{duration(spent)} of it this {period}{where}" if spent else f"none of it spent this {period}"
        return [
            Part(f"The {_window(chosen)} target{_whose(chosen)} is missed", is_strong=True),
            Part(f": {over} over the budget of {duration(chosen['budget_seconds'])}, {own}."),
        ]
    if is_over_share(chosen):
        return [
            Part(f"The {period} spent more than its share", is_strong=True),
            Part(f": down {duration(spent)}{where} where {duration(share)} were in the budget."),
        ]
    if word is Word.AT_RISK:
        left = f"{duration(chosen['remaining_seconds'])} of {duration(chosen['budget_seconds'])}"
        return [
            Part("Little budget is left", is_strong=True),
            Part(f"{_whose(chosen)}: {left}; this {period} {plain}."),
        ]
    kept = f"{plain} of {duration(share)} in the budget" if down and not chosen["service"] else plain
    return [Part(f"The {period} kept its target", is_strong=True), Part(f": {kept}.")]


def _opening_of_requests(chosen: Printed, word: Word, period: str) -> list[Part]:
    spent, share = chosen["report_spent_requests"], chosen["report_budget_requests"]
    where = f" on {chosen['service']}" if chosen["service"] else ""
    said = f"{count(round(spent))} failed requests{where} where {count(int(share))} were in the budget"
    if word is Word.MISSED:
        return [
            Part(f"The {_window(chosen)} target{_whose(chosen)} is missed", is_strong=True),
            Part(f" by {count(round(-chosen['remaining_requests']))} requests; this {period} {said}."),
        ]
    if is_over_share(chosen):
        return [Part(f"The {period} spent more than its share", is_strong=True), Part(f": {said}.")]
    if word is Word.AT_RISK:
        left = f"{count(int(chosen['remaining_requests']))} of {count(int(chosen['budget_requests']))} failed requests"
        return [Part("Little budget is left", is_strong=True), Part(f"{_whose(chosen)}: {left}.")]
    return [Part(f"The {period} kept its target", is_strong=True), Part(f": {said}.")]


def _about(worst: Worst) -> list[Part]:
    users = f" for {counted(worst.users_count, 'user')}" if worst.users_count else ""
    title = worst.title or worst.label
    lasted = (
        f"open for {duration(worst.lasted_seconds)}"
        if worst.is_open
        else f"over after {duration(worst.lasted_seconds)}"
    )
    ended = f", ended by {worst.ended_by}" if worst.ended_by and not worst.is_open else ""
    facts = f"{title} ({worst.label}){users}, {lasted}{ended}."
    if worst.status == "confirmed":
        return [Part(" "), Part(f"{worst.cause} did most harm", is_strong=True), Part(": "), Part(facts, to="broke")]
    if worst.status == "suggested":
        return [
            Part(" "),
            Part(f"{worst.cause} is suspected", is_strong=True),
            Part(" of the worst: "),
            Part(facts, to="broke"),
        ]
    return [Part(" The worst, with no cause named: "), Part(facts, to="broke")]


def _changes(total: Printed) -> list[Part]:
    failure = total["change_failure"]
    deploys, failed, suspected = failure["deploys_count"], failure["failed_count"], failure["suspected_count"]
    if not deploys:
        return [Part(" Nothing was deployed.")]
    text = f" {counted(deploys, 'deploy')}, {f'{failed} failed ({rate(failed, deploys)})' if failed else 'none failed'}"
    if suspected:
        text += f", {suspected} more suspected"
    return [Part(f"{text}.")]


def _what_holds(objectives: Sequence[Printed], word: Word) -> list[Part]:
    """In a bad period, what is still good: how many objectives hold."""
    if word not in {Word.AT_RISK, Word.MISSED}:
        return []
    judged = [each for each in objectives if each["met"] is not None]
    met = [each for each in judged if each["met"]]
    if word is Word.AT_RISK:
        chosen = headline(objectives)
        if len(judged) == 1 and chosen is not None:
            return [Part(f" The {_window(chosen)} target of {target(chosen['target_ratio'])} still holds.")]
        return [Part(f" All {len(judged)} targets still hold over their own periods.")]
    return [Part(f" {len(met)} of {len(judged)} targets hold.")] if met else []
