"""Hand-made networks whose evidence is known."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ecgcore.models.network import Network


class EnergyOfOneLead(Network):
    """The first two logits are the energy of one lead, the third its negative.

    The layer to explain holds that energy over time, or (not ``faithful``) the lack of it, with a
    gradient that points there: the hottest places are then those without a signal.
    """

    def __init__(self, lead: int, *, faithful: bool) -> None:
        super().__init__()
        self.lead, self.sign = lead, 1.0 if faithful else -1.0
        self.layer = nn.Identity()
        self.head = nn.Linear(1, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, leads, samples) to (batch, 3)."""
        energy = x[:, self.lead : self.lead + 1].square()
        ceiling = 0.0 if self.sign > 0 else 100.0
        held = self.layer(ceiling + self.sign * energy)
        # Both ways the logit falls when the signal is flattened; only what the layer shows differs.
        logit = (held if self.sign > 0 else held.detach() * -2.0 + held).mean((1, 2))
        return torch.stack([logit, logit, -logit, -logit, -logit], dim=1)

    @property
    def cam_layer(self) -> nn.Module:
        """The energy over time."""
        return self.layer
