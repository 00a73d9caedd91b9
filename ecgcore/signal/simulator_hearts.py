"""How simulated hearts are activated and recover: the directions and times of their dipole's lobes.

Directions are x to the left, y to the feet, z to the back, in proportion only: sizes are scaled to
what is asked for. They were drawn by hand from the vectorcardiogram of each pattern and checked
against its textbook criteria: Surawicz et al., AHA/ACCF/HRS Recommendations for the Standardization
and Interpretation of the Electrocardiogram, Part III, Circulation 2009;119:e235-e240 (conduction),
and Hancock et al., Part V, Circulation 2009;119:e251-e261 (hypertrophy).
"""

from __future__ import annotations

from typing import NamedTuple

from ecgcore.signal.simulator_options import Conduction, Territory

Vector = tuple[float, float, float]


class Lobe(NamedTuple):
    """A hump from ``start`` over ``peak`` to ``stop``, in shares of the wave; ``rise`` and ``fall``
    are 1 for an edge with a corner, 2 for one that sets in softly."""

    start: float
    peak: float
    stop: float
    vector: Vector
    rise: float = 2.0
    fall: float = 2.0


class Pattern(NamedTuple):
    """How a ventricle is activated and recovers: QRS lobes, T direction, ST level a T of 1 mV."""

    qrs: tuple[Lobe, ...]
    t: Vector
    st: Vector = (0.0, 0.0, 0.0)


_SEPTUM = Lobe(0.0, 0.16, 0.38, (-0.14, -0.06, -0.30), rise=1.0)
_FREE_WALL = Lobe(0.10, 0.43, 0.75, (1.05, 0.62, 0.05))
_BACK_WALL = Lobe(0.28, 0.58, 0.88, (0.25, 0.22, 0.85))
_BASE = Lobe(0.62, 0.82, 1.0, (-0.20, -0.16, 0.22), fall=1.0)

_USUAL_T: Vector = (0.50, 0.36, -0.36)
PATTERNS: dict[Conduction, Pattern] = {
    "normal": Pattern((_SEPTUM, _FREE_WALL, _BACK_WALL, _BASE), _USUAL_T),
    # Septum from right to left: no septal q; two humps of the slow left ventricle.
    "left bundle": Pattern(
        (
            Lobe(0.0, 0.30, 0.62, (0.95, 0.12, 0.40), rise=1.0),
            Lobe(0.30, 0.68, 1.0, (0.92, 0.10, 0.80), fall=1.0),
        ),
        (-0.42, -0.05, -0.50),
        (-0.18, -0.02, -0.26),
    ),
    # The left ventricle as usual, then the right one alone: to the right and to the front.
    "right bundle": Pattern(
        (
            Lobe(0.0, 0.10, 0.25, (-0.14, -0.06, -0.32), rise=1.0),
            Lobe(0.07, 0.28, 0.50, (1.05, 0.62, 0.05)),
            Lobe(0.18, 0.37, 0.56, (0.25, 0.20, 0.75)),
            Lobe(0.42, 0.70, 1.0, (-0.72, 0.05, -0.72), fall=1.0),
        ),
        (0.50, 0.36, 0.10),
    ),
    "left hypertrophy": Pattern(
        (
            Lobe(0.0, 0.15, 0.36, (-0.14, -0.06, -0.26), rise=1.0),
            Lobe(0.10, 0.45, 0.78, (1.35, 0.45, 0.15)),
            Lobe(0.28, 0.58, 0.88, (0.45, 0.10, 1.15)),
            _BASE,
        ),
        (-0.42, 0.10, -0.42),
        (-0.16, 0.02, -0.14),
    ),
    # A slow start from the accessory pathway, before the usual activation catches up.
    "pre-excitation": Pattern(
        (
            Lobe(0.0, 0.36, 0.72, (0.42, 0.30, -0.16), rise=1.0),
            Lobe(0.30, 0.56, 0.82, (0.90, 0.55, 0.10)),
            Lobe(0.44, 0.68, 0.92, (0.20, 0.20, 0.75)),
            Lobe(0.72, 0.87, 1.0, (-0.16, -0.14, 0.20), fall=1.0),
        ),
        (0.30, 0.15, -0.50),
    ),
    # From the apex of the right ventricle: upwards, to the left and to the back.
    "right apex": Pattern(
        (
            Lobe(0.0, 0.32, 0.66, (0.45, -0.72, 0.35), rise=1.0),
            Lobe(0.30, 0.64, 1.0, (0.50, -0.80, 0.75), fall=1.0),
        ),
        (-0.25, 0.50, -0.42),
        (-0.08, 0.14, -0.16),
    ),
}
# A ventricular ectopic beat from the right outflow tract: downwards, like left bundle branch block.
ECTOPIC = Pattern(
    (
        Lobe(0.0, 0.36, 0.74, (0.45, 1.10, 0.30), rise=1.0),
        Lobe(0.34, 0.66, 1.0, (0.40, 0.75, 0.85), fall=1.0),
    ),
    (-0.22, -0.62, -0.50),
    (-0.06, -0.16, -0.14),
)
ECTOPIC_P: Vector = (0.35, -0.75, 0.05)
TERRITORIES: dict[Territory, Vector] = {
    "inferior": (-0.35, 0.93, 0.0),
    "lateral": (0.90, -0.40, 0.20),
    "anterior": (0.30, -0.05, -0.95),
}
U_DIRECTION: Vector = (0.45, 0.35, -0.40)
