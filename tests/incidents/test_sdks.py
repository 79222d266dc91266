"""Real SDKs, given nothing but a DSN, against a real server."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from backports import zstd

from incidents.ingest.limits import RETRY_SECONDS
from tests.conftest import skip_or_fail
from tests.incidents.live import PYTHON, Live, copied
from tests.instance import eventually

pytestmark = pytest.mark.processes
NODE = Path(__file__).resolve().parent.parent / "clients" / "node"

PYTHON_PROGRAM = """
import sys, sentry_sdk
from sentry_sdk.sessions import track_session
from sentry_sdk.feature_flags import add_feature_flag
experiments = {"br": {"transport_compression_algo": "br"}, "gzip": {"transport_compression_algo": "gzip"},
               "none": {"transport_compression_level": 0}, "default": {}}[sys.argv[2]]
sentry_sdk.init(sys.argv[1], release="shop@1.4.0", environment="production", server_name="web-1",
                _experiments=experiments, shutdown_timeout=10)
with sentry_sdk.isolation_scope() as scope:
    with track_session(scope, session_mode="application"):
        sentry_sdk.set_user({"id": "u1", "email": "ann@example.com"})
        sentry_sdk.set_tag("region", "eu")
        add_feature_flag("new-checkout", True)
        try:
            secret = "hunter2"
            {}["sku"]
        except KeyError as error:
            print(sentry_sdk.capture_exception(error))
        print(sentry_sdk.capture_message("disk almost full λ☃", "warning"))
sentry_sdk.get_client().close(timeout=10)
"""


def stored(live: Live) -> list[tuple[object, ...]]:
    return live.query(
        "SELECT e.event_id, i.type, e.message, e.release, e.host, e.level, e.flags, n.name FROM incidents_errorevent e "
        "JOIN incidents_issue i ON i.id = e.issue_id JOIN deploys_environment n ON n.id = e.environment_id ORDER BY e.id"
    )


@pytest.mark.parametrize("coding", ["default", "br", "gzip", "none"])
def test_the_python_sdk(live: Live, coding: str) -> None:
    live.start_worker()

    run = subprocess.run(
        [PYTHON, "-c", PYTHON_PROGRAM, live.dsn, coding], capture_output=True, text=True, timeout=60, check=True
    )

    first, second = run.stdout.split()
    eventually(lambda: len(stored(live)) == 2, seconds=30, what="both events digested")
    flags = json.dumps({"new-checkout": True})
    assert [(*row[:6], json.loads(str(row[6])), row[7]) for row in stored(live)] == [
        (first, "KeyError", "'sku'", "shop@1.4.0", "web-1", "error", json.loads(flags), "production"),
        (second, "", "disk almost full λ☃", "shop@1.4.0", "web-1", "warning", json.loads(flags), "production"),
    ]
    assert live.number("SELECT count(DISTINCT user_key) FROM incidents_errorevent WHERE user_key <> ''") == 1
    eventually(
        lambda: live.number("SELECT sum(count) FROM incidents_trafficcount") >= 1, seconds=30, what="the session"
    )
    for suffix in ("", "-wal"):
        path = live.instance.data / f"upshot.sqlite3{suffix}"
        if path.exists():
            content = path.read_bytes()
            assert [secret for secret in (b"ann@example.com", b"hunter2") if secret in content] == []


@pytest.fixture(scope="session")
def node_client() -> Path:
    """The folder with the installed Node SDK."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        skip_or_fail("node and npm are not installed")
    if not (NODE / "node_modules" / "@sentry" / "node").is_dir():
        install = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        done = subprocess.run(install, cwd=NODE, capture_output=True, text=True, timeout=300, check=False)
        if done.returncode:
            skip_or_fail(f"the Node SDK cannot be installed: {done.stderr[-300:]}")
    return NODE


def test_the_node_sdk(live: Live, node_client: Path) -> None:
    live.start_worker()

    run = subprocess.run(
        ["node", "send.mjs", live.dsn], cwd=node_client, capture_output=True, text=True, timeout=60, check=True
    )

    first, second, third = run.stdout.split()
    eventually(lambda: len(stored(live)) == 3, seconds=30, what=f"all events digested {run.stderr[-500:]}")
    found = {str(row[0]): (row[1], row[2], row[3], row[5]) for row in stored(live)}
    assert found == {
        first: ("TypeError", "Cannot read properties of null (reading 'sku')", "shop@1.4.0", "error"),
        second: ("", "disk almost full λ☃", "shop@1.4.0", "warning"),
        third: ("Error", "large", "shop@1.4.0", "error"),
    }
    sessions = "SELECT sum(count) FROM incidents_trafficcount"
    eventually(lambda: live.number(sessions) >= 1, seconds=30, what="the session")


# -- everything that is counted ---------------------------------------------------------------------------------------

CLIENTS = Path(__file__).resolve().parent.parent / "clients"


def send(kind: str, program: str, *arguments: str, node: Path | None = None) -> str:
    """Runs a client's program; its standard output."""
    command = ["node", f"{program}.mjs"] if kind == "node" else [PYTHON, str(CLIENTS / "python" / f"{program}.py")]
    run = subprocess.run(
        [*command, *arguments], cwd=node, capture_output=True, text=True, timeout=90, check=True
    )  # fmt: skip
    return run.stdout


def known(live: Live) -> dict[str, object]:
    """All that the instance keeps of what a client counted."""
    reports = live.query("SELECT payload FROM incidents_errorevent")
    chains = [json.loads(zstd.decompress(bytes(payload)))["exception"]["values"] for (payload,) in reports]
    flags = live.query("SELECT flags FROM incidents_errorevent")
    return {
        "chains": [sorted(each["value"] for each in chain) for chain in chains],
        "flags": [json.loads(str(each)) if isinstance(each, str) else each for (each,) in flags],
        "requests": live.query("SELECT release, sum(count), sum(failed) FROM incidents_requestcount GROUP BY release"),
        "runs": live.query(
            "SELECT j.slug, j.schedule, j.zone, j.failure_threshold, j.recovery_threshold, r.status, r.seconds "
            "FROM incidents_jobrun r JOIN incidents_job j ON j.id = r.job_id ORDER BY j.slug"
        ),
    }


EVERYTHING = {
    "chains": [["no route to the database", "the order was not kept"]],
    "flags": [{"new-checkout": True, "dark-mode": False}],
    "requests": [("shop@1.4.0", 3, 1)],
    "runs": [("hourly", "", "UTC", 1, 1, "error", None), ("nightly", "0 2 * * *", "Europe/Berlin", 2, 3, "ok", 1.5)],
}


@pytest.mark.parametrize(
    ("kind", "mode", "sessions"), [("python", "static", 4), ("python", "stream", 4), ("node", "stream", 2)]
)
def test_everything_that_a_client_counts(
    live: Live, kind: str, mode: str, sessions: int, request: pytest.FixtureRequest
) -> None:
    node = request.getfixturevalue("node_client") if kind == "node" else None
    live.start_worker()

    send(kind, "everything", live.dsn, mode, node=node)

    eventually(lambda: known(live) == EVERYTHING, seconds=30, what=f"{EVERYTHING}, but {known(live)}")
    counted = live.query("SELECT sum(count), sum(failed) FROM incidents_trafficcount")
    assert counted == [(sessions, 0)]
    assert live.number("SELECT count(*) FROM incidents_deadletter", inbox=True) == 0


@pytest.mark.parametrize("kind", ["python", "node"])
def test_an_overloaded_server_is_obeyed_and_nothing_is_lost_unsaid(
    template: Path, tmp_path: Path, kind: str, request: pytest.FixtureRequest
) -> None:
    """13 events: each is stored, or was refused with 429, or is in the client's report of what it held back.

    A refusal asks for ten seconds of silence, so a client that obeys hears only one.
    """
    node = request.getfixturevalue("node_client") if kind == "node" else None
    live = copied(template, tmp_path / "data")
    live.instance.settings |= {"UPSHOT_EVENT_RATE": "1", "UPSHOT_EVENT_BURST": "5"}
    try:
        live.start_web()
        live.start_worker()

        statuses = send(kind, "overloaded", live.dsn, str(RETRY_SECONDS + 1), node=node).split()
        lost = "SELECT sum(quantity) FROM incidents_losscount WHERE reason = 'ratelimit_backoff'"
        eventually(lambda: live.number(lost), seconds=30, what=f"a report of what was held back: {statuses}")
        live.wait_until_digested()

        refused, acknowledged = statuses.count("429"), statuses.count("200")
        messages = [message for (message,) in live.query("SELECT message FROM incidents_errorevent ORDER BY id")]
        assert refused == 1
        assert messages == [*(f"early {number}" for number in range(acknowledged - 1)), "late"]
        assert acknowledged + refused + live.number(lost) == 13
    finally:
        live.stop()
