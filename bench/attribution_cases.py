"""Every incident of a drawn history as the product lays it out, at both readings; played once, kept in a file.

Playing takes seconds, weighing milliseconds: terms and weights are tried on what `kept` returns, only detection and
grouping need `play` again. The pickles are the laboratory's own files.
"""

from __future__ import annotations

import os
import pickle
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SHARED = Path(os.environ.get("UPSHOT_SHARED", ROOT.parent / "shared")) / "attribution"
sys.path[:0] = [str(ROOT), str(ROOT / "bench"), str(SHARED)]

import scenarios  # noqa: E402
import score  # noqa: E402
from attribution_memory import RULE, Memory, View  # noqa: E402

from incidents.domain import attribution, grouping, spells  # noqa: E402
from incidents.domain.case import Case  # noqa: E402
from incidents.domain.classification import classify  # noqa: E402
from incidents.domain.evidence import HOUR, MINUTE, Outage, ServiceFacts  # noqa: E402

__all__ = ["CLOSED", "LIVE", "Job", "Played", "answers", "file_of", "keep", "kept", "score"]

LIVE, CLOSED = "live", "closed"


@dataclass(frozen=True)
class Job:
    """Which history: what is left out of it is in ``without``."""

    seed: int
    families: str = "public"
    plugins: tuple[str, ...] = ()
    without: frozenset[str] = frozenset()
    vocabulary: str | None = None
    days: float = 7.0
    incidents: int = 14


@dataclass
class Played:
    """``live`` holds None where nothing of the closed incident at the same place was known 15 minutes after."""

    job: Job
    truth: dict
    closed: list[Case]
    live: list[Case | None]
    services: dict[str, ServiceFacts]
    outages: list[Outage]
    aliases: dict[str, str]


def drawn(job: Job) -> tuple[list[dict], dict]:
    """The lines and the truth."""
    for path in job.plugins:
        scenarios.load_plugin(path)
    others = sorted(set(scenarios.VOCABULARIES) - {"python"})
    vocabulary = others[job.seed % len(others)] if job.vocabulary == "each" else job.vocabulary
    return scenarios.generate(scenarios.select(job.families), job.seed, job.incidents, job.days, vocabulary)


def case_of(group: grouping.Group, view: View) -> Case:
    """The group laid out as the product does."""
    return Case(group, view.context(), spells.spells(group, view.now, RULE)[-1].end)


def live_moment(memory: Memory, closed: grouping.Group) -> float:
    """15 minutes after the rule was met, by arrival."""
    moments = [o.met_at for o in closed.outages]
    for episode in closed.episodes:
        rows = sorted(
            r.received
            for r in memory.rows[f"{episode.service}|{episode.issue.key}"]
            if episode.start <= r.at <= episode.end
        )
        moments.append(rows[min(len(rows), RULE.events) - 1])
    return min(moments) + 15 * MINUTE


def play(job: Job) -> Played:
    """Both readings of a history."""
    events, truth = drawn(job)
    memory = Memory().play(events)
    final = View(memory, events[-1]["received_at"] + 3 * HOUR, job.without)
    symptoms = final.symptoms()
    context = final.context()
    closed, live = [], []
    for group in grouping.groups(symptoms, final.services, RULE):
        closed.append(Case(group, context, spells.spells(group, final.now, RULE)[-1].end))
        moment = live_moment(memory, group)
        view = View(memory, moment, job.without)
        recent = [
            k
            for k, rows in memory.rows.items()
            if any(moment - 8 * HOUR <= r.raw_at <= moment + HOUR and r.received <= moment for r in rows)
        ]
        then = [g for g in grouping.groups(view.symptoms(recent), view.services, RULE) if g.keys & group.keys]
        best = max(then, key=lambda g: (len(g.keys & group.keys), -abs(g.start - group.start)), default=None)
        live.append(case_of(best, view) if best is not None else None)
    outages = [s for s in symptoms if isinstance(s, Outage)]
    return Played(job, truth, closed, live, final.services, outages, memory.aliases)


def answer(case: Case, verdict: attribution.Verdict, played: Played) -> dict:
    """One incident as the instrument reads it."""
    facts = [played.services[name] for name in case.services if name in played.services]
    best = verdict.best
    end = case.ended_at if case.ended_at is not None else case.group.last
    named = played.aliases
    return {
        "start": case.onset,
        "end": end,
        "service": case.primary,
        "services": list(case.services),
        "class": classify(case.group, facts).name,
        "cause_id": named.get(best.change.id, best.change.id) if best.change else None,
        "confidence": best.probability,
        "candidates": [named.get(w.change.id, w.change.id) for w in verdict.ranked if w.change][:5],
        "detected_at": case.group.met_at,
    }


def answers(played: Played, when: str, verdicts: list) -> dict:
    """The answers file of a reading; ``verdicts`` stand beside its cases, None beside None."""
    cases = played.closed if when == CLOSED else played.live
    rows = [answer(c, v, played) for c, v in zip(cases, verdicts, strict=True) if c is not None]
    down = [{"service": o.service, "start": o.start, "end": o.end or o.last_failed} for o in played.outages]
    return {"incidents": rows, "downtime": down}


def file_of(job: Job, folder: Path) -> Path:
    """Where a history is kept."""
    parts = [job.families.replace(",", "+"), job.vocabulary or "", "-".join(sorted(job.without)), str(job.seed)]
    return folder / ("_".join(p for p in parts if p)[:150] + ".pickle")


def _keep(work: tuple[Job, Path]) -> Path:
    job, folder = work
    path = file_of(job, folder)
    if not path.exists():
        played = play(job)
        path.write_bytes(pickle.dumps(played, protocol=5))
    return path


def keep(jobs: list[Job], folder: Path, workers: int = 1) -> list[Path]:
    """The files of these histories, played where they were not yet."""
    folder.mkdir(parents=True, exist_ok=True)
    work = [(job, folder) for job in jobs]
    if workers == 1:
        return [_keep(each) for each in work]
    with ProcessPoolExecutor(workers) as pool:
        return list(pool.map(_keep, work))


def kept(path: Path) -> Played:
    """What was played."""
    found = pickle.loads(path.read_bytes())  # noqa: S301 -- our own files
    if not isinstance(found, Played):
        raise TypeError(f"{path}: not a played history")
    return found
