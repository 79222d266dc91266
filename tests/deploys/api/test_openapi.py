"""The API document in docs/ is the one the code makes."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.test import Client

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "api" / "openapi.yaml"


def test_the_committed_document_is_current() -> None:
    out = StringIO()

    call_command("spectacular", "--validate", "--fail-on-warn", stdout=out)

    assert DOCUMENT.read_text(encoding="utf-8") == out.getvalue(), (
        "run: python manage.py spectacular --validate --fail-on-warn --file docs/api/openapi.yaml"
    )


@pytest.mark.django_db
def test_it_is_served_with_a_viewer_of_our_own_files(client: Client) -> None:
    page = client.get("/api/docs/").content.decode()

    assert client.get("/api/openapi.yaml").status_code == 200
    assert "https://" not in page
    assert "<script>" not in page
