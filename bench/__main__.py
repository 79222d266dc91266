"""Every measurement that `make bench` takes, one after the other. Arguments go to each.

Scaling out needs PostgreSQL and takes longer than the rest: `python -m bench.scale` by itself.
"""

from __future__ import annotations

import sys

from bench import deploys, disturbed, flags, ingest, monitors, pages, reports, verdicts


def main() -> None:
    """Runs them."""
    print("## Ingest\n", flush=True)
    ingest.main(sys.argv[1:])
    print("\n## While something else goes on\n", flush=True)
    disturbed.main(sys.argv[1:])
    print("\n## Pages\n", flush=True)
    pages.main(sys.argv[1:])
    print("\n## Deploys\n", flush=True)
    deploys.main(sys.argv[1:])
    print("\n## Verdicts\n", flush=True)
    verdicts.main(sys.argv[1:])
    print("\n## Reports\n", flush=True)
    reports.main(sys.argv[1:])
    print("\n## Flags\n", flush=True)
    flags.main(sys.argv[1:])
    print("\n## Monitors\n", flush=True)
    monitors.main(sys.argv[1:])


if __name__ == "__main__":
    main()
