"""What every network offers beside its forward pass, so that training, fusion, distillation and
explanations need no special cases."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

import torch
from torch import Tensor, nn

from ecgcore.models.aside import AsideName


class Head(Protocol):
    """What turns features (batch, in_features) into logits (batch, labels): mostly ``nn.Linear``.

    Every head is a module too, so that its weights are the network's.
    """

    in_features: int

    def __call__(self, features: Tensor, /) -> Tensor:
        """The logits."""


class Network(nn.Module):
    """A network from (batch, leads, samples) float32 to logits (batch, labels).

    Subclasses implement ``features`` and set ``head``. ``cam_layer`` is the module whose output
    Grad-CAM weighs: (batch, channels, leads, time) where ``cam_keeps_leads``, else
    (batch, channels, time). Where ``parts_at_maps``, features are ``pooled(maps(x))``, followed
    by what is measured if it is told that, and maps the output of ``cam_layer``.
    """

    head: Head
    cam_keeps_leads: bool = False
    parts_at_maps: bool = False

    def features(self, x: Tensor) -> Tensor:
        """(batch, leads, samples) to (batch, features), the input of the head."""
        raise TypeError(f"{type(self).__name__} has no features")

    @property
    def cam_layer(self) -> nn.Module:
        """The module whose output Grad-CAM weighs."""
        raise TypeError(f"{type(self).__name__} names no layer for Grad-CAM")

    @property
    def cam_layers(self) -> tuple[nn.Module, ...]:
        """All such modules: several only where networks of unlike kinds answer together."""
        return (self.cam_layer,)

    def maps(self, x: Tensor) -> Tensor:
        """(batch, leads, samples) to the output of ``cam_layer``, (batch, channels, time)."""
        raise TypeError(f"{type(self).__name__} does not part at its maps")

    def pooled(self, maps: Tensor) -> Tensor:
        """Maps to (batch, features)."""
        raise TypeError(f"{type(self).__name__} does not part at its maps")

    @contextmanager
    def as_published(self) -> Iterator[None]:
        """Within, the forward pass takes the published order of operations, through
        ``cam_layer``.
        """
        yield

    def forward(self, x: Tensor) -> Tensor:
        """Logits (batch, labels)."""
        logits: Tensor = self.head(self.features(x))
        return logits


class PooledNetwork(Network):
    """A trunk to (batch, channels, time), whose output Grad-CAM weighs, and a pool to features."""

    trunk: nn.Module
    pool: nn.Module
    parts_at_maps = True

    def features(self, x: Tensor) -> Tensor:
        """(batch, leads, samples) to (batch, features), the input of the last dense layer."""
        return self.pooled(self.maps(x))

    def maps(self, x: Tensor) -> Tensor:
        """The trunk's output."""
        maps: Tensor = self.trunk(x)
        return maps

    def pooled(self, maps: Tensor) -> Tensor:
        """The pool's output."""
        features: Tensor = self.pool(maps)
        return features

    @property
    def cam_layer(self) -> nn.Module:
        """The trunk."""
        return self.trunk


class AsideNetwork(Network):
    """A network that is also told things beside the signal, those of its ``InputSpec.aside``.

    ``aside`` is (batch, columns) float32, a row as ``models.aside`` makes it: NaN where something
    is not known. None is a batch of which nothing is known. ``aside`` the attribute names them.
    """

    aside: tuple[AsideName, ...] = ()

    def features(self, x: Tensor, aside: Tensor | None = None) -> Tensor:
        """(batch, leads, samples) and aside values to (batch, features)."""
        raise TypeError(f"{type(self).__name__} has no features")

    def forward(self, x: Tensor, aside: Tensor | None = None) -> Tensor:
        """Logits (batch, labels)."""
        logits: Tensor = self.head(self.features(x, aside))
        return logits


def logits_of(network: nn.Module, x: Tensor, aside: Tensor | None) -> Tensor:
    """``network(x)``, told the aside values where there are any.

    No columns, (batch, 0), are none: most networks take the signal alone.
    """
    told = aside is not None and aside.shape[1] > 0
    logits: Tensor = network(x, aside) if told else network(x)
    return logits


def count_numbers(network: nn.Module) -> int:
    """Trained numbers: weights, plus the running mean and variance of each batch norm.

    Counted as ECGencode's paper and Keras do. Frozen weights are left out.
    """
    weights = sum(p.numel() for p in network.parameters() if p.requires_grad)
    statistics = sum(
        buffer.numel()
        for name, buffer in network.named_buffers()
        if name.endswith(("running_mean", "running_var"))
    )
    return weights + statistics


def count_flops(network: Network, leads: int, samples: int) -> int:
    """Floating-point operations of one record's forward pass, two a multiply-add, as published.

    Convolutions and matrix products as torch counts them, recurrent layers by ``recurrent_cost``;
    not norms and activations.
    """
    from torch.utils.flop_counter import FlopCounterMode

    from ecgcore.models.recurrent_cost import recurrence_stood_in

    was_training = network.training
    network.eval()
    counter = FlopCounterMode(display=False)
    with (
        network.as_published(),
        recurrence_stood_in(network) as recurrent,
        torch.no_grad(),
        counter,
    ):
        network(torch.zeros(1, leads, samples))
    network.train(was_training)
    return int(counter.get_total_flops()) + sum(recurrent)


def count_parameters(network: nn.Module) -> int:
    """Trainable weights alone."""
    return sum(p.numel() for p in network.parameters() if p.requires_grad)
