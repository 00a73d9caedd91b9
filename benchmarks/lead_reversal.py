"""Lead mistakes: false warnings on recordings as stored, and what is found after a mistake.

    python benchmarks/lead_reversal.py [DATA] [--write]

DATA (default ../shared/data, or ECG_DATA) holds ptbxl_1625 and the other sets. Every mistake is
made on the recording itself, then looked for as on the page. Prints false warnings (Wilson's 95 %
interval) and, for each exchange of electrodes, all leads turned over, a chest lead of chance turned
over and the chest leads in an order of chance, the share that was warned of by its right name and
by any name (two exchanged electrodes are an order, too). Fold 9 holds other patients than those
fitted on, and the sets but PTB-XL other hospitals; of the raw PTB-XL records some may be of
patients fitted on. --write fits on folds 1 to 8, the thresholds out of fold, and writes
assets/reversal.
"""

from __future__ import annotations

import hashlib
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import TypedDict

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np

from benchmarks.arguments import data_and_write
from ecgcore.readers.opening import find_recordings, read_path
from ecgcore.recording import LEADS, LIMB_LEADS, Recording, Source, complete_limb_leads
from ecgcore.signal.arrangement import suspect_leads
from ecgcore.signal.reversal import (
    KINDS,
    MISTAKES,
    MODEL_FOLDER,
    Values,
    exchange_electrodes,
    load_reversal_model,
    median_beats,
    threshold_names,
)
from ecgcore.training.reversal import choose_thresholds, fit, out_of_fold, training_inputs, write

FILES = ("ptbxl_raw500", "ludb", "cinc2021")
PACKED = ("ptbxl_1625/val", "brugada/brugada", "ptbxl_raw100/ptbxl_raw100")


class _Figures(TypedDict):
    recordings: int
    false_warnings: int
    named: dict[str, float]


def _packed(path: Path) -> list[Recording]:
    held = np.load(path, allow_pickle=False)
    scale, rate = float(held["scale"]), float(held["fs"])
    source = Source("npz", "")
    return [
        Recording.from_leads(
            f"{path.stem}-{number}", (row.T * scale).astype(np.float32), LEADS, rate, source
        )
        for number, row in enumerate(held["X"])
    ]


def _wilson(found: int, count: int) -> tuple[float, float]:
    share, z = found / count, 1.96
    middle = share + z * z / (2 * count)
    half = z * np.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    return (middle - half) / (1 + z * z / count), (middle + half) / (1 + z * z / count)


def _write(data: Path) -> None:
    file = data / "ptbxl_1625" / "train.npz"
    held = np.load(file, allow_pickle=False)
    made = [median_beats(recording) for recording in _packed(file)]
    kept = [i for i, beats in enumerate(made) if beats is not None]
    beats: Values = np.stack([one for one in made if one is not None])
    gained = out_of_fold(beats, held["fold"][kept])
    thresholds = choose_thresholds(gained)
    card: dict[str, object] = {
        "name": "Lead reversal",
        "data": f"PTB-XL (CC BY 4.0), folds 1 to 8: {len(beats)} recordings",
        "data_sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
        "kinds": threshold_names(),
        "thresholds_from": "folds 1 to 8, out of fold: of each kind at most one recording as "
        "stored is warned of, and odds of nine to one at least",
        "limits": "Twelve leads and three beats are needed. Dextrocardia and arrhythmias without "
        "steady beats can look like an exchange. Two electrodes beside each other on a chest where "
        "the leads hardly differ (V5, V6) are often missed. The right leg electrode is not judged.",
        "command": "python benchmarks/lead_reversal.py --write",
    }
    write(replace(fit(training_inputs(beats)), thresholds=thresholds), card, MODEL_FOLDER)


def _made(recording: Recording, kind: str, draw: np.random.Generator) -> Recording:
    """The recording with a mistake."""
    if kind not in MISTAKES:
        a, b = next(pair for pair in KINDS if f"{pair[0]}/{pair[1]}" == kind)
        return exchange_electrodes(recording, a, b)
    signal = complete_limb_leads(recording).signal.copy()
    chest = signal[len(LIMB_LEADS) :]
    if kind == MISTAKES[0]:
        signal *= -1
    elif kind == MISTAKES[1]:
        chest[draw.integers(len(chest))] *= -1
    else:
        order = usual = np.arange(len(chest))
        while (order == usual).all():
            order = draw.permutation(usual)
        chest[:] = chest[order]
    return replace(recording, signal=signal, leads=LEADS)


def _score(name: str, recordings: list[Recording]) -> _Figures:
    """Print and give the figures of one set."""
    usable = [r for r in recordings if median_beats(r) is not None]
    false = [(r.record_id, found) for r in usable if (found := suspect_leads(r))]
    low, high = _wilson(len(false), len(usable))
    print(
        f"{name}: {len(usable)} of {len(recordings)} can be judged; false warnings {len(false)} "
        f"({len(false) / len(usable):.2%}, {low:.2%}-{high:.2%})"
    )
    for record, found in false:
        print(f"   {record} {found.kind}: {found.text}")
    named: dict[str, float] = {}
    for kind in threshold_names():
        draw = np.random.default_rng(0)
        said = [suspect_leads(_made(recording, kind, draw)) for recording in usable]
        right = np.mean([one is not None and one.kind == kind for one in said])
        warned = np.mean([one is not None for one in said])
        print(f"   {kind:24} named {right:5.1%}  warned of {warned:5.1%}", flush=True)
        named[kind] = round(float(right), 3)
    return {"recordings": len(usable), "false_warnings": len(false), "named": named}


def main() -> None:
    """Measure, print, and fit first if asked to."""
    given = data_and_write(__doc__)
    if given.write:
        _write(given.data)
    print(f"thresholds {load_reversal_model().thresholds.round(2)} log odds")
    sets = {name: _packed(given.data / f"{name}.npz") for name in PACKED}
    sets |= {n: [read_path(p) for p in find_recordings(given.data / n)] for n in FILES}
    scores = {name: _score(name, recordings) for name, recordings in sets.items()}
    false, total = (
        sum(counts)
        for counts in zip(
            *((row["false_warnings"], row["recordings"]) for row in scores.values()), strict=True
        )
    )
    low, high = _wilson(total - false, total)
    print(f"specificity on all {total}: {1 - false / total:.2%} ({low:.2%}-{high:.2%})")
    if given.write:
        card = MODEL_FOLDER / "card.json"
        held = json.loads(card.read_text(encoding="utf-8"))
        held["specificity"] = {
            "all": round(1 - false / total, 4),
            "interval": [round(low, 4), round(high, 4)],
        }
        card.write_text(json.dumps(held | {"scores": scores}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
