"""Objectives go out as OpenSLO and come in again."""

from __future__ import annotations

import io

import pytest
from django.core.management import CommandError, call_command

from deploys.models import Fact
from reliability.actions.objectives import set_objective
from reliability.models import Objective
from tests.factories.catalog import TeamFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("noon")]


def printed(*arguments: str) -> str:
    out = io.StringIO()
    call_command("openslo", *arguments, stdout=out, stderr=out)
    return out.getvalue()


def test_what_one_team_prints_another_takes(tmp_path) -> None:
    one, other = TeamFactory.create(slug="one"), TeamFactory.create(slug="other")
    set_objective(team=one, payload={"id": "whole", "target": 0.999, "window_days": 28}, by=None)
    set_objective(team=one, payload={"id": "shop", "service": "shop", "target": 0.95, "sli": "requests", "calendar": "month"}, by=None)  # fmt: skip
    path = tmp_path / "slos.yaml"
    path.write_text(printed("--team", "one"))

    said = printed(str(path), "--team", "other")

    assert said == "2 set, 0 refused\n"
    assert printed("--team", "other") == path.read_text()
    count = Fact.objects.count()
    printed(str(path), "--team", "other")
    assert Fact.objects.count() == count
    assert Objective.objects.filter(team=other).count() == 2


def test_refusals_are_named_and_end_with_three(tmp_path) -> None:
    TeamFactory.create()
    path = tmp_path / "slos.yaml"
    path.write_text("kind: SLO\nmetadata: {name: web}\napiVersion: openslo/v2")

    with pytest.raises(SystemExit) as end:
        printed(str(path))
    assert end.value.code == 3
    path.write_text("a: [")
    with pytest.raises(CommandError, match="not OpenSLO"):
        printed(str(path))
