"""How good the delineation methods are on LUDB, beside NeuroKit2's own, in one run.

Scored as ``ecgcore.evaluation.delineation`` says: window 150 ms, only between the first and the
last mark; global marks are the median over the leads in the reference. ``--folds`` names the folder
of the five networks of ``ecgcore.training.delineation``, so that every recording is read by the one
that did not see it; without it the shipped network reads what it was trained on, and is named so.
NeuroKit2's methods run as its users run them (clean, peaks, delineate; lead by lead); times are
taken in turns in this process, of its ``ecg_delineate(method="dwt")`` alone.

    python benchmarks/delineation.py --data LUDB [--folds DIR] [--method network ...] [--limit N]
"""

from __future__ import annotations

import argparse
import os
import sys
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from ecgcore.datasets.ludb import MarkedRecording, read_ludb
from ecgcore.evaluation.delineation import (
    BOUNDARIES,
    RecordingScore,
    WaveScore,
    pool,
    score_boundary,
    score_recording,
)
from ecgcore.signal.delineation import ReadLeads, delineate_with, gradient, network, neurokit
from ecgcore.signal.delineation.agreement import LeadsRead
from ecgcore.signal.delineation.waves import WAVES, Delineation, Wave

REPOSITORY = Path(__file__).resolve().parent.parent

# Goals of the program: sensitivity and PPV in percent, then SD in ms and share within the CSE
# tolerance in percent; a bias within 2 ms; per lead the SD, half of NeuroKit2's best.
GOAL_WAVES: dict[Wave, tuple[float, float]] = {
    "P": (99, 98),
    "QRS": (99.9, 99.9),
    "T": (99.5, 99.5),
}
GOAL_SD = dict(zip(BOUNDARIES, (7, 5.5, 4.5, 4.5, 9), strict=True))
GOAL_WITHIN = dict(zip(BOUNDARIES, (85, 92, 85, 95, 96), strict=True))
GOAL_LEAD_SD = dict(zip(BOUNDARIES, (19.5, 19, 11, 13.5, 17), strict=True))
GOAL_BIAS = 2.0
GOAL_WITHOUT_P = 97.0
GOAL_SPEED = 15.0

OURS = ("network", "gradient", "neurokit")

LibraryMethod = neurokit.LibraryMethod

_LIBRARY_ERRORS = (ValueError, IndexError, KeyError, TypeError, ZeroDivisionError, AttributeError)


@dataclass
class Library:
    """NeuroKit2 as it is used, with our clock on its delineation and a count of its crashes."""

    method: LibraryMethod
    seconds: float = 0.0
    crashes: int = 0

    def read_leads(
        self, signals: Mapping[str, NDArray[np.floating]], sampling_rate: float
    ) -> LeadsRead:
        """Marks by lead; a lead on which it raises is unread."""
        marks, unread = {}, {}
        for lead, samples in signals.items():
            try:
                marks[lead] = self._lead(np.asarray(samples, dtype=np.float64), sampling_rate)
            except _LIBRARY_ERRORS as error:
                self.crashes += 1
                unread[lead] = f"{type(error).__name__}: {error}"
        return LeadsRead(marks, unread)

    def _lead(
        self, samples: NDArray[np.float64], sampling_rate: float
    ) -> Mapping[Wave, NDArray[np.float64]]:
        import neurokit2

        rate = int(sampling_rate)
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            clean = neurokit2.ecg_clean(samples, sampling_rate=rate)
            _, info = neurokit2.ecg_peaks(clean, sampling_rate=rate)
            peaks = info["ECG_R_Peaks"]
            start = time.perf_counter()
            try:
                _, found = neurokit2.ecg_delineate(
                    clean, rpeaks=peaks, sampling_rate=rate, method=self.method
                )
            finally:
                self.seconds += time.perf_counter() - start
        return neurokit.assembled(found, np.asarray(peaks, dtype=np.float64), sampling_rate)


@dataclass
class Results:
    """One method's scores, seconds a recording and refused or crashed leads."""

    name: str
    scores: list[RecordingScore] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    unread: int = 0


def readers(
    methods: Sequence[str], folds: Path | None
) -> dict[str, Callable[[MarkedRecording], ReadLeads]]:
    """By name, what reads the leads of a recording."""
    made: dict[str, Callable[[MarkedRecording], ReadLeads]] = {}
    for method in methods:
        if method == "network" and folds is not None:
            made["network (out of fold)"] = _out_of_fold(folds)
        elif method == "network":
            made["network (shipped: SAW THESE RECORDINGS)"] = lambda _: network.read_leads
        elif method == "gradient":
            made[method] = lambda _: gradient.read_leads
        elif method == "neurokit":
            made["neurokit (guarded)"] = lambda _: neurokit.read_leads
    return made


def _out_of_fold(folds: Path) -> Callable[[MarkedRecording], ReadLeads]:
    from ecgcore.training.delineation import FOLDS, fold_folder, fold_of

    networks = [network.load_network(fold_folder(folds, fold)) for fold in range(FOLDS)]
    return lambda marked: networks[fold_of(marked.recording.record_id)].read_leads


def run(
    recordings: Sequence[MarkedRecording],
    ours: Mapping[str, Callable[[MarkedRecording], ReadLeads]],
    library: Mapping[str, Library],
) -> dict[str, Results]:
    """Every method on every recording, in turns."""
    results = {name: Results(name) for name in (*ours, *library)}
    for reader in ours.values():  # weights and libraries are loaded before the clock runs
        for marked in recordings[:2]:
            delineate_with(marked.recording, reader(marked), "warm")
    for count, marked in enumerate(recordings, start=1):
        for name, reader in ours.items():
            start = time.perf_counter()
            found = delineate_with(marked.recording, reader(marked), name)
            _note(results[name], marked, found, time.perf_counter() - start)
        for name, peer in library.items():
            before = peer.seconds
            found = delineate_with(marked.recording, peer.read_leads, name)
            _note(results[name], marked, found, peer.seconds - before)
        if sys.stderr.isatty():
            print(f"\r{count}/{len(recordings)}", end="", file=sys.stderr, flush=True)
    return results


def _note(result: Results, marked: MarkedRecording, found: Delineation, seconds: float) -> None:
    result.scores.append(score_recording(marked, found))
    result.seconds.append(seconds)
    result.unread += len(found.unread)


def print_method(result: Results, library_seconds: float | None) -> None:
    """One method's table with goals."""
    print(f"\n{result.name}: {len(result.scores)} recordings, {result.unread} leads unread")
    for part, title in (("overall", "global"), ("leads", "per lead, pooled")):
        scores = [getattr(score, part) for score in result.scores]
        pooled = {wave: pool([score[wave] for score in scores]) for wave in WAVES}
        print(f"  {title}")
        _print_waves(pooled, part == "overall")
        _print_boundaries(pooled, part == "overall")
    kept = sum(score.without_p[0] for score in result.scores)
    beats = sum(score.without_p[1] for score in result.scores)
    if beats:
        text = _goal(100 * kept / beats, GOAL_WITHOUT_P, at_least=True)
        print(f"  no P where the reference has none (AF, flutter, paced): {text} of {beats} beats")
    seconds = float(np.median(result.seconds))
    speed = ""
    if library_seconds is not None:
        speed = f"; NeuroKit2 dwt / this {_goal(library_seconds / seconds, GOAL_SPEED, True)}"
    print(f"  {1000 * seconds:.1f} ms a recording (median){speed}")


def _print_waves(pooled: Mapping[Wave, WaveScore], with_goals: bool) -> None:
    for wave, score in pooled.items():
        values = [(score.sensitivity, GOAL_WAVES[wave][0]), (score.ppv, GOAL_WAVES[wave][1])]
        texts = [
            "no wave" if v is None else _goal(100 * v, g if with_goals else None, True)
            for v, g in values
        ]
        counts = f"{score.found} found, {score.missed} missed, {score.false} false"
        print(f"    {wave:8} Se {texts[0]:24} PPV {texts[1]:24} {counts}")


def _print_boundaries(pooled: Mapping[Wave, WaveScore], with_goals: bool) -> None:
    goals_sd = GOAL_SD if with_goals else GOAL_LEAD_SD
    for name, (wave, mark, tolerance) in BOUNDARIES.items():
        score = score_boundary(pooled[wave], mark, tolerance)
        if score.bias_ms is None or score.sd_ms is None or score.within is None:
            print(f"    {name:8} not given")
            continue
        bias = _goal(score.bias_ms, GOAL_BIAS if with_goals else None, False)
        within = _goal(100 * score.within, GOAL_WITHIN[name] if with_goals else None, True)
        sd = _goal(score.sd_ms, goals_sd[name], False)
        print(f"    {name:8} bias {bias:22} SD {sd:22} within {tolerance:g} ms {within}")


def _goal(value: float, goal: float | None, at_least: bool) -> str:
    """A number, its goal, and whether it is met; a goal from above holds for the magnitude."""
    if goal is None:
        return f"{value:.2f}"
    met = value >= goal if at_least else abs(value) <= goal
    return f"{value:.2f} ({'>=' if at_least else '<='} {goal:g} {'met' if met else 'MISSED'})"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    default = Path(os.environ.get("ECG_DATA", REPOSITORY.parent / "shared" / "data")) / "ludb"
    parser.add_argument("--data", type=Path, default=default, help="folder of LUDB's records")
    parser.add_argument("--folds", type=Path, help="folder of the five networks (fold0 ... fold4)")
    parser.add_argument(
        "--method", nargs="+", choices=[*OURS, "library"], default=[*OURS, "library"]
    )
    parser.add_argument("--limit", type=int, help="the first recordings only")
    given = parser.parse_args()
    recordings = read_ludb(given.data, given.limit)
    library: dict[str, Library] = {}
    if "library" in given.method:
        library = {f"NeuroKit2 {m}": Library(m) for m in neurokit.LIBRARY_METHODS}
    results = run(recordings, readers(given.method, given.folds), library)
    dwt = results.get("NeuroKit2 dwt")
    seconds = float(np.median(dwt.seconds)) if dwt else None
    for result in results.values():
        print_method(result, None if result.name in library else seconds)
    for name, peer in library.items():
        print(f"{name} raised on {peer.crashes} of {12 * len(recordings)} leads")


if __name__ == "__main__":
    main()
