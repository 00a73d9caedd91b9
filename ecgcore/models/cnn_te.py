"""CNN-TE: residual convolutions, positional encoding, transformer encoder (Ford and Lan).

Ten seconds of 12 leads at 500 Hz; a convolutional module of 8 residual blocks makes (157, 512) of
(5000, 12); the fixed sines and cosines of Vaswani et al. 2017 are added; an encoder layer with two
heads of 256 and a position-wise ReLU network follows, each with dropout, addition and layer norm;
then a dense layer with 13 outputs.

Settled where the paper is silent:
- The blocks are those of the residual network that the paper cites (He et al. 2016) with 8 of them,
  ResNet-18, in one dimension: convolution 7 and max-pool 3, four stages of two blocks of 64, 128,
  256 and 512 channels, kernel 3. Its five halvings are exactly the paper's, 5000 to 2500, 1250,
  625, 313 and 157.
- One encoder layer, as in the paper's diagram; feed-forward width 2048 and dropout 0.1, those of
  the cited transformer at d = 512; queries are scaled by the square root of a head's 256.
- The mean over time stands before the dense layer, so that any length can be read.
- "Softmax" stands in the text, but labels overlap and the published thresholds of single labels
  reach 0.97: outputs are sigmoids; ``output="softmax"`` takes the text by its word.
- Every matrix and kernel starts with Xavier's uniform numbers, every bias with zeros.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from ecgcore.models.card import Output
from ecgcore.models.input_spec import InputSpec
from ecgcore.models.network import Head, Network, count_parameters
from ecgcore.models.registry import register

PAPER = "Ford and Lan, CNN-TE"
CNN_TE_SPEC = InputSpec(sampling_rate=500.0, seconds=10.0)
CNN_TE_LABELS = 13
"""NSR, IAVB, abQRS, AF, LAnFB, LAD, LBBB, LVH, MI, MIs, RBBB, SB, STach."""

LONGEST_WAVE = 10_000.0
"""Base of the positional encoding's wavelengths (section 3.2)."""


@dataclass(frozen=True)
class ConvolutionOptions:
    """The convolutional module: channels of its stages (two blocks each) and the blocks' kernel."""

    channels: tuple[int, ...] = (64, 128, 256, 512)
    kernel: int = 3


@dataclass(frozen=True)
class CNNTEOptions(ConvolutionOptions):
    """The whole network; the last of ``channels`` is the encoder's d and a multiple of
    ``2 * heads``."""

    heads: int = 2
    feed_forward: int = 2048
    encoder_layers: int = 1
    dropout: float = 0.1
    output: Output = "sigmoid"


def xavier(network: nn.Module) -> None:
    """Start every matrix and kernel by Glorot and Bengio 2010 (uniform) and every bias with zeros.

    A recurrent layer's gates, which torch stacks, are started one by one.
    """
    for module in network.modules():
        if isinstance(module, nn.Linear | nn.Conv1d):
            nn.init.xavier_uniform_(module.weight)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.RNNBase):
            for name, weight in module.named_parameters(recurse=False):
                if name.startswith("weight"):
                    for gate in torch.split(weight.detach(), module.hidden_size):
                        nn.init.xavier_uniform_(gate)
                else:
                    nn.init.zeros_(weight)


class ResidualBlock(nn.Module):
    """Two convolutions with batch norm around a shortcut (He et al. 2016); a stride or other width
    needs a convolution of 1 on the shortcut."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int) -> None:
        super().__init__()
        self.inner = nn.Sequential(
            nn.Conv1d(inputs, outputs, kernel, stride, padding=kernel // 2, bias=False),
            nn.BatchNorm1d(outputs),
            nn.ReLU(),
            nn.Conv1d(outputs, outputs, kernel, padding=kernel // 2, bias=False),
            nn.BatchNorm1d(outputs),
        )
        self.shortcut = nn.Sequential()
        if stride > 1 or inputs != outputs:
            self.shortcut.append(nn.Conv1d(inputs, outputs, 1, stride, bias=False))
            self.shortcut.append(nn.BatchNorm1d(outputs))

    def forward(self, x: Tensor) -> Tensor:
        """(batch, inputs, time) to (batch, outputs, ceil(time / stride))."""
        return functional.relu(self.inner(x) + self.shortcut(x))


class ConvolutionalModule(nn.Sequential):
    """(batch, leads, samples) to (batch, channels, time): a stem and two residual blocks a stage.

    The stem halves twice, each stage after the first once; an odd length is rounded up.
    """

    def __init__(self, options: ConvolutionOptions, leads: int) -> None:
        if options.kernel % 2 == 0:
            raise ValueError(f"kernel {options.kernel}; must be odd, so that both ends are alike")
        width = options.channels[0]
        super().__init__(
            nn.Conv1d(leads, width, 7, 2, padding=3, bias=False),
            nn.BatchNorm1d(width),
            nn.ReLU(),
            nn.MaxPool1d(3, 2, padding=1),
        )
        for stage, outputs in enumerate(options.channels):
            self.append(ResidualBlock(width, outputs, options.kernel, 1 if stage == 0 else 2))
            self.append(ResidualBlock(outputs, outputs, options.kernel, 1))
            width = outputs


def positional_encoding(length: int, width: int) -> Tensor:
    """(length, width): sin(i / 10000^(2j / d)) in column 2j, the cosine in 2j + 1."""
    position = torch.arange(length, dtype=torch.float64)[:, None]
    rate = torch.exp(
        torch.arange(0, width, 2, dtype=torch.float64) * (-math.log(LONGEST_WAVE) / width)
    )
    angle = position * rate
    return torch.stack([angle.sin(), angle.cos()], dim=-1).flatten(1)[:, :width].float()


class MultiHeadAttention(nn.Module):
    """Scaled dot-product self-attention in ``heads`` equal parts of the features."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        if width % heads:
            raise ValueError(f"{width} features do not divide into {heads} heads; choose a divisor")
        self.heads = heads
        self.query, self.key, self.value, self.joined = (nn.Linear(width, width) for _ in range(4))

    def forward(self, x: Tensor) -> Tensor:
        """(batch, time, width) to the same shape."""
        query, key, value = (
            project(x).unflatten(2, (self.heads, -1)).transpose(1, 2)
            for project in (self.query, self.key, self.value)
        )
        similarity = query @ key.transpose(2, 3) / math.sqrt(query.shape[-1])
        attended = similarity.softmax(dim=-1) @ value
        joined: Tensor = self.joined(attended.transpose(1, 2).flatten(2))
        return joined


class EncoderLayer(nn.Module):
    """Attention, then the position-wise network; after each, dropout, addition, layer norm."""

    def __init__(self, width: int, options: CNNTEOptions) -> None:
        super().__init__()
        self.attention = MultiHeadAttention(width, options.heads)
        self.feed_forward = nn.Sequential(
            nn.Linear(width, options.feed_forward),
            nn.ReLU(),
            nn.Linear(options.feed_forward, width),
        )
        self.norms = nn.ModuleList([nn.LayerNorm(width), nn.LayerNorm(width)])
        self.dropout = nn.Dropout(options.dropout)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, time, width) to the same shape."""
        for norm, part in zip(self.norms, (self.attention, self.feed_forward), strict=True):
            x = norm(x + self.dropout(part(x)))
        return x


class SoftmaxOdds(nn.Linear):
    """A dense layer whose outputs are the log odds of a softmax over the labels.

    Their sigmoid is that softmax, so that losses, thresholds and predictions treat both the same.
    """

    def __init__(self, inputs: int, labels: int) -> None:
        if labels < 2:
            raise ValueError("a softmax over one label is always 1; choose the output 'sigmoid'")
        super().__init__(inputs, labels)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, inputs) to z_i - log of the sum over the other labels of exp z_j."""
        scores = super().forward(x)
        own = torch.eye(scores.shape[1], dtype=torch.bool, device=scores.device)
        others = scores[:, None].masked_fill(own, -torch.inf)
        return scores - others.logsumexp(dim=2)


@register(
    "cnn_te",
    options=CNNTEOptions,
    paper=PAPER,
    spec=CNN_TE_SPEC,
    labels=CNN_TE_LABELS,
    output="sigmoid",
    count=count_parameters,
)
class CNNTE(Network):
    """The whole network; features are the encoder's mean over time."""

    def __init__(self, options: CNNTEOptions, leads: int, labels: int) -> None:
        super().__init__()
        width = options.channels[-1]
        self.convolutions = ConvolutionalModule(options, leads)
        self.encoder = nn.Sequential(
            *(EncoderLayer(width, options) for _ in range(options.encoder_layers))
        )
        self.head = _head(options.output, width, labels)
        xavier(self)

    def sequence(self, x: Tensor) -> Tensor:
        """The encoder's output, (batch, time, d)."""
        maps = self.convolutions(x).transpose(1, 2)
        positions = positional_encoding(*maps.shape[1:]).to(maps)
        encoded: Tensor = self.encoder(maps + positions)
        return encoded

    def features(self, x: Tensor) -> Tensor:
        """(batch, d): the mean over time."""
        return self.sequence(x).mean(1)

    @property
    def cam_layer(self) -> nn.Module:
        """The convolutional module: later, every moment has looked at every other."""
        return self.convolutions


def _head(output: Output, inputs: int, labels: int) -> Head:
    return SoftmaxOdds(inputs, labels) if output == "softmax" else nn.Linear(inputs, labels)
