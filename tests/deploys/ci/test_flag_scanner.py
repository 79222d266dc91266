"""What the scanner finds in source code, and what it does not take for a flag."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import pytest

from deploys.ci import flag_patch, flags
from tests.deploys.checkouts import repository

KEYS = {"new-cart", "dark_mode", "checkout-eu", "checkout-us", "flag", "odd key/1"}


def scanned(tmp_path: Path, files: dict[str, str], **more: Any) -> tuple[list[str], list[str]]:
    """Places as `key path:line kind`, dynamic ones as `path:line prefix…suffix`."""
    for path, text in files.items():
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    found = flags.scan(tmp_path, KEYS, **more)
    return (
        [f"{each.key} {each.path}:{each.line} {each.kind}" for each in found.places],
        [f"{each.path}:{each.line} {each.prefix}…{each.suffix}" for each in found.dynamic],
    )


CASES: dict[str, tuple[dict[str, str], list[str], list[str]]] = {
    "a call": ({"a.py": 'if client.get_boolean_value("new-cart", False):\n    pass\n'}, ["new-cart a.py:1 call"], []),
    "prose, comments and parts of words": (
        {
            "a.py": '# turn "new-cart" on\n"""Of the "new-cart" flag."""\nx = "the new-cart flag"\ny = "new-cart-2"\n',
            "b.js": 'const a = "new-carts"; // "new-cart"\n', "c.md": "The flag new-cart and dark_mode.\n",
            "d.yaml": "description: use dark_mode when flag is on\n",
        },
        ["new-cart b.js:1 call"], [],
    ),
    "documents are told apart": ({"a.md": "Set `new-cart` first.\n"}, ["new-cart a.md:1 doc"], []),
    "constants are followed, also to other files": (
        {
            "shop/keys.py": 'NEW_CART = "new-cart"\n',
            "shop/views.py": "from shop.keys import NEW_CART\n\n\ndef view(c):\n    return c.get_boolean_value(NEW_CART, False)\n",
            "shop/other.py": "NEW_CART = 3\nprint(NEW_CART)\n",
        },
        ["new-cart shop/keys.py:1 constant", "new-cart shop/views.py:5 call"], [],
    ),
    "constants of classes": (
        {"flags.ts": "export const Flags = {\n  DARK: 'dark_mode',\n}\n", "page.tsx": "import { Flags } from './flags'\nuseFlag(Flags.DARK)\n"},
        ["dark_mode flags.ts:2 constant", "dark_mode page.tsx:2 call"], [],
    ),
    "configuration, with and without quotes": (
        {"a.yaml": "flags:\n  new-cart: true\n  - dark_mode  # soon\n", "b.json": '{"new-cart": true}\n', "c.env": "FLAG=dark_mode\n"},
        ["dark_mode a.yaml:3 config", "dark_mode c.env:1 config", "new-cart a.yaml:2 config", "new-cart b.json:1 config"], [],
    ),
    "tests": ({"tests/test_a.py": 'on("new-cart")\n', "src/a.spec.ts": "on('new-cart')\n"},
              ["new-cart src/a.spec.ts:1 test", "new-cart tests/test_a.py:1 test"], []),
    "symbols": ({"a.rb": "Flipper.enabled?(:dark_mode)\n"}, ["dark_mode a.rb:1 call"], []),
    "keys of other systems": ({"a.js": "on('odd key/1')\n"}, ["odd key/1 a.js:1 call"], []),
    "keys put together in Python": (
        {
            "a.py": 'for place in places:\n    client.get_boolean_value(f"checkout-{place}", False)\n'
            'is_enabled("checkout-" + place)\nis_enabled("checkout-%s-x" % place)\nis_enabled("{}-eu".format(place))\n'
            "is_enabled(table[place])\n",
        },
        [], ["a.py:2 checkout-…", "a.py:3 checkout-…", "a.py:4 checkout-…-x", "a.py:5 …-eu", "a.py:6 …"],
    ),
    "a wrapper is no dynamic key, and its callers ask": (
        {"a.py": 'def ours(name):\n    return client.get_boolean_value(name, False)\n\n\nours(f"checkout-{x}")\nours("new-cart")\n'},
        ["new-cart a.py:6 call"], ["a.py:5 checkout-…"],
    ),
    "keys put together elsewhere": (
        {"a.js": "isEnabled(`checkout-${place}`)\nlog(`checkout-${place}`)\nisEnabled('checkout-' + place)\n"},
        [], ["a.js:1 checkout-…", "a.js:3 checkout-…"],
    ),
    "a function that took a key once is asked about": (
        {"a.py": 'feature_on("new-cart")\nfeature_on(f"checkout-{x}")\nprint("new-cart")\nprint(f"a{x}")\n'},
        ["new-cart a.py:1 call", "new-cart a.py:3 call"], ["a.py:2 checkout-…"],
    ),
    "what git does not read as text, and what nobody wrote": (
        {"a.bin": 'x\0"new-cart"', "node_modules/a.js": 'on("new-cart")', "a.min.js": 'on("new-cart")', "package-lock.json": '"new-cart"'},
        [], [],
    ),
    "Python that this Python cannot read": ({"a.py": 'print "x"\non("new-cart")\n'}, ["new-cart a.py:2 call"], []),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_what_is_found(tmp_path: Path, case: str) -> None:
    files, places, dynamic = CASES[case]

    assert scanned(tmp_path, files) == (places, dynamic)


def test_declared_aliases_are_followed(tmp_path: Path) -> None:
    places, _ = scanned(tmp_path, {"a.go": "if CartOn(ctx) {\n}\n"}, aliases={"CartOn": "new-cart", "Other": "no-flag"})

    assert places == ["new-cart a.go:1 call"]


def test_both_scripts_are_written_for_python_3_8() -> None:
    for script in (flags, flag_patch):
        ast.parse(Path(script.__file__).read_text(encoding="utf-8"), feature_version=(3, 8))


def test_the_removing_commit_is_found_where_the_key_stood_last(tmp_path: Path) -> None:
    checkout = repository(tmp_path / "r")
    checkout.commit('on("new-cart")', "shop/a.py", 1)
    gone = checkout.commit("print(1)", "shop/a.py", 2)
    checkout.commit('"new-cart" is gone', "CHANGES.md", 3)
    found = flags.scan(checkout.folder, KEYS)

    message = flags.message_of(
        checkout.folder, found, repository="acme/shop", services=["shop"], branch="main",
        standing={"new-cart": ["shop/a.py"], "dark_mode": []},
    )  # fmt: skip

    assert message["removed"] == [
        {"key": "dark_mode", "commit": "", "at": None},
        {"key": "new-cart", "commit": gone, "at": "2026-03-03T12:02:00+00:00"},
    ]
    assert message["is_complete"] is True
    assert [each["kind"] for each in message["references"]] == ["doc"]


@pytest.mark.parametrize(
    ("environment", "name", "branch", "link"),
    [
        (
            {"GITHUB_REPOSITORY": "acme/shop", "GITHUB_REF_NAME": "main"}, "acme/shop", "main",
            "https://github.com/acme/shop/blob/{commit}/{path}#L{line}",
        ),
        (
            {"CI_PROJECT_PATH": "acme/till", "CI_COMMIT_BRANCH": "trunk", "CI_PROJECT_URL": "https://git.example.com/acme/till"},
            "acme/till", "trunk", "https://git.example.com/acme/till/-/blob/{commit}/{path}#L{line}",
        ),
        ({}, "r", "main", ""),
    ],
)  # fmt: skip
def test_what_the_ci_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], name: str, branch: str, link: str
) -> None:
    for each in (
        "GITHUB_REPOSITORY",
        "GITHUB_REF_NAME",
        "CI_PROJECT_PATH",
        "CI_COMMIT_BRANCH",
        "CI_PROJECT_URL",
        "GIT_BRANCH",
    ):
        monkeypatch.delenv(each, raising=False)
    for key, value in environment.items():
        monkeypatch.setenv(key, value)
    folder = repository(tmp_path / "r").folder

    assert (flags.repository_name(folder), flags.branch_now(folder), flags.link_of()) == (name, branch, link)


def test_a_dry_run_prints_what_would_be_sent(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("UPSHOT_TOKEN", raising=False)
    checkout = repository(tmp_path / "r")
    checkout.commit('on("new-cart")', "a.py")
    (tmp_path / "keys").write_text("new-cart\n\nnone\n", encoding="utf-8")

    status = flags.main(["--root", str(checkout.folder), "--keys", str(tmp_path / "keys"), "--repository", "acme/shop"])

    said = json.loads(capsys.readouterr().out)
    assert (status, said["repository"], said["services"]) == (0, "acme/shop", ["shop"])
    assert said["references"] == [{"key": "new-cart", "path": "a.py", "line": 1, "kind": "call"}]


@pytest.mark.parametrize(("words", "status"), [([], 0), (["--strict"], 2)])
def test_what_it_cannot_tell_breaks_no_build(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, words: list[str], status: int
) -> None:
    monkeypatch.setenv("UPSHOT_TOKEN", "upshot_x")

    done = flags.main(["--root", str(tmp_path), "--url", "http://127.0.0.1:1", *words])

    assert (done, "upshot: " in capsys.readouterr().err) == (status, True)


PATCHES = {
    "a branch is kept": ('if c.is_enabled("k"):\n    a()\nelse:\n    b()\n', "a()\n", "b()\n"),
    "a branch is dropped": ('x = 1\nif c.is_enabled("k"):\n    a()\n', "x = 1\na()\n", "x = 1\n"),
    "not": ('if not c.is_enabled("k"):\n    a()\n', "", "a()\n"),
    "the only statement of a block": (
        'def f():\n    if c.is_enabled("k"):\n        a()\n', "def f():\n    a()\n", "def f():\n    pass\n",
    ),
    "elif": (
        'if x:\n    a()\nelif c.is_enabled("k"):\n    b()\nelse:\n    d()\n', "if x:\n    a()\nelse:\n    b()\n",
        "if x:\n    a()\nelse:\n    d()\n",
    ),
    "the rest of a chain": (
        'if c.is_enabled("k"):\n    a()\nelif x:\n    b()\nelse:\n    d()\n', "a()\n", "if x:\n    b()\nelse:\n    d()\n",
    ),
    "an expression": ('é = a if c.is_enabled("k") else b\n', "é = a\n", "é = b\n"),
    "a value": ('é, x = 1, c.get_boolean_value(KEY, False)\nKEY = "k"\n', 'é, x = 1, True\nKEY = "k"\n', 'é, x = 1, False\nKEY = "k"\n'),
    "with other conditions": ('if c.is_enabled("k") and x:\n    a()\n', "if True and x:\n    a()\n", "if False and x:\n    a()\n"),
    "on one line": ('if c.is_enabled("k"): a()\nelse: b()\n', "a()\n", "b()\n"),
    "texts of several lines": (
        'if c.is_enabled("k"):\n    x = """\n    y"""\n    z()\n', 'x = """\n    y"""\nz()\n', "",
    ),
    "awaited": ('async def f():\n    return await c.is_enabled("k")\n', "async def f():\n    return True\n", "async def f():\n    return False\n"),
    "other flags": ('if c.is_enabled("other"):\n    a()\n', 'if c.is_enabled("other"):\n    a()\n', 'if c.is_enabled("other"):\n    a()\n'),
}  # fmt: skip


@pytest.mark.parametrize("case", PATCHES)
def test_a_boolean_flag_is_taken_out_of_python(case: str) -> None:
    before, on, off = PATCHES[case]
    names = set(flag_patch.names_of(ast.parse(before), "k"))

    told = [flag_patch.without(before, flag_patch.Question("k", names, value=value)) for value in (True, False)]

    assert told == [on, off]


def test_the_patch_applies(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    checkout = repository(tmp_path / "r")
    checkout.commit('if on("x"):\n    pass\nif is_enabled("k"):\n    a()', "a.py")
    checkout.commit("print()\n", "b.py")

    flag_patch.main(["k", "--value", "on", "--root", str(checkout.folder)])
    (tmp_path / "p").write_text(capsys.readouterr().out, encoding="utf-8")
    checkout.git("apply", str(tmp_path / "p"))

    assert (checkout.folder / "a.py").read_text(encoding="utf-8") == 'if on("x"):\n    pass\na()'
