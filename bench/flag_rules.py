"""How often the ten rules on stale flags are right, on labelled flags; beside them the one-signal rules that tools use.

`python -m bench.flag_rules`. The labels were written by hand before the rules were run on them, by those who wrote the rules: one line per
flag in tests/deploys/domain/flags_labelled.jsonl, times in days (checks, listings, telemetry in hours) before one instant.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploys.domain.flag_cleanup import Judgement, Limits, Rule, judge
from deploys.domain.flag_code import CodeEvidence
from deploys.domain.flag_dossier import Dossier, Standing, Ticket, Usage
from deploys.domain.flag_rules import FlagKind

LABELLED = Path(__file__).resolve().parent.parent / "tests" / "deploys" / "domain" / "flags_labelled.jsonl"
NOW = dt.datetime(2026, 3, 4, 12, tzinfo=dt.UTC)
PLACES = ("production", "production-us", "staging")
COMPLETE = {"on", "new_only"}
#: Rules that say: this flag should go. A review of one that is meant to stay is none of them.
DUE = {Rule.ROLLED_OUT, Rule.EXPIRED, Rule.UNUSED, Rule.FORGOTTEN, Rule.ABANDONED}
Line = dict[str, Any]  # Any: JSON


@dataclass(frozen=True)
class Labelled:
    """A flag, and what somebody who knows everything about it says."""

    name: str
    dossier: Dossier
    rules: frozenset[Rule]
    questions: frozenset[Rule]
    state: str

    @property
    def is_due(self) -> bool:
        """Whether it should go."""
        return bool(self.rules & DUE) and not (self.dossier.is_lasting and Rule.UNUSED not in self.rules)

    @property
    def judged(self) -> Judgement:
        """What the rules say."""
        return judge(self.dossier, NOW, Limits())


def labelled() -> list[Labelled]:
    """All labelled flags."""
    return [_labelled(json.loads(line)) for line in LABELLED.read_text(encoding="utf-8").splitlines()]


def _labelled(line: Line) -> Labelled:
    owner, ticket, code = line.get("owner", "ann"), line.get("ticket"), line.get("code", {"count": 2})
    count = code.get("count")
    dossier = Dossier(
        key=line["name"], kind=FlagKind(line.get("kind", "release")), is_registered=line.get("registered", True),
        created_at=_ago(line.get("created", 40)), archived_at=_ago(line.get("archived")),
        expires_at=_ahead(line.get("expires", 30)), owner=owner, is_owner_active=line.get("owner_active", True),
        standings=tuple(_standing(name, line[name]) for name in PLACES if name in line),
        code=CodeEvidence(count, code.get("why", ""), some=code.get("some", bool(count)), files_count=count or 0, is_dynamic=code.get("dynamic", False)),
        ticket=None if ticket is None else _ticket(ticket),
        exercised_at=_ago(line.get("exercised")), rank=line.get("rank"), kept_until=_ahead(line.get("kept")),
    )  # fmt: skip
    rules, questions = (frozenset(map(Rule, line.get(key, []))) for key in ("rules", "questions"))
    return Labelled(line["name"], dossier, rules, questions, line["state"])


def _ticket(said: Line) -> Ticket:
    return Ticket(said["closed"], _hours(said.get("hours")), said.get("own", False), said.get("pushed", False))


def _standing(name: str, line: Line) -> Standing:
    variant, only = line["v"], line.get("only", [None, None, 0])
    watched = line.get("watched", 60) if line.get("telemetry", 1) is not None else None
    return Standing(
        name, name.startswith("production"), variant, variant != "off", variant in COMPLETE, percent=line.get("percent", 0.0),
        since=_ago(line.get("since")),
        usage=Usage(
            _hours(line.get("telemetry", 1)), _ago(watched), _hours(line.get("checked", 1)), _hours(line.get("listed")),
            only[0], _ago(only[1]), only[2],
        ),
    )  # fmt: skip


def _ago(days: float | None) -> dt.datetime | None:
    return None if days is None else NOW - dt.timedelta(days=days)


def _ahead(days: float | None) -> dt.datetime | None:
    return None if days is None else NOW + dt.timedelta(days=days)


def _hours(hours: float | None) -> dt.datetime | None:
    return None if hours is None else NOW - dt.timedelta(hours=hours)


@dataclass(frozen=True)
class Score:
    """Right, wrong and missed ones."""

    right: int
    wrong: int
    missed: int

    @property
    def precision(self) -> float | None:
        """Of those named, the share that is right; None where none was named."""
        return self.right / (self.right + self.wrong) if self.right + self.wrong else None

    @property
    def recall(self) -> float | None:
        """Of those there are, the share that was named."""
        return self.right / (self.right + self.missed) if self.right + self.missed else None


def score_of(flags: list[Labelled], said: Callable[[Labelled], bool], meant: Callable[[Labelled], bool]) -> Score:
    """What a rule says beside what is meant."""
    pairs = [(said(flag), meant(flag)) for flag in flags]
    return Score(pairs.count((True, True)), pairs.count((True, False)), pairs.count((False, True)))


def own_scores(flags: list[Labelled]) -> Iterator[tuple[str, Score]]:
    """Each of the ten, then whether a flag should go at all, and whether a question was asked where one must be."""
    for rule in Rule:
        yield str(rule), score_of(flags, lambda flag: rule in flag.judged.rules, lambda flag: rule in flag.rules)  # noqa: B023 -- called at once
    yield "should go", score_of(flags, _is_said_due, lambda flag: flag.is_due)
    yield "needs evidence", score_of(flags, lambda flag: bool(flag.judged.questions), lambda flag: bool(flag.questions))


def _is_said_due(flag: Labelled) -> bool:
    rules = set(flag.judged.rules)
    return bool(rules & DUE) and not (flag.dossier.is_lasting and Rule.UNUSED not in rules)


# -- one signal each, as tools have them (FLAGS sections 1 and 2) ------------------------------------------------------


def _age(flag: Dossier) -> bool:
    """Older than its kind may be, from creation alone: 40 days for what is temporary, 7 for operations, else never."""
    days = {FlagKind.RELEASE: 40, FlagKind.EXPERIMENT: 40, FlagKind.MIGRATION: 40, FlagKind.OPS: 7}.get(flag.kind)
    return days is not None and flag.created_at is not None and NOW - flag.created_at > dt.timedelta(days=days)


def _last_edit(flag: Dossier) -> bool:
    """Nobody edited it for 30 days."""
    edits = [each.since for each in flag.standings if each.since is not None] or [flag.created_at or NOW]
    return NOW - max(edits) > dt.timedelta(days=30)


def _last_call(flag: Dossier) -> bool:
    """No call for 30 days, listings counted as calls, silence as no call."""
    calls = [at for each in flag.standings for at in (each.usage.checked_at, each.usage.listed_at) if at is not None]
    return not calls or NOW - max(calls) > dt.timedelta(days=30)


def _shape(flag: Dossier) -> bool:
    """One value for everybody for 14 days."""
    return bool(flag.production) and all(
        each.constant is not None and each.since is not None and NOW - each.since > dt.timedelta(days=14)
        for each in flag.production
    )


def _no_references(flag: Dossier) -> bool:
    """No reference found, no scan counted as none."""
    return not flag.code.count


ONE_SIGNAL: dict[str, Callable[[Dossier], bool]] = {
    "age by kind": _age, "last edit": _last_edit, "last call": _last_call, "shape, 14 days": _shape, "no references": _no_references,
}  # fmt: skip


def field_scores(flags: list[Labelled]) -> Iterator[tuple[str, Score]]:
    """Each one-signal rule, on the question whether a flag should go; archived flags are not asked about."""
    asked = [flag for flag in flags if flag.dossier.archived_at is None and flag.dossier.is_registered]
    for name, rule in ONE_SIGNAL.items():
        yield name, score_of(asked, lambda flag: rule(flag.dossier), lambda flag: flag.is_due)  # noqa: B023 -- called at once


def main() -> None:
    """Prints one table."""
    flags = labelled()
    print(
        f"{len(flags)} labelled flags\n\n| rule | right | wrong | missed | precision | recall |\n|---|---|---|---|---|---|"
    )
    for name, score in [*own_scores(flags), *((f"one signal: {name}", score) for name, score in field_scores(flags))]:
        shares = ["–" if share is None else f"{share:.3f}" for share in (score.precision, score.recall)]
        print(f"| {name} | {score.right} | {score.wrong} | {score.missed} | {shares[0]} | {shares[1]} |")


if __name__ == "__main__":
    main()
