from __future__ import annotations

import datetime as dt
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from deploys.models import FlagReference, FlagTrace
from tests.deploys.checkouts import repository
from tests.factories.catalog import TeamFactory
from tests.factories.flags import registered

pytestmark = pytest.mark.django_db


def test_a_checkout_is_scanned_and_what_went_is_traced_to_its_commit(tmp_path: Path, noon: dt.datetime) -> None:
    team, checkout, out = TeamFactory(), repository(tmp_path / "shop"), StringIO()
    registered(team)
    checkout.commit('on("new-cart")', "a.py", 1)

    call_command("scan_flags", team.slug, str(checkout.folder), repository="acme/shop", stdout=out)
    found = list(FlagReference.objects.values_list("key", "path", "line", "kind"))
    gone = checkout.commit("print(1)", "a.py", 2)
    call_command("scan_flags", team.slug, str(checkout.folder), repository="acme/shop", stdout=out)

    assert found == [("new-cart", "a.py", 1, "call")]
    assert out.getvalue().splitlines()[0] == "acme/shop: 1 places of 1 flags in 2 files, created"
    assert (FlagReference.objects.count(), FlagTrace.objects.get().gone_commit) == (0, gone)


@pytest.mark.parametrize(("slug", "folder"), [("nobody", "."), ("", "nowhere")])
def test_what_is_not_there_is_named(tmp_path: Path, slug: str, folder: str) -> None:
    team = TeamFactory()

    with pytest.raises(CommandError, match=r"no team|no such folder"):
        call_command("scan_flags", slug or team.slug, str(tmp_path / folder))


def test_a_folder_without_a_commit_has_no_version(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="no git checkout"):
        call_command("scan_flags", TeamFactory().slug, str(tmp_path))
