"""kill -9 of a worker amid notices: each piece of news arrives, and again under the same id after a death that had sent it."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import uuid
from collections import Counter
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.conftest import skip_or_fail
from tests.incidents.live import PYTHON, Live, copied, postgres, prepared
from tests.incidents.test_kill import POINTS
from tests.instance import ROOT
from tests.mailbox import mailbox
from tests.receiver import receiving

pytestmark = pytest.mark.processes

INCIDENTS = 3
PERSON = "ida@example.org"
#: Where the worker dies, at which pass, and how many seconds after the incidents were declared it ran. Between two, claims of
#: the dead run out. The last ones live.
RUNS = [("notices.written", 2, 0), ("notices.claimed", 1, 5), ("notices.sent", 1, 140), ("", 0, 270), ("", 0, 4_000)]
#: Each run is a process of its own, forked from one that has loaded the application and no connection.
_PLAY = """
import datetime as dt, os, sys
from django.conf import settings
from deploys import clock
from deploys.actions.catalog import add_member
from deploys.models import Role, Service, Team, User
from incidents.actions.declare import declare
from incidents.models import ImpactClass
from reliability.actions.channels import Wanted, make_channel
from reliability.tasks import tell_notices

def make():
    team, now = Team.objects.get(), clock.now()
    ida = User.objects.create_user("ida@example.org")
    add_member(team=team, user=ida, role=Role.ADMIN, now=now)
    make_channel(team=team, kind="webhook", wanted=Wanted(name="machine", url={url!r}), by=ida, now=now)
    make_channel(team=team, kind="email", wanted=Wanted(name="people", is_to_members=True), by=ida, now=now)
    for number in range({incidents}):
        declare(team=team, title=f"Nobody can pay {{number}}", impact_class=ImpactClass.DOWNTIME, by=ida, now=now)

begun = dt.datetime(2026, 3, 4, 12, tzinfo=dt.UTC)
for what, point, passes, seconds in [(make, "", 0, 0), *((tell_notices, *run) for run in {runs})]:
    child = os.fork()
    if not child:
        settings.FAILPOINT = (point, passes) if point else None
        with clock.at(begun + dt.timedelta(seconds=seconds)):
            what()
        os._exit(0)
    print(os.waitpid(child, 0)[1])
"""


def check(live: Live) -> None:
    with receiving() as receiver, mailbox() as box:
        script = _PLAY.format(url=receiver.url, incidents=INCIDENTS, runs=RUNS)
        played = subprocess.run(
            [PYTHON, "manage.py", "shell", "-v0", "-c", script], env=live.instance.environment | {"UPSHOT_EMAIL_URL": box.url},
            cwd=ROOT, check=False, capture_output=True, text=True,
        )  # fmt: skip
    assert (played.stderr, played.stdout.split()) == (
        "",
        ["0", *[str(int(signal.SIGKILL)) if point else "0" for point, _, _ in RUNS]],
    )
    rows = live.query("SELECT public_id, recipient, outcome, attempts_count FROM reliability_outgoingnotice")
    assert sorted((recipient, outcome, tries) for _, recipient, outcome, tries in rows) == [
        *[("", "sent", 3)] * INCIDENTS,  # claimed three times, and handed over the last two
        *[(PERSON, "sent", 2)] * INCIDENTS,
    ]
    posted = Counter(headers["webhook-id"] for headers, _ in receiver.got)
    mailed = Counter(str(mail["Message-ID"]).strip("<>").partition("@")[0] for mail in box.mails)
    assert posted == {name: 2 for name, recipient in names(rows) if recipient == ""}
    assert mailed == {name: 2 for name, recipient in names(rows) if recipient == PERSON}
    assert len({body for _, body in receiver.got}) == INCIDENTS  # to the letter the same again


def names(rows: list[tuple[Any, ...]]) -> list[tuple[str, str]]:
    """The id of each notice as it is sent, and its recipient."""
    return [(str(uuid.UUID(str(public_id))), recipient) for public_id, recipient, _, _ in rows]


def test_every_point_amid_notices_is_died_at() -> None:
    assert sorted(point for point, _, _ in RUNS if point) == [name for name in POINTS if name.startswith("notices.")]


def test_news_survive_the_death_of_a_worker_on_sqlite(template: Path, tmp_path: Path) -> None:
    check(copied(template, tmp_path / "data"))


@pytest.mark.services
def test_news_survive_the_death_of_a_worker_on_postgresql(tmp_path: Path) -> None:
    with contextlib.ExitStack() as stack:
        try:
            url = stack.enter_context(postgres())
        except psycopg.OperationalError as error:
            skip_or_fail(f"no PostgreSQL: {error}")
        check(stack.enter_context(prepared(tmp_path / "data", UPSHOT_DATABASE_URL=url)))
