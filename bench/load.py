"""The load: real events, sent by the generator in the shared folder, which runs in a virtual environment of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
SHARED = Path(os.environ.get("UPSHOT_SHARED", ROOT.parent / "shared")) / "bench" / "load.py"
CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "upshot-bench"
GROUPS, KILOBYTES = 200, 16


class Skipped(Exception):
    """Something that cannot be measured here. The text says why."""


def environment(name: str, packages: list[str]) -> Path:
    """The folder of a virtual environment with these packages (what pip is told to install), kept in the cache.

    Raises Skipped where it cannot be made.
    """
    folder = CACHE / name
    if not (folder / ".installed").exists():
        print(f"installing {name} into {folder}", flush=True)
        for command in (
            [sys.executable, "-m", "venv", str(folder)],
            [str(folder / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check", *packages],
        ):
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                raise Skipped(f"{name} cannot be installed: {done.stderr.strip()[-200:]}")
        (folder / ".installed").touch()
    return folder


@dataclass(slots=True)
class Load:
    """Sends events; each name stands for bodies of its own, built once and kept in `folder`."""

    folder: Path
    python: Path

    @classmethod
    def prepare(cls, folder: Path) -> Load:
        """Raises Skipped where the generator or its libraries are missing."""
        if not SHARED.exists():
            raise Skipped(f"no load generator at {SHARED}: set UPSHOT_SHARED")
        return cls(folder, environment("load", ["uvloop", "orjson", "sentry-sdk"]) / "bin" / "python")

    def bodies(self, name: str) -> Path:
        """Where the bodies of this name lie: a pickle of (event id, size, gzipped envelope)."""
        return self.folder / f"{name}.bodies"

    def build(self, name: str, count: int) -> None:
        """Makes `count` bodies without sending them."""
        if not self.bodies(name).exists():
            self._run("--url", "http://127.0.0.1:9", "--key", "x", "-n", str(count), "--max-seconds", "0", name=name)

    def send(self, target: Target, *, name: str, count: int, connections: int) -> dict[str, Any]:
        """Sends the first `count` bodies of this name; what the generator measured."""
        self.build(name, count)
        found = self._run(
            "--url", target.url, "--key", target.key, "--project", str(target.project), "-n", str(count), "-c", str(connections),
            name=name,
        )  # fmt: skip
        if found["accepted"] != count:
            raise RuntimeError(
                f"{count - found['accepted']} of {count} were not accepted: {found['status']} {found['errors']}"
            )
        return found

    def _run(self, *arguments: str, name: str) -> dict[str, Any]:
        done = subprocess.run(
            [str(self.python), str(SHARED), *arguments, "--groups", str(GROUPS), "--size", str(KILOBYTES), "--cache", str(self.bodies(name))],
            capture_output=True, text=True, check=False, timeout=600,
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(done.stderr[-1000:])
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer


@dataclass(frozen=True, slots=True)
class Target:
    """Where to send to."""

    url: str
    key: str = "x"
    project: int = 1
