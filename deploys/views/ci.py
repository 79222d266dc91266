"""What a CI job fetches from here: the deploy script, with this instance's address in it."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_cache_control
from django.views.decorators.http import conditional_page, require_safe

SCRIPT: Final = Path(__file__).resolve().parent.parent / "ci" / "deploy.sh"


@cache
def deploy_script(base_url: str) -> str:
    """The script as it is served: stamped with a version, the first digits of its own hash, and the default address."""
    source = SCRIPT.read_text(encoding="utf-8")
    version = hashlib.sha256(source.encode()).hexdigest()[:12]
    return source.replace("@VERSION@", version).replace("@URL@", base_url)


@require_safe
@conditional_page
def script(request: HttpRequest) -> HttpResponse:
    """GET /ci/deploy.sh. Public: it holds no secret."""
    answer = HttpResponse(deploy_script(settings.BASE_URL), content_type="text/x-shellscript; charset=utf-8")
    patch_cache_control(answer, public=True, max_age=300)
    return answer
