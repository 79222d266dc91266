"""Messages drawn from the API document: every answer is one that the document has, and none is a fault of ours."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import schemathesis
import yaml
from django.core.wsgi import get_wsgi_application
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.factories.access import bearer
from tests.factories.catalog import TeamFactory
from tests.factories.changes import DeployFactory

pytestmark = pytest.mark.django_db

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "api" / "openapi.yaml"
OPERATIONS = [
    (path, method)
    for path, methods in yaml.safe_load(DOCUMENT.read_text(encoding="utf-8"))["paths"].items()
    for method in methods
    if not path.endswith("openapi.yaml")
]
EXAMPLES = 12
EXAMPLES_OF_A_SOAK = 200


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=lambda mode: mode.value)
@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_every_answer_is_a_documented_one(
    path: str, method: str, mode: GenerationMode, pytestconfig: pytest.Config
) -> None:
    team = TeamFactory(slug="acme")
    DeployFactory(team=team)
    headers = bearer(team)
    api = schemathesis.openapi.from_wsgi("/api/openapi.yaml", get_wsgi_application())
    operation = api[path][method.upper()]

    examples = EXAMPLES_OF_A_SOAK if pytestconfig.getoption("--soak") else EXAMPLES

    @settings(
        max_examples=examples, derandomize=True, deadline=None, database=None, phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case=operation.as_strategy(generation_mode=mode))
    def ask(case: Any) -> None:
        response = case.call(headers=headers)
        case.validate_response(response, checks=CHECKS)

    ask()
