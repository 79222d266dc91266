"""A flag's rules as JSON: how they are stored, sent and audited. Reading checks everything and names what is wrong."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any, Final, TypeVar

from deploys.domain.bucketing import WHOLE, percent_of, share_of
from deploys.domain.flag_conditions import NUMBERS, VERSIONS, Condition, Operator, semver_key
from deploys.domain.flag_rules import Kill, Rule, Rules, Segment, Serve, Step
from deploys.domain.instants import NotAnInstant, instant_text, parse_instant

Json = Mapping[str, Any]  # Any: JSON
T = TypeVar("T")

#: Bounds on what one flag may hold, so that an answer takes microseconds whoever wrote the rules.
MOST_RULES: Final = 50
MOST_CONDITIONS: Final = 20
MOST_VALUES: Final = 1_000
MOST_TARGETS: Final = 10_000
MOST_STEPS: Final = 50
#: What a step may wait for, beside somebody's word.
HEALTH: Final = "health"
KEYS: Final = frozenset({"on", "kill", "targets", "rules", "default", "prerequisites", "schedule"})


class InvalidRules(ValueError):
    """The rules cannot be used. `pointer` says where (RFC 6901), the message what was expected."""

    def __init__(self, pointer: str, detail: str) -> None:
        super().__init__(f"{pointer or '/'}: {detail}")
        self.pointer = pointer
        self.detail = detail


def rules_of(said: object, variants: Sequence[str]) -> Rules:
    """Checked rules. InvalidRules at the first thing that is wrong, also for keys nobody knows: a typing error in a rule
    must not silently serve everybody.
    """
    document = _mapping(said, "", KEYS)
    serve = _serve_reader(variants)
    schedule = tuple(_each(document, "schedule", "", MOST_STEPS, _step))
    if any(later.at <= earlier.at for earlier, later in pairwise(schedule)):
        raise InvalidRules("/schedule", "expected steps in order of time")
    default = serve(document.get("default"), "/default")
    if schedule and default.rest is None:
        raise InvalidRules("/schedule", "a schedule moves a percentage: the default needs `rest`, what the others get")
    return Rules(
        default=default,
        is_on=_flag(document.get("on", False), "/on"),
        kill=None if document.get("kill") is None else _kill(document["kill"], "/kill"),
        targets=_targets(document, variants),
        rules=tuple(_each(document, "rules", "", MOST_RULES, lambda said, path: _rule(said, path, serve))),
        prerequisites=tuple(_each(document, "prerequisites", "", MOST_CONDITIONS, _prerequisite)),
        schedule=schedule,
    )


def document_of(rules: Rules) -> dict[str, Any]:  # Any: JSON
    """The rules as JSON; `rules_of` reads them back alike."""
    by_variant: dict[str, list[str]] = {}
    for unit, variant in rules.targets.items():
        by_variant.setdefault(variant, []).append(unit)
    return {
        "on": rules.is_on,
        "kill": None if rules.kill is None else _kill_document(rules.kill),
        "targets": [{"variant": variant, "units": sorted(units)} for variant, units in sorted(by_variant.items())],
        "rules": [
            {
                "name": rule.name,
                "segments": list(rule.segments),
                "conditions": [condition_document(each) for each in rule.conditions],
                "serve": serve_document(rule.serve),
            }
            for rule in rules.rules
        ],
        "default": serve_document(rules.default),
        "prerequisites": [{"flag": key, "variant": variant} for key, variant in rules.prerequisites],
        "schedule": [
            {
                "at": instant_text(s.at),
                "percent": percent_of(s.percent),
                "waits": HEALTH if s.needs_health else s.waits,
                "released": s.is_released,
            }
            for s in rules.schedule
        ],
    }


def segment_of(key: str, said: object) -> Segment:
    """A checked segment."""
    document = _mapping(said, "", frozenset({"conditions", "included", "excluded"}))
    return Segment(
        key,
        tuple(_each(document, "conditions", "", MOST_CONDITIONS, condition_of)),
        frozenset(_each(document, "included", "", MOST_TARGETS, _unit)),
        frozenset(_each(document, "excluded", "", MOST_TARGETS, _unit)),
    )


def segment_document(segment: Segment) -> dict[str, Any]:  # Any: JSON
    """The segment as JSON."""
    return {
        "conditions": [condition_document(each) for each in segment.conditions],
        "included": sorted(segment.included),
        "excluded": sorted(segment.excluded),
    }


def condition_of(said: object, path: str = "") -> Condition:
    """One checked condition."""
    document = _mapping(said, path, frozenset({"attribute", "operator", "values", "not"}))
    attribute = _line(document.get("attribute"), f"{path}/attribute")
    try:
        operator = Operator(str(document.get("operator")))
    except ValueError as error:
        raise InvalidRules(f"{path}/operator", f"expected one of {', '.join(Operator)}") from error
    values = tuple(_each(document, "values", path, MOST_VALUES, _scalar))
    if (operator is Operator.EXISTS) is bool(values):
        raise InvalidRules(f"{path}/values", "expected none for exists, at least one for every other operator")
    for place, value in enumerate(values):
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if operator in NUMBERS and not is_number:
            raise InvalidRules(f"{path}/values/{place}", "expected a number")
        if operator in VERSIONS and semver_key(value) is None:
            raise InvalidRules(f"{path}/values/{place}", "expected a version such as 1.4.0")
    return Condition(attribute, operator, values, is_negated=_flag(document.get("not", False), f"{path}/not"))


def condition_document(condition: Condition) -> dict[str, Any]:  # Any: JSON
    """The condition as JSON."""
    said = {"attribute": condition.attribute, "operator": str(condition.operator), "values": list(condition.values)}
    return {**said, "not": True} if condition.is_negated else said


def serve_document(serve: Serve) -> dict[str, Any]:  # Any: JSON
    """What is served, as JSON: `variant` or `split`, and `percent` with `rest` where not everybody gets it.

    A split is a list: its order says who gets what, and databases keep no order of keys.
    """
    said: dict[str, Any] = (
        {"variant": serve.split[0][0]}
        if len(serve.split) == 1
        else {"split": [{"variant": name, "percent": percent_of(weight)} for name, weight in serve.split]}
    )
    if serve.rest is not None:
        said |= {"percent": percent_of(serve.percent), "rest": serve.rest}
    return said if serve.by is None else {**said, "by": serve.by}


def _serve_reader(variants: Sequence[str]) -> Callable[[object, str], Serve]:
    def known(name: object, path: str) -> str:
        if name not in variants:
            raise InvalidRules(path, f"expected one of the variants {', '.join(variants)}")
        return str(name)

    def part(said: object, path: str) -> tuple[str, int]:
        document = _mapping(said, path, frozenset({"variant", "percent"}))
        return known(document.get("variant"), f"{path}/variant"), _percent(document.get("percent"), f"{path}/percent")

    def read(said: object, path: str) -> Serve:
        document = _mapping(said, path, frozenset({"variant", "split", "percent", "rest", "by"}))
        if ("variant" in document) is ("split" in document):
            raise InvalidRules(path, "expected either `variant` or `split`")
        split: tuple[tuple[str, int], ...]
        if "variant" in document:
            split = ((known(document["variant"], f"{path}/variant"), WHOLE),)
        else:
            split = tuple(_each(document, "split", path, len(variants), part))
            if sum(weight for _, weight in split) != WHOLE or len(dict(split)) != len(split):
                raise InvalidRules(f"{path}/split", "expected each variant once, with percentages that sum to 100")
        if ("percent" in document) is not ("rest" in document):
            raise InvalidRules(path, "expected `percent` together with `rest`, what the others get")
        by = document.get("by")
        return Serve(
            split,
            _percent(document["percent"], f"{path}/percent") if "percent" in document else WHOLE,
            known(document["rest"], f"{path}/rest") if "rest" in document else None,
            None if by is None else _line(by, f"{path}/by"),
        )

    return read


def _rule(said: object, path: str, serve: Callable[[object, str], Serve]) -> Rule:
    document = _mapping(said, path, frozenset({"name", "segments", "conditions", "serve"}))
    rule = Rule(
        serve(document.get("serve"), f"{path}/serve"),
        tuple(_each(document, "conditions", path, MOST_CONDITIONS, condition_of)),
        tuple(_each(document, "segments", path, MOST_CONDITIONS, _line)),
        _line(document["name"], f"{path}/name") if document.get("name") else "",
    )
    if not rule.conditions and not rule.segments:
        raise InvalidRules(path, "expected a condition or a segment: what everybody gets is the default")
    return rule


def _targets(document: Json, variants: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for place, said in enumerate(_list(document, "targets", "", len(variants))):
        path = f"/targets/{place}"
        target = _mapping(said, path, frozenset({"variant", "units"}))
        if target.get("variant") not in variants:
            raise InvalidRules(f"{path}/variant", f"expected one of the variants {', '.join(variants)}")
        for unit in _each(target, "units", path, MOST_TARGETS, _unit):
            if found.setdefault(unit, target["variant"]) != target["variant"]:
                raise InvalidRules(f"{path}/units", f"{unit} stands under two variants")
    return found


def _prerequisite(said: object, path: str) -> tuple[str, str]:
    document = _mapping(said, path, frozenset({"flag", "variant"}))
    return _line(document.get("flag"), f"{path}/flag"), _line(document.get("variant"), f"{path}/variant")


def _step(said: object, path: str) -> Step:
    document = _mapping(said, path, frozenset({"at", "percent", "waits", "released"}))
    waits = document.get("waits", False)
    if waits != HEALTH and not isinstance(waits, bool):
        raise InvalidRules(f"{path}/waits", f"expected true, false or {HEALTH}")
    return Step(
        _instant(document.get("at"), f"{path}/at"),
        _percent(document.get("percent"), f"{path}/percent"),
        waits=bool(waits),
        is_released=_flag(document.get("released", False), f"{path}/released"),
        needs_health=waits == HEALTH,
    )


def _kill(said: object, path: str) -> Kill:
    document = _mapping(said, path, frozenset({"reason", "by", "at", "until"}))
    return Kill(
        _line(document.get("reason"), f"{path}/reason"),
        _line(document["by"], f"{path}/by") if document.get("by") else "",
        None if document.get("at") is None else _instant(document["at"], f"{path}/at"),
        None if document.get("until") is None else _instant(document["until"], f"{path}/until"),
    )


def _kill_document(kill: Kill) -> dict[str, Any]:  # Any: JSON
    return {
        "reason": kill.reason,
        "by": kill.by,
        "at": None if kill.at is None else instant_text(kill.at),
        "until": None if kill.until is None else instant_text(kill.until),
    }


def _mapping(said: object, path: str, known: frozenset[str]) -> Json:
    if not isinstance(said, Mapping):
        raise InvalidRules(path, "expected an object")
    for key in said:
        if key not in known:
            raise InvalidRules(f"{path}/{key}", f"unknown; expected one of {', '.join(sorted(known))}")
    return said


def _list(document: Json, key: str, path: str, most: int) -> Sequence[object]:
    said = document.get(key, [])
    if not isinstance(said, list):
        raise InvalidRules(f"{path}/{key}", "expected a list")
    if len(said) > most:
        raise InvalidRules(f"{path}/{key}", f"expected at most {most:,} entries")
    return said


def _each(document: Json, key: str, path: str, most: int, read: Callable[[object, str], T]) -> list[T]:
    return [read(said, f"{path}/{key}/{place}") for place, said in enumerate(_list(document, key, path, most))]


def _line(said: object, path: str) -> str:
    if not isinstance(said, str) or not said.strip() or len(said) > 500:
        raise InvalidRules(path, "expected a text of up to 500 characters")
    return said.strip()


def _unit(said: object, path: str) -> str:
    return _line(str(said) if isinstance(said, int) and not isinstance(said, bool) else said, path)


def _scalar(said: object, path: str) -> str | int | float | bool:
    if not isinstance(said, str | int | float):
        raise InvalidRules(path, "expected a text, a number or a boolean")
    return said


def _flag(said: object, path: str) -> bool:
    if not isinstance(said, bool):
        raise InvalidRules(path, "expected true or false")
    return said


def _percent(said: object, path: str) -> int:
    if isinstance(said, bool) or not isinstance(said, int | float) or not 0 <= said <= 100:
        raise InvalidRules(path, "expected a percentage from 0 to 100")
    return share_of(said)


def _instant(said: object, path: str) -> Any:  # Any: a datetime; parse_instant checks
    try:
        return parse_instant(said)
    except NotAnInstant as error:
        raise InvalidRules(path, str(error)) from error
