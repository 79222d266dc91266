"""flagd's flag definitions (flags.json of open-feature/flagd-schemas): variants, state and JsonLogic targeting."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from deploys.domain.bucketing import WHOLE, percent_of
from deploys.formats.flag_import import Import, ImportedFlag, Json, NotCarried, type_of
from deploys.formats.reading import items, part

Conditions = list[dict[str, Any]]  # Any: JSON
Alternatives = list[Conditions]
"""Any of these lists must hold whole."""

MOST: Final = 20
_SWAPPED: Final = {"<": "gt", ">": "lt", "<=": "ge", ">=": "le"}
_NUMBERS: Final = {"<": "lt", ">": "gt", "<=": "le", ">=": "ge"}


def read_flagd(payload: Json) -> Import:
    """Every flag of a definition, given as an object by key or as a list. Users of a percentage are drawn anew."""
    found = Import()
    flags, evaluators = payload.get("flags"), part(payload, "$evaluators")
    listed = (
        [(str(each.get("key")), each) for each in items(flags)]
        if isinstance(flags, list)
        else list(part(flags).items())
    )
    for key, said in listed:
        try:
            found.flags.append(_flag(key, said if isinstance(said, Mapping) else {}, evaluators))
        except (NotCarried, RecursionError) as error:
            found.left_out[key] = str(error)
    return found


def _flag(key: str, said: Json, evaluators: Json) -> ImportedFlag:
    variants, default = part(said, "variants"), said.get("defaultVariant")
    value_type = type_of(list(variants.values()))
    if default is None:
        raise NotCarried("it has no default variant, so that the code decides")
    if default not in variants:
        raise NotCarried(f"its default variant {default} is none of its variants")
    reader = _Targeting(list(variants), evaluators)
    rules = reader.rules(said.get("targeting"), []) if said.get("targeting") else []
    document: dict[str, Any] = {"on": said.get("state") == "ENABLED", "default": {"variant": default}, "rules": []}
    for conditions, serve in rules:
        if not conditions:
            document["default"] = serve or document["default"]
            break
        document["rules"].append({"conditions": conditions, "serve": serve or {"variant": default}})
    off = next((name for name, value in variants.items() if value is False), default)
    metadata = part(said, "metadata")
    return ImportedFlag(
        key, value_type, [{"name": name, "value": value} for name, value in variants.items()], str(off), document,
        description=str(metadata.get("description") or "")[:2_000],
    )  # fmt: skip


class _Targeting:
    """JsonLogic read as ordered rules: (conditions, what is served; None: the default)."""

    def __init__(self, variants: list[str], evaluators: Json) -> None:
        self._variants = variants
        self._evaluators = evaluators

    def rules(self, said: object, given: Conditions) -> list[tuple[Conditions, dict[str, Any] | None]]:
        """Rules for whoever fulfils `given` already; the last of them serves everybody who is left."""
        said = self._resolved(said)
        if not isinstance(said, Mapping) or "if" not in said:
            return [(given, self._serve(said))]
        steps = said["if"] if isinstance(said["if"], list) else []
        found: list[tuple[Conditions, dict[str, Any] | None]] = []
        for place in range(0, len(steps) - 1, 2):
            for alternative in self._conditions(steps[place]):
                found += self.rules(steps[place + 1], [*given, *alternative])
        rest = steps[-1] if len(steps) % 2 else None
        return [*found, *self.rules(rest, given)]

    def _resolved(self, said: object) -> object:
        if isinstance(said, Mapping) and "$ref" in said:
            if said["$ref"] not in self._evaluators:
                raise NotCarried(f"its rules refer to {said['$ref']}, which is not there")
            return self._evaluators[said["$ref"]]
        return said

    def _serve(self, said: object) -> dict[str, Any] | None:
        if said is None:
            return None
        if isinstance(said, bool):
            said = str(said).lower()
        if isinstance(said, str):
            if said not in self._variants:
                raise NotCarried(f"its rules serve {said}, which is none of its variants")
            return {"variant": said}
        if isinstance(said, Mapping) and set(said) == {"fractional"}:
            return self._fractional(said["fractional"])
        raise NotCarried(f"its rules use {_name(said)}, which has no like here")

    def _fractional(self, said: object) -> dict[str, Any]:
        parts = list(said) if isinstance(said, list) else []
        by = None
        if parts and isinstance(parts[0], Mapping):
            by = _drawn_by(parts.pop(0))
        weights: dict[str, float] = {}
        for each in parts:
            if not isinstance(each, list) or not 1 <= len(each) <= 2 or each[0] not in self._variants:
                raise NotCarried("its split has a part that is no variant with a weight")
            weight = each[1] if len(each) == 2 else 1
            if isinstance(weight, bool) or not isinstance(weight, int | float) or weight < 0:
                raise NotCarried("its split has a weight that changes by itself")
            weights[each[0]] = weights.get(each[0], 0) + weight
        whole = sum(weights.values())
        if not whole:
            raise NotCarried("its split is empty")
        exact = {name: round(weight * WHOLE / whole) for name, weight in weights.items()}
        first = next(iter(exact))
        exact[first] += WHOLE - sum(exact.values())
        split = [{"variant": name, "percent": percent_of(share)} for name, share in exact.items()]
        served: dict[str, Any] = {"split": split} if len(split) > 1 else {"variant": first}
        return served if by in {None, "targetingKey"} else {**served, "by": by}

    def _conditions(self, said: object) -> Alternatives:
        said = self._resolved(said)
        if not isinstance(said, Mapping) or len(said) != 1:
            raise NotCarried("its rules have a condition that is no operation")
        operator, given = next(iter(said.items()))
        operands = list(given) if isinstance(given, list) else [given]
        if operator == "and":
            whole: Alternatives = [[]]
            for each in operands:
                whole = [[*left, *right] for left in whole for right in self._conditions(each)][: MOST + 1]
            return _bounded(whole)
        if operator == "or":
            return _bounded([found for each in operands for found in self._conditions(each)])
        if operator == "!":
            return self._negated(operands)
        return _comparison(operator, [self._resolved(each) for each in operands])

    def _negated(self, operands: list[Any]) -> Alternatives:  # Any: JSON
        """Not (a or b) is not a and not b; more than one condition inside an alternative has no like here."""
        found = self._conditions(operands[0] if operands else None)
        if any(len(each) != 1 for each in found):
            raise NotCarried("its rules negate several conditions at once")
        return [[{**each[0], "not": not each[0].get("not", False)} for each in found]]


def _bounded(found: Alternatives) -> Alternatives:
    if len(found) > MOST:
        raise NotCarried(f"its rules have more than {MOST} alternatives")
    return found


def _comparison(operator: str, operands: list[Any]) -> Alternatives:  # Any: JSON
    """One comparison of an attribute with a value."""
    name = _attribute(operands[0]) if operands else None
    value = operands[1] if len(operands) > 1 else None
    if operator == "sem_ver" and len(operands) == 3 and name is not None:
        return _version(name, str(operands[1]), operands[2])
    if operator == "in" and name is None and (inside := _attribute(value)) is not None:
        return [[_said(inside, "contains", [operands[0]])]]
    if (
        name is None
        and operator in {"==", "===", "!=", "!==", *_SWAPPED}
        and (swapped := _attribute(value)) is not None
    ):
        name, value, operator = (
            swapped,
            operands[0],
            {"<": ">", ">": "<", "<=": ">=", ">=": "<="}.get(operator, operator),
        )
    if name is None or len(operands) != 2 or isinstance(value, Mapping):
        raise NotCarried(f"its rules use {operator} in a way that has no like here")
    if operator in {"==", "==="} and value is not None:
        return [[_said(name, "in", [value])]]
    if operator in {"!=", "!=="} and value is not None:
        return [[{**_said(name, "in", [value]), "not": True}]]
    if operator == "in" and isinstance(value, list):
        return [[_said(name, "in", value)]]
    if operator in {"starts_with", "ends_with"} and isinstance(value, str):
        return [[_said(name, operator, [value])]]
    if operator in _NUMBERS and isinstance(value, int | float) and not isinstance(value, bool):
        return [[_said(name, _NUMBERS[operator], [value])]]
    raise NotCarried(f"its rules use {operator} in a way that has no like here")


def _version(name: str, sign: str, value: object) -> Alternatives:
    equal, below, since = (_said(name, f"semver_{each}", [value]) for each in ("eq", "lt", "ge"))
    known: dict[str, Alternatives] = {
        "=": [[equal]],
        "<": [[below]],
        ">=": [[since]],
        ">": [[since, {**equal, "not": True}]],
        "<=": [[below], [equal]],
        "!=": [[below], [since, {**equal, "not": True}]],
    }
    if sign not in known:
        raise NotCarried(f"its rules compare versions by {sign}, which has no like here")
    return known[sign]


def _said(name: str, operator: str, values: list[Any]) -> dict[str, Any]:  # Any: JSON
    return {"attribute": name, "operator": operator, "values": values}


def _attribute(said: object) -> str | None:
    """The attribute a `var` names; None for anything else."""
    if not isinstance(said, Mapping) or set(said) != {"var"}:
        return None
    name = said["var"][0] if isinstance(said["var"], list) and len(said["var"]) == 1 else said["var"]
    if not isinstance(name, str) or not name:
        return None
    if name.startswith("$flagd."):
        raise NotCarried(f"its rules read {name}, which has no like here")
    return name


def _drawn_by(said: Json) -> str:
    """The attribute a split is drawn by: flagd puts the flag's key before it, as the salt does here."""
    parts = said.get("cat")
    if isinstance(parts, list) and len(parts) == 2 and parts[0] == {"var": "$flagd.flagKey"}:
        said = parts[1]
    name = _attribute(said)
    if name is None:
        raise NotCarried("its split is drawn by more than one attribute")
    return name


def _name(said: object) -> str:
    return str(next(iter(said), "nothing")) if isinstance(said, Mapping) else str(said)[:50]
