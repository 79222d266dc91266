"""HTML in, PDF out: `python typesetting.py BASE_URL < page.html > page.pdf`, in a process of its own.

Apart because the typesetter takes 100 MB and a second to load, and because what it reads holds names from outside: it fetches
nothing, neither from the network nor from the disk, and ends by itself when it takes too long. Knows nothing of Django.
"""

from __future__ import annotations

import resource
import sys
from typing import Any

SECONDS = 60
MEMORY = 2 * 1024**3


def laid_out(html: str, base_url: str) -> Any:  # Any: a weasyprint.Document; the library is an extra
    """The pages. Addresses in it are made whole by base_url, and are only written down."""
    import weasyprint  # noqa: PLC0415 -- the extra `pdf`
    from weasyprint.urls import URLFetcher  # noqa: PLC0415 -- as above

    class Nothing(URLFetcher):  # type: ignore[misc]  # has no types where the extra is not installed
        def fetch(self, url: str, headers: object = None) -> Any:  # Any: never returns
            message = f"not fetched: {url[:100]}"
            raise ValueError(message)

    return weasyprint.HTML(string=html, base_url=base_url, url_fetcher=Nothing()).render()


def main(base_url: str) -> None:
    """Reads, sets, writes."""
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    document = laid_out(sys.stdin.buffer.read().decode(), base_url)
    sys.stdout.buffer.write(document.write_pdf(pdf_tags=True))


if __name__ == "__main__":
    main(sys.argv[1])
