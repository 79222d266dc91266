"""Reading pages as people do."""

from __future__ import annotations

import html
import re
from typing import Any


def text_of(answer: Any) -> str:  # Any: the test client's response
    """The words of the page's main part, in order, one blank between them; no scripts, no attributes."""
    page = answer.content.decode()
    main = page[page.index("<main") : page.index("</main>")]
    main = re.sub(r"<script.*?</script>", " ", main, flags=re.DOTALL)
    words = html.unescape(re.sub(r"<[^>]+>", " ", main))
    return " ".join(words.split())
