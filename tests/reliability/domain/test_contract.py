from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from reliability.domain.asked import knowledge_of, report
from reliability.domain.intervals import Interval
from reliability.domain.weeks import point_in_time, zone_named
from reliability.formats.history import read_history
from tests.worked_cases import WorkedCase, differences, worked_case

pytestmark = pytest.mark.conformance


def printed(case: WorkedCase) -> object:
    zone = zone_named(case.zone)
    as_of = point_in_time(case.as_of_text, zone)
    reading = read_history(case.raw.splitlines())
    known = knowledge_of(reading.facts, reading.traffic_known_by(as_of), as_of)
    window = Interval(point_in_time(case.from_text, zone), point_in_time(case.to_text, zone))
    return json.loads(json.dumps(report(known, window, zone), allow_nan=False))


def test_every_worked_case_gives_its_numbers_and_keeps_the_schema(shared: Path) -> None:
    schema = jsonschema.Draft202012Validator(json.loads((shared / "metrics/metrics.schema.json").read_bytes()))
    paths = [*sorted((shared / "metrics/corpus").glob("*.json")), shared / "metrics/triggerz.json"]

    wrong = {}
    for path in paths:
        case = worked_case(path)
        result = printed(case)
        complaints = [error.message for error in schema.iter_errors(result)]
        if complaints or differences(case.expect, result):
            wrong[case.name] = (differences(case.expect, result), complaints)

    assert wrong == {}
    assert len(paths) > 1
