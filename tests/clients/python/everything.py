"""Sends one of everything that the server counts to the DSN given. `stream` as the second word: spans one by one."""

import sys

import sentry_sdk
from sentry_sdk.crons import capture_checkin
from sentry_sdk.feature_flags import add_feature_flag
from sentry_sdk.sessions import track_session

IS_STREAM = sys.argv[2] == "stream"
sentry_sdk.init(
    sys.argv[1],
    release="shop@1.4.0",
    environment="production",
    server_name="web-1",
    traces_sample_rate=1.0,
    _experiments={"trace_lifecycle": "stream"} if IS_STREAM else {},
)


def request(status: int) -> None:
    """A served request that was answered with this status."""
    if IS_STREAM:
        with sentry_sdk.traces.start_span("GET /cart", attributes={"sentry.op": "http.server"}) as span:
            span.set_attribute("http.response.status_code", status)
            with sentry_sdk.traces.start_span("SELECT", attributes={"sentry.op": "db"}):
                pass
    else:
        with sentry_sdk.start_transaction(op="http.server", name="GET /cart") as transaction:
            transaction.set_http_status(status)
            with sentry_sdk.start_span(op="db", name="SELECT"):
                pass


def chained() -> None:
    """An error with its cause."""
    try:
        raise ConnectionError("no route to the database")
    except ConnectionError as cause:
        raise RuntimeError("the order was not kept") from cause


with sentry_sdk.isolation_scope() as scope, track_session(scope, session_mode="application"):
    add_feature_flag("new-checkout", True)
    add_feature_flag("dark-mode", False)
    try:
        chained()
    except RuntimeError as error:
        sentry_sdk.capture_exception(error)
for _ in range(3):
    with sentry_sdk.isolation_scope() as scope, track_session(scope, session_mode="request"):
        pass
for status in (200, 404, 500):
    request(status)
config = {
    "schedule": {"type": "crontab", "value": "0 2 * * *"},
    "timezone": "Europe/Berlin",
    "checkin_margin": 5,
    "max_runtime": 30,
    "failure_issue_threshold": 2,
    "recovery_threshold": 3,
}
run = capture_checkin(monitor_slug="nightly", status="in_progress", monitor_config=config)
capture_checkin(monitor_slug="nightly", check_in_id=run, status="ok", duration=1.5, monitor_config=config)
capture_checkin(monitor_slug="hourly", status="error")
sentry_sdk.get_client().close(timeout=15)
