"""Blocks that two or more networks share. Tensors are (batch, ..., samples)."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.nn import functional


def pad_same(x: Tensor, kernel: int, stride: int) -> Tensor:
    """Zero-pad the last axis so that a strided filter gives ceil(samples / stride) outputs.

    The odd sample of padding goes to the end, as in TensorFlow's "same".
    """
    samples = int(x.shape[-1])
    outputs = -(-samples // stride)
    padding = max((outputs - 1) * stride + kernel - samples, 0)
    padded: Tensor = functional.pad(x, [padding // 2, padding - padding // 2])
    return padded


def strided_correlation(x: Tensor, kernels: Tensor, stride: int) -> Tensor:
    """Correlate (..., C or 1, samples) with ``kernels`` (C, length), zero-padded "same".

    Returns (..., C, ceil(samples / stride)); ``stride`` must be even. Equals a strided convolution,
    computed in the frequency domain.
    """
    spectra = kernel_spectra([kernels], x.shape[-1], stride)
    return strided_inverse(signal_spectra(x, spectra) * spectra, stride, -(-x.shape[-1] // stride))


def kernel_spectra(kernels: Iterable[Tensor], samples: int, stride: int) -> Tensor:
    """Half spectra (all kernels, frequencies) of (C, length) kernels of any lengths.

    Times ``signal_spectra`` of (..., samples) they correlate; each kernel is placed so that the
    result is padded "same".
    """
    if stride % 2:
        raise ValueError(f"stride {stride}; only even strides fold into whole half spectra")
    kernels = list(kernels)
    outputs = -(-samples // stride)
    before = [max((outputs - 1) * stride + k.shape[-1] - samples, 0) // 2 for k in kernels]
    reach = max(k.shape[-1] - left for k, left in zip(kernels, before, strict=True))
    size = _fast_length(-(-(samples + max(reach, *before, 0)) // stride)) * stride
    placed = [
        functional.pad(k, [0, size - k.shape[-1]]).roll(-left, -1)
        for k, left in zip(kernels, before, strict=True)
    ]
    spectra: Tensor = torch.fft.rfft(torch.cat(placed)).conj().resolve_conj()
    return spectra


def signal_spectra(x: Tensor, spectra: Tensor) -> Tensor:
    """Half spectra (..., frequencies) of (..., samples), as long as ``kernel_spectra``'s."""
    transformed: Tensor = torch.fft.rfft(x, n=2 * (spectra.shape[-1] - 1))
    return transformed


def strided_inverse(spectrum: Tensor, stride: int, outputs: int) -> Tensor:
    """Every ``stride``-th sample of the signal of a half spectrum, (..., outputs).

    The spectrum is folded ``stride``-fold, so that only the kept samples are transformed back.
    """
    folded = 2 * (spectrum.shape[-1] - 1) // stride
    samples: Tensor = torch.fft.irfft(_fold(spectrum, folded, stride), n=folded)
    return samples[..., :outputs]


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
