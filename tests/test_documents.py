"""What the README and the documents say is true: commands run, links lead somewhere."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from deploys.domain.signatures import StandardWebhooks
from tests.instance import Instance, eventually, running

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "CHANGELOG.md",
    *sorted((ROOT / "docs").rglob("*.md")),
]


def blocks(document: Path, language: str) -> list[str]:
    """The fenced blocks of one language."""
    return re.findall(rf"^```{language}\n(.*?)^```", document.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    dead = []
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        path, _, anchor = target.partition("#")
        if re.match(r"[a-z]+:", target) or path.startswith("/"):
            continue
        found = document if not path else (document.parent / path)
        if not found.exists():
            dead.append(target)
        elif anchor and found.suffix == ".md":
            headings = re.findall(r"^#+ (.*)$", found.read_text(encoding="utf-8"), re.MULTILINE)
            anchors = {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}
            if anchor not in anchors:
                dead.append(target)
    assert dead == []


def test_every_make_target_named_in_the_documents_exists() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z][a-z-]*):", makefile, re.MULTILINE))
    named = {
        name
        for document in DOCUMENTS
        for name in re.findall(r"(?:`|^    )make ([a-z][a-z-]+)", document.read_text(encoding="utf-8"), re.MULTILINE)
    }

    assert named - targets == set()
    assert {"demo", "test", "run"} <= named


def test_every_management_command_named_in_the_documents_exists() -> None:
    commands = {
        path.stem
        for room in ("deploys", "incidents", "reliability")
        for path in (ROOT / room / "management" / "commands").glob("[a-z]*.py")
    }
    named = {
        name
        for document in DOCUMENTS
        for name in re.findall(r"manage\.py ([a-z_]+)", document.read_text(encoding="utf-8"))
    }

    assert named - commands - {"migrate", "runserver", "shell", "check", "makemigrations", "spectacular"} == set()


@pytest.mark.processes
def test_the_two_snippets_of_the_readme_work_as_written(tmp_path: Path) -> None:
    (curl,) = blocks(ROOT / "README.md", "sh")
    (python,) = blocks(ROOT / "README.md", "python")

    with running(tmp_path / "data") as instance:
        made = instance.provision("acme/shop")
        environment = {
            **os.environ,
            "UPSHOT_URL": instance.url,
            "UPSHOT_TOKEN": made["deploy_token"],
            "CI_JOB_ID": "42",
        }
        answer = subprocess.run(
            ["sh", "-c", curl], env=environment, capture_output=True, text=True, check=True, timeout=30
        ).stdout
        program = (
            re.sub(r'dsn="[^"]+"', f'dsn="{made["dsn"]}"', python)
            + "\nsentry_sdk.capture_message('hello')\nsentry_sdk.flush(10)\n"
        )
        subprocess.run([sys.executable, "-c", program], check=True, timeout=60)

        assert (json.loads(answer)["service"], json.loads(answer)["status"]) == ("shop", "success")
        assert has_event(instance)


def has_event(instance: Instance) -> bool:
    """Whether what the SDK sent was taken in."""
    script = "from incidents.models import ErrorEvent, InboxItem; print(ErrorEvent.objects.count() + InboxItem.objects.count())"
    return eventually(
        lambda: instance.manage("shell", "-v0", "-c", script).strip() == "1", seconds=30, what="the event"
    )


def test_the_check_of_a_webhooks_signature_works_as_written() -> None:
    (program,) = blocks(ROOT / "docs" / "notifications.md", "python")
    known: dict[str, Any] = {}
    exec(program, known)  # noqa: S102 -- that is the test
    secret, other = "whsec_" + "a" * 43 + "=", "whsec_" + "b" * 43 + "="
    at = str(int(time.time()))
    sign = StandardWebhooks()
    signatures = [sign.value(each, b"{}", message_id="m", at=at) for each in (other, secret)]
    headers = {"webhook-id": "m", "webhook-timestamp": at, "webhook-signature": " ".join(signatures)}

    assert known["is_genuine"](headers, b"{}", secret)
    assert not known["is_genuine"](headers, b"{ }", secret)
    assert not known["is_genuine"]({**headers, "webhook-signature": signatures[0]}, b"{}", secret)
    assert not known["is_genuine"]({**headers, "webhook-timestamp": "1"}, b"{}", secret)
