"""Pages of lists, newest first, by a cursor: stable while new rows come in, and as fast on the last page as on the first."""

from __future__ import annotations

import base64
import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar
from urllib.parse import urlencode

from django.db.models import Model, Q, QuerySet
from django.http import QueryDict

from deploys.domain.instants import NotAnInstant, instant_text, parse_instant

M = TypeVar("M", bound=Model)


class BadCursor(ValueError):
    """The cursor was not made here."""


@dataclass(frozen=True, slots=True)
class Page(Generic[M]):
    """One page of rows. `older` and `newer` are query strings of the neighbouring pages, empty where there is none.

    `searched_to`: nothing older than this was looked at yet, though there is more; `older` goes on from there.
    """

    rows: Sequence[M]
    older: str
    newer: str
    searched_to: dt.datetime | None = None


def page_of(rows: QuerySet[M, M], *, by: str, query: QueryDict, size: int) -> Page[M]:
    """The page that the query string's `cursor` asks for, ordered by the column `by` and the key, newest first.

    BadCursor when it was not made here. One query.
    """
    towards, edge = _read(query.get("cursor", ""))
    is_back = towards == "newer"
    order = [by, "pk"] if is_back else [f"-{by}", "-pk"]
    wanted = rows.order_by(*order)
    if edge is not None:
        at, pk = edge
        side = "gt" if is_back else "lt"
        wanted = wanted.filter(Q(**{f"{by}__{side}": at}) | Q(**{by: at, f"pk__{side}": pk}))
    found: list[M] = list(wanted[: size + 1])
    has_more = len(found) > size
    found = found[:size]
    if is_back:
        found.reverse()
    has_older, has_newer = (True, has_more) if is_back else (has_more, edge is not None)
    return Page(
        found,
        _link(query, "older", found[-1], by) if found and has_older else "",
        _link(query, "newer", found[0], by) if found and has_newer else "",
    )


def page_within(
    rows: QuerySet[M, M], *, among: QuerySet[M, M], most: int, by: str, query: QueryDict, size: int
) -> Page[M]:
    """As `page_of`, for rows that no index finds: looks at no more than the next `most` of those they are `among`.

    So a search for what is not there costs the same however long the history; its reader asks for more of it. Two queries.
    """
    towards, edge = _read(query.get("cursor", ""))
    if towards == "newer":
        return page_of(rows, by=by, query=query, size=size)
    ahead = among.order_by(f"-{by}", "-pk")
    if edge is not None:
        at, pk = edge
        ahead = ahead.filter(Q(**{f"{by}__lt": at}) | Q(**{by: at, "pk__lt": pk}), **{f"{by}__lte": at})
    border = list(ahead.values_list(by, "pk")[most - 1 : most + 1])  # the last one to look at, and one behind it
    if len(border) < 2:
        return page_of(rows, by=by, query=query, size=size)
    at, pk = border[0]
    near = rows.filter(Q(**{f"{by}__gt": at}) | Q(**{by: at, "pk__gte": pk}), **{f"{by}__gte": at})
    page = page_of(near, by=by, query=query, size=size)
    return page if page.older else replace(page, older=_link_to(query, "older", at, pk), searched_to=at)


def _link(query: QueryDict, towards: str, row: Model, by: str) -> str:
    return _link_to(query, towards, getattr(row, by), row.pk)


def _link_to(query: QueryDict, towards: str, at: dt.datetime, pk: Any) -> str:  # Any: a key
    others = [(name, value) for name, values in query.lists() if name != "cursor" for value in values]
    edge = [towards, instant_text(at), pk]
    cursor = base64.urlsafe_b64encode(json.dumps(edge).encode()).decode().rstrip("=")
    return urlencode([*others, ("cursor", cursor)])


def _read(cursor: str) -> tuple[str, tuple[dt.datetime, Any] | None]:  # Any: a key
    if not cursor:
        return "older", None
    try:
        towards, at, pk = json.loads(base64.urlsafe_b64decode(cursor.encode() + b"=" * (-len(cursor) % 4)))
        if towards not in {"older", "newer"} or not isinstance(pk, int) or abs(pk) >= 1 << 63:
            raise BadCursor(cursor)
        return towards, (parse_instant(at), pk)
    except (ValueError, TypeError, NotAnInstant, RecursionError) as error:
        raise BadCursor(cursor) from error
