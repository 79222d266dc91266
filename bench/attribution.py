"""Plays drawn histories through `manage.py replay` and scores the answers: the promise, measured at the front door.

    python bench/attribution.py [--seeds 1-40] [--families public] [--vocabulary NAME|each] [--out DIR] [--by-family]

Uses the generator and the scorer in UPSHOT_SHARED (default ../shared) and the database that is configured. Prints the
score of both readings beside five naive rules, and the seconds each replay took. With --out, a history whose answers lie
there already is not played again.
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
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
SHARED = Path(os.environ.get("UPSHOT_SHARED", ROOT.parent / "shared")) / "attribution"
sys.path[:0] = [str(SHARED), str(ROOT / "bench")]

from attribution_rules import RULES, Facts, answered  # noqa: E402

READINGS = ("live", "closed")


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


def row(name: str, result: dict[str, Any]) -> str:
    """One line of the table."""
    cause, sure = result["cause"], result["calibration"]

    def percent(share: dict[str, Any]) -> str:
        return f"{100 * share['value']:.1f} % ({share['k']}/{share['n']})" if share["value"] is not None else "–"

    return (
        f"| {name} | {percent(cause['top1'])} | {percent(cause['top3'])} | {percent(cause['false_blame'])}"
        f" | {percent(cause['named_precision'])} | {sure['ece']:.3f} |"
    )


def main() -> None:
    """Draw, replay, score."""
    import scenarios  # noqa: PLC0415 -- lives in the shared folder
    import score  # noqa: PLC0415 -- lives in the shared folder

    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--seeds", default="1-40")
    parser.add_argument("--families", default="public")
    parser.add_argument("--vocabulary", help="of the plug-in; each: one after the other")
    parser.add_argument("--plugin", action="append", default=[])
    parser.add_argument("--out", type=Path)
    parser.add_argument("--by-family", action="store_true")
    args = parser.parse_args()
    for path in args.plugin:
        scenarios.load_plugin(path)
    low, _, high = args.seeds.partition("-")
    with tempfile.TemporaryDirectory() as scratch:
        out = args.out or Path(scratch)
        pairs: dict[str, list] = {name: [] for name in (*RULES, *READINGS)}
        for seed in range(int(low), int(high or low) + 1):
            others = sorted(set(scenarios.VOCABULARIES) - {"python"})
            vocabulary = others[seed % len(others)] if args.vocabulary == "each" else args.vocabulary
            events, truth = scenarios.generate(scenarios.select(args.families), seed, vocabulary=vocabulary)
            folder = out / str(seed)
            if not (folder / "closed.json").exists():
                took = replayed(folder, events)
                print(f"seed {seed}: {len(events)} lines in {took:.0f} s", flush=True)
            (folder / "truth.json").write_text(json.dumps(truth))
            said = {when: json.loads((folder / f"{when}.json").read_text()) for when in READINGS}
            facts = Facts(events)
            for when in READINGS:
                pairs[when].append((truth, said[when]))
            for name, rule in RULES.items():
                pairs[name].append((truth, answered(rule, facts, said["closed"])))
        print("\n| system | top-1 | top-3 | false blame | named right | ECE |\n|---|---|---|---|---|---|")
        for name, rows in pairs.items():
            print(row(f"Upshot, {name}" if name in READINGS else name, score.score(rows)))
        for when in READINGS:
            print(f"--- {when}\n{score.show(score.score(pairs[when]), args.by_family)}")


if __name__ == "__main__":
    main()
