"""CNN classifier chain (Singstad, Brekke 2021), a baseline of Inception.

A chain answers one label after the other (Read et al. 2009): each link sees the recording and the
answers of the links before it. The link of the authors' published program is their Encoder with
whole channels dropped, all 512 maps weighing themselves, a ReLU dense layer of 512 with instance
norm; beside it a square ReLU dense layer of the earlier answers; one sigmoid output on both.

Settled, and where ours differs:
- ``networks="shared"``, the default: one network for all links. The program trains a network a
  label one after the other, 80 million weights for its 20; ``networks="own"`` is that.
- ``readout`` as in ``encoder``: "summed" reads any length, "flat" is the program.
- A link sees the earlier links' probabilities, in training too; the program trains on the given
  labels (which a forward pass does not have) and answers with probabilities. Gradients flow back
  through them, so that explanations know of them.
- The weights on the earlier answers start non-negative, or else half of the links would start
  deaf: probabilities are not negative, and ReLU passes no negative sum.
- The chain is in the order of the labels. The program first answers nine rhythms by networks on the
  amplitude spectrum and the heart rate, one of two groups by a hard choice; it knows its labels,
  ours may be any, so that all of them are links.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from ecgcore.models.encoder import (
    CHANNELS,
    ENCODER_SPEC,
    AttentionReadout,
    EncoderConvolutions,
    Readout,
    readout_features,
)
from ecgcore.models.network import Network, count_parameters
from ecgcore.models.registry import register

PAPER = "Singstad et al. 2022, baseline classifier chain (Singstad, Brekke 2021)"

DENSE = 512

Networks = Literal["shared", "own"]


@dataclass(frozen=True)
class ClassifierChainOptions:
    """One network for all labels or one each; how maps become features, and the samples of a
    recording if "flat"."""

    networks: Networks = "shared"
    readout: Readout = "summed"
    dropout: float = 0.2
    samples: int = ENCODER_SPEC.samples


class Link(nn.Module):
    """One label's logit, of its network's features and the earlier labels' probabilities."""

    def __init__(self, features: int, earlier: int) -> None:
        super().__init__()
        self.earlier = nn.Linear(earlier, earlier) if earlier else None
        if self.earlier is not None:
            nn.init.xavier_uniform_(self.earlier.weight)
            nn.init.zeros_(self.earlier.bias)
            with torch.no_grad():
                self.earlier.weight.abs_()
        self.output = nn.Linear(features + earlier, 1)

    def forward(self, features: Tensor, earlier: list[Tensor]) -> Tensor:
        """(batch, features) and logits (batch, 1) to the next logit (batch, 1)."""
        if self.earlier is not None:
            probabilities = torch.sigmoid(torch.cat(earlier, dim=1))
            features = torch.cat([features, torch.relu(self.earlier(probabilities))], dim=1)
        logit: Tensor = self.output(features)
        return logit


class Chain(nn.Module):
    """The head: features (batch, in_features) to logits (batch, labels), link by link.

    With ``own`` networks the features are one part a label, in order.
    """

    def __init__(self, features: int, labels: int, own: bool) -> None:
        super().__init__()
        self.own = own
        self.in_features = features * labels if own else features
        self.links = nn.ModuleList(Link(features, number) for number in range(labels))

    def forward(self, features: Tensor) -> Tensor:
        """See the class."""
        parts = features.chunk(len(self.links), dim=1) if self.own else None
        logits: list[Tensor] = []
        for number, link in enumerate(self.links):
            logits.append(link(features if parts is None else parts[number], logits))
        return torch.cat(logits, dim=1)


class SideBySide(nn.ModuleList):
    """Modules on the same input, or each on its equal part of the channels; outputs joined."""

    def __init__(self, modules: list[nn.Module], divides: bool) -> None:
        super().__init__(modules)
        self.divides = divides

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, time) to the outputs along axis 1."""
        parts = x.chunk(len(self), dim=1) if self.divides else [x] * len(self)
        return torch.cat([module(part) for module, part in zip(self, parts, strict=True)], dim=1)


@register(
    "classifier_chain",
    options=ClassifierChainOptions,
    paper=PAPER,
    spec=ENCODER_SPEC,
    labels=30,
    output="sigmoid",
    count=count_parameters,
)
class ClassifierChain(Network):
    """The whole chain; features are those of all its networks in a row."""

    def __init__(self, options: ClassifierChainOptions, leads: int, labels: int) -> None:
        super().__init__()
        own = options.networks == "own"
        number = labels if own else 1
        self.convolutions = SideBySide(
            [EncoderConvolutions(leads, options.dropout, spatial=True) for _ in range(number)],
            divides=False,
        )
        self.readout = SideBySide(
            [
                AttentionReadout(CHANNELS[-1], DENSE, nn.ReLU(), options.readout, halves=False)
                for _ in range(number)
            ],
            divides=True,
        )
        features = readout_features(options.readout, DENSE, options.samples)
        self.head = Chain(features, labels, own)

    def features(self, x: Tensor) -> Tensor:
        """(batch, 512), or more with own networks or a flat readout."""
        features: Tensor = self.readout(self.convolutions(x))
        return features

    @property
    def cam_layer(self) -> nn.Module:
        """The convolutions of all networks, before attention."""
        return self.convolutions
