"""Does a scorer that may combine the evidence terms in any way name more causes? What it cannot, the terms do not tell.

    python bench/attribution_lab.py make --seeds 300-399 --out train.pickle
    python bench/attribution_lab.py make --seeds 1-40 --out test.pickle
    python bench/attribution_ceiling.py --train train.pickle --test test.pickle

The product adds weighted terms up (a conditional logit). Beside it, fitted on the same histories, stands an ensemble of small
networks that see every product of terms they like, and the other candidates too. Both are judged on histories that neither
has seen. Where the ensemble is no better, the shape of the model is not what keeps causes from being named.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "bench")]

from attribution_cases import CLOSED, LIVE  # noqa: E402
from attribution_lab import fitted, matrices, quality, stored  # noqa: E402
from attribution_priors import TERMS  # noqa: E402

HIDDEN, NETWORKS, EPOCHS, BATCH, RATE, DECAY = 24, 8, 120, 32, 3e-3, 3e-3

Parameters = dict[str, np.ndarray]


class Padded:
    """Samples as arrays: candidates x terms, the others' mean terms, which places are candidates, the true place."""

    def __init__(self, data: list[tuple], scale: np.ndarray) -> None:
        data = [d for d in data if d[0] is not None]
        most = max(len(x) for x, _, _ in data)
        self.x = np.zeros((len(data), most, len(scale)))
        self.is_there = np.zeros((len(data), most), dtype=bool)
        for k, (x, _, _) in enumerate(data):
            self.x[k, : len(x)] = x / scale
            self.is_there[k, : len(x)] = True
        count = self.is_there.sum(1)[:, None, None]
        self.others = (self.x.sum(1, keepdims=True) - self.x) / np.maximum(1, count - 1)
        self.truth = np.array([y for _, y, _ in data])

    def __len__(self) -> int:
        return len(self.truth)


def forward(net: Parameters, part: Padded, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(hidden layer, probabilities) of these samples."""
    hidden = np.tanh(part.x[rows] @ net["own"] + part.others[rows] @ net["others"] + net["bias"])
    score = part.x[rows] @ net["linear"] + hidden @ net["out"]
    score = np.where(part.is_there[rows], score, -np.inf)
    odds = np.exp(score - score.max(1, keepdims=True))
    return hidden, odds / odds.sum(1, keepdims=True)


def gradient(net: Parameters, part: Padded, rows: np.ndarray, linear: np.ndarray) -> Parameters:
    """Of the mean log loss, with a pull of the linear part towards the fitted weights and of the rest towards nothing."""
    hidden, p = forward(net, part, rows)
    p[np.arange(len(rows)), part.truth[rows]] -= 1
    p /= len(rows)
    back = (p[..., None] * net["out"]) * (1 - hidden**2)
    x, others = part.x[rows], part.others[rows]
    found = {
        "linear": np.einsum("bn,bnd->d", p, x) + DECAY * (net["linear"] - linear),
        "out": np.einsum("bn,bnh->h", p, hidden) + DECAY * net["out"],
        "own": np.einsum("bnd,bnh->dh", x, back) + DECAY * net["own"],
        "others": np.einsum("bnd,bnh->dh", others, back) + DECAY * net["others"],
        "bias": back.sum((0, 1)),
    }
    return {name: np.asarray(value) for name, value in found.items()}


def loss(net: Parameters, part: Padded) -> float:
    """Mean log loss."""
    _, p = forward(net, part, np.arange(len(part)))
    return float(-np.log(np.maximum(1e-12, p[np.arange(len(part)), part.truth])).mean())


def trained(train: Padded, held: Padded, linear: np.ndarray, seed: int) -> Parameters:
    """Adam from the fitted weights; the parameters of the epoch that is best on the held-out samples."""
    dice = np.random.default_rng(seed)
    terms = len(linear)
    net: Parameters = {
        "linear": linear.copy(), "out": dice.normal(0, 0.1, HIDDEN), "bias": np.zeros(HIDDEN),
        "own": dice.normal(0, 0.3, (terms, HIDDEN)), "others": dice.normal(0, 0.3, (terms, HIDDEN)),
    }  # fmt: skip
    first = {name: np.zeros_like(value) for name, value in net.items()}
    second = {name: np.zeros_like(value) for name, value in net.items()}
    best, best_loss, step = dict(net), loss(net, held), 0
    for _ in range(EPOCHS):
        order = dice.permutation(len(train))
        for begin in range(0, len(order), BATCH):
            step += 1
            for name, value in gradient(net, train, order[begin : begin + BATCH], linear).items():
                first[name] = 0.9 * first[name] + 0.1 * value
                second[name] = 0.999 * second[name] + 0.001 * value**2
                push = (first[name] / (1 - 0.9**step)) / (np.sqrt(second[name] / (1 - 0.999**step)) + 1e-8)
                net[name] = net[name] - RATE * push
        now = loss(net, held)
        if now < best_loss:
            best, best_loss = {name: value.copy() for name, value in net.items()}, now
    return best


def shown(name: str, data: list[tuple], scores: list[np.ndarray | None]) -> str:
    """The line of one scorer: its log scores stand in for terms of weight one."""
    alike, losses = [], []
    for s, (_, y, sample) in zip(scores, data, strict=True):
        alike.append((None if s is None else s[:, None], y, sample))
        if s is not None:
            odds = np.exp(s - s.max())
            losses.append(-np.log(max(1e-12, float(odds[y] / odds.sum()))))
    return f"{name:22} log loss {np.mean(losses):.3f}  {quality(alike, np.ones(1))[0]}"


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--train", nargs="+", required=True)
    parser.add_argument("--test", nargs="+", required=True)
    parser.add_argument("--ridge", type=float, default=12.0)
    args = parser.parse_args()
    train, test = stored(args.train), stored(args.test)
    names = sorted({n for h in train for s in h["samples"] for _, terms in s["rows"] for n, _ in terms} | TERMS.keys())
    prior = np.array([TERMS.get(name, 0.0) for name in names])
    data = matrices(train, names)
    w = fitted(data, prior, args.ridge)
    seen = np.concatenate([x for x, _, _ in data if x is not None])
    scale = np.maximum(0.2, np.abs(seen).max(0))
    seeds = sorted({sample["seed"] for _, _, sample in data})
    networks = []
    for turn in range(NETWORKS):
        held = set(seeds[turn % 5 :: 5])
        networks.append(
            trained(
                Padded([d for d in data if d[2]["seed"] not in held], scale),
                Padded([d for d in data if d[2]["seed"] in held], scale), w * scale, turn,
            )
        )  # fmt: skip
    for when in (LIVE, CLOSED):
        part = matrices(test, names, (when,))
        logit = [None if x is None else x @ w for x, _, _ in part]
        together: list[np.ndarray | None] = []
        for each in part:
            if each[0] is None:
                together.append(None)
                continue
            one = Padded([each], scale)
            together.append(np.log(np.mean([forward(net, one, np.array([0]))[1][0] for net in networks], axis=0)))
        print(f"{when}, {len(part)} incidents found")
        print(shown("  weighted sum", part, logit))
        print(shown("  networks", part, together), flush=True)


if __name__ == "__main__":
    main()
