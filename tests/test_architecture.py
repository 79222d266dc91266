"""What holds the house: rooms, floors, sizes, and the few things a linter cannot see."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from django.apps import apps

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("deploys", "incidents", "reliability")
HEIGHT = {room: height for height, room in enumerate(ROOMS)}
LIMIT = 600


def own_files(*patterns: str) -> list[Path]:
    """Files of the project that git knows or would take, vendored ones apart."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", *patterns],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode:
        pytest.skip("not a git checkout")
    return [
        ROOT / name
        for name in listed.stdout.splitlines()
        if not name.startswith("static/vendor/") and (ROOT / name).is_file()
    ]


def python_of(room: str) -> list[Path]:
    return [path for path in sorted((ROOT / room).rglob("*.py")) if "migrations" not in path.parts]


def test_foreign_keys_point_left_and_leave_no_trace() -> None:
    wrong = []
    for room in ROOMS:
        for model in apps.get_app_config(room).get_models():
            for field in model._meta.get_fields():
                target = getattr(field, "related_model", None)
                if field.auto_created or target is None or target._meta.app_label not in HEIGHT:
                    continue
                there = target._meta.app_label
                if HEIGHT[there] > HEIGHT[room]:
                    wrong.append(f"{model.__name__}.{field.name} points right, to {target.__name__}")
    assert wrong == []


def test_no_lower_room_names_a_higher_one() -> None:
    wrong = []
    for room in ROOMS:
        higher = [each for each in ROOMS if HEIGHT[each] > HEIGHT[room]]
        for path in python_of(room):
            text = path.read_text(encoding="utf-8")
            wrong += [
                f"{path.relative_to(ROOT)} asks for {name}"
                for name in higher
                if re.search(rf"get_model\(\s*['\"]{name}", text)
            ]
    assert wrong == []


def test_one_clock() -> None:
    forbidden = re.compile(
        r"timezone\.now\(|datetime\.(now|utcnow|today)\(|auto_now|\bNow\(\)|db\.models\.functions import .*\bNow\b"
    )
    wrong = [
        str(path.relative_to(ROOT))
        for room in ROOMS
        for path in python_of(room)
        if path.name != "clock.py" and forbidden.search(path.read_text(encoding="utf-8"))
    ]
    assert wrong == []


def test_no_module_is_longer_than_a_reader_can_hold() -> None:
    long = {
        str(path.relative_to(ROOT)): lines
        for path in own_files("*.py", "*.html", "*.css", "*.js")
        if "migrations" not in path.parts and (lines := path.read_text(encoding="utf-8").count("\n")) > LIMIT
    }
    assert long == {}


def test_no_nameless_modules() -> None:
    nameless = {"utils.py", "helpers.py", "common.py", "misc.py", "handlers.py", "managers.py"}
    assert [str(path.relative_to(ROOT)) for room in ROOMS for path in python_of(room) if path.name in nameless] == []


def test_pages_have_no_inline_style_or_script() -> None:
    inline = re.compile(r"\sstyle=|\son[a-z]+=\"|<script(?![^>]*\bsrc=)(?![^>]*type=\"application/json\")[^>]*>|<style")
    wrong = [
        str(path.relative_to(ROOT))
        for path in own_files("templates/*.html")
        if not {"email", "pdf"} & set(path.parts) and inline.search(path.read_text(encoding="utf-8"))
    ]
    assert wrong == []


def test_lock_files_hold_no_address() -> None:
    for path in own_files("requirements*.txt", "*package-lock.json"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"https?://|--index-url|--find-links", text), path.name


def test_every_requirement_carries_hashes() -> None:
    for name in ("requirements.txt", "requirements-pdf.txt", "requirements-dev.txt"):
        blocks = re.split(r"\n(?=[A-Za-z0-9])", (ROOT / name).read_text(encoding="utf-8").strip())
        assert [block.splitlines()[0] for block in blocks if "--hash=sha256:" not in block] == []


def test_silenced_checks_say_why() -> None:
    bare = re.compile(r"#\s*noqa(?!: [A-Z0-9, ]+ -- )|#\s*type: ignore(?!\[[a-z-, ]+\]\s+#)")
    wrong = [
        f"{path.relative_to(ROOT)}:{number}"
        for room in ROOMS
        for path in python_of(room)
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if bare.search(line)
    ]
    assert wrong == []
