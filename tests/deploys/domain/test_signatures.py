from __future__ import annotations

import base64
import datetime as dt
import hmac
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploys.domain.signatures import (
    GITHUB,
    BodyHashToken,
    Hmac,
    NamedHmac,
    Proof,
    Scheme,
    SignatureVerdict,
    StandardWebhooks,
    Token,
    any_equal,
    github_signature,
    is_far,
    verify,
)
from tests.conftest import NOON
from tests.factories.webhooks import proof_headers, url_safe

SCHEMES: dict[str, Scheme] = {
    "github": GITHUB,
    "gitlab-token": Token("X-Gitlab-Token"),
    "standard-webhooks": StandardWebhooks(),
    "circleci": Hmac("circleci-signature", prefix="v1=", many=True),
    "vercel": Hmac("x-vercel-signature", digest="sha1"),
    "heroku": Hmac("Heroku-Webhook-Hmac-SHA256", is_base64=True),
    "flux-generic-hmac": NamedHmac("X-Signature"),
    "bitbucket-cloud": Hmac("X-Hub-Signature", prefix="sha256="),
    "gitea": Hmac("X-Gitea-Signature"),
    "netlify-jws": BodyHashToken("X-Webhook-Signature", "netlify"),
    "address": Token(in_address=True),
}


def judged(scheme: Scheme, headers: dict[str, str], *, secrets: list[str], body: bytes = b"body") -> SignatureVerdict:
    lowered = {name.lower(): value for name, value in headers.items()}
    return verify([scheme], Proof(lowered, body), secrets=secrets, now=NOON)


def test_the_vector_of_githubs_documentation() -> None:
    signature = github_signature("It's a Secret to Everybody", b"Hello, World!")

    assert signature == "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"


@pytest.mark.parametrize(
    ("header", "verdict"),
    [
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
def test_verdicts(header: str, verdict: SignatureVerdict) -> None:
    assert judged(GITHUB, {GITHUB.header: header}, secrets=["new", "old"]) == verdict


@pytest.mark.parametrize("name", sorted(SCHEMES))
def test_each_scheme_takes_both_secrets_and_no_other(name: str) -> None:
    scheme = SCHEMES[name]
    verdicts = [
        judged(scheme, proof_headers(scheme, secret, b"body", now=NOON), secrets=["new", "old"])
        for secret in ("new", "old", "another")
    ]

    assert verdicts == [SignatureVerdict.VALID, SignatureVerdict.VALID_PREVIOUS, SignatureVerdict.INVALID]
    assert judged(scheme, {}, secrets=["new"]) == SignatureVerdict.MISSING
    assert scheme.says


@pytest.mark.parametrize("name", sorted(set(SCHEMES) - {"gitlab-token", "address"}))
def test_a_changed_body_fits_nothing(name: str) -> None:
    scheme = SCHEMES[name]
    headers = proof_headers(scheme, "new", b"body", now=NOON)

    assert judged(scheme, headers, secrets=["new"], body=b"body ") == SignatureVerdict.INVALID


@pytest.mark.parametrize(
    ("seconds", "verdict"),
    [
        (-301, SignatureVerdict.STALE),
        (-300, SignatureVerdict.VALID),
        (300, SignatureVerdict.VALID),
        (301, SignatureVerdict.STALE),
    ],
)
def test_a_signed_time_must_be_near(seconds: int, verdict: SignatureVerdict) -> None:
    headers = proof_headers(StandardWebhooks(), "whsec_c2VjcmV0", b"body", now=NOON + dt.timedelta(seconds=seconds))

    assert judged(StandardWebhooks(), headers, secrets=["whsec_c2VjcmV0"]) == verdict


@pytest.mark.parametrize("stated", ["", "soon", "-1", "1e9", "9" * 13, "\u0663", "1772625600.5"])
def test_a_time_that_is_no_number_is_far(stated: str) -> None:
    assert is_far(stated, NOON)


@pytest.mark.parametrize("left_out", ["webhook-id", "webhook-timestamp"])
def test_standard_webhooks_need_all_headers(left_out: str) -> None:
    headers = proof_headers(StandardWebhooks(), "secret", b"body", now=NOON)
    del headers[left_out]

    assert judged(StandardWebhooks(), headers, secrets=["secret"]) == SignatureVerdict.INVALID


def test_a_key_that_is_not_base64_is_used_as_it_is() -> None:
    headers = proof_headers(StandardWebhooks(), "whsec_!", b"body", now=NOON)

    assert judged(StandardWebhooks(), headers, secrets=["whsec_!"]) == SignatureVerdict.VALID


@pytest.mark.parametrize(
    ("header", "verdict"),
    [
        ("secret", SignatureVerdict.VALID),
        ("Bearer secret", SignatureVerdict.VALID),
        ("basic " + base64.b64encode(b"any:secret").decode(), SignatureVerdict.VALID),
        ("Basic " + base64.b64encode(b"secret").decode(), SignatureVerdict.INVALID),
        ("Basic !", SignatureVerdict.INVALID),
        ("Digest secret", SignatureVerdict.INVALID),
    ],
)
def test_tokens_come_in_several_forms(header: str, verdict: SignatureVerdict) -> None:
    assert judged(Token(), {"Authorization": header}, secrets=["secret"]) == verdict


def test_a_token_in_the_address_counts_only_where_declared() -> None:
    proof = Proof({}, b"", {"token": "secret"})

    assert verify([Token(in_address=True)], proof, secrets=["secret"], now=NOON) == SignatureVerdict.VALID
    assert verify([Token()], proof, secrets=["secret"], now=NOON) == SignatureVerdict.MISSING


@pytest.mark.parametrize(
    ("header", "claims"),
    [
        ({"alg": "none"}, {}),
        ({"alg": "HS512"}, {}),
        ([], {}),
        ({"alg": "HS256"}, {"iss": "another"}),
        ({"alg": "HS256"}, {"sha256": 1}),
    ],
)
def test_tokens_over_the_bodys_hash_are_looked_at_closely(header: object, claims: dict[str, object]) -> None:
    scheme = BodyHashToken("X-Webhook-Signature", "netlify")
    right = proof_headers(scheme, "secret", b"body", now=NOON)[scheme.header].split(".")
    said = json.loads(base64.urlsafe_b64decode(right[1] + "=="))
    text = url_safe(json.dumps(header).encode()) + "." + url_safe(json.dumps({**said, **claims}).encode())
    signature = url_safe(hmac.new(b"secret", text.encode(), "sha256").digest())

    assert judged(scheme, {scheme.header: f"{text}.{signature}"}, secrets=["secret"]) == SignatureVerdict.INVALID


def test_the_strongest_scheme_that_is_presented_decides() -> None:
    schemes = [StandardWebhooks(), Token("X-Gitlab-Token")]
    headers = proof_headers(schemes[1], "secret", b"body", now=NOON) | {"webhook-signature": "v1,bm8="}
    lowered = {name.lower(): value for name, value in headers.items()}

    assert verify(schemes, Proof(lowered, b"body"), secrets=["secret"], now=NOON) == SignatureVerdict.INVALID


@given(name=st.sampled_from(sorted(SCHEMES)), header=st.text(), body=st.binary(), secret=st.text())
def test_nothing_makes_it_fail(name: str, header: str, body: bytes, secret: str) -> None:
    scheme = SCHEMES[name]
    names = list(proof_headers(scheme, "x", b"", now=NOON))
    headers = {each.lower(): header for each in names}

    assert verify([scheme], Proof(headers, body, {"token": header}), secrets=[secret], now=NOON) in SignatureVerdict


def test_text_compares_as_bytes() -> None:
    assert any_equal("ä", ["a", "ä"])
    assert not any_equal("ä", [])


@pytest.mark.conformance
def test_recorded_vectors(shared: Path) -> None:
    fixtures = shared / "fixtures"
    vectors = json.loads((fixtures / "signatures" / "vectors.json").read_text())["vectors"]
    checked = 0
    for vector in [each for each in vectors if each["scheme"] in SCHEMES]:
        body = (
            base64.b64decode(vector["body_b64"])
            if "body_b64" in vector
            else (fixtures / vector["body_file"]).read_bytes()
        )
        headers = {name.lower(): value for name, value in vector["headers"].items()}
        now = dt.datetime.fromtimestamp(vector.get("now", 1795200000), tz=dt.UTC)
        verdict = verify([SCHEMES[vector["scheme"]]], Proof(headers, body), secrets=[vector["secret"]], now=now)
        assert verdict.is_valid == vector["valid"], (vector["scheme"], vector["why"])
        checked += 1
    assert checked >= 24


@pytest.mark.parametrize("part", ["a", "bm8ganNvbg", "W10"])
def test_a_token_whose_parts_are_no_objects_is_refused(part: str) -> None:
    scheme = BodyHashToken("X-Webhook-Signature", "netlify")
    signature = url_safe(hmac.new(b"secret", f"{part}.{part}".encode(), "sha256").digest())

    said = judged(scheme, {scheme.header: f"{part}.{part}.{signature}"}, secrets=["secret"])

    assert said == SignatureVerdict.INVALID
