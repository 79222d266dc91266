"""A tree of processes as one thing: its memory, its processor time (Linux)."""

from __future__ import annotations

import contextlib
import os
import threading
from dataclasses import dataclass, field
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


def tree(root: int) -> list[int]:
    """The process and all that descend from it, the root first. Empty when it has ended."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                children.setdefault(parent, []).append(int(entry.name))
    found = [root] if Path(f"/proc/{root}").exists() else []
    for pid in found:
        found += children.get(pid, [])
    return found


def pss_bytes(pid: int) -> int:
    """Its proportional share of memory; 0 when it has ended."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0


def cpu_seconds(pid: int) -> float:
    """User and system time of the process and of its children that have ended."""
    with contextlib.suppress(OSError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return sum(int(each) for each in fields[11:15]) / _TICKS
    return 0.0


def name(pid: int) -> str:
    """What runs there, short: the supervisor, the server, the worker."""
    with contextlib.suppress(OSError):
        words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
        for word in ("granian", "reliability.worker", "celery", "snappea", "gunicorn", "supervisor", "serve"):
            if any(word in each for each in words):
                return word
        return Path(words[0]).name
    return "ended"


@dataclass(slots=True)
class Group:
    """The processes under some roots. `sample` looks at their memory until `close`, and keeps the peak."""

    roots: list[int]
    peak: int = 0
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def pids(self) -> list[int]:
        """All that live now."""
        return [pid for root in self.roots for pid in tree(root)]

    def pss(self) -> int:
        """Bytes of all together."""
        return sum(pss_bytes(pid) for pid in self.pids())

    def parts(self) -> dict[str, int]:
        """Bytes by process."""
        return {f"{name(pid)} {pid}": pss_bytes(pid) for pid in self.pids()}

    def cpu(self) -> float:
        """Seconds of all together. Take the difference of two readings."""
        return sum(cpu_seconds(pid) for pid in self.pids())

    def sample(self, seconds: float = 0.5) -> None:
        """Starts to watch the peak."""

        def look() -> None:
            while not self._stop.wait(seconds):
                self.peak = max(self.peak, self.pss())

        self._stop.clear()
        self.peak = self.pss()
        self._thread = threading.Thread(target=look, daemon=True)
        self._thread.start()

    def close(self) -> int:
        """Stops watching; the peak in bytes."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
        return self.peak
