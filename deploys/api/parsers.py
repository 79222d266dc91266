"""Bodies with limits: strict JSON, and form fields."""

from __future__ import annotations

from collections.abc import Mapping
from typing import IO, Any, ClassVar, Final

import orjson
from django.http import QueryDict
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser

from deploys.api.problems import Problem

LONGEST: Final = 1_000_000
#: 2,000 commits with a hundred files each.
LONGEST_WITH_COMMITS: Final = 12_000_000
MOST_FIELDS: Final = 1_000


def read_limited(stream: IO[bytes], longest: int = LONGEST) -> bytes:
    """The body. Problem `body-too-large` as soon as it is longer than `longest` bytes."""
    body = stream.read(longest + 1)
    if len(body) > longest:
        raise Problem("body-too-large", f"expected at most {longest} bytes")
    return body


class StrictJSONParser(BaseParser):
    """JSON by orjson: no NaN, no lone surrogates, bounded nesting."""

    media_type = "application/json"
    longest: ClassVar[int] = LONGEST

    def parse(self, stream: Any, media_type: object = None, parser_context: object = None) -> Any:  # Any: JSON
        """The value. An empty body is an empty object, so that what is missing can be named."""
        body = read_limited(stream, self.longest)
        try:
            return orjson.loads(body) if body.strip() else {}
        except orjson.JSONDecodeError as error:
            raise ParseError(f"not JSON: {error}") from error


class CommitsJSONParser(StrictJSONParser):
    """The same for messages that may carry commits."""

    longest = LONGEST_WITH_COMMITS


class FormFields(dict[str, Any]):  # Any: a text, or a list of texts
    """The fields of a form. A field sent empty counts as not sent; `files` and `services` are lists."""

    LISTS: Final = ("files", "services")

    @classmethod
    def of(cls, query: QueryDict) -> FormFields:
        """One text per field, the last one said; lists by repeating the field or by commas."""
        fields = cls()
        for name, values in query.lists():
            said = [str(value) for value in values if value != ""]
            if name in cls.LISTS and said:
                fields[name] = [part.strip() for value in said for part in value.split(",") if part.strip()]
            elif said:
                fields[name] = said[-1]
        return fields


class FormFieldsParser(BaseParser):
    """What `curl -d key=value` sends."""

    media_type = "application/x-www-form-urlencoded"

    def parse(self, stream: Any, media_type: object = None, parser_context: object = None) -> Any:  # Any: FormFields
        """The fields. A body that is not UTF-8 or has too many fields is refused."""
        try:
            body = read_limited(stream).decode("utf-8")
        except UnicodeDecodeError as error:
            raise ParseError("form fields must be UTF-8") from error
        if body.count("&") >= MOST_FIELDS:
            raise ParseError(f"expected at most {MOST_FIELDS} form fields")
        return FormFields.of(QueryDict(body))


def as_mapping(data: object) -> Mapping[str, Any]:  # Any: JSON
    """The parsed body as an object; anything else is refused."""
    if not isinstance(data, Mapping):
        raise Problem(
            "invalid-message", "expected a JSON object", errors=[{"pointer": "#", "detail": "expected an object"}]
        )
    return data
