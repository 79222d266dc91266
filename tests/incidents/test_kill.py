"""kill -9 under load: at random moments, and at every named point, of the process that takes errors in and of the one
that digests them. `make soak` plays the long form."""

from __future__ import annotations

import http.client
import itertools
import random
import re
import signal
import subprocess
import threading

import pytest

from tests.incidents.live import PYTHON, Live
from tests.incidents.load import Load, bodies, reckoning
from tests.instance import ROOT, eventually

pytestmark = pytest.mark.processes

#: Nobody is told to wait before a great deal waits; new faults stay issues of their own, or nothing new would be found in the
#: end; and nothing is deleted that is to be counted.
ROOM = {"UPSHOT_EVENT_RATE": "100000", "UPSHOT_EVENT_BURST": "100000", "UPSHOT_BACKLOG_SECONDS": "3600",
        "UPSHOT_BACKLOG_ROWS": "1000000", "UPSHOT_NEW_ISSUES_PER_HOUR": "1000000", "UPSHOT_RETENTION": "0"}  # fmt: skip
POINTS = sorted(
    {
        name
        for room in ("deploys", "incidents", "reliability")
        for path in (ROOT / room).rglob("*.py")
        for name in re.findall(r'failpoints\.reach\("([a-z.]+)"\)', path.read_text(encoding="utf-8"))
    }
)
WEB = [name for name in POINTS if name.startswith("accept.")]
WORKER = [name for name in POINTS if name.startswith(("digest.", "detection.", "attribution."))]


def kill_at_random(live: Live, *, kills: int, seed: int, least: int = 0) -> Load:
    """Kills one process group after another while clients send, and goes on until `least` events are acknowledged."""
    dice = random.Random(seed)
    live.instance.settings |= ROOM
    live.kill("web")
    live.start_web()
    live.start_worker()
    with Load(live) as load:
        for number in range(kills):
            threading.Event().wait(dice.uniform(0.2, 1.5))
            if number % 2:
                live.kill("web")
                live.start_web()
            else:
                live.kill("worker")
                live.start_worker()
        eventually(lambda: len(load.acknowledged) >= least, seconds=600, what=f"{least} acknowledged events")
    return load


def kill_at_points(live: Live, *, rounds: int, seed: int) -> tuple[Load, dict[str, int]]:
    """Has the web process and the worker die at one point each, over and over, while clients send; deaths by point."""
    dice = random.Random(seed)
    deaths = dict.fromkeys(WEB + WORKER, 0)
    live.instance.settings |= ROOM
    live.kill("web")
    with Load(live, clients=4, pause=0.03) as load:  # the inbox must run empty, or detection waits for its schedule
        for number in range(rounds * len(WORKER)):
            point = WORKER[number % len(WORKER)]
            # a batch is digested many times a second, incidents are looked at some times a minute, verdicts are few
            most = {"digest": rounds, "detection": 2, "attribution": 1}[point.partition(".")[0]]
            passes = dice.randint(1, min(rounds, most))
            live.start("worker", failpoint=f"{point}:{passes}")
            if number % len(WORKER) < len(WEB):
                live.start("web", failpoint=f"{WEB[number % len(WORKER)]}:{dice.randint(1, 50)}")
                deaths[WEB[number % len(WORKER)]] += live.died("web")
            live.start("web")
            if point.startswith("attribution."):  # of an incident that is known, ever less is said that is new
                live.instance.wait_until_up()
                load.acknowledged.update(break_another_team(live, number))
            deaths[point] += live.died("worker", 300)
            live.kill("web")
        live.start_web()
        live.start_worker()
        taken = len(load.acknowledged)
        eventually(lambda: len(load.acknowledged) > taken, seconds=60, what="an answer after the last restart")
    return load, deaths


def break_another_team(live: Live, number: int) -> set[str]:
    """Sends errors of a team that had none yet, so that an incident opens and is judged; the ids that were acknowledged."""
    key = f"{number:032x}"
    live.instance.manage("shell", "-v0", "-c", _ANOTHER_TEAM.format(project=1_000 + number, key=key))
    headers = {"X-Sentry-Auth": f"Sentry sentry_key={key}, sentry_version=7"}
    sent = list(itertools.islice(bodies(random.Random(1_000 + number)), 100))
    answers = live.post_at_once([body for _, body in sent], threads=2, project=1_000 + number, headers=headers)
    return {event_id for (event_id, _), (status, _) in zip(sent, answers, strict=True) if status == 200}


_ANOTHER_TEAM = """
import datetime as dt
from deploys import clock
from deploys.models import DsnKey, Service, Team
now = clock.now() - dt.timedelta(days=7)
team = Team.objects.create(slug="team-{project}", name="Team", created_at=now)
service = Service.objects.create(team=team, number={project}, name="shop", created_at=now, first_event_at=now)
DsnKey.objects.create(service=service, public_key="{key}", created_at=now)
"""


def report_deploy(live: Live, token: str, number: int) -> int:
    """Tells of a deploy; the status of the answer."""
    body = b'{"id": "%d", "service": "shop", "release": "1.4.2", "status": "success"}' % number
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    return live.post("/api/v1/deploys", body, headers)[0]


def is_soak(config: pytest.Config) -> bool:
    return bool(config.getoption("--soak"))


def check(live: Live, config: pytest.Config, seed: int) -> None:
    load = kill_at_random(live, kills=40 if is_soak(config) else 4, seed=seed, least=50_000 if is_soak(config) else 500)

    assert reckoning(live, load) == {}


def check_points(live: Live, config: pytest.Config, seed: int) -> None:
    rounds = 5 if is_soak(config) else 1
    load, deaths = kill_at_points(live, rounds=rounds, seed=seed)

    assert deaths == dict.fromkeys(WEB + WORKER, rounds)
    assert reckoning(live, load) == {}


def test_nothing_acknowledged_is_lost_or_doubled_on_sqlite(live: Live, pytestconfig: pytest.Config) -> None:
    check(live, pytestconfig, seed=1)


@pytest.mark.services
def test_nothing_acknowledged_is_lost_or_doubled_on_postgresql(
    postgres_live: Live, pytestconfig: pytest.Config
) -> None:
    check(postgres_live, pytestconfig, seed=2)


def test_a_death_at_any_point_loses_and_doubles_nothing_on_sqlite(live: Live, pytestconfig: pytest.Config) -> None:
    check_points(live, pytestconfig, seed=3)


@pytest.mark.services
def test_a_death_at_any_point_loses_and_doubles_nothing_on_postgresql(
    postgres_live: Live, pytestconfig: pytest.Config
) -> None:
    check_points(postgres_live, pytestconfig, seed=4)


def test_a_deploy_whose_recording_died_is_recorded_when_it_is_sent_again(live: Live) -> None:
    token = live.instance.provision("shop/shop")["deploy_token"]
    live.kill("web")
    live.start("web", failpoint="deploy.recorded")
    live.instance.wait_until_up()

    with pytest.raises((OSError, http.client.HTTPException)):
        report_deploy(live, token, 42)
    assert live.died("web")
    live.start_web()
    answers = [report_deploy(live, token, 42) for _ in range(2)]

    assert answers == [201, 200]
    assert live.number("SELECT count(*) FROM deploys_fact WHERE kind = 'deploy'") == 1


def test_a_week_whose_closing_died_is_closed_once(live: Live) -> None:
    closing = [PYTHON, "manage.py", "shell", "-v0", "-c", _CLOSE]
    environment = live.instance.environment
    died = subprocess.run(closing, env=environment | {"UPSHOT_FAILPOINT": "report.stored"}, cwd=ROOT, check=False)
    for _ in range(2):
        subprocess.run(closing, env=environment, cwd=ROOT, check=True)

    assert died.returncode == -signal.SIGKILL
    assert live.query("SELECT label, number FROM reliability_reportsnapshot") == [("2026-W20", 1)]


_CLOSE = """
from deploys import clock
from deploys.models import Team
from reliability.actions.reports import close_report
close_report(team=Team.objects.get(), label="2026-W20", now=clock.now())
"""
