"""Fails when a package's coverage falls below its floor: 100 % on the pure domain, 90 % elsewhere and in all.

Lower only where the code mostly runs in processes of its own, which the tests start and nobody counts.

python .ci/coverage_floors.py build/coverage.json
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from pathlib import Path

DOMAIN = {"deploys/domain": 100.0, "incidents/domain": 100.0, "reliability/domain": 100.0}
APART = {"deploys": 85.0, "incidents": 75.0, "reliability": 65.0, "reliability/management": 45.0}
FLOORS = DOMAIN | APART
OTHERS = 90.0


def package_of(name: str) -> str:
    """The room and floor a file belongs to."""
    parts = Path(name).parts
    return "/".join(parts[:2]) if len(parts) > 2 else parts[0]


def main() -> int:
    """Prints a line per package; 1 when one is below its floor."""
    report = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    counted: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    missing: dict[str, list[str]] = defaultdict(list)
    for name, file in report["files"].items():
        summary = file["summary"]
        for package in (package_of(name), "all"):
            counted[package][0] += summary["covered_lines"] + summary["covered_branches"]
            counted[package][1] += summary["num_statements"] + summary["num_branches"]
        if file["missing_lines"] or file["missing_branches"]:
            missing[package_of(name)].append(
                f"{name}: lines {file['missing_lines']} branches {file['missing_branches']}"
            )
    failed = False
    for package, (covered, total) in sorted(counted.items()):
        percent = 100.0 if total == 0 else 100 * covered / total
        floor = FLOORS.get(package, OTHERS)
        short = percent < floor
        failed = failed or short
        print(f"{percent:6.1f} %  {package}{f'   below its floor of {floor:g} %' if short else ''}")
        if short:
            print("\n".join(f"          {line}" for line in missing[package]))
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
