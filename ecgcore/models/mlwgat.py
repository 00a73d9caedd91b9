"""MLWGAT: multi-label weighted graph attention (Wang et al. 2020), a baseline of HRNN.

Each label is a node of a graph. The weight of an edge joins self-attention between two nodes
(graph attention, Velickovic et al. 2018) with prior knowledge of how often the two labels occur
together. That much the published abstract fixes; the full text could not be had, and no program
is public.

Settled here, and open in what was published: the backbone is a one-dimensional ResNet-18 (stem 7/2,
max-pool 3/2, stages of 64, 128, 256, 512); each label looks at the backbone's times with an
attention of its own and takes what it sees, projected to 32 numbers, as its node's state; two graph
layers of four heads follow, each added to its input; an edge's weight is (1 - s) attention + s
prior, with one s a layer that is learnt and starts at one half; the prior is P(j | i) over the
training records (see ``label_graph``). The last dense layer starts with each label reading its own
node and may learn to read others'.

The prior is the option ``graph``, or ``set_graph`` after building; it is kept with the weights.
Without one every label keeps to itself in the prior, so that attention alone connects labels.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn
from torch.nn import functional

from ecgcore.models.input_spec import InputSpec
from ecgcore.models.label_graph import Graph, isolated_graph, normalise_graph
from ecgcore.models.network import Network, count_parameters
from ecgcore.models.registry import register

PAPER = "Wang et al. 2020, weighted graph attention (MLWGAT)"

ATTENTION_SLOPE = 0.2
"""Of the leaky ReLU on attention scores (Velickovic et al. 2018)."""


@dataclass(frozen=True)
class MLWGATOptions:
    """Channels of the backbone's stages, blocks a stage, numbers a node, heads and graph layers,
    drop-out on the nodes, and the prior (labels x labels, rows divided by their sums)."""

    channels: tuple[int, ...] = (64, 128, 256, 512)
    blocks: int = 2
    node: int = 32
    heads: int = 4
    layers: int = 2
    dropout: float = 0.2
    graph: Graph | None = None

    def __post_init__(self) -> None:
        if self.node % self.heads:
            raise ValueError(f"nodes of {self.node} for {self.heads} heads; choose a multiple")


class ResidualBlock(nn.Module):
    """Two convolutions of 3 with batch norm, added to the input (He et al. 2016)."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv1d(inputs, outputs, 3, stride, 1, bias=False),
            nn.BatchNorm1d(outputs),
            nn.ReLU(),
            nn.Conv1d(outputs, outputs, 3, padding=1, bias=False),
            nn.BatchNorm1d(outputs),
        )
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or inputs != outputs:
            self.shortcut = nn.Sequential(
                nn.Conv1d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm1d(outputs)
            )

    def forward(self, x: Tensor) -> Tensor:
        """(batch, inputs, time) to (batch, outputs, ceil(time / stride))."""
        return functional.relu(self.body(x) + self.shortcut(x))


class Backbone(nn.Sequential):
    """(batch, leads, samples) to (batch, last channels, samples / 32)."""

    def __init__(self, options: MLWGATOptions, leads: int) -> None:
        first = options.channels[0]
        layers: list[nn.Module] = [
            nn.Conv1d(leads, first, 7, 2, 3, bias=False),
            nn.BatchNorm1d(first),
            nn.ReLU(),
            nn.MaxPool1d(3, 2, 1),
        ]
        inputs = first
        for stage, channels in enumerate(options.channels):
            for number in range(options.blocks):
                stride = 2 if stage and not number else 1
                layers.append(ResidualBlock(inputs, channels, stride))
                inputs = channels
        super().__init__(*layers)


class LabelView(nn.Module):
    """What each label sees of the record: its own attention over time, then one projection."""

    def __init__(self, channels: int, labels: int, node: int) -> None:
        super().__init__()
        self.attention = nn.Conv1d(channels, labels, 1, bias=False)
        self.projection = nn.Linear(channels, node)
        self.embedding = nn.Parameter(torch.empty(labels, node).normal_(std=node**-0.5))

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, time) to (batch, labels, node)."""
        seen = self.attention(x).softmax(-1) @ x.transpose(1, 2)
        nodes: Tensor = self.projection(seen) + self.embedding
        return nodes


class WeightedGraphAttention(nn.Module):
    """A graph layer whose edges weigh attention against the prior; its input is added."""

    def __init__(self, node: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.values = nn.Linear(node, node, bias=False)
        self.receiver = nn.Parameter(torch.empty(heads, node // heads))
        self.sender = nn.Parameter(torch.empty(heads, node // heads))
        self.prior_logit = nn.Parameter(torch.zeros(()))
        for weight in (self.receiver, self.sender):
            nn.init.xavier_uniform_(weight)

    def edges(self, nodes: Tensor, prior: Tensor) -> Tensor:
        """(batch, heads, labels, labels): the share of node j in the next state of node i."""
        values = self._apart(nodes)
        receiver = (values * self.receiver[:, None]).sum(-1)
        sender = (values * self.sender[:, None]).sum(-1)
        scores = functional.leaky_relu(receiver[..., None] + sender[..., None, :], ATTENTION_SLOPE)
        share = torch.sigmoid(self.prior_logit)
        return (1 - share) * scores.softmax(-1) + share * prior

    def forward(self, nodes: Tensor, prior: Tensor) -> Tensor:
        """(batch, labels, node) to the same shape."""
        mixed = self.edges(nodes, prior) @ self._apart(nodes)
        return nodes + functional.elu(mixed.transpose(1, 2).flatten(2))

    def _apart(self, nodes: Tensor) -> Tensor:
        """(batch, heads, labels, node / heads)."""
        values = self.values(nodes)
        batch, labels, node = values.shape
        apart: Tensor = values.reshape(batch, labels, self.heads, node // self.heads)
        return apart.transpose(1, 2)


@register(
    "mlwgat",
    options=MLWGATOptions,
    paper=PAPER,
    spec=InputSpec(sampling_rate=500.0, seconds=10.0),
    labels=34,
    output="sigmoid",
    count=count_parameters,
)
class MLWGAT(Network):
    """The whole network; features are all nodes' last states, label by label."""

    prior: Tensor

    def __init__(self, options: MLWGATOptions, leads: int, labels: int) -> None:
        super().__init__()
        self.backbone = Backbone(options, leads)
        self.view = LabelView(options.channels[-1], labels, options.node)
        self.graph = nn.ModuleList(
            WeightedGraphAttention(options.node, options.heads) for _ in range(options.layers)
        )
        self.dropout = nn.Dropout(options.dropout)
        self.head = nn.Linear(labels * options.node, labels)
        own = torch.eye(labels).repeat_interleave(options.node, dim=1)
        with torch.no_grad():
            self.head.weight.uniform_(-1.0, 1.0).mul_(own * options.node**-0.5)
        self.register_buffer("prior", torch.from_numpy(isolated_graph(labels)))
        if options.graph is not None:
            self.set_graph(options.graph)

    def set_graph(self, graph: ArrayLike) -> None:
        """Take a prior (labels, labels), such as ``co_occurrence_graph`` counts.

        Raises ValueError where its shape is not that of the outputs.
        """
        weights = torch.from_numpy(normalise_graph(graph))
        if weights.shape != self.prior.shape:
            raise ValueError(
                f"a label graph of {len(weights)} labels; the network has {len(self.prior)}"
            )
        self.prior.copy_(weights)

    def features(self, x: Tensor) -> Tensor:
        """(batch, labels x node)."""
        nodes = self.view(self.backbone(x))
        for layer in self.graph:
            nodes = layer(nodes, self.prior)
        features: Tensor = self.dropout(nodes).flatten(1)
        return features

    @property
    def cam_layer(self) -> nn.Module:
        """The backbone, whose map all labels look at."""
        return self.backbone
