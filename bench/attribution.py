"""Plays drawn histories through `manage.py replay` and scores the answers: the promise, measured at the front door.

    python bench/attribution.py [--seeds 1-10] [--families public] [--out DIR] [--by-family]

Uses the generator and the scorer in UPSHOT_SHARED (default ../shared) and the database that is configured. Prints the
score of both readings and the seconds each replay took.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SHARED = Path(os.environ.get("UPSHOT_SHARED", ROOT.parent / "shared")) / "attribution"
sys.path.insert(0, str(SHARED))


def replayed(folder: Path, events: list[dict]) -> float:
    """Writes the history, replays it; seconds it took."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "events.jsonl").open("w") as file:
        file.writelines(json.dumps(event, separators=(",", ":")) + "\n" for event in events)
    begun = time.monotonic()
    subprocess.run(
        [
            sys.executable, "manage.py", "replay", str(folder / "events.jsonl"),
            "--answers-live", str(folder / "live.json"), "--answers-closed", str(folder / "closed.json"),
        ],
        cwd=ROOT, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    return time.monotonic() - begun


def main() -> None:
    """Draw, replay, score."""
    import scenarios  # noqa: PLC0415 -- lives in the shared folder
    import score  # noqa: PLC0415 -- lives in the shared folder

    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--seeds", default="1-10")
    parser.add_argument("--families", default="public")
    parser.add_argument("--plugin", action="append", default=[])
    parser.add_argument("--out", type=Path)
    parser.add_argument("--by-family", action="store_true")
    args = parser.parse_args()
    for path in args.plugin:
        scenarios.load_plugin(path)
    low, _, high = args.seeds.partition("-")
    with tempfile.TemporaryDirectory() as scratch:
        out = args.out or Path(scratch)
        pairs: dict[str, list] = {"live": [], "closed": []}
        for seed in range(int(low), int(high or low) + 1):
            events, truth = scenarios.generate(scenarios.select(args.families), seed)
            took = replayed(out / str(seed), events)
            (out / str(seed) / "truth.json").write_text(json.dumps(truth))
            print(f"seed {seed}: {len(events)} lines in {took:.0f} s", flush=True)
            for when, rows in pairs.items():
                rows.append((truth, json.loads((out / str(seed) / f"{when}.json").read_text())))
        for when, rows in pairs.items():
            print(f"--- {when}\n{score.show(score.score(rows), args.by_family)}")


if __name__ == "__main__":
    main()
