"""ECGencode (Bontinck, Fonteyn, Dhaene, Deschrijver 2024), models 1 and 2.

A filter bank (temporal convolution per lead), spatial filters (augmented leads, one weight a
recorded lead and channel), and two depthwise separable feature convolutions. Nothing is biased;
batch norm stands before each block's convolution, over leads in the spatial block and over channels
in the feature blocks. Counts are exact: encoder 6,960 and 8,624, models 8,242 and 133,495 numbers.

Temporal convolution, lead norm (in eval) and spatial convolution are linear, so the order is free:
in eval the leads are mixed first and only the augmented leads are filtered. Filters are
applied in the frequency domain, where a strided result costs a short inverse transform only.

Settled where the paper is silent: the two directions' last LSTM states are concatenated; the dense
layer of model 2 follows the batch norm directly; drop-out 0.1 and noise 0.5 (mean 1, deviation
0.1).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from ecgcore.layers import (
    SpatialDropout,
    SpatialGaussianNoise,
    kernel_spectra,
    pad_same,
    signal_spectra,
    strided_inverse,
)
from ecgcore.models.input_spec import InputSpec
from ecgcore.models.network import Network, count_numbers
from ecgcore.models.registry import register

PAPER = "Bontinck et al. 2024, ECGencode"
ENCODE_SPEC = InputSpec(sampling_rate=500.0, seconds=10.0)

LEAD_AXIS, CHANNEL_AXIS = 2, 1
"""Axes of the (batch, channels, leads, time) tensors between the blocks."""


@dataclass(frozen=True)
class FeatureOptions:
    """One depthwise separable convolution."""

    kernel: int
    stride: int
    outputs: int
    multiplier: int = 1


@dataclass(frozen=True)
class ECGencodeOptions:
    """Shape and regularisation of an ECGencode network; the defaults are model 1's."""

    kernels: tuple[int, ...] = (16, 64, 256, 1024)
    channels_per_kernel: int = 4
    stride: int = 8
    augmented_leads: int = 4
    feature_1: FeatureOptions = FeatureOptions(kernel=32, stride=8, outputs=4)
    feature_2: FeatureOptions = FeatureOptions(kernel=8, stride=2, outputs=4)
    lstm_units: int = 0
    dropout: float = 0.1
    noise: float = 0.5
    noise_deviation: float = 0.1


@dataclass(frozen=True)
class ECGencode2Options(ECGencodeOptions):
    """Model 2: five augmented leads, more channels, a bidirectional LSTM."""

    augmented_leads: int = 5
    feature_1: FeatureOptions = FeatureOptions(kernel=16, stride=4, outputs=16)
    feature_2: FeatureOptions = FeatureOptions(kernel=16, stride=2, outputs=32, multiplier=2)
    lstm_units: int = 64


class Front(nn.Module):
    """Temporal convolution, lead batch norm, spatial convolution.

    (batch, leads, samples) to (batch, channels, augmented leads, time). ``mix_first`` False takes
    the published order outside training too.
    """

    def __init__(self, options: ECGencodeOptions, leads: int) -> None:
        super().__init__()
        self.stride = options.stride
        self.temporal = nn.ParameterList(
            _fresh(options.channels_per_kernel, 1, kernel).squeeze(1) for kernel in options.kernels
        )
        channels = len(options.kernels) * options.channels_per_kernel
        self.lead_norm = LeadNorm(leads)
        self.spatial = nn.Parameter(_fresh(channels, options.augmented_leads, leads))
        self.mix_first = True
        self._known_spectra: tuple[tuple[object, ...], Tensor] | None = None

    def forward(self, x: Tensor) -> Tensor:
        """In training the lead norm needs every lead's filtered signal, else leads are mixed
        first.
        """
        if self.training or not self.mix_first:
            return self.leads_apart(x)
        scale, shift = self.lead_norm.affine()
        spectra = self._spectra(x.shape[-1])
        leads = torch.view_as_real(signal_spectra(x, spectra)).flatten(2)
        mixed = torch.matmul((self.spatial * scale).flatten(0, 1), leads)
        shape = (len(x), *self.spatial.shape[:2], -1, 2)
        mixed = torch.view_as_complex(mixed.reshape(shape))
        filtered = strided_inverse(mixed * spectra[:, None], self.stride, self._time(x))
        return filtered + (self.spatial @ shift)[..., None]

    def leads_apart(self, x: Tensor) -> Tensor:
        """The three steps in the published order."""
        if self.training:
            spectra = self._spectra(x.shape[-1])
            products = signal_spectra(x, spectra)[:, None] * spectra[:, None]
            per_lead = strided_inverse(products, self.stride, self._time(x))
        else:
            per_lead = torch.cat([self._convolve(x, kernels) for kernels in self.temporal], dim=1)
        return torch.einsum("cgl,bclt->bcgt", self.spatial, self.lead_norm(per_lead))

    def _convolve(self, x: Tensor, kernels: Tensor) -> Tensor:
        """One kernel length, directly: (batch, leads, samples) to (batch, channels, leads,
        time).
        """
        signals = pad_same(x, kernels.shape[-1], self.stride).flatten(0, 1)[:, None]
        filtered = functional.conv1d(signals, kernels[:, None], stride=self.stride)
        return filtered.reshape(*x.shape[:2], *filtered.shape[1:]).transpose(1, 2)

    def _spectra(self, samples: int) -> Tensor:
        """The kernels' spectra; without gradients they are computed once for unchanged kernels."""
        if torch.is_grad_enabled():
            return kernel_spectra(self.temporal, samples, self.stride)
        state = (samples, *((k.data_ptr(), k._version) for k in self.temporal))
        if self._known_spectra is None or self._known_spectra[0] != state:
            self._known_spectra = state, kernel_spectra(self.temporal, samples, self.stride)
        return self._known_spectra[1]

    def _time(self, x: Tensor) -> int:
        return -(-x.shape[-1] // self.stride)


class LeadNorm(nn.Module):
    """Batch norm with one mean, variance, scale and shift a lead; (batch, channels, leads,
    time).
    """

    def __init__(self, leads: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(leads)

    def forward(self, x: Tensor) -> Tensor:
        """Normalise over batch, channels and time."""
        normed: Tensor = self.norm(x.transpose(1, 2)).transpose(1, 2)
        return normed

    def affine(self) -> tuple[Tensor, Tensor]:
        """The scale and shift a lead that ``forward`` applies in eval."""
        norm = self.norm
        assert norm.running_mean is not None and norm.running_var is not None
        scale = norm.weight * torch.rsqrt(norm.running_var + norm.eps)
        return scale, norm.bias - norm.running_mean * scale


class FeatureBlock(nn.Module):
    """Batch norm over channels, slice regularisation, depthwise then pointwise convolution in
    time.
    """

    def __init__(
        self, channels: int, options: FeatureOptions, regularisation: ECGencodeOptions, axis: int
    ) -> None:
        super().__init__()
        self.options = options
        self.norm = nn.BatchNorm2d(channels)
        self.dropout = SpatialDropout(axis, regularisation.dropout)
        self.noise = SpatialGaussianNoise(
            axis, regularisation.noise, deviation=regularisation.noise_deviation
        )
        deep = channels * options.multiplier
        self.depthwise = nn.Conv2d(
            channels,
            deep,
            (1, options.kernel),
            stride=(1, options.stride),
            groups=channels,
            bias=False,
        )
        self.pointwise = nn.Conv2d(deep, options.outputs, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, leads, time) to (batch, outputs, leads, ceil(time / stride))."""
        x = self.noise(self.dropout(self.norm(x)))
        x = pad_same(x, self.options.kernel, self.options.stride)
        out: Tensor = self.pointwise(self.depthwise(x))
        return out


@register(
    "ecgencode_m1",
    options=ECGencodeOptions,
    paper=PAPER,
    spec=ENCODE_SPEC,
    labels=2,
    output="softmax",
    count=count_numbers,
)
@register(
    "ecgencode_m2",
    options=ECGencode2Options,
    paper=PAPER,
    spec=ENCODE_SPEC,
    labels=71,
    output="sigmoid",
    count=count_numbers,
)
class ECGencode(Network):
    """The encoder and one of the paper's two heads (flat, or LSTM where ``lstm_units`` is not
    0).
    """

    cam_keeps_leads = True

    def __init__(self, options: ECGencodeOptions, leads: int, labels: int) -> None:
        super().__init__()
        self.options = options
        channels = len(options.kernels) * options.channels_per_kernel
        self.front = Front(options, leads)
        self.feature_1 = FeatureBlock(channels, options.feature_1, options, LEAD_AXIS)
        self.feature_2 = FeatureBlock(
            options.feature_1.outputs, options.feature_2, options, CHANNEL_AXIS
        )
        width = options.augmented_leads * options.feature_2.outputs
        if options.lstm_units:
            self.lstm: nn.LSTM | None = _keras_lstm(width, options.lstm_units)
            self.state_norm = nn.BatchNorm1d(2 * options.lstm_units)
            self.head = nn.Linear(2 * options.lstm_units, labels)
        else:
            self.lstm = None
            self.head = nn.Linear(width * self._latent_time(), labels)

    def encode(self, x: Tensor) -> Tensor:
        """The latent space, (batch, augmented leads, time, channels), each number in 0..1."""
        out = functional.elu(self.front(x))
        out = functional.elu(self.feature_1(out))
        return torch.sigmoid(self.feature_2(out)).permute(0, 2, 3, 1)

    def features(self, x: Tensor) -> Tensor:
        """(batch, features): the flat latent space, or the LSTM's normed last states."""
        latent = self.encode(x)
        if self.lstm is None:
            return latent.flatten(1)
        sequence = latent.transpose(1, 2).flatten(2)
        _, (state, _) = self.lstm(sequence)
        normed: Tensor = self.state_norm(torch.cat([state[0], state[1]], dim=1))
        return normed

    @property
    def cam_layer(self) -> nn.Module:
        """The lead norm: the last place where the recorded leads are apart."""
        return self.front.lead_norm

    @contextmanager
    def as_published(self) -> Iterator[None]:
        """Filter every lead, then norm, then mix, each by its own module."""
        self.front.mix_first = False
        try:
            yield
        finally:
            self.front.mix_first = True

    def _latent_time(self) -> int:
        time = ENCODE_SPEC.samples
        for stride in (
            self.options.stride,
            self.options.feature_1.stride,
            self.options.feature_2.stride,
        ):
            time = -(-time // stride)
        return time


def _fresh(*shape: int) -> Tensor:
    weights = torch.empty(*shape)
    nn.init.xavier_uniform_(weights)
    return weights


def _keras_lstm(inputs: int, units: int) -> nn.LSTM:
    """A bidirectional LSTM with one bias a gate: torch's second one is zero and frozen."""
    lstm = nn.LSTM(inputs, units, batch_first=True, bidirectional=True)
    for name, weight in lstm.named_parameters():
        if name.startswith("bias_hh"):
            nn.init.zeros_(weight)
            weight.requires_grad_(False)
    return lstm
