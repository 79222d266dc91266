"""Prints every wrong verdict of kept histories with what was recorded around it: what an engineer on call would read.

    python bench/attribution_misses.py --kept DIR --seeds 1-30 --at live [--family NAME] [--brief] [--lines 8]

For each miss: the truth, the verdict, the candidates with their heaviest reasons, the changes around the onset, counts of
each error by host, release and user, traffic against the usual, failed checks and messages. `--brief`: one line each, and
a table of families by what kept the cause from being named.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "bench")]

from attribution_cases import CLOSED, Job, Played, answers, file_of, kept, score  # noqa: E402

from incidents.domain import attribution  # noqa: E402
from incidents.domain.case import Case, span_words  # noqa: E402
from incidents.domain.evidence import HOUR, MINUTE, Change  # noqa: E402


def kind_of(true: dict, case: Case | None, verdict: attribution.Verdict | None, aliases: dict[str, str]) -> str:
    """Why the verdict is wrong, as far as the machine can say it."""
    if case is None or verdict is None:
        return "not detected by then"
    ids = [aliases.get(w.change.id, w.change.id) if w.change else None for w in verdict.ranked]
    if true["cause_id"] is None:
        return "innocent blamed"
    if true["cause_id"] not in ids:
        known = {c.id for c in case.around.changes}
        return "no candidate, though reported" if true["cause_id"] in known else "not reported by then"
    return "no change blamed instead" if ids[0] is None else "another change blamed"


def change_line(change: Change, case: Case, guilty: str | None) -> str:
    """One change as a person would read it."""
    mark = "**" if change.id == guilty else "  "
    gap = (case.onset - change.start) / MINUTE
    if not change.is_deploy:
        return f"{mark} {-gap:+8.1f} min flag {change.key} {change.old}->{change.new} of {change.services} seg {change.segment} {change.id}"
    took = f"{(change.finish - change.start) / MINUTE:.1f} min" if change.finish else "running"
    files = ", ".join(change.files) if change.files is not None else "?"
    return (
        f"{mark} {-gap:+8.1f} min {change.service} {change.before}->{change.release} {change.strategy} {change.status}"
        f" {change.percent or ''} took {took} files {files} {change.id}"
    )


def dossier(true: dict, case: Case, verdict: attribution.Verdict, lines: int) -> str:
    """Everything recorded around an incident."""
    out = [f"  onset {case.onset:.0f} services {case.services} root {case.root} ended {case.ended_at}"]
    for weighed in verdict.ranked[:4]:
        name = change_line(weighed.change, case, true["cause_id"]) if weighed.change else "   NO CHANGE"
        out.append(f"  p {weighed.probability:.3f} {name}")
        out += [f"        {x.log_ratio:+.2f} {x.term}: {x.sentence}" for x in weighed.lines[:lines]]
    out.append("  changes around:")
    near = set(case.services) | {n for s in case.services for n in case.around.dependencies(s)}
    for change in case.around.changes:
        gap = case.onset - change.start
        is_close = abs(gap) < 3 * HOUR and (abs(gap) < HOUR or bool(near & case.related(change)))
        if is_close or change.id == true["cause_id"]:
            out.append("   " + change_line(change, case, true["cause_id"]))
    for e in case.group.episodes:
        first = [f"{(s.at - case.onset) / MINUTE:.1f}" for s in e.sightings[:8]]
        hosts, releases = Counter(s.host for s in e.sightings), Counter(s.release for s in e.sightings)
        out.append(
            f"  {e.service} {e.issue.type}: {e.issue.text[:90]} | {e.reason} {e.count} events, {e.users} users,"
            f" {(e.start - case.onset) / MINUTE:+.1f}..{(e.end - case.onset) / MINUTE:+.1f} min, first {first}"
        )
        out.append(f"      hosts {dict(hosts)} of {len(case.facts(e.service).hosts)}; releases {dict(releases)}")
        out.append(f"      paths {e.issue.paths} named {sorted(case.named)} external {sorted(case.external)}")
    for o in case.group.outages:
        out.append(
            f"  checks of {o.service} failed {(o.start - case.onset) / MINUTE:+.1f} for {span_words((o.end or o.last_failed) - o.start)}"
        )
    ratios = {s: case.around.traffic_ratio(s, case.onset - 5 * MINUTE, case.onset + HOUR) for s in case.services}
    out.append(f"  traffic {ratios}; mechanisms {case.mechanisms}; users {case.users}")
    return "\n".join(out)


def misses(played: Played, when: str) -> list[tuple[dict, Case | None, attribution.Verdict | None, str]]:
    """(truth, case, verdict, kind) of every incident whose verdict is wrong."""
    cases = played.closed if when == CLOSED else played.live
    verdicts = [attribution.attribute(c) if c is not None else None for c in cases]
    said = answers(played, when, verdicts)["incidents"]
    at = [k for k, c in enumerate(cases) if c is not None]
    taken, _ = score.match(played.truth["incidents"], said)
    found = []
    for i, true in enumerate(played.truth["incidents"]):
        case = cases[at[taken[i]]] if i in taken else None
        verdict = verdicts[at[taken[i]]] if i in taken else None
        if i in taken and said[taken[i]]["cause_id"] == true["cause_id"]:
            continue
        if case is None and true["cause_id"] is None:
            continue
        found.append((true, case, verdict, kind_of(true, case, verdict, played.aliases)))
    return found


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--kept", type=Path, required=True)
    parser.add_argument("--seeds", default="1-30")
    parser.add_argument("--families", default="public")
    parser.add_argument("--vocabulary")
    parser.add_argument("--at", choices=["live", "closed"], default="live")
    parser.add_argument("--family")
    parser.add_argument("--kind")
    parser.add_argument("--brief", action="store_true")
    parser.add_argument("--lines", type=int, default=8)
    args = parser.parse_args()
    low, _, high = args.seeds.partition("-")
    table: Counter[tuple[str, str]] = Counter()
    for seed in range(int(low), int(high or low) + 1):
        played = kept(file_of(Job(seed, args.families, vocabulary=args.vocabulary), args.kept))
        for true, case, verdict, kind in misses(played, args.at):
            if (args.family and true["family"] != args.family) or (args.kind and args.kind not in kind):
                continue
            table[true["family"], kind] += 1
            print(
                f"== seed {seed} {true['id']} {true['family']} {true['cause_id']} {true['service']} {true['class']}: {kind}"
            )
            if not args.brief and case is not None and verdict is not None:
                print(dossier(true, case, verdict, args.lines))
    for (family, kind), count in sorted(table.items(), key=lambda item: -item[1]):
        print(f"{count:4} {family:28} {kind}")


if __name__ == "__main__":
    main()
