"""Settings come from the environment, typed, and a bad one is named."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from reliability.environment import VARIABLES, BadVariable, Environment, unknown_names

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.mark.parametrize(
    ("values", "name", "expected"),
    [
        ({}, "PORT", 8000),
        ({"PORT": "81"}, "PORT", 81),
        ({"PORT": ""}, "PORT", 8000),
        ({}, "UPSHOT_BASE_URL", None),
        ({"UPSHOT_DEBUG": "Yes"}, "UPSHOT_DEBUG", True),
        ({"UPSHOT_DEBUG": "off"}, "UPSHOT_DEBUG", False),
        ({"UPSHOT_ALLOWED_HOSTS": "a, b,"}, "UPSHOT_ALLOWED_HOSTS", ["a", "b"]),
        ({"UPSHOT_CLOCK_OFFSET_SECONDS": "-1.5"}, "UPSHOT_CLOCK_OFFSET_SECONDS", -1.5),
        ({"UPSHOT_FAILPOINT": "digest.stored"}, "UPSHOT_FAILPOINT", ("digest.stored", 1)),
        ({"UPSHOT_FAILPOINT": "digest.stored:3"}, "UPSHOT_FAILPOINT", ("digest.stored", 3)),
    ],
)
def test_read(values: dict[str, str], name: str, expected: object) -> None:
    assert Environment(values).read(name) == expected


@pytest.mark.parametrize(
    ("name", "text"), [("PORT", "http"), ("PORT", "70000"), ("UPSHOT_DEBUG", "perhaps"), ("UPSHOT_WEB_THREADS", "0")]
)
def test_a_bad_value_is_named(name: str, text: str) -> None:
    with pytest.raises(BadVariable, match=f"^{name}: got '{text}'"):
        Environment({name: text}).read(name)


def test_a_secret_may_stand_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("s3cret\n")

    assert Environment({"UPSHOT_SECRET_KEY_FILE": str(tmp_path / "key")}).text("UPSHOT_SECRET_KEY") == "s3cret"


def test_a_missing_secret_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadVariable, match=r"^UPSHOT_SECRET_KEY_FILE: cannot read"):
        Environment({"UPSHOT_SECRET_KEY_FILE": str(tmp_path / "none")}).read("UPSHOT_SECRET_KEY")


def test_a_number_must_be_one() -> None:
    with pytest.raises(BadVariable, match=r"^UPSHOT_BASE_URL"):
        Environment({"UPSHOT_BASE_URL": "x"}).number("UPSHOT_BASE_URL")


def test_unknown_names_are_found() -> None:
    assert unknown_names(
        {"UPSHOT_DATABSE_URL": "x", "UPSHOT_DEBUG": "1", "UPSHOT_SECRET_KEY_FILE": "f", "HOME": "/"}
    ) == ["UPSHOT_DATABSE_URL"]


def test_every_setting_is_documented_and_no_other() -> None:
    documented = re.findall(
        r"^## `([A-Z_]+)`", (ROOT / "docs" / "settings.md").read_text(encoding="utf-8"), re.MULTILINE
    )

    assert documented == [variable.name for variable in VARIABLES]


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"UPSHOT_CLOCK_OFFSET_SECONDS": "5"}, "UPSHOT_CLOCK_OFFSET_SECONDS: refused"),
        ({"UPSHOT_FAILPOINT": "digest.stored"}, "UPSHOT_FAILPOINT: refused"),
        ({"UPSHOT_FAILPOINT": "digest.stored:x"}, "UPSHOT_FAILPOINT: "),
        ({"UPSHOT_DATABASE_URL": "mysql://x/y"}, "UPSHOT_DATABASE_URL: expected"),
        ({"UPSHOT_BASE_URL": "upshot.example"}, "UPSHOT_BASE_URL: expected"),
        ({"UPSHOT_LOG_LEVEL": "LOUD"}, "UPSHOT_LOG_LEVEL: expected"),
        ({"UPSHOT_SENTRY_DSN": "http://k@127.0.0.1:8000/1"}, "UPSHOT_SENTRY_DSN: this instance"),
        ({"UPSHOT_COLOUR": "red"}, "UPSHOT_COLOUR: no such setting"),
    ],
)
def test_a_bad_setting_stops_the_start(variables: dict[str, str], message: str, tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("UPSHOT_")}
    environment |= {"UPSHOT_DATA_DIR": str(tmp_path), **variables}

    done = subprocess.run(
        [sys.executable, "manage.py", "check"], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )

    assert done.returncode == 1
    assert message in done.stderr


def test_the_made_secret_key_is_private_and_stays(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("UPSHOT_")}
    environment["UPSHOT_DATA_DIR"] = str(tmp_path)
    command = [sys.executable, "-c", "import django.conf as c; print(c.settings.SECRET_KEY)"]
    environment["DJANGO_SETTINGS_MODULE"] = "reliability.settings"

    first, second = (
        subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True).stdout
        for _ in range(2)
    )

    assert first == second
    assert (tmp_path / "secret_key").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("variables", "allowed"),
    [
        ({}, "True"),
        ({"UPSHOT_BASE_URL": "https://upshot.example"}, "False"),
        ({"UPSHOT_ALLOW_PRIVATE_MONITORS": "0"}, "False"),
    ],
)
def test_private_monitors_are_for_those_who_sit_at_the_machine(
    variables: dict[str, str], allowed: str, tmp_path: Path
) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("UPSHOT_")}
    environment |= {"UPSHOT_DATA_DIR": str(tmp_path), "DJANGO_SETTINGS_MODULE": "reliability.settings", **variables}
    command = [sys.executable, "-c", "import django.conf as c; print(c.settings.ALLOW_PRIVATE_MONITORS)"]

    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)

    assert done.stdout.strip() == allowed
