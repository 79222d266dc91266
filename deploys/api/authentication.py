"""Bearer tokens, and what they may do."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from deploys import clock
from deploys.actions.tokens import TooManyWrongTokens, UnusableToken, authenticate, note_wrong_token
from deploys.api.problems import Problem
from deploys.models import ApiToken, Team


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls the API: a token of a team."""

    token: ApiToken
    is_authenticated: bool = True

    @property
    def team(self) -> Team:
        """The only team this caller sees."""
        return self.token.team

    def may(self, scope: str) -> bool:
        """Whether the token has this scope."""
        return scope in self.token.scopes


class TokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer upshot_…`. No header: nobody. A header that cannot be used: refused."""

    def authenticate(self, request: Request) -> tuple[Any, ApiToken] | None:  # Any: a Caller stands for the user
        """The caller, or None where no bearer token was sent."""
        words = get_authorization_header(request).split()
        if not words or words[0].lower() != b"bearer":
            return None
        if len(words) != 2:
            raise AuthenticationFailed("expected Authorization: Bearer <token>")
        now = clock.now()
        try:
            token = authenticate(words[1].decode("ascii"), now=now)
        except (UnusableToken, UnicodeDecodeError) as error:
            _slow_down(request, now)
            raise AuthenticationFailed("this token is unknown, revoked or expired") from error
        return Caller(token), token

    def authenticate_header(self, request: Request) -> str:
        """What a 401 asks for."""
        return 'Bearer realm="upshot"'


def _slow_down(request: Request, now: dt.datetime) -> None:
    """Problem `too-many-wrong-tokens` for an address that has sent too many."""
    try:
        note_wrong_token(address=str(request.META.get("REMOTE_ADDR", "")), now=now)
    except TooManyWrongTokens as error:
        raise Problem("too-many-wrong-tokens", str(error), retry_after=error.seconds) from error


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # the base class is untyped
    """How the API document names the above."""

    target_class = TokenAuthentication
    name = "token"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        """An HTTP bearer scheme."""
        return {"type": "http", "scheme": "bearer", "description": "A token of the team (Settings, API tokens)."}


def caller_of(request: Request) -> Caller:
    """The caller of an authenticated request."""
    caller: Any = request.user  # Any: set by TokenAuthentication
    assert isinstance(caller, Caller)  # noqa: S101 -- a permission class has seen to it
    return caller


class ScopePermission(BasePermission):
    """The view's `scopes` say what each method needs, for example {"GET": "deploys:read"}."""

    def has_permission(self, request: Request, view: Any) -> bool:  # Any: a view with `scopes`
        """False for nobody; a problem that names the scope for a token without it."""
        if not isinstance(request.user, Caller):
            return False
        scope = view.scopes.get("GET" if request.method == "HEAD" else request.method)
        if scope is not None and not request.user.may(scope):
            raise Problem("missing-scope", f"this token lacks the scope {scope}")
        return True
