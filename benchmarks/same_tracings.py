"""Whether one tracing in two files is found, and two patients' tracings never are taken for one.

All recordings of PTB-XL (as packed at 100 and at 500 Hz), CinC 2021 and LUDB in ``--data`` are
compared with one another, and each with a planted copy of itself: cut 0.3 to 5 s later or earlier
(5 s or more are shared), other rate (100 to 1000 Hz), gain (0.5 to 2), filter (0.5-40 Hz) and noise
of 20 dB. With ``--more`` Brugada-HUCA and CinC 2011 too, whose patients are not known. Printed:
what is found, the least alike of one tracing, the most alike of two patients, and the time for as
many recordings as ``--records`` says (these again and again).

    python benchmarks/same_tracings.py --data ../shared/data [--more] [--records 5000]
"""

from __future__ import annotations

import argparse
import re
import sys
import time
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from ecgcore.readers.opening import read_path
from ecgcore.recording import LEADS, RecordingError, complete_limb_leads, standard_lead
from ecgcore.signal.filters import DisplayFilter, apply_display_filter
from ecgcore.signal.resampling import resample
from ecgcore.signal.tracing_search import (
    ALIKE_BEATS,
    SAME_TRACING,
    BeatIndex,
    Tracing,
    overlap,
    tracing_of,
)

RATES = (100.0, 250.0, 257.0, 500.0, 1000.0)
NOISE = 0.1
"""20 dB below the signal."""


@dataclass(frozen=True)
class Known:
    """A signal (12, samples) and what it is a record of: two of one ``origin`` are one tracing."""

    name: str
    origin: str
    signal: NDArray[np.floating]
    rate: float


def known_records(data: Path, more: bool) -> list[Known]:
    """All recordings of the sets; PTB-XL's number is in its names."""
    found = []
    for folder in ("ptbxl_raw500", "cinc2021", "ludb"):
        for path in sorted((data / folder).rglob("*.hea")):
            try:
                ecg = complete_limb_leads(read_path(path))
            except RecordingError:
                continue
            number = re.fullmatch(r"(\d+)_hr|HR(\d+)", ecg.record_id)
            origin = f"ptbxl {int(number[1] or number[2])}" if number else f"{folder} {path.stem}"
            if ecg.leads == LEADS:
                found.append(Known(f"{folder} {path.stem}", origin, ecg.signal, ecg.sampling_rate))
    found += _packed(data / "ptbxl_raw100" / "ptbxl_raw100.npz", "ptbxl", "ecg_id")
    if more:
        found += _packed(data / "brugada" / "brugada.npz", "brugada", "patient_id")
        for path in sorted((data / "cinc2011").glob("*.npz")):
            found += _packed(path, "cinc2011", "ids")
    return found


def _packed(path: Path, name: str, identity: str) -> list[Known]:
    with np.load(path) as content:
        kept = {key: content[key] for key in ("X", "scale", "fs", "leads", identity)}
    order = [[standard_lead(str(one)) for one in kept["leads"]].index(lead) for lead in LEADS]
    return [
        Known(f"{path.parent.name} {who}", f"{name} {who}", row.T[order] * float(kept["scale"]),
              float(kept["fs"]))
        for row, who in zip(kept["X"], kept[identity], strict=True)
    ]  # fmt: skip


def planted(one: Known, random: np.random.Generator) -> tuple[NDArray[np.floating], float]:
    """A copy as another file may hold it."""
    signal = np.nan_to_num(np.asarray(one.signal, dtype=np.float64))
    seconds = signal.shape[1] / one.rate
    cut = round(one.rate * min(random.uniform(0.3, 5.0), seconds - 5.0))
    signal = signal[:, cut:] if random.random() < 0.5 else signal[:, : signal.shape[1] - cut]
    if random.random() < 0.5:
        band = DisplayFilter("0.5-40 Hz")
        filtered = apply_display_filter(signal.astype(np.float32), one.rate, band).signal
        signal = filtered.astype(np.float64)
    spread = signal.std(axis=1, keepdims=True)
    signal = signal + NOISE * spread * random.standard_normal(signal.shape)
    rate = float(random.choice(RATES))
    return random.uniform(0.5, 2.0) * resample(signal, one.rate, rate, beyond="line"), rate


def compare_all(records: list[Known], tracings: list[Tracing]) -> None:
    """Every pair: those of one tracing, and the most alike of different ones."""
    same, missed, candidates, pairs = [], [], 0, 0
    different: list[tuple[float, str]] = []
    for (a, one), (b, other) in combinations(enumerate(records), 2):
        beats = float(tracings[a].beat @ tracings[b].beat)
        if one.origin == other.origin:
            alike = overlap(tracings[a], tracings[b]).correlation
            same.append(alike)
            if beats < ALIKE_BEATS or alike < SAME_TRACING:
                missed.append(f"{one.name} / {other.name} ({beats:.3f}, {alike:.3f})")
            continue
        pairs += 1
        if beats >= ALIKE_BEATS:
            candidates += 1
            alike = overlap(tracings[a], tracings[b]).correlation
            different.append((alike, f"{one.name} / {other.name}"))
    different.sort(reverse=True)
    print(f"{len(same)} pairs of one record in two forms: {len(same) - len(missed)} found, least "
          f"alike {min(same, default=1):.3f}; missed: {'; '.join(missed) or 'none'}")  # fmt: skip
    wrong = [text for text in different if text[0] >= SAME_TRACING]
    print(f"{pairs} pairs of different records: {candidates} compared at full length "
          f"({100 * candidates / pairs:.2f} %), {len(wrong)} taken for one tracing")  # fmt: skip
    for alike, text in different[: len(wrong) + 3]:
        print(f"  {alike:.3f} {text}")


def compare_planted(records: list[Known], tracings: list[Tracing], seed: int) -> None:
    """Each record against a copy of itself."""
    random = np.random.default_rng(seed)
    told, missed = [], []
    for one, whole in zip(records, tracings, strict=True):
        signal, rate = planted(one, random)
        copy = tracing_of(signal, rate, LEADS)
        if isinstance(copy, str):
            missed.append(f"{one.name}: {copy}")
            continue
        beats, alike = float(copy.beat @ whole.beat), overlap(whole, copy).correlation
        told.append(alike)
        if beats < ALIKE_BEATS or alike < SAME_TRACING:
            missed.append(f"{one.name} (beats {beats:.3f}, tracing {alike:.3f})")
    lowest = ", ".join(f"{value:.3f}" for value in sorted(told)[:5])
    print(f"{len(records)} planted copies: {len(records) - len(missed)} found; least alike "
          f"{lowest}; missed: {'; '.join(missed) or 'none'}")  # fmt: skip


def time_many(tracings: list[Tracing], count: int) -> None:
    """Seconds for the search among ``count`` recordings that come one after the other."""
    index, kept, compared = BeatIndex(), list[Tracing](), 0
    start = time.perf_counter()
    for number in range(count):
        one = tracings[number % len(tracings)]
        for at in index.alike(one.beat):
            if at % len(tracings) != number % len(tracings):
                overlap(kept[at], one)
                compared += 1
        index.add(one.beat)
        kept.append(one)
    print(f"{count} recordings searched in {time.perf_counter() - start:.1f} s, {compared} of "
          f"{count * (count - 1) // 2} pairs compared at full length")  # fmt: skip


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--more", action="store_true", help="Brugada-HUCA and CinC 2011 too")
    parser.add_argument("--records", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    start = time.perf_counter()
    records, tracings = [], []
    for one in known_records(options.data, options.more):
        found = tracing_of(one.signal, one.rate, LEADS)
        if isinstance(found, str):
            print(f"{one.name}: {found}")
        else:
            records.append(one)
            tracings.append(found)
    took = 1000 * (time.perf_counter() - start) / max(len(records), 1)
    print(f"{len(records)} recordings, {took:.1f} ms each to read and make ready")
    compare_all(records, tracings)
    compare_planted(records, tracings, options.seed)
    time_many(tracings, options.records)


if __name__ == "__main__":
    main()
