"""Electrical axes in the frontal plane, and the true proportions of limb leads with false gains.

An axis is the direction of the net area vector of a wave in Einthoven's equilateral triangle:
from leads I and II by least squares over all limb leads recorded, where I points to 0 degrees and
aVF, times 2 / sqrt(3) for the augmented leads' smaller gain, to +90 (Novosel et al., Corrected
formula for the calculation of the electrical heart axis, Croat Med J 1999;40:77-79). The area, not
the height, is used: it is what a vector sum over time is, and noise averages out of it.

Where a file has stretched each lead by a gain of its own, the leads no longer obey Einthoven (II =
I + III) and Goldberger. There is one set of positive gains, up to a common factor, with which they
do: the direction in which the identities, over all samples, are least violated. Directions and
proportions measured with it are true; millivolts are not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from ecgcore.recording import LIMB_LEADS
from ecgcore.signal.measured import Value

_Values = NDArray[np.float64]

# The limb leads as (share of I, share of II), in LIMB_LEADS' order (Einthoven, Goldberger).
_SHARES = np.array([(1, 0), (0, 1), (-1, 1), (-0.5, -0.5), (1, -0.5), (-0.5, 1)], dtype=np.float64)
SMALLEST_MV = 0.01
"""A net vector under a tenth of a millimetre on average over the wave has no direction."""
_LEAST_GAP = 5.0
"""The identities must hold this many times better with the gains found than with the next best."""


def limb_vector(areas: Mapping[str, float]) -> tuple[float, float] | str:
    """The frontal vector (to the left, to the feet) of limb leads' net areas, in their unit.

    The reason as text where fewer than two limb leads are given.
    """
    given = [lead for lead in LIMB_LEADS if lead in areas]
    if len(given) < 2:
        missing = [lead for lead in ("I", "II", "aVF") if lead not in given]
        return f"an axis needs two limb leads; there is no {' and no '.join(missing)}"
    shares = _SHARES[[LIMB_LEADS.index(lead) for lead in given]]
    one, two = np.linalg.lstsq(shares, np.array([areas[lead] for lead in given]), rcond=None)[0]
    return float(one), float((two - one / 2) * 2 / np.sqrt(3))


def axis(areas: Mapping[str, float], least: float) -> Value:
    """The axis in degrees in (-180, 180] from limb leads' net areas; N/A under ``least``."""
    vector = limb_vector(areas)
    if isinstance(vector, str):
        return Value(None, "deg", vector)
    left, down = vector
    if np.hypot(left, down) < least:
        return Value(None, "deg", "indeterminate: the limb leads are nearly isoelectric")
    degrees = float(np.degrees(np.arctan2(down, left)))
    return Value(180.0 if degrees <= -180 + 1e-9 else degrees, "deg")


def true_proportions(signal: _Values, leads: Sequence[str]) -> dict[str, float] | str:
    """Positive factors by limb lead that bring false gains back to true proportions.

    ``signal`` (leads, samples) of limb leads as recorded, levels removed, no NaN. The factors have
    a median of 1. The reason as text where there are fewer than three limb leads, or the
    identities do not decide.
    """
    rows = [k for k, lead in enumerate(leads) if lead in LIMB_LEADS]
    names = [leads[k] for k in rows]
    if len(rows) < 3:
        return "true proportions need three limb leads or more"
    values = signal[rows]
    sizes = np.sqrt(np.mean(values**2, axis=1))
    if not (sizes > 0).all():
        return "a limb lead is flat"
    shares = _SHARES[[LIMB_LEADS.index(name) for name in names]]
    gram = (values / sizes[:, None]) @ (values / sizes[:, None]).T
    # What of the scaled leads lies outside the plane that two leads span, summed over the samples.
    outside = np.eye(len(rows)) - shares @ np.linalg.pinv(shares)
    violation = outside * gram
    strengths, directions = np.linalg.eigh(violation)
    factors = directions[:, 0] / sizes
    factors = factors * np.sign(factors.sum())
    gap = np.sqrt(max(strengths[1], 0) / max(strengths[0], 1e-12 * strengths[-1]))
    if (factors <= 0).any() or gap < _LEAST_GAP:
        return "the limb leads contradict Einthoven's law whatever their gains"
    factors = factors / np.median(factors)
    return {name: float(factor) for name, factor in zip(names, factors, strict=True)}
