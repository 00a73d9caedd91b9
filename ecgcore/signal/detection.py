"""Where the QRS complexes are, from all leads together.

The steepness of every lead in the band of the QRS complex is put on a scale of its own, so that no
lead counts by its amplitude, and a lead that is noisy throughout counts little. Peaks of the common
steepness are QRS complexes by adaptive thresholds, with refractory time, T wave discrimination and
search back, after Pan and Tompkins, A Real-Time QRS Detection Algorithm, IEEE Trans Biomed Eng
1985;32:230-236. Nothing is causal here: the recording is complete.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

_Values = NDArray[np.float64]

REFRACTORY_SECONDS = 0.2
"""No ventricle is excited twice within 200 ms (Pan and Tompkins)."""
T_WAVE_SECONDS = 0.36
"""What comes sooner after a QRS complex and is less than half as steep is its T wave (the same)."""
_T_WAVE_SHARE = 0.5
P_WAVE_SECONDS = 0.3
"""What comes sooner before a QRS complex and is less steep by a quarter is a tall P wave."""
_P_WAVE_SHARE = 0.75
_SEARCH_BACK_INTERVALS = 1.66
"""A gap of this many RR intervals is searched again with the lower threshold (the same)."""

_BAND_HZ = (5.0, 30.0)
_SPIKE_SECONDS = 0.006
"""A pacing spike lasts at most 2 ms; filters of the cart widen it."""
_SMOOTH_SECONDS = 0.08
_LEVEL_SECONDS = 2.0
"""Holds a QRS complex down to 30 beats a minute."""
_CLIP = 2.0
_HIGH_SHARE, _LOW_SHARE = 0.4, 0.18
"""Of the usual height of a QRS complex: surely one; one if it is missed otherwise."""
_FLOOR_SECONDS = 5.0
_ABOVE_FLOOR, _ABOVE_SPREAD = 1.5, 6.0
"""A QRS complex rises above the quiet quarter of its surroundings by this factor, and by this many
times what the quiet quarter spreads over (about a standard deviation of noise). Noise does not."""
_NEIGHBOURS = 8
_LEAST = 1e-9


def detect_qrs(signal: NDArray[np.floating], sampling_rate: float) -> _Values:
    """QRS complexes in samples, fractions allowed, in time order: the middle of their steepness.

    ``signal`` (leads, samples) at 50 Hz or more, any unit, NaN where missing. Empty where nothing
    stands out. Raises ValueError for another shape or a lower rate.
    """
    values = np.asarray(signal, dtype=np.float64)
    if values.ndim != 2 or not len(values):
        raise ValueError(f"a signal of shape {values.shape}; allowed: (leads, samples)")
    if not np.isfinite(sampling_rate) or sampling_rate < 50:
        raise ValueError(f"{sampling_rate} Hz; QRS detection needs 50 Hz or more")
    if values.shape[1] < sampling_rate / 2:
        return np.empty(0)
    steepness = common_steepness(values, sampling_rate)
    found = _select(steepness, sampling_rate)
    return np.array([_centre(steepness, place, sampling_rate) for place in found])


def common_steepness(values: _Values, sampling_rate: float) -> _Values:
    """How steep the leads are together, (samples,): about 1 in a usual QRS complex."""
    envelope = _envelopes(_without_spikes(bridged(values), sampling_rate), sampling_rate)
    levels = _levels(envelope, sampling_rate)
    usable = levels > _LEAST
    if not usable.any():
        return np.zeros(values.shape[1])
    scaled = np.minimum(envelope[usable] / levels[usable, None], _CLIP)
    quiet = np.median(scaled, axis=1)
    weights = np.clip(1 - quiet, 0.05, 1) ** 2  # a lead noisy throughout is never quiet
    together: _Values = weights @ scaled / weights.sum()
    return together


def bridged(values: _Values) -> _Values:
    """Missing samples bridged by straight lines; a lead all missing is zero."""
    filled = np.where(np.isfinite(values), values, 0.0)
    at = np.arange(values.shape[1])
    for lead, row in enumerate(values):
        present = np.isfinite(row)
        if present.any() and not present.all():
            filled[lead] = np.interp(at, at[present], row[present])
    return filled


def _without_spikes(values: _Values, rate: float) -> _Values:
    """What lasts less than a QRS complex can, taken out by a running median."""
    from scipy import ndimage

    width = 2 * int(_SPIKE_SECONDS * rate) + 1
    smooth: _Values = ndimage.median_filter(values, size=(1, width), mode="nearest")
    return smooth


def _envelopes(values: _Values, rate: float) -> _Values:
    """Root mean square of the slope over a window, of each lead, (leads, samples)."""
    from scipy import ndimage
    from scipy import signal as scipy_signal

    edges = (_BAND_HZ[0], min(_BAND_HZ[1], 0.45 * rate))
    sections = scipy_signal.butter(2, edges, "bandpass", fs=rate, output="sos")
    padding = min(round(rate), values.shape[1] - 1)
    band = scipy_signal.sosfiltfilt(sections, values, axis=1, padlen=padding)
    power = np.gradient(band, axis=1) ** 2
    width = max(round(_SMOOTH_SECONDS * rate), 1)
    mean = ndimage.uniform_filter1d(power, width, axis=1, mode="constant")
    envelope: _Values = np.sqrt(np.maximum(mean, 0))
    return envelope


def _levels(envelope: _Values, rate: float) -> _Values:
    """The usual highest steepness of each lead, (leads,): the median over windows of 2 s."""
    width = min(round(_LEVEL_SECONDS * rate), envelope.shape[1])
    starts = range(0, envelope.shape[1] - width + 1, max(width // 2, 1))
    highest = [envelope[:, start : start + width].max(axis=1) for start in starts]
    levels: _Values = np.median(highest, axis=0)
    return levels


def _select(steepness: _Values, rate: float) -> list[int]:
    """Samples of the peaks that are QRS complexes, in time order."""
    from scipy import signal as scipy_signal

    padded = np.concatenate([[0.0], steepness, [0.0]])  # a beat cut by an end is a peak as well
    apart = max(round(REFRACTORY_SECONDS * rate), 1)
    places, _ = scipy_signal.find_peaks(padded, distance=apart)
    places = places - 1
    places = places[_stands_out(steepness, places, rate)]
    if not places.size:
        return []
    heights = steepness[places]
    high, low = _thresholds(places, heights, rate)
    found = _without_p_and_t(places[heights >= high], steepness, rate)
    return _searched_back(found, places[heights >= low], steepness, rate)


def _stands_out(steepness: _Values, places: NDArray[np.intp], rate: float) -> NDArray[np.bool_]:
    half = round(_FLOOR_SECONDS * rate / 2)
    around = [steepness[max(p - half, 0) : p + half] for p in places]
    low, floor = np.array([np.quantile(part, (0.05, 0.25)) for part in around]).T.reshape(2, -1)
    needed = np.maximum(_ABOVE_FLOOR * floor, floor + _ABOVE_SPREAD * (floor - low))
    clear: NDArray[np.bool_] = steepness[places] > np.maximum(needed, _LEAST)
    return clear


def _thresholds(places: NDArray[np.intp], heights: _Values, rate: float) -> tuple[_Values, _Values]:
    """High and low threshold at each place, from the highest peaks of the seconds around it."""
    half = _LEVEL_SECONDS * rate
    levels = np.array([heights[np.abs(places - place) <= half].max() for place in places])
    usual = np.array(
        [
            np.median(levels[max(k - _NEIGHBOURS, 0) : k + _NEIGHBOURS + 1])
            for k in range(len(places))
        ]
    )
    usual = np.minimum(usual, np.maximum(levels, 0.5 * usual))
    return _HIGH_SHARE * usual, _LOW_SHARE * usual


def _without_p_and_t(places: NDArray[np.intp], steepness: _Values, rate: float) -> list[int]:
    """Without what follows or precedes a steeper peak too closely to be a QRS complex itself."""
    found: list[int] = []
    for place in places.tolist():
        after = (place - found[-1]) / rate if found else np.inf
        if after < T_WAVE_SECONDS and steepness[place] < _T_WAVE_SHARE * steepness[found[-1]]:
            continue
        if after < P_WAVE_SECONDS and steepness[found[-1]] < _P_WAVE_SHARE * steepness[place]:
            found.pop()
        found.append(place)
    return found


def _searched_back(
    found: list[int], candidates: NDArray[np.intp], steepness: _Values, rate: float
) -> list[int]:
    """With the highest low peak in every gap that is too long, until no gap gives one."""
    if len(found) < 3:
        return found
    usual = float(np.median(np.diff(found)))
    # A weak beat that is searched for is not premature, nor the T of one beat or the P of the next.
    after, before = (
        max(0.5 * usual, min(seconds * rate, 0.75 * usual))
        for seconds in (T_WAVE_SECONDS, P_WAVE_SECONDS)
    )
    edges = [found[0] - usual, *found, found[-1] + usual]
    gaps = list(pairwise(edges))
    gaps[0], gaps[-1] = (-np.inf, found[0]), (found[-1], np.inf)
    while gaps:
        start, stop = gaps.pop()
        if stop - start < _SEARCH_BACK_INTERVALS * usual and np.isfinite(stop - start):
            continue
        inside = candidates[(candidates > start + after) & (candidates < stop - before)]
        if inside.size:
            best = int(inside[np.argmax(steepness[inside])])
            found.append(best)
            gaps += [(start, best), (best, stop)]
    return sorted(found)


def _centre(steepness: _Values, place: int, rate: float) -> float:
    """The centre of what is at least half as high as the peak, to a fraction of a sample."""
    half = round(REFRACTORY_SECONDS / 2 * rate)
    start, stop = max(place - half, 0), min(place + half + 1, len(steepness))
    above = np.maximum(steepness[start:stop] - steepness[place] / 2, 0)
    return float(np.sum(above * np.arange(start, stop)) / above.sum())
