from __future__ import annotations

import pytest

from deploys.domain.tickets import ticket_key


@pytest.mark.parametrize(
    "url",
    [
        "https://gitlab.example.com/acme/shop/-/issues/7",
        " https://GitLab.example.com/acme/Shop/issues/7/ ",
        "https://gitlab.example.com:443/acme/shop/-/work_items/7?show=x#note_1",
    ],
)
def test_the_addresses_of_one_ticket_are_one(url: str) -> None:
    assert ticket_key(url) == "gitlab.example.com/acme/shop/issues/7"


def test_a_board_that_shows_a_ticket_means_the_ticket() -> None:
    board = "https://acme.atlassian.net/jira/software/projects/SHOP/boards/1?selectedIssue=SHOP-12"

    assert (
        ticket_key(board)
        == ticket_key("https://acme.atlassian.net/browse/SHOP-12")
        == "acme.atlassian.net/browse/shop-12"
    )


def test_tickets_of_other_places_are_others() -> None:
    assert ticket_key("https://git.example.com:8443/a/b/issues/7") == "git.example.com:8443/a/b/issues/7"
    assert ticket_key("https://git.example.com/a/b/issues/7") != ticket_key("https://git.example.com/a/b/issues/70")


@pytest.mark.parametrize("url", ["", "SHOP-12", "ftp://a/b", "https://", "https://a.example", "javascript:alert(1)//x", "https://[x/y", "https://a:port/b"])  # fmt: skip
def test_what_is_no_address_means_none(url: str) -> None:
    assert ticket_key(url) == ""
