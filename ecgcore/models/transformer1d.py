"""Transformer-XL encoder for ECG (Dai et al. 2019), HRNN's baseline "1-D Transformer".

HRNN (Bian et al. 2022) compares with a "1-D Transformer-XL" and cites the original alone, so what
is fixed is the original's: attention with relative positions (sine and cosine codes of the distance
between two tokens, their own key weights, and the two learnt biases u and v of a head, shared by
all layers), layer norm after each sum, ReLU feed-forward, and recurrence over segments: a segment
also reads the states that the layer below held for the segment before, without a gradient into it.

Settled here, as neither says: a token is 0.1 s of all leads (50 samples, one dense layer), because
5000 single samples would cost 10,000 times the attention; 4 layers of 8 heads, width 256,
feed-forward 1024, drop-out 0.1 (the smallest of the original's are 12 layers of 512 for text of
10^8 characters; an ECG data set has 10^4 records); no causal mask, because the whole record is
there when it is classified, so distances have both signs; the tokens' mean is what the last layer
reads. A 10 s record is 100 tokens and is one segment; ``segment`` divides longer ones.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ecgcore.layers import pad_same
from ecgcore.models.input_spec import InputSpec
from ecgcore.models.network import Network, count_parameters
from ecgcore.models.registry import register

PAPER = "Dai et al. 2019, Transformer-XL (baseline of Bian et al. 2022, HRNN)"


@dataclass(frozen=True)
class TransformerOptions:
    """Samples a token, width, heads, layers, feed-forward width, drop-out, and tokens a segment
    (0: the whole record at once)."""

    patch: int = 50
    width: int = 256
    heads: int = 8
    layers: int = 4
    feed_forward: int = 1024
    dropout: float = 0.1
    segment: int = 0

    def __post_init__(self) -> None:
        if self.width % (2 * self.heads):
            raise ValueError(
                f"width {self.width} with {self.heads} heads; choose an even width a head"
            )


class RelativeAttention(nn.Module):
    """Multi-head attention with relative positions (Dai et al. 2019, section 3.3)."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(width, width, bias=False)
        self.key_value = nn.Linear(width, 2 * width, bias=False)
        self.position_key = nn.Linear(width, width, bias=False)
        self.out = nn.Linear(width, width, bias=False)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, memory: Tensor, biases: Tensor) -> Tensor:
        """Queries from (batch, tokens, width), keys from ``memory`` before it and itself.

        ``biases`` (2, heads, width / heads) are u, added to the query where it meets contents, and
        v, where it meets distances.
        """
        query = self._apart(self.query(x))
        key, value = map(self._apart, self.key_value(torch.cat([memory, x], 1)).chunk(2, -1))
        tokens, keys = query.shape[2], key.shape[2]
        codes = distance_codes(torch.arange(keys - 1, -tokens, -1, device=x.device), x.shape[-1])
        distance_key = self._apart(self.position_key(codes.to(x.dtype))[None])
        contents = (query + biases[0, :, None]) @ key.transpose(-1, -2)
        distances = (query + biases[1, :, None]) @ distance_key.transpose(-1, -2)
        scores = (contents + by_place(distances, keys)) / math.sqrt(query.shape[-1])
        mixed = self.dropout(scores.softmax(-1)) @ value
        attended: Tensor = self.out(mixed.transpose(1, 2).flatten(2))
        return attended

    def _apart(self, x: Tensor) -> Tensor:
        """(batch, tokens, width) to (batch, heads, tokens, width / heads)."""
        batch, tokens, width = x.shape
        return x.reshape(batch, tokens, self.heads, width // self.heads).transpose(1, 2)


class EncoderLayer(nn.Module):
    """Relative attention and feed-forward, each added to its input and normed after."""

    def __init__(self, options: TransformerOptions) -> None:
        super().__init__()
        width, dropout = options.width, options.dropout
        self.attention = RelativeAttention(width, options.heads, dropout)
        self.attention_norm = nn.LayerNorm(width)
        self.feed_forward = nn.Sequential(
            nn.Linear(width, options.feed_forward),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(options.feed_forward, width),
        )
        self.feed_forward_norm = nn.LayerNorm(width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, memory: Tensor, biases: Tensor) -> Tensor:
        """(batch, tokens, width) to the same shape."""
        x = self.attention_norm(x + self.dropout(self.attention(x, memory, biases)))
        out: Tensor = self.feed_forward_norm(x + self.dropout(self.feed_forward(x)))
        return out


class Encoder(nn.Module):
    """All layers, segment after segment: (batch, width, tokens) to the same shape."""

    def __init__(self, options: TransformerOptions) -> None:
        super().__init__()
        self.segment = options.segment
        self.layers = nn.ModuleList(EncoderLayer(options) for _ in range(options.layers))
        self.biases = nn.Parameter(
            torch.empty(2, options.heads, options.width // options.heads).normal_(std=0.02)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Each segment remembers what every layer read in the segment before."""
        tokens = x.transpose(1, 2)
        memories = [tokens[:, :0]] * len(self.layers)
        done = []
        for states in torch.split(tokens, self.segment or tokens.shape[1], dim=1):
            read = []
            for layer, memory in zip(self.layers, memories, strict=True):
                read.append(states.detach())
                states = layer(states, memory, self.biases)  # noqa: PLW2901
            memories = read
            done.append(states)
        return torch.cat(done, dim=1).transpose(1, 2)


@register(
    "transformer1d",
    options=TransformerOptions,
    paper=PAPER,
    spec=InputSpec(sampling_rate=500.0, seconds=10.0),
    labels=55,
    output="sigmoid",
    count=count_parameters,
)
class Transformer1d(Network):
    """The whole network; features are the tokens' mean."""

    def __init__(self, options: TransformerOptions, leads: int, labels: int) -> None:
        super().__init__()
        self.patch = options.patch
        self.embedding = nn.Conv1d(leads, options.width, options.patch, stride=options.patch)
        self.dropout = nn.Dropout(options.dropout)
        self.encoder = Encoder(options)
        self.head = nn.Linear(options.width, labels)

    def features(self, x: Tensor) -> Tensor:
        """(batch, width); a last, incomplete token is filled with zeros."""
        tokens = self.embedding(pad_same(x, self.patch, self.patch))
        averaged: Tensor = self.dropout(self.encoder(self.dropout(tokens)).mean(-1))
        return averaged

    @property
    def cam_layer(self) -> nn.Module:
        """The encoder: (batch, width, tokens)."""
        return self.encoder


def distance_codes(distances: Tensor, width: int) -> Tensor:
    """(distances, width): the sines, then the cosines, of each distance (Vaswani et al. 2017)."""
    rates = 10_000.0 ** (-torch.arange(0, width, 2, device=distances.device) / width)
    angles = distances[:, None] * rates
    return torch.cat([angles.sin(), angles.cos()], dim=-1)


def by_place(scores: Tensor, keys: int) -> Tensor:
    """Scores by distance, (..., tokens, keys + tokens - 1), from the largest on, to scores by key.

    Query i stands behind the remembered keys and i others, so its distance to key j is
    keys - tokens + i - j; column 0 is the distance keys - 1.
    """
    tokens = scores.shape[-2]
    rows = torch.arange(tokens, device=scores.device)[:, None]
    columns = torch.arange(keys, device=scores.device) + tokens - 1 - rows
    return scores.gather(-1, columns.expand(*scores.shape[:-1], keys))
