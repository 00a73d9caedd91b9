"""What a network saw in its last forward pass, without a second one.

Hooks remember the input of ``head`` and the output of ``cam_layer``: what distillation compares
beside the logits. When an objective is called the student's pass is over, so its hooks are set
once, when the objective is made.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ecgcore.models.network import Network
from ecgcore.training.distributed import ALONE, Workers


@dataclass(frozen=True)
class Seen:
    """One pass over a batch: ``logits`` (batch, labels), ``features`` (batch, features) and ``cam``
    (batch, channels, time), where leads that ``cam_layer`` keeps apart count as channels.
    """

    logits: Tensor
    features: Tensor
    cam: Tensor


class Watched:
    """A network with its hooks; ``seen`` gives what the last pass left."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.workers: Workers = ALONE
        self._features: Tensor | None = None
        self._cam: Tensor | None = None
        head = network.head
        if not isinstance(head, nn.Module):
            raise TypeError(f"the head of {type(network).__name__} is no module; it must be one")
        self._hooks = (
            head.register_forward_pre_hook(self._keep_features),
            network.cam_layer.register_forward_hook(self._keep_cam),
        )

    def seen(self, logits: Tensor) -> Seen:
        """The last pass, of which ``logits`` are the answer; those of all workers, if several took
        part in it, and then the rest is gathered too.

        RuntimeError if there was none, or if its batch was another.
        """
        features, cam = self._features, self._cam
        if features is None or cam is None:
            raise RuntimeError(
                f"{type(self.network).__name__} has had no forward pass since it is watched; "
                "run it after the objective is made and before the objective is asked"
            )
        own = self.workers.own(len(logits))
        records = own.stop - own.start
        if not len(features) == len(cam) == records:
            raise RuntimeError(
                f"the last forward pass had {len(features)} records and the logits have "
                f"{records}; ask the objective right after the pass that it is about"
            )
        features, cam = (self.workers.gather(part, len(logits)) for part in (features, cam))
        return Seen(logits, features, cam.flatten(1, -2))

    def forget(self) -> None:
        """Let go of the last pass and remove the hooks."""
        for hook in self._hooks:
            hook.remove()
        self._features = self._cam = None

    def _keep_features(self, module: nn.Module, given: tuple[Tensor, ...]) -> None:
        self._features = given[0].float()  # a pass in bfloat16 is compared in float32

    def _keep_cam(self, module: nn.Module, given: tuple[Tensor, ...], output: Tensor) -> None:
        self._cam = output.float()


def look(network: Network, inputs: Tensor) -> Seen:
    """A pass of its own, without gradients, in eval mode; the network's mode is restored.

    For a frozen teacher, and to learn the sizes of a network's features and maps.
    """
    modes = {module: module.training for module in network.modules()}
    network.eval()
    watched = Watched(network)
    try:
        with torch.no_grad(), network.as_published():
            seen = watched.seen(network(inputs))
    finally:
        watched.forget()
        for module, mode in modes.items():
            module.training = mode
    return seen
