"""GET and POST /api/v1/flags/references."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Final

from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from deploys import clock
from deploys.actions.flag_scans import record_scan
from deploys.actions.turns import one_write
from deploys.api.authentication import caller_of
from deploys.api.deploys import PROBLEMS, READ_PROBLEMS
from deploys.api.fields import EARLIEST, INSTANT_SCHEMA, LATEST, InstantField, NameField
from deploys.api.parsers import CommitsJSONParser, as_mapping
from deploys.api.problems import Problem
from deploys.api.writes import DeliveryView, unknown_keys
from deploys.domain.flag_code import Dynamic, Place, PlaceKind, Removal, ScanReport
from deploys.domain.instants import NotAnInstant, optional_instant
from deploys.models import Scope
from deploys.queries.flag_code import keys_of, standing_in

MOST_PLACES: Final = 50_000
MOST_OTHERS: Final = 1_000
LONGEST_PATH: Final = 1_000
KINDS: Final = [str(kind) for kind in PlaceKind]
_PATH: Final = {"type": "string", "minLength": 1, "maxLength": LONGEST_PATH}
_LINE: Final = {"type": "integer", "minimum": 1, "maximum": 10_000_000}
_KEY: Final = {"type": "string", "minLength": 1, "maxLength": 200}
_END: Final = {"type": "string", "maxLength": 200}


def _list_of(most: int, properties: Mapping[str, Any], *required: str) -> dict[str, Any]:  # Any: JSON schema
    item = {"type": "object", "required": list(required), "properties": dict(properties)}
    return {"type": "array", "maxItems": most, "items": item}


class _Rows(serializers.Field[list[Any], Any, Any, Any]):  # Any: JSON in, dataclasses out
    """A list read by hand: a serializer for each of 50,000 rows takes seconds. What is wrong is named by its place."""

    most: ClassVar[int] = MOST_OTHERS

    def to_internal_value(self, data: Any) -> list[Any]:  # Any: as above
        """The rows."""
        if not isinstance(data, list) or len(data) > self.most:
            raise serializers.ValidationError(f"expected a list of at most {self.most}")
        found, errors = [], {}
        for place, each in enumerate(data):
            try:
                found.append(self.row(_Said(each)))
            except _Wrong as error:
                errors[str(place)] = {error.key: [str(error)]}
        if errors:
            raise serializers.ValidationError(dict(list(errors.items())[:10]))
        return found

    @abstractmethod
    def row(self, said: _Said) -> Any:  # Any: as above
        """One row. _Wrong names the key."""


class _Wrong(ValueError):
    def __init__(self, key: str, message: str) -> None:
        super().__init__(message)
        self.key = key


class _Said:
    """One object of a list."""

    def __init__(self, value: object) -> None:
        if not isinstance(value, Mapping):
            raise _Wrong("", "expected an object")
        self.value = value

    def text(self, key: str, longest: int, *, may_be_empty: bool = False) -> str:
        """Printable text."""
        value = self.value.get(key, "" if may_be_empty else None)
        if not isinstance(value, str) or not (value or may_be_empty) or len(value) > longest or not value.isprintable():
            raise _Wrong(key, f"expected {0 if may_be_empty else 1} to {longest} printable characters")
        return value

    def line(self) -> int:
        """The number of a line."""
        value = self.value.get("line")
        if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= 10_000_000:
            raise _Wrong("line", "expected a line's number")
        return value


@extend_schema_field(_list_of(MOST_PLACES, {"key": _KEY, "path": _PATH, "line": _LINE, "kind": {"type": "string", "enum": KINDS}}, "key", "path", "line", "kind"))  # fmt: skip
class PlacesField(_Rows):
    """Where keys stand."""

    most = MOST_PLACES

    def row(self, said: _Said) -> Place:
        """One place."""
        kind = said.value.get("kind")
        if kind not in KINDS:
            raise _Wrong("kind", f"expected one of {', '.join(KINDS)}")
        return Place(said.text("key", 200), said.text("path", LONGEST_PATH), said.line(), PlaceKind(kind))


@extend_schema_field(_list_of(MOST_OTHERS, {"path": _PATH, "line": _LINE, "prefix": _END, "suffix": _END}, "path", "line"))  # fmt: skip
class DynamicField(_Rows):
    """Where keys are put together."""

    def row(self, said: _Said) -> Dynamic:
        """One place."""
        ends = (said.text(name, 200, may_be_empty=True) for name in ("prefix", "suffix"))
        return Dynamic(said.text("path", LONGEST_PATH), said.line(), *ends)


@extend_schema_field(_list_of(MOST_OTHERS, {"key": _KEY, "commit": {"type": "string", "maxLength": 100}, "at": {**INSTANT_SCHEMA, "nullable": True}}, "key"))  # fmt: skip
class RemovedField(_Rows):
    """Which commits took keys out."""

    def row(self, said: _Said) -> Removal:
        """One removal."""
        try:
            at = optional_instant(said.value.get("at"))
        except NotAnInstant as error:
            raise _Wrong("at", str(error)) from error
        if at is not None and not EARLIEST <= at < LATEST:
            raise _Wrong("at", "expected a time from 1990 to 2199")
        return Removal(said.text("key", 200), said.text("commit", 100, may_be_empty=True), at)


class ScanMessage(serializers.Serializer[Any]):  # Any: no row behind it
    """What a scan of a repository's main branch found. It replaces the scan before."""

    repository = NameField(max_length=200, help_text="`acme/shop`: the same in every scan.")
    commit = NameField(max_length=100, help_text="The commit that was scanned.")
    scanned_at = InstantField(required=False, help_text="Default: when it is received.")
    references = PlacesField()
    dynamic = DynamicField(required=False)
    removed = RemovedField(required=False)
    services = serializers.ListField(
        child=NameField(max_length=200), max_length=100, required=False, help_text="Services built from it."
    )
    branch = NameField(max_length=250, required=False, allow_blank=True)
    scanner = NameField(max_length=40, required=False, allow_blank=True, help_text="Version of the scanner.")
    link = NameField(
        max_length=500, required=False, allow_blank=True,
        help_text="Where a line can be read, with {commit}, {path} and {line}.",
    )  # fmt: skip
    files_count = serializers.IntegerField(min_value=0, max_value=100_000_000, required=False)
    is_complete = serializers.BooleanField(required=False, help_text="Every file was read. Default: true.")

    def validate_link(self, value: str) -> str:
        """An address of the web, so that no page links to anything else."""
        if value and not value.startswith(("https://", "http://")):
            raise serializers.ValidationError("expected an address that begins with https:// or http://")
        return value

    def report(self, default: Any) -> ScanReport:  # Any: an instant
        """The message as the action takes it."""
        said = dict(self.validated_data)
        places = said.pop("references")
        return ScanReport(**{"scanned_at": default, **said, "places": places})


class ScanAnswer(serializers.Serializer[Any]):  # Any: a RecordedScan
    """What became of a scan."""

    repository = serializers.CharField()
    verdict = serializers.ChoiceField(["created", "updated", "duplicate"])
    keys_count = serializers.IntegerField(help_text="Flags that were found.")
    warnings = serializers.ListField(child=serializers.CharField())


class KeysAnswer(serializers.Serializer[Any]):  # Any: plain values
    """What a scan looks for, and what the last one found."""

    keys = serializers.ListField(child=serializers.CharField())
    standing = serializers.DictField(
        child=serializers.ListField(child=serializers.CharField()), help_text="Keys found last, with their files."
    )


class ReferencesView(DeliveryView):
    """Where the code of the token's team asks for flags."""

    event = "flag scan"
    parser_classes = [CommitsJSONParser]
    scopes: ClassVar[dict[str, str]] = {"GET": Scope.DEPLOYS_WRITE, "POST": Scope.DEPLOYS_WRITE}

    @extend_schema(
        operation_id="read_flag_keys",
        tags=["flags"],
        parameters=[OpenApiParameter("repository", str, required=True, description="Name of the repository.")],
        responses={200: KeysAnswer, **READ_PROBLEMS},
    )
    def get(self, request: Request) -> Response:
        """Read which keys a scan looks for, and which the last scan of the repository found."""
        caller, repository = caller_of(request), request.query_params.get("repository", "")
        if not repository:
            raise Problem(
                "invalid-message", "repository: expected a name",
                errors=[{"pointer": "#/repository", "detail": "expected a name"}],
            )  # fmt: skip
        said = {"keys": keys_of(caller.team), "standing": standing_in(caller.team, repository)}
        return Response(KeysAnswer(said).data)

    @extend_schema(
        operation_id="record_flag_scan",
        tags=["flags"],
        request={"application/json": ScanMessage},
        responses={200: ScanAnswer, 201: ScanAnswer, **PROBLEMS},
    )
    def post(self, request: Request) -> Response:
        """Report what a scan found. The same scan twice, or an older one, changes nothing."""
        caller, received_at = caller_of(request), clock.now()
        data = as_mapping(request.data)
        message = ScanMessage(data=data)
        message.is_valid(raise_exception=True)
        warnings = unknown_keys(data, message.fields)
        with one_write():
            made = record_scan(team=caller.team, report=message.report(received_at), received_at=received_at)
            warnings += [f"services: no service {name!r} here" for name in made.unknown_services[:10]]
            self.log(
                request, caller, verdict=made.verdict, change=None, service=None, delivery_id=None, warnings=warnings
            )
        answer = {"repository": made.repository.name, "verdict": str(made.verdict), "keys_count": made.keys_count}
        status = 201 if made.verdict == "created" else 200
        return Response(
            ScanAnswer({**answer, "warnings": warnings}).data,
            status=status,
            headers={"Upshot-Verdict": str(made.verdict)},
        )
