"""What noise, lost and exchanged leads, other rates and lengths cost each shipped model.

    python benchmarks/robustness.py --data VAL.npz [--voltages FOLDER] [--limit N] [--model NAME]

First part: mean AUROC over the labels with a threshold, on a packed file, disturbance by
disturbance, each recording going the one road (``prepare``). The packed values are no voltages:
they are z-scored lead by lead, and were band-passed 0.5-40 Hz and kept at 100 Hz. So a recording
made of them is "clean" only of what is above 40 Hz and below 0.5 Hz, passes the filter twice, and
has a unit of one standard deviation where millivolts should stand. They are resampled to 500 Hz
before mains or muscle are added, so that the road's own filter meets these; noise is in dB of each
lead's standard deviation. The exchange of electrodes renames and inverts leads, which is exact on
z-scored ones; a wrong gain is undone by the road, and a row shows that it is. "as packed" is the
pack straight into the model: what the card says. Age, sex and rules are those of the pack
throughout; a pack without rules tells none. Biomarkers are measured on the disturbed input. A
model that must not answer, as one of a single lead that is flat, is "refused".

Second part, with --voltages (a folder of ptbxl_raw500, ludb, cinc2021): see ``rate_moves``.
--limit takes the first N recordings (of each set).
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.disturbances import RATE, Disturbance, disturbances
from benchmarks.rate_moves import moves, print_moves, voltages
from ecgcore.datasets.packed import PackedData, load_packed
from ecgcore.labels import LabelSetName
from ecgcore.models.card import trained_models
from ecgcore.models.input_spec import InputSpec, UnfitRecordingError, prepare
from ecgcore.models.predictor import Predictor, load_predictor
from ecgcore.recording import Recording, Source
from ecgcore.signal.resampling import resample

MEASURED = ("biomarkers",)
"""What is measured on the input itself, and so on the disturbed one."""
SETS: tuple[LabelSetName, ...] = ("superclasses", "statements")
Inputs = tuple[NDArray[np.float32], NDArray[np.float32]]
"""Signals (records, leads, samples), and what was measured on them (records, columns)."""
Scores = dict[LabelSetName, float]


def recordings_of(data: PackedData) -> list[Recording]:
    """The packed records at 500 Hz, a standard deviation called a millivolt."""
    source = Source("packed", data.sha256)
    made = []
    for name, row in zip(data.record_ids, data.stored, strict=True):
        values = resample(row * data.scale, data.sampling_rate, RATE, beyond="line")
        signal = values.astype(np.float32)
        made.append(Recording.from_leads(str(name), signal, data.leads, RATE, source))
    return made


def prepared(recordings: list[Recording], change: Disturbance, spec: InputSpec) -> Inputs | None:
    """Disturbed recordings as a model's inputs; None where the model must not answer."""
    rows, asides = [], []
    for number, recording in enumerate(recordings):
        changed = change(recording, np.random.default_rng(number))
        try:
            made = prepare(changed, spec)
        except UnfitRecordingError:
            return None
        rows.append(made.values)
        asides.append(made.aside)
    return np.stack(rows), np.stack(asides)


def mean_auroc(predictor: Predictor, data: PackedData, inputs: Inputs | None) -> Scores:
    """Over the labels with a threshold of which the data hold both classes, set by set; NaN where
    the model must not answer."""
    from sklearn.metrics import roc_auc_score

    if inputs is None:
        return dict.fromkeys(SETS, float("nan"))
    spec = predictor.card.spec
    aside = inputs[1] if spec.aside == MEASURED else data.aside_inputs(spec)
    probabilities = predictor.probabilities(inputs[0], aside)
    found: Scores = {}
    for label_set in SETS:
        areas = []
        for label, column in zip(predictor.card.labels, probabilities.T, strict=True):
            if label.set != label_set or label.threshold is None:
                continue
            truth = data.target(label_set, (label.code,))[:, 0]
            if 0 < truth.sum() < len(truth):
                areas.append(float(roc_auc_score(truth, column)))
        if areas:
            found[label_set] = float(np.mean(areas))
    return found


def print_row(name: str, scores: dict[str, Scores], clean: dict[str, Scores]) -> None:
    """One disturbance: each model's mean AUROC and what was lost against clean."""
    cells = [
        "refused"
        if np.isnan(scores[model][label_set])
        else f"{scores[model][label_set]:6.3f} {scores[model][label_set] - ours[label_set]:+6.3f}"
        for model, ours in clean.items()
        for label_set in ours
    ]
    print(f"{name:20}" + "  ".join(f"{cell:>20}" for cell in cells), flush=True)


def score_disturbances(predictors: dict[str, Predictor], data: PackedData) -> None:
    """Print the table, and which row hurts each model most."""
    specs = {
        name: one.card.spec if one.card.spec.aside == MEASURED else replace(one.card.spec, aside=())
        for name, one in predictors.items()
    }
    recordings = recordings_of(data)
    table: dict[str, dict[str, Scores]] = {}
    for row, change in disturbances().items():
        inputs: dict[InputSpec, Inputs] = {}
        table[row] = {}
        for name, predictor in predictors.items():
            spec = specs[name]
            if spec not in inputs:
                inputs[spec] = prepared(recordings, change, spec)
            table[row][name] = mean_auroc(predictor, data, inputs[spec])
        if row == "clean":
            packed = {
                name: mean_auroc(
                    one,
                    data,
                    (data.inputs(specs[name]), data.aside_inputs(specs[name])),
                )
                for name, one in predictors.items()
            }
            heads = [f"{n} {s}" for n, found in table[row].items() for s in found]
            print(f"{len(data)} recordings\n{'':20}" + "  ".join(f"{h[-20:]:>20}" for h in heads))
            print_row("as packed", packed, table["clean"])
        print_row(row, table[row], table["clean"])
    print_row("mean of flat leads", _mean_of_flat(table), table["clean"])
    for name, clean in table["clean"].items():
        for label_set, best in clean.items():
            losses = [(table[row][name][label_set] - best, row) for row in table]
            lost = sorted(one for one in losses if not np.isnan(one[0]))[:3]
            said = ", ".join(f"{row} {loss:+.3f}" for loss, row in lost)
            print(f"hurts {name} ({label_set}) most: {said}")


def _mean_of_flat(table: dict[str, dict[str, Scores]]) -> dict[str, Scores]:
    rows = [scores for row, scores in table.items() if row.startswith("flat ")]
    return {
        name: {s: float(np.nanmean([row[name][s] for row in rows])) for s in clean}
        for name, clean in table["clean"].items()
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, metavar="VAL.npz")
    parser.add_argument("--voltages", type=Path, metavar="FOLDER")
    parser.add_argument("--limit", type=int)
    parser.add_argument("--model", action="append", choices=trained_models())
    given = parser.parse_args()
    if not (given.data or given.voltages):
        parser.error("give --data, --voltages, or both")
    predictors = {name: load_predictor(name) for name in given.model or trained_models()}
    if given.data:
        data = load_packed(given.data)
        score_disturbances(predictors, data.rows(np.arange(len(data))[: given.limit]))
    if given.voltages:
        recordings = voltages(given.voltages, given.limit)
        for name, predictor in predictors.items():
            print_moves(name, list(moves(predictor, recordings)))


if __name__ == "__main__":
    main()
