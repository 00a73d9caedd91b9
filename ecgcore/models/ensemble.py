"""Several networks of one kind, trained apart from different random starts, that answer together.

Their mean answer is better than any one's, and surer only where they agree (Lakshminarayanan,
Pritzel and Blundell, Simple and Scalable Predictive Uncertainty Estimation using Deep Ensembles,
NeurIPS 2017). Logits are averaged. The members' maps lie side by side as channels in one layer, so
that Grad-CAM sees all of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from ecgcore.models.input_spec import InputSpec
from ecgcore.models.network import Network, count_parameters
from ecgcore.models.registry import build_network, register

NAME = "ensemble"
_HEAD = "head."


@dataclass(frozen=True)
class EnsembleOptions:
    """The members' network, a name of the registry with its options, and how many there are."""

    network: str = "inception"
    network_options: dict[str, Any] = field(default_factory=dict)
    members: int = 3


class MeanHead(nn.Module):
    """The mean of the members' heads, each on its own part of the features."""

    def __init__(self, heads: Iterable[nn.Module], widths: Sequence[int]) -> None:
        super().__init__()
        self.heads, self.widths = nn.ModuleList(heads), tuple(widths)
        self.in_features = sum(self.widths)

    def forward(self, features: Tensor) -> Tensor:
        """(batch, features of all members) to logits (batch, labels)."""
        parts = torch.split(features, list(self.widths), dim=1)
        answers = [head(part) for head, part in zip(self.heads, parts, strict=True)]
        return torch.stack(answers).mean(0)


@register(
    NAME,
    options=EnsembleOptions,
    paper="Lakshminarayanan et al. 2017, deep ensembles",
    spec=InputSpec(sampling_rate=75.0, seconds=10.0, resampling="fft"),
    labels=76,
    output="sigmoid",
    count=count_parameters,
)
class Ensemble(Network):
    """The members side by side; features are theirs, one after the other."""

    def __init__(self, options: EnsembleOptions, leads: int, labels: int) -> None:
        super().__init__()
        if options.members < 1 or options.network == NAME:
            raise ValueError(
                f"{options.members} members of {options.network!r}; give 1 or more of another "
                "network"
            )
        self.members, heads, widths = nn.ModuleList(), [], []
        for _ in range(options.members):
            member = build_network(
                options.network, leads=leads, labels=labels, options=options.network_options
            )
            if not member.parts_at_maps or not isinstance(member.head, nn.Module):
                raise ValueError(
                    f"network {options.network!r} cannot be a member: its features do not come "
                    "from its Grad-CAM layer alone"
                )
            heads.append(member.head)
            widths.append(member.head.in_features)
            del member.head  # it answers in the mean head
            self.members.append(member)
        self.joined = nn.Identity()
        self.head = MeanHead(heads, widths)

    def features(self, x: Tensor) -> Tensor:
        """(batch, leads, samples) to (batch, features of all members)."""
        members = [member for member in self.members if isinstance(member, Network)]
        maps = [member.maps(x) for member in members]
        joined = self.joined(torch.cat(maps, dim=1))
        parts = torch.split(joined, [one.shape[1] for one in maps], dim=1)
        pairs = zip(members, parts, strict=True)
        return torch.cat([member.pooled(part) for member, part in pairs], dim=1)

    @property
    def cam_layer(self) -> nn.Module:
        """All members' maps, (batch, channels of all members, time)."""
        return self.joined


def ensemble_weights(members: Sequence[dict[str, Tensor]]) -> dict[str, Tensor]:
    """The ensemble's weights from those of its members, each trained as a network of its own."""
    return {
        f"head.heads.{number}.{name.removeprefix(_HEAD)}"
        if name.startswith(_HEAD)
        else f"members.{number}.{name}": value
        for number, weights in enumerate(members)
        for name, value in weights.items()
    }
