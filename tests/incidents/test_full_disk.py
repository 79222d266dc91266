"""A disk that fills up: refused in time, nothing corrupt, pages readable, and all well again once there is space."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.conftest import skip_or_fail
from tests.incidents.live import Live, copied, postgres, prepared
from tests.instance import eventually

pytestmark = pytest.mark.processes

MIB = 1024 * 1024
_SIGN_IN = """
from django.test import Client
from deploys import clock
from deploys.models import Membership, Team, User
user = User.objects.create(email="a@shop.example")
Membership.objects.create(team=Team.objects.get(), user=user, role="admin", created_at=clock.now())
client = Client()
client.force_login(user)
print("cookie", client.cookies["upshot_session"].value)
"""


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if shutil.which("mount") is None or os.geteuid() != 0:
        pytest.skip("a small file system cannot be mounted without root")
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", folder], check=False, capture_output=True)
    if done.returncode:
        pytest.skip(f"a small file system cannot be mounted here: {done.stderr.decode().strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def send(live: Live) -> tuple[int, str]:
    """One event of 100 KB that no coding makes smaller."""
    event_id = uuid.uuid4().hex
    payload = b'{"extra":{"x":"%s"}}' % os.urandom(50_000).hex().encode()
    status, _ = live.post(
        "/api/42/envelope/", b'{"event_id":"%s"}\n{"type":"event"}\n%s' % (event_id.encode(), payload)
    )
    return status, event_id


def page(live: Live, path: str, cookie: str = "") -> tuple[int, str]:
    request = urllib.request.Request(live.instance.url + path, headers={"Cookie": f"upshot_session={cookie}"})
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def fill(folder: Path, name: str, size: int) -> Path:
    """A file of this size, or of what fits."""
    path = folder / name
    with path.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        for _ in range(size // 4096):
            file.write(b"x" * 4096)
    return path


@pytest.mark.services
def test_a_postgresql_database_that_may_not_grow_refuses_and_recovers(tmp_path: Path) -> None:
    with contextlib.ExitStack() as stack:
        try:
            url = stack.enter_context(postgres())
        except psycopg.OperationalError as error:
            skip_or_fail(f"no PostgreSQL: {error}")
        live = stack.enter_context(prepared(tmp_path / "data", UPSHOT_DATABASE_URL=url, UPSHOT_RESERVED_DISK_MB="4"))
        size = live.number("SELECT pg_database_size(current_database())")
        live.instance.settings["UPSHOT_DATABASE_MAX_MB"] = str(size // MIB + 8)
        cookie = live.instance.manage("shell", "-v0", "-c", _SIGN_IN).split()[-1]
        live.start_web()
        live.start_worker()
        acknowledged: set[str] = set()

        def is_refused() -> bool:
            status, event_id = send(live)
            if status == 200:
                acknowledged.add(event_id)
            return status == 429 and '"disk": {"ok": false' in page(live, "/readyz")[1]

        eventually(is_refused, seconds=90, what="429 and an alarm on a database of the largest size")
        status, text = page(live, "/t/shop/", cookie)
        assert (status, "The database is nearly as large as it may become" in text) == (200, True)

        live.instance.settings["UPSHOT_DATABASE_MAX_MB"] = str(size // MIB + 500)
        live.kill("web")
        live.start_web()
        eventually(lambda: send(live)[0] == 200, seconds=60, what="200 once it may grow")
        live.wait_until_digested()
        stored = {event_id for (event_id,) in live.query("SELECT event_id FROM incidents_errorevent")}
        assert (bool(acknowledged), acknowledged - stored) == (True, set())
        assert "nearly as large" not in page(live, "/t/shop/", cookie)[1]


def test_a_full_disk_refuses_and_recovers(template: Path, small_disk: Path) -> None:
    live = copied(template, small_disk / "data")
    live.instance.settings["UPSHOT_RESERVED_DISK_MB"] = "16"
    cookie = live.instance.manage("shell", "-v0", "-c", _SIGN_IN).split()[-1]
    try:
        live.start_web()
        live.start_worker()
        ballast = fill(small_disk, "ballast", shutil.disk_usage(small_disk).free - 24 * MIB)
        acknowledged: set[str] = set()

        def is_refused() -> bool:
            status, event_id = send(live)
            if status == 200:
                acknowledged.add(event_id)
            return status == 429 and '"disk": {"ok": false' in page(live, "/readyz")[1]

        eventually(is_refused, seconds=60, what="429 and an alarm on a nearly full disk")
        assert (page(live, "/readyz")[0], bool(acknowledged)) == (503, True)

        rest = fill(small_disk, "rest", 64 * MIB)  # something else takes the last byte
        assert send(live)[0] in (429, 507)
        status, text = page(live, "/t/shop/", cookie)
        assert (status, "The disk is nearly full" in text) == (200, True)

        rest.unlink()
        ballast.unlink()
        eventually(lambda: send(live)[0] == 200, seconds=60, what="200 once there is space")
        live.wait_until_digested(60)
        stored = {event_id for (event_id,) in live.query("SELECT event_id FROM incidents_errorevent")}
        assert acknowledged - stored == set()
        assert live.query("PRAGMA integrity_check") == live.query("PRAGMA integrity_check", inbox=True) == [("ok",)]
        assert page(live, "/t/shop/", cookie)[1].count("The disk is nearly full") == 0
    finally:
        live.stop()
