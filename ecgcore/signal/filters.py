"""Display filters: they change the picture, never the recording.

Zero-phase Butterworth bands (run forward and backward, so that no wave is shifted in time) and a
mains notch. The -3 dB points of the two passes together lie on the named frequencies. The bands are
those of ECG carts: 0.05-150 Hz is the diagnostic band for adults, 0.5-40 Hz the monitoring band,
which may change the ST segment (Kligfield et al., AHA/ACC/HRS Recommendations for the
Standardization and Interpretation of the Electrocardiogram, Part I, Circulation
2007;115:1306-1324).

What a sampling rate cannot carry is not done, and the result says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import atan, pi, tan
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

Band = Literal["none", "0.05-150 Hz", "0.5-40 Hz"]
MainsFrequency = Literal[50, 60]
_Kind = Literal["lowpass", "highpass"]

# Butterworth order of each section; the two passes double it. Without phase shift a second-order
# high-pass removes breathing without bending the ST segment as a cart's one-way filter would.
_HIGH_PASS_ORDER = 2
_LOW_PASS_ORDER = 2
_NOTCH_QUALITY = 30.0
# Above this share of half the sampling rate a cut-off means nothing: the sampler's own anti-alias
# filter has already decided there.
_HIGHEST_SHARE = 0.95
_LONGEST_PADDING_SECONDS = 10.0
_FEWEST_SAMPLES = 16


@dataclass(frozen=True)
class DisplayFilter:
    """A band and a mains notch; ``mains`` in Hz, None for no notch.

    Raises ValueError for a band or mains frequency that is not offered.
    """

    band: Band = "none"
    mains: MainsFrequency | None = None

    def __post_init__(self) -> None:
        if self.band not in get_args(Band):
            raise ValueError(f"unknown band {self.band!r}; known: {', '.join(get_args(Band))}")
        if self.mains is not None and self.mains not in get_args(MainsFrequency):
            raise ValueError(f"unknown mains frequency {self.mains!r}; known: None, 50, 60 Hz")

    @property
    def name(self) -> str:
        """The filter's name as asked for, such as "0.5-40 Hz, notch 50 Hz" or "none"."""
        return _joined(
            None if self.band == "none" else self.band,
            None if self.mains is None else f"notch {self.mains} Hz",
        )


DISPLAY_FILTERS: tuple[DisplayFilter, ...] = tuple(
    DisplayFilter(band, mains) for band in get_args(Band) for mains in (None, 50, 60)
)
NO_FILTER = DISPLAY_FILTERS[0]


@dataclass(frozen=True)
class FilteredSignal:
    """A filtered copy: ``signal`` (leads, samples) float32 in mV, NaN where the input was NaN.

    ``name`` says what was really done; ``note`` says why that is less than was asked for, if so.
    """

    signal: NDArray[np.float32]
    name: str
    note: str | None = None


def apply_display_filter(
    signal: NDArray[np.float32], sampling_rate: float, display_filter: DisplayFilter
) -> FilteredSignal:
    """Filter (leads, samples) in mV at ``sampling_rate`` Hz for display; the input stays as it is.

    A part of the filter that the rate or the length cannot carry is left out, and ``note`` says so.
    """
    if display_filter == NO_FILTER:
        return FilteredSignal(signal, NO_FILTER.name)
    if signal.shape[-1] < _FEWEST_SAMPLES:
        short = f"not filtered: {signal.shape[-1]} samples are too few (at least {_FEWEST_SAMPLES})"
        return FilteredSignal(signal, NO_FILTER.name, short)
    parts = []
    if display_filter.band != "none":
        parts.append(_band_part(display_filter.band, sampling_rate))
    if display_filter.mains is not None:
        parts.append(_notch_part(display_filter.mains, sampling_rate))
    sections = [section for part in parts for section in part.sections]
    filtered = _zero_phase(signal, np.concatenate(sections), sampling_rate) if sections else signal
    note = "; ".join(part.note for part in parts if part.note) or None
    return FilteredSignal(filtered, _joined(*(part.name for part in parts)), note)


@dataclass(frozen=True)
class _Part:
    """Second-order sections, what they are called, and why something is missing."""

    sections: list[NDArray[np.float64]]
    name: str | None = None
    note: str | None = None


def _joined(*names: str | None) -> str:
    """The names that are there, or "none"."""
    return ", ".join(name for name in names if name) or "none"


def _two_pass_cutoff(cutoff: float, sampling_rate: float, order: int, kind: _Kind) -> float:
    """The design frequency in Hz whose two passes together have -3 dB at ``cutoff``.

    Two passes have the amplitude 1 / (1 + (w / wc)^(2 order)), w on the bilinear transform's scale.
    """
    warped = tan(pi * cutoff / sampling_rate)
    stretch = (2**0.5 - 1) ** (1 / (2 * order))
    return sampling_rate / pi * atan(warped / stretch if kind == "lowpass" else warped * stretch)


def _butterworth(
    cutoff: float, sampling_rate: float, order: int, kind: _Kind
) -> NDArray[np.float64]:
    from scipy.signal import butter

    design = _two_pass_cutoff(cutoff, sampling_rate, order, kind)
    sections: NDArray[np.float64] = butter(order, design, kind, fs=sampling_rate, output="sos")
    return sections


def _band_part(band: str, sampling_rate: float) -> _Part:
    low, high = (float(edge) for edge in band.removesuffix(" Hz").split("-"))
    limit = _HIGHEST_SHARE * sampling_rate / 2
    if low > limit:
        return _Part([], note=f"no {band} filter: sampled at {sampling_rate:g} Hz")
    sections = [_butterworth(low, sampling_rate, _HIGH_PASS_ORDER, "highpass")]
    if high > limit:
        note = f"no {high:g} Hz low-pass: sampled at {sampling_rate:g} Hz"
        return _Part(sections, f"{low:g} Hz high-pass", note)
    sections.append(_butterworth(high, sampling_rate, _LOW_PASS_ORDER, "lowpass"))
    return _Part(sections, band)


def _notch_part(mains: int, sampling_rate: float) -> _Part:
    from scipy.signal import iirnotch, tf2sos

    if mains > _HIGHEST_SHARE * sampling_rate / 2:
        return _Part([], note=f"no {mains} Hz notch: sampled at {sampling_rate:g} Hz")
    section = tf2sos(*iirnotch(mains, _NOTCH_QUALITY, fs=sampling_rate))
    return _Part([section], f"notch {mains} Hz")


def _zero_phase(
    signal: NDArray[np.float32], sections: NDArray[np.float64], sampling_rate: float
) -> NDArray[np.float32]:
    """Both passes over (leads, samples); gaps are bridged by a straight line and put back."""
    from scipy.signal import sosfiltfilt

    gaps = ~np.isfinite(signal)
    values = _bridged(signal.astype(np.float64), gaps)
    padding = min(signal.shape[-1] - 1, int(_LONGEST_PADDING_SECONDS * sampling_rate))
    filtered = sosfiltfilt(sections, values, axis=-1, padtype="odd", padlen=padding)
    filtered[gaps] = np.nan
    return np.asarray(filtered, dtype=np.float32)


def _bridged(values: NDArray[np.float64], gaps: NDArray[np.bool_]) -> NDArray[np.float64]:
    """The same rows with a straight line over each gap (a row without any sample becomes zero)."""
    for row in np.flatnonzero(gaps.any(axis=-1)):
        known = np.flatnonzero(~gaps[row])
        missing = np.flatnonzero(gaps[row])
        values[row, missing] = np.interp(missing, known, values[row, known]) if known.size else 0.0
    return values
