"""Is it fit to read: nested cross-validation on the 2011 challenge, and false alarms elsewhere.

    python benchmarks/verdict.py [DATA] [--write]

DATA (default ../shared/data, or ECG_DATA) holds cinc2011/development.npz and recordings of clinical
carts. Prints accuracy, sensitivity, specificity and AUROC of repeated 10-fold cross-validation with
their mean, everything fitted inside the folds, the rule for empty leads included; then the clinical
recordings that are called unfit, and the unfit leads of the others. --write fits on all recordings
and writes assets/quality/verdict.json.
"""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np

from benchmarks.arguments import data_and_write
from ecgcore.readers.opening import find_recordings, read_path
from ecgcore.recording import LEADS, Recording, Source
from ecgcore.signal.verdict import MODEL_FILE, empty_leads, judge, piecewise_features
from ecgcore.training.verdict import (
    VerdictScores,
    cross_validate,
    fit_with_threshold,
    summarise,
    write,
)

REPEATS = 10
CARTS = ("ptbxl_raw500", "ludb", "cinc2021")
PACKED = ("ptbxl_raw100", "brugada")


def _packed(path: Path) -> list[Recording]:
    held = np.load(path, allow_pickle=False)
    scale, rate = float(held["scale"]), float(held["fs"])
    return [
        Recording.from_leads(
            f"{path.stem}-{number}", (row.T * scale).astype(np.float32), LEADS, rate,
            Source("npz", ""),
        )
        for number, row in enumerate(held["X"])
    ]  # fmt: skip


def _carts(data: Path) -> None:
    sets = {name: [read_path(p) for p in find_recordings(data / name)] for name in CARTS}
    sets |= {name: _packed(data / name / f"{name}.npz") for name in PACKED}
    for name, recordings in sets.items():
        judged = [(recording.record_id, judge(recording)) for recording in recordings]
        unfit = sum(not verdict.acceptable for _, verdict in judged)
        print(f"{name:14} {unfit:3} of {len(recordings):3} called unfit to read")
        for record, verdict in judged:
            if verdict.reason:
                called = "unfit" if not verdict.acceptable else "fit but"
                print(f"   {record} {called}: {verdict.score:.2f} {verdict.reason}")


def _with_interval(row: VerdictScores, figure: str) -> str:
    low, high = getattr(row, f"{figure}_interval")
    return f"{figure} {getattr(row, figure):.3f} ({low:.3f}-{high:.3f})"


def main() -> None:
    """Measure, print, and write if asked to."""
    given = data_and_write(__doc__)
    file = given.data / "cinc2011" / "development.npz"
    held = np.load(file, allow_pickle=False)
    unfit = held["quality"] == 1
    recordings = _packed(file)
    features = np.concatenate([piecewise_features(recording) for recording in recordings])
    pairs = zip(recordings, features, strict=True)
    ruled = np.array([bool(empty_leads(one, row[None])) for one, row in pairs])
    rows = [summarise(*cross_validate(features, unfit, ruled, s), unfit) for s in range(REPEATS)]
    figures = ("accuracy", "sensitivity", "specificity", "auroc")
    for number, row in enumerate(rows):
        said = [_with_interval(row, figure) for figure in figures]
        print(f"repeat {number}: {'  '.join(said)}")
    mean = {name: float(np.mean([getattr(row, name) for row in rows])) for name in figures}
    print("mean: " + "  ".join(f"{name} {value:.4f}" for name, value in mean.items()))
    if given.write:
        model = fit_with_threshold(features, unfit, ruled, 0)
        card: dict[str, object] = {
            "name": "Fit to read",
            "data": "PhysioNet/CinC Challenge 2011, set-a (ODC-BY 1.0): "
            f"{unfit.size} recordings, {int(unfit.sum())} unacceptable",
            "data_sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
            "method": "logistic model of the ordered features, and of each lead under a noisy-or; "
            "10-fold cross-validation; penalty and threshold by three inner 5-folds, everything "
            "inside the folds",
            "mean": mean,
            "cross_validation": [vars(row) for row in rows],
            "limits": "Judged by volunteers from phone recordings; their labels contradict each "
            "other on recordings with one empty or one broken chest lead: of "
            f"{int(ruled.sum())} with an empty lead {int((ruled & ~unfit).sum())} were accepted. "
            "An arrhythmia whose beats hardly repeat (paced and own, ventricular tachycardia) may "
            "be called unfit.",
            "command": "python benchmarks/verdict.py --write",
        }
        write(model, card, MODEL_FILE)
    _carts(given.data)


if __name__ == "__main__":
    main()
