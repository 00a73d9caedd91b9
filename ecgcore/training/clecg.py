"""CLECG: contrastive pre-training without labels (Chen, Wang, Zhang, Zhang and Yang 2021, IEEE
Signal Processing Letters 28), with which MVKT-ECG starts its students (Qin et al. 2023, 5.5).

Two views of every record are made (``clecg_views``); a network is trained so that the features of
both, projected to unit vectors, resemble each other and not those of other records. What is kept is
the network without its head.

Settled, as the publication's text could not be had beyond its abstract and keywords: the scheme is
Momentum Contrast (He et al. 2020), whose checkpoints MVKT-ECG's published program reads as its
self-supervised start: a query network that learns, a key network that follows it as a moving
average, a queue of keys (``objectives.info_nce``), a projection of two dense layers, temperature
0.07, momentum 0.999. The key network also averages the batch norms' statistics and stays in eval
mode (Cai et al. 2021, EMAN), which keeps a batch's statistics from giving its pairs away, as
shuffling between several devices does in the original. AdamW with a cosine decay: Adam's own weight
decay was tried and shrank a small network to one answer for every record.
"""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Generator, Tensor, nn

from ecgcore.models.network import Network
from ecgcore.training.checkpoint import (
    Checkpoint,
    Progress,
    TrainingError,
    Weights,
    optimiser_tensors,
    random_state,
    restore_optimiser,
    restore_random,
)
from ecgcore.training.clecg_views import ViewOptions, view
from ecgcore.training.objectives.info_nce import KeyQueue, info_nce, info_nce_logits
from ecgcore.training.objectives.projection import Projection

HEAD = "head."


@dataclass(frozen=True)
class PretrainOptions:
    """How to pre-train; ``queue`` is the number of keys (never more than there are records),
    ``momentum`` the share of itself that the key network keeps a step.
    """

    epochs: int = 100
    batch: int = 32
    learning_rate: float = 1e-3
    weight_decay: float = 1e-4
    size: int = 128
    queue: int = 4096
    temperature: float = 0.07
    momentum: float = 0.999
    views: ViewOptions = field(default_factory=ViewOptions)
    seed: int = 0

    def __post_init__(self) -> None:
        if self.batch < 2 or min(self.epochs, self.size, self.queue) < 1:
            raise ValueError(
                f"batch {self.batch}, epochs {self.epochs}, size {self.size}, queue {self.queue}; "
                "give a batch of 2 or more and 1 or more of the others"
            )
        if not (self.learning_rate > 0 and self.temperature > 0 and self.weight_decay >= 0):
            raise ValueError(
                f"learning_rate {self.learning_rate}, temperature {self.temperature}, weight_decay "
                f"{self.weight_decay}; the first two must be above 0 and the last not below"
            )
        if not 0 <= self.momentum < 1:
            raise ValueError(f"momentum {self.momentum}; must lie in 0..1 (1 excluded)")


class Encoder(nn.Module):
    """A network's features, projected."""

    def __init__(self, network: Network, size: int) -> None:
        super().__init__()
        self.network = network
        self.projection = Projection(network.head.in_features, size)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, leads, samples) to unit vectors (batch, size)."""
        projected: Tensor = self.projection(self.network.features(x))
        return projected


class Pretraining:
    """Query and key network, queue and optimiser; ``epoch`` goes once through the records.

    A checkpoint of it has the query network as weights, the key network as averaged ones, the queue
    as the objective's state, and no best ones.
    """

    def __init__(self, network: Network, inputs: Tensor, options: PretrainOptions) -> None:
        self.options, self.inputs = options, inputs
        self.steps = len(inputs) // options.batch
        if self.steps == 0:
            raise TrainingError(f"{len(inputs)} records make no batch of {options.batch}")
        self.device = next(network.parameters()).device
        torch.manual_seed(options.seed)  # for the projection and what the network drops out
        self.draws = Generator().manual_seed(options.seed)
        self.query = Encoder(copy.deepcopy(network), options.size).to(self.device).train()
        self.key = copy.deepcopy(self.query).eval().requires_grad_(False)
        self.queue = KeyQueue(min(options.queue, len(inputs)), options.size, self.device)
        self.optimiser = torch.optim.AdamW(
            self.query.parameters(), lr=options.learning_rate, weight_decay=options.weight_decay
        )
        self.progress = Progress()

    def epoch(self) -> dict[str, Any]:
        """The epoch's number, mean loss, ``found`` (the share of queries that found their own key
        among all) and seconds, which are noted too.
        """
        began = time.perf_counter()
        order = torch.randperm(len(self.inputs), generator=self.draws)
        batches = order[: self.steps * self.options.batch].reshape(self.steps, -1)
        results = [self._step(rows) for rows in batches]
        loss, found = (sum(column) / self.steps for column in zip(*results, strict=True))
        self.progress.epoch += 1
        seconds = round(time.perf_counter() - began, 2)
        row = {"epoch": self.progress.epoch, "loss": loss, "found": found, "seconds": seconds}
        self.progress.history.append(row)
        return row

    @property
    def finished(self) -> bool:
        """Whether all epochs are done."""
        return self.progress.epoch >= self.options.epochs

    @property
    def weights(self) -> Weights:
        """Those of the network without its head, on the CPU."""
        return {
            name: value.detach().cpu().clone()
            for name, value in self.query.network.state_dict().items()
            if not name.startswith(HEAD)
        }

    def checkpoint(self, options: dict[str, Any], data: str) -> Checkpoint:
        """Everything that ``restore`` needs to go on."""
        return Checkpoint(
            options=options,
            data=data,
            progress=self.progress,
            weights=self.query.state_dict(),
            averaged=self.key.state_dict(),
            best={},
            objective=self.queue.state(),
            optimiser=optimiser_tensors(self.optimiser),
            random=random_state(self.device, self.draws),
        )

    def restore(self, checkpoint: Checkpoint) -> None:
        """Go on from a checkpoint of the same options and data."""
        self.query.load_state_dict(checkpoint.weights)
        self.key.load_state_dict(checkpoint.averaged)
        self.queue.restore(checkpoint.objective)
        restore_optimiser(self.optimiser, checkpoint.optimiser)
        self.progress = checkpoint.progress
        restore_random(checkpoint.random, self.device, self.draws)

    def _step(self, rows: Tensor) -> tuple[float, float]:
        options, batch = self.options, self.inputs[rows]
        first, second = (view(batch, options.views, self.draws).to(self.device) for _ in range(2))
        here = rows.to(self.device)
        queries = self.query(first)
        with torch.no_grad():
            keys = self.key(second)
        self.queue.add(keys, here)
        others = self.queue.others(here)
        logits = info_nce_logits(queries, keys, self.queue.keys, others, options.temperature)
        loss = info_nce(logits)
        value = float(loss.detach())
        if not math.isfinite(value):
            raise TrainingError(f"the loss is {value}; lower the learning rate")
        self._descend(loss)
        return value, float((logits.argmax(1) == 0).float().mean())

    def _descend(self, loss: Tensor) -> None:
        done = self.progress.step / (self.steps * self.options.epochs)
        for group in self.optimiser.param_groups:
            group["lr"] = self.options.learning_rate * (1 + math.cos(math.pi * done)) / 2
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimiser.step()
        self.progress.step += 1
        self._follow()

    @torch.no_grad()
    def _follow(self) -> None:
        """Move the key network; a short memory at first, so that the random start is forgotten."""
        step = self.progress.step
        share = min(self.options.momentum, (1 + step) / (10 + step))
        learnt = self.query.state_dict()
        for name, value in self.key.state_dict().items():
            if value.is_floating_point():
                value.lerp_(learnt[name], 1 - share)
            else:
                value.copy_(learnt[name])


def pretrain(
    network: Network,
    inputs: Tensor,
    options: PretrainOptions | None = None,
    report: Callable[[dict[str, Any]], None] = lambda row: None,
) -> Weights:
    """The weights of ``network`` after pre-training on (records, leads, samples), without its head,
    on the CPU; the network itself, its random head and the global random state stay as they are.

    ``report`` gets one row an epoch: epoch, loss, found (the share of queries that found their own
    key), seconds. On a CPU a seed repeats exactly. Raises TrainingError.
    """
    chosen = options or PretrainOptions()
    with torch.random.fork_rng():
        run = Pretraining(network, inputs, chosen)
        while not run.finished:
            report(run.epoch())
    return run.weights


def start_from(network: Network, weights: Weights) -> None:
    """Give a network of the same kind and leads the pre-trained weights; its head stays as it is.

    ValueError where they do not fit.
    """
    own = {name: v for name, v in network.state_dict().items() if not name.startswith(HEAD)}
    wrong = sorted(
        name
        for name in own.keys() | weights.keys()
        if name not in own or name not in weights or own[name].shape != weights[name].shape
    )
    if wrong:
        raise ValueError(
            f"pre-trained weights do not fit {type(network).__name__}: {', '.join(wrong[:3])}"
            f"{' and others' if len(wrong) > 3 else ''}; pre-train the same network on the same "
            "number of leads"
        )
    network.load_state_dict(weights, strict=False)
