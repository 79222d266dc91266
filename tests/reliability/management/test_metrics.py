from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from deploys import clock
from deploys.models import Fact, Team
from reliability.management.history_files import Progress
from tests.factories.catalog import TeamFactory

LINES = [
    {"kind": "service", "payload": {"service": "shop"}},
    {
        "kind": "incident",
        "payload": {
            "id": "i",
            "services": ["shop"],
            "class": "downtime",
            "started_at": "2026-03-03T10:00:00Z",
            "restored_at": "2026-03-03T10:30:00Z",
        },
    },
    {"kind": "incident", "payload": {"id": "j"}},
]
WINDOW = ("--from", "2026-03-02", "--to", "2026-03-09")


@pytest.fixture
def history(tmp_path: Path) -> Path:
    path = tmp_path / "history.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + "\n".join(json.dumps(line) for line in LINES).encode() + b"\n\n")
    return path


def run(*words: str) -> tuple[str, str]:
    out, err = io.StringIO(), io.StringIO()
    call_command(*words, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def printed(*words: str) -> dict[str, Any]:  # Any: JSON
    result: dict[str, Any] = json.loads(run("metrics", *words)[0])  # Any: as above
    return result


def test_a_file_alone_is_enough_and_nothing_is_kept(history: Path) -> None:
    out, err = run("metrics", *WINDOW, "--zone", "UTC", "--as-of", "2026-04-01", "--history", str(history))

    assert json.loads(out)["total"]["availability"]["downtime_seconds"] == 1800
    assert err == "line 3: incident.services: missing\n"


def test_a_file_is_known_as_of_now_in_utc_unless_said_otherwise(history: Path) -> None:
    with clock.at(datetime(2026, 3, 3, 10, 10, tzinfo=UTC)):
        result = printed(*WINDOW, "--history", str(history))

    assert (result["window"]["zone"], result["window"]["as_of_at"]) == ("UTC", "2026-03-03T10:10:00Z")
    assert result["total"]["availability"]["downtime_seconds"] == 600


@pytest.mark.django_db
def test_the_database_answers_in_the_teams_zone(history: Path) -> None:
    with pytest.raises(SystemExit) as exit_status:
        run("import_history", str(history))
    Team.objects.update(zone="Europe/Berlin")

    result = printed(*WINDOW, "--as-of", "2026-04-01")

    assert exit_status.value.code == 3
    assert result["window"]["from_at"] == "2026-03-01T23:00:00Z"
    assert result["total"]["availability"]["downtime_seconds"] == 1800


@pytest.mark.django_db
def test_an_empty_database_answers_and_stays_empty() -> None:
    assert printed(*WINDOW)["services"] == {}
    assert Team.objects.count() == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--from", "2026-03-09", "--to", "2026-03-09"), "--to: expected an instant after --from"),
        (("--from", "soon", "--to", "2026-03-09"), "expected a date, a date-time or epoch seconds, got 'soon'"),
        ((*WINDOW, "--zone", "Mars"), "expected the name of a time zone"),
        ((*WINDOW, "--team", "nobody"), "--team: no team 'nobody'"),
        ((*WINDOW, "--history", "/nowhere"), "/nowhere: No such file or directory"),
    ],
)
@pytest.mark.django_db
def test_what_cannot_be_asked_is_said(words: tuple[str, ...], message: str) -> None:
    with pytest.raises(CommandError, match=message):
        run("metrics", *words)


@pytest.mark.django_db
def test_of_several_teams_one_must_be_named() -> None:
    first, _ = TeamFactory.create(), TeamFactory.create()

    with pytest.raises(CommandError, match="several teams exist, name one"):
        run("metrics", *WINDOW)
    with pytest.raises(CommandError, match="several teams exist, name one"):
        run("export_history")
    with pytest.raises(CommandError, match="several teams exist, name one"):
        run("import_history", "-")
    assert printed(*WINDOW, "--team", first.slug)["services"] == {}


@pytest.mark.django_db
def test_a_dry_run_only_tells(history: Path) -> None:
    with pytest.raises(SystemExit) as exit_status:
        run("import_history", str(history), "--dry-run", "--format", "json")

    assert exit_status.value.code == 3
    assert (Team.objects.count(), Fact.objects.count()) == (0, 0)


@pytest.mark.django_db
def test_strict_imports_nothing_if_one_line_is_refused(history: Path) -> None:
    with pytest.raises(SystemExit):
        run("import_history", str(history), "--strict")

    assert Fact.objects.count() == 0


@pytest.mark.django_db
def test_an_import_tells_what_it_did(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "history.jsonl"
    path.write_text("\n".join(json.dumps(line) for line in LINES[:2]))

    first, second = run("import_history", str(path)), run("import_history", str(path), "--format", "json", "--strict")

    assert first[0] == "imported 2 lines: 2 accepted, 0 known already, 0 refused\n"
    assert json.loads(second[0]) == {
        "lines_count": 2,
        "accepted_count": 0,
        "duplicate_count": 2,
        "refused_count": 0,
        "problems": [],
    }
    assert "importing 2 lines took" in capsys.readouterr().err


@pytest.mark.django_db
def test_detection_on_request_says_how_much_it_proposes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "history.jsonl"
    probe = {"kind": "probe", "payload": {"service": "shop", "at": "2026-03-03T10:00:00Z", "ok": True}}
    path.write_text("\n".join(json.dumps(line) for line in [LINES[0], probe]))

    out, err = run("import_history", str(path), "--detect")

    assert out == "imported 2 lines: 2 accepted, 0 known already, 0 refused\n"
    assert err == "0 incidents proposed; they count nowhere until somebody accepts them\n"
    assert "looking at 1 lines took" in capsys.readouterr().err


@pytest.mark.django_db
def test_an_export_reads_back(history: Path) -> None:
    with pytest.raises(SystemExit):
        run("import_history", str(history))

    lines = run("export_history")[0].splitlines()

    assert [json.loads(line) for line in lines] == [
        {"kind": "history", "payload": {"version": 1, "made_by": "Upshot"}},
        *LINES[:2],
    ]


def test_a_bar_is_drawn_on_a_terminal() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    progress = Progress(terminal, "importing")
    progress(20, 40)
    progress(40, 40)

    assert terminal.getvalue() == (
        f"\rimporting {'█' * 20}{'·' * 20} 20 of 40 lines\rimporting {'█' * 40} 40 of 40 lines\n"
    )
