"""Treats every log as a long one: of it only what a window needs may be read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest

from reliability.queries import excerpts, knowledge


@contextmanager
def long_logs(*, short: timedelta = excerpts.SHORT) -> Iterator[None]:
    """While this holds, whoever reads a whole log fails. short: see `reliability.queries.excerpts.SHORT`."""
    knowledge.forget()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(knowledge, "SMALL_LOG", -1)
        patch.setattr(knowledge, "known_facts", None)
        patch.setattr(excerpts, "SHORT", short)
        yield
    knowledge.forget()
