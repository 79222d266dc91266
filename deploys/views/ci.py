"""What a CI job fetches from here: scripts with this instance's address in them."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_cache_control
from django.views.decorators.http import conditional_page, require_safe

FOLDER: Final = Path(__file__).resolve().parent.parent / "ci"
PYTHON: Final = "text/x-python; charset=utf-8"


@cache
def script_text(name: str, base_url: str) -> str:
    """A script as it is served: stamped with a version, the first digits of its own hash, and the default address."""
    source = (FOLDER / name).read_text(encoding="utf-8")
    version = hashlib.sha256(source.encode()).hexdigest()[:12]
    return source.replace("@VERSION@", version).replace("@URL@", base_url)


def deploy_script(base_url: str) -> str:
    """The deploy script of an instance at this address."""
    return script_text("deploy.sh", base_url)


@require_safe
@conditional_page
def script(request: HttpRequest) -> HttpResponse:
    """GET /ci/deploy.sh. Public: it holds no secret."""
    return _served(deploy_script(settings.BASE_URL), "text/x-shellscript; charset=utf-8")


@require_safe
@conditional_page
def flag_scanner(request: HttpRequest) -> HttpResponse:
    """GET /ci/flags.py. Public: it holds no secret."""
    return _served(script_text("flags.py", settings.BASE_URL), PYTHON)


@require_safe
@conditional_page
def flag_patch(request: HttpRequest) -> HttpResponse:
    """GET /ci/flag_patch.py. Public: it holds no secret."""
    return _served(script_text("flag_patch.py", settings.BASE_URL), PYTHON)


def _served(text: str, content_type: str) -> HttpResponse:
    answer = HttpResponse(text, content_type=content_type)
    patch_cache_control(answer, public=True, max_age=300)
    return answer
