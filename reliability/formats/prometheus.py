"""Prometheus' text exposition format, version 0.0.4: families of gauges with their help and labels."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Family:
    """A gauge: its name with unit, what it says, and (labels, value) of each sample. Samples of None are left out."""

    name: str
    help: str
    samples: Sequence[tuple[Mapping[str, str], float | None]]


def exposition(families: Iterable[Family]) -> str:
    """The text. A family without a known value is not printed: absent is not zero."""
    lines: list[str] = []
    for family in families:
        known = [(labels, value) for labels, value in family.samples if value is not None]
        if known:
            lines += [f"# HELP {family.name} {_help(family.help)}", f"# TYPE {family.name} gauge"]
            lines += [f"{family.name}{_labels(labels)} {_value(value)}" for labels, value in known]
    return "\n".join(lines) + "\n" if lines else ""


def _help(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n")


def _labels(labels: Mapping[str, str]) -> str:
    if not labels:
        return ""
    escaped = {name: _help(value).replace('"', '\\"') for name, value in labels.items()}
    return "{" + ",".join(f'{name}="{value}"' for name, value in escaped.items()) + "}"


def _value(value: float) -> str:
    return repr(float(value)).removesuffix(".0")
