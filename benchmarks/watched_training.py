"""What it costs a run to be told of: epochs with and without a reporter and an onlooker.

One process trains. In every other epoch (by fours: with, without, without, with) it has the
reporter of a run's process (a word a second, losses, scores of each label), and a second process
reads everything about the run once a second, as the Train page does. Epochs beside each other make
a pair, so that a machine whose speed drifts tells on both. Printed: the ratio of a pair's seconds
with its 95 % interval; what the reporter itself took by its own clock; and the age of the newest
word at each look. Limits: 2 % and 2 s.

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
from typing import Any

os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np
from scipy.stats import t as student

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from ecgcore.jobs.folder import epochs_of, labels_of_epochs, log_of, losses_of, read_live
from ecgcore.jobs.reporter import Reporter
from ecgcore.training.loop import train
from ecgcore.training.recipes import recipe
from ecgcore.training.watching import StepDone
from ecgcore.training.whole_run import joined

FIRST = 5
"""The first epoch that counts: those before load libraries."""
LOOK_SECONDS = 1.0
WORD_SECONDS = 1.5
"""A word that is older is of an epoch that is not told of."""


class Switched(Reporter):
    """A reporter of every other epoch; its seconds in the training's thread (``took``) and, of the
    processor, in its own (``wrote``)."""

    on = True
    took, wrote = 0.0, 0.0

    def stepped(self, done: StepDone) -> None:
        self.on = done.epoch % 4 in (0, 1)
        if done.epoch == FIRST and done.step == 1:
            self.took = self.wrote = 0.0
        began = time.perf_counter()
        if self.on:
            super().stepped(done)
        self.took += time.perf_counter() - began

    def validated(self, *given: Any) -> None:
        began = time.perf_counter()
        if self.on:
            super().validated(*given)
        self.took += time.perf_counter() - began

    def _write(self) -> None:
        began = time.thread_time()
        if self.on:
            super()._write()
        self.wrote += time.thread_time() - began


def train_switched(given: argparse.Namespace) -> None:
    """Train, and print the seconds of each epoch after the first four, and the reporter's own."""
    options = replace(recipe("inception").options, epochs=given.epochs + FIRST - 1, patience=0)
    options = replace(options, network_options={"filters": given.filters})
    moments: list[float] = []
    data = joined(given.data)
    with Switched(given.within) as reporter:
        train(
            options, data, given.within, lambda _: moments.append(time.perf_counter()),
            watch=reporter,
        )  # fmt: skip
    seconds = np.diff(moments[FIRST - 2 :])
    told_of = seconds.reshape(-1, 4)[:, [0, 3]].sum()
    print(reporter.took / told_of, reporter.wrote / told_of, *seconds)


def look(folder: Path) -> float | None:
    """Read what the page reads; the age of the newest word, in s, None between words."""
    live = read_live(folder)
    if live is None or time.time() - live.at > max(WORD_SECONDS, 2 * LOOK_SECONDS):
        return None
    age = time.time() - live.at
    epochs_of(folder), losses_of(folder), labels_of_epochs(folder), log_of(folder)
    return age if live.phase == "training" and age < WORD_SECONDS else None


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, nargs="+", required=True)
    parser.add_argument("--epochs", type=int, default=80, help="a multiple of 4")
    parser.add_argument("--filters", type=int, default=16, help="of the network, inception")
    parser.add_argument("--within", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.epochs < 4 or given.epochs % 4:
        parser.error("--epochs must be a multiple of 4")
    if given.within:
        train_switched(given)
        return
    ages = []
    with (
        tempfile.TemporaryDirectory() as folder,
        subprocess.Popen(
            [sys.executable, *sys.argv, "--within", folder], stdout=subprocess.PIPE, text=True
        ) as process,
    ):
        while process.poll() is None:
            time.sleep(LOOK_SECONDS)
            ages.append(look(Path(folder)))
        told = process.stdout.read() if process.stdout else ""
    if process.returncode:
        raise SystemExit("the training ended early; its error stands above")
    took, wrote, *seconds = map(float, told.split())
    by_four = np.array(seconds).reshape(-1, 4)  # with, without, without, with
    logs = np.log(np.concatenate([by_four[:, 0] / by_four[:, 1], by_four[:, 3] / by_four[:, 2]]))
    half = student.ppf(0.975, len(logs) - 1) * logs.std(ddof=1) / np.sqrt(len(logs))
    low, middle, high = np.exp(logs.mean() + half * np.array([-1, 0, 1]))
    print(f"{len(seconds)} epochs of {np.median(seconds):.2f} s, {given.filters} filters")
    print(f"told of / not: {middle:.4f} [{low:.4f}, {high:.4f}], {len(logs)} pairs (limit 1.02)")
    print(
        f"by the reporter's own clock: {100 * took:.2f} % of the time within steps and "
        f"validations, {100 * wrote:.2f} % of a processor in its own thread"
    )
    known = [age for age in ages if age is not None] or [float("nan")]
    print(f"age of the newest word: at most {max(known):.2f} s in {len(known)} looks (limit 2)")


if __name__ == "__main__":
    main()
