"""Which recordings show one tracing, whatever file, rate, gain or filter it came by, and whenever
it was cut: overlapping stretches of one recording are found too.

Two steps, so that thousands need no comparison of all pairs at full length. Each recording has a
fingerprint, its median beat in eight leads; only those with beats alike (about 1 pair in 250 of
different patients) are laid over one another at every shift. Patients' beats may be alike, but the
intervals between them, in eight leads over 5 s and more, are not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ecgcore.signal.detection import bridged, detect_qrs
from ecgcore.signal.resampling import resample

COMPARED_LEADS = ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6")
"""The independent ones of the twelve."""
RATE = 100.0
"""Hz at which tracings are compared: what steep waves need, and small."""
LONGEST_SECONDS = 120.0
"""What comes later in a longer recording is not looked at."""
LEAST_OVERLAP_SECONDS = 5.0
ALIKE_BEATS = 0.9
"""Correlation of two fingerprints from which the tracings themselves are compared."""
SAME_TRACING = 0.89
"""Correlation, where they overlap, from which two are one tracing. ``benchmarks/same_tracings.py``
measures both sides: the most alike of different patients, the least alike of planted copies."""

_BEAT_BAND_HZ, _TRACING_BAND_HZ = (1.0, 25.0), (4.0, 30.0)
"""Inside what a monitor's filter of 0.5-40 Hz leaves; the tracing's is without baseline and most of
the T wave, as steep waves tell intervals apart."""
_BEFORE_SECONDS, _AFTER_SECONDS = 0.25, 0.45
_BEAT_STEP = 2
_FINER = 2
"""Shifts are tried in half samples: a cut falls between two."""


@dataclass(frozen=True)
class Tracing:
    """What a recording is compared by: ``beat`` (8 x 35,), its median beat as a row of length 1,
    and ``signal`` (8, samples) at 100 Hz, whole numbers of -127 to 127."""

    beat: NDArray[np.float32]
    signal: NDArray[np.int8]

    @property
    def seconds(self) -> float:
        """How long it is."""
        return float(self.signal.shape[1] / RATE)


@dataclass(frozen=True)
class Overlap:
    """How alike two tracings are where they overlap, at the best shift: ``seconds`` that they
    share, ``later`` by how many seconds the second begins after the first (below 0: before)."""

    correlation: float
    seconds: float
    later: float

    @property
    def is_same(self) -> bool:
        """Whether both are stretches of one tracing."""
        return self.correlation >= SAME_TRACING


def tracing_of(
    signal: NDArray[np.floating], sampling_rate: float, leads: Sequence[str]
) -> Tracing | str:
    """What a recording, (leads, samples) in any unit, NaN where missing, is compared by; or, as a
    sentence, why it is not compared."""
    missing = [lead for lead in COMPARED_LEADS if lead not in leads]
    if missing:
        return f"without {', '.join(missing)} it is not compared with other tracings"
    longest = round(LONGEST_SECONDS * sampling_rate)
    rows = signal[[list(leads).index(lead) for lead in COMPARED_LEADS], :longest]
    if rows.shape[1] < LEAST_OVERLAP_SECONDS * sampling_rate:
        return f"shorter than {LEAST_OVERLAP_SECONDS:g} s; not compared with other tracings"
    values = resample(
        bridged(np.asarray(rows, dtype=np.float64)), sampling_rate, RATE, beyond="line"
    )
    beat = _median_beat(_band(values, _BEAT_BAND_HZ))
    steep = _band(values, _TRACING_BAND_HZ)
    highest = np.abs(steep).max()
    if beat is None or not highest > 0:
        return "no heartbeat stands out; not compared with other tracings"
    return Tracing(beat, np.round(steep * (127 / highest)).astype(np.int8))


def _band(values: NDArray[np.float64], edges: tuple[float, float]) -> NDArray[np.float64]:
    from scipy.signal import butter, sosfiltfilt

    sections = butter(2, edges, "bandpass", fs=RATE, output="sos")
    return np.asarray(sosfiltfilt(sections, values, axis=1, padlen=int(RATE)))


def _median_beat(values: NDArray[np.float64]) -> NDArray[np.float32] | None:
    """Of all whole beats; None without any."""
    before, after = round(_BEFORE_SECONDS * RATE), round(_AFTER_SECONDS * RATE)
    places = np.round(detect_qrs(values, RATE)).astype(int)
    windows = [
        values[:, at - before : at + after]
        for at in places
        if at >= before and at + after <= values.shape[1]
    ]
    if not windows:
        return None
    beat = np.median(windows, axis=0)[:, ::_BEAT_STEP].ravel()
    length = float(np.linalg.norm(beat))
    return (beat / length).astype(np.float32) if length > 0 else None


def overlap(one: Tracing, other: Tracing) -> Overlap:
    """The best of all shifts at which they share 5 s or more: the correlation of eight leads
    together, whatever the gains."""
    from scipy.fft import irfft, next_fast_len, rfft

    first, second = one.signal.astype(np.float32), other.signal.astype(np.float32)
    long, short = first.shape[1], second.shape[1]
    length = next_fast_len(long + short, real=True)
    spectrum = (rfft(first, length) * np.conj(rfft(second, length))).sum(axis=0)
    product = irfft(spectrum, _FINER * length) * _FINER  # band-limited: values between samples
    shifts = np.arange(-(short - 1) * _FINER, (long - 1) * _FINER + 1)
    begins = np.maximum(0, np.round(shifts / _FINER).astype(int))
    begins_other = np.maximum(0, np.round(-shifts / _FINER).astype(int))
    shared = np.minimum(long - begins, short - begins_other)
    power = _energy(first, begins, shared) * _energy(second, begins_other, shared)
    enough = (shared >= LEAST_OVERLAP_SECONDS * RATE - 1) & (power > 0)
    if not enough.any():
        return Overlap(0.0, 0.0, 0.0)
    alike = np.where(enough, product[shifts] / np.sqrt(np.where(enough, power, 1)), -1)
    best = int(np.argmax(alike))
    return Overlap(
        float(alike[best]), float(shared[best] / RATE), float(shifts[best] / (_FINER * RATE))
    )


def _energy(
    rows: NDArray[np.float32], begins: NDArray[np.intp], lengths: NDArray[np.intp]
) -> NDArray[np.float64]:
    """Of each stretch, all leads together."""
    summed = np.concatenate([[0.0], np.cumsum((rows.astype(np.float64) ** 2).sum(axis=0))])
    return np.asarray(summed[begins + lengths] - summed[begins])


class BeatIndex:
    """Fingerprints of many recordings, in the order in which they come."""

    def __init__(self) -> None:
        self._beats = np.empty((64, 0), dtype=np.float32)
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, beat: NDArray[np.float32]) -> None:
        """One more."""
        if self._beats.shape[1] != len(beat):
            self._beats = np.empty((64, len(beat)), dtype=np.float32)
        if self._count == len(self._beats):
            self._beats = np.concatenate([self._beats, np.empty_like(self._beats)])
        self._beats[self._count] = beat
        self._count += 1

    def alike(self, beat: NDArray[np.float32]) -> NDArray[np.intp]:
        """The places of those that are worth a comparison."""
        if not self._count:
            return np.empty(0, dtype=np.intp)
        return np.flatnonzero(self._beats[: self._count] @ beat >= ALIKE_BEATS)
