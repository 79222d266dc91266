"""Probes are kept once each."""

from __future__ import annotations

import pytest

from incidents.actions.checks import CheckResult, record_check, record_checks
from incidents.models import Check
from tests.conftest import NOON
from tests.factories.catalog import ServiceFactory
from tests.factories.errors import minutes

pytestmark = [pytest.mark.django_db, pytest.mark.database]


def test_a_probe_is_kept_once_and_the_first_word_stands() -> None:
    service = ServiceFactory.create()
    good = CheckResult(at=NOON, ok=True, status=200, latency_ms=12.5)

    answers = [
        record_check(service=service, source="history", result=result, received_at=NOON)
        for result in (good, CheckResult(at=NOON, ok=False), CheckResult(at=NOON, ok=False, environment="staging"))
    ]

    assert answers == [True, False, True]
    columns = ("environment__name", "source", "at", "ok", "status", "latency_ms")
    assert list(Check.objects.order_by("pk").values_list(*columns)) == [
        ("production", "history", NOON, True, 200, 12.5),
        ("staging", "history", NOON, False, None, None),
    ]


def test_many_probes_cost_few_queries(django_assert_max_num_queries: object) -> None:
    service = ServiceFactory.create()
    results = [CheckResult(at=NOON + minutes(n), ok=n % 7 != 0) for n in range(400)]

    with django_assert_max_num_queries(10):  # type: ignore[operator]  # a fixture of pytest-django
        new = record_checks(service=service, source="m", results=results, received_at=None)

    assert (new, record_checks(service=service, source="m", results=results, received_at=None)) == (400, 0)
