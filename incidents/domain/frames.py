"""Stack frames without what a build or a machine put into them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from incidents.domain.event import Frame

_HASH = re.compile(
    r"[.\-_~](?=[0-9a-zA-Z]*\d)(?=[0-9a-zA-Z]*[a-zA-Z])[0-9a-zA-Z]{6,64}(?=\.)|[.\-_~][0-9a-f]{8,64}(?=\.)"
)
_ORIGIN = re.compile(r"^[a-z][a-z0-9+.-]*://[^/]*/+|^(?:webpack|app|file|node|ng|rsc):/*", re.IGNORECASE)
_LIBRARY = re.compile(
    r"(?:^|/)(?:site-packages|dist-packages|node_modules|bower_components|vendor|vendors|gems|\.cargo|\.m2|\.nuget|"
    r"pkg/mod|go/src/runtime|lib/python\d[\d.]*|lib/ruby|usr/lib|usr/local/lib|jre|jdk[\w.-]*|rustc|dotnet)(?:/|$)"
    r"|^(?:node:|internal/|<frozen |java\.|javax\.|jdk\.|sun\.|kotlin\.|scala\.|system\.)",
    re.IGNORECASE,
)
_RUNTIME_MODULE = re.compile(
    r"^(?:java|javax|jdk|sun|kotlin|scala|org\.springframework|org\.apache|io\.netty|System|Microsoft|runtime|net/http)\b"
)
_GENERATED = re.compile(
    r"(?:<lambda>|<listcomp>|<genexpr>|<dictcomp>|<setcomp>|lambda\$[\w$]+|\$+\d+|__closure\d*|_\d+$)"
)
_ANONYMOUS = re.compile(r"^(?:\?|<anonymous>|anonymous|<unknown>|null|undefined|eval|.{0,2})$", re.IGNORECASE)
_VERSION_DIRECTORY = re.compile(
    r"(?<=/)(?:releases?|versions?|revisions?)/[\w.-]+/|(?<=/)[0-9a-f]{7,40}/|(?<=/)v?\d[\w.]*/"
)


def path_of(file: str) -> str:
    """The path of a source file without origin, query, build hash and release directory; ``/`` separates the parts."""
    path = file.replace("\\", "/").split("?")[0].split("#")[0]
    path = _ORIGIN.sub("", path)
    path = re.sub(r"^[A-Za-z]:/", "", path)
    path = _VERSION_DIRECTORY.sub("", "/" + path.lstrip("/")).lstrip("/")
    return _HASH.sub("", path).removeprefix("./")


def is_library(frame: Frame) -> bool:
    """Is this code that the team does not write? Used where the SDK did not say."""
    return bool(_LIBRARY.search(frame.file.replace("\\", "/")) or _RUNTIME_MODULE.match(frame.module))


def is_in_app(frame: Frame) -> bool:
    """What the SDK said, else a judgement by path."""
    if frame.in_app is not None:
        return frame.in_app
    return bool(frame.file or frame.module) and not is_library(frame)


def in_app_frames(frames: Sequence[Frame]) -> tuple[Frame, ...]:
    """Own frames, innermost first; when none is own, nothing."""
    return tuple(frame for frame in reversed(frames) if is_in_app(frame))


def function_of(frame: Frame) -> str:
    """The name without what compilers add; empty when it is nameless or minified (two characters or fewer)."""
    name = frame.function.strip().rsplit("(", 1)[0].strip()
    name = _GENERATED.sub("", name).strip(".$ ")
    return "" if _ANONYMOUS.match(name) else name


def place_of(frame: Frame) -> str:
    """``path in function``: where a frame is, stable over releases. A file's line is not part of it: lines move."""
    where = path_of(frame.file) or frame.module
    function = function_of(frame)
    return f"{where} in {function}" if function else where


def culprit(frames: Sequence[Frame]) -> str:
    """The innermost own place, else the innermost place at all, else the empty string."""
    own = in_app_frames(frames)
    if own:
        return place_of(own[0])
    return place_of(frames[-1]) if frames else ""


def source_paths(frames: Sequence[Frame]) -> tuple[str, ...]:
    """Paths of the own frames, innermost first, each once: what is compared with the files that a deploy changed."""
    return tuple(dict.fromkeys(path for path in (path_of(frame.file) for frame in in_app_frames(frames)) if path))


def same_file(one: str, other: str) -> bool:
    """Do two paths with different roots name one file? Two parts from the end must agree, or the whole paths."""
    left, right = one.strip("/").split("/"), other.strip("/").split("/")
    common = 0
    for a, b in zip(reversed(left), reversed(right), strict=False):
        if a != b:
            break
        common += 1
    return common >= 2 or (common == 1 and len(left) == len(right) == 1)
