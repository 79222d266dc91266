"""Past incidents in a table of somebody else's making: which column is what, and what each row then says.

Rows become payloads of the history format's kind `incident`; nothing is guessed that the reader of the dry run cannot see.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any, Final

from deploys.domain.instants import instant_text

MOST_ROWS: Final = 5_000
MOST_COLUMNS: Final = 100
LONGEST_CELL: Final = 20_000
CLASSES: Final = ("downtime", "multi_user", "single_user", "impactless")
CLOCKS: Final[tuple[str, ...]] = ("started_at", "detected_at", "acknowledged_at", "mitigated_at", "restored_at")


@dataclass(frozen=True, slots=True)
class Target:
    """Something a column may be: the key of the payload, words for it, and names that spreadsheets give it."""

    key: str
    words: str
    names: tuple[str, ...]


TARGETS: Final = (
    Target("title", "title", ("title", "summary", "name", "incident", "subject", "what")),
    Target("id", "its own number", ("id", "number", "key", "ticket", "incident id", "reference")),
    Target("class", "class", ("class", "impact class", "impact", "type")),
    Target("services", "services", ("services", "service", "system", "component", "components", "product", "affected")),
    Target("started_at", "impact began", ("started at", "started", "start", "begin", "began", "impact start", "from")),
    Target("detected_at", "detected", ("detected at", "detected", "opened", "created", "created at", "reported")),
    Target("acknowledged_at", "acknowledged", ("acknowledged at", "acknowledged", "responded")),
    Target("mitigated_at", "mitigated", ("mitigated at", "mitigated")),
    Target(
        "restored_at", "restored", ("restored at", "restored", "resolved", "resolved at", "end", "ended", "fixed", "to")
    ),
    Target("minutes", "minutes it lasted", ("minutes", "duration", "duration min", "downtime minutes", "mins")),
    Target("severity", "severity", ("severity", "sev", "priority")),
    Target("note", "note", ("note", "notes", "description", "comment", "comments", "root cause", "cause", "details")),
)
KEYS: Final = tuple(target.key for target in TARGETS)
#: How days are written; the first that fits each, in order.
DATES: Final[Mapping[str, tuple[str, ...]]] = {
    "iso": ("%Y-%m-%d", "%Y/%m/%d"),
    "day": ("%d.%m.%Y", "%d/%m/%Y", "%d-%m-%Y", "%d.%m.%y", "%d/%m/%y"),
    "month": ("%m/%d/%Y", "%m-%d-%Y", "%m/%d/%y"),
}
_TIMES: Final = ("%H:%M:%S", "%H:%M", "%I:%M:%S %p", "%I:%M %p")
_CLASS_WORDS: Final = {
    "downtime": "downtime", "outage": "downtime", "down": "downtime", "full": "downtime",
    "multi_user": "multi_user", "multiuser": "multi_user", "partial": "multi_user", "degraded": "multi_user",
    "single_user": "single_user", "singleuser": "single_user",
    "impactless": "impactless", "none": "impactless", "no_impact": "impactless",
}  # fmt: skip


class NotATable(ValueError):
    """Text that cannot be read as a table; the message says why."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table with its header. `rows` as (line number in the text, cells); empty rows are left out."""

    header: tuple[str, ...]
    rows: tuple[tuple[int, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """How the table is to be read. `columns` by position, keys of TARGETS or nothing; what a cell leaves open is the default."""

    columns: tuple[str, ...]
    zone: tzinfo
    dates: str = "iso"
    default_class: str = ""
    default_service: str = ""


@dataclass(frozen=True, slots=True)
class ReadRow:
    """One row: its payload, or why there is none."""

    line: int
    payload: Mapping[str, Any]  # Any: JSON
    severity: str = ""
    note: str = ""
    problems: tuple[str, ...] = ()


def read_table(text: str) -> Table:
    """The table in CSV text, whatever its separator (comma, semicolon, tab). Raises NotATable."""
    text = text.removeprefix("\N{BOM}").replace("\x00", "")
    first = text.split("\n", 1)[0]
    separator = max(",;\t", key=first.count)
    rows: list[tuple[int, tuple[str, ...]]] = []
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                rows.append((reader.line_num, tuple(cell.strip()[:LONGEST_CELL] for cell in cells[:MOST_COLUMNS])))
            if len(rows) > MOST_ROWS + 1:
                raise NotATable(f"A table has at most {MOST_ROWS:,} rows here: cut it in two.")
    except csv.Error as error:
        raise NotATable(f"Line {reader.line_num} is no CSV: {error}.") from error
    if len(rows) < 2:
        raise NotATable("Expected a line with the names of the columns, and a line for each incident.")
    return Table(rows[0][1], tuple(rows[1:]))


def guessed_columns(header: Sequence[str]) -> tuple[str, ...]:
    """What each column probably is, by its name; empty where nothing fits. No key twice."""
    taken: set[str] = set()
    found = []
    for name in header:
        plain = " ".join(re.findall(r"[a-z]+", name.lower()))
        key = next((target.key for target in TARGETS if plain in target.names and target.key not in taken), "")
        taken.add(key)
        found.append(key)
    return tuple(found)


def read_rows(table: Table, reading: Reading) -> list[ReadRow]:
    """Every row as the reading has it. Two rows of one number, or alike in everything, are one incident: the later is refused."""
    found, seen = [], set()
    for line, cells in table.rows:
        row = _read_row(line, cells, reading)
        identity = row.payload.get("id")
        if identity is not None and identity in seen:
            row = ReadRow(line, {}, problems=("a row above has the same number, or is the same",))
        seen.add(identity)
        found.append(row)
    return found


def _read_row(line: int, cells: Sequence[str], reading: Reading) -> ReadRow:
    told = {key: cell for key, cell in zip(reading.columns, cells, strict=False) if key and cell}
    problems: list[str] = []
    payload: dict[str, Any] = {}  # Any: JSON
    payload["title"] = told.get("title", "")[:300]
    if not payload["title"]:
        problems.append("no title")
    payload["class"] = _class(told.get("class", ""), reading.default_class, problems)
    payload["services"] = _services(told.get("services", ""), reading.default_service, problems)
    clocks: dict[str, datetime | None] = {
        key: _instant(key, told[key], reading, problems) for key in CLOCKS if key in told
    }
    _add_length(clocks, told.get("minutes", ""), problems)
    _check_clocks(clocks, problems)
    payload |= {key: instant_text(at) for key, at in clocks.items() if at is not None}
    if problems:
        return ReadRow(line, {}, problems=tuple(problems))
    payload["id"] = told.get("id", "")[:200] or _identity(payload)
    return ReadRow(line, payload, _severity(told.get("severity", "")), told.get("note", ""))


def _class(cell: str, default: str, problems: list[str]) -> str:
    known = _CLASS_WORDS.get(re.sub(r"[\s-]+", "_", cell.strip().lower()), default)
    if not known:
        problems.append(f"no class called {cell[:40]!r}" if cell else "no class")
    return known


def _services(cell: str, default: str, problems: list[str]) -> list[str]:
    names = [name.strip()[:200] for name in re.split(r"[,;|]", cell) if name.strip()] or ([default] if default else [])
    if not names:
        problems.append("no service")
    return list(dict.fromkeys(names))


def _severity(cell: str) -> str:
    """`SEV1`, `sev-1`, `P1` or `1`; empty for what is none of four."""
    match = re.fullmatch(r"(?:sev|s|p|severity|priority)?[\s-]*([1-4])", cell.strip().lower())
    return f"sev{match[1]}" if match else ""


def _instant(key: str, cell: str, reading: Reading, problems: list[str]) -> datetime | None:
    at = parsed_instant(cell, zone=reading.zone, dates=reading.dates)
    if at is None:
        problems.append(f"{key.removesuffix('_at')}: cannot read the time {cell[:40]!r}")
    elif not 1990 <= at.year < 2200:
        problems.append(f"{key.removesuffix('_at')}: expected a year from 1990 to 2199, got {at.year}")
        return None
    return at


def parsed_instant(text: str, *, zone: tzinfo, dates: str) -> datetime | None:
    """A time as spreadsheets write it: ISO 8601, or a day as `dates` says with a clock or without (midnight). None for others.

    One that names no offset is of `zone`.
    """
    text = text.strip()
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at_or_none = next(filter(None, (_parsed(text, each) for each in _patterns(dates))), None)
        if at_or_none is None:
            return None
        at = at_or_none
    return at if at.tzinfo is not None else at.replace(tzinfo=zone)


def _patterns(dates: str) -> Iterable[str]:
    for day in DATES[dates]:
        yield day
        for time in _TIMES:
            yield f"{day} {time}"
            yield f"{day}, {time}"


def _parsed(text: str, pattern: str) -> datetime | None:
    try:
        return datetime.strptime(text, pattern)  # noqa: DTZ007 -- the caller adds the zone
    except ValueError:
        return None


def _add_length(clocks: dict[str, datetime | None], cell: str, problems: list[str]) -> None:
    """Restored where only the length is told, in minutes or as h:mm."""
    if not cell or clocks.get("restored_at") is not None:
        return
    began = clocks.get("started_at") or clocks.get("detected_at")
    match = re.fullmatch(r"(\d{1,4}):(\d\d)(?::(\d\d))?", cell)
    plain = re.fullmatch(r"(\d{1,7})(?:[.,](\d+))?\s*(?:m|min|minutes)?", cell.lower())
    if match is not None:
        seconds = int(match[1]) * 3600.0 + int(match[2]) * 60 + int(match[3] or 0)
    elif plain is not None:
        seconds = float(f"{plain[1]}.{plain[2] or 0}") * 60
    else:
        problems.append(f"cannot read the length {cell[:40]!r}")
        return
    if began is not None:
        clocks["restored_at"] = datetime.fromtimestamp(began.timestamp() + seconds, tz=began.tzinfo)


def _check_clocks(clocks: Mapping[str, datetime | None], problems: list[str]) -> None:
    began = clocks.get("started_at") or clocks.get("detected_at")
    if began is None:
        if not any("cannot read the time" in problem for problem in problems):
            problems.append("no start: neither when it began nor when it was detected")
        return
    early = [key.removesuffix("_at") for key, at in clocks.items() if at is not None and at < began]
    problems += [f"{name} lies before its start" for name in early]
    mitigated, restored = clocks.get("mitigated_at"), clocks.get("restored_at")
    if mitigated is not None and restored is not None and mitigated > restored:
        problems.append("mitigated lies after restored")


def _identity(payload: Mapping[str, Any]) -> str:  # Any: JSON
    """The same row has the same name however often it is imported: by its title and its start."""
    said = f"{payload['title']}\x1f{payload.get('started_at') or payload.get('detected_at')}"
    return f"row-{hashlib.blake2b(said.encode(), digest_size=8).hexdigest()}"
