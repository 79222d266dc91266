"""What incidents say of changes, as far as deploys must know."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class ChangeLinks:
    """Counted incidents as they bear on changes, by the change's key: what ended one, and when harm laid at one began.

    `first_harm_at` is the start of the earliest incident that a confirmed, possible link blames on the deploy.
    """

    remedy_ids: frozenset[int] = frozenset()
    first_harm_at: Mapping[int, dt.datetime] = field(default_factory=dict)
