"""Inception with measured biomarkers joined to its features.

ECGencode's paper names known biomarkers joined to the latent space as its future work; Natarajan et
al. (A wide and deep transformer neural network for 12-lead ECG classification, Computing in
Cardiology 2020;47), the first of the 2020 challenge, joined handcrafted features to a transformer.
Here the signal goes through Inception to its pooled channels, the biomarkers through one dense
layer, and another layer answers from both. What a network cannot count, as beats that come early,
it is told.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from ecgcore.models.inception import SPEC, Inception, InceptionOptions
from ecgcore.models.measured import COLUMNS, MEASURED_ASIDE, ScaledMeasuredNetwork
from ecgcore.models.network import count_parameters
from ecgcore.models.registry import register

NAME = "inception_measured"


@dataclass(frozen=True)
class InceptionMeasuredOptions(InceptionOptions):
    """Inception's, the units of the layer on the biomarkers, and the drop-out behind it and before:
    a biomarker that is left out counts as usual."""

    measured_dropout: float = 0.5
    units: int = 128
    units_dropout: float = 0.5


class JoinedHead(nn.Module):
    """Other features and biomarkers, (batch, others + columns), to logits."""

    def __init__(self, others: int, labels: int, options: InceptionMeasuredOptions) -> None:
        super().__init__()
        if options.units < 1:
            raise ValueError(f"units {options.units}; give the layer on the biomarkers 1 or more")
        self.in_features = others + COLUMNS
        self.beside = nn.Sequential(
            nn.Dropout(options.measured_dropout),
            nn.Linear(COLUMNS, options.units),
            nn.BatchNorm1d(options.units),
            nn.ReLU(),
            nn.Dropout(options.units_dropout),
        )
        self.joined = nn.Linear(others + options.units, labels)

    def forward(self, features: Tensor) -> Tensor:
        """Logits (batch, labels)."""
        others, measured = features[:, :-COLUMNS], features[:, -COLUMNS:]
        logits: Tensor = self.joined(torch.cat([others, self.beside(measured)], dim=1))
        return logits


@register(
    NAME,
    options=InceptionMeasuredOptions,
    paper="Natarajan et al. 2020, measured values joined to a network (there a transformer)",
    spec=replace(SPEC, aside=MEASURED_ASIDE),
    labels=76,
    output="sigmoid",
    count=count_parameters,
)
class InceptionMeasured(Inception, ScaledMeasuredNetwork):
    """The whole network; features are the pooled channels, then the biomarkers."""

    def __init__(self, options: InceptionMeasuredOptions, leads: int, labels: int) -> None:
        super().__init__(options, leads, labels)
        self.head = JoinedHead(self.head.in_features, labels, options)

    def features(self, x: Tensor, aside: Tensor | None = None) -> Tensor:
        """(batch, leads, samples) and biomarkers (batch, columns) to (batch, features)."""
        return torch.cat([self.pooled(self.maps(x)), self.measured(aside, len(x))], dim=1)
