"""Headers of every answer."""

import pytest

from reliability.middleware import HEADERS


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/ui/", "/no-such-page/", "/"])
def test_every_answer_carries_the_policy(client, path):
    response = client.get(path)

    assert {name: response.headers.get(name) for name in HEADERS} == HEADERS


def test_the_policy_allows_nothing_inline():
    assert "unsafe" not in HEADERS["Content-Security-Policy"]
