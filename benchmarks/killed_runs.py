"""Training runs whose process gets SIGKILL at random moments, and what becomes of them.

A run of a small network is killed 100 times, from its start to its last save, waiting and learning
alike; each time it is found and resumed as the Train page does. Its weights must equal, to the bit,
those of the same run that nobody disturbed (CPU). When a run ends before its kills are over, the
next one, of another seed, takes the rest.

    python benchmarks/killed_runs.py --data ../shared/data/ptbxl_1625/{train,val}.npz [--kills 100]
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np
import psutil
import torch
from safetensors.torch import load_file

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from ecgcore.jobs import control
from ecgcore.jobs.folder import read_live, read_state
from ecgcore.jobs.values import RunOrder
from ecgcore.review.store import ReviewStore
from ecgcore.review_work import open_store
from ecgcore.training.loop import train
from ecgcore.training.options import TrainOptions, options_from_json
from ecgcore.training.publish import stored_weights
from ecgcore.training.whole_run import joined
from ecgcore.workspace import Workspace

LONGEST_LIFE_SECONDS = 9.0
PATIENCE_SECONDS = 900.0


def options(seed: int, epochs: int) -> TrainOptions:
    """A network small enough for many epochs."""
    return TrainOptions(
        network="inception", label_set="superclasses", network_options={"filters": 4},
        epochs=epochs, batch=32, average=0.99, seed=seed, attribution="PTB-XL",
    )  # fmt: skip


def kill_and_resume(
    workspace: Workspace, store: ReviewStore, run: str, draws: np.random.Generator, kills: int
) -> tuple[int, int]:
    """Kill until the run ends or ``kills`` are made: kills, and how often in training."""
    made, in_training = 0, 0
    while made < kills:
        time.sleep(draws.uniform(0.1, LONGEST_LIFE_SECONDS))
        found = control.status(workspace, run)
        if found.state == "finished":
            break
        written = read_state(found.folder)
        if not found.at_work or written is None or written[2] is None:
            raise SystemExit(f"{run} is {found.state}: {found.sentence}")
        live = read_live(found.folder)
        psutil.Process(written[2].pid).kill()
        made += 1
        in_training += live is not None and live.phase == "training"
        while control.status(workspace, run).at_work:
            time.sleep(0.01)
        if control.status(workspace, run).state == "finished":
            break
        if run not in control.tend(workspace):  # it died too often before it could save
            control.resume(workspace, store, run, "benchmark")
    return made, in_training


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, nargs="+", required=True)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--epochs", type=int, default=60)
    given = parser.parse_args()
    torch.set_num_threads(1)
    draws = np.random.default_rng(0)
    files = tuple(str(path.absolute()) for path in given.data)
    made, trained, seed = 0, 0, 0
    with tempfile.TemporaryDirectory() as place:
        workspace = Workspace(Path(place))
        store = open_store(workspace)
        while made < given.kills:
            asked = options(seed, given.epochs)
            order = RunOrder(f"killed{seed}", asked.to_json(), files, asked_by="benchmark")
            run = control.submit(workspace, store, order)
            more, learning = kill_and_resume(workspace, store, run, draws, given.kills - made)
            made, trained = made + more, trained + learning
            until = time.monotonic() + PATIENCE_SECONDS
            while control.status(workspace, run).at_work and time.monotonic() < until:
                time.sleep(0.2)
            found = control.status(workspace, run)
            if found.state != "finished":
                raise SystemExit(f"{run} is {found.state}: {found.sentence}")
            whole = train(
                options_from_json(order.options), joined(given.data), found.folder / "whole"
            )
            kept = load_file(found.folder / "model" / "weights.safetensors")
            told = stored_weights(whole.weights)
            same = set(kept) == set(told) and all(torch.equal(kept[k], told[k]) for k in kept)
            print(
                f"run {seed}: {more} kills, {learning} of them while it learned, as many resumes; "
                f"weights of {given.epochs} epochs equal to the bit: {same}", flush=True,
            )  # fmt: skip
            if not same:
                raise SystemExit("the weights differ")
            seed += 1
    print(f"{made} kills, {trained} while learning, {made} resumes, {seed} runs, all equal")


if __name__ == "__main__":
    main()
