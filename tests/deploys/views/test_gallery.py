"""The page of all pieces renders, under the policy."""

import pytest


@pytest.mark.django_db
def test_gallery_shows_every_piece(client):
    response = client.get("/ui/")

    html = response.content.decode()
    assert response.status_code == 200
    assert " style=" not in html
    for piece in ("clocks", "suspect", "ledger", "chips", "timeline", "tiles", "snippet", "waiting", "panel", "notice", "days", "budget", "pages"):  # fmt: skip
        assert f'class="{piece}' in html, piece


@pytest.mark.django_db
def test_gallery_says_no_undefined_value(client):
    html = client.get("/ui/").content.decode()

    assert ">None<" not in html
    assert "{{" not in html
    assert "{%" not in html
