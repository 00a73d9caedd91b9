"""When the waves of the usual beat begin and end: from many beats and leads to one P, QRS and T.

Each lead's borders are the median over its usual beats, which no single beat can move. Over the
leads the idea of the CSE working party holds (Willems et al., Computers and Biomedical Research
1985;18:439-457): a wave lasts from its earliest onset to its latest offset in any lead, for its
beginning may lie in the plane of others. Outliers are rejected first: the earliest onset counts
that a quarter of the leads has reached, and so for the offset. Marks of twelve leads scatter, and
their very extremes measure the scatter: QRS durations came out 16 ms longer than those of three
makers' machines, with the quarter 4 ms (and 1 ms shorter after ``qrs_ends``).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ecgcore.signal.beats import Beats
from ecgcore.signal.delineation.waves import OFFSET, ONSET, PEAK, WAVES, Delineation, Wave

_Values = NDArray[np.float64]

OUTLIER_SHARE = 0.25
"""Share of the leads whose onset is earlier than the one that counts: 3 of 12, none of 3."""
LONGEST_PR_SECONDS = 0.5
"""From P onset to QRS onset; longer ones are almost always of a blocked P wave."""
LEAST_P_SHARE = 0.5
"""Of the usual beats that must follow a P wave, that there is one P wave to be measured."""
VARYING_PR_SECONDS = 0.04
"""Median deviation of the P wave's distance to the QRS complex: above, they go their own ways."""
_SAME_BEAT_SECONDS = 0.06


@dataclass(frozen=True)
class UsualBeat:
    """Where the waves of the usual beat lie, in samples from the beat's position.

    ``borders`` has onset and offset of the waves that are there, ``leads`` the same for each lead
    that shows them; ``absent`` gives the reason for a wave that is not there. ``members`` are the
    beats counted, ``shown`` the one to look at, ``p_row`` and ``t_row`` the rows of each beat's P
    and T wave in the delineation, -1 for none.
    """

    borders: Mapping[Wave, tuple[float, float]]
    leads: Mapping[str, Mapping[Wave, tuple[float, float]]]
    absent: Mapping[Wave, str]
    members: NDArray[np.intp]
    shown: int
    p_row: NDArray[np.intp]
    t_row: NDArray[np.intp]
    pr_varies: bool


def usual_beat(
    delineation: Delineation, beats: Beats, computed: Collection[str] = ()
) -> UsualBeat | None:
    """The usual beat of a recording, None where it has no beats.

    The leads that were ``computed`` from others say nothing of their own: they have no vote.
    """
    if not len(beats):
        return None
    rate = beats.sampling_rate
    members = beats.members(0)
    rows = {wave: _rows(delineation, beats, wave) for wave in WAVES}
    distance = _distances(delineation, beats, rows["P"], "P")[members]
    known = distance[np.isfinite(distance)]
    varies = known.size > 2 and bool(
        np.median(np.abs(known - np.median(known))) > VARYING_PR_SECONDS * rate
    )
    borders: dict[Wave, tuple[float, float]] = {}
    leads: dict[str, dict[Wave, tuple[float, float]]] = {lead: {} for lead in delineation.leads}
    absent: dict[Wave, str] = {}
    for wave in WAVES:
        reason = _absence(wave, rows[wave][members])
        if reason is not None:
            absent[wave] = reason
            continue
        for lead in delineation.leads:
            found = _lead_borders(delineation, beats, rows[wave], lead, wave)
            if found is not None:
                leads[lead][wave] = found
        together = over_leads(
            [one[wave] for lead, one in leads.items() if wave in one and lead not in computed]
        )
        if together is None:
            absent[wave] = f"no lead shows both ends of the {_NAMES[wave]} often enough"
        else:
            borders[wave] = together
    shown = _shown(delineation, beats, rows, members)
    return UsualBeat(borders, leads, absent, members, shown, rows["P"], rows["T"], varies)


_NAMES: dict[Wave, str] = {"P": "P wave", "QRS": "QRS complex", "T": "T wave"}


def _rows(delineation: Delineation, beats: Beats, wave: Wave) -> NDArray[np.intp]:
    """The row of each beat's wave in the delineation's ``overall``, (beats,); -1 for none.

    P: the last one between the beat before and this; T: the first one between this and the next.
    """
    peaks = delineation.overall[wave][:, PEAK]
    rate = beats.sampling_rate
    rows = np.full(len(beats), -1, dtype=np.intp)
    for beat, position in enumerate(beats.positions):
        if wave == "QRS":
            inside = np.abs(peaks - position) <= _SAME_BEAT_SECONDS * rate
            order = -np.abs(peaks - position)
        elif wave == "P":
            before = beats.positions[beat - 1] if beat else -np.inf
            start = max(before + 0.1 * rate, position - LONGEST_PR_SECONDS * rate)
            inside, order = (peaks > start) & (peaks < position), peaks
        else:
            after = beats.positions[beat + 1] if beat + 1 < len(beats) else np.inf
            stop = min(after - 0.04 * rate, position + 0.8 * rate)
            inside, order = (peaks > position) & (peaks < stop), -peaks
        if inside.any():
            rows[beat] = int(np.argmax(np.where(inside, order, -np.inf)))
    return rows


def _absence(wave: Wave, rows: NDArray[np.intp]) -> str | None:
    """Why the usual beat has no such wave, None if it has one."""
    count, found = len(rows), int(np.sum(rows >= 0))
    if found and found >= LEAST_P_SHARE * count:
        return None
    seen = f"{found} of {count} usual beats have one"
    if wave == "P":
        return f"no P wave belongs to the QRS complexes ({seen})"
    return f"no {_NAMES[wave]} was delineated ({seen})"


def _distances(
    delineation: Delineation, beats: Beats, rows: NDArray[np.intp], wave: Wave
) -> _Values:
    """From each beat's position to the peak of its wave, in samples, (beats,); NaN for none."""
    peaks = delineation.overall[wave][:, PEAK]
    if not len(peaks):
        return np.full(len(beats), np.nan)
    distance: _Values = np.where(rows >= 0, peaks[rows] - beats.positions, np.nan)
    return distance


def _lead_borders(
    delineation: Delineation, beats: Beats, rows: NDArray[np.intp], lead: str, wave: Wave
) -> tuple[float, float] | None:
    """Onset and offset of a lead's wave from the beat's position; None where too few beats have it.

    The wave's own width is taken against its peak, so that a varying PR interval does not blur it.
    """
    members = beats.members(0)
    usable = members[rows[members] >= 0]
    marks = delineation.leads[lead][wave][rows[usable]]
    peaks = delineation.overall[wave][rows[usable], PEAK]
    known = np.isfinite(marks[:, ONSET]) & np.isfinite(marks[:, OFFSET])
    if 2 * known.sum() < len(usable) or not known.any():
        return None
    distance = float(np.median(peaks - beats.positions[usable]))
    onset = distance + float(np.median((marks[:, ONSET] - peaks)[known]))
    offset = distance + float(np.median((marks[:, OFFSET] - peaks)[known]))
    return onset, offset


def over_leads(borders: Sequence[tuple[float, float]]) -> tuple[float, float] | None:
    """Onset and offset from those of the leads, outliers rejected; None where no lead has any."""
    if not borders:
        return None
    onsets, offsets = np.sort(np.array(borders), axis=0).T
    rejected = int(OUTLIER_SHARE * len(borders))
    return float(onsets[rejected]), float(offsets[len(borders) - 1 - rejected])


def _shown(
    delineation: Delineation,
    beats: Beats,
    rows: Mapping[Wave, NDArray[np.intp]],
    members: NDArray[np.intp],
) -> int:
    """The beat to look at: with most of its waves, then nearest to the usual, then earliest."""
    score = np.zeros(len(members))
    for wave in WAVES:
        distance = _distances(delineation, beats, rows[wave], wave)[members]
        known = np.isfinite(distance)
        usual = np.median(distance[known]) if known.any() else 0.0
        apart = np.abs(distance - usual) / beats.sampling_rate
        score += np.where(known, np.minimum(apart, 0.5), 1.0)
    return int(members[int(np.argmin(score))])
