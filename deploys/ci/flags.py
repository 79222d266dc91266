"""Finds feature flags in source code and tells Upshot where. Version @VERSION@. Python 3.8 or newer and git; nothing to install.

  python3 flags.py                      scans this checkout and reports what was found
  python3 flags.py --dry-run            prints it instead

What it needs to know comes from options, else from variables, else from the CI it runs in:

  --repository   UPSHOT_REPOSITORY  default: the CI's word, else the remote's address
  --service      UPSHOT_SERVICE     services built from this repository; may be given again; default: its last name
  --branch       UPSHOT_BRANCH      the branch whose code is counted; others are scanned and not reported
  --url          UPSHOT_URL         default: @URL@
                 UPSHOT_TOKEN       a token that may deploys:write
  --keys FILE                       flag keys, one a line, instead of asking the instance
  --alias NAME=KEY                  another name by which code asks for a flag
  --strict       UPSHOT_STRICT=1    fails when Upshot could not be told; without it the build never breaks

A key counts where it stands alone between quotes, as a whole value or key of a configuration file, or as a Ruby symbol;
never in prose. Constants that hold a key are followed to their uses. Keys put together while the program runs cannot be
found: such places are reported as dynamic. Places are sent as path, line and kind; source text never leaves the machine.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import re
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, Dict, List, NamedTuple, Optional, Set, Tuple

URL, VERSION = "@URL@", "@VERSION@"
LARGEST_FILE = 2_000_000
MOST_PLACES = 50_000
MOST_REMOVED = 200
SKIPPED = {".git", ".hg", ".venv", "venv", "node_modules", "vendor", "third_party", "__pycache__", "dist", "build"}
DOCUMENTS = {".md", ".rst", ".txt", ".adoc"}
CONFIGURATION = {".json", ".yaml", ".yml", ".toml", ".ini", ".cfg", ".env", ".properties", ".xml", ".tf", ".tfvars"}
SYMBOLS = {".rb", ".erb", ".rake", ".ex", ".exs", ".clj"}
TEST_PATH = re.compile(
    r"(^|/)(tests?|specs?|__tests__|testing|fixtures|e2e|cypress)/|(^|/)(test_|conftest)[^/]*$|[._](test|spec)s?\.\w+$|Tests?\.\w+$"
)
QUOTED = re.compile(r"""(["'`])([A-Za-z0-9._-]{1,100})\1""")
SYMBOL = re.compile(r"(?<![\w:]):([A-Za-z_]\w*)")
WHOLE_VALUE = re.compile(r"^\s*(?:-\s*)?(?:[\w.-]+\s*[:=]\s*)?([A-Za-z0-9._-]{1,100})\s*,?\s*(?:[#;].*)?$")
WHOLE_KEY = re.compile(r"^\s*(?:-\s*)?([A-Za-z0-9._-]{1,100})\s*[:=]")
#: How calls of ASKS end, without the first letter, which is written large or small.
LOOKS = re.compile(r"(?:nabled|alue|etails?|ariation|lag|ctive|eature|ariant|valuate)\s*(?:<[^<>]*>)?\(")
TEMPLATE = re.compile(
    r"([A-Za-z_$][\w$]*)\s*(?:<[^<>]*>)?\(\s*(?:`([^`$]*)\$\{[^`]*?\}([^`${}]*)`|[\"']([^\"']*)[\"']\s*[+.]\s*\w|[\w.]+\s*\+\s*[\"']([^\"']*)[\"'])"
)
COMMENT = re.compile(r"^\s*(#|//|\*|/\*|--|<!--)")
#: Names of functions that take a flag's key, in lower case without underscores. Others are learned from the code.
ASKS = {
    *(f"{get}{kind}{what}" for get in ("get", "") for kind in ("boolean", "bool", "string", "number", "integer", "int", "float", "double", "object", "json")
      for what in ("value", "details", "variation", "variationdetail", "flagvalue")),
    *(f"use{kind}flag{what}" for kind in ("", "boolean", "string", "number", "object") for what in ("", "value", "details")),
    "isenabled", "enabled", "isactive", "flagisactive", "isfeatureenabled", "featureenabled", "hasfeature", "variation",
    "getvariant", "isflagenabled", "flagenabled", "evaluate",
}  # fmt: skip
#: Too general to be learned: one call with a key does not make every call of it a question for a flag.
GENERAL = {
    "get", "set", "add", "append", "print", "str", "len", "dict", "list", "tuple", "remove", "pop", "update", "format", "join",
    "filter", "exclude", "create", "insert", "log", "info", "debug", "warning", "error", "field", "fixture", "parametrize", "describe",
    "it", "test", "expect", "getattr", "setattr", "hasattr", "isinstance", "open", "path", "count", "index", "find", "push", "write",
    "require", "import", "assert", "equal", "startswith", "endswith", "split", "replace", "t", "gettext", "put", "delete", "post",
}  # fmt: skip


class Place(NamedTuple):
    """Where a key stands: kind is call, constant, config, test or doc."""

    key: str
    path: str
    line: int
    kind: str


class Dynamic(NamedTuple):
    """Where a key is put together while the program runs: it begins and ends so."""

    path: str
    line: int
    prefix: str
    suffix: str


class Constant(NamedTuple):
    """A name that holds a key, and the file that says so."""

    name: str
    key: str
    path: str


class Found(NamedTuple):
    """All that one scan found. `unread` are files that could not be looked at."""

    places: List[Place]
    dynamic: List[Dynamic]
    files_count: int
    unread: List[str]


class Removed(NamedTuple):
    """The commit that took the last mention of a key out of the code; empty where history does not reach so far."""

    key: str
    commit: str
    at: Optional[str]


# -- looking at files --------------------------------------------------------------------------------------------------


def files_of(root: Path) -> List[str]:
    """Paths below the root that git knows, else all; without what is vendored or generated. Sorted."""
    listed = git(root, "ls-files", "-z", "--cached")
    if listed is not None:
        paths = [path for path in listed.split("\0") if path]
    else:
        paths = [
            (Path(folder) / name).relative_to(root).as_posix()
            for folder, folders, names in os.walk(root)
            for name in names
            if not set(Path(folder).relative_to(root).parts) & SKIPPED
        ]
    return sorted(
        path for path in paths if not set(PurePosixPath(path).parts[:-1]) & SKIPPED and not is_generated(path)
    )


def is_generated(path: str) -> bool:
    """Lock files and minified ones: nobody wrote a flag there."""
    name = PurePosixPath(path).name
    return (
        ".min." in name or name.endswith((".lock", ".map", ".svg")) or name in {"package-lock.json", "pnpm-lock.yaml"}
    )


def text_of(path: Path) -> Optional[str]:
    """The file's text; None where it is no text. OSError where it cannot be read."""
    if path.is_symlink() or not path.is_file() or path.stat().st_size > LARGEST_FILE:
        return None
    data = path.read_bytes()
    return None if b"\0" in data[:8000] else data.decode("utf-8", "replace")


def kind_of(path: str, line: str, start: int, suffix: str) -> str:
    """What a quoted key on a line of this file is."""
    if suffix in DOCUMENTS or COMMENT.match(line):
        return "doc"
    if TEST_PATH.search(path):
        return "test"
    if suffix in CONFIGURATION:
        return "config"
    return "constant" if re.search(r"(^|[^=!<>])[=:]\s*$", line[:start]) else "call"


def texts_of(root: Path) -> Tuple[Dict[str, str], List[str]]:
    """Texts by path, and paths of files that could not be looked at."""
    texts: Dict[str, str] = {}
    unread: List[str] = []
    for path in files_of(root):
        try:
            text = text_of(root / path)
        except OSError:
            text = None
            unread.append(path)
        if text is not None and path.isprintable():
            texts[path] = text
        elif text is not None:
            unread.append(path)  # a line break in its name
    return texts, unread


def scan(root: Path, keys: Collection[str], aliases: Optional[Dict[str, str]] = None) -> Found:
    """Every place of these keys below the root. Two passes: keys and constants, then uses of those constants.

    Syntax trees are made only of files that name a key or may ask for one: they are what costs.
    """
    wanted = set(keys)
    odd = [key for key in wanted if not re.fullmatch(r"[A-Za-z0-9._-]{1,100}", key)]
    places: Set[Place] = set()
    constants: List[Constant] = [Constant(name, key, "") for name, key in (aliases or {}).items() if key in wanted]
    asking: Set[str] = set(ASKS)
    texts, unread = texts_of(root)
    trees = Trees(texts)
    for path, text in texts.items():
        is_named = any(match[1] in wanted for match in QUOTED.findall(text)) or any(key in text for key in odd)
        tree = trees.of(path) if is_named else None
        if tree is not None:
            python_literals(path, tree, wanted, places, constants, asking)
        elif is_named or not path.endswith(".py"):
            literals(path, text, wanted, odd, places, constants, asking)
    code = [path for path in texts if PurePosixPath(path).suffix not in DOCUMENTS | CONFIGURATION]
    for tree in [trees.of(path) for path in code if may_ask(texts[path], asking)]:
        for name in list(wrappers_in(tree, asking)) if tree is not None else ():
            learn(name, asking)
    follow(texts, trees, constants, places)
    dynamic: Set[Dynamic] = set()
    for path in [path for path in code if may_ask(texts[path], asking) and not TEST_PATH.search(path)]:
        tree = trees.of(path)
        dynamic.update(
            python_dynamic(path, tree, asking, constants) if tree else other_dynamic(path, texts[path], asking)
        )
    return Found(sorted(places), sorted(dynamic), len(texts), unread)


class Trees:
    """Syntax trees of Python files, each made once, when it is first asked for."""

    def __init__(self, texts: Dict[str, str]) -> None:
        self._texts = texts
        self._made: Dict[str, Optional[ast.Module]] = {}

    def of(self, path: str) -> Optional[ast.Module]:
        """The tree; None of other files, and where this Python cannot read it."""
        if path not in self._made:
            self._made[path] = parsed(self._texts[path]) if path.endswith((".py", ".pyi")) else None
        return self._made[path]


def may_ask(text: str, asking: Set[str]) -> bool:
    """Whether a file calls anything that takes a flag's key, by the looks of its text."""
    return LOOKS.search(text) is not None or any(call in text for call in asking if call.endswith("("))


def literals(
    path: str,
    text: str,
    keys: Set[str],
    odd: Sequence[str],
    places: Set[Place],
    constants: List[Constant],
    asking: Set[str],
) -> None:
    """Keys in a file of any language, by quotes."""
    suffix = PurePosixPath(path).suffix.lower()
    is_symbolic = suffix in SYMBOLS
    is_plain = suffix in CONFIGURATION and suffix not in {".json", ".xml"}
    if not any(found[1] in keys for found in QUOTED.findall(text)) and not is_symbolic and not is_plain and not odd:
        return
    for number, line in enumerate(text.splitlines(), 1):
        found = [(match.start(), match[2]) for match in QUOTED.finditer(line) if match[2] in keys]
        whole = [(f"{quote}{key}{quote}", key) for key in odd for quote in "\"'`"]
        found += [(line.find(quoted), key) for quoted, key in whole if quoted in line]
        if is_symbolic:
            found += [(match.start(), match[1]) for match in SYMBOL.finditer(line) if match[1] in keys]
        if is_plain:
            plain = [match for match in (WHOLE_VALUE.match(line), WHOLE_KEY.match(line)) if match]
            found += [(match.start(1), match[1]) for match in plain if match[1] in keys]
        for start, key in found:
            kind = kind_of(path, line, start, suffix)
            places.add(Place(key, path, number, kind))
            before = line[:start]
            named = re.search(r"([A-Za-z_$][\w$]*)\s*(?::\s*[\w.<>\[\]| ]+)?\s*(?::?=|:|=>)\s*$", before)
            if named and kind in {"constant", "test"}:
                constants.append(Constant(named[1], key, path))
            called = re.search(r"([A-Za-z_$][\w$]*)\s*(?:<[^<>]*>)?\(\s*$", before)
            if called and kind == "call":
                learn(called[1], asking)


def learn(name: str, asking: Set[str]) -> None:
    """A function that is given a key once asks for flags, unless its name says nothing."""
    plain = name.replace("_", "").lower()
    if plain not in GENERAL:
        asking.update((plain, f"{name}("))  # the second as it is written, to find files that call it


def follow(texts: Dict[str, str], trees: Trees, constants: Sequence[Constant], places: Set[Place]) -> None:
    """Uses of names that hold a key: in the file that says so, and in those that mention that file by its name."""
    stated = {(place.path, place.line, place.key) for place in places}
    sources: Dict[str, List[Constant]] = {}
    for constant in constants:
        sources.setdefault(constant.path, []).append(constant)
    for path, text in texts.items() if sources else ():
        if PurePosixPath(path).suffix.lower() in DOCUMENTS:
            continue
        lower, kind = text.lower(), "test" if TEST_PATH.search(path) else "call"
        known = [each for source, named in sources.items() if is_known_in(source, path, lower) for each in named]
        for name, key in {(each.name, each.key) for each in known if each.name in text}:
            tree = trees.of(path)
            lines = python_uses(tree, name) if tree is not None else uses(text, name)
            places.update(Place(key, path, line, kind) for line in lines if (path, line, key) not in stated)


def is_known_in(source: str, path: str, lower: str) -> bool:
    """Whether a file may mean the constants of another: its own, or one whose file or folder it names (in lower case)."""
    if source in {"", path}:
        return True
    there = PurePosixPath(source)
    stem = (there.stem if there.stem not in {"index", "__init__", "mod", "lib"} else there.parent.name).lower()
    return bool(stem) and stem in lower and re.search(rf"(?<![a-z0-9]){re.escape(stem)}(?![a-z0-9])", lower) is not None


def uses(text: str, name: str) -> Iterator[int]:
    """Lines on which a name stands as a word of code, where it is not given its value."""
    whole = re.compile(rf"(?<![\w$\"'`-]){re.escape(name)}(?![\w$\"'`-])")
    for number, line in enumerate(text.splitlines(), 1):
        if (
            whole.search(line)
            and not COMMENT.match(line)
            and not re.match(r"\s*(import|from|export \{|use|require)\b", line)
        ):
            yield number


# -- Python, by its syntax tree ----------------------------------------------------------------------------------------


def parsed(text: str) -> Optional[ast.Module]:
    """The tree; None where this Python cannot read it."""
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return None


def python_literals(
    path: str, tree: ast.Module, keys: Set[str], places: Set[Place], constants: List[Constant], asking: Set[str]
) -> None:
    """Keys as whole string literals, the names they are given, and the functions they are given to."""
    is_test = bool(TEST_PATH.search(path))
    named: Set[int] = set()
    for node in ast.walk(tree):
        if (
            isinstance(node, (ast.Assign, ast.AnnAssign))
            and node.value is not None
            and (key := literal(node.value)) in keys
        ):
            named.add(id(node.value))
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            constants.extend(Constant(name, key, path) for name in map(last_name, targets) if name)
        elif (
            isinstance(node, ast.Call)
            and node.args
            and literal(node.args[0]) in keys
            and (name := last_name(node.func))
        ):
            learn(name, asking)
    for node in ast.walk(tree):
        if (key := literal(node)) in keys:
            kind = "test" if is_test else "constant" if id(node) in named else "call"
            places.add(Place(key, path, int(getattr(node, "lineno", 1)), kind))


def literal(node: ast.AST) -> str:
    """The text of a string literal; else nothing."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def last_name(node: ast.AST) -> str:
    """`c` of `a.b.c`."""
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def python_uses(tree: ast.Module, name: str) -> Iterator[int]:
    """Lines on which a name is read."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.Name, ast.Attribute)) and last_name(node) == name and isinstance(node.ctx, ast.Load):
            yield node.lineno


def calls_of(tree: ast.AST, asking: Set[str]) -> Iterator[Tuple[ast.Call, ast.expr]]:
    """Calls that ask for a flag, with the key's expression."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and last_name(node.func).replace("_", "").lower() in asking:
            named = [each.value for each in node.keywords if each.arg in {"flag_key", "key", "flag"}]
            if node.args or named:
                yield node, node.args[0] if node.args else named[0]


def wrappers_in(tree: ast.Module, asking: Set[str]) -> Iterator[str]:
    """Functions that hand a parameter of theirs on as a key: whoever calls them asks for a flag."""
    for function in ast.walk(tree):
        if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
            taken = parameters(function)
            if any(isinstance(key, ast.Name) and key.id in taken for _, key in calls_of(function, asking)):
                yield function.name


def parameters(function: Any) -> Set[str]:  # Any: two kinds of function
    """The names a function takes."""
    return {
        each.arg
        for each in [*function.args.args, *function.args.kwonlyargs, *getattr(function.args, "posonlyargs", [])]
    }


def python_dynamic(path: str, tree: ast.Module, asking: Set[str], constants: Sequence[Constant]) -> Iterator[Dynamic]:
    """Questions for a flag whose key cannot be read off: neither a literal, nor a constant, nor handed on by a wrapper."""
    known = {each.name for each in constants}
    handed = {
        id(key)
        for function in ast.walk(tree)
        if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef))
        for _, key in calls_of(function, asking)
        if isinstance(key, ast.Name) and key.id in parameters(function)
    }
    texts = {
        last_name(each.targets[0]) for each in ast.walk(tree) if isinstance(each, ast.Assign) and literal(each.value)
    }
    for call, key in calls_of(tree, asking):
        if isinstance(key, (ast.Constant, ast.Starred)) or id(key) in handed or last_name(key) in known | texts:
            continue
        if isinstance(key, ast.Attribute) and key.attr.isupper():
            continue  # a constant of somewhere else, which holds no key of ours
        first, last = ends_of(key)
        yield Dynamic(path, call.lineno, first, last)


def ends_of(node: ast.expr) -> Tuple[str, str]:
    """What a text that is put together begins and ends with, as far as can be read off."""
    if isinstance(node, ast.JoinedStr) and node.values:
        return literal(node.values[0]), literal(node.values[-1])
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return ends_of(node.left)[0] or literal(node.left), ends_of(node.right)[1] or literal(node.right)
    pattern = ""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod):
        pattern = re.sub(r"%[-+#0-9.]*[a-z]", "{}", literal(node.left))
    elif isinstance(node, ast.Call) and last_name(node.func) == "format" and isinstance(node.func, ast.Attribute):
        pattern = re.sub(r"\{[^{}]*\}", "{}", literal(node.func.value))
    return (pattern.partition("{}")[0], pattern.rpartition("{}")[2]) if "{}" in pattern else ("", "")


def other_dynamic(path: str, text: str, asking: Set[str]) -> Iterator[Dynamic]:
    """The same in other languages: a template or a sum as the first argument of a function that asks for flags."""
    for number, line in enumerate(text.splitlines(), 1):
        for match in TEMPLATE.finditer(line):
            if match[1].replace("_", "").lower() in asking and not COMMENT.match(line):
                yield Dynamic(path, number, match[2] or match[4] or "", match[3] or match[5] or "")


# -- git ---------------------------------------------------------------------------------------------------------------


def git(root: Path, *arguments: str) -> Optional[str]:
    """What git prints; None where it fails, or is not there."""
    try:
        done = subprocess.run(["git", *arguments], cwd=str(root), capture_output=True, timeout=300, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.decode("utf-8", "replace")


def removed_in(root: Path, key: str, paths: Sequence[str]) -> Removed:
    """The newest commit that lowered how often the key stands in these paths (where it stood last; all, if none is known)."""
    told = git(root, "log", "-n", "1", "--format=%H %cI", f"-S{key}", "--", *paths)
    commit, _, at = (told or "").strip().partition(" ")
    return Removed(key, commit, at or None)


def default_branch(root: Path) -> str:
    """The branch that the remote says everything comes together on; empty where nobody says."""
    said = os.environ.get("CI_DEFAULT_BRANCH") or ""
    event = os.environ.get("GITHUB_EVENT_PATH", "")
    if not said and event and Path(event).is_file():
        repository = json.loads(Path(event).read_text(encoding="utf-8")).get("repository") or {}
        said = str(repository.get("default_branch") or "")
    head = git(root, "symbolic-ref", "--short", "refs/remotes/origin/HEAD") if not said else None
    return said or (head or "").strip().partition("/")[2]


def branch_now(root: Path) -> str:
    """The branch this checkout is of, by the CI's word or git's."""
    for name in ("GITHUB_REF_NAME", "CI_COMMIT_BRANCH", "CIRCLE_BRANCH", "BUILDKITE_BRANCH", "GIT_BRANCH"):
        if os.environ.get(name):
            return re.sub(r"^origin/", "", os.environ[name])
    return (git(root, "rev-parse", "--abbrev-ref", "HEAD") or "").strip()


def repository_name(root: Path) -> str:
    """`acme/shop`: by the CI's word, else from the remote's address, else the folder's name."""
    said = os.environ.get("GITHUB_REPOSITORY") or os.environ.get("CI_PROJECT_PATH") or ""
    address = said or (git(root, "config", "--get", "remote.origin.url") or "").strip()
    parts = [part for part in re.split(r"[/:]", re.sub(r"\.git/?$", "", address)) if part]
    return "/".join(parts[-2:]) or root.resolve().name


def link_of() -> str:
    """Where a line can be read, with {commit}, {path} and {line} to be filled in; empty where that is unknown."""
    if os.environ.get("GITHUB_REPOSITORY"):
        server = os.environ.get("GITHUB_SERVER_URL", "https://github.com")
        return f"{server}/{os.environ['GITHUB_REPOSITORY']}/blob/{{commit}}/{{path}}#L{{line}}"
    if os.environ.get("CI_PROJECT_URL"):
        return f"{os.environ['CI_PROJECT_URL']}/-/blob/{{commit}}/{{path}}#L{{line}}"
    return ""


# -- telling -----------------------------------------------------------------------------------------------------------


class NotTold(Exception):
    """Upshot could not be asked or told; the message says why."""


def ask(method: str, address: str, token: str, body: Optional[object] = None) -> Any:  # Any: JSON
    """One request; its answer. NotTold where it fails."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    request = urllib.request.Request(address, data, headers, method=method)  # noqa: S310 -- the address is the user's own
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 -- as above
            return json.loads(answer.read())
    except urllib.error.HTTPError as error:
        try:
            said = json.loads(error.read()).get("detail", "")
        except (ValueError, AttributeError, OSError):
            said = ""
        raise NotTold(f"HTTP {error.code} {said}".strip()) from error
    except (OSError, ValueError) as error:
        raise NotTold(str(error)) from error


def message_of(
    root: Path, found: Found, *, repository: str, services: Sequence[str], branch: str, standing: Mapping[str, Sequence[str]],
) -> Dict[str, object]:  # fmt: skip
    """What is sent. `standing`: keys that the last scan found, with their paths; those that are gone are looked up in git."""
    here = {place.key for place in found.places if place.kind != "doc"}
    gone = [key for key in sorted(standing) if key not in here][:MOST_REMOVED]
    return {
        "repository": repository, "services": list(services), "branch": branch, "link": link_of(),
        "commit": (git(root, "rev-parse", "HEAD") or "").strip(), "scanner": VERSION, "files_count": found.files_count,
        "is_complete": not found.unread and len(found.places) <= MOST_PLACES,
        "references": [place._asdict() for place in found.places[:MOST_PLACES]],
        "dynamic": [each._asdict() for each in found.dynamic[:1000]],
        "removed": [each._asdict() for each in (removed_in(root, key, standing[key]) for key in gone)],
    }  # fmt: skip


# -- the command -------------------------------------------------------------------------------------------------------


def arguments_of(words: Optional[Sequence[str]]) -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0], epilog="See the top of this file.")
    parser.add_argument("--root", default=".")
    parser.add_argument("--repository", default=os.environ.get("UPSHOT_REPOSITORY", ""))
    parser.add_argument("--service", action="append", default=[])
    parser.add_argument("--branch", default=os.environ.get("UPSHOT_BRANCH", ""))
    parser.add_argument("--url", default=os.environ.get("UPSHOT_URL") or URL)
    parser.add_argument("--keys", default="")
    parser.add_argument("--alias", action="append", default=[])
    parser.add_argument("--dry-run", action="store_true")
    parser.add_argument("--strict", action="store_true", default=os.environ.get("UPSHOT_STRICT") == "1")
    return parser.parse_args(words)


def main(words: Optional[Sequence[str]] = None) -> int:
    """Scans and tells; 0 unless strict."""
    said = arguments_of(words)
    root = Path(said.root)
    try:
        return run(said, root)
    except NotTold as error:
        print(f"upshot: {error}", file=sys.stderr)
        return 2 if said.strict else 0


def run(said: argparse.Namespace, root: Path) -> int:
    """One scan of a checkout."""
    repository = said.repository or repository_name(root)
    services = said.service or [os.environ.get("UPSHOT_SERVICE") or repository.rpartition("/")[2]]
    wanted, here = said.branch or default_branch(root), branch_now(root)
    token = os.environ.get("UPSHOT_TOKEN", "")
    address = f"{said.url.rstrip('/')}/api/v1/flags/references"
    standing: Dict[str, Sequence[str]] = {}
    if said.keys:
        keys: Iterable[str] = Path(said.keys).read_text(encoding="utf-8").split("\n")
    elif token:
        known = ask("GET", f"{address}?repository={urllib.parse.quote(repository, safe='')}", token)
        keys, standing = known["keys"], known["standing"]
    else:
        raise NotTold("set UPSHOT_TOKEN to a token of your team (Settings, API tokens), or name --keys FILE")
    found = scan(
        root, {key for key in keys if key.strip()}, dict(each.split("=", 1) for each in said.alias if "=" in each)
    )
    message = message_of(root, found, repository=repository, services=services, branch=here, standing=standing)
    if said.dry_run or not token:
        print(json.dumps(message, indent=2))
        return 0
    if wanted and here not in {wanted, "HEAD"}:
        print(f"upshot: {len(found.places)} places on {here}; only {wanted} is reported", file=sys.stderr)
        return 0
    told = ask("POST", address, token, message)
    found_words = f"{len(found.places)} places of {told['keys_count']} flags in {found.files_count} files"
    print(f"upshot: {found_words}: {told['verdict']}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
