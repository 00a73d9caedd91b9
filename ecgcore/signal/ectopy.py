"""Telling ectopic beats from the usual ones by timing, shape, width and the P wave before them.

A premature beat comes clearly sooner than the intervals around it let expect. It is ventricular if
its complex is wide and looks different, atrial if a usual complex (or a P wave) says that the
impulse came from above. A wide different beat that is late, or has no P wave before it, is an
escape beat and ventricular too; with its P wave before it and in time it is "other": aberrant,
fused or intermittently blocked. In atrial fibrillation every interval differs, so nothing is called
atrial there. After Surawicz et al., AHA/ACCF/HRS Recommendations, Part III, J Am Coll Cardiol
2009;53:976-981 (width), and Rautaharju and Blackburn, Minnesota Code, code 8-1 (premature beats).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

BeatKind = Literal[
    "dominant", "atrial ectopic", "ventricular ectopic", "paced", "other", "incomplete"
]
_Values = NDArray[np.float64]

PREMATURE_SHARE = 0.85
"""Of the usual RR interval: sooner is premature. Breathing changes it by about a tenth."""
ESCAPE_SHARE = 1.3
WIDE_SECONDS = 0.12
"""QRS of a ventricular beat in adults (AHA/ACCF/HRS 2009, part III)."""
WIDER_SHARE = 1.3
"""Or wider than the dominant beats by this factor, where those are narrow."""
_LEAST_WIDE_SECONDS = 0.1
IRREGULAR_SHARE = 0.08
"""Median deviation of RR from its median, over that: above, the rhythm itself is irregular."""
_P_BEFORE_SECONDS = (0.08, 0.32)
_NEIGHBOURS = 8
_LEAST_INTERVALS = 3
LEAST_GAP_SECONDS = 0.2
"""Samples missing in all leads for as long may hide a beat."""


@dataclass(frozen=True)
class BeatFacts:
    """What the decision rests on, in seconds: positions, QRS widths (NaN unknown), morphology
    groups (0 dominant), all (beats,); the peaks of the heart's P waves (P waves,); and where the
    signal is missing, first and last (gaps, 2): no interval is known across."""

    positions: _Values
    widths: _Values
    groups: NDArray[np.intp]
    p_peaks: _Values
    gaps: _Values = field(default_factory=lambda: np.empty((0, 2)))

    @property
    def rr(self) -> _Values:
        """RR intervals in seconds, (beats - 1,); NaN across a gap."""
        intervals: _Values = np.where(
            unbroken(self.positions, self.gaps, LEAST_GAP_SECONDS), np.diff(self.positions), np.nan
        )
        return intervals


def unbroken(places: _Values, gaps: _Values, least: float) -> NDArray[np.bool_]:
    """Whether each place and the next have no ``least`` of a gap between them, (places - 1,).

    One unit for all three.
    """
    inside = np.minimum(gaps[:, 1:], places[1:]) - np.maximum(gaps[:, :1], places[:-1])
    joined: NDArray[np.bool_] = np.all(inside < least, axis=0)
    return joined


def ectopic_kinds(facts: BeatFacts) -> tuple[BeatKind, ...]:
    """The kind of every beat, pacing aside."""
    count = len(facts.positions)
    usual = _usual_intervals(facts)
    before = np.concatenate([[np.nan], facts.rr])
    after = np.concatenate([facts.rr, [np.nan]])
    with_p = np.array([_p_before(facts, position) for position in facts.positions], dtype=bool)
    wide = _wide(facts)
    regular = _irregularity(facts, wide) < IRREGULAR_SHARE
    sinus = regular or (count > 0 and bool(np.mean(with_p) >= 0.5))
    kinds: list[BeatKind] = []
    for k in range(count):
        early = bool(before[k] < PREMATURE_SHARE * usual[k])
        late = bool(before[k] > ESCAPE_SHARE * usual[k])
        if facts.groups[k] == 0:
            # The interval before must itself be the shorter one: breathing shortens them in turn.
            sudden = early and not before[k - 1] * PREMATURE_SHARE <= before[k]
            pause = bool(after[k] > 1.1 * before[k]) or k == count - 1
            follows_ectopic = k > 0 and kinds[k - 1] not in ("dominant", "atrial ectopic")
            atrial = sinus and sudden and pause and not follows_ectopic
            kinds.append("atrial ectopic" if atrial else "dominant")
        elif wide[k] and (early or late or not with_p[k]):
            kinds.append("ventricular ectopic")
        else:
            kinds.append("atrial ectopic" if early and sinus and with_p[k] else "other")
    return tuple(kinds)


def _usual_intervals(facts: BeatFacts) -> _Values:
    """The RR interval that each beat would be expected at, in seconds, (beats,); NaN if none."""
    rr = facts.rr
    known = np.isfinite(rr)
    if not known.any():
        return np.full(len(facts.positions), np.nan)
    own = (facts.groups[:-1] == 0) & (facts.groups[1:] == 0) & known
    places = np.flatnonzero(own if own.sum() >= 2 else known)
    usual = np.empty(len(facts.positions))
    for k in range(len(usual)):
        near = places[np.argsort(np.abs(places - (k - 0.5)), kind="stable")[:_NEIGHBOURS]]
        usual[k] = np.median(rr[near])
    return usual


def _irregularity(facts: BeatFacts, wide: NDArray[np.bool_]) -> float:
    """Median deviation of the RR intervals between dominant beats, over their median.

    Narrow beats of other shapes count too, for coarse fibrillation makes no two beats alike.
    """
    own = (facts.groups == 0) | ~wide
    rr = facts.rr[own[:-1] & own[1:] & np.isfinite(facts.rr)]
    if len(rr) < _LEAST_INTERVALS:
        return 0.0
    usual = float(np.median(rr))
    return float(np.median(np.abs(rr - usual))) / usual


def _p_before(facts: BeatFacts, position: float) -> bool:
    lead_in = position - facts.p_peaks
    return bool(np.any((lead_in >= _P_BEFORE_SECONDS[0]) & (lead_in <= _P_BEFORE_SECONDS[1])))


def _wide(facts: BeatFacts) -> NDArray[np.bool_]:
    known = facts.widths[(facts.groups == 0) & np.isfinite(facts.widths)]
    usual = float(np.median(known)) if known.size else WIDE_SECONDS
    least = min(WIDE_SECONDS, max(WIDER_SHARE * usual, _LEAST_WIDE_SECONDS))
    wide: NDArray[np.bool_] = facts.widths >= least - 1e-9
    return wide
