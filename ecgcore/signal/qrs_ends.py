"""Where the QRS complex visibly begins and ends on the median beat.

Marks made lead by lead on single beats carry a margin of noise: people put onsets early and offsets
late, and a network learns it from them. On the median beat the noise is gone, so that the marked
complex can be trimmed to where it leaves the line before it and joins the line after it, by more
than 20 uV (the least wave of IEC 60601-2-25:2011) in two leads or more. It is never widened.
"""

from __future__ import annotations

from collections.abc import Collection

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
        least = max(LEAST_MV * size, ABOVE_NOISE * float(noise))
        starts.append(margin_ms(row, round(onset), 1, least, MOST_TRIMMED_MS + _VISIBLE_MS))
        stops.append(margin_ms(row, round(offset), -1, least, MOST_TRIMMED_MS + _VISIBLE_MS))
    return onset + _trim(starts), offset - _trim(stops)


def _trim(margins: list[float]) -> float:
    """What to take off: to where the second lead is clear, or the only one."""
    second = sorted(margins)[min(_LEADS, len(margins)) - 1]
    return min(max(second - _VISIBLE_MS, 0.0), MOST_TRIMMED_MS)


def margin_ms(
    row: NDArray[np.float64], mark: int, inward: int, least: float, reach: float
) -> float:
    """Ms inward from the mark until the lead leaves the line outside it for good; 0 if unknown.

    ``row`` (ms,) in mV, ``inward`` 1 for an onset and -1 for an offset; ``reach`` is the answer
    where the lead stays within ``least`` (mV) of the line so long. Before a wave the line is level,
    for another wave's end may slope; after it the ST segment's slope is followed.
    """
    outside = mark - inward * np.arange(*_LINE_MS)
    within = mark + inward * np.arange(int(reach) + _LASTS_MS)
    both = np.concatenate([outside, within])
    if both.min() < 0 or both.max() >= len(row) or not np.isfinite(row[both]).all():
        return 0.0
    line = np.full(len(within), float(np.median(row[outside])))
    if inward < 0:
        slope, level = np.polyfit(outside - mark, row[outside], 1)
        line = level + slope * (within - mark)
    away = np.abs(row[within] - line) > least
    lasting = np.convolve(away, np.ones(_LASTS_MS), mode="valid") == _LASTS_MS
    return float(np.argmax(lasting)) if lasting.any() else reach
