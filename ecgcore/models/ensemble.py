"""Several networks, trained apart from different random starts, that answer together.

Their mean answer is better than any one's, and surer only where they agree (Lakshminarayanan,
Pritzel and Blundell, Simple and Scalable Predictive Uncertainty Estimation using Deep Ensembles,
NeurIPS 2017). Logits are averaged. The maps of neighbouring members of one kind lie side by side as
channels in one layer, so that Grad-CAM sees all of them at once.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, cast

import torch
from torch import Tensor, nn

from ecgcore.models.input_spec import InputSpec
from ecgcore.models.measured import MEASURED_ASIDE, MeasuredNetwork
from ecgcore.models.network import AsideNetwork, Network, count_parameters
from ecgcore.models.registry import build_network, register
from ecgcore.models.trees import TreeNetwork, count_table_numbers

NAME = "ensemble"
_HEAD = "head."


@dataclass(frozen=True)
class EnsembleOptions:
    """The members, each a ``network`` of the registry with its ``options``, and the ``weight`` of
    its answer among the others' (1 where it is left out)."""

    members: Sequence[dict[str, Any]] = ({"network": "inception", "options": {}},) * 3


class MeanHead(nn.Module):
    """The weighted mean of the members' heads, each on its own part of the features."""

    def __init__(
        self, heads: Iterable[nn.Module], widths: Sequence[int], weights: Sequence[float]
    ) -> None:
        super().__init__()
        self.heads, self.widths = nn.ModuleList(heads), tuple(widths)
        self.weights = tuple(weights)
        self.in_features = sum(self.widths)

    def forward(self, features: Tensor) -> Tensor:
        """(batch, features of all members) to logits (batch, labels)."""
        parts = torch.split(features, list(self.widths), dim=1)
        answers = [
            weight * head(part)
            for head, part, weight in zip(self.heads, parts, self.weights, strict=True)
        ]
        return torch.stack(answers).sum(0) / sum(self.weights)


def count_numbers(network: Network) -> int:
    """The members' weights, and the numbers of their trees."""
    return count_parameters(network) + count_table_numbers(network)


@register(
    NAME,
    options=EnsembleOptions,
    paper="Lakshminarayanan et al. 2017, deep ensembles",
    spec=InputSpec(sampling_rate=75.0, seconds=10.0, resampling="fft"),
    labels=76,
    output="sigmoid",
    count=count_numbers,
)
class Ensemble(AsideNetwork):
    """The members side by side; features are theirs, one after the other.

    Trees among them have no maps. Who is told biomarkers has these among its features.
    """

    head: MeanHead

    def __init__(self, options: EnsembleOptions, leads: int, labels: int) -> None:
        super().__init__()
        built = [_member(told, leads, labels) for told in options.members]
        weights = [float(told.get("weight", 1)) for told in options.members]
        if not built or not all(0 < weight < math.inf for weight in weights):
            raise ValueError(f"members of the weights {weights}; give 1 or more, each above 0")
        told = any(isinstance(member, MeasuredNetwork) for member in built)
        self.aside = MEASURED_ASIDE if told else ()
        self.members = nn.ModuleList(built)
        heads = [cast("nn.Module", member.head) for member in built]
        self.head = MeanHead(heads, [member.head.in_features for member in built], weights)
        for member in built:
            del member.head  # it answers in the mean head
        kinds = groupby(range(len(built)), key=lambda number: _kind(options.members[number]))
        self.kinds = tuple(tuple(numbers) for _, numbers in kinds)
        self.joined = nn.ModuleList(nn.Identity() for _ in self.kinds)

    def features(self, x: Tensor, aside: Tensor | None = None) -> Tensor:
        """(batch, leads, samples) and biomarkers (batch, columns), if a member needs them, to
        (batch, features of all members)."""
        found = []
        for numbers, joined in zip(self.kinds, self.joined, strict=True):
            members = [cast("Network", self.members[number]) for number in numbers]
            if isinstance(members[0], TreeNetwork):
                found += [cast("TreeNetwork", member).features(x, aside) for member in members]
                continue
            maps = [member.maps(x) for member in members]
            parts = torch.split(
                joined(torch.cat(maps, dim=1)), [one.shape[1] for one in maps], dim=1
            )
            for member, part in zip(members, parts, strict=True):
                found.append(member.pooled(part))
                if isinstance(member, MeasuredNetwork):
                    found.append(member.measured(aside, len(x)))
        return torch.cat(found, dim=1)

    @property
    def cam_layer(self) -> nn.Module:
        """All members' maps, (batch, channels of all members, time). TypeError where they are of
        several kinds, whose maps differ in length, or of none."""
        layers = self.cam_layers
        if len(layers) != 1:
            raise TypeError(f"{len(layers)} kinds of members have as many layers; ask for all")
        return layers[0]

    @property
    def cam_layers(self) -> tuple[nn.Module, ...]:
        """The maps of each kind of members, as they follow each other."""
        pairs = zip(self.kinds, self.joined, strict=True)
        return tuple(
            joined
            for numbers, joined in pairs
            if not isinstance(self.members[numbers[0]], TreeNetwork)
        )


def _kind(told: dict[str, Any]) -> tuple[Any, Any]:
    return told["network"], told["options"]


def _member(told: dict[str, Any], leads: int, labels: int) -> Network:
    """One member. Raises ValueError for what cannot be one."""
    name = told.get("network")
    if not {"network", "options"} <= set(told) <= {"network", "options", "weight"} or name == NAME:
        raise ValueError(
            f"member {told!r}; give the name of another network and its options, as network and "
            "options, and a weight if it is not 1"
        )
    member = build_network(str(name), leads=leads, labels=labels, options=told["options"])
    if not (member.parts_at_maps or isinstance(member, TreeNetwork)):
        raise ValueError(
            f"network {name!r} cannot be a member: its features do not come from its Grad-CAM "
            "layer alone"
        )
    return member


def ensemble_weights(members: Sequence[dict[str, Tensor]]) -> dict[str, Tensor]:
    """The ensemble's weights from those of its members, each trained as a network of its own."""
    return {
        f"head.heads.{number}.{name.removeprefix(_HEAD)}"
        if name.startswith(_HEAD)
        else f"members.{number}.{name}": value
        for number, weights in enumerate(members)
        for name, value in weights.items()
    }
