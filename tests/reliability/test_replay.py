"""One short history through the front door: the machine's answers against the known causes, however the facts arrive."""

from __future__ import annotations

import importlib.util
import json
import os
import random
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
DAYS, INCIDENTS, SEED = 2.0, 3, 11
POSTGRES = os.environ.get("CI_POSTGRES_URL", "postgres://root@127.0.0.1:5432/test")


def module(path: Path) -> ModuleType:
    """A module of the shared folder."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise LookupError(path)
    loaded = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = loaded
    spec.loader.exec_module(loaded)
    return loaded


SMALL_BATCHES = """
import os, sys
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "reliability.settings")
import django
django.setup()
from django.core.management import execute_from_command_line
from incidents.actions import detection, digest
digest.CHUNK, detection.BATCH = 3, 100_000
execute_from_command_line(["manage.py", *sys.argv[1:]])
"""
"""Events are stored three at a time instead of five hundred."""

FOUR_WORKERS = """
import contextvars, os, sys
from concurrent.futures import ThreadPoolExecutor
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "reliability.settings")
import django
django.setup()
from django.core.management import execute_from_command_line
from django.db import connections
from incidents.actions.digest import digest_events
from reliability.actions import replay
from reliability.management.commands import replay as command

workers = [ThreadPoolExecutor(1) for _ in range(4)]

def digest_together(*, service, events, received_at):
    jobs = []
    for n, worker in enumerate(workers[:len(events)]):
        share = {"service": service, "events": events[n::4], "received_at": received_at[n::4]}
        jobs.append(worker.submit(contextvars.copy_context().run, lambda share=share: digest_events(**share)))
    for job in jobs:
        job.result()

def replay_and_hang_up(**given):
    answers = replay.replay(**given)
    for worker in workers:
        worker.submit(connections.close_all).result()
    return answers

replay.digest_events, command.replay = digest_together, replay_and_hang_up
execute_from_command_line(["manage.py", *sys.argv[1:]])
"""
"""Four workers at once digest what one would, each with a connection of its own."""

Answers = tuple[Any, Any]  # Any: JSON


def replayed(events: Path, folder: Path, program: tuple[str, ...] = ("manage.py",), **env: str) -> Answers:
    """Both readings."""
    folder.mkdir()
    subprocess.run(
        [
            sys.executable, *program, "replay", str(events),
            "--answers-live", str(folder / "live.json"), "--answers-closed", str(folder / "closed.json"),
        ],
        cwd=ROOT, check=True, capture_output=True, env={**os.environ, "UPSHOT_DATA_DIR": str(folder / "data"), **env},
    )  # fmt: skip
    return json.loads((folder / "live.json").read_text()), json.loads((folder / "closed.json").read_text())


@dataclass
class Played:
    """A short history with its truth, and the product's answers to it."""

    lines: list[dict[str, Any]]  # Any: JSON
    truth: Any
    file: Path
    answers: Answers


@pytest.fixture(scope="module")
def played(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Played:
    """Two days with three incidents on the second, played once for all tests."""
    scenarios = module(shared / "attribution" / "scenarios.py")
    lines, truth = scenarios.generate(scenarios.select("public"), SEED, INCIDENTS, DAYS)
    folder = tmp_path_factory.mktemp("replay")
    file = written(lines, folder / "once.jsonl")
    return Played(lines, truth, file, replayed(file, folder / "a"))


def written(lines: Sequence[dict[str, Any]], file: Path) -> Path:  # Any: JSON
    """The lines as a file."""
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return file


@pytest.mark.conformance
@pytest.mark.processes
def test_a_short_history_is_understood(played: Played, shared: Path) -> None:
    score = module(shared / "attribution" / "score.py")

    result = score.score([(played.truth, played.answers[1])])

    assert result["detection"]["recall"]["value"] >= 0.75
    assert result["cause"]["top1"]["value"] >= 0.6
    assert result["class"]["accuracy"]["value"] >= 0.75


@pytest.mark.conformance
@pytest.mark.processes
def test_delivering_everything_twice_in_other_batches_changes_nothing(played: Played, tmp_path: Path) -> None:
    twice = written([line for line in played.lines for _ in range(2)], tmp_path / "twice.jsonl")

    assert replayed(twice, tmp_path / "b", ("-c", SMALL_BATCHES)) == played.answers


@pytest.mark.conformance
@pytest.mark.processes
def test_errors_that_come_late_change_no_closed_answer(played: Played, tmp_path: Path) -> None:
    chance = random.Random(7)
    late = [
        {**line, "received_at": line["received_at"] + chance.uniform(60, 1800)}
        if line["kind"] == "error" and chance.random() < 0.1
        else line
        for line in played.lines
    ]
    file = written(sorted(late, key=lambda line: line["received_at"]), tmp_path / "late.jsonl")

    _, closed = replayed(file, tmp_path / "b")

    pairs = list(zip(closed["incidents"], played.answers[1]["incidents"], strict=True))
    assert [_settled(row) for row, _ in pairs] == [_settled(row) for _, row in pairs]
    # a verdict that moved by less than two points is not written again, so the last hundredth depends on when it was
    assert [row["confidence"] for row, _ in pairs] == pytest.approx([row["confidence"] for _, row in pairs], abs=0.02)


@pytest.mark.conformance
@pytest.mark.services
def test_four_workers_on_postgresql_answer_as_one_on_sqlite_does(played: Played, tmp_path: Path) -> None:
    program = ("-c", FOUR_WORKERS)

    assert replayed(played.file, tmp_path / "b", program, UPSHOT_DATABASE_URL=POSTGRES) == played.answers


def _settled(row: dict[str, Any]) -> dict[str, Any]:  # Any: JSON
    return {name: value for name, value in row.items() if name not in ("detected_at", "confidence")}
