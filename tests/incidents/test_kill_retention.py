"""kill -9 in the middle of deleting what is too old: what is to stay stays, numbers stay true, nothing is counted twice."""

from __future__ import annotations

import contextlib
import signal
import subprocess
from pathlib import Path

import psycopg
import pytest

from tests.conftest import skip_or_fail
from tests.incidents.live import PYTHON, Live, copied, postgres, prepared
from tests.incidents.test_kill import POINTS
from tests.instance import ROOT

pytestmark = pytest.mark.processes

OLD, NEW, EVIDENCE, BODIES = 2_400, 30, 300, 250
#: Every point of a clean-up, and at which of its passes the process dies there.
DEATHS = {"expiry.counted": (1, 2), "retention.deleted": (1, 2), "retention.committed": (1, 2)}
_MAKE = f"""
import datetime as dt
from deploys import clock
from deploys.models import Service
from incidents.actions.digest import digest_events
from incidents.models import DeadLetter, InboxItem, Incident, IncidentIssue, Issue
from tests.factories.errors import parsed_event
from tests.factories.incidents import incident_of
now, old = clock.now(), clock.now() - dt.timedelta(days=100)
service = Service.objects.select_related("team").get()
second = dt.timedelta(seconds=1)
digest_events(service=service, received_at=old, events=[parsed_event(timestamp=old - n * second, user=f"u{{n % 7}}") for n in range({OLD})])
digest_events(service=service, received_at=now, events=[parsed_event(timestamp=now - n * second) for n in range({NEW})])
digest_events(service=service, received_at=old, events=[parsed_event(timestamp=old - n * second, type="Other") for n in range({EVIDENCE})])
incident = incident_of(service.team)
Incident.objects.update(started_at=old - {EVIDENCE} * second, restored_at=old, closed_at=old)
IncidentIssue.objects.create(incident=incident, issue=Issue.objects.get(type="Other"), from_at=old - {EVIDENCE} * second)
stale = now - dt.timedelta(days=15)
InboxItem.objects.bulk_create(InboxItem(project=42, kind="envelope", body=b"x", received_at=stale) for _ in range({BODIES}))
DeadLetter.objects.bulk_create(
    DeadLetter(project=42, kind="envelope", body=b"x", received_at=stale, failed_at=stale, reason="odd") for _ in range({BODIES}))
"""
_CLEAN = "from incidents.tasks import clean_up; clean_up()"


def clean(live: Live, *, failpoint: str = "") -> int:
    """One run of the clean-up in a process of its own; how it ended."""
    environment = live.instance.environment | ({"UPSHOT_FAILPOINT": failpoint} if failpoint else {})
    command = [PYTHON, "manage.py", "shell", "-v0", "-c", _CLEAN]
    return subprocess.run(command, env=environment, cwd=ROOT, check=False).returncode


def numbers(live: Live) -> dict[str, int]:
    """What must not change while reports are deleted, and what must follow them."""
    rows = live.number("SELECT count(*) FROM incidents_errorevent")
    return {
        "counted": live.number("SELECT sum(events_count) FROM incidents_issue"),
        "counted in five minutes": live.number("SELECT sum(count) FROM incidents_issuecount"),
        "people": live.number("SELECT sum(users_count) FROM incidents_issue"),
        "incidents": live.number("SELECT count(*) FROM incidents_incident"),
        "kept but not there": live.number("SELECT sum(kept_count) FROM incidents_issue") - rows,
    }


def check(live: Live) -> None:
    live.instance.manage("shell", "-v0", "-c", _MAKE)
    before = numbers(live)
    assert before == {
        "counted": OLD + NEW + EVIDENCE, "counted in five minutes": OLD + NEW + EVIDENCE, "people": 7, "incidents": 1,
        "kept but not there": 0,
    }  # fmt: skip

    for point, passes in DEATHS.items():
        for number in passes:
            assert (point, clean(live, failpoint=f"{point}:{number}")) == (point, -signal.SIGKILL)
            assert (point, numbers(live)) == (point, before)
    left = live.number("SELECT count(*) FROM incidents_errorevent")
    for _ in range(2):
        assert clean(live) == 0

    assert (left > NEW + 202, numbers(live)) == (True, before)
    kept = live.query(
        "SELECT type, count(*) FROM incidents_errorevent JOIN incidents_issue ON issue_id = incidents_issue.id GROUP BY type"
    )
    assert sorted(kept) == [("KeyError", NEW), ("Other", 202)]  # of an incident the first 101 and the last 101
    expired = live.query(
        "SELECT outcome, sum(quantity) FROM incidents_ingestcount WHERE item = 'body' GROUP BY outcome"
    )
    assert sorted((outcome, int(quantity)) for outcome, quantity in expired) == [
        ("dead_expired", BODIES),
        ("expired", BODIES),
    ]
    assert live.number("SELECT count(*) FROM incidents_inboxitem", inbox=True) == 0
    assert live.number("SELECT count(*) FROM incidents_deadletter", inbox=True) == 0


def test_every_point_of_a_clean_up_is_died_at() -> None:
    assert sorted(DEATHS) == [name for name in POINTS if name.startswith(("retention.", "expiry."))]


def test_a_clean_up_may_die_anywhere_on_sqlite(template: Path, tmp_path: Path) -> None:
    check(copied(template, tmp_path / "data"))


@pytest.mark.services
def test_a_clean_up_may_die_anywhere_on_postgresql(tmp_path: Path) -> None:
    with contextlib.ExitStack() as stack:
        try:
            url = stack.enter_context(postgres())
        except psycopg.OperationalError as error:
            skip_or_fail(f"no PostgreSQL: {error}")
        check(stack.enter_context(prepared(tmp_path / "data", UPSHOT_DATABASE_URL=url)))
