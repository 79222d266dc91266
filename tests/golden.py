"""What was looked at once and must stay so: kept beside the tests, renewed on purpose.

    make golden

writes every golden file anew from what the code makes now; look at the difference before committing it.
"""

from __future__ import annotations

import os
from pathlib import Path

FOLDER = Path(__file__).parent / "reliability" / "golden"
RENEW = "RENEW_GOLDEN"


def golden(name: str, found: str) -> str:
    """The kept text of this name; with RENEW_GOLDEN=1 what was found becomes it."""
    path = FOLDER / name
    if os.environ.get(RENEW) == "1":
        path.write_text(found, encoding="utf-8")
    assert path.is_file(), f"no golden file {name}: make golden, then look at it"
    return path.read_text(encoding="utf-8")
