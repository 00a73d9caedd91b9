"""The simulated heart's waves: a moving dipole, and what each lead sees of it.

A wave is a sum of lobes, each a direction in space times a hump in time that is exactly 0 outside
its stretch; so a wave truly begins and ends somewhere. The outer edge of a wave is a corner as in
the analytical ECGs of IEC 60601-2-25, seen at 20 uV within about 2 ms in the QRS complex; a sum of
Gaussians would begin nowhere.

The dipole (x to the left, y to the feet, z to the back, as Frank's) becomes leads by the table of
Dower, Machado and Osborne, On deriving the electrocardiogram from vectorcardiographic leads, Clin
Cardiol 1980;3:87-95. The moving dipole as a sum of waves follows McSharry, Clifford, Tarassenko and
Smith, IEEE Trans Biomed Eng 2003;50:289-294, and Sameni, Clifford, Jutten and Shamsollahi, EURASIP
J Adv Signal Process 2007:043407.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import gamma, pi, sqrt

import numpy as np
from numpy.typing import NDArray

from ecgcore.recording import LEADS
from ecgcore.signal.simulator_hearts import (
    ECTOPIC,
    ECTOPIC_P,
    PATTERNS,
    TERRITORIES,
    U_DIRECTION,
    Lobe,
    Pattern,
    Vector,
)
from ecgcore.signal.simulator_options import SimulationOptions

Values = NDArray[np.float64]

_INDEPENDENT: dict[str, Vector] = {
    "I": (0.632, -0.235, 0.059),
    "II": (0.235, 1.066, -0.132),
    "V1": (-0.515, 0.157, -0.917),
    "V2": (0.044, 0.164, -1.387),
    "V3": (0.882, 0.098, -1.277),
    "V4": (1.213, 0.127, -0.601),
    "V5": (1.125, 0.127, -0.086),
    "V6": (0.831, 0.076, 0.230),
}
INDEPENDENT_LEADS = tuple(_INDEPENDENT)
LEAD_FIELD: Values = np.array(list(_INDEPENDENT.values()))
"""(8, 3): mV in the leads I, II, V1-V6 of a dipole's x, y, z."""

SEEN_MV = 0.02
"""A lead in which a wave stays below this everywhere does not show it."""
EDGE_MV = 0.005
"""A wave begins and ends in a lead where it first and last exceeds this."""
LEAST_SECOND_T = 0.1
"""A second part of T smaller than this share of the first is left out: nobody could see it end."""
_GRID = 2001


def all_leads(independent: NDArray[np.floating]) -> NDArray[np.floating]:
    """(12, n) in standard order from (8, n): Einthoven's and Goldberger's algebra, exactly."""
    half = independent.dtype.type(0.5)
    one, two = independent[0], independent[1]
    derived = [two - one, -half * one - half * two, one - half * two, -half * one + two]
    return np.stack([one, two, *derived, *independent[2:]])


_ALL_FIELD: Values = all_leads(LEAD_FIELD).astype(np.float64)
_LIMBS = slice(0, 6)


@dataclass(frozen=True, eq=False)
class Shape:
    """A wave's lobes as arrays: ``times`` (lobes, 3), ``powers`` (lobes, 2), ``vectors`` (lobes, 3)
    in mV; and the ST level in mV (3,) that a T wave starts from, or a QRS complex ends at.

    ``marks`` (12, 3) are onset, peak and offset in shares of the wave as each lead shows them, NaN
    where it does not; ``overall_peak`` is where the twelve leads together are strongest.
    """

    times: Values
    powers: Values
    vectors: Values
    marks: Values
    overall_peak: float

    def dipole(self, at: Values) -> Values:
        """(3, n) in mV at shares (n,) of the wave's duration."""
        return _moment(self.times, self.powers, self.vectors, at)

    @property
    def seen(self) -> bool:
        """Whether any lead shows the wave."""
        return bool(np.isfinite(self.marks).any())


def _moment(times: Values, powers: Values, vectors: Values, at: Values) -> Values:
    start, peak, stop = (times[:, column, None] for column in range(3))
    before = at < peak
    reach = np.where(before, (peak - at) / (peak - start), (at - peak) / (stop - peak))
    hump = np.cos(np.pi / 2 * np.clip(reach, 0.0, 1.0))
    # The cosine of a right angle is 6e-17 in floating point: outside its stretch a lobe is 0.
    hump = np.where(reach < 1.0, hump, 0.0)
    moment: Values = vectors.T @ hump ** np.where(before, powers[:, :1], powers[:, 1:])
    return moment


_WATCHED = np.linspace(0.0, 1.0, _GRID)


def _shape(
    times: Values, powers: Values, vectors: Values, largest_mv: float | None, level: Values | None
) -> Shape:
    """Scale to the largest limb lead deflection, then see what each lead shows.

    ``level`` (3,) is an ST level reached at the end of a QRS complex.
    """
    leads = _ALL_FIELD @ _moment(times, powers, vectors, _WATCHED)
    if largest_mv is not None:
        scale = largest_mv / float(np.abs(leads[_LIMBS]).max())
        leads, vectors = leads * scale, vectors * scale
    if level is not None:
        leads = leads + (_ALL_FIELD @ level)[:, None] * st_rise(_WATCHED)
    size = np.abs(leads)
    above = size > EDGE_MV
    marks = np.stack(
        [
            _WATCHED[np.argmax(above, axis=1)],
            _WATCHED[np.argmax(size, axis=1)],
            _WATCHED[_GRID - 1 - np.argmax(above[:, ::-1], axis=1)],
        ],
        axis=1,
    )
    marks[size.max(axis=1) < SEEN_MV] = np.nan
    together = _WATCHED[int(np.argmax((leads**2).sum(axis=0)))]
    return Shape(times, powers, vectors, marks, float(together))


ST_RISE_SHARE = 0.25
"""The ST level is reached over this last share of the QRS complex."""


def st_rise(at: Values) -> Values:
    """How much of the ST level is there at shares of the QRS complex; 1 from its end on."""
    left = np.clip((1.0 - at) / ST_RISE_SHARE, 0.0, 1.0)
    rise: Values = np.cos(np.pi / 2 * left) ** 2
    return np.where(left < 1.0, rise, 0.0)


@dataclass(frozen=True, eq=False)
class Beat:
    """The shapes of one kind of beat; ``st_mv`` (3,) is the dipole of its ST level."""

    p: Shape | None
    qrs: Shape
    t: Shape | None
    u: Shape | None
    st_mv: Values
    qrs_ms: float
    t_peak_share: float


def usual_beat(options: SimulationOptions, rng: np.random.Generator) -> Beat:
    """The beat that the options describe; ``rng`` draws the heart that ``anatomy`` asks for."""
    pattern = PATTERNS[options.conduction]
    return _beat(options, pattern, rng, usual=True)


def ventricular_ectopic(options: SimulationOptions, rng: np.random.Generator) -> Beat:
    """A beat of the ventricle's own: broad, without a P wave, T against the QRS complex."""
    return _beat(options, ECTOPIC, rng, usual=False)


def ectopic_p(options: SimulationOptions, rng: np.random.Generator) -> Shape:
    """The P wave of an ectopic atrial beat: upwards, from low in the atria."""
    lobes = (Lobe(0.0, 0.48, 1.0, ECTOPIC_P, 1.0, 1.0),)
    return _wave(lobes, options.p_mv, None, options.anatomy, rng)


ECTOPIC_QRS_MS = 150.0
_ECTOPIC_SIZE = 1.35
_ECTOPIC_T_SHARE = 0.35


def _beat(
    options: SimulationOptions, pattern: Pattern, rng: np.random.Generator, usual: bool
) -> Beat:
    soft = options.softness
    p = _wave(_p_lobes(options), options.p_mv, options.p_axis_deg, options.anatomy, rng)
    qrs_mv = options.qrs_mv * (1.0 if usual else _ECTOPIC_SIZE)
    t_mv = options.t_mv if usual else _ECTOPIC_T_SHARE * qrs_mv
    t_axis, qrs_axis = (options.t_axis_deg, options.qrs_axis_deg) if usual else (None, None)
    t = _wave(_t_lobes(options, pattern.t), t_mv, t_axis, options.anatomy, rng)
    level = _st_level(options, pattern, t_mv)
    lobes = tuple(_softened(lobe, options.qrs_softness) for lobe in pattern.qrs)
    if options.qrs_notch > 0 and usual:
        lobes = (*lobes, _notch(lobes, options.qrs_notch))
    qrs = _wave(lobes, qrs_mv, qrs_axis, options.anatomy, rng, level=level)
    u = _wave((Lobe(0.0, 0.45, 1.0, U_DIRECTION, soft, soft),), options.u_mv, None, 0.0, rng)
    return Beat(
        p=p if usual and options.has_p and p.seen else None,
        qrs=qrs,
        t=t if t.seen else None,
        u=u if u.seen else None,
        st_mv=level,
        qrs_ms=options.qrs_ms if usual else max(ECTOPIC_QRS_MS, options.qrs_ms),
        t_peak_share=options.t_peak_share,
    )


def _softened(lobe: Lobe, softness: float) -> Lobe:
    """The lobe with its corners, at the edges of the wave, made as soft as asked for."""
    rise, fall = (softness if edge == 1.0 else edge for edge in (lobe.rise, lobe.fall))
    return lobe._replace(rise=rise, fall=fall)


def _p_lobes(options: SimulationOptions) -> tuple[Lobe, ...]:
    """Right atrium to the front, then left atrium to the back."""
    apart, soft = 0.12 * options.p_notch, options.softness
    right = Lobe(0.0, 0.38 - apart, 0.78 - 2 * apart, (0.30, 0.62, -0.42), soft, 2.0)
    left = Lobe(0.20 + apart, 0.62 + apart, 1.0, (0.52, 0.42, 0.06), 2.0, soft)
    return (right, left)


def _t_lobes(options: SimulationOptions, direction: Vector) -> tuple[Lobe, ...]:
    """A slow rise and a steeper fall; a second part of the same or the other sign, if asked for."""
    peak, second = options.t_peak_share, options.t_second
    if abs(second) < LEAST_SECOND_T:
        return (Lobe(0.0, peak, 1.0, direction, 2.0, options.softness),)
    x, y, z = direction
    return (
        Lobe(0.0, 0.55 * peak, 0.85, direction, 2.0, 2.0),
        Lobe(0.30, 0.72, 1.0, (second * x, second * y, second * z), 2.0, options.softness),
    )


def _notch(lobes: tuple[Lobe, ...], depth: float) -> Lobe:
    """A brief turn against the main direction, in the middle of the complex."""
    x, y, z = np.sum([np.array(lobe.vector) for lobe in lobes], axis=0)
    return Lobe(0.36, 0.47, 0.58, (-0.4 * depth * x, -0.4 * depth * y, -0.4 * depth * z))


def _st_level(options: SimulationOptions, pattern: Pattern, t_mv: float) -> Values:
    level: Values = np.array(pattern.st) * t_mv
    if options.st_at is not None and options.st_mv:
        towards = np.array(TERRITORIES[options.st_at])
        level = level + towards * options.st_mv / float((_ALL_FIELD @ towards).max())
    return level


def _wave(
    lobes: tuple[Lobe, ...],
    largest_mv: float,
    axis_deg: float | None,
    anatomy: float,
    rng: np.random.Generator,
    *,
    level: Values | None = None,
) -> Shape:
    times = np.array([lobe[:3] for lobe in lobes])
    vectors = np.array([lobe.vector for lobe in lobes])
    powers = np.array([(lobe.rise, lobe.fall) for lobe in lobes])
    times, vectors = _another_heart(times, vectors, anatomy, rng)
    if axis_deg is not None:
        vectors = _turned(vectors, _areas(times, powers), axis_deg)
    return _shape(times, powers, vectors, largest_mv, level)


def _areas(times: Values, powers: Values) -> Values:
    """(lobes,): the integral of each hump, from that of a cosine's power over a quarter turn."""
    quarter = [[gamma((k + 1) / 2) / (sqrt(pi) * gamma(k / 2 + 1)) for k in row] for row in powers]
    areas: Values = (np.diff(times, axis=1) * np.array(quarter)).sum(axis=1)
    return areas


def _another_heart(
    times: Values, vectors: Values, anatomy: float, rng: np.random.Generator
) -> tuple[Values, Values]:
    """Lobes moved in time and turned in space; the wave still begins at 0 and ends at 1."""
    moved = rng.uniform(-0.08, 0.08, times.shape) * anatomy
    sizes = np.linalg.norm(vectors, axis=1, keepdims=True)
    bent = rng.normal(0.0, 0.4, vectors.shape) * anatomy * sizes
    grown = np.exp(rng.normal(0.0, 0.4, (len(vectors), 1)) * anatomy)
    inner = (times > 0.0) & (times < 1.0)
    times = np.where(inner, np.clip(times + moved, 0.0, 1.0), times)
    least = 0.06
    times[:, 1] = np.clip(times[:, 1], times[:, 0] + least, 1.0 - least)
    times[:, 2] = np.minimum(1.0, np.maximum(times[:, 2], times[:, 1] + least))
    return times, (vectors + bent) * grown


def _turned(vectors: Values, areas: Values, axis_deg: float) -> Values:
    """Vectors turned in the frontal plane until the net area in I and aVF has the given axis.

    The axis is atan2(2 aVF, sqrt(3) I). Turning by an angle a makes the part of the leads across
    the wanted axis p cos a + q sin a + r, which is brought to 0; where that cannot be (the part
    that lies front to back is too large), it is brought as near as it goes.
    """
    x, y, z = areas @ vectors
    wanted = np.radians(axis_deg)
    one, foot = _ALL_FIELD[LEADS.index("I")], _ALL_FIELD[LEADS.index("aVF")] * 2 / np.sqrt(3)
    across = np.sin(wanted) * one - np.cos(wanted) * foot
    along = np.cos(wanted) * one + np.sin(wanted) * foot
    p, q = across[0] * x + across[1] * y, across[1] * x - across[0] * y
    middle, reach = np.arctan2(q, p), np.hypot(p, q)
    spread = np.arccos(np.clip(-across[2] * z / max(reach, 1e-12), -1.0, 1.0))
    best = vectors
    furthest = -np.inf
    for angle in (middle + spread, middle - spread):
        c, s = np.cos(angle), np.sin(angle)
        turned = vectors @ np.array([[c, s, 0.0], [-s, c, 0.0], [0.0, 0.0, 1.0]])
        forward = float(along @ (areas @ turned))
        if forward > furthest:
            best, furthest = turned, forward
    return best
