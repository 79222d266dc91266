from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploys.domain.signatures import SignatureVerdict, github_signature, verify_github


def test_the_vector_of_githubs_documentation() -> None:
    signature = github_signature("It's a Secret to Everybody", b"Hello, World!")

    assert signature == "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"


@pytest.mark.parametrize(
    ("header", "verdict"),
    [
        (None, SignatureVerdict.MISSING),
        ("", SignatureVerdict.MISSING),
        ("sha256=", SignatureVerdict.INVALID),
        ("sha1=757107ea", SignatureVerdict.INVALID),
        ("sha256=\xfcber", SignatureVerdict.INVALID),
        ("sha256=\udce4", SignatureVerdict.INVALID),
        (github_signature("new", b"body").removeprefix("sha256="), SignatureVerdict.INVALID),
        (github_signature("new", b"body"), SignatureVerdict.VALID),
        (github_signature("old", b"body"), SignatureVerdict.VALID_PREVIOUS),
        (github_signature("other", b"body"), SignatureVerdict.INVALID),
    ],
)
def test_verdicts(header: str | None, verdict: SignatureVerdict) -> None:
    assert verify_github(header, b"body", secrets=["new", "old"]) == verdict


@given(header=st.text(), body=st.binary(), secret=st.text())
def test_nothing_makes_it_fail(header: str, body: bytes, secret: str) -> None:
    assert verify_github(header, body, secrets=[secret]) in SignatureVerdict


@pytest.mark.conformance
def test_recorded_vectors(shared: Path) -> None:
    fixtures = shared / "fixtures"
    vectors = json.loads((fixtures / "signatures" / "vectors.json").read_text())["vectors"]
    checked = 0
    for vector in vectors:
        if vector["scheme"] != "github":
            continue
        body = (
            base64.b64decode(vector["body_b64"])
            if "body_b64" in vector
            else (fixtures / vector["body_file"]).read_bytes()
        )
        verdict = verify_github(vector["headers"].get("X-Hub-Signature-256"), body, secrets=[vector["secret"]])
        assert (verdict is SignatureVerdict.VALID) == vector["valid"], vector["why"]
        checked += 1
    assert checked >= 7
