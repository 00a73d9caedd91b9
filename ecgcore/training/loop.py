"""The one training loop.

Reads a packed data set, trains a network with its options, validates after each epoch and writes a
checkpoint from which it goes on exactly: on a CPU an interrupted run ends with the very weights of
an uninterrupted one.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ecgcore.datasets.packed import PackedData
from ecgcore.models.device import best_device
from ecgcore.models.label_graph import TakesLabelGraph, co_occurrence_graph
from ecgcore.models.measured import TakesUsualValues
from ecgcore.models.network import Network, logits_of
from ecgcore.models.predictor import to_probabilities
from ecgcore.models.registry import build_network, network_entry
from ecgcore.models.trees import GROWN
from ecgcore.training.augmentation import augment, mixed
from ecgcore.training.checkpoint import (
    Checkpoint,
    CheckpointError,
    Progress,
    TrainingError,
    Weights,
    mend_progress,
    optimiser_tensors,
    random_state,
    read_checkpoint,
    refuse_another_run,
    restore_optimiser,
    restore_random,
    write_checkpoint,
    write_epoch,
)
from ecgcore.training.distributed import ALONE, Workers, refuse_shared_gpu
from ecgcore.training.midway import Midway, midway_of
from ecgcore.training.objective_of import Making, objective_of
from ecgcore.training.objectives import Step, StepObjective
from ecgcore.training.options import TrainOptions, options_from_json
from ecgcore.training.records import (
    Split,
    learned_from,
    network_options,
    network_spec,
    read_teacher,
    split,
    start_of,
    usual_values,
)
from ecgcore.training.sampling import epoch_order
from ecgcore.training.schedules import learning_rate, reduce_on_plateau
from ecgcore.training.scoring import infer, macro_auroc, macro_sensitivity
from ecgcore.training.start import begin_from
from ecgcore.training.watching import UNWATCHED, RunStopped, StepDone, Watch

_SAVE_SECONDS = 60.0
"""Within a long epoch too, so that a kill costs no more than this."""
_LARGEST_GRADIENT = 5.0
"""Gradients are scaled down to this norm: one odd record must not throw a run off."""


@dataclass(frozen=True)
class Trained:
    """The outcome: the kept weights, the run's progress, and its seconds."""

    weights: Weights
    progress: Progress
    seconds: float


class Run:
    """One training run in its folder; ``train`` is the way in."""

    def __init__(
        self,
        options: TrainOptions,
        train: Split,
        validation: Split,
        folder: Path,
        *,
        data_sha256: str,
        workers: Workers = ALONE,
        watch: Watch = UNWATCHED,
    ) -> None:
        self.workers, self.watch = workers, watch
        self.options, self.data, self.validation, self.folder = options, train, validation, folder
        self.learned_from = learned_from(options, data_sha256)
        self.device = best_device()
        torch.manual_seed(options.seed)
        self.draws = torch.Generator().manual_seed(options.seed)
        self.leads = len(network_spec(options).leads)
        checkpoint = workers.of_first(lambda: read_checkpoint(folder))
        self.network = self._network(begins=checkpoint is None).to(self.device)
        if isinstance(self.network, TakesLabelGraph) and "graph" not in options.network_options:
            self.network.set_graph(co_occurrence_graph(train.targets.numpy()))
        if isinstance(self.network, TakesUsualValues):
            self.network.set_usual_values(*usual_values(train.aside.numpy()))
        self.objective = self._objective().to(self.device)
        workers.share_statistics(self.network)
        self.objective.share(workers)
        modules = (self.network, self.objective)
        self.weights = [p for part in modules for p in part.parameters() if p.requires_grad]
        self.optimiser = _optimiser(self.weights, options)
        self.output = network_entry(options.network).output
        self._autocasts = options.precision == "bfloat16"
        self.averaged = _clone(self.network.state_dict()) if options.average else {}
        self.best: Weights = {}
        self.progress = Progress()
        self.midway: Midway | None = None
        self._saved = time.monotonic()
        self.steps = len(train) // options.batch
        refuse_no_batch(len(train), options)
        if options.batch < workers.size:
            raise TrainingError(
                f"a batch of {options.batch} cannot be cut among {workers.size} workers; give a "
                "larger batch or fewer workers"
            )
        if checkpoint is not None:
            self._resume(checkpoint)

    def _network(self, *, begins: bool) -> Network:
        """The network; where the run begins, with the weights of its start, if it has one."""
        options, labels = self.options, self.data.labels
        told = network_options(options, labels)
        network = build_network(options.network, leads=self.leads, labels=len(labels), options=told)
        start = start_of(options) if begins else None
        if start is not None:
            begin_from(network, start, told)
        return network

    def _objective(self) -> StepObjective:
        """The objective; what it draws for its weights comes after the network's draws."""
        options, data = self.options, self.data
        making = Making(
            network=self.network,
            targets=data.targets,
            leads=self.leads,
            samples=data.inputs.shape[-1],
            options=options.objective_options,
            alpha_balanced=options.alpha_balanced,
            teacher=read_teacher(options, data.labels),
        )
        try:
            return objective_of(options.objective, making)
        except ValueError as error:
            raise TrainingError(f"objective {options.objective}: {error}") from error

    def epoch(self) -> dict[str, Any]:
        """Train one epoch, or the rest of one, validate, and note the result.

        Raises RunStopped where the watch wants it; everything is saved then.
        """
        began = time.perf_counter()
        if self.midway is None:
            order = epoch_order(self.options.sampling, self.data.targets, self.draws)
            self.midway = Midway(order)
        midway, before = self.midway, self.midway.seconds
        self.workers.draw_apart(self.options.seed, self.progress.epoch, midway.done)
        self.network.train()
        while midway.done < self.steps:
            first = midway.done * self.options.batch
            loss = self._step(midway.order[first : first + self.options.batch])
            midway.total, midway.done = midway.total + loss, midway.done + 1
            midway.seconds = before + time.perf_counter() - began
            self._after_step(midway, loss)
        self.midway = None
        kept = self.averaged or self.network.state_dict()
        area, loss, score = self.workers.of_first(lambda: self._validate(kept))
        row = {
            "epoch": self.progress.epoch + 1,
            "loss": midway.total / self.steps,
            "validation_loss": loss,
            "validation_auroc": area,
            "learning_rate": self.optimiser.param_groups[0]["lr"],
            "seconds": round(before + time.perf_counter() - began, 2),
        }
        if self.options.best_by != "auroc":
            row[f"validation_{self.options.best_by}"] = score
        self._note(row, kept, score, loss)
        return row

    def _after_step(self, midway: Midway, loss: float) -> None:
        """Tell the watch; save where it wants to stop, or where the last save is long ago."""
        done = StepDone(
            self.progress.epoch + 1, self.options.epochs, midway.done, self.steps, loss,
            self.optimiser.param_groups[0]["lr"], self.options.batch,
        )  # fmt: skip
        self.watch.stepped(done)
        stops = self.workers.any(self.watch.wants_stop())
        if self.workers.first and (stops or time.monotonic() - self._saved > _SAVE_SECONDS):
            write_checkpoint(self.folder, self._checkpoint())
            self._saved = time.monotonic()
        if stops:
            self.workers.each(lambda: None)
            raise RunStopped(f"saved after step {midway.done} of epoch {done.epoch}")

    def _step(self, rows: Tensor) -> float:
        options, workers, own = self.options, self.workers, self.workers.own(len(rows))
        whole, targets = self._batch(rows)
        inputs, aside = whole[:, : self.leads], self.data.aside[rows].to(self.device)
        for group in self.optimiser.param_groups:
            group["lr"] = learning_rate(options, self.progress, self.steps)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self._autocasts):
            part = logits_of(self.network, inputs[own], aside[own]).float()
        logits = workers.gather(part, len(rows))
        loss = self.objective(
            Step(rows.to(self.device), whole, inputs, targets, logits, self.network, aside)
        )
        value = float(loss.detach())
        if not math.isfinite(value):
            raise TrainingError(
                f"the loss is {value} in epoch {self.progress.epoch + 1}; lower the learning rate"
            )
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        workers.add_gradients(self.network.parameters(), self.objective.parameters())
        nn.utils.clip_grad_norm_(self.weights, _LARGEST_GRADIENT)
        self.optimiser.step()
        self.progress.step += 1
        if options.average:
            self._average()
        return value

    def _batch(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Augmented signals of all loaded leads, and targets."""
        change = self.options.augmentation
        whole, targets = (
            augment(self.data.inputs[rows], change, self.draws),
            self.data.targets[rows],
        )
        if change.mixup:
            whole, targets = mixed(whole, targets, change.mixup, self.draws)
        return whole.to(self.device), targets.to(self.device)

    def _average(self) -> None:
        """Move the averaged weights; a short memory at first, so that the start is forgotten."""
        step = self.progress.step
        decay = min(self.options.average, (1 + step) / (10 + step))
        for name, value in self.network.state_dict().items():
            if value.is_floating_point():
                self.averaged[name].lerp_(value, 1 - decay)
            else:
                self.averaged[name].copy_(value)

    def _validate(self, weights: Weights) -> tuple[float, float, float]:
        """Macro AUROC, objective, and what is best by, on the validation records, with the given
        weights.
        """
        current = _clone(self.network.state_dict())
        self.network.load_state_dict(weights)
        records = self.validation
        logits = infer(self.network, records.inputs[:, : self.leads], self.device, records.aside)
        self.network.load_state_dict(current)
        with torch.no_grad():
            loss = float(
                self.objective.of_labels(logits.to(self.device), records.targets.to(self.device))
            )
        probabilities = to_probabilities(logits, self.output).numpy()
        targets = records.targets.numpy()
        area = macro_auroc(targets, probabilities)
        labels = tuple((str(name), code) for name, code in self.data.labels)
        self.watch.validated(self.progress.epoch + 1, labels, targets, probabilities)
        by_area = self.options.best_by == "auroc"
        return area, loss, area if by_area else macro_sensitivity(targets, probabilities)

    def _note(self, row: dict[str, Any], kept: Weights, score: float, loss: float) -> None:
        progress = self.progress
        progress.epoch += 1
        progress.history.append(row)
        if score > progress.best_score:
            progress.best_score, progress.best_epoch = score, progress.epoch
            self.best = _clone(kept)
        if self.options.schedule == "plateau":
            reduce_on_plateau(progress, loss)
        progress.best_loss = min(progress.best_loss, loss)
        self.workers.of_first(lambda: write_epoch(self.folder, self._checkpoint()))
        self._saved = time.monotonic()

    @property
    def finished(self) -> bool:
        """Whether all epochs are done or patience has run out."""
        progress, options = self.progress, self.options
        waited = progress.epoch - progress.best_epoch
        return progress.epoch >= options.epochs or (0 < options.patience <= waited)

    @property
    def kept(self) -> Weights:
        """The weights that the options keep."""
        if self.options.keep == "best":
            return self.best
        return self.averaged or self.network.state_dict()

    def _checkpoint(self) -> Checkpoint:
        return Checkpoint(
            options=self.options.to_json(),
            data=self.learned_from,
            progress=self.progress,
            weights=self.network.state_dict(),
            averaged=self.averaged,
            best=self.best,
            objective=self.objective.state_dict(),
            optimiser=optimiser_tensors(self.optimiser),
            random=random_state(self.device, self.draws),
            midway=self.midway.tensors() if self.midway is not None else {},
        )

    def _resume(self, checkpoint: Checkpoint) -> None:
        """Go on from the folder's checkpoint; all workers from the first's."""
        refuse_another_run(
            self.folder, checkpoint, self.options, options_from_json, self.learned_from
        )
        self.network.load_state_dict(checkpoint.weights)
        try:
            self.objective.load_state_dict(checkpoint.objective)
        except RuntimeError as error:
            raise CheckpointError(
                f"{self.folder} holds a run with another objective: {error}; remove it"
            ) from error
        restore_optimiser(self.optimiser, checkpoint.optimiser)
        self.averaged = {k: v.to(self.device) for k, v in checkpoint.averaged.items()}
        self.best, self.progress = checkpoint.best, checkpoint.progress
        self.midway = midway_of(checkpoint.midway)
        self.workers.of_first(lambda: mend_progress(self.folder, self.progress))
        restore_random(checkpoint.random, self.device, self.draws)


def train(
    options: TrainOptions,
    data: PackedData,
    folder: Path,
    report: Callable[[dict[str, Any]], None] = lambda row: None,
    workers: Workers = ALONE,
    *,
    watch: Watch = UNWATCHED,
) -> Trained:
    """Train, or go on training, in ``folder``; ``report`` gets one row an epoch.

    Of several workers all get what is trained, and the first one writes, reports and is watched.
    Raises TrainingError, CheckpointError, and RunStopped where the watch wants it.
    """
    if options.members != 1:
        raise TrainingError(f"{options.members} members are as many runs; see training.members")
    if options.network in GROWN:
        raise TrainingError(
            f"{options.network} grows instead of learning in steps; see training.members"
        )
    refuse_shared_gpu(workers)
    learnt = workers.each(lambda: split(data, options, options.train_folds))
    validation = workers.each(lambda: split(data, options, options.validation_folds))
    told = json.dumps([options.to_json(), learned_from(options, data.sha256)])
    workers.refuse_different("data, teacher, start or options", told)
    workers.of_first(lambda: folder.mkdir(parents=True, exist_ok=True))
    run = Run(
        options, learnt, validation, folder,
        data_sha256=data.sha256, workers=workers, watch=watch if workers.first else UNWATCHED,
    )  # fmt: skip
    while not run.finished:
        row = run.epoch()
        if workers.first:
            report(row)
    seconds = sum(row["seconds"] for row in run.progress.history)
    return Trained(_clone(run.kept), run.progress, seconds)


def refuse_no_batch(records: int, options: TrainOptions) -> None:
    """Raise TrainingError where so many training records are fewer than a batch."""
    if records < options.batch:
        raise TrainingError(f"{records} records make no batch of {options.batch}")


def _optimiser(weights: list[nn.Parameter], options: TrainOptions) -> torch.optim.Optimizer:
    kind = torch.optim.AdamW if options.optimiser == "adamw" else torch.optim.Adam
    return kind(weights, lr=options.learning_rate, weight_decay=options.weight_decay)


def _clone(weights: Weights) -> Weights:
    return {name: tensor.detach().clone() for name, tensor in weights.items()}
