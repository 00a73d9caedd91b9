"""What is measured on each lead to judge whether a recording is fit to read.

Flat stretches, stays at the rail, drift, jumps, noise between the beats, how well the beats repeat
and whether the lead shows its QRS complexes when the other leads do; after the criteria of the
PhysioNet/CinC Challenge 2011 (Silva, Moody and Celi, Computing in Cardiology 2011;38:273-276).

Everything is relative to the QRS complexes of the lead ("own") or of the recording's middle lead
("typical"), in the band that 100 Hz can carry. So a file with a wrong gain, with false voltages or
with another sampling rate is judged as any other.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ecgcore.signal.resampling import resample

Values = NDArray[np.float64]

RATE = 100.0
"""Hz; the lowest rate of the public collections, so that all are judged in the same band."""
FLAT_SHARE = 0.01
"""A stretch that spans less than this share of a typical QRS complex shows nothing."""
_BLOCK_SECONDS = 0.2
_FLAT_LEAST_SECONDS = 0.8
"""Shorter level stretches are the rest between T and P."""
_TYPICAL_SECONDS = 1.5
"""Holds a QRS complex down to 40 beats a minute."""
_HALF_BEAT = 30
"""Samples at ``RATE`` on either side of a QRS complex: from the P wave to the T wave."""
_HALF_QRS = 10
_WINDOW = 200
"""Samples at ``RATE``; the worst two seconds decide."""
_LEAST = 1e-9

FEATURES: tuple[str, ...] = (
    "flat_longest",
    "flat_share",
    "rail_share",
    "range",
    "qrs_height",
    "drift_own",
    "drift_typical",
    "jump_own",
    "beat_likeness",
    "beat_likeness_low",
    "beat_residual",
    "height_spread",
    "rest_likeness",
    "qrs_agreement",
    "fast_share",
    "fast_share_worst",
    "peakedness",
    "peakedness_least",
    "noise_own",
    "noise_typical",
    "noise_worst",
    "fast_in_all",
    "span_worst",
    "off_1",
    "off_2",
    "off_5",
    "flat_off",
    "bad_longest",
    "step",
    "steps",
    "edge_off",
)
"""``_own`` and ``_typical`` name the yardstick; off_1, off_2, off_5: share of the time that the
level is away by one, two, five typical QRS heights. Ratios are decimal logarithms."""


def verdict_features(signal: NDArray[np.floating], sampling_rate: float) -> Values:
    """(leads, len(FEATURES)), finite, from (leads, samples) in any unit without NaN.

    Takes two seconds or more at 50 Hz or more; raises ValueError below.
    """
    native = np.asarray(signal, dtype=np.float64)
    if native.ndim != 2 or native.shape[1] < 2 * sampling_rate or sampling_rate < 50:
        raise ValueError(
            f"a signal of shape {native.shape} at {sampling_rate:g} Hz; allowed: (leads, samples), "
            "at least 2 s at 50 Hz or more"
        )
    native = native - np.median(native, axis=1, keepdims=True)
    slow = resample(native, sampling_rate, RATE)
    typical = _typical_height(_band(slow, 0.5, 40.0))
    native, slow = native / typical, slow / typical
    levels = _level_features(native, slow, sampling_rate)
    beats = _beat_features(slow)
    found = levels | beats
    return np.stack([found[name] for name in FEATURES], axis=1)


def ordered_features(features: Values) -> Values:
    """(..., 6 * features) from (..., leads, features): what a recording's leads are like together.

    Of each feature the two lowest leads, the middle, the two highest, and the mean: the order of
    the leads does not matter, nor how many there are.
    """
    ordered = np.sort(features, axis=-2)
    last = ordered.shape[-2] - 1
    rows = [ordered[..., row, :] for row in (0, min(1, last), max(last - 1, 0), last)]
    middle, mean = np.median(features, axis=-2), features.mean(axis=-2)
    return np.concatenate([*rows, middle, mean], axis=-1)


def _band(values: Values, low: float | None, high: float) -> Values:
    """Zero-phase second-order Butterworth band in Hz over (leads, samples) at ``RATE``."""
    from scipy.signal import butter, sosfiltfilt

    if low is None:
        sections = butter(2, high, "low", fs=RATE, output="sos")
    else:
        sections = butter(2, (low, high), "band", fs=RATE, output="sos")
    padding = min(values.shape[1] - 1, int(2 * RATE))
    filtered: Values = sosfiltfilt(sections, values, axis=1, padlen=padding)
    return filtered


def _typical_height(filtered: Values) -> float:
    """The span of a beat: median over windows and over the leads that show anything."""
    width = int(_TYPICAL_SECONDS * RATE)
    windows = filtered[:, : filtered.shape[1] // width * width].reshape(len(filtered), -1, width)
    heights = np.median(np.ptp(windows, axis=2), axis=1)
    heights = heights[heights > 0.02 * heights.max()] if heights.max() > 0 else heights
    return float(np.median(heights)) or 1.0


def _longest(marks: NDArray[np.bool_]) -> Values:
    """The longest run of True in each row of (leads, blocks), in blocks."""
    longest = np.zeros(len(marks))
    run = np.zeros(len(marks))
    for column in marks.T:
        run = np.where(column, run + 1, 0)
        longest = np.maximum(longest, run)
    return longest


def _log(values: Values, floor: float) -> Values:
    logarithm: Values = np.log10(values + floor)
    return logarithm


def _level_features(native: Values, slow: Values, rate: float) -> dict[str, Values]:
    """Flat, off the scale, stepping: what needs no beat. In typical heights."""
    leads, samples = native.shape
    width = max(round(_BLOCK_SECONDS * rate), 2)
    blocks = native[:, : samples // width * width].reshape(leads, -1, width)
    flat = np.ptp(blocks, axis=2) <= FLAT_SHARE
    level = np.median(blocks, axis=2)
    away = np.abs(level - np.median(level, axis=1, keepdims=True))
    spans = np.ptp(blocks, axis=2)
    usual = np.maximum(np.percentile(spans, 75, axis=1, keepdims=True), 0.1)
    longest = _longest(flat) * width / rate
    top, bottom = native.max(axis=1, keepdims=True), native.min(axis=1, keepdims=True)
    close = 1e-3 * (top - bottom) + _LEAST
    steps = np.abs(np.diff(slow, axis=1))
    low, high = np.percentile(slow, (1, 99), axis=1)
    return {
        "flat_longest": np.where(longest >= _FLAT_LEAST_SECONDS, longest * rate / samples, 0.0),
        "flat_share": flat.mean(axis=1),
        "rail_share": ((native >= top - close) | (native <= bottom + close)).mean(axis=1),
        "range": _log(high - low, 1e-3),
        "off_1": (away > 0.5).mean(axis=1),
        "off_2": (away > 1.0).mean(axis=1),
        "off_5": (away > 2.5).mean(axis=1),
        "flat_off": (flat & (away > 1.0)).mean(axis=1),
        "bad_longest": _longest((away > 1.0) | flat | (spans > 4 * usual)) / flat.shape[1],
        "step": _log(steps.max(axis=1), 1e-2),
        "steps": _log((steps > 1.0).mean(axis=1), 1e-3),
        "edge_off": np.clip(np.maximum(away[:, :3].max(axis=1), away[:, -3:].max(axis=1)), 0, 5),
    }


def _beat_features(slow: Values) -> dict[str, Values]:
    """What the beats and the noise between them say, in own and in typical heights."""
    heart, qrs = _band(slow, 0.5, 40.0), _band(slow, 5.0, 20.0)
    fast, drift = _band(slow, 20.0, 45.0), _band(slow, None, 0.5)
    envelopes = _smooth(np.abs(qrs))
    joint = _joint(envelopes)
    beats = _peaks(joint)
    found = _repetition(heart, beats)
    own = np.maximum(found.pop("height"), 1e-3)
    quiet = np.ones(slow.shape[1], dtype=bool)
    for beat in beats:
        quiet[max(0, beat - 8) : beat + 9] = False
    starts = range(0, max(slow.shape[1] - _WINDOW + 1, 1), _WINDOW // 2)
    windows = [slice(start, start + _WINDOW) for start in starts]
    noise = _rms(fast, quiet)
    noises = np.stack([_rms(fast[:, w], quiet[w]) for w in windows])
    power = (qrs**2).mean(axis=1) + _LEAST
    fast_power = (fast**2).mean(axis=1)
    worst = np.max([(fast[:, w] ** 2).mean(axis=1) for w in windows], axis=0)
    jump = np.sort(np.abs(slow[:, 4:] - slow[:, :-4]), axis=1)[:, -5]
    moved = np.ptp(drift, axis=1)
    span = np.max([np.ptp(heart[:, w], axis=1) for w in windows], axis=0)
    return found | {
        "qrs_height": _log(own, 1e-3),
        "drift_own": _log(moved / own, 1e-2),
        "drift_typical": _log(moved, 1e-2),
        "jump_own": _log(jump / own, 1e-2),
        "qrs_agreement": np.array([_agreement(_peaks(row), beats) for row in envelopes]),
        "fast_share": _log(fast_power / power, 1e-3),
        "fast_share_worst": _log(worst / power, 1e-3),
        "peakedness": _peakedness(heart),
        "peakedness_least": np.min([_peakedness(heart[:, w]) for w in windows], axis=0),
        "noise_own": _log(noise / own, 1e-3),
        "noise_typical": _log(noise, 1e-3),
        "noise_worst": _log(noises.max(axis=0) / own, 1e-3),
        "fast_in_all": _log(fast_power / ((heart**2).mean(axis=1) + _LEAST), 1e-4),
        "span_worst": _log(span / own, 1e-2),
    }


def _rms(values: Values, where: NDArray[np.bool_]) -> Values:
    """Root mean square of each row where the beats are not (everywhere if they are everywhere)."""
    chosen = values[:, where] if where.sum() > 20 else values
    root: Values = np.sqrt((chosen**2).mean(axis=1))
    return root


def _smooth(values: Values) -> Values:
    kernel = np.ones(9) / 9
    return np.stack([np.convolve(row, kernel, "same") for row in values])


def _joint(envelopes: Values) -> Values:
    """The middle half of the leads at each moment, each on its own scale, without the bad ones."""
    scaled = envelopes / (np.percentile(envelopes, 95, axis=1, keepdims=True) + _LEAST)
    quarter = len(scaled) // 4
    ordered = np.sort(scaled, axis=0)[quarter : len(scaled) - quarter]
    middle: Values = ordered.mean(axis=0)
    return middle


def _peaks(envelope: Values) -> NDArray[np.intp]:
    from scipy.signal import find_peaks

    usual = float(np.percentile(envelope, 97))
    if usual <= _LEAST:
        return np.empty(0, dtype=np.intp)
    found: NDArray[np.intp] = find_peaks(envelope, height=0.3 * usual, distance=int(0.3 * RATE))[0]
    return found


def _agreement(own: NDArray[np.intp], common: NDArray[np.intp]) -> float:
    """F1 of a lead's QRS complexes against the common ones, within 80 ms."""
    if not own.size or not common.size:
        return 0.0
    near = np.abs(own[:, None] - common[None, :]) <= 8
    precision, recall = float(near.any(axis=1).mean()), float(near.any(axis=0).mean())
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def _peakedness(values: Values) -> Values:
    """Decimal logarithm of the kurtosis of each row: high where waves stand on a quiet line."""
    centred = values - values.mean(axis=1, keepdims=True)
    return _log((centred**4).mean(axis=1) / (centred.var(axis=1) ** 2 + 1e-15), 1e-2)


def _repetition(heart: Values, beats: NDArray[np.intp]) -> dict[str, Values]:
    """How well the beats of each lead repeat their median; its QRS height, in typical heights."""
    inside = beats[(beats >= _HALF_BEAT) & (beats < heart.shape[1] - _HALF_BEAT)]
    names = ("beat_likeness", "beat_likeness_low", "rest_likeness", "beat_residual",
             "height_spread", "height")  # fmt: skip
    if inside.size < 2:
        nothing = (0.0, -0.5, 0.0, 1.0, 2.0)
        found = {n: np.full(len(heart), v) for n, v in zip(names, nothing, strict=False)}
        return found | {"height": np.percentile(np.abs(heart), 99, axis=1)}
    rows = [_repetition_of_lead(row, inside) for row in heart]
    return dict(zip(names, np.array(rows).T, strict=True))


def _repetition_of_lead(lead: Values, beats: NDArray[np.intp]) -> tuple[float, ...]:
    windows = np.stack([lead[beat - _HALF_BEAT : beat + _HALF_BEAT] for beat in beats])
    windows = windows - windows.mean(axis=1, keepdims=True)
    median = np.median(windows, axis=0)
    middle = slice(_HALF_BEAT - _HALF_QRS, _HALF_BEAT + _HALF_QRS)
    rest = np.ones(2 * _HALF_BEAT, dtype=bool)
    rest[middle] = False
    alike, rest_alike = _likeness(windows, median), _likeness(windows[:, rest], median[rest])
    heights = np.ptp(windows[:, middle], axis=1)
    residual = np.sqrt(np.median(((windows - median) ** 2).mean(axis=1)))
    relative = residual / (np.sqrt((median**2).mean()) + 1e-6)
    low, high = np.percentile(heights, (10, 90))
    return (
        float(np.median(alike)),
        float(np.percentile(alike, 20)),
        float(np.median(rest_alike)),
        float(np.log10(relative + 1e-3)),
        float(np.log10((high + 1e-3) / (low + 1e-3))),
        float(np.ptp(median[middle])),
    )


def _likeness(windows: Values, median: Values) -> Values:
    lengths = np.linalg.norm(windows, axis=1) * np.linalg.norm(median)
    cosine: Values = (windows @ median) / (lengths + _LEAST)
    return cosine
