"""What the tests of pages of this room share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from deploys import clock
from tests.incidents.views.pages import LATER


@pytest.fixture
def half_past() -> Iterator[None]:
    """The clock stands at LATER."""
    with clock.at(LATER):
        yield
