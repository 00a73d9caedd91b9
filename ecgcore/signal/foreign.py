"""Is it an ECG at all, and are its leads what they are called: what a heart leaves in every signal.

Measured without any model of disease, so that no disease can fail it: complexes that stand out, and
of which each has another like it (bundle branch block, pacing, bigeminy and fibrillation repeat
their complexes too; noise does not); leads that differ from each other, as a heart seen from eight
sides must; limb leads that obey Einthoven's and Goldberger's laws up to a gain of each (Kligfield
et al., AHA/ACC/HRS Recommendations, Part I, Circulation 2007;115:1306-1324). No voltage is used: a
gain or an offset of a lead changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ecgcore.recording import LIMB_LEADS, Recording
from ecgcore.signal.detection import bridged, detect_qrs
from ecgcore.signal.resampling import resample
from ecgcore.signal.reversal import RATE, heart_band

_Values = NDArray[np.float64]

_INDEPENDENT = ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6")
"""The other four follow from I and II."""
_LIMB_SIGNS: dict[str, tuple[int, int]] = {
    "III": (-1, 1), "aVR": (-1, -1), "aVL": (1, -1), "aVF": (-1, 1),
}  # fmt: skip
"""The signs with which I and II make the others."""
_BEFORE, _AFTER = 14, 20
"""Samples at ``RATE`` around the middle of a QRS complex that are compared."""
_REACH = 3
_HALF_QRS = 10
_SHORTEST_PERIOD, _LONGEST_PERIOD = 18, 60
"""Samples at ``RATE``: 100 to 330 a minute, the rates of ventricular tachycardia and flutter."""
_WINDOW = 200
"""Samples at ``RATE``; leads are compared in windows of two seconds, so that one jump of all leads
at once does not count."""
_LEAST_PROMINENCE = 0.3
_FASTEST_HEART_HZ, _HUM_HZ = 10.0, 1.0
_LEAST = 1e-9
_EMPTY = 1e-3
"""A lead of less than this share of the largest lead's RMS shows nothing."""


@dataclass(frozen=True)
class Signs:
    """What a recording has of a heart; ``seconds`` of it were looked at.

    ``beats`` is the number of complexes that stand out and lie wholly inside. ``likeness`` (median
    over the beats of the mean cosine over the leads with the beat most like it), ``rr_seconds`` and
    ``qrs_hz`` (the mean frequency of the median complex) are NaN under two beats. ``sameness`` is
    the share of the independent leads, each of unit power, that one common signal explains, NaN
    under two such leads. ``limb_misfit`` is the largest share (RMS) of a recorded limb lead that I
    and II with the signs of Einthoven and Goldberger leave unexplained, NaN where it cannot be
    asked.
    ``repetition`` is the highest peak of the autocorrelation, mean over the leads, between 0.18 and
    0.6 s: high where no complex stands out and yet all repeats, as in ventricular tachycardia.
    ``hum`` is the largest share of power within 1 Hz of one frequency above those of any heart
    (10 Hz), median over the leads.
    """

    seconds: float
    beats: int
    likeness: float
    sameness: float
    limb_misfit: float
    repetition: float
    rr_seconds: float
    qrs_hz: float
    hum: float


def signs_of_a_heart(recording: Recording) -> Signs:
    """Measure a recording of 50 Hz or more and 2 s or more. Missing samples are bridged."""
    values = bridged(recording.signal.astype(np.float64))
    values = values - np.median(values, axis=1, keepdims=True)
    slow = heart_band(resample(values, recording.sampling_rate, RATE))
    power = np.sqrt((slow**2).mean(axis=1))
    shown = power > _EMPTY * power.max()
    places = detect_qrs(slow, RATE) if shown.any() else np.empty(0)
    named = dict(zip(recording.leads, slow, strict=True))
    kept = {lead: row for (lead, row), seen in zip(named.items(), shown, strict=True) if seen}
    recorded = {lead: row for lead, row in kept.items() if lead not in recording.computed}
    beats = _whole_beats(np.stack(list(kept.values())), places) if kept else np.empty((0, 0, 0))
    enough = len(beats) > 1
    return Signs(
        seconds=recording.seconds,
        beats=len(beats),
        likeness=_likeness(beats) if enough else np.nan,
        sameness=_sameness(kept),
        limb_misfit=_limb_misfit(recorded),
        repetition=_repetition(np.stack(list(kept.values()))) if kept else 0.0,
        rr_seconds=float(np.median(np.diff(places))) / RATE if len(places) > 1 else np.nan,
        qrs_hz=_qrs_hz(beats) if enough else np.nan,
        hum=_hum(np.stack(list(kept.values()))) if kept else 0.0,
    )


def _whole_beats(slow: _Values, places: _Values) -> _Values:
    """(beats, leads, samples) with room to shift, each lead by its own usual size."""
    before, after = _BEFORE + _REACH, _AFTER + _REACH
    at = np.round(places).astype(int)
    at = at[(at >= before) & (at < slow.shape[1] - after)]
    if not len(at):
        return np.empty((0, len(slow), before + after))
    cut = np.stack([slow[:, p - before : p + after] for p in at])
    size = np.sqrt((cut**2).mean(axis=(0, 2), keepdims=True))
    scaled: _Values = cut / size
    return scaled


def _likeness(beats: _Values) -> float:
    """Of each beat with the one most like it at the best lag, the median over the beats."""
    length = _BEFORE + _AFTER
    middle = _unit(beats[:, :, _REACH : _REACH + length])
    alike = np.full((len(beats), len(beats)), -np.inf)
    for lag in range(2 * _REACH + 1):
        shifted = _unit(beats[:, :, lag : lag + length])
        cosine = np.einsum("ils,jls->ij", middle, shifted) / beats.shape[1]
        alike = np.maximum(alike, cosine)
    np.fill_diagonal(alike, -np.inf)
    return float(np.median(alike.max(axis=1)))


def _unit(windows: _Values) -> _Values:
    """Each lead of each beat around its own level and of length one."""
    level = windows - windows.mean(axis=-1, keepdims=True)
    unit: _Values = level / (np.linalg.norm(level, axis=-1, keepdims=True) + _LEAST)
    return unit


def _sameness(leads: dict[str, _Values]) -> float:
    rows = [row for lead, row in leads.items() if lead in _INDEPENDENT]
    if len(rows) < 2:
        return float("nan")
    count = max(1, len(rows[0]) // _WINDOW)
    shares = []
    for part in np.array_split(np.stack(rows), count, axis=1):
        unit = part / (np.linalg.norm(part, axis=1, keepdims=True) + _LEAST)
        shares.append(np.linalg.eigvalsh(unit @ unit.T)[-1] / len(rows))
    return float(np.median(shares))


def _repetition(slow: _Values) -> float:
    """The highest peak of the leads' mean autocorrelation at the periods of fast rhythms."""
    from scipy.signal import find_peaks

    samples = slow.shape[1]
    power = np.abs(np.fft.rfft(slow, 2 * samples, axis=1)) ** 2
    together = np.fft.irfft(power, axis=1)[:, : _LONGEST_PERIOD + 2]
    together = (together / (together[:, :1] + _LEAST)).mean(axis=0)
    together = together * samples / (samples - np.arange(together.size))
    peaks, _ = find_peaks(together, prominence=_LEAST_PROMINENCE)
    peaks = peaks[peaks >= _SHORTEST_PERIOD]
    return float(together[peaks].max(initial=0.0))


def _hum(slow: _Values) -> float:
    """See ``Signs``."""
    power = np.abs(np.fft.rfft(slow * np.hanning(slow.shape[1]), axis=1)) ** 2
    each = RATE / slow.shape[1]
    fast = slice(round(_FASTEST_HEART_HZ / each), None)
    width = 2 * round(_HUM_HZ / each) + 1
    around = np.apply_along_axis(np.convolve, 1, power[:, fast], np.ones(width), "same")
    return float(np.median(around.max(axis=1) / (power.sum(axis=1) + _LEAST)))


def _limb_misfit(recorded: dict[str, _Values]) -> float:
    from scipy.optimize import nnls

    asked = [lead for lead in LIMB_LEADS[2:] if lead in recorded]
    if not asked or not {"I", "II"} <= recorded.keys():
        return float("nan")
    shares = []
    for lead in asked:
        first, second = _LIMB_SIGNS[lead]
        basis = np.stack([first * recorded["I"], second * recorded["II"]], axis=1)
        _, left = nnls(basis, recorded[lead])
        shares.append(left / np.linalg.norm(recorded[lead]))
    return float(max(shares))


def _qrs_hz(beats: _Values) -> float:
    """Root of the mean square frequency of the median complex over all leads, in Hz."""
    middle = _BEFORE + _REACH
    median = np.median(beats, axis=0)[:, middle - _HALF_QRS : middle + _HALF_QRS + 1]
    taper = np.hanning(median.shape[1])
    shaped = (median - median.mean(axis=1, keepdims=True)) * taper
    slope = (np.diff(shaped, axis=1) ** 2).sum()
    return float(np.sqrt(slope / (shaped**2).sum()) * RATE / (2 * np.pi))
