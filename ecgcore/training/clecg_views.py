"""Views of a signal for contrastive pre-training: CLECG's random crop and wavelet transform (Chen
et al. 2021).

The publication names both; how strong they were, and what was done to the wavelet coefficients, is
settled here. A crop keeps a share of the recording, from a random start in each record. The
wavelet transform is the undecimated one (Holschneider et al. 1989, "a trous", with the cubic
B-spline's filter), whose bands add up to the signal exactly at any length; each band is multiplied
by a random gain, and the bands are added again. A record's leads share start and gains, so that
what binds leads (III = II - I) holds in every view, and rhythm keeps its pace: nothing is
stretched.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Generator, Tensor
from torch.nn import functional

_SPLINE = (1 / 16, 4 / 16, 6 / 16, 4 / 16, 1 / 16)


@dataclass(frozen=True)
class ViewOptions:
    """``crop`` is the share that is kept; ``keep_length`` fills the rest with zeros, for a network
    that takes one length only. ``levels`` halve the frequency each (6 at 100 Hz leave what is below
    about 0.5 Hz), and gains lie in 1 - ``spread`` .. 1 + ``spread``.
    """

    crop: float = 0.5
    keep_length: bool = False
    levels: int = 6
    spread: float = 0.5

    def __post_init__(self) -> None:
        if not 0 < self.crop <= 1:
            raise ValueError(f"crop {self.crop}; must lie in 0..1 (0 excluded)")
        if self.levels < 0 or not 0 <= self.spread <= 1:
            raise ValueError(
                f"levels {self.levels}, spread {self.spread}; give 0 or more levels and a spread "
                "in 0..1"
            )


def view(batch: Tensor, options: ViewOptions, generator: Generator) -> Tensor:
    """A changed copy of (batch, leads, samples); each record is changed in its own way."""
    cropped = random_crop(batch, options.crop, generator)
    changed = perturb_bands(cropped, options.levels, options.spread, generator)
    missing = batch.shape[-1] - changed.shape[-1]
    return functional.pad(changed, [0, missing]) if options.keep_length else changed


def random_crop(batch: Tensor, share: float, generator: Generator) -> Tensor:
    """A stretch of ``share`` of the samples, at least one, from a random start a record."""
    records, leads, samples = batch.shape
    kept = max(1, round(share * samples))
    starts = torch.randint(samples - kept + 1, (records,), generator=generator)
    columns = (starts[:, None] + torch.arange(kept)).to(batch.device)
    return batch.gather(2, columns[:, None, :].expand(-1, leads, -1))


def perturb_bands(batch: Tensor, levels: int, spread: float, generator: Generator) -> Tensor:
    """Each band times a random gain, one a record and band, added up again."""
    bands = wavelet_bands(batch, levels)
    gains = 1 + spread * (2 * torch.rand(len(batch), len(bands), generator=generator) - 1)
    gains = gains.to(batch)
    return torch.stack(bands, dim=1).mul(gains[:, :, None, None]).sum(1)


def wavelet_bands(batch: Tensor, levels: int) -> list[Tensor]:
    """Details from fine to coarse, then what remains, each (batch, leads, samples); they add up to
    the signal. Beyond its ends the signal keeps its first and last value.
    """
    filter_ = batch.new_tensor(_SPLINE)[None, None]
    rest, bands = batch.flatten(0, 1)[:, None], []
    for level in range(levels):
        reach = 2 ** (level + 1)
        extended = functional.pad(rest, [reach, reach], mode="replicate")
        smooth = functional.conv1d(extended, filter_, dilation=2**level)
        bands.append(rest - smooth)
        rest = smooth
    return [band.reshape(batch.shape) for band in (*bands, rest)]
