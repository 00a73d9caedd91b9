"""What an objective is given at a step, and what it may keep between steps."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from ecgcore.models.network import Network
from ecgcore.training.distributed import Workers
from ecgcore.training.objectives.labels import Objective


@dataclass(frozen=True)
class Step:
    """The records of one step.

    ``rows`` (batch,) number them among the training records, for what remembers records.
    ``whole`` (batch, leads, samples) holds every lead that was loaded, ``inputs`` those of them
    that the network sees, both after augmentation; ``targets`` (batch, labels) are 0 and 1;
    ``aside`` is what the network is told beside the signal, if anything; ``logits`` (batch,
    labels) is the network's answer.
    """

    rows: Tensor
    whole: Tensor
    inputs: Tensor
    targets: Tensor
    logits: Tensor
    network: Network
    aside: Tensor | None = None


class StepObjective(nn.Module):
    """A scalar to minimise, from a step.

    Its parameters (projections, say) are trained with the network's; its buffers (a memory, say)
    are part of the checkpoint, so that a run goes on exactly.
    """

    def forward(self, step: Step) -> Tensor:
        """The loss of a step."""
        raise TypeError(f"{type(self).__name__} has no loss")

    def share(self, workers: Workers) -> None:
        """Told before the first step who else takes part.

        A step's tensors are always those of the whole batch. An objective that looks at more of the
        network's pass, which is of this worker's part alone, gathers it.
        """

    def of_labels(self, logits: Tensor, targets: Tensor) -> Tensor:
        """The part that needs labels alone, by which validation records are judged."""
        raise TypeError(f"{type(self).__name__} has no loss of labels")


class OfLabels(StepObjective):
    """An objective of logits and targets alone."""

    def __init__(self, objective: Objective) -> None:
        super().__init__()
        self.objective = objective

    def forward(self, step: Step) -> Tensor:
        """The loss of a step."""
        return self.objective(step.logits, step.targets)

    def of_labels(self, logits: Tensor, targets: Tensor) -> Tensor:
        """The same."""
        return self.objective(logits, targets)
