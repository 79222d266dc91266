"""How static files are kept: under hashed names, compressed once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from whitenoise.storage import CompressedManifestStaticFilesStorage

#: The API viewer: megabytes that few people ever open, not worth most of a cold start's time.
UNCOMPRESSED: Final = ("drf_spectacular_sidecar/", "rest_framework/")


class StaticStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # whitenoise has no types
    """WhiteNoise's storage, without spending a minute on compressing what is hardly ever asked for."""

    def compress_files(self, paths: Iterable[str]) -> Iterator[tuple[str, str]]:
        """Compresses our own files and the vendored ones."""
        wanted = [path for path in paths if not path.startswith(UNCOMPRESSED)]
        compressed: Iterator[tuple[str, str]] = super().compress_files(wanted)
        return compressed


def is_collected() -> bool:
    """Whether what is collected is at least as new as every source file, so that a start need not collect again."""
    manifest = Path(settings.STATIC_ROOT) / "staticfiles.json"
    if not manifest.is_file():
        return False
    collected_at = manifest.stat().st_mtime
    sources = (Path(storage.path(name)) for finder in get_finders() for name, storage in finder.list([]))
    return all(path.stat().st_mtime <= collected_at for path in sources)
