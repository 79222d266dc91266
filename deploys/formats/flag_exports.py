"""Exports of Unleash (one environment) and of Flagsmith (its flags by API), as flags of ours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from deploys.domain.flag_rules import FlagKind, ValueType
from deploys.domain.flag_variants import BOOLEAN
from deploys.formats.flag_import import Import, ImportedFlag, Json, NotCarried
from deploys.formats.reading import items, line, part

KINDS: Final = {
    "experiment": FlagKind.EXPERIMENT,
    "operational": FlagKind.OPS,
    "kill-switch": FlagKind.KILL_SWITCH,
    "permission": FlagKind.PERMISSION,
}
#: Unleash's constraint operators that mean the same here.
OPERATORS: Final = {
    "IN": ("in", False), "NOT_IN": ("in", True), "STR_STARTS_WITH": ("starts_with", False),
    "STR_ENDS_WITH": ("ends_with", False), "STR_CONTAINS": ("contains", False), "NUM_EQ": ("in", False),
    "NUM_GT": ("gt", False), "NUM_GTE": ("ge", False), "NUM_LT": ("lt", False), "NUM_LTE": ("le", False),
    "SEMVER_EQ": ("semver_eq", False), "SEMVER_LT": ("semver_lt", False),
}  # fmt: skip
#: What Unleash calls the user that OpenFeature calls the targeting key.
USER: Final = {"userId": "targetingKey"}


def read_unleash(payload: Json, environment: str) -> Import:
    """Features of an export, as they are in this environment. Users of a percentage are drawn anew."""
    found = Import()
    enabled = {
        str(each.get("featureName")): each.get("enabled") is True
        for each in items(payload.get("featureEnvironments"))
        if str(each.get("environment", "")).lower() == environment.lower()
    }
    dependants = {str(each.get("feature")) for each in items(payload.get("dependencies"))}
    strategies: dict[str, list[Json]] = {}
    for each in items(payload.get("featureStrategies")):
        strategies.setdefault(str(each.get("featureName")), []).append(each)
    for feature in items(payload.get("features")):
        key = str(feature.get("name"))
        try:
            if feature.get("archived") is True:
                raise NotCarried("it is archived")
            if feature.get("variants") or key in dependants:
                raise NotCarried("it has variants, or depends on another")
            document = {"on": enabled.get(key, False), **_strategies(strategies.get(key, []))}
            kind = KINDS.get(str(feature.get("type")), FlagKind.RELEASE)
            said = line(feature.get("description"), 2_000) or ""
            found.flags.append(ImportedFlag(key, ValueType.BOOLEAN, BOOLEAN, "off", document, kind, said))
        except NotCarried as error:
            found.left_out[key] = str(error)
    return found


def _strategies(said: list[Json]) -> dict[str, Any]:  # Any: JSON
    """Any strategy that fits switches the feature on. Those that do so for all they fit come first; of those that draw, there
    may be one, because whom the first leaves out the second could still take in.
    """
    active = [each for each in said if each.get("disabled") is not True]
    if not active:
        return {"default": {"variant": "off" if said else "on"}}
    document: dict[str, Any] = {"default": {"variant": "off"}, "rules": []}
    partial = []
    for each in active:
        if each.get("variants") or each.get("segments"):
            raise NotCarried("a strategy has variants or segments")
        conditions = [_constraint(constraint) for constraint in items(each.get("constraints"))]
        name, parameters = str(each.get("name")), part(each, "parameters")
        serve: dict[str, Any] = {"variant": "on"}
        if name == "userWithId":
            users = [user.strip() for user in str(parameters.get("userIds") or "").split(",") if user.strip()]
            conditions.append({"attribute": "targetingKey", "operator": "in", "values": users})
        elif name == "flexibleRollout":
            serve = _rollout(parameters)
        elif name != "default":
            raise NotCarried(f"its strategy {name} has no like here")
        if "percent" in serve:
            partial.append((conditions, serve))
        elif conditions:
            document["rules"].append({"conditions": conditions, "serve": serve})
        else:
            return {"default": serve}
    if len(partial) > 1:
        raise NotCarried("several of its strategies draw a percentage")
    for conditions, serve in partial:
        if conditions:
            document["rules"].append({"conditions": conditions, "serve": serve})
        else:
            document["default"] = serve
    return document


def _rollout(parameters: Json) -> dict[str, Any]:  # Any: JSON
    try:
        share = float(str(parameters.get("rollout", "")))
    except ValueError as error:
        raise NotCarried("its percentage is no number") from error
    if share >= 100:
        return {"variant": "on"}
    stickiness = str(parameters.get("stickiness") or "default")
    if stickiness in {"random", "sessionId"}:
        raise NotCarried(f"its percentage is drawn by {stickiness}, not by user")
    serve = {"variant": "on", "percent": share, "rest": "off"}
    return serve if stickiness in {"default", "userId"} else {**serve, "by": stickiness}


def _constraint(said: Json) -> dict[str, Any]:  # Any: JSON
    operator, name = str(said.get("operator")), str(said.get("contextName"))
    if (
        operator not in OPERATORS
        or said.get("caseInsensitive") is True
        or name in {"currentTime", "environment", "appName"}
    ):
        raise NotCarried(f"its constraint {operator} on {name} has no like here")
    ours, is_negated = OPERATORS[operator]
    values = said.get("values") if isinstance(said.get("values"), list) and said.get("values") else [said.get("value")]
    if operator.startswith("NUM_"):
        values = [_number(value) for value in values]  # type: ignore[union-attr]  # a list, by the line above
    found = {"attribute": USER.get(name, name), "operator": ours, "values": values}
    return {**found, "not": True} if is_negated is not (said.get("inverted") is True) else found


def _number(value: object) -> float:
    try:
        return float(str(value))
    except ValueError as error:
        raise NotCarried("a constraint compares with what is no number") from error


def read_flagsmith(payload: object) -> Import:
    """Flags as Flagsmith's API lists them (`/api/v1/flags/`), or an environment's document. Overrides stay there."""
    found = Import()
    states = part(payload).get("feature_states") if isinstance(payload, Mapping) else payload
    for state in items(states):
        key = str(part(state, "feature").get("name"))
        try:
            if state.get("multivariate_feature_state_values") or state.get("feature_segment"):
                raise NotCarried("it has several values, or values for segments")
            if state.get("feature_state_value") not in (None, ""):
                raise NotCarried("it has a value beside on and off")
            document = {"on": state.get("enabled") is True, "default": {"variant": "on"}}
            said = line(part(state, "feature").get("description"), 2_000) or ""
            found.flags.append(ImportedFlag(key, ValueType.BOOLEAN, BOOLEAN, "off", document, description=said))
        except NotCarried as error:
            found.left_out[key] = str(error)
    for segment in items(part(payload, "project").get("segments")) if isinstance(payload, Mapping) else []:
        for override in items(segment.get("feature_states")):
            key = str(part(override, "feature").get("name"))
            found.flags = [flag for flag in found.flags if flag.key != key]
            found.left_out[key] = "it has values for segments"
    return found
