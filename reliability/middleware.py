"""What every answer carries: the content security policy, and times in the reader's zone."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from deploys.domain.client_address import Network, client_address

#: The hash is that of the empty style element which the chart library makes and then fills through the CSSOM.
POLICY = (
    "default-src 'self'; style-src 'self' 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='; img-src 'self' data:; "
    "base-uri 'none'; object-src 'none'; frame-ancestors 'none'; form-action 'self'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
}


def every_answer() -> dict[str, str]:
    """What Django's middleware and ours put on every answer, for those that do not go through it."""
    strict = (
        {"Strict-Transport-Security": f"max-age={settings.SECURE_HSTS_SECONDS}"} if settings.SECURE_HSTS_SECONDS else {}
    )
    return {**HEADERS, "X-Frame-Options": settings.X_FRAME_OPTIONS, **strict}


Handler = Callable[[HttpRequest], HttpResponse]


def client_addresses(get_response: Handler) -> Handler:
    """Says who sent the request, where a trusted proxy tells: for the limit on signing in, and for every log line."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if settings.TRUSTED_PROXIES:
            peer, forwarded = request.META.get("REMOTE_ADDR", ""), request.META.get("HTTP_X_FORWARDED_FOR", "")
            request.META["REMOTE_ADDR"] = client_address(
                peer, forwarded, cast(tuple[Network, ...], settings.TRUSTED_PROXIES)
            )
        return get_response(request)

    return middleware


def security_headers(get_response: Handler) -> Handler:
    """Sets HEADERS on every answer that has not set them itself; pages of a person are never stored by caches."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        if settings.SESSION_COOKIE_NAME in request.COOKIES and not request.path.startswith(settings.STATIC_URL):
            response.headers.setdefault("Cache-Control", "private, no-store")
        return response

    return middleware


def zone_of(name: str) -> ZoneInfo:
    """The zone of this name; UTC when the system no longer knows it."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def reader_zone(get_response: Handler) -> Handler:
    """Clock times on pages are in the zone of the person who reads. Must come after authentication."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if settings.SESSION_COOKIE_NAME not in request.COOKIES or not request.user.is_authenticated:
            return get_response(request)
        with timezone.override(zone_of(request.user.zone)):
            return get_response(request)

    return middleware
