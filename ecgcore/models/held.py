"""A network whose aside values are held fixed, so that it answers to the signal alone.

Whoever alters the signal of one recording and watches the answer (Grad-CAM, LIME, the deletion
test) then needs no word about aside values.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from torch import Tensor, nn

from ecgcore.models.network import AsideNetwork, Network


class HeldAside(Network):
    """``network`` with the aside values ``row`` (columns,) for every record; weights are shared."""

    def __init__(self, network: AsideNetwork, row: Tensor) -> None:
        super().__init__()
        self.network, self.head = network, network.head
        self.cam_keeps_leads = network.cam_keeps_leads
        self.register_buffer("row", row, persistent=False)
        self.train(network.training)

    def features(self, x: Tensor) -> Tensor:
        """(batch, features) of the network with the values held."""
        return self.network.features(x, self._rows(x))

    def forward(self, x: Tensor) -> Tensor:
        """Logits (batch, labels) of the network with the values held."""
        logits: Tensor = self.network(x, self._rows(x))
        return logits

    @property
    def cam_layer(self) -> nn.Module:
        """The network's own."""
        return self.network.cam_layer

    @property
    def cam_layers(self) -> tuple[nn.Module, ...]:
        """The network's own."""
        return self.network.cam_layers

    @contextmanager
    def as_published(self) -> Iterator[None]:
        """The network's own."""
        with self.network.as_published():
            yield

    def _rows(self, x: Tensor) -> Tensor:
        row = self.get_buffer("row")
        return row.expand(len(x), -1)
