"""What it costs a run to be told of: the same epochs with and without a reporter and an onlooker.

In each pair one side trains alone (``loop.train``); the other has the reporter of a run's process
(a word a second, losses, scores of each label) while this process's parent reads everything about
the run once a second, as the Train page does. Pairs alternate in order. Also printed: the age of
the newest word at each look. Limits: 2 % and 2 s.

    python benchmarks/watched_training.py --data ../shared/data/ptbxl_1625/{train,val}.npz
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np

from ecgcore.jobs.folder import epochs_of, labels_of_epochs, log_of, losses_of, read_live
from ecgcore.jobs.reporter import Reporter
from ecgcore.training.loop import train
from ecgcore.training.recipes import recipe
from ecgcore.training.watching import UNWATCHED
from ecgcore.training.whole_run import joined

LOOK_SECONDS = 1.0


def epoch_seconds(files: list[Path], epochs: int, folder: Path, *, watched: bool) -> float:
    """Seconds of the epochs after the first."""
    options = replace(recipe("inception").options, epochs=epochs + 1, patience=0)
    moments: list[float] = []

    def note(row: object) -> None:
        moments.append(time.perf_counter())

    data = joined(files)
    if watched:
        with Reporter(folder) as reporter:
            train(options, data, folder, note, watch=reporter)
    else:
        train(options, data, folder, note, watch=UNWATCHED)
    return moments[-1] - moments[0]


def look(folder: Path) -> float:
    """Read what the page reads; the age of the newest word, in s."""
    live = read_live(folder)
    epochs_of(folder), losses_of(folder), labels_of_epochs(folder), log_of(folder)
    return 0.0 if live is None else time.time() - live.at


def side(given: argparse.Namespace, *, watched: bool) -> tuple[float, list[float]]:
    """One side in a process of its own: its seconds, and the ages seen."""
    ages = []
    with tempfile.TemporaryDirectory() as folder:
        words = [sys.executable, __file__, "--data", *map(str, given.data)]
        words += ["--epochs", str(given.epochs), "--within", folder]
        words += ["--side", "watched" if watched else "alone"]
        with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
            while process.poll() is None:
                time.sleep(LOOK_SECONDS)
                if watched and process.poll() is None and read_live(Path(folder)) is not None:
                    ages.append(look(Path(folder)))
            told = process.stdout.read() if process.stdout else ""
        return float(told.split()[-1]), ages


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, nargs="+", required=True)
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--within", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--side", choices=("alone", "watched"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.side:
        print(
            epoch_seconds(given.data, given.epochs, given.within, watched=given.side == "watched")
        )
        return
    ratios, every = [], list[float]()
    for pair in range(given.pairs):
        found = {}
        for watched in (False, True) if pair % 2 else (True, False):
            found[watched], ages = side(given, watched=watched)
            every += ages
        ratios.append(found[True] / found[False])
        print(f"pair {pair}: alone {found[False]:.2f} s, watched {found[True]:.2f} s", flush=True)
    middle, least, most = np.median(ratios), min(ratios), max(ratios)
    print(f"watched / alone: median {middle:.4f}, {least:.4f} to {most:.4f} (limit 1.02)")
    print(f"age of the newest word: at most {max(every):.2f} s (limit 2)")


if __name__ == "__main__":
    main()
