"""One command on several workers: processes that torchrun started, on one machine or on many.

A step's batch is cut among the workers, so that they follow the very schedule of one process: each
draws the same order and the same augmentation of the whole batch, runs the network on its part,
and computes the objective on everybody's logits. An objective need therefore be no mean over
records, and what it remembers is the same everywhere. The gradient of a worker is that of its part
in the one loss; their sum, in one message a step, is the gradient of the batch, and is what is
clipped. Batch norms take mean and variance of the whole batch (Ioffe and Szegedy 2015, as torch's
SyncBatchNorm, which runs on GPUs alone).

The result is that of one process but for the order in which numbers are added. Dropout is the
exception: each worker draws its own, so that only the distribution is the same.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from types import FrameType
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn

from ecgcore.models.wavelet_nn import Standardise
from ecgcore.training.checkpoint import TrainingError
from ecgcore.training.whole_batch_norm import normalise_over_workers

SILENCE_SECONDS = 600
"""A worker that says nothing for so long counts as lost; ECG_WORKER_SILENCE sets another time."""

Made = TypeVar("Made")


class WorkerLost(TrainingError):  # noqa: N818 - it says what happened
    """Another worker ended, or this one was told to; nobody can go on."""


@dataclass(frozen=True)
class Workers:
    """All workers, seen from number ``rank`` of ``size``; one alone exchanges nothing."""

    rank: int = 0
    size: int = 1

    @property
    def first(self) -> bool:
        """Whether this is the one that writes and prints."""
        return self.rank == 0

    def own(self, records: int) -> slice:
        """This worker's part of a batch; parts differ by one record at most."""
        return slice(records * self.rank // self.size, records * (self.rank + 1) // self.size)

    def gather(self, part: Tensor, records: int) -> Tensor:
        """(records, ...) of all parts, of which ``own(records)`` is given. Its gradient is the
        part's share of a loss that every worker computes alike.
        """
        if self.size == 1:
            return part
        whole: Tensor = _Gather.apply(part, self, records)  # type: ignore[no-untyped-call]
        return whole

    def add_up(self, values: Tensor) -> Tensor:
        """The sum over the workers, in place."""
        if self.size > 1:
            with self._listening():
                dist.all_reduce(values)
        return values

    def add_gradients(self, parts: Iterable[nn.Parameter], same: Iterable[nn.Parameter]) -> None:
        """The batch's gradients, at every worker: the sum for ``parts``, of which each worker has
        its part, the mean for ``same``, which differ by rounding if at all.
        """
        if self.size == 1:
            return
        shares = [p.grad for p in parts if p.grad is not None]
        equal = [p.grad for p in same if p.grad is not None]
        gradients = [*shares, *(gradient.div_(self.size) for gradient in equal)]
        flat = self.add_up(torch.cat([gradient.flatten() for gradient in gradients]))
        sizes = [gradient.numel() for gradient in gradients]
        for gradient, values in zip(gradients, torch.split(flat, sizes), strict=True):
            gradient.copy_(values.view_as(gradient))

    def joined(self, count: int, mean: Tensor, variance: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Count, mean and variance (channels,) of all parts from those of each (Chan et al. 1983),
        float64.
        """
        told = torch.cat([mean.new_tensor([count], dtype=torch.float64), mean, variance])
        slots = told.new_zeros(self.size, len(told))
        slots[self.rank] = told
        lengths = [1, len(mean), len(mean)]
        counts, means, variances = torch.split(self.add_up(slots), lengths, dim=1)
        total = counts.sum()
        middle = (counts * means).sum(0) / total
        spread = (counts * (variances + (means - middle).square())).sum(0) / total
        return total, middle, spread

    def share_statistics(self, network: nn.Module) -> None:
        """Let what the network learns of a batch be learnt of the whole one."""
        if self.size == 1:
            return
        normalise_over_workers(network, self)
        for module in network.modules():
            if isinstance(module, Standardise):
                _standardise_over_workers(module, self)

    def any(self, here: bool) -> bool:
        """Whether it is so at any worker."""
        if self.size == 1:
            return here
        return bool(self.add_up(torch.tensor([float(here)]))[0] > 0)

    def draw_apart(self, seed: int, epoch: int, step: int = 0) -> None:
        """Other dropout than the first worker's, the same again when a run goes on."""
        if not self.first:
            torch.manual_seed(((seed * 1_000_003 + epoch) * 65_537 + self.rank) + step * 7_919)

    def of_first(self, make: Callable[[], Made]) -> Made:
        """What the first worker makes, at every worker; where it cannot, all raise its error."""
        if self.size == 1:
            return make()
        outcome: list[Any] = list(_outcome(make)) if self.first else [None, None]
        with self._listening():
            dist.broadcast_object_list(outcome)
        if outcome[1] is not None:
            raise outcome[1]
        made: Made = outcome[0]
        return made

    def each(self, make: Callable[[], Made]) -> Made:
        """What each makes for itself, after all have; where one cannot, all raise its error."""
        if self.size == 1:
            return make()
        made, error = _outcome(make)
        errors: list[Exception | None] = [None] * self.size
        with self._listening():
            dist.all_gather_object(errors, error)
        for raised in errors:
            if raised is not None:
                raise raised
        return made  # type: ignore[return-value]  # None stands beside an error only

    def collect(self, value: Made) -> list[Made]:
        """Everybody's value in order at the first worker, nothing at the others."""
        if self.size == 1:
            return [value]
        values: list[Any] | None = [None] * self.size if self.first else None
        with self._listening():
            dist.gather_object(value, values)
        return values or []

    def refuse_different(self, what: str, value: str) -> None:
        """Raise TrainingError at all workers unless they have the same value."""
        if self.of_first(lambda: value) != value:
            different = f"worker {self.rank} has another {what} than worker 0; give all the same"
        else:
            different = ""
        self.each(lambda: _refuse(different))

    @contextmanager
    def _listening(self) -> Iterator[None]:
        """Around an exchange: what torch raises when another worker is gone, as a sentence."""
        try:
            yield
        except WorkerLost:
            raise
        except RuntimeError as error:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)  # torchrun's, who saw it too
            raise WorkerLost(
                f"worker {self.rank} of {self.size} hears no more of another one, which ended or "
                f"said nothing for {_silence().total_seconds():g} s ({str(error).splitlines()[0]})"
            ) from error


ALONE = Workers()


@contextmanager
def working_together() -> Iterator[Workers]:
    """The workers that torchrun started, or this process alone. Within, a SIGTERM, by which
    torchrun stops the others when one worker died, raises WorkerLost.
    """
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1 or "RANK" not in os.environ:
        yield ALONE
        return
    gpus = torch.cuda.device_count()
    if gpus:
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")) % gpus)
    before = signal.signal(signal.SIGTERM, _stopped)
    dist.init_process_group("cpu:gloo,cuda:nccl" if gpus else "gloo", timeout=_silence())
    try:
        workers = Workers(dist.get_rank(), size)
        yield workers
        workers.each(lambda: None)  # torchrun stops the rest where one ends with another status
        signal.signal(signal.SIGTERM, before)
    finally:
        dist.destroy_process_group()


def refuse_shared_gpu(workers: Workers) -> None:
    """Raise TrainingError where a machine has fewer GPUs than workers: NCCL needs one each."""
    local, gpus = int(os.environ.get("LOCAL_WORLD_SIZE", "1")), torch.cuda.device_count()
    if workers.size > 1 and 0 < gpus < local:
        raise TrainingError(f"{local} workers on {gpus} GPUs; give --nproc-per-node {gpus}")


class _Gather(torch.autograd.Function):
    """Parts to the whole batch; backwards each worker keeps the gradient of its own part.

    A sum of the parts among zeros, which takes parts of any length on every backend.
    """

    @staticmethod
    def forward(ctx: Any, part: Tensor, workers: Workers, records: int) -> Tensor:
        ctx.own = workers.own(records)
        whole = part.new_zeros(records, *part.shape[1:])
        whole[ctx.own] = part
        return workers.add_up(whole)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        return gradients[0][ctx.own], None, None


def _standardise_over_workers(module: Standardise, workers: Workers) -> None:
    learn = module.learn

    def learn_whole(count: int, mean: Tensor, variance: Tensor) -> None:
        total, middle, spread = workers.joined(count, mean, variance)
        learn(int(total), middle.to(mean), spread.to(variance))

    module.learn = learn_whole  # type: ignore[method-assign]


def _outcome(make: Callable[[], Made]) -> tuple[Made | None, Exception | None]:
    try:
        return make(), None
    except WorkerLost:
        raise
    except (OSError, ValueError, RuntimeError) as error:
        return None, error


def _refuse(sentence: str) -> None:
    if sentence:
        raise TrainingError(sentence)


def _silence() -> timedelta:
    return timedelta(seconds=float(os.environ.get("ECG_WORKER_SILENCE", SILENCE_SECONDS)))


def _stopped(number: int, frame: FrameType | None) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise WorkerLost("told to stop, as torchrun does when another worker ended")
