"""Whom a change of a flag's rules would move, before it is made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from deploys.domain.bucketing import WHOLE, percent_of
from deploys.domain.flag_conditions import Condition
from deploys.domain.flag_rules import Rules, Serve


def moved_share(before: Serve, after: Serve) -> float:
    """Ratio of users whose variant differs between the two; 1 where they are drawn by different attributes.

    Exact for what is drawn: users are even over both buckets, which are independent.
    """
    if before.by != after.by and (len(before.variants) > 1 or len(after.variants) > 1):
        return 1.0
    cuts = sorted({0, _edge(before), _edge(after), WHOLE})
    moved = sum((high - low) * _differing(_halves(before, low), _halves(after, low)) for low, high in pairwise(cuts))
    return moved / WHOLE / WHOLE


def _edge(serve: Serve) -> int:
    return serve.percent if serve.rest is not None else WHOLE


def _halves(serve: Serve, place: int) -> Sequence[tuple[str, int]]:
    """What units in this bucket of the percentage get, over the bucket of the split."""
    if serve.rest is not None and place >= serve.percent:
        return ((serve.rest, WHOLE),)
    return serve.split


def _differing(before: Sequence[tuple[str, int]], after: Sequence[tuple[str, int]]) -> int:
    """Width, of WHOLE, where two sequences of variants lie over each other and differ."""
    edges = {0, WHOLE}
    for halves in (before, after):
        past = 0
        for _, weight in halves:
            past += weight
            edges.add(past)
    cuts = sorted(edges)
    return sum(high - low for low, high in pairwise(cuts) if _at(before, low) != _at(after, low))


def _at(halves: Sequence[tuple[str, int]], place: int) -> str:
    past = 0
    for variant, weight in halves:
        past += weight
        if place < past:
            return variant
    return halves[-1][0]


def serve_in_words(serve: Serve, *, percent_sign: str = " %") -> str:
    """`on for 10 %, else off`; `a 50 %, b 50 %`; `on`."""
    split = [(name, weight) for name, weight in serve.split if weight]
    served = " or ".join(
        name if len(split) == 1 else f"{name} {percent_of(weight):g}{percent_sign}" for name, weight in split
    )
    if serve.rest is not None:
        served = f"{served} for {percent_of(serve.percent):g}{percent_sign}, else {serve.rest}"
    return served if serve.by is None else f"{served}, drawn by {serve.by}"


def condition_in_words(condition: Condition) -> str:
    """`country is DE or AT`; `version is not from 2.0.0 on`."""
    values = " or ".join(str(value) for value in condition.values)
    said = {
        "in": ("is", values),
        "contains": ("contains", values),
        "starts_with": ("starts with", values),
        "ends_with": ("ends with", values),
        "lt": ("is below", values),
        "le": ("is at most", values),
        "gt": ("is above", values),
        "ge": ("is at least", values),
        "semver_eq": ("is version", values),
        "semver_lt": ("is before version", values),
        "semver_ge": ("is from version", f"{values} on"),
        "exists": ("is known", ""),
    }[condition.operator]
    verb, rest = said
    if condition.is_negated:
        verb = f"{verb} not" if verb.startswith("is") and condition.operator == "in" else f"not: {verb}"
    return f"{condition.attribute} {verb} {rest}".strip()


@dataclass(frozen=True, slots=True)
class Move:
    """One line of a preview: whom it is about, what they got, what they would get, and the ratio of them that moves.

    `moved` None: nobody can say how many there are (individual users, a rule that is new or gone).
    """

    who: str
    before: str
    after: str
    moved: float | None


def preview(before: Rules, after: Rules, off: str, at: datetime) -> list[Move]:
    """What a change would do, by part of the rules; nothing where it does nothing."""
    was, will = _is_live(before, at), _is_live(after, at)
    if not was and not will:
        return []
    moves = []
    if before.prerequisites != after.prerequisites:
        moves.append(Move("what must hold first", _needs(before), _needs(after), None))
    changed = {
        unit for unit in {*before.targets, *after.targets} if before.targets.get(unit) != after.targets.get(unit)
    }
    if changed and was and will:
        moves.append(Move("individual users", f"{len(before.targets)}", f"{len(after.targets)}", None))
    if was and will:
        moves += _rule_moves(before, after)
    old = before.default_at(at) if was else Serve(((off, WHOLE),))
    new = after.default_at(at) if will else Serve(((off, WHOLE),))
    who = "everybody else" if before.rules or after.rules or before.targets or after.targets else "everybody"
    if (ratio := moved_share(old, new)) > 0:
        moves.append(
            Move(who if was and will else "everybody by default", serve_in_words(old), serve_in_words(new), ratio)
        )
    if was is not will and (before.rules or before.targets or after.rules or after.targets):
        count = len(after.rules if will else before.rules) + bool(after.targets if will else before.targets)
        words = f"{count} rule{'s' if count != 1 else ''}"
        moves.append(Move("users of rules and targets", off if will else words, words if will else off, None))
    return moves


def _is_live(rules: Rules, at: datetime) -> bool:
    return rules.is_on and rules.killed_at(at) is None


def _needs(rules: Rules) -> str:
    return ", ".join(f"{key} is {variant}" for key, variant in rules.prerequisites) or "nothing"


def rule_in_words(name: str, conditions: Sequence[Condition], segments: Sequence[str]) -> str:
    """Whom a rule is about."""
    who = [*(f"in segment {each}" for each in segments), *(condition_in_words(each) for each in conditions)]
    return " and ".join(who) if not name else f"{name} ({' and '.join(who)})"


def _rule_moves(before: Rules, after: Rules) -> list[Move]:
    def named(rules: Rules) -> dict[str, Serve]:
        return {rule_in_words(rule.name, rule.conditions, rule.segments): rule.serve for rule in rules.rules}

    old, new = named(before), named(after)
    moves = []
    for who in dict.fromkeys([*old, *new]):
        was, will = old.get(who), new.get(who)
        if was is None or will is None:
            moves.append(
                Move(who, serve_in_words(was) if was else "no rule", serve_in_words(will) if will else "no rule", None)
            )
        elif (ratio := moved_share(was, will)) > 0:
            moves.append(Move(who, serve_in_words(was), serve_in_words(will), ratio))
    common = [who for who in old if who in new]
    if not moves and common != [who for who in new if who in old]:
        moves.append(Move("users whom several rules fit", "rules in the old order", "rules in the new order", None))
    return moves
