"""The delta wave: a slow beginning of the QRS complex, as of a ventricle excited from its side.

Over an accessory pathway excitation starts in muscle, not in the fast conduction system, so that
the complex begins slurred (Surawicz et al., AHA/ACCF/HRS Recommendations, Part III, J Am Coll
Cardiol 2009;53:976-981). The slur lasts from QRS onset until the leads together become steep.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ecgcore.signal.amplitudes import FineBeat

STEEP_SHARE = 0.4
"""Of the greatest steepness of the complex: the fast part has begun."""
SHORTEST_MS = 36.0
"""Nine of ten usual complexes are steep sooner (PTB-XL, 57 recordings; 37 ms in one with WPW)."""
_SMOOTH_MS = 7


def initial_slur_ms(beat: FineBeat, limits: Sequence[float] = (1.0,)) -> float:
    """Duration of the slurred initial part of the QRS complex in ms, 0 if there is none.

    ``limits`` are multiples, up to 2, of both limits above; of several the mean is given.
    """
    steepness = _steepness(beat)
    if steepness is None:
        return 0.0
    found = []
    for limit in limits:
        slur = float(np.argmax(steepness >= limit * STEEP_SHARE * steepness.max()))
        found.append(slur if slur >= limit * SHORTEST_MS else 0.0)
    return float(np.mean(found))


def _steepness(beat: FineBeat) -> NDArray[np.float64] | None:
    """Root sum of squares of the leads' slopes at each ms of the complex."""
    rows = []
    for lead in beat.leads:
        part = beat.within(beat.signal[beat.leads.index(lead)], "QRS")
        if len(part) > 2 * _SMOOTH_MS and np.isfinite(part).all():
            smooth = np.convolve(
                np.pad(part, _SMOOTH_MS // 2, mode="edge"),
                np.ones(_SMOOTH_MS) / _SMOOTH_MS,
                mode="valid",
            )
            rows.append(np.gradient(smooth))
    if not rows:
        return None
    together: NDArray[np.float64] = np.sqrt(np.sum(np.square(rows), axis=0))
    return together
