"""10,000 bootstraps of macro AUROC: all at once against scikit-learn in a loop.

    python benchmarks/bootstrap.py [DATA] [--resamples 10000] [--loop 40]

DATA is the folder with ``oracle/ptbxl_fold9_xresnet1d101.npz``: the published predictions of
xresnet1d101 for PTB-XL's fold 9, 2,193 recordings and 71 statements; without it, random numbers of
that size. The loop scores each label of each resample with ``roc_auc_score`` on the drawn records.
It runs over the first --loop resamples only and its time is scaled up; they are compared with the
same ones of ours. Goals: under 10 s, equal to 1e-9, 50 times faster; exit status 1 if missed.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from ecgcore.evaluation.bootstrap import bootstrap_areas, bootstrap_weights, interval, macro

RECORDS, LABELS = 2193, 71
MOST_SECONDS, MOST_APART, TIMES_FASTER = 10.0, 1e-9, 50.0


def predictions(data: Path) -> tuple[NDArray[np.uint8], NDArray[np.floating]]:
    """The published predictions, or random ones of the same size with rare labels and ties."""
    file = data / "oracle" / "ptbxl_fold9_xresnet1d101.npz"
    if file.exists():
        with np.load(file) as arrays:
            return arrays["y"], arrays["pred"]
    print(f"{file} is absent; random numbers instead")
    generator = np.random.default_rng(0)
    targets = (generator.random((RECORDS, LABELS)) < np.geomspace(0.003, 0.5, LABELS)).astype("u1")
    return targets, np.round(generator.random((RECORDS, LABELS)) + 0.3 * targets, 3)


def loop(
    targets: NDArray[np.uint8], probabilities: NDArray[np.floating], weights: NDArray[np.int32]
) -> NDArray[np.float64]:
    """Macro AUROC of each resample, over the labels of which it holds both classes."""
    macros = []
    for counts in weights:
        drawn = np.repeat(np.arange(len(targets)), counts)
        truth, scores = targets[drawn], probabilities[drawn]
        held = np.flatnonzero(truth.any(axis=0) & ~truth.all(axis=0))
        macros.append(np.mean([roc_auc_score(truth[:, i], scores[:, i]) for i in held]))
    return np.array(macros)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    default = os.environ.get("ECG_DATA", Path(__file__).resolve().parents[2] / "shared" / "data")
    parser.add_argument("data", type=Path, nargs="?", default=Path(default))
    parser.add_argument("--resamples", type=int, default=10_000)
    parser.add_argument("--loop", type=int, default=40)
    given = parser.parse_args()
    targets, probabilities = predictions(given.data)
    bootstrap_areas(targets, probabilities, 1)

    start = time.perf_counter()
    ours = macro(bootstrap_areas(targets, probabilities, given.resamples).auroc)
    spent = time.perf_counter() - start
    weights = bootstrap_weights(len(targets), given.resamples)[: given.loop]
    start = time.perf_counter()
    theirs = loop(targets, probabilities, weights)
    looped = (time.perf_counter() - start) * given.resamples / given.loop

    apart, faster = float(np.abs(ours[: given.loop] - theirs).max()), looped / spent
    low, high = interval(ours) or (np.nan, np.nan)
    print(f"{len(targets)} records, {targets.shape[1]} labels, {given.resamples} resamples")
    print(
        f"all at once (AUROC and average precision)  {spent:8.1f} s   95 % {low:.4f} to {high:.4f}"
    )
    print(f"scikit-learn in a loop (AUROC only)        {looped:8.1f} s   scaled from {given.loop}")
    print(f"{faster:.0f} times faster, at most {apart:.1e} apart")
    return int(spent > MOST_SECONDS or apart > MOST_APART or faster < TIMES_FASTER)


if __name__ == "__main__":
    sys.exit(main())
