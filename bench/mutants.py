"""Mutation testing of the pure core: changes one operator at a time and sees whether a test of the domain notices.

    python bench/mutants.py [module ...] [--jobs 2] [--list]

Each mutant lives in a forked process whose imports of that one module give the changed code, and runs the examples in
tests/reliability/domain until the first one fails. Random histories (test_properties.py) and the worked cases outside
the repository are left out: slow, and what only they notice is no example yet. Ends with 1 below FLOOR. Survivors that change nothing that can be observed stand with their reason in bench/mutants_survivors.json.
"""

from __future__ import annotations

import argparse
import ast
import copy
import importlib.abc
import importlib.machinery
import importlib.util
import json
import os
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parent.parent
CORE = ("intervals", "uptime", "dora", "recovery", "estimates", "slo", "burn_rate", "causes", "knowledge")
EXCUSED = ROOT / "bench/mutants_survivors.json"
FLOOR = 0.95
#: A mutant that takes this many times as long as the tests without any change hangs: it is dead.
PATIENCE, LEAST_SECONDS = 10, 60
LEFT_OUT = {"test_properties.py", "test_contract.py"}
#: The quick and most telling tests first: most mutants die in the first files.
TESTS = ("test_{module}.py", "test_asked.py", "test_asked_edges.py", ".")
COMPARED: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE), ast.LtE: (ast.Lt, ast.Gt), ast.Gt: (ast.GtE, ast.LtE), ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,), ast.NotEq: (ast.Eq,), ast.Is: (ast.IsNot,), ast.IsNot: (ast.Is,), ast.In: (ast.NotIn,), ast.NotIn: (ast.In,),
}  # fmt: skip
CALCULATED: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult, ast.Mod: ast.Mult,
    ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd,
}  # fmt: skip
SWAPPED = {"min": "max", "max": "min", "any": "all", "all": "any"}


def variants(node: ast.AST) -> Iterator[ast.AST]:  # noqa: C901 -- one line per kind of node
    """Every node that may stand in place of this one."""
    if isinstance(node, ast.Compare):
        for place, operator in enumerate(node.ops):
            for other in COMPARED[type(operator)]:
                changed = copy.deepcopy(node)
                changed.ops[place] = other()
                yield changed
    elif isinstance(node, ast.BinOp | ast.AugAssign) and type(node.op) in CALCULATED:
        changed_op = copy.deepcopy(node)
        changed_op.op = CALCULATED[type(node.op)]()
        yield changed_op
    elif isinstance(node, ast.BoolOp):
        yield ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values)
        yield from (_without(node, place) for place in range(len(node.values)))
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield node.operand
    elif isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield ast.Constant(not node.value)
    elif isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        yield ast.Constant(node.value + 1)
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in SWAPPED:
        yield ast.Call(ast.Name(SWAPPED[node.func.id], ast.Load()), node.args, node.keywords)
    elif isinstance(node, ast.Continue):
        yield ast.Break()
    elif isinstance(node, ast.Return) and node.value is not None and not _is_none(node.value):
        yield ast.Return(ast.Constant(None))
    elif isinstance(node, ast.If | ast.IfExp) and isinstance(node.test, ast.Name | ast.Call | ast.Attribute):
        inverted = copy.copy(node)
        inverted.test = ast.UnaryOp(ast.Not(), node.test)
        yield inverted


def _without(node: ast.BoolOp, place: int) -> ast.AST:
    rest = [value for index, value in enumerate(node.values) if index != place]
    return rest[0] if len(rest) == 1 else ast.BoolOp(node.op, rest)


def _is_none(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def places(tree: ast.AST) -> Iterator[tuple[ast.AST, str, int | None, ast.AST]]:
    """(parent, field, index, node) of all code; annotations, texts and decorators are no code to change."""
    for name, value in ast.iter_fields(tree):
        if name in {"annotation", "returns", "decorator_list", "type_params"}:
            continue
        for index, item in enumerate(value) if isinstance(value, list) else [(None, value)]:
            if isinstance(item, ast.AST) and not (isinstance(tree, ast.Assign) and _is_alias(tree)):
                yield tree, name, index, item
                yield from places(item)


def _is_alias(node: ast.Assign) -> bool:
    """A type alias such as `A = B | C`: it says nothing at run time."""
    return isinstance(node.value, ast.BinOp) and isinstance(node.value.op, ast.BitOr)


def mutants(source: str) -> Iterator[tuple[str, str]]:
    """(what was changed, the changed source) of every mutant, in order; a name is stable while its line stays."""
    tree = ast.parse(source)
    seen: dict[str, int] = {}
    for parent, name, index, node in places(tree):
        line = getattr(node, "lineno", 0)
        for other in variants(node):
            _put(parent, name, index, other)
            changed = ast.unparse(ast.fix_missing_locations(tree))
            _put(parent, name, index, node)
            what = f"{ast.unparse(node).splitlines()[0]} -> {ast.unparse(other).splitlines()[0]}"
            text = f"{source.splitlines()[line - 1].strip()} :: {what}"
            seen[text] = seen.get(text, 0) + 1
            yield f"{text} #{seen[text]}", changed


def _put(parent: ast.AST, name: str, index: int | None, node: ast.AST) -> None:
    if index is None:
        setattr(parent, name, node)
    else:
        getattr(parent, name)[index] = node


class Changed(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports one module from a text."""

    def __init__(self, name: str, source: str) -> None:
        self.name, self.source = name, source

    def find_spec(self, fullname: str, path: object, target: object = None) -> importlib.machinery.ModuleSpec | None:
        """The module that was changed, and no other."""
        return importlib.util.spec_from_loader(fullname, self) if fullname == self.name else None

    def exec_module(self, module: ModuleType) -> None:
        """Runs the text."""
        exec(compile(self.source, self.name, "exec"), module.__dict__)  # noqa: S102 -- our own source, one operator changed


def survives(module: str, source: str, longest: float) -> bool:
    """Whether no test of the domain fails; a mutant that hangs is dead."""
    pid = os.fork()
    if pid == 0:
        _child(module, source)
    deadline = time.monotonic() + longest
    while time.monotonic() < deadline:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status) == 0
        time.sleep(0.02)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return False


def _child(module: str, source: str) -> None:
    import pytest  # noqa: PLC0415 -- loaded before the fork

    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 1)
    os.dup2(nothing, 2)
    sys.meta_path.insert(0, Changed(f"reliability.domain.{module}", source))
    folder = "tests/reliability/domain"
    wanted = [f"{folder}/{name.format(module=module)}" for name in TESTS]
    files = list(dict.fromkeys(str(path) for name in wanted for path in _files(ROOT / name)))
    plugins = ["no:django", "no:randomly", "no:xdist", "no:socket", "no:cov", "no:schemathesis", "no:cacheprovider"]
    options = [part for name in plugins for part in ("-p", name)]
    for some in (files[:1], files[1:]):  # most mutants die in the first file, which is quick to collect
        code = pytest.main(["-x", "-q", "-c", os.devnull, f"--rootdir={ROOT}", "--noconftest", *options, *some])
        if code:
            os._exit(int(code))
    os._exit(0)


def _files(path: Path) -> list[Path]:
    if path.is_dir():
        return sorted(each for each in path.glob("test_*.py") if each.name not in LEFT_OUT)
    return [path] if path.exists() else []


def main() -> int:
    """Plays all mutants and prints what survived."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("modules", nargs="*", default=[*CORE])
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    os.chdir(ROOT)
    sys.path.insert(0, str(ROOT))
    os.environ["UPSHOT_TESTING"] = "1"
    import hypothesis  # noqa: PLC0415 -- only here, so that importing this module stays cheap
    import pytest  # noqa: F401, PLC0415 -- loaded once, for all children

    hypothesis.settings.register_profile("mutants", derandomize=True, database=None, deadline=None)
    hypothesis.settings.load_profile("mutants")
    # compiled once for all children, whatever the tree may hold: that is half of what a mutant costs
    sys.dont_write_bytecode = False
    with tempfile.TemporaryDirectory(prefix="upshot-mutants-") as sys.pycache_prefix:
        return play(options.modules, options.jobs)


def play(modules: Sequence[str], jobs: int) -> int:
    """Prints what survived of each module; 1 below FLOOR."""
    excused = json.loads(EXCUSED.read_text()) if EXCUSED.exists() else {}
    total = killed = 0
    for module in modules:
        source = (ROOT / f"reliability/domain/{module}.py").read_text()
        made = list(mutants(source))
        began = time.monotonic()
        if not survives(module, source, 1e9):
            raise SystemExit(f"{module}: the tests fail without any change")
        longest = max(LEAST_SECONDS, PATIENCE * (time.monotonic() - began))
        with ThreadPoolExecutor(jobs) as pool:
            lived = list(pool.map(lambda each, name=module, most=longest: survives(name, each[1], most), made))
        left = [what for (what, _), alive in zip(made, lived, strict=True) if alive]
        total, killed = total + len(made), killed + len(made) - len(left)
        print(f"{module}: {len(made) - len(left)} of {len(made)} killed", flush=True)
        for what in left:
            print(f"  {excused.get(module, {}).get(what, 'SURVIVED')}: {what}", flush=True)
    print(f"{killed} of {total} killed, {100 * killed / max(total, 1):.1f} %")
    return int(killed < FLOOR * total)


if __name__ == "__main__":
    sys.exit(main())
