"""Prints a patch that takes a boolean feature flag out of Python code. Version @VERSION@. Python 3.8 or newer, nothing to install.

  python3 flag_patch.py KEY --value on > flag.patch     the code as if the flag were on for ever
  git apply flag.patch

Run in a checkout. Every question for the flag is answered: a branch that this decides is kept or dropped whole, elsewhere the
question becomes True or False. Constants that hold the key are followed. Nothing is written: read the patch, then apply it.
"""

from __future__ import annotations

import argparse
import ast
import difflib
import io
import subprocess
import sys
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any, Dict, List, Optional, Set

#: Functions that answer with the flag's value, in lower case without underscores.
ASKS = {
    "getbooleanvalue", "getbooleanflagvalue", "getboolvalue", "boolvariation", "booleanvalue", "boolvalue", "variation", "isenabled",
    "enabled", "isactive", "flagisactive", "isfeatureenabled", "featureenabled", "hasfeature", "isflagenabled", "flagenabled",
}  # fmt: skip
NAMED = {"flag_key", "key", "flag"}
MOST_STEPS = 500


class Question:
    """What is being answered: the flag's key, names that hold it, and its value for ever."""

    def __init__(self, key: str, names: Collection[str], *, value: bool) -> None:
        self.key, self.names, self.value = key, set(names), value

    def answer(self, node: ast.expr) -> Optional[bool]:
        """What an expression comes to; None where that depends on more than the flag."""
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            told = self.answer(node.operand)
            return None if told is None else not told
        if isinstance(node, ast.Await):
            return self.answer(node.value)
        if not isinstance(node, ast.Call) or last_name(node.func).replace("_", "").lower() not in ASKS:
            return None
        asked = [*node.args[:1], *(each.value for each in node.keywords if each.arg in NAMED)]
        is_about = any(literal(each) == self.key or last_name(each) in self.names for each in asked)
        return self.value if is_about else None


def literal(node: ast.AST) -> Optional[str]:
    """The text of a string literal."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def last_name(node: ast.AST) -> str:
    """`c` of `a.b.c`."""
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def lines_of(text: str) -> List[str]:
    """The lines with their ends, cut where Python's own line numbers are."""
    return io.StringIO(text, newline="").readlines()


def parsed(text: str) -> Optional[ast.Module]:
    """The tree; None where this Python cannot read it."""
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return None


def names_of(tree: ast.AST, key: str) -> Iterator[str]:
    """Names that are given the key."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value is not None and literal(node.value) == key:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            yield from (name for name in map(last_name, targets) if name)


def without(text: str, question: Question) -> str:
    """The text with every question answered."""
    for _ in range(MOST_STEPS):
        after = one_step(text, question)
        if after is None:
            break
        text = after
    return text


def one_step(text: str, question: Question) -> Optional[str]:
    """The text with one question answered, branches first; None where none is left."""
    nodes = list(ast.walk(parsed(text) or ast.Module(body=[], type_ignores=[])))
    for node in nodes:
        if isinstance(node, (ast.If, ast.IfExp)) and (told := question.answer(node.test)) is not None:
            return (
                with_branch(text, node, is_body=told)
                if isinstance(node, ast.If)
                else with_value(text, node, is_body=told)
            )
    for node in nodes:
        if isinstance(node, ast.expr) and (told := question.answer(node)) is not None:
            return spliced(text, node, str(told))
    return None


def with_value(text: str, node: ast.IfExp, *, is_body: bool) -> str:
    """The text with the chosen half of `a if … else b`."""
    kept = ast.get_source_segment(text, node.body if is_body else node.orelse) or ""
    return spliced(text, node, f"({kept})" if "\n" in kept else kept)


def with_branch(text: str, node: Any, *, is_body: bool) -> str:  # Any: an If with its place
    """The text with the chosen branch of an `if` in place of the whole."""
    lines = lines_of(text)
    first, last = node.lineno - 1, int(node.end_lineno)
    line = lines[first]
    indent = line[: len(line) - len(line.lstrip())]
    is_elif = line.lstrip().startswith("elif")
    body = node.body if is_body else node.orelse
    if not body:
        kept = [] if is_elif or not is_alone(text, node) else [f"{indent}pass\n"]
        return "".join([*lines[:first], *kept, *lines[last:]])
    chunk = lines[body[0].lineno - 1 : int(body[-1].end_lineno)]
    if chunk[0].lstrip().startswith("elif") and isinstance(body[0], ast.If):  # the rest of the chain moves up
        kept = chunk if is_elif else [chunk[0].replace("elif", "if", 1), *chunk[1:]]
    elif is_elif:
        head = f"{indent}else:\n" if not on_one_line(chunk[0], body[0]) else ""
        kept = [head, *chunk] if head else [f"{indent}else: {rest_of(chunk[0], body[0])}", *chunk[1:]]
    elif on_one_line(chunk[0], body[0]):
        kept = [indent + rest_of(chunk[0], body[0]), *chunk[1:]]
    else:
        deep, fixed = body[0].col_offset - len(indent), inside_texts(body)
        kept = [
            each if number in fixed or not each[:deep].isspace() else each[deep:]
            for number, each in enumerate(chunk, body[0].lineno)
        ]
    return "".join([*lines[:first], *kept, *lines[last:]])


def on_one_line(line: str, statement: Any) -> bool:  # Any: a statement with its place
    """Whether a statement stands behind `if …:` or `else:` on its line."""
    return bool(line.encode()[: statement.col_offset].strip())


def rest_of(line: str, statement: Any) -> str:  # Any: as above
    """The line from the statement on."""
    return line.encode()[int(statement.col_offset) :].decode()


def inside_texts(body: Sequence[ast.AST]) -> Set[int]:
    """Lines that begin inside a text of several lines: their spaces are part of it."""
    return {
        number
        for statement in body
        for node in ast.walk(statement)
        if isinstance(node, (ast.Constant, ast.JoinedStr))
        for number in range(node.lineno + 1, (node.end_lineno or node.lineno) + 1)
    }


def is_alone(text: str, node: ast.stmt) -> bool:
    """Whether a statement is the only one of a block, which must not become empty."""
    for parent in ast.walk(parsed(text) or ast.Module(body=[], type_ignores=[])):
        for block in (getattr(parent, name, None) for name in ("body", "orelse", "finalbody")):
            if isinstance(block, list) and len(block) == 1 and getattr(block[0], "lineno", 0) == node.lineno:
                return not isinstance(parent, ast.Module)
    return False


def spliced(text: str, node: Any, kept: str) -> str:  # Any: an expression with its place
    """The text with an expression replaced. Columns count bytes of UTF-8."""
    lines = lines_of(text)
    before = "".join(lines[: node.lineno - 1]) + lines[node.lineno - 1].encode()[: int(node.col_offset)].decode()
    after = lines[node.end_lineno - 1].encode()[int(node.end_col_offset) :].decode() + "".join(lines[node.end_lineno :])
    return f"{before}{kept}{after}"


def patch(texts: Dict[str, str], key: str, *, value: bool) -> str:
    """One unified diff over all files; texts by path."""
    trees = {path: tree for path, text in texts.items() if (tree := parsed(text)) is not None}
    question = Question(key, {name for tree in trees.values() for name in names_of(tree, key)}, value=value)
    parts: List[str] = []
    for path in sorted(trees):
        after = without(texts[path], question)
        parts += difflib.unified_diff(lines_of(texts[path]), lines_of(after), f"a/{path}", f"b/{path}")
    return "".join(each if each.endswith("\n") else f"{each}\n\\ No newline at end of file\n" for each in parts)


def python_files(root: Path) -> Dict[str, str]:
    """Python files that git knows below the root, else all; texts by path."""
    try:
        listed = subprocess.run(
            ["git", "ls-files", "-z", "*.py"], cwd=str(root), capture_output=True, check=True, timeout=60
        )
        paths = [each for each in listed.stdout.decode("utf-8", "replace").split("\0") if each]
    except (OSError, subprocess.SubprocessError):
        paths = [each.relative_to(root).as_posix() for each in root.rglob("*.py")]
    return {
        path: (root / path).read_text(encoding="utf-8", errors="replace") for path in paths if (root / path).is_file()
    }


def main(words: Optional[Sequence[str]] = None) -> int:
    """Prints the patch."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("key")
    parser.add_argument("--value", choices=["on", "off"], default="on")
    parser.add_argument("--root", default=".")
    said = parser.parse_args(words)
    sys.stdout.write(patch(python_files(Path(said.root)), said.key, value=said.value == "on"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
