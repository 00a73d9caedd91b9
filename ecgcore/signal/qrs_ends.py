"""Where the QRS complex visibly begins and ends on the median beat.

Marks made lead by lead on single beats carry a margin of noise: people put onsets early and offsets
late, and a network learns it from them. On the median beat the noise is gone, so that the marked
complex can be trimmed to where it leaves the line before it and joins the line after it, by more
than 20 uV (the least wave of IEC 60601-2-25:2011) in two leads or more. It is never widened. Where
noise is left on the median beat, a wave must stand out of its own noise and of the line's: the line
is drawn through few samples, and an end of it that noise tilts is no wave.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ecgcore.signal.amplitudes import FineBeat
from ecgcore.signal.deflections import ABOVE_NOISE, LEAST_MV

_Values = NDArray[np.float64]

MOST_TRIMMED_MS = 16.0
"""At each end; more would be a slurred part, not a margin."""
_LINE_MS = (4, 28)
"""The lines lie this far outside of the marks."""
_LEADS = 2
_LASTS_MS = 4
_VISIBLE_MS = 2.0
"""A wave needs about this long to rise to 20 uV."""
_OF_MEDIAN = np.pi / 2
"""The variance of a median of normal values, in that of their mean."""


def trimmed_qrs(
    beat: FineBeat, size_known: bool, computed: Collection[str] = ()
) -> tuple[float, float]:
    """QRS onset and offset in ms of the fine beat, within its marked borders.

    Leads that were ``computed`` from others do not confirm them.
    ``size_known``: heights are millivolts; else 2 % of each lead's complex stands for 20 uV.
    """
    onset, offset = beat.borders["QRS"]
    starts, stops = [], []
    for lead, row, noise in zip(beat.leads, beat.signal, beat.noise, strict=True):
        if lead in computed:
            continue
        inside = row[max(round(onset), 0) : round(offset) + 1]
        size = 1.0 if size_known or not len(inside) else float(np.ptp(inside))
        edge = Edge(row, float(noise), beat.sample_ms, LEAST_MV * size)
        starts.append(edge.margin_ms(round(onset), 1, MOST_TRIMMED_MS + _VISIBLE_MS))
        stops.append(edge.margin_ms(round(offset), -1, MOST_TRIMMED_MS + _VISIBLE_MS))
    return onset + _trim(starts), offset - _trim(stops)


def _trim(margins: list[float]) -> float:
    """What to take off: to where the second lead is clear, or the only one."""
    second = sorted(margins)[min(_LEADS, len(margins)) - 1]
    return min(max(second - _VISIBLE_MS, 0.0), MOST_TRIMMED_MS)


@dataclass(frozen=True)
class Edge:
    """A lead of the fine beat, asked where a wave leaves the line.

    ``row`` (ms,) and the standard error ``noise`` in mV, ``sample_ms`` between the samples that it
    was made of, ``least`` the height in mV that counts at all.
    """

    row: _Values
    noise: float
    sample_ms: float
    least: float

    def margin_ms(self, mark: int, inward: int, reach: float) -> float:
        """Ms inward from the mark until the lead leaves the line outside it for good; 0 if unknown.

        ``inward`` 1 for an onset and -1 for an offset; ``reach`` is the answer where the lead stays
        on the line so long. Before a wave the line is level, for another wave's end may slope;
        after it the ST segment's slope is followed.
        """
        outside = -inward * np.arange(*_LINE_MS)
        within = inward * np.arange(int(reach) + _LASTS_MS)
        both = mark + np.concatenate([outside, within])
        row = self.row
        if both.min() < 0 or both.max() >= len(row) or not np.isfinite(row[both]).all():
            return 0.0
        samples = len(outside) / self.sample_ms
        line = np.full(len(within), float(np.median(row[mark + outside])))
        variance = np.full(len(within), _OF_MEDIAN / samples)
        if inward < 0:
            slope, level = np.polyfit(outside, row[mark + outside], 1)
            line = level + slope * within
            apart = (within - outside.mean()) ** 2 / outside.var()
            variance = (1 + apart) / samples  # of a straight line drawn on, Draper and Smith 1998
        least = np.maximum(self.least, ABOVE_NOISE * self.noise * np.sqrt(1 + variance))
        away = np.abs(row[mark + within] - line) > least
        lasting = np.convolve(away, np.ones(_LASTS_MS), mode="valid") == _LASTS_MS
        return float(np.argmax(lasting)) if lasting.any() else reach
