"""The page of what is going on now."""

import re

import pytest

from incidents.models import Cause, Incident
from tests.factories.catalog import MembershipFactory, TeamFactory

pytestmark = pytest.mark.django_db(databases="__all__")


def page(client, team):
    return client.get(f"/t/{team.slug}/").content.decode()


def text_of(html):
    return re.sub(r"\s+", " ", re.sub(r"<script.*?</script>|<[^>]+>", " ", html, flags=re.DOTALL)).replace(
        "\u00a0", " "
    )


def test_an_empty_team_is_told_the_next_step(client, team):
    html = page(client, team)

    assert "No service is known yet" in html
    assert f'href="/t/{team.slug}/start/service/"' in html


def test_nothing_going_on_is_one_line(client, team, tell):
    tell("service", service="cart")

    html = page(client, team)

    assert "There was no incident yet. No deploy is running." in text_of(html)
    assert 'class="now"' not in html


def test_what_is_open_running_and_burning_is_shown(client, team, tell):
    tell("service", service="cart")
    tell("objective", id="o1", service="cart", sli="time", target=0.999, window_days=28)
    tell("deploy", id="d1", service="cart", release="7.1", status="success", started_at=60, finished_at=55)
    tell("deploy", id="d2", service="cart", release="7.2", status="in_progress", started_at=3)
    tell("incident", id="i1", title="No order can be paid", services=["cart"], class_="downtime", started_at=10, detected_at=9,
         causes=[{"kind": "deploy", "id": "d1", "status": "suggested"}])  # fmt: skip
    Cause.objects.update(probability=0.97, by="model")

    text = text_of(page(client, team))

    assert "INC-1 No order can be paid downtime on cart, not acknowledged down for 10 min" in text
    assert "cart 7.1 is suspected, 97 % sure. Linked by the model; nobody has confirmed it yet." in text
    assert "cart 7.2 running for 3 min" in text
    assert "times too fast in the last hour" in text
    assert "Suspected with 97 %: cart 7.1 , 50 min before." in text


def test_confirmed_causes_are_lines_in_the_strip(client, team, tell):
    tell("service", service="cart")
    tell("deploy", id="d1", service="cart", release="7.1", status="success", started_at=60, finished_at=55)
    tell(
        "incident",
        id="i1",
        title="x",
        services=["cart"],
        class_="downtime",
        started_at=30,
        restored_at=20,
        causes=[{"kind": "deploy", "id": "d1"}],
    )

    html = page(client, team)

    assert "cart 7.1 caused INC-1 on cart." in html
    assert "Causes to decide" not in html


def test_dismissed_incidents_and_duplicates_are_not_open(client, team, tell):
    tell("service", service="cart")
    tell("incident", id="i1", title="seen twice", services=["cart"], class_="downtime", started_at=30)
    Incident.objects.update(is_dismissed=True)

    assert "seen twice" not in page(client, team)


def test_a_budget_of_requests_is_told_in_requests(client, team, tell):
    tell("service", service="cart")
    tell("objective", id="o1", service="cart", sli="requests", target=0.999, window_days=28)

    assert "requests" in text_of(page(client, team))


def test_the_band_can_be_asked_for_alone(client, team, tell):
    tell("service", service="cart")

    html = client.get(f"/t/{team.slug}/now/").content.decode()

    assert html.strip().startswith('<div id="now" hx-get="/t/shop/now/"')
    assert "<html" not in html


@pytest.mark.parametrize("path", ["", "now/"])
def test_strangers_see_nothing(client, team, path):
    other = TeamFactory()
    MembershipFactory(team=other)

    assert client.get(f"/t/{other.slug}/{path}").status_code == 404
    client.logout()
    assert client.get(f"/t/{team.slug}/{path}").status_code == 302


def story(tell, number):
    name = f"s{number}"
    tell("service", service=name)
    tell("objective", id=f"o{number}", service=name, sli="time", target=0.99, window_days=28)
    tell("deploy", id=f"d{number}", service=name, release="1", status="success", started_at=100, finished_at=90)
    tell("deploy", id=f"e{number}", service=name, release="2", status="in_progress", started_at=5)
    tell("flag", id=f"f{number}", key=f"flag{number}", at=200, new_percent=50, services=[name])
    tell("incident", id=f"i{number}", title="x", services=[name], class_="downtime", started_at=50, causes=[{"kind": "deploy", "id": f"d{number}", "status": "suggested"}])  # fmt: skip
    tell("maintenance", id=f"m{number}", services=[name], starts_at=300, ends_at=200, announced_at=5_000)


def test_queries_do_not_grow_with_services_and_incidents(client, team, tell, django_assert_num_queries):
    story(tell, 1)
    page(client, team)
    with django_assert_num_queries(41):
        page(client, team)
    for number in (2, 3):
        story(tell, number)
    page(client, team)

    with django_assert_num_queries(41):
        page(client, team)
