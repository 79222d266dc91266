"""The page of figures renders."""

import pytest


@pytest.mark.django_db
def test_every_figure_has_a_sentence_and_a_table(client):
    html = client.get("/ui/figures/").content.decode()

    assert html.count("data-chart=") == html.count('role="img" aria-label="') == html.count("As a table") == 5
