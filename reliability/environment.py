"""The environment variables Upshot reads: one typed table, from which settings are made and the documentation is checked."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path
from typing import Final


class BadVariable(Exception):
    """An environment variable holds something it cannot hold. The message starts with the variable's name."""


@dataclass(frozen=True, slots=True)
class Variable:
    """One setting. `default` is the text used when the variable is unset; None means "no value"."""

    name: str
    kind: Callable[[str], object]
    default: str | None
    help: str
    secret: bool = False


def boolean(text: str) -> bool:
    """1/true/yes/on or 0/false/no/off, in any case; anything else raises ValueError."""
    word = text.strip().lower()
    if word in {"1", "true", "yes", "on"}:
        return True
    if word in {"0", "false", "no", "off", ""}:
        return False
    raise ValueError("expected 1 or 0")


def words(text: str) -> list[str]:
    """A comma-separated list; empty parts are dropped."""
    return [part.strip() for part in text.split(",") if part.strip()]


def networks(text: str) -> tuple[object, ...]:
    """Addresses and networks, comma-separated; anything else raises ValueError."""
    return tuple(ip_network(word) for word in words(text))


def port(text: str) -> int:
    """A TCP port number."""
    number = int(text)
    if not 1 <= number <= 65535:
        raise ValueError("expected a port from 1 to 65535")
    return number


def failpoint(text: str) -> tuple[str, int]:
    """`name`, or `name:n` for the n-th pass."""
    name, _, number = text.partition(":")
    if not name or (number and not positive(number)):
        raise ValueError("expected the name of a failpoint, or name:n")
    return name, int(number or 1)


def positive(text: str) -> int:
    """A whole number above zero."""
    number = int(text)
    if number < 1:
        raise ValueError("expected a whole number above zero")
    return number


def natural(text: str) -> int:
    """A whole number, zero or above."""
    number = int(text)
    if number < 0:
        raise ValueError("expected a whole number, zero or above")
    return number


VARIABLES: Final[tuple[Variable, ...]] = (
    Variable(
        "UPSHOT_DATABASE_URL",
        str,
        None,
        "Database. Unset: SQLite in the data directory. `postgres://user:password@host:5432/name` for PostgreSQL.",
        secret=True,
    ),
    Variable(
        "UPSHOT_BROKER_URL",
        str,
        None,
        "Celery broker for wake-ups. Unset: the file system, in the data directory. `redis://…` or `amqp://…` to scale out.",
        secret=True,
    ),
    Variable(
        "UPSHOT_BASE_URL",
        str,
        None,
        "Public address of this instance, used in DSNs, links and snippets. Unset: `http://127.0.0.1:$PORT`.",
    ),
    Variable(
        "UPSHOT_SECRET_KEY",
        str,
        None,
        "Signs sessions and encrypts webhook secrets. Unset: made once and kept in the data directory, mode 0600.",
        secret=True,
    ),
    Variable(
        "UPSHOT_DATA_DIR", Path, "var", "Where SQLite files, the file-system broker and the made secret key live."
    ),
    Variable(
        "UPSHOT_SENTRY_DSN",
        str,
        None,
        "Where Upshot reports its own errors. Unset: nowhere. Must not be a DSN of this same instance.",
        secret=True,
    ),
    Variable(
        "UPSHOT_EMAIL_URL",
        str,
        None,
        "Mail server for reports and alerts: `smtp://user:password@host:25`, `smtp+tls://…:587`, `smtp+ssl://…:465`. Unset: no"
        " mail is sent.",
        secret=True,
    ),
    Variable("UPSHOT_EMAIL_FROM", str, None, "Sender of that mail. Unset: `upshot@` and the host of UPSHOT_BASE_URL."),
    Variable(
        "UPSHOT_CLOCK_OFFSET_SECONDS", float, "0", "Shifts the clock, for tests only. Refused unless UPSHOT_TESTING=1."
    ),
    Variable(
        "UPSHOT_FAILPOINT",
        failpoint,
        None,
        "Where a test has the process killed, `name` or `name:n` for the n-th pass. Refused unless UPSHOT_TESTING=1.",
    ),
    Variable(
        "UPSHOT_TESTING",
        boolean,
        "0",
        "Set by the test suite: allows the clock offset and failpoints, and relaxes nothing else.",
    ),
    Variable("UPSHOT_DEBUG", boolean, "0", "Django's debug mode and the gallery page. Never in production."),
    Variable(
        "UPSHOT_ALLOWED_HOSTS",
        words,
        "",
        "Further host names the pages answer to, comma-separated. The host of UPSHOT_BASE_URL and loopback always count.",
    ),
    Variable(
        "UPSHOT_ALLOW_PRIVATE_MONITORS",
        boolean,
        None,
        "Whether HTTP monitors and notifications may reach loopback and every private address. Unset: only while"
        " UPSHOT_BASE_URL is a loopback address, that is, while everybody who can set one sits at this machine; their URLs come"
        " from users.",
    ),
    Variable(
        "UPSHOT_PRIVATE_NETWORKS",
        networks,
        "",
        "Private networks that HTTP monitors and notifications may reach all the same, comma-separated: `10.20.0.0/16,fd00::/8`."
        " Allow as little as is needed, and never the address of a cloud's metadata service.",
    ),
    Variable(
        "UPSHOT_WEB_THREADS",
        positive,
        "4",
        "Threads for pages and the API in each web process (ingest does not use them).",
    ),
    Variable("UPSHOT_WEB_PROCESSES", positive, "1", "Web processes that `serve` starts."),
    Variable("UPSHOT_WORKER_THREADS", positive, "2", "Threads of the worker process that `serve` starts."),
    Variable(
        "UPSHOT_EVENT_RATE",
        natural,
        "1000",
        "Events a second that each service may send in the long run; 0 means no limit. A service may have a rate of its"
        " own, on its page. Each web process keeps its part of it, so a sender that always reaches the same one of"
        " several processes is held to that part.",
    ),
    Variable("UPSHOT_EVENT_BURST", positive, "100000", "Events that each service may send at once, above its rate."),
    Variable(
        "UPSHOT_FLAG_RATE",
        natural,
        "5000",
        "Requests for flags a second that one key may send to each web process, twice as many at once; who sends more is"
        " told to wait (429). 0 means no limit.",
    ),
    Variable(
        "UPSHOT_BACKLOG_SECONDS",
        positive,
        "86400",
        "A service whose oldest undigested error is older than this is told to wait, until the worker has caught up.",
    ),
    Variable(
        "UPSHOT_BACKLOG_ROWS",
        positive,
        "1000000",
        "Undigested bodies that the inbox may hold. One service may hold as many as are left free, half of them at most.",
    ),
    Variable("UPSHOT_BACKLOG_MB", positive, "4096", "The same in MiB."),
    Variable(
        "UPSHOT_RESERVED_DISK_MB",
        natural,
        "256",
        "MiB that stay free for digesting, of the disk on SQLite, of `UPSHOT_DATABASE_MAX_MB` on PostgreSQL: with less, and"
        " room for what waits, errors are refused with 429 until there is space again.",
    ),
    Variable(
        "UPSHOT_DATABASE_MAX_MB",
        natural,
        "0",
        "MiB that the PostgreSQL database may take on its server, whose disk is not seen from here; 0 means that nobody"
        " watches. Deleting makes room inside the database and does not make it smaller, so set it above what the kept"
        " reports take (`UPSHOT_EVENTS_PER_SERVICE`) and well below the disk. SQLite watches its disk instead.",
    ),
    Variable(
        "UPSHOT_RETENTION",
        boolean,
        "1",
        "Whether the worker deletes error reports that are too old or too many, and raw bodies after two weeks.",
    ),
    Variable(
        "UPSHOT_EVENTS_PER_ISSUE",
        positive,
        "10000",
        "Error reports kept for each issue: beyond, the first, the newest, those of incidents and a sample of the others stay.",
    ),
    Variable(
        "UPSHOT_EVENTS_PER_SERVICE",
        positive,
        "500000",
        "Error reports kept for each service: beyond, its largest issues are thinned out. About 5 KB each.",
    ),
    Variable(
        "UPSHOT_TRUSTED_PROXIES",
        networks,
        "",
        "Addresses or networks of the proxies in front, comma-separated: only their `X-Forwarded-For` is believed.",
    ),
    Variable(
        "UPSHOT_NEW_ISSUES_PER_HOUR",
        positive,
        "1000",
        "New issues that each service may make within an hour: beyond, what is new is collected in one overflow issue of the service.",
    ),
    Variable("UPSHOT_LOG_LEVEL", str, "INFO", "Lowest level written to the log: DEBUG, INFO, WARNING or ERROR."),
    Variable("PORT", port, "8000", "Port that `serve` listens on, on UPSHOT_HOST."),
    Variable("UPSHOT_HOST", str, "127.0.0.1", "Address that `serve` listens on."),
)


@dataclass(frozen=True, slots=True)
class Environment:
    """Typed access to the variables of `VARIABLES`."""

    values: Mapping[str, str]

    def read(self, name: str) -> object:
        """The typed value, or None when it is unset and has no default. Secrets may come from `NAME_FILE`.

        Raises BadVariable, naming the variable, when the text cannot be converted or the file cannot be read.
        """
        variable = next(each for each in VARIABLES if each.name == name)
        text = self.values.get(name)
        if variable.secret and not text and (path := self.values.get(f"{name}_FILE")):
            try:
                text = Path(path).read_text(encoding="utf-8").strip()
            except OSError as error:
                raise BadVariable(f"{name}_FILE: cannot read {path}: {error.strerror}") from error
        if text is None or text == "":
            text = variable.default
        if text is None:
            return None
        try:
            return variable.kind(text)
        except ValueError as error:
            raise BadVariable(f"{name}: got {'a value' if variable.secret else repr(text)}: {error}") from error

    def text(self, name: str) -> str | None:
        """The value of a text variable."""
        value = self.read(name)
        return None if value is None else str(value)

    def flag(self, name: str) -> bool:
        """The value of a yes/no variable."""
        return bool(self.read(name))

    def number(self, name: str) -> int:
        """The value of a whole-number variable."""
        value = self.read(name)
        if not isinstance(value, int):
            raise BadVariable(f"{name}: expected a whole number")
        return value


def unknown_names(values: Mapping[str, str]) -> list[str]:
    """Variables that begin with UPSHOT_ and mean nothing: most likely a typing mistake."""
    known = {v.name for v in VARIABLES} | {f"{v.name}_FILE" for v in VARIABLES if v.secret}
    known |= {"UPSHOT_SHARED", "UPSHOT_REQUIRE_SERVICES"}  # read by the test suite
    return sorted(name for name in values if name.startswith("UPSHOT_") and name not in known)


def process_environment() -> Environment:
    """The environment of this process."""
    return Environment(os.environ)
