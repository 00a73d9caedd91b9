"""Where the P wave visibly begins on the median beat.

The wave network learnt from marks that people set early on the soft beginning of P: on clean
simulated hearts, whose waves begin in a corner, it marks P onset 4.7 ms early in nearly every lead,
and PR came out 4 ms too long (8 ms against four makers' machines). So the onset moves, as that of
the QRS complex does in ``qrs_ends``, towards where two leads leave the line by about 20 uV (the
least wave of IEC 60601-2-25:2011), less the time that P needs to rise so far. It never moves
earlier.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from ecgcore.signal.amplitudes import FineBeat
from ecgcore.signal.qrs_ends import Edge

LEAST_SHARE = 0.02
"""Of a lead's QRS complex, about 20 uV: a share, so that the gain moves no time."""
VISIBLE_MS = 6.0
"""From a P wave's true onset to 20 uV in the second lead: 5.7 ms, SD 1.0 (14 simulated hearts)."""
MOST_TRIMMED_MS = 8.0
"""More would be a P wave that rises slowly or is low, not a margin; half of what QRS may lose."""
_LEADS = 2


def trimmed_p_onset(beat: FineBeat, computed: Collection[str] = ()) -> float | None:
    """P onset in ms of the fine beat, at its mark or later; None where the beat has no P wave.

    Leads that were ``computed`` from others do not confirm it.
    """
    if "P" not in beat.borders:
        return None
    onset = beat.borders["P"][0]
    first, last = (round(border) for border in beat.borders["QRS"])
    margins = []
    for lead, row, noise in zip(beat.leads, beat.signal, beat.noise, strict=True):
        if lead in computed:
            continue
        complex_ = row[max(first, 0) : last + 1]
        size = float(np.ptp(complex_)) if len(complex_) else 0.0
        edge = Edge(row, float(noise), beat.sample_ms, LEAST_SHARE * size)
        margins.append(edge.margin_ms(round(onset), 1, MOST_TRIMMED_MS + VISIBLE_MS))
    if not margins:
        return onset
    second = sorted(margins)[min(_LEADS, len(margins)) - 1]
    return onset + min(max(second - VISIBLE_MS, 0.0), MOST_TRIMMED_MS)
