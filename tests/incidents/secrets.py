"""A corpus of made-up secrets in the places where programs leave them, and one of ordinary texts.

Everything is generated from a seed: a kind of secret (a card number, a key, a password) is spelled in a way that it
comes (plain, in JSON, percent-encoded) and put where a client would have it (a header, a breadcrumb, a tag). Nothing here
is or was valid anywhere.
"""

from __future__ import annotations

import base64
import itertools
import json
import random
import string
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

Json = dict[str, Any]  # Any: JSON
LOWER, ALNUM, HEX, UPPER = (
    string.ascii_lowercase,
    string.ascii_letters + string.digits,
    "0123456789abcdef",
    string.ascii_uppercase,
)


@dataclass(frozen=True)
class Case:
    """One report that holds a secret. `needles` are the texts that may be found nowhere afterwards."""

    name: str
    needles: tuple[str, ...]
    payload: Json


class Maker:
    """Makes parts of secrets."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def some(self, alphabet: str, length: int) -> str:
        """A word of this length that holds at least one digit where the alphabet has digits."""
        word = [self.random.choice(alphabet) for _ in range(length)]
        if "7" in alphabet:
            word[length // 2] = "7"
        return "".join(word)

    def card(self) -> str:
        """A number of an issuer with a right check digit."""
        prefix, size = self.random.choice(
            [("4", 16), ("51", 16), ("2221", 16), ("34", 15), ("6011", 16), ("3528", 16), ("62", 16)]
        )
        body = prefix + self.some("0123456789", size - len(prefix) - 1)
        total = sum(sum(divmod(int(digit) * (2 - place % 2), 10)) for place, digit in enumerate(reversed(body)))
        return body + str(-total % 10)

    def spaced_card(self) -> str:
        """The same as people write it."""
        number, mark = self.card(), self.random.choice(" -")
        cuts = (0, 4, 10, 15) if len(number) == 15 else (0, 4, 8, 12, 16)
        return mark.join(number[start:end] for start, end in itertools.pairwise(cuts))

    def password(self) -> str:
        return self.some(LOWER, 6) + "!" + self.some(LOWER + "0123456789", 6)

    def email(self) -> str:
        return f"{self.some(LOWER, 5)}.{self.some(LOWER, 6)}@{self.some(LOWER, 7)}.example.{self.random.choice(['com', 'org', 'co.uk'])}"

    def ipv4(self) -> str:
        return ".".join(str(self.random.randint(11, 99)) for _ in range(3)) + f".{self.random.randint(100, 250)}"

    def ipv6(self) -> str:
        return f"2a0{self.random.randint(1, 9)}:{self.some(HEX, 4)}:{self.some(HEX, 4)}::{self.some(HEX, 4)}"

    def jwt(self) -> str:
        parts = [json.dumps({"alg": "HS256"}), json.dumps({"sub": self.some(ALNUM, 8)}), self.some(ALNUM, 24)]
        return ".".join(base64.urlsafe_b64encode(part.encode()).decode().rstrip("=") for part in parts)

    def pem(self) -> str:
        return f"-----BEGIN RSA PRIVATE KEY-----\n{self.some(ALNUM, 64)}\n{self.some(ALNUM, 40)}\n-----END RSA PRIVATE KEY-----"


#: Keys as vendors make them: what they begin with, of which characters the rest is, and how many.
KEYS = [
    ("AKIA", UPPER + "234567", 16), ("ASIA", UPPER + "234567", 16), ("AIza", ALNUM + "_-", 35), ("ya29.", ALNUM + "_-", 60),
    ("GOCSPX-", ALNUM, 28), ("ghp_", ALNUM, 36), ("gho_", ALNUM, 36), ("ghs_", ALNUM, 36), ("github_pat_", ALNUM + "_", 60),
    ("glpat-", ALNUM, 20), ("glrt-", ALNUM, 20), ("sk_" + "live_", ALNUM, 24), ("rk_" + "test_", ALNUM, 24), ("whsec_", ALNUM, 32),
    ("sk-", ALNUM, 40), ("xoxb-", "0123456789", 12), ("xoxp-", ALNUM, 30), ("SG." + "a" * 22 + ".", ALNUM, 43), ("SK", HEX, 32),
    ("key-", HEX, 32), ("npm_", ALNUM, 36), ("pypi-", ALNUM, 60), ("hf_", ALNUM, 34), ("dop_v1_", HEX, 64), ("shpat_", HEX, 32),
    ("sq0atp-", ALNUM, 22), ("dapi", HEX, 32), ("lin_api_", ALNUM, 40), ("glsa_", ALNUM, 32), ("NRAK-", UPPER, 27),
    ("sntrys_", ALNUM, 40), ("hvs.", ALNUM, 30), ("dckr_pat_", ALNUM, 27), ("HRKU-", HEX, 36), ("ATATT3", ALNUM, 60), ("upshot_", ALNUM, 40),
]  # fmt: skip


def _shaped(make: Maker) -> Iterator[tuple[str, str]]:
    """Secrets that are known by their look, wherever they stand."""
    yield "card", make.card()
    yield "spaced card", make.spaced_card()
    yield "e-mail", make.email()
    yield "IPv4", make.ipv4()
    yield "IPv6", make.ipv6()
    yield "JWT", make.jwt()
    for prefix, alphabet, length in KEYS:
        yield f"key {prefix[:8]}", prefix + make.some(alphabet, length)


def _told(make: Maker) -> Iterator[tuple[str, str, str]]:
    """Texts around a secret that is known by what stands before it: (name, text, secret)."""
    word = make.password()
    for name, text in (
        ("connection URL", f"could not connect to postgres://shop:{word}@db.internal:5432/shop"),
        ("redis URL", f"redis://:{word}@cache:6379/0 refused"),
        ("DSN", f"https://{word}@errors.internal/4"),
        ("ADO string", f"Server=db;User Id=sa;Password={word};Encrypt=yes"),
        ("libpq string", f"host=db user=shop password='{word}' sslmode=require"),
        ("query string", f"https://shop.internal/pay?page=2&access_token={word}&lang=en"),
        ("form body", f"page=2&password={word}&remember=on"),
        ("bearer", f"sent Bearer {word.replace('!', '.')}x9 twice"),
        ("authorization header", f"Authorization: Bearer {word}"),
        ("basic header", "Authorization: Basic " + base64.b64encode(f"ann:{word}".encode()).decode()),
        ("digest header", f'Authorization: Digest username="ann", realm="x", response="{word}"'),
        ("cookie header", f"Cookie: theme=dark; sessionid={word}; lang=en"),
        ("set-cookie header", f"Set-Cookie: sid={word}; Path=/; HttpOnly"),
        ("JSON", json.dumps({"page": 2, "login": {"password": word, "keep": True}})),
        ("JSON in JSON", json.dumps({"body": json.dumps({"client_secret": word})})),
        ("cut JSON", json.dumps({"api_key": word, "more": "x"})[:-6]),
        ("escaped JSON in a text", "body was " + json.dumps(json.dumps({"refreshToken": f"{word} {word}"}))),
        ("Python repr", f"KeyError in {{'db_password': '{word} x', 'n': 1}}"),
        ("percent-encoded", "next=" + quote(f"/login?password={word}&x=1", safe="")),
        ("twice percent-encoded", "next=" + quote(quote(f"/login?token={word}&x=1", safe=""), safe="")),
        ("base64", "body " + base64.b64encode(json.dumps({"user": "x", "password": word}).encode()).decode()),
        ("command line", f"shopctl --verbose --api-key {word} sync"),
        ("curl", f"curl -u ann:{word} https://shop.internal/"),
        ("environment", f"DB_HOST=db DJANGO_SECRET_KEY={word} PORT=80"),
        ("YAML", f"database:\n  user: shop\n  password: {word}\n"),
        ("XML", f"<login><user>x</user><password>{word}</password></login>"),
        ("multipart", f'--x\r\nContent-Disposition: form-data; name="password"\r\n\r\n{word}\r\n--x--'),
        ("SQL", f"WHERE id = 4 AND password = '{word}'"),
        ("webhook", f"https://hooks.slack.com/services/T0000/B0000/{make.some(ALNUM, 8)}{word.replace('!', '')}"),
    ):
        yield (
            name,
            text,
            word.replace("!", "") if name == "webhook" else word.replace("!", ".") if name == "bearer" else word,
        )
    pem = make.pem()
    yield "PEM", f"key is {pem} here", pem.split("\n")[1]


#: Names whose value goes, whatever it is, as programs spell them.
NAMES = [
    "password", "DB_PASSWORD", "userPassword", "client-secret", "clientSecret", "Authorization", "X-Api-Key", "apiKey", "access_token",
    "accessToken", "refreshToken", "csrfmiddlewaretoken", "X-CSRFToken", "Cookie", "sessionid", "PHPSESSID", "connect.sid", "privateKey",
    "AccountKey", "credentials", "jwt", "otp", "pin", "cvv", "card_number", "iban", "ssn", "sentry_dsn", "connectionString", "email",
    "userEmail", "phone", "phone_number", "username", "first_name", "REMOTE_ADDR", "X-Forwarded-For", "ip_address", "X-Amz-Signature",
    "passphrase", "auth", "smtp_pass", "aws_secret_access_key", "webhook_secret", "bearer", "date_of_birth", "billing_address",
]  # fmt: skip

Place = Callable[[str], Json]


def _crumb(text: str) -> Json:
    return {"breadcrumbs": {"values": [{"category": "log", "message": text, "timestamp": 1}]}}


def _exception(text: str, **frame: Any) -> Json:  # Any: JSON
    frames = [{"filename": "shop/pay.py", "function": "pay", "lineno": 3, "in_app": True, **frame}]
    return {"exception": {"values": [{"type": "ValueError", "value": text, "stacktrace": {"frames": frames}}]}}


#: Where a text can stand in a report.
PLACES: dict[str, Place] = {
    "message": lambda text: {"message": text},
    "formatted message": lambda text: {"logentry": {"message": "%s", "formatted": text, "params": [text]}},
    "params alone": lambda text: {"logentry": {"message": "paid %s", "params": [text]}},
    "exception": _exception,
    "exception type": lambda text: {"exception": {"values": [{"type": text, "value": "x"}]}},
    "frame local": lambda text: _exception("x", vars={"a": text}),
    "source line": lambda text: _exception("x", context_line="    call()", pre_context=[f'    a = f("{text}")']),
    "function name": lambda text: _exception("x", function=text[:200]),
    "breadcrumb": _crumb,
    "breadcrumb data": lambda text: {"breadcrumbs": [{"category": "httplib", "data": {"url": text}}]},
    "extra": lambda text: {"extra": {"note": {"deep": [text]}}},
    "sys.argv": lambda text: {"extra": {"sys.argv": ["manage.py", text]}},
    "context": lambda text: {"contexts": {"job": {"args": [text]}}},
    "flag value": lambda text: {"contexts": {"flags": {"values": [{"flag": "a", "result": text}]}}},
    "flag name": lambda text: {"contexts": {"flags": {"values": [{"flag": text[:200], "result": True}]}}},
    "tag": lambda text: {"tags": {"note": text}},
    "tag pair": lambda text: {"tags": [["note", text]]},
    "user": lambda text: {"user": {"id": text, "name": text, "data": {"x": text}}},
    "request URL": lambda text: {"request": {"url": f"https://shop.internal/?x={text}"}},
    "request query": lambda text: {"request": {"query_string": [["x", text]]}},
    "request data": lambda text: {"request": {"data": text}},
    "request header": lambda text: {"request": {"headers": [["X-Note", text]]}},
    "request env": lambda text: {"request": {"env": {"NOTE": text}}},
    "server name": lambda text: {"message": "m", "server_name": text[:200]},
    "transaction": lambda text: {"message": "m", "transaction": text[:200]},
    "culprit": lambda text: {"message": "m", "culprit": text[:200]},
    "logger": lambda text: {"message": "m", "logger": text[:200]},
    "release": lambda text: {"message": "m", "release": text[:200]},
    "environment": lambda text: {"message": "m", "environment": text[:100]},
    "fingerprint": lambda text: {"message": "m", "fingerprint": ["a", text[:200]]},
    "key of an object": lambda text: {"extra": {text: 1}},
    "span description": lambda text: {"contexts": {"trace": {"trace_id": "a" * 32, "description": text}}},
}
#: Where a name can stand with its value.
NAMED_PLACES: dict[str, Callable[[str, str], Json]] = {
    "field": lambda name, value: {"extra": {"form": {name: value}}},
    "field with many": lambda name, value: {"extra": {"form": {name: [{"x": value}]}}},
    "header": lambda name, value: {"request": {"headers": {name: value}}},
    "header pair": lambda name, value: {"request": {"headers": [["Host", "x"], [name, value]]}},
    "header object": lambda name, value: {"contexts": {"http": {"headers": [{"name": name, "value": value}]}}},
    "tag": lambda name, value: {"tags": {name: value}},
    "environment": lambda name, value: {"request": {"env": {name: value}}},
    "local": lambda name, value: _exception("x", vars={name: value}),
    "text": lambda name, value: {"message": f"got {name}={value}, gave up"},
    "breadcrumb": lambda name, value: {"breadcrumbs": [{"data": {name: value}}]},
    "source line": lambda name, value: _exception("x", context_line=f'    x["{name}"] = "{value}"'),
}


def cases(seed: int = 1) -> list[Case]:
    """Every kind of secret in several places, every place with several kinds: more than 1,000 reports."""
    make, found = Maker(seed), []
    places = list(PLACES.items())
    for turn in range(6):
        for kind, secret in _shaped(make):
            place, put = places[(len(found) + turn) % len(places)]
            text = secret if turn % 2 else f"gave {secret} back"
            found.append(Case(f"{kind} as {place}", (secret,), put(text)))
        for kind, text, secret in _told(make):
            place, put = places[(len(found) + turn) % len(places)]
            if place in ("source line", "function name", "request URL") or (len(text) > 100 and place == "environment"):
                place, put = places[0]
            found.append(Case(f"{kind} as {place}", (secret,), put(text)))
    for place, put_named in NAMED_PLACES.items():
        for name in NAMES:
            secret = make.password()
            found.append(Case(f"{name} as {place}", (secret,), put_named(name, secret)))
    card = make.card()
    found.append(Case("card as a number", (card,), {"extra": {"n": int(card)}}))
    word = make.password()
    found.append(
        Case("raw headers", (word,), {"extra": {"raw": ["Host", "x", "Authorization", word, "Accept", "*/*"]}})
    )
    found.append(Case("argv option", (word,), {"extra": {"sys.argv": ["x", "--password", word, "-v"]}}))
    return found


def ordinary_texts(seed: int = 1) -> list[str]:
    """Texts that hold nothing to hide, of the kinds that reports are full of."""
    make = Maker(seed)
    pick, number = make.random.choice, make.random.randint
    word = lambda: make.some(LOWER, number(3, 9))  # noqa: E731 -- a word for the table below
    kinds: list[Callable[[], str]] = [
        lambda: f"{number(0, 30)}.{number(0, 30)}.{number(0, 99)}",
        lambda: f"v{number(0, 9)}.{number(0, 9)}.{number(0, 9)}.{number(0, 9)}",
        lambda: f"{word()}@{number(0, 9)}.{number(0, 30)}.{number(0, 9)}",
        lambda: f"Chrome/{number(90, 140)}.0.0.0 Safari/537.36",
        lambda: make.some(HEX, 40),
        lambda: make.some(HEX, 7),
        lambda: f"sha256:{make.some(HEX, 64)}",
        lambda: f"{make.some(HEX, 8)}-{make.some(HEX, 4)}-4{make.some(HEX, 3)}-a{make.some(HEX, 3)}-{make.some(HEX, 12)}",
        lambda: f"2026-{number(1, 12):02}-{number(1, 28):02}T{number(0, 23):02}:{number(0, 59):02}:{number(0, 59):02}.{number(0, 999):03}Z",
        lambda: f"{number(0, 23):02}:{number(0, 59):02}:{number(0, 59):02},{number(0, 999):03}",
        lambda: str(number(1_700_000_000_000, 1_900_000_000_000)),
        lambda: f"/srv/{word()}/{word()}/{word()}.py",
        lambda: f"C:\\{word()}\\{word()}.dll",
        lambda: f"node_modules/@{word()}/{word()}@{number(1, 9)}.{number(0, 9)}.0/index.js",
        lambda: f"{word()}.{word()}.{word()}_{word()}",
        lambda: f"std::{word()}<{word()}>::{word()}()",
        lambda: f"{word()}(self, {word()}: str, {word()}=None)",
        lambda: f"10.{number(0, 255)}.{number(0, 255)}.{number(1, 254)}:{number(1024, 65535)} refused",
        lambda: f"http://{word()}.internal:{number(1024, 65535)}/{word()}/{number(1, 10**6)}",
        lambda: f"EUR {number(1, 9999)}.{number(0, 99):02}",
        lambda: f"order {number(10**9, 10**10)} not found",
        lambda: f"invoice {number(10**15, 2 * 10**15)}",
        lambda: f"ticket 0{number(30, 99)}-{number(10**6, 10**7)}",
        lambda: " ".join(["SELECT", word(), "FROM", word(), f"WHERE id = {number(1, 10**9)} AND state = '{word()}'"]),
        lambda: " ".join(["INSERT INTO", word(), f"({word()}, key) VALUES ({number(1, 99)}, %s)"]),
        lambda: f"{word()} took {number(1, 999)} ms, {number(1, 99)} rows",
        lambda: f"KeyError: '{word()}'",
        lambda: pick(["InvalidToken: expired", "basic functionality is gone", "token is missing", "password must not be empty",
                      "no credentials were given", "unexpected token < in JSON", "session ended", "Bearer realm is missing"]),
        lambda: f"    {word()} = self.{word()}[{number(0, 9)}]",
        lambda: f"    def {word()}(self, password: str, token: str = None) -> {word()}:",
        lambda: f"<{word()}>{number(1, 99)}</{word()}>",
        lambda: f"{word()}-{number(1, 99)}.{word()}.svc.cluster.local",
        lambda: f"{word()}%20{word()}={number(1, 99)}",
        lambda: json.dumps({word(): number(1, 99), word(): [word(), None]}),
    ]  # fmt: skip
    return [kind() for _ in range(30) for kind in kinds]
