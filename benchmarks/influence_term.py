"""Whether influence of training records, in closed form, adds to the suspicion score.

After TracIn (Pruthi et al., Estimating Training Data Influence by Tracing Gradient Descent, NeurIPS
2020; arXiv:2002.08484): for a model that is linear in fixed features, the influence of a training
record j on the answer at x is the product of j's residual and the likeness of both. Kernel ridge
regression has all of them in closed form: the answer is the mean plus the sum over j of k(x, j)
alpha(j), alpha the dual coefficients. Tried as one more term of the score, each for the labels that
an alteration changes:

- "left out": log-odds of the answer that all other records give, instead of those of four folds;
- "self-influence": alpha(i) squared, TracIn's sign of a mislabel, with the sign of the residual;
- "cleaned": what the answer out of fold becomes less the influence of suspicious training records,
  each by the chance that its label is wrong.

The weights are fitted on folds 1-4 of other seeds and scored on the rest, and the other way round,
as in ``mislabels.py``.

    python benchmarks/influence_term.py --data TRAIN.npz VAL.npz [--seeds 2] [--values FILE.npy]
"""

from __future__ import annotations

import argparse
import itertools
import sys
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.mislabels import (
    COLUMNS,
    EXCHANGES,
    FIT_SEEDS,
    HALF,
    biomarkers_of,
    fitted,
    ours,
    planted,
    scores_of,
)
from ecgcore.datasets.joining import join
from ecgcore.datasets.packed import PackedData, load_packed
from ecgcore.review.suspicion import suspicions, weights
from ecgcore.review.suspicion_fitting import Case
from ecgcore.training.out_of_fold import RIDGE, _kernel, _normal_scores, parts_of

Floats = NDArray[np.float64]
TERMS = ("none", "left out", "self-influence", "cleaned")


def term(name: str, case: Case, kernel: Floats, parts: NDArray[np.intp]) -> Floats:
    """What the term says for each label of each record: above 0, that it should be on."""
    given = case.evidence.given.astype(float)
    if name == "cleaned":
        return _cleaned(case, kernel, parts)
    inverse = np.linalg.inv(kernel + RIDGE * np.eye(len(kernel)))
    dual = inverse @ (given - given.mean(axis=0))
    if name == "left out":
        told = given - dual / np.diag(inverse)[:, None]
        return _log_odds(told)
    # The residual is positive where the label is on and the others speak against it.
    signed = -np.sign(dual) * dual**2
    return np.asarray(signed / signed.std(axis=0))


def _cleaned(case: Case, kernel: Floats, parts: NDArray[np.intp]) -> Floats:
    """Log-odds with the influence of suspicious records taken out, less those with it."""
    given = case.evidence.given.astype(float)
    doubt = np.array(
        [[label.score for label in one.labels] for one in suspicions(case.evidence)]
    ) if _all_answered(case) else np.zeros_like(given)  # fmt: skip
    moved = np.empty_like(given)
    for part in np.unique(parts):
        rest, here = parts != part, parts == part
        mean = given[rest].mean(axis=0)
        system = kernel[np.ix_(rest, rest)] + RIDGE * np.eye(int(rest.sum()))
        dual = np.linalg.solve(system, given[rest] - mean)
        across = kernel[np.ix_(here, rest)]
        moved[here] = _log_odds(across @ (dual * (1 - doubt[rest])) + mean)
        moved[here] -= _log_odds(across @ dual + mean)
    return moved


def _all_answered(case: Case) -> bool:
    return all(np.isfinite(one).all() for one in case.evidence.probabilities.values())


def _log_odds(told: Floats) -> Floats:
    sure = told.clip(0.01, 0.99)
    return np.asarray(np.log(sure / (1 - sure)))


def with_term(name: str, case: Case, kernel: Floats, parts: NDArray[np.intp]) -> Case:
    """The case with the term in the place of the rules, which packed superclasses have none of."""
    if name == "none":
        return case
    said = term(name, case, kernel, parts)
    return replace(case, evidence=replace(case.evidence, rules=said))  # type: ignore[arg-type]


def compare(data: PackedData, values: Floats, seeds: int, shares: list[float]) -> None:
    """Print the scores with each term, and the differences from none with their standard error."""
    half, parts = np.isin(data.fold, HALF), parts_of(data.fold)
    kernel = _kernel(_normal_scores(values))
    learning = [
        planted(data, values, 0.1, kind, seed)[0] for kind in EXCHANGES for seed in FIT_SEEDS
    ]
    halves = {}
    for name in TERMS:
        cases = [with_term(name, one, kernel, parts) for one in learning]
        halves[name] = (fitted(cases, half), fitted(cases, ~half))
        print(
            f"weight of the term {name!r}: {halves[name][0].rule:.2f}, {halves[name][1].rule:.2f}"
        )
    print(f"shipped weights for comparison: {weights('superclasses').model:.2f} of the models")
    gains: dict[str, list[list[float]]] = {name: [] for name in TERMS}
    for share, kind in itertools.product(shares, EXCHANGES):
        found: dict[str, list[list[float]]] = {name: [] for name in TERMS}
        for seed in range(seeds):
            case, wrong = planted(data, values, share, kind, seed)
            for name in TERMS:
                now = with_term(name, case, kernel, parts)
                first, second = halves[name]
                suspicion = np.where(half, ours(now, second), ours(now, first))
                found[name].append(scores_of(suspicion, wrong))
                gains[name].append(list(np.subtract(found[name][-1], found["none"][-1])))
        print(f"\n{100 * share:g} % planted, {kind}, mean of {seeds} seeds: {', '.join(COLUMNS)}")
        for name in TERMS:
            mean = np.mean(found[name], axis=0)
            print(f"  {name:16}" + "  ".join(f"{value:.3f}" for value in mean), flush=True)
    print(f"\ngain over none, mean and standard error over all: {', '.join(COLUMNS)}")
    for name in TERMS[1:]:
        told = np.array(gains[name])
        error = told.std(axis=0, ddof=1) / np.sqrt(len(told))
        pairs = zip(told.mean(axis=0), error, strict=True)
        print(f"  {name:16}" + "  ".join(f"{mean:+.4f} ({se:.4f})" for mean, se in pairs))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, nargs="+", required=True, metavar="PACKED.npz")
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--shares", type=float, nargs="+", default=[0.05, 0.1, 0.2])
    parser.add_argument("--values", type=Path, metavar="FILE.npy", help="keep the biomarkers here")
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    data = join([load_packed(path) for path in given.data])
    compare(data, biomarkers_of(data, given.values), given.seeds, given.shares)


if __name__ == "__main__":
    main()
