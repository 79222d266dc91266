"""What two pieces of evidence say together that neither says alone.

Weights are added, as if each reason knew nothing of the others. Where an engineer on call would say "but" or "all the more",
a term of its own says so. Its value is the product of theirs.
"""

from __future__ import annotations

from collections.abc import Sequence

from incidents.domain.case import Term

RULES: tuple[tuple[str, str, str, str], ...] = (
    ("silence_dependency", "silence", "dependency", "but what a dependency breaks need not show at once"),
    ("silence_first", "silence", "flag_first", "but those who have it for the first time meet the fault one by one"),
    ("late_job_latest", "late_job", "latest_code", "and the job runs no newer code"),
    ("late_one_user_latest", "late_one_user", "latest_code", "and that user runs no newer code"),
    ("late_memory_hours", "late_memory", "deploy_delay_5h_14h", "and half a day is soon for a slow leak"),
    ("last_touch_days", "file_last_touch", "deploy_delay_14h_72h", "and a rarely used path may wait for a day"),
)
"""Name, the two terms, and the sentence."""


def together(terms: Sequence[Term]) -> list[Term]:
    """The terms of pairs that are both among these. Each name stands at most once in ``terms``."""
    values = {term.name: term.value for term in terms}
    return [Term(name, values[a] * values[b], said) for name, a, b, said in RULES if a in values and b in values]
