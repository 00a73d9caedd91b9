"""Delineation: where every P wave, QRS complex and T wave begins, peaks and ends.

Global waves are what the leads together show; each lead then says which of them it shows itself.
Rows are aligned: row k of a lead's P waves is the global P wave k as that lead sees it. A wave that
a lead does not show is marked absent there (a row of NaN), never guessed from another lead.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

Wave = Literal["P", "QRS", "T"]
WAVES: tuple[Wave, ...] = get_args(Wave)
ONSET, PEAK, OFFSET = 0, 1, 2

Marks = NDArray[np.float64]
"""(waves, 3): onset, peak, offset in samples of the recording, fractions allowed; NaN is absent."""
WaveMarks = Mapping[Wave, Marks]


@dataclass(frozen=True)
class Delineation:
    """The waves of a recording; positions are samples at ``sampling_rate``, counted from 0.

    ``overall`` holds the global waves in time order, ``leads`` the same rows lead by lead.
    ``unread`` names the leads that were not delineated, each with the reason; they have no entry
    in ``leads``. ``warnings`` are sentences about the whole.
    """

    method: str
    sampling_rate: float
    samples: int
    overall: WaveMarks
    leads: Mapping[str, WaveMarks]
    unread: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for wave in WAVES:
            rows = self.overall[wave].shape
            for marks in (self.overall[wave], *(lead[wave] for lead in self.leads.values())):
                if marks.shape != rows or marks.ndim != 2 or marks.shape[1] != 3:
                    raise ValueError(f"{wave} marks of shape {marks.shape} beside {rows}")
                marks.setflags(write=False)


def shown(marks: Marks) -> Marks:
    """Only the waves that are there, (waves, 3)."""
    present: Marks = marks[~np.isnan(marks[:, PEAK])]
    return present
