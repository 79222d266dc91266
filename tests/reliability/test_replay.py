"""One short history through the front door: the machine's answers against the known causes."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
DAYS, INCIDENTS, SEED = 2.5, 4, 11


def module(path: Path) -> ModuleType:
    """A module of the shared folder."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise LookupError(path)
    loaded = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = loaded
    spec.loader.exec_module(loaded)
    return loaded


def replayed(events: Path, folder: Path) -> tuple[Any, Any]:  # Any: JSON
    """Both readings."""
    folder.mkdir()
    subprocess.run(
        [
            sys.executable, "manage.py", "replay", str(events),
            "--answers-live", str(folder / "live.json"), "--answers-closed", str(folder / "closed.json"),
        ],
        cwd=ROOT, check=True, capture_output=True, env={**os.environ, "UPSHOT_DATA_DIR": str(folder / "data")},
    )  # fmt: skip
    return json.loads((folder / "live.json").read_text()), json.loads((folder / "closed.json").read_text())


@pytest.mark.conformance
@pytest.mark.processes
def test_a_short_history_is_understood_and_delivering_it_twice_changes_nothing(shared: Path, tmp_path: Path) -> None:
    scenarios, score = module(shared / "attribution" / "scenarios.py"), module(shared / "attribution" / "score.py")
    events, truth = scenarios.generate(scenarios.select("public"), SEED, INCIDENTS, DAYS)
    once, twice = tmp_path / "once.jsonl", tmp_path / "twice.jsonl"
    lines = [json.dumps(event) + "\n" for event in events]
    once.write_text("".join(lines))
    twice.write_text("".join(line * 2 for line in lines))

    live, closed = replayed(once, tmp_path / "a")
    again = replayed(twice, tmp_path / "b")

    result = score.score([(truth, closed)])
    assert again == (live, closed)
    assert result["detection"]["recall"]["value"] >= 0.75
    assert result["cause"]["top1"]["value"] >= 0.6
    assert result["class"]["accuracy"]["value"] >= 0.75
