"""Blocks that two or more networks share. Tensors are (batch, ..., samples)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


def pad_same(x: Tensor, kernel: int, stride: int) -> Tensor:
    """Zero-pad the last axis so that a strided filter gives ceil(samples / stride) outputs.

    The odd sample of padding goes to the end, as in TensorFlow's "same".
    """
    outputs = -(-x.shape[-1] // stride)
    padding = max((outputs - 1) * stride + kernel - x.shape[-1], 0)
    padded: Tensor = functional.pad(x, [padding // 2, padding - padding // 2])
    return padded


def strided_correlation(x: Tensor, kernels: Tensor, stride: int) -> Tensor:
    """Correlate (..., C or 1, samples) with ``kernels`` (C, length), zero-padded "same".

    Returns (..., C, ceil(samples / stride)); ``stride`` must be even. Computed in the frequency
    domain: the spectrum of the product is folded ``stride``-fold, so that only the kept samples are
    transformed back.
    """
    if stride % 2:
        raise ValueError(f"stride {stride}; only even strides fold into whole half spectra")
    outputs = -(-x.shape[-1] // stride)
    padded = pad_same(x, kernels.shape[-1], stride)
    folded = _fast_length(-(-padded.shape[-1] // stride))
    size = folded * stride
    spectrum = torch.fft.rfft(padded, n=size) * torch.fft.rfft(kernels, n=size).conj()
    return torch.fft.irfft(_fold(spectrum, folded, stride), n=folded)[..., :outputs]


def _fold(spectrum: Tensor, folded: int, stride: int) -> Tensor:
    """Half spectrum of every ``stride``-th sample, from the half spectrum of all samples.

    Keeping every stride-th sample adds up the aliases Y[m + r * folded], r = 0..stride-1; those
    beyond the Nyquist frequency are the conjugates of Y[(stride - r) * folded - m].
    """
    half = folded // 2
    rows = (*spectrum.shape[:-1], stride // 2, folded)
    lower = spectrum[..., :-1].reshape(rows)[..., : half + 1]
    upper = spectrum[..., 1:].reshape(rows)[..., folded - half - 1 :]
    total: Tensor = lower.sum(-2) + upper.flip(-1).sum(-2).conj()
    return total / stride


def _fast_length(samples: int) -> int:
    """The next even length whose only prime factors are 2, 3 and 5."""
    size = samples + samples % 2
    while True:
        rest = size
        for prime in (2, 3, 5):
            while rest % prime == 0:
                rest //= prime
        if rest == 1:
            return size
        size += 2


class SpatialGaussianNoise(nn.Module):
    """Multiplicative Gaussian noise on whole slices of one axis; only in training.

    Each slice along ``axis`` of each record is, with ``probability``, multiplied elementwise by
    normal numbers of ``mean`` and ``deviation`` (Bontinck et al. 2024, section 3.2.2).
    """

    def __init__(
        self, axis: int, probability: float, mean: float = 1.0, deviation: float = 0.1
    ) -> None:
        super().__init__()
        if axis < 1:
            raise ValueError(f"axis {axis}; slices are taken along axis 1 or later")
        self.axis, self.probability = axis, probability
        self.mean, self.deviation = mean, deviation

    def forward(self, x: Tensor) -> Tensor:
        """Noise the chosen slices of (batch, ...)."""
        if not self.training or self.probability == 0:
            return x
        chosen = torch.rand(_slices(x, self.axis), device=x.device) < self.probability
        noise = torch.randn_like(x) * self.deviation + self.mean
        return torch.where(chosen, x * noise, x)


class SpatialDropout(nn.Module):
    """Dropout of whole slices of one axis (Tompson et al. 2015); only in training."""

    def __init__(self, axis: int, probability: float) -> None:
        super().__init__()
        self.axis, self.probability = axis, probability

    def forward(self, x: Tensor) -> Tensor:
        """Zero the chosen slices of (batch, ...), scale the others up."""
        if not self.training or self.probability == 0:
            return x
        kept = torch.rand(_slices(x, self.axis), device=x.device) >= self.probability
        return x * kept / (1 - self.probability)


def _slices(x: Tensor, axis: int) -> list[int]:
    """Shape of one number a record and slice."""
    return [size if i in (0, axis) else 1 for i, size in enumerate(x.shape)]
