"""What browsers load: vendored files are what their list says, our own stay small, and nothing is inline or from afar."""

import gzip
import hashlib
import re
import tomllib

import pytest
from django.conf import settings
from plotly.offline import get_plotlyjs_version

STATIC = settings.BASE_DIR / "static"
TEMPLATES = settings.BASE_DIR / "templates"
VENDORED = tomllib.loads((STATIC / "vendor" / "VENDORED.toml").read_text())["file"]


def size(*paths):
    return sum(len(gzip.compress(path.read_bytes(), 9)) for path in paths)


def test_vendored_files_are_the_listed_ones():
    listed = {entry["name"]: entry["sha256"] for entry in VENDORED}

    found = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in (STATIC / "vendor").glob("*.js")}

    assert found == listed


def test_the_vendored_list_holds_no_address():
    assert "://" not in (STATIC / "vendor" / "VENDORED.toml").read_text()


def test_chart_library_is_the_one_our_figures_are_made_for():
    bundle = next(entry for entry in VENDORED if entry["package"].startswith("plotly"))

    assert bundle["version"] == get_plotlyjs_version()
    assert f"v{bundle['version']}" in (STATIC / "vendor" / bundle["name"]).read_text()[:200]


def test_style_sheets_fit_their_budget():
    assert size(*(STATIC / "css").glob("*.css")) <= 12 * 1024


def test_own_scripts_fit_their_budget():
    assert size(*(STATIC / "js").glob("*.js")) <= 8 * 1024


def test_colours_stand_in_the_token_file_only():
    literal = re.compile(r"#[0-9a-f]{3,8}\b|\b(?:oklch|rgba?|hsl)\(", re.IGNORECASE)

    guilty = [
        path.name
        for path in (STATIC / "css").glob("*.css")
        if path.name != "tokens.css" and literal.search(path.read_text())
    ]

    assert guilty == []


@pytest.mark.parametrize("path", sorted(TEMPLATES.rglob("*.html")), ids=lambda path: str(path.relative_to(TEMPLATES)))
def test_templates_obey_the_policy(path):
    source = path.read_text()
    goes_out = bool({"email", "pdf"} & set(path.relative_to(TEMPLATES).parts))  # read where no policy holds

    assert goes_out or not re.search(r"\sstyle=|<style|\son[a-z]+=|javascript:|hx-on", source)
    assert not re.search(r"<script(?![^>]*\ssrc=)", source)
    assert not re.search(r"(?:src|href)=\"https?://", source)
