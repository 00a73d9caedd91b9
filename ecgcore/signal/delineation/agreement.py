"""From the waves that each lead shows to the waves of the heart: matched in time, counted, median.

A wave is one of the heart when enough of the leads that could be read show it at the same time; a
false one seldom repeats itself over the leads. Its marks are the median over those leads, which
neither one lead marked wildly nor an isoelectric beginning in a few can move far. A wave that too
few leads show keeps its row in those leads, and the row of the heart stays empty, so that what is
said of a lead depends on nothing but that lead.
"""

from __future__ import annotations

import heapq
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import fsum

import numpy as np
from numpy.typing import NDArray

from ecgcore.signal.delineation.waves import OFFSET, ONSET, PEAK, WAVES, Marks, Wave, WaveMarks

SAME_WAVE_SECONDS: dict[Wave, float] = {"P": 0.09, "QRS": 0.09, "T": 0.13}
"""The middle of a wave in one lead is this near to the middle of the same wave in all leads. In
LUDB (12 leads marked apart) 99.9 % of the waves lie within 67, 51 and 101 ms of the median."""

LEAST_SHARE: dict[Wave, float] = {"P": 1 / 3, "QRS": 1 / 2, "T": 1 / 3}
"""Share of the leads read that must show a wave. P and T are isoelectric in whole planes, a QRS
complex in one or two leads at most."""


CONFIRMED_SHARE: dict[Wave, float] = {"P": 0.6, "QRS": 1 / 2, "T": 0.0}
"""Share of the leads that must show a wave of the method's own view of the heart. P waves, blocked
ones too, are shown by 8 to 12 of 12 leads, false ones in atrial fibrillation by fewer."""

SEEN_ANYWAY_SHARE = 0.6
"""Share of the leads that must show a wave which that view lacks."""


@dataclass(frozen=True)
class LeadsRead:
    """What a method found, lead by lead, before the leads are compared.

    ``marks`` by lead, each wave's rows in time order, every lead from its own samples alone;
    ``unread`` names the leads that could not be delineated, with the reason. ``overall`` are the
    heart's waves where the method finds them itself, None where the leads are to agree on them.
    """

    marks: Mapping[str, WaveMarks]
    unread: Mapping[str, str] = field(default_factory=dict)
    overall: WaveMarks | None = None


@dataclass(frozen=True)
class _Cluster:
    """One wave over the leads: its time, its row by lead that shows it, the marks of the heart."""

    time: float
    rows: Mapping[int, int]
    overall: NDArray[np.float64] | None = None


_Entry = tuple[float, int, int]
"""The middle of a wave, its lead, its row."""


def agree(
    leads: Mapping[str, WaveMarks], sampling_rate: float, overall: WaveMarks | None = None
) -> tuple[dict[Wave, Marks], dict[str, dict[Wave, Marks]]]:
    """The waves of the heart and the aligned rows of every lead.

    ``leads``: marks in samples at ``sampling_rate`` Hz, each wave (n, 3), its peak always there,
    onset or offset perhaps NaN. Row k of each result is one wave, rows in time order; NaN where
    the lead does not show it, or where fewer than LEAST_SHARE of the leads do (in the result for
    the heart). With ``overall``, a method's own view of the heart, the leads check it: a wave that
    fewer than CONFIRMED_SHARE of them show is none, borders are halfway between both views, and a
    wave that the view lacks counts where SEEN_ANYWAY_SHARE of the leads show it.
    """
    together: dict[Wave, Marks] = {}
    aligned: dict[str, dict[Wave, Marks]] = {lead: {} for lead in leads}
    for wave in WAVES:
        given = [leads[lead][wave] for lead in leads]
        reach = SAME_WAVE_SECONDS[wave] * sampling_rate
        clusters = _clusters(given, reach, None if overall is None else overall[wave])
        least = LEAST_SHARE[wave] * len(given) - 1e-9
        if overall is None:
            clusters = [_agreed(cluster, given, least) for cluster in clusters]
        else:
            clusters = [_checked(cluster, given, wave, least) for cluster in clusters]
        together[wave] = _rows([cluster.overall for cluster in clusters])
        for index, lead in enumerate(leads):
            places = [cluster.rows.get(index) for cluster in clusters]
            aligned[lead][wave] = _rows([None if p is None else given[index][p] for p in places])
    return together, aligned


def middles(marks: Marks) -> NDArray[np.float64]:
    """The middle of each wave, (waves,): of onset and offset, of the peak where one is missing."""
    middle: NDArray[np.float64] = (marks[:, ONSET] + marks[:, OFFSET]) / 2
    return np.where(np.isnan(middle), marks[:, PEAK], middle)


def _rows(marks: Sequence[NDArray[np.float64] | None]) -> Marks:
    absent = np.full(3, np.nan)
    rows: Marks = np.array([absent if one is None else one for one in marks], dtype=np.float64)
    return rows.reshape(-1, 3)


def _agreed(cluster: _Cluster, given: Sequence[Marks], least: float) -> _Cluster:
    """The cluster with the heart's marks, where enough leads show it."""
    if len(cluster.rows) < least:
        return cluster
    shown = np.stack([given[lead][row] for lead, row in cluster.rows.items()])
    return replace(cluster, overall=_median(shown))


def _checked(cluster: _Cluster, given: Sequence[Marks], wave: Wave, least: float) -> _Cluster:
    """The cluster with a method's own view of the heart, checked by the leads."""
    if cluster.overall is None:
        return _agreed(cluster, given, SEEN_ANYWAY_SHARE * len(given) - 1e-9)
    if len(cluster.rows) < CONFIRMED_SHARE[wave] * len(given) - 1e-9:
        return replace(cluster, overall=None)
    if len(cluster.rows) < least:
        return cluster
    median = _agreed(cluster, given, least).overall
    if median is None or not np.isfinite(median).all():
        return cluster
    halfway = (cluster.overall + median) / 2
    halfway[PEAK] = cluster.overall[PEAK]
    if wave == "QRS":
        # It begins in a few leads before it does in most: the view of all of them sees that.
        halfway[ONSET] = cluster.overall[ONSET]
    halfway[PEAK] = np.clip(halfway[PEAK], halfway[ONSET], halfway[OFFSET])
    return replace(cluster, overall=halfway)


def _median(marks: Marks) -> NDArray[np.float64]:
    """The median of each mark over the leads that have it, onset <= peak <= offset."""
    columns = [column[~np.isnan(column)] for column in marks.T]
    onset, peak, offset = (np.median(c) if c.size else np.nan for c in columns)
    ordered = [np.minimum(onset, peak), peak, np.maximum(offset, peak)]  # NaN stays NaN
    return np.array(ordered)


def _clusters(given: Sequence[Marks], reach: float, seeds: Marks | None) -> list[_Cluster]:
    """All waves of one kind, in time order; around ``seeds`` first, if there are any."""
    entries = sorted(
        (time, lead, row)
        for lead, marks in enumerate(given)
        for row, time in enumerate(middles(marks).tolist())
    )
    found: list[_Cluster] = []
    if seeds is not None:
        found, entries = _joined(seeds, entries, reach)
    for chain in _chains(entries, reach):
        if chain[-1][0] - chain[0][0] <= reach and len({lead for _, lead, _ in chain}) == len(
            chain
        ):
            found.append(_cluster(chain))  # what the search would find, without the search
        else:
            found += _densest(chain, reach)
    return sorted(found, key=lambda cluster: cluster.time)


def _cluster(entries: Sequence[_Entry]) -> _Cluster:
    time = float(np.median([time for time, _, _ in entries]))
    return _Cluster(time, {lead: row for _, lead, row in entries})


def _chains(entries: Sequence[_Entry], reach: float) -> list[list[_Entry]]:
    """Entries in time order, parted wherever nothing can join them."""
    chains: list[list[_Entry]] = []
    for entry in entries:
        if not chains or entry[0] - chains[-1][-1][0] > reach:
            chains.append([])
        chains[-1].append(entry)
    return chains


def _joined(
    seeds: Marks, entries: Sequence[_Entry], reach: float
) -> tuple[list[_Cluster], list[_Entry]]:
    """The given waves with the nearest wave of each lead within reach; and what joined none."""
    times = middles(seeds).tolist()
    pairs = sorted(
        (abs(entry[0] - times[k]), k, entry)
        for entry in entries
        for k in range(bisect_left(times, entry[0] - reach), bisect_right(times, entry[0] + reach))
    )
    rows: list[dict[int, int]] = [{} for _ in times]
    used: set[_Entry] = set()
    for _, k, entry in pairs:
        _, lead, row = entry
        if entry not in used and lead not in rows[k]:
            used.add(entry)
            rows[k][lead] = row
    found = [_Cluster(times[k], rows[k], seeds[k]) for k in range(len(times))]
    return found, [entry for entry in entries if entry not in used]


def _densest(chain: Sequence[_Entry], reach: float) -> list[_Cluster]:
    """Clusters of a chain: the one that most leads share, then the tightest, is made first.

    A heap holds every entry as a possible centre, with its rank when last looked at. Ranks only
    get worse as entries are used, so that a centre whose rank still stands is the best there is.
    """
    times = [time for time, _, _ in chain]
    left = [True] * len(chain)

    def around(centre: float) -> tuple[tuple[int, float], dict[int, int]]:
        """Rank (less is better) and the nearest entry of every lead, as places in the chain."""
        nearest: dict[int, tuple[float, int]] = {}
        for place in range(bisect_left(times, centre - reach), bisect_right(times, centre + reach)):
            if left[place]:
                lead, apart = chain[place][1], abs(times[place] - centre)
                nearest[lead] = min(nearest.get(lead, (apart, place)), (apart, place))
        # fsum: the spread must not depend on the order of the leads
        rank = (-len(nearest), fsum(apart for apart, _ in nearest.values()))
        return rank, {lead: place for lead, (_, place) in nearest.items()}

    heap = [(around(time)[0], time) for time in times]
    heapq.heapify(heap)
    found = []
    while heap:
        rank, centre = heapq.heappop(heap)
        now, places = around(centre)
        if not places:
            continue
        if now != rank:
            heapq.heappush(heap, (now, centre))
            continue
        for place in places.values():
            left[place] = False
        found.append(_cluster([chain[place] for place in places.values()]))
    return found
