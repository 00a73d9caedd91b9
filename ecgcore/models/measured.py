"""What networks that are told measured biomarkers have in common.

The biomarkers (see ``biomarkers``) stand behind all their other features. One that was not measured
counts as usual: as the median of the training records.
"""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ecgcore.models.aside import AsideName, aside_columns
from ecgcore.models.network import AsideNetwork

MEASURED_ASIDE: tuple[AsideName, ...] = ("biomarkers",)
COLUMNS = len(aside_columns(MEASURED_ASIDE))


class MeasuredNetwork(AsideNetwork):
    """A network that is told biomarkers; the last COLUMNS of its features say them."""

    aside = MEASURED_ASIDE

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("medians", torch.zeros(COLUMNS))

    def measured(self, aside: Tensor | None, records: int) -> Tensor:
        """Biomarkers (batch, columns) as features: here themselves, gaps filled."""
        medians = self.get_buffer("medians")
        if aside is None:
            return medians.expand(records, -1)
        return torch.where(aside.isfinite(), aside, medians)

    @property
    def usual(self) -> Tensor:
        """These features (columns,) where nothing is known."""
        return self.measured(None, 1)[0]


@runtime_checkable
class TakesUsualValues(Protocol):
    """A network to which training tells what is usual."""

    def set_usual_values(self, medians: NDArray[np.float32], spread: NDArray[np.float64]) -> None:
        """Take the training records' medians and standard deviations (columns,), and keep them with
        the weights."""


class ScaledMeasuredNetwork(MeasuredNetwork):
    """One that is told how far from the usual each biomarker is.

    As arsinh((value - median) / standard deviation), so that a false measurement far off weighs
    little; 0 where it is not known, or never varied among the training records.
    """

    def __init__(self) -> None:
        super().__init__()
        # 1 / deviation, in 64 bits, which no file of weights halves: half could not hold it.
        self.register_buffer("steepness", torch.ones(COLUMNS, dtype=torch.float64))

    def set_usual_values(self, medians: NDArray[np.float32], spread: NDArray[np.float64]) -> None:
        """Take the training records' medians and standard deviations (columns,)."""
        self.get_buffer("medians").copy_(torch.from_numpy(medians))
        self.get_buffer("steepness").copy_(torch.from_numpy(1 / spread))

    def measured(self, aside: Tensor | None, records: int) -> Tensor:
        """How far each biomarker is from the usual, (batch, columns)."""
        away = super().measured(aside, records) - self.get_buffer("medians")
        return (away * self.get_buffer("steepness").to(away.dtype)).asinh()
