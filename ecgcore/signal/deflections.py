"""Q, R, S, R' and S' of one QRS complex.

A deflection is a stretch on one side of the level before the complex; it counts as a wave from 20
uV and 6 ms on (IEC 60601-2-25:2011, annex on wave definitions), or from what stands clear of the
noise. Isoelectric stretches at either end belong to no wave, and what only falls from the PR
segment's own level, or rises to the ST segment's, is none. The first wave is Q if it points down,
the first up is R, then S, R' and S' follow in turn. One downward wave alone is QS.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_Values = NDArray[np.float64]

LEAST_MV = 0.02
LEAST_MS = 6.0
ABOVE_NOISE = 3.0
"""A wave is at least this many standard errors of the median beat high."""
_EDGE_SHARE = 0.5
"""A wave begins and ends where it passes this share of the least height."""
_NOTCH_SHARE = 0.04
"""A dip this deep, of the R wave, makes two peaks."""
_NOTCH_APART_MS = 8.0
_TOP_SHARE = 0.85
"""A plateau: the part of R above this share lasts over the time below, and over the next of R."""
_PLATEAU_MS = 30.0
_PLATEAU_OF_R = 0.42


@dataclass(frozen=True)
class Deflection:
    """One wave: its signed extreme in mV, where (ms), and from ``start`` to ``stop`` (ms)."""

    height: float
    peak: float
    start: float
    stop: float

    @property
    def ms(self) -> float:
        """Duration in ms."""
        return self.stop - self.start


@dataclass(frozen=True)
class QrsWaves:
    """The waves of a complex by name (q, r, s, r2, s2); ``qs`` whether q is all there is."""

    waves: dict[str, Deflection]
    qs: bool


def least_height(noise: float, relative: float | None = None) -> float:
    """The least height of a wave in mV. ``relative``: peak to peak where its scale is unknown."""
    least = LEAST_MV if relative is None else LEAST_MV * relative
    return max(least, ABOVE_NOISE * noise)


def qrs_waves(values: _Values, least: float, least_ms: float = LEAST_MS) -> QrsWaves:
    """The waves in ``values``, a complex at 1 kHz above its level, in mV.

    A wave is at least ``least`` mV high and lasts ``least_ms``.
    """
    waves: dict[str, Deflection] = {}
    for one in _deflections(values, least, least_ms):
        name = _next_name(waves, one.height > 0)
        if name is None:
            continue
        if name not in waves or abs(one.height) > abs(waves[name].height):
            waves[name] = one
    return QrsWaves(waves, set(waves) == {"q"})


def _next_name(waves: dict[str, Deflection], up: bool) -> str | None:
    """What the next deflection is; None where the scheme has no name any more."""
    last = list(waves)[-1] if waves else ""
    if up:
        return {"": "r", "q": "r", "r": "r", "s": "r2", "r2": "r2"}.get(last)
    return {"": "q", "q": "q", "r": "s", "s": "s", "r2": "s2", "s2": "s2"}[last]


def _deflections(values: _Values, least: float, least_ms: float) -> list[Deflection]:
    """All waves in time order."""
    if not len(values) or not np.isfinite(values).all():
        return []
    sides = np.sign(values)
    bounds = np.concatenate([[0], np.flatnonzero(np.diff(sides)) + 1, [len(values)]])
    found = []
    for start, stop in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
        wave = _wave(values, start, stop, least)
        if wave is not None and wave.ms >= least_ms:
            found.append(wave)
    return found


def _wave(values: _Values, start: int, stop: int, least: float) -> Deflection | None:
    part = values[start:stop]
    size = np.abs(part)
    top = int(np.argmax(size))
    if size[top] < least:
        return None
    ends = [0] if start == 0 else []
    ends += [-1] if stop == len(values) else []
    if any(size[top] < size[end] + least for end in ends):
        return None  # falling from the PR segment or rising into the ST segment: their level
    inside = np.flatnonzero(size >= _EDGE_SHARE * least)
    first, last = start + int(inside[0]), start + int(inside[-1])
    begin, end = _edge(values, first, -1, least), _edge(values, last, 1, least)
    return Deflection(float(part[top]), float(start + top), begin, end)


def _edge(values: _Values, inside: int, step: int, least: float) -> float:
    """Where the wave passes its edge level beyond ``inside``, to a fraction of a ms."""
    outside = inside + step
    if not 0 <= outside < len(values):
        return float(inside)
    level = float(np.copysign(_EDGE_SHARE * least, values[inside]))
    rise = float(values[inside] - values[outside])
    share = float(np.clip((values[inside] - level) / rise, 0, 1)) if rise else 0.0
    return inside + step * share


def r_peaks(values: _Values, wave: Deflection, least: float) -> NDArray[np.intp]:
    """Peaks of one R wave, in ms: more than one where it is notched."""
    from scipy.signal import find_peaks

    start, stop = int(np.floor(wave.start)), int(np.ceil(wave.stop)) + 1
    part = np.concatenate([[0.0], values[max(start, 0) : stop], [0.0]])
    prominence = max(_NOTCH_SHARE * wave.height, least)
    peaks, _ = find_peaks(part, prominence=prominence, distance=_NOTCH_APART_MS)
    tall = peaks[part[peaks] > 0.25 * wave.height]
    return tall - 1 + max(start, 0)


def is_notched(values: _Values, wave: Deflection, peaks: NDArray[np.intp]) -> bool:
    """Whether an R wave of these ``peaks`` has two, or a plateau instead (slurred at its top)."""
    if len(peaks) > 1:
        return True
    start, stop = int(np.floor(wave.start)), int(np.ceil(wave.stop)) + 1
    top = int(np.sum(values[max(start, 0) : stop] >= _TOP_SHARE * wave.height))
    return top >= _PLATEAU_MS and top >= _PLATEAU_OF_R * wave.ms
