"""The Django application by itself: pages and the API, for `runserver` and other WSGI servers. No errors are taken in here.

A WSGI server that cannot undo chunked bodies would hand Django an empty one; such requests are refused instead.
"""

import io
import json
import os
from collections.abc import Callable, Iterable
from typing import Any

from django.core.wsgi import get_wsgi_application

from incidents.ingest.requests import target_of

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "reliability.settings")
_django = get_wsgi_application()

MAX_BODY = 26 * 1024 * 1024


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:  # Any: PEP 3333
    """Pages and the API; 501 for errors, 411 for bodies whose end this server cannot tell, 413 for those too long."""
    if target_of(environ.get("PATH_INFO", "")) is not None:
        return _refuse(start_response, "501 Not Implemented", "errors are taken in by the ASGI server: manage.py serve")
    if "chunked" in environ.get("HTTP_TRANSFER_ENCODING", "").lower():
        if not environ.get("wsgi.input_terminated"):
            return _refuse(start_response, "411 Length Required", "this server cannot read chunked bodies")
        body = environ["wsgi.input"].read(MAX_BODY + 1)
        if len(body) > MAX_BODY:
            return _refuse(start_response, "413 Content Too Large", f"the body is larger than {MAX_BODY} bytes")
        environ["wsgi.input"] = io.BytesIO(body)
        environ["CONTENT_LENGTH"] = str(len(body))
        del environ["HTTP_TRANSFER_ENCODING"]
    return _django(environ, start_response)


def _refuse(start_response: Callable[..., Any], status: str, detail: str) -> list[bytes]:  # Any: PEP 3333
    """No length is given, so that the server closes the connection: the unread body must not pass for a next request."""
    start_response(status, [("Content-Type", "application/json"), ("X-Sentry-Error", detail)])
    return [json.dumps({"detail": detail}).encode()]
