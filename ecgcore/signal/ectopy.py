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

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

BeatKind = Literal["dominant", "atrial ectopic", "ventricular ectopic", "paced", "other"]
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


@dataclass(frozen=True)
class BeatFacts:
    """What the decision rests on, in seconds: positions, QRS widths (NaN unknown), morphology
    groups (0 dominant), all (beats,); and the peaks of the heart's P waves (P waves,)."""

    positions: _Values
    widths: _Values
    groups: NDArray[np.intp]
    p_peaks: _Values


def ectopic_kinds(facts: BeatFacts) -> tuple[BeatKind, ...]:
    """The kind of every beat, pacing aside."""
    count = len(facts.positions)
    usual = _usual_intervals(facts)
    before = np.concatenate([[np.nan], np.diff(facts.positions)])
    after = np.concatenate([np.diff(facts.positions), [np.nan]])
    with_p = np.array([_p_before(facts, position) for position in facts.positions], dtype=bool)
    regular = _irregularity(facts) < IRREGULAR_SHARE
    sinus = regular or (count > 0 and bool(np.mean(with_p) >= 0.5))
    wide = _wide(facts)
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
    rr = np.diff(facts.positions)
    if not len(rr):
        return np.full(len(facts.positions), np.nan)
    own = (facts.groups[:-1] == 0) & (facts.groups[1:] == 0)
    places = np.flatnonzero(own if own.sum() >= 2 else np.ones_like(own))
    usual = np.empty(len(facts.positions))
    for k in range(len(usual)):
        near = places[np.argsort(np.abs(places - (k - 0.5)), kind="stable")[:_NEIGHBOURS]]
        usual[k] = np.median(rr[near])
    return usual


def _irregularity(facts: BeatFacts) -> float:
    """Median deviation of the RR intervals between dominant beats, over their median."""
    rr = np.diff(facts.positions)
    rr = rr[(facts.groups[:-1] == 0) & (facts.groups[1:] == 0)]
    if len(rr) < 3:
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
