from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from reliability.formats.openslo import NotOpenSlo, Refusal, objectives_of, openslo_text

SLO: dict[str, Any] = {  # Any: YAML
    "apiVersion": "openslo/v1", "kind": "SLO", "metadata": {"name": "web"},
    "spec": {
        "service": "web", "budgetingMethod": "Occurrences", "timeWindow": [{"duration": "4w", "isRolling": True}],
        "objectives": [{"target": 0.995}, {"targetPercent": 99.9}],
    },
}  # fmt: skip


def changed(**spec: Any) -> str:  # Any: YAML
    return yaml.safe_dump({**SLO, "spec": {**SLO["spec"], **spec}})


def test_each_objective_of_an_slo_becomes_one() -> None:
    base = {"service": "web", "sli": "requests", "window_days": 28, "calendar": None}

    assert objectives_of(changed()) == (
        [{"id": "web", **base, "target": 0.995}, {"id": "web-2", **base, "target": 0.999}],
        [],
    )


@pytest.mark.parametrize(
    ("duration", "is_rolling", "period"),
    [
        ("1w", True, (7, None)),
        ("30d", True, (30, None)),
        ("90d", True, (90, None)),
        ("1w", False, (None, "week")),
        ("1M", False, (None, "month")),
        ("1Q", False, (None, "quarter")),
        ("3M", False, (None, "quarter")),
    ],
)
def test_windows(duration: str, is_rolling: bool, period: tuple[int | None, str | None]) -> None:
    [first, _], _ = objectives_of(changed(timeWindow=[{"duration": duration, "isRolling": is_rolling}]))

    assert (first["window_days"], first["calendar"]) == period


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"timeWindow": [{"duration": "2w", "isRolling": True}]}, "spec.timeWindow[0].duration"),
        ({"timeWindow": [{"duration": "1Y", "isRolling": False}]}, "spec.timeWindow[0].duration"),
        ({"timeWindow": []}, "spec.timeWindow"),
        ({"budgetingMethod": "RatioTimeslices"}, "spec.budgetingMethod"),
        ({"service": None}, "spec.service"),
        ({"objectives": []}, "spec.objectives"),
        ({"objectives": ["x"]}, "spec.objectives"),
        ({"objectives": [{"target": 1.5}]}, "spec.objectives.target"),
        ({"objectives": [{"target": True}]}, "spec.objectives.target"),
    ],
)
def test_what_cannot_be_counted_exactly_is_refused_by_key(change: dict[str, Any], key: str) -> None:  # Any: YAML
    found, [refusal] = objectives_of(changed(**change))

    assert found == []
    assert (refusal.name, refusal.key) == ("web", key)


def test_one_refusal_does_not_stop_the_rest_and_other_kinds_are_passed_over() -> None:
    text = "\n---\n".join(
        [
            "kind: Service",
            changed(),
            "just text",
            "kind: SLO",
            yaml.safe_dump({**SLO, "apiVersion": "openslo/v1alpha"}),
            "",
        ]
    )

    found, refused = objectives_of(text)

    assert [each["id"] for each in found] == ["web", "web-2"]
    assert refused == [
        Refusal("document 3", "", "expected an object"),
        Refusal("document 4", "metadata", "expected an object"),
        Refusal("web", "apiVersion", "expected openslo/v1"),
    ]
    assert str(refused[2]) == "web: apiVersion: expected openslo/v1"


@pytest.mark.parametrize("text", ["a: [", "a: &x [1]\nb: *x", "x" * 1_000_001, "{" * 5_000, "a: 2026-99-99"])
def test_what_is_no_yaml_for_us(text: str) -> None:
    with pytest.raises(NotOpenSlo):
        objectives_of(text)


periods = st.sampled_from(
    [(7, None), (28, None), (30, None), (90, None), (None, "week"), (None, "month"), (None, "quarter")]
)
payloads = st.builds(
    lambda name, service, sli, period, target: {
        "id": name, "service": service, "sli": sli, "window_days": period[0], "calendar": period[1], "target": target / 10_000,
    },
    st.text(st.characters(codec="utf-8", exclude_categories=["C"]), min_size=1, max_size=20).filter(lambda text: text.strip()),
    st.none() | st.sampled_from(["shop", "whole", "true", "1.0", "null"]),
    st.sampled_from(["time", "requests"]), periods, st.integers(1, 10_000),
)  # fmt: skip


@given(st.lists(payloads, max_size=4))
def test_what_is_written_is_read_again(some: list[dict[str, Any]]) -> None:  # Any: YAML
    assert objectives_of(openslo_text(some)) == (some, [])


@pytest.mark.conformance
def test_published_examples_are_read_or_refused_with_a_reason(shared: Path) -> None:
    found = objectives_of((shared / "fixtures/openslo/slos.yaml").read_text())
    refused = objectives_of((shared / "fixtures/openslo/occurences-slo.yaml").read_text())

    web = {"service": "web", "sli": "time", "calendar": "week", "window_days": None}
    assert found == ([{"id": "web-availability", **web, "target": 0.995}], [])
    assert [refusal.key for refusal in refused[1]] == ["spec.timeWindow[0].duration"]
