"""One-time links work once, for a while."""

import datetime as dt

import pytest

from deploys.actions import links
from deploys.models import OneTimeLink
from tests.conftest import NOON
from tests.factories.catalog import MembershipFactory, UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.database]


def secret_in(path: str) -> str:
    return path.removeprefix("/link/").rstrip("/")


def test_a_link_works_once() -> None:
    link = links.look_up(secret_in(links.make_sign_in_link(user=UserFactory(), now=NOON)), now=NOON)

    links.use(link, now=NOON)

    with pytest.raises(links.UnusableLink, match="used before"):
        links.use(link, now=NOON)
    assert OneTimeLink.objects.get().used_at == NOON


def test_a_used_link_is_refused_with_the_reason() -> None:
    secret = secret_in(links.make_setup_link(now=NOON))
    links.use(links.look_up(secret, now=NOON), now=NOON)

    with pytest.raises(links.UnusableLink, match="used before"):
        links.look_up(secret, now=NOON)


def test_a_link_ends_by_itself() -> None:
    secret = secret_in(links.make_setup_link(now=NOON))

    with pytest.raises(links.UnusableLink, match="too old"):
        links.look_up(secret, now=NOON + dt.timedelta(hours=24))


def test_a_new_setup_link_ends_the_earlier_one() -> None:
    first = secret_in(links.make_setup_link(now=NOON))
    links.make_setup_link(now=NOON)

    with pytest.raises(links.UnusableLink, match="too old"):
        links.look_up(first, now=NOON)


def test_an_unknown_link_is_refused() -> None:
    with pytest.raises(links.UnusableLink, match="not known"):
        links.look_up("nothing", now=NOON)


def test_the_secret_is_not_stored() -> None:
    member = MembershipFactory()

    secret = secret_in(
        links.make_invitation(team=member.team, role="viewer", by=member.user, now=NOON, email=" New@Example.org ")
    )

    row = OneTimeLink.objects.get()
    assert secret not in {row.secret_hash, str(row.public_id)}
    assert (row.email, row.role, row.team) == ("new@example.org", "viewer", member.team)
