"""Wavelet + NN of the PTB-XL benchmark (Strodthoff, Wagner, Schaeffter, Samek 2021).

Each lead is decomposed by Daubechies-6 wavelets over five levels; twelve statistics of each of the
six coefficient arrays (entropy, crossings of zero and of the mean, percentiles 5, 25, 75, 95 and
50, mean, standard deviation, variance, mean magnitude) are standardised and go through one dense
layer of 128 ReLU with drop-out 0.25 to the labels: 12 leads give 864 features and 119,879 weights
with 71 labels. The benchmark calls the mean magnitude "rms"; it is the mean of sqrt(x^2).

The decomposition is a fixed filter, so a gradient reaches the input. It equals PyWavelets'
``wavedec(x, "db6", level=5)`` with its half-sample symmetric extension. Entropy and crossings are
counts: they inform the answer but pass no gradient; the nine other statistics do.

Settled: the benchmark fits scikit-learn's StandardScaler on the training set before training. Here
the same mean and variance are gathered over the training batches and used from the first batch on,
so that one epoch gives the scaler of the records seen. Grad-CAM's layer is the first level, because
all deeper levels are made from its output and its times are those of the recording to 50 ms; the
deepest level is blurred over seconds.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from ecgcore.models.input_spec import InputSpec
from ecgcore.models.network import Network, count_parameters
from ecgcore.models.registry import register

PAPER = "Strodthoff et al. 2021, PTB-XL benchmark (Wavelet+NN)"

DB6_LOW_PASS = (
    -0.0010773010853084796, 0.004777257510945511, 0.0005538422011614961, -0.03158203931748603,
    0.027522865530305727, 0.09750160558732304, -0.12976686756726194, -0.22626469396543983,
    0.31525035170919763, 0.7511339080210954, 0.49462389039845306, 0.11154074335010947,
)  # fmt: skip
"""Decomposition low-pass of the Daubechies wavelet with six vanishing moments (Daubechies 1992,
Ten Lectures on Wavelets, table 6.1)."""

PERCENTILES = (0.05, 0.25, 0.75, 0.95, 0.5)
"""As shares, in the benchmark's order."""

STATISTICS = 3 + len(PERCENTILES) + 4
"""Numbers an array of coefficients gives."""

_SMALLEST_VARIANCE = 1e-12
"""Below this a variance is zero: no slope through its root, no scaling by it."""


@dataclass(frozen=True)
class WaveletOptions:
    """Levels of the decomposition, width of the dense layer, drop-out after it."""

    levels: int = 5
    dense: int = 128
    dropout: float = 0.25


class WaveletLevel(nn.Module):
    """One level of the discrete wavelet transform: (batch, channels, time) to (batch, 2 x channels,
    floor((time + 11) / 2)), the approximation of every channel, then the detail of every channel.
    """

    filters: Tensor

    def __init__(self) -> None:
        super().__init__()
        low = torch.tensor(DB6_LOW_PASS, dtype=torch.float64)
        signs = torch.tensor([-1.0, 1.0], dtype=torch.float64).repeat(len(low) // 2)
        high = signs * low.flip(0)  # the quadrature mirror
        filters = torch.stack([low, high]).flip(1)[:, None].float()  # flipped: conv1d correlates
        self.register_buffer("filters", filters, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Filter the extended signal and keep every second output, as PyWavelets does."""
        length = self.filters.shape[-1]
        extended = symmetric(x, length - 1)[..., 1:]
        batch, channels, samples = extended.shape
        both = functional.conv1d(extended.reshape(-1, 1, samples), self.filters, stride=2)
        return both.reshape(batch, channels, 2, -1).transpose(1, 2).flatten(1, 2)


class Standardise(nn.Module):
    """Mean 0 and variance 1 a feature, by the mean and variance of all training batches so far.

    Batches are joined as by Chan, Golub and LeVeque (1983), so that the order does not matter. A
    feature that never varied is only centred, as in scikit-learn.
    """

    mean: Tensor
    variance: Tensor
    count: Tensor

    def __init__(self, features: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(features))
        self.register_buffer("variance", torch.ones(features))
        self.register_buffer("count", torch.zeros((), dtype=torch.long))

    def forward(self, x: Tensor) -> Tensor:
        """Standardise (batch, features); in training the batch is learnt from first."""
        if self.training:
            given = x.detach()
            self.learn(len(given), given.mean(0), given.var(0, correction=0))
        varied = self.variance > _SMALLEST_VARIANCE
        scale = torch.where(varied, self.variance, torch.ones_like(self.variance)).rsqrt()
        return (x - self.mean) * scale

    def learn(self, count: int, mean: Tensor, variance: Tensor) -> None:
        """Join a batch of ``count`` records to those before, by its statistics (features,)."""
        total = self.count + count
        share = count / total
        shift = mean - self.mean
        between = share * (1 - share) * shift.square()
        self.variance.copy_((1 - share) * self.variance + share * variance + between)
        self.mean.add_(share * shift)
        self.count.copy_(total)


@register(
    "wavelet_nn",
    options=WaveletOptions,
    paper=PAPER,
    spec=InputSpec(sampling_rate=100.0, seconds=10.0),
    labels=71,
    output="sigmoid",
    count=count_parameters,
)
class WaveletNetwork(Network):
    """The whole network; features are the dense layer's."""

    def __init__(self, options: WaveletOptions, leads: int, labels: int) -> None:
        super().__init__()
        self.levels = nn.ModuleList(WaveletLevel() for _ in range(options.levels))
        statistics_ = leads * (options.levels + 1) * STATISTICS
        self.standardise = Standardise(statistics_)
        self.dense = nn.Linear(statistics_, options.dense)
        self.dropout = nn.Dropout(options.dropout)
        self.head = nn.Linear(options.dense, labels)

    def decompose(self, x: Tensor) -> list[Tensor]:
        """Coefficients (batch, leads, time): the approximation, then details from deep to fine."""
        details: list[Tensor] = []
        for level in self.levels:
            x, detail = level(x).chunk(2, dim=1)
            details.append(detail)
        return [x, *reversed(details)]

    def features(self, x: Tensor) -> Tensor:
        """(batch, dense): the statistics, standardised, through the dense layer."""
        each = torch.stack([statistics(c) for c in self.decompose(x)], dim=2)
        hidden = functional.relu(self.dense(self.standardise(each.flatten(1))))
        features: Tensor = self.dropout(hidden)
        return features

    @property
    def cam_layer(self) -> nn.Module:
        """The first level's coefficients: (batch, 2 x leads, time), approximations first."""
        return self.levels[0]


def symmetric(x: Tensor, reach: int) -> Tensor:
    """Extend the last axis by ``reach`` on both sides, mirrored about its ends (half-sample), as
    often as it takes."""
    samples = x.shape[-1]
    places = torch.arange(-reach, samples + reach, device=x.device) % (2 * samples)
    return x[..., torch.where(places < samples, places, 2 * samples - 1 - places)]


def statistics(values: Tensor) -> Tensor:
    """(..., time) to (..., 12) in the benchmark's order: entropy of the values' frequencies,
    crossings of zero and of the mean, percentiles, mean, deviation, variance, mean magnitude."""
    mean = values.mean(-1, keepdim=True)
    variance = (values - mean).square().mean(-1)
    ordered = values.sort(dim=-1).values
    numbers = [
        _entropy(ordered.detach()),
        _crossings(values, torch.zeros_like(mean)),
        _crossings(values, mean),
        *(_percentile(ordered, share) for share in PERCENTILES),
        mean.squeeze(-1),
        variance.clamp_min(_SMALLEST_VARIANCE).sqrt(),
        variance,
        values.abs().mean(-1),
    ]
    return torch.stack(numbers, dim=-1)


def _entropy(ordered: Tensor) -> Tensor:
    """In nats, of how often each value occurs; log(time) where all differ."""
    rows = ordered.contiguous()
    ends = torch.searchsorted(rows, rows, right=True)
    alike = ends - torch.searchsorted(rows, rows)
    return -(alike / rows.shape[-1]).log().mean(-1)


def _crossings(values: Tensor, level: Tensor) -> Tensor:
    above = values > level
    return (above[..., 1:] != above[..., :-1]).sum(-1).to(values.dtype)


def _percentile(ordered: Tensor, share: float) -> Tensor:
    """Interpolated linearly between the two nearest of the sorted values, as in NumPy."""
    place = share * (ordered.shape[-1] - 1)
    below = int(place)
    above = min(below + 1, ordered.shape[-1] - 1)
    return torch.lerp(ordered[..., below], ordered[..., above], place - below)
