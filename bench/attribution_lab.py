"""The attribution laboratory: fits the weights of the evidence terms and of the links between symptoms.

    python bench/attribution_lab.py make --seeds 100-199 --out train.pickle
    python bench/attribution_lab.py degrade --seeds 200-219
    python bench/attribution_lab.py fit train.pickle --ridge 12 [--onto-weights] [--leave-out-families] [--show] [--write VERSION]
    python bench/attribution_lab.py links train.pickle --ridge 5 [--write]

`make` draws histories with the generator in UPSHOT_SHARED, plays them into memory and stores for every true incident the
terms of its candidates, twice: as known 15 minutes after detection and at the end. `fit` fits the conditional logit, one
of four histories held out, with a ridge penalty towards the priors. Only this file needs numpy; what it fits is computed
by the code that runs in the product. The pickles are its own files.
"""

from __future__ import annotations

import argparse
import os
import pickle
import re
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
SHARED = Path(os.environ.get("UPSHOT_SHARED", ROOT.parent / "shared")) / "attribution"
sys.path[:0] = [str(ROOT), str(ROOT / "bench"), str(SHARED)]

import score  # noqa: E402
from attribution_cases import CLOSED, LIVE, Job, Played, answers, keep, kept  # noqa: E402
from attribution_memory import RULE  # noqa: E402
from attribution_priors import LINKS, TERMS  # noqa: E402

from incidents.domain import attribution, grouping  # noqa: E402
from incidents.domain.evidence import HOUR  # noqa: E402
from incidents.domain.weights import WEIGHTS  # noqa: E402


def one_history(work: tuple[Path, dict | None]) -> dict:
    """Answers, candidates' terms and pairs of one kept history."""
    path, weights = work
    played = kept(path)
    readings = {CLOSED: played.closed, LIVE: played.live}
    out: dict = {"seed": played.job.seed, "truth": played.truth, "samples": []}
    out["pairs"] = pairs_of([s for c in played.closed for s in (*c.group.episodes, *c.group.outages)], played)
    for when, cases in readings.items():
        verdicts = [attribution.attribute(case, weights or WEIGHTS) if case is not None else None for case in cases]
        out[when] = answers(played, when, verdicts)
    taken, _ = score.match(played.truth["incidents"], out[CLOSED]["incidents"])
    for i, j in taken.items():
        true = played.truth["incidents"][i]
        for when, cases in readings.items():
            case = cases[j]
            if case is None:
                continue
            rows = [
                (played.aliases.get(change.id, change.id) if change else None, [(t.name, t.value) for t in terms])
                for change, terms in attribution.terms_of(case)
            ]
            out["samples"].append(
                {"seed": out["seed"], "when": when, "family": true["family"], "cause": true["cause_id"], "rows": rows}
            )
    return out


def pairs_of(symptoms: list[grouping.Symptom], played: Played) -> list:
    """Features of pairs of symptoms with whether they belong to one true incident (by service and overlap in time)."""
    symptoms.sort(key=lambda s: (s.start, s.key))

    def owner(symptom: grouping.Symptom) -> str | None:
        inside = [
            (true["end"] - true["start"], true["id"])
            for true in played.truth["incidents"]
            if symptom.service in true["services"]
            and symptom.start >= true["start"] - 600
            and grouping.last_of(symptom) <= true["end"] + 900
        ]
        return min(inside)[1] if inside else None

    owners = [owner(s) for s in symptoms]
    found = []
    for i, one in enumerate(symptoms):
        for j in range(i + 1, len(symptoms)):
            if symptoms[j].start > one.start + 20 * HOUR:
                break
            if grouping.may_link(one, symptoms[j], RULE):
                same = owners[i] is not None and owners[i] == owners[j]
                found.append((grouping.pair_features(one, symptoms[j], played.services), same))
    return found


def jobs_of(args: argparse.Namespace) -> list[Job]:
    """The histories that were asked for."""
    low, _, high = args.seeds.partition("-")
    return [
        Job(seed, args.families, tuple(args.plugin), frozenset(args.without), args.vocabulary)
        for seed in range(int(low), int(high or low) + 1)
    ]


def make(args: argparse.Namespace) -> None:
    """Draw, play (once), weigh, store, score."""
    done = weighed(keep(jobs_of(args), args.kept, args.workers))
    if args.out:
        Path(args.out).write_bytes(pickle.dumps(done))
    for when in (LIVE, CLOSED):
        print(f"--- {when}\n{score.show(score.score([(d['truth'], d[when]) for d in done]), args.by_family)}")


def weighed(paths: list[Path], weights: dict | None = None) -> list[dict]:
    """All kept histories, with answers and samples."""
    return [one_history((path, weights)) for path in paths]


INPUTS: dict[str, tuple[str, ...]] = {
    "nothing": (),
    "changed files": ("files",),
    "traffic counts": ("traffic",),
    "topology": ("topology",),
    "release tags": ("release",),
    "flag context": ("flag_context",),
    "probes": ("probes",),
    "all of these": ("files", "traffic", "topology", "release", "flag_context", "probes"),
}


def degrade(args: argparse.Namespace) -> None:
    """The same histories with inputs removed one at a time: what each is worth, at both readings."""
    print(
        "| removed | live top-1 | live false blame | closed top-1 | closed false blame | precision | recall | class |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for name, without in INPUTS.items():
        args.without = list(without)
        done = weighed(keep(jobs_of(args), args.kept, args.workers))
        cells = [name]
        for when in (LIVE, CLOSED):
            found = score.score([(d["truth"], d[when]) for d in done])
            cells += [percent(found["cause"]["top1"]), percent(found["cause"]["false_blame"])]
        cells += [percent(found["detection"][key]) for key in ("precision", "recall")]
        print("| " + " | ".join([*cells, percent(found["class"]["accuracy"])]) + " |", flush=True)


def percent(found: dict) -> str:
    """A share of the scorer with its counts."""
    return f"{100 * found['value']:.1f} % ({found['k']}/{found['n']})" if found["n"] else "–"


def stored(paths: list[str]) -> list[dict]:
    """Histories that `make` stored."""
    return [history for path in paths for history in pickle.loads(Path(path).read_bytes())]  # noqa: S301 -- our own files


def matrices(histories: list[dict], names: list[str], when: tuple[str, ...] = (LIVE, CLOSED)) -> list[tuple]:
    """(candidates x terms, row of the true cause, sample); (None, None, sample) where the cause was no candidate."""
    index = {name: k for k, name in enumerate(names)}
    found: list[tuple] = []
    for sample in (s for history in histories for s in history["samples"] if s["when"] in when):
        ids = [i for i, _ in sample["rows"]]
        if sample["cause"] not in ids:
            found.append((None, None, sample))
            continue
        x = np.zeros((len(ids), len(names)))
        for k, (_, terms) in enumerate(sample["rows"]):
            for name, value in terms:
                if name in index:
                    x[k, index[name]] += value
        found.append((x, ids.index(sample["cause"]), sample))
    return found


def fitted(data: list[tuple], prior: np.ndarray, ridge: float, rounds: int = 40) -> np.ndarray:
    """Newton steps on the conditional likelihood with a ridge penalty towards the prior.

    A weight whose sign would contradict its prior, and so the sentence it is shown with, is held at zero.
    """
    w, free = prior.copy(), np.ones(len(prior), dtype=bool)
    for _ in range(6):
        w = _newton(data, np.where(free, w, 0.0), np.where(free, prior, 0.0), ridge, rounds, free)
        wrong = free & (prior != 0) & (np.sign(w) == -np.sign(prior))
        if not wrong.any():
            break
        free &= ~wrong
    return np.where(free, w, 0.0)


def _newton(
    data: list[tuple], w: np.ndarray, prior: np.ndarray, ridge: float, rounds: int, free: np.ndarray
) -> np.ndarray:
    for _ in range(rounds):
        grad, hess = ridge * (w - prior), ridge * np.eye(len(w))
        for x, y, _ in data:
            if x is None:
                continue
            p = np.exp(x @ w - (x @ w).max())
            p /= p.sum()
            mean = p @ x
            grad += mean - x[y]
            hess += (x * p[:, None]).T @ x - np.outer(mean, mean)
        step = np.zeros(len(w))
        step[free] = np.linalg.solve(hess[np.ix_(free, free)], grad[free])
        w = w - step * min(1.0, 2.0 / max(1e-9, float(np.abs(step).max())))
        if np.abs(step).max() < 1e-3:
            break
    return w


def quality(data: list[tuple], w: np.ndarray) -> tuple[str, dict[str, list[int]]]:
    """Top-1, false blame, calibration; and (right, all) of every family."""
    verdicts, families = [], defaultdict(lambda: [0, 0])
    for x, y, sample in data:
        p = np.zeros(1)
        if x is not None:
            p = np.exp(x @ w - (x @ w).max())
            p /= p.sum()
        right = x is not None and int(p.argmax()) == y
        families[sample["family"]][0] += right
        families[sample["family"]][1] += 1
        verdicts.append((float(p.max()), right, sample["cause"] is None))
    caused = [right for _, right, outside in verdicts if not outside]
    blamed = [not right for _, right, outside in verdicts if outside]
    bins = defaultdict(list)
    for p, right, _ in verdicts:
        bins[min(9, int(p * 10))].append(p - right)
    ece = sum(abs(sum(b)) for b in bins.values()) / max(1, len(verdicts))
    sure = [right for p, right, _ in verdicts if p >= 0.9]
    text = (
        f"top-1 {share(caused)}  false blame {share(blamed)}  ECE {ece:.3f}"
        f"  confidence >= .9: {len(sure) / max(1, len(verdicts)):.2f} of all, right {share(sure)}"
    )
    return text, families


def share(values: list) -> str:
    """As a percentage with its denominator."""
    return f"{100 * sum(values) / max(1, len(values)):.1f} % ({len(values)})"


def fit(args: argparse.Namespace) -> None:
    """Fit with one of four histories held out, say how good it is there, and write the fit on all of them."""
    histories = stored(args.paths)
    names = sorted({name for h in histories for s in h["samples"] for _, terms in s["rows"] for name, _ in terms})
    start = TERMS | WEIGHTS if args.onto_weights else TERMS
    prior = np.array([start.get(name, 0.0) for name in names])
    held = [h for k, h in enumerate(histories) if k % 4 == 0]
    w = fitted(matrices([h for k, h in enumerate(histories) if k % 4], names), prior, args.ridge)
    for when in (LIVE, CLOSED):
        data = matrices(held, names, (when,))
        print(f"held out {when:6}  fitted  {quality(data, w)[0]}")
        print(f"held out {when:6}  priors  {quality(data, prior)[0]}")
    if args.leave_out_families:
        leave_out_families(matrices(histories, names), prior, args.ridge)
    if args.show:
        for k in np.argsort(-np.abs(w)):
            print(f"  {names[k]:28} {w[k]:+.2f}  prior {prior[k]:+.2f}")
    if args.write:
        w = fitted(matrices(histories, names), prior, args.ridge)
        unseen = {name: value for name, value in start.items() if name not in names}
        weights = {**unseen, **{name: round(float(v), 3) for name, v in zip(names, w, strict=True)}}
        write(ROOT / "incidents/domain/weights.py", weights, args.write)


def leave_out_families(data: list[tuple], prior: np.ndarray, ridge: float) -> None:
    """How each family fares when no history of it was seen in the fit: right of all, and innocents blamed."""
    judged: dict[str, list[tuple]] = {LIVE: [], CLOSED: []}
    for family in sorted({sample["family"] for _, _, sample in data}):
        w = fitted([d for d in data if d[2]["family"] != family], prior, ridge, rounds=25)
        line = f"without {family:28}"
        for when, parts in judged.items():
            part = [
                (x @ w if x is not None else None, y, s)
                for x, y, s in data
                if s["family"] == family and s["when"] == when
            ]
            right = sum(u is not None and int(u.argmax()) == y for u, y, _ in part)
            parts.extend(part)
            line += f"  {when} {right}/{len(part)}"
        print(line)
    for when, parts in judged.items():
        caused = [u is not None and int(u.argmax()) == y for u, y, s in parts if s["cause"] is not None]
        blamed = [u is None or int(u.argmax()) != y for u, y, s in parts if s["cause"] is None]
        print(f"each family left out, {when}: top-1 {share(caused)}  false blame {share(blamed)}")


def links(args: argparse.Namespace) -> None:
    """Logistic fit of the pairs with a ridge penalty towards the priors."""
    pairs = [pair for history in stored(args.paths) for pair in history["pairs"]]
    names = sorted({name for features, _ in pairs for name in features})
    x = np.array([[features.get(name, 0.0) for name in names] for features, _ in pairs])
    y = np.array([float(same) for _, same in pairs])
    prior = np.array([LINKS.get(name, 0.0) for name in names])
    w = prior.copy()
    for _ in range(50):
        p = 1 / (1 + np.exp(-np.clip(x @ w, -30, 30)))
        hess = (x * (p * (1 - p))[:, None]).T @ x + args.ridge * np.eye(len(names))
        step = np.linalg.solve(hess, x.T @ (p - y) + args.ridge * (w - prior))
        w -= step * min(1.0, 2 / max(1e-9, float(np.abs(step).max())))
    said = x @ w > 0
    print(
        f"{len(pairs)} pairs, {int(y.sum())} of one incident; wrongly joined {int((said & (y == 0)).sum())},"
        f" missed {int((~said & (y == 1)).sum())}"
    )
    if args.write:
        weights = {**LINKS, **{name: round(float(v), 3) for name, v in zip(names, w, strict=True)}}
        write(ROOT / "incidents/domain/link_weights.py", weights, "")


def write(path: Path, weights: dict[str, float], version: str) -> None:
    """Replace the weights of a file, and its version where one is given."""
    text = path.read_text()
    if version:
        text = re.sub(r'^VERSION = ".*"$', f'VERSION = "{version}"', text, count=1, flags=re.MULTILINE)
    head = text[: text.index("WEIGHTS: dict")]
    body = "".join(f'    "{name}": {value},\n' for name, value in sorted(weights.items()))
    path.write_text(f"{head}WEIGHTS: dict[str, float] = {{\n{body}}}\n")


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    sub = parser.add_subparsers(required=True)
    for name, run in (("make", make), ("degrade", degrade)):
        command = sub.add_parser(name)
        command.add_argument("--seeds", default="100-119")
        command.add_argument("--families", default="public")
        command.add_argument("--plugin", action="append", default=[])
        command.add_argument("--without", action="append", default=[])
        command.add_argument("--vocabulary", help="of a plug-in; each: one after the other")
        command.add_argument("--workers", type=int, default=1)
        command.add_argument("--kept", type=Path, default=Path("attribution-kept"), help="folder of played histories")
        command.add_argument("--out")
        command.add_argument("--by-family", action="store_true")
        command.set_defaults(run=run)
    command = sub.add_parser("fit")
    command.add_argument("paths", nargs="+")
    command.add_argument("--ridge", type=float, default=12.0)
    command.add_argument(
        "--onto-weights", action="store_true", help="draw back to the weights in force, not to the priors"
    )
    command.add_argument("--leave-out-families", action="store_true")
    command.add_argument("--show", action="store_true")
    command.add_argument("--write", metavar="VERSION")
    command.set_defaults(run=fit)
    command = sub.add_parser("links")
    command.add_argument("paths", nargs="+")
    command.add_argument("--ridge", type=float, default=5.0)
    command.add_argument("--write", action="store_true")
    command.set_defaults(run=links)
    args = parser.parse_args()
    args.run(args)


if __name__ == "__main__":
    main()
