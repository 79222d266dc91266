"""Errors over every server that can run the project: a body is committed whole, or the sender hears an error."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import skip_or_fail
from tests.incidents.live import AUTH, Live, copied
from tests.instance import ROOT, eventually

pytestmark = pytest.mark.processes
PATH = "/api/42/envelope/"
BODY = b'{}\n{"type":"event"}\n{"message":"' + b"whole " * 2_000 + b'"}\n'

#: Module to run, what follows it, and whether it takes errors in. {port} is filled in.
MODES = {
    "granian asgi": ("granian", "--interface asgi --host 127.0.0.1 --port {port} reliability.asgi:application", True),
    "granian asginl": (
        "granian",
        "--interface asginl --host 127.0.0.1 --port {port} reliability.asgi:application",
        True,
    ),
    "granian wsgi": ("granian", "--interface wsgi --host 127.0.0.1 --port {port} reliability.wsgi:application", False),
    "uvicorn": ("uvicorn", "--host 127.0.0.1 --port {port} --lifespan off reliability.asgi:application", True),
    "hypercorn": ("hypercorn", "--bind 127.0.0.1:{port} reliability.asgi:application", True),
    "gunicorn": ("gunicorn", "--bind 127.0.0.1:{port} reliability.wsgi:application", False),
    "runserver": ("django", "runserver 127.0.0.1:{port} --noreload", False),
}


@pytest.fixture(params=sorted(MODES))
def served(request: pytest.FixtureRequest, template: Path, tmp_path: Path) -> Iterator[tuple[Live, bool]]:
    """An instance behind one server, and whether that one takes errors in."""
    module, arguments, takes_errors = MODES[request.param]
    if importlib.util.find_spec(module) is None:
        if module == "granian":
            skip_or_fail("granian is not installed")
        pytest.skip(f"{module} is not installed")
    live = copied(template, tmp_path / "data")
    command = [sys.executable, "-m", module, *arguments.format(port=live.instance.port).split()]
    try:
        with (live.instance.data / "output.log").open("ab") as log:
            live.children["web"] = subprocess.Popen(
                command, cwd=ROOT, env=live.instance.environment, stdout=log, stderr=log, start_new_session=True
            )
        live.instance.wait_until_up()
        yield live, takes_errors
    finally:
        live.stop()


def test_a_body_is_stored_whole_or_refused_and_stays_when_the_server_ends(served: tuple[Live, bool]) -> None:
    live, takes_errors = served

    statuses = [live.post(PATH, BODY, AUTH, is_chunked=is_chunked)[0] for is_chunked in (False, True)]
    live.stop()

    eventually(lambda: not live.instance.is_up(), seconds=20, what="the end of the server")
    stored = [bytes(body) for (body,) in live.query("SELECT body FROM incidents_inboxitem", inbox=True)]
    assert (statuses, stored) == (([200, 200], [BODY, BODY]) if takes_errors else ([501, 501], []))
