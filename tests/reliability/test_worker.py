"""The worker's program."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.instance import ROOT

LOOK = """
import sys
import reliability.worker
import django
django.setup()
import celery.apps.worker
print(sorted({"prompt_toolkit", "rest_framework.views", "deploys.urls", "psycopg"} & set(sys.modules)))
"""


@pytest.mark.processes
def test_a_worker_loads_no_page_no_command_line_and_no_driver_it_does_not_need() -> None:
    environment = {name: value for name, value in os.environ.items() if name != "UPSHOT_DATABASE_URL"}

    done = subprocess.run(
        [sys.executable, "-c", LOOK], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )

    assert done.stdout == "[]\n"
