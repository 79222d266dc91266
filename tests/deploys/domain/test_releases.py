"""Whether two names stand for one version."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploys.domain.releases import bare_version, is_older_version, is_same_version


@pytest.mark.parametrize(
    ("told", "bare"),
    [
        ("1.4.2", "1.4.2"),
        ("shop@1.4.2", "1.4.2"),
        ("@scope/shop@1.4.2", "1.4.2"),
        ("v1.4.2", "1.4.2"),
        ("refs/tags/v1.4.2", "1.4.2"),
        (" Release-7 ", "release-7"),
        ("victory", "victory"),
        ("v", "v"),
        ("shop@", "shop@"),
        ("", ""),
    ],
)
def test_the_version_in_a_release_name(told: str, bare: str) -> None:
    assert bare_version(told) == bare


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("shop@1.4.2", "v1.4.2"),
        ("9f86d081884c7d659a2feaa0c55ad015a3bf4f1b", "9f86d08"),
        ("shop@9F86D08", "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b"),
    ],
)
def test_names_of_one_version(one: str, other: str) -> None:
    assert is_same_version(one, other)
    assert is_same_version(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("1.4.2", "1.4.20"),
        ("1.4.2", "1.4.2+build.7"),
        ("9f86d0", "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b"),
        ("2026112", "20261121"),
        ("", ""),
        ("", "1.4.2"),
    ],
)
def test_names_of_two_versions(one: str, other: str) -> None:
    assert not is_same_version(one, other)
    assert not is_same_version(other, one)


@pytest.mark.parametrize(
    ("one", "than", "is_older"),
    [
        ("shop@1.4.9", "1.4.10", True),
        ("1.4", "1.4.1", True),
        ("1.5.0", "1.4.9", False),
        ("1.4.2", "1.4.2", False),
        ("9f86d08", "1.4.2", False),
        ("1.4.2", "9f86d08", False),
        ("1.4.2-rc.1", "1.5.0", True),
    ],
)
def test_only_dotted_numbers_have_an_order(one: str, than: str, is_older: bool) -> None:
    assert is_older_version(one, than) is is_older


@given(st.text(max_size=60), st.text(max_size=60))
def test_sameness_is_symmetric_and_names_equal_themselves(one: str, other: str) -> None:
    assert is_same_version(one, other) == is_same_version(other, one)
    assert is_same_version(one, one) == bool(bare_version(one))
    assert not (is_older_version(one, other) and is_older_version(other, one))
