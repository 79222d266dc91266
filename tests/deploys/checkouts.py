"""Git repositories made by tests, and jobs run in them as a CI runs them."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Checkout:
    """A working copy. `environment` is all that its jobs see, beside PATH and HOME."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)

    def git(self, *arguments: str, **more: str) -> str:
        """Runs git, as somebody; what it prints."""
        who = ["-c", "user.name=Dev One", "-c", "user.email=dev@example.com", "-c", "commit.gpgsign=false"]
        done = subprocess.run(
            ["git", *who, *arguments], cwd=self.folder, check=True, capture_output=True, text=True,
            env={**os.environ, "HOME": str(self.folder.parent), **more},
        )  # fmt: skip
        return done.stdout.strip()

    def commit(self, title: str, path: str = "", minute: int = 0) -> str:
        """Changes one file in one commit, so many minutes past noon; its hash."""
        file = self.folder / (path or f"{title.replace(' ', '-')}.txt")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(title, encoding="utf-8")
        at = f"2026-03-03T12:{minute:02}:00Z"
        self.git("add", ".")
        self.git("commit", "--quiet", "-m", title, GIT_AUTHOR_DATE=at, GIT_COMMITTER_DATE=at)
        return self.git("rev-parse", "HEAD")

    def run(self, *command: str, text: str | None = None, seconds: float = 90) -> subprocess.CompletedProcess[str]:
        """Runs a command of a job."""
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.folder.parent), **self.environment}
        return subprocess.run(
            command, cwd=self.folder, env=environment, capture_output=True, text=True, input=text, check=False,
            timeout=seconds,
        )  # fmt: skip


def repository(folder: Path, **environment: str) -> Checkout:
    """A new repository with one commit."""
    folder.mkdir(parents=True)
    made = Checkout(folder, environment)
    made.git("init", "--quiet", "--initial-branch=main")
    made.commit("begin")
    return made
