"""How far answers hang on where a recording happens to begin and end.

    python benchmarks/window_ends.py FOLDER [--limit N] [--model NAME]

FOLDER holds ptbxl_raw500, ludb and cinc2021. The 6 s from 2 s on of each recording are given to a
model twice: as a recording of their own, whose ends the filter has to invent, and cut out of the
recording after it was filtered as a whole. The difference of the answers is what the ends do. Ours
beside the filter of the training data, which goes on by scipy's default. Printed per model: of each
recording the largest difference of all answered labels, as median, 95th percentile and largest. A
model that is told more than the signal is told what was found in the whole recording.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.rate_moves import voltages
from ecgcore.models.card import trained_models
from ecgcore.models.input_spec import Conditioning, InputSpec, prepare, to_model_rate
from ecgcore.models.predictor import Predictor, load_predictor
from ecgcore.recording import Recording

FIRST, LAST = 2.0, 8.0
"""Of the part, in seconds."""


def cut_then_filtered(recording: Recording, spec: InputSpec) -> NDArray[np.float32]:
    """The part's input, made of nothing but itself."""
    first, last = (round(at * recording.sampling_rate) for at in (FIRST, LAST))
    return prepare(replace(recording, signal=recording.signal[:, first:last]), spec).values


def filtered_then_cut(recording: Recording, spec: InputSpec) -> NDArray[np.float32]:
    """The part's input, filtered together with what lies around it."""
    rate = spec.conditioning.stored_rate
    stored = InputSpec(spec.leads, rate, recording.seconds, spec.conditioning)
    part = prepare(recording, stored).values[:, round(FIRST * rate) : round(LAST * rate)]
    deviation = part.std(axis=1, keepdims=True)
    scaled = (part - part.mean(axis=1, keepdims=True)) / np.where(deviation > 0, deviation, 1)
    return to_model_rate(scaled, spec)


def differences(
    predictor: Predictor, recordings: list[Recording], conditioning: Conditioning
) -> NDArray[np.float32]:
    """The largest difference of each recording's two answers, where both are conditioned so."""
    spec = replace(predictor.card.spec, conditioning=conditioning, aside=())
    answered = [label.answered for label in predictor.card.labels]
    found = []
    for recording in recordings:
        held = predictor.holding(prepare(recording, predictor.card.spec).aside)
        inputs = cut_then_filtered(recording, spec), filtered_then_cut(recording, spec)
        cut, whole = (held.probabilities(one[None])[0, answered] for one in inputs)
        found.append(np.abs(cut - whole).max())
    return np.array(found)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--limit", type=int)
    parser.add_argument("--model", action="append", choices=trained_models())
    given = parser.parse_args()
    recordings = [one for _, one in voltages(given.folder, given.limit) if one.seconds >= LAST + 2]
    print(f"{len(recordings)} recordings")
    for name in given.model or trained_models():
        predictor = load_predictor(name)
        both = predictor.card.spec.conditioning, Conditioning(lowpass=None)
        sides = [differences(predictor, recordings, one) for one in both]
        for side, found in zip(("ours", "scipy's default"), sides, strict=True):
            print(
                f"{name:14}{side:18}median {np.median(found):.4f}  "
                f"95 % {np.quantile(found, 0.95):.4f}  largest {found.max():.4f}"
            )
        print(f"{name:14}ratio of the means {sides[0].mean() / sides[1].mean():.2f}", flush=True)


if __name__ == "__main__":
    main()
