"""What a model eats, and the one road from a recording to it.

Training, evaluation and the pages all go through this file, so that they can never differ.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from math import floor
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from ecgcore.models.aside import (
    ASIDE_NAMES,
    AsideName,
    aside_columns,
    aside_row,
    aside_warnings,
)
from ecgcore.recording import LEADS, Recording, RecordingError, complete_limb_leads
from ecgcore.signal.resampling import ResamplingMethod, resample

SHORTEST_SECONDS = 5.0
"""Below this a 10 s model would see more padding than ECG."""

HIGHEST_RATE, LONGEST_SECONDS = 20_000.0, 3600.0
"""Bounds of a model's input in Hz and seconds; beyond, the spec is damaged."""

FILTER_RATE = 500.0
"""The rate, in Hz, of the recordings that the training data were made of. Every recording is
brought to it before the filter, whose slopes above the band would else depend on the recording's
own rate."""

FILTER_PADDING = 27
"""How far, in samples at ``FILTER_RATE``, the filter reaches beyond each end: scipy's default."""

_LOWPASS_ORDER = 6
_MIRRORED = 1000
"""How far, in samples at ``FILTER_RATE``, a recording goes on mirrored beyond each end: 2 s, in
which a high-pass of 0.5 Hz forgets."""

FLAT_MILLIVOLTS = 0.005
"""A lead whose filtered standard deviation is below 5 uV holds no ECG; scaling it would show the
model amplified noise."""


class UnfitRecordingError(RecordingError):
    """A readable recording that a model must not answer to."""


@dataclass(frozen=True)
class Conditioning:
    """How the voltages become the numbers that the model was trained on.

    The signal is brought to ``FILTER_RATE``; ``band`` is a zero-phase Butterworth band-pass of
    order 4 (Hz); then each lead is scaled to mean 0 and standard deviation 1 over the window; then
    the signal is resampled (polyphase) to ``stored_rate``, the rate at which the training data were
    kept. The order of steps is that of the training data (PTB-XL, 1,625 records at 500 Hz).

    Those were filtered by scipy's default, which goes on beyond an end by turning the recording
    about its very last sample: what a moment's voltage does to it rings through seconds, otherwise
    at each sampling rate. So a zero-phase low-pass of ``lowpass`` (Hz) joins the band-pass, and
    both go on by mirroring. None leaves the low-pass out and goes on as those training data did.
    """

    band: tuple[float, float] = (0.5, 40.0)
    stored_rate: float = 100.0
    lowpass: float | None = 60.0

    def __post_init__(self) -> None:
        highest = min(self.stored_rate, FILTER_RATE) / 2
        if not (0 < self.band[0] < self.band[1] < highest and self.stored_rate < HIGHEST_RATE):
            raise ValueError(f"band {self.band} Hz at a stored rate of {self.stored_rate} Hz")
        if self.lowpass is not None and not self.band[1] < self.lowpass < FILTER_RATE / 2:
            raise ValueError(f"a low-pass of {self.lowpass} Hz before the band {self.band} Hz")


@dataclass(frozen=True)
class InputSpec:
    """Leads in order, rate (Hz), length, conditioning and resampling method of a model's input.

    ``aside`` names what the model is told beside the signal (see ``models.aside``).
    """

    leads: tuple[str, ...] = LEADS
    sampling_rate: float = 500.0
    seconds: float = 10.0
    conditioning: Conditioning = Conditioning()
    resampling: ResamplingMethod = "polyphase"
    aside: tuple[AsideName, ...] = ()

    def __post_init__(self) -> None:
        if not self.leads or any(lead not in LEADS for lead in self.leads):
            raise ValueError(f"input leads {', '.join(map(str, self.leads))}")
        if not 0 < self.sampling_rate < HIGHEST_RATE or not 0 < self.seconds < LONGEST_SECONDS:
            raise ValueError(f"an input of {self.seconds} s at {self.sampling_rate} Hz")
        if self.resampling not in get_args(ResamplingMethod):
            raise ValueError(f"resampling method {self.resampling!r}")
        if len(set(self.aside)) != len(self.aside) or not set(self.aside) <= set(ASIDE_NAMES):
            raise ValueError(
                f"aside inputs {', '.join(map(str, self.aside))}; "
                f"allowed, each once: {', '.join(ASIDE_NAMES)}"
            )
        if "biomarkers" in self.aside and self.leads != LEADS:
            raise ValueError(
                f"biomarkers of the leads {', '.join(self.leads)}; they are of {', '.join(LEADS)}"
            )

    @property
    def samples(self) -> int:
        """Length of the input in samples."""
        return round(self.seconds * self.sampling_rate)

    def to_json(self) -> dict[str, Any]:
        """A JSON object that ``from_json`` reads."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> InputSpec:
        """Read what ``to_json`` wrote; cards from before ``aside`` and ``lowpass`` lack them."""
        conditioning = value["conditioning"]
        lowpass = conditioning.get("lowpass")
        return cls(
            leads=tuple(value["leads"]),
            sampling_rate=float(value["sampling_rate"]),
            seconds=float(value["seconds"]),
            conditioning=Conditioning(
                band=(float(conditioning["band"][0]), float(conditioning["band"][1])),
                stored_rate=float(conditioning["stored_rate"]),
                lowpass=None if lowpass is None else float(lowpass),
            ),
            resampling=value["resampling"],
            aside=tuple(value.get("aside", ())),
        )


@dataclass(frozen=True)
class Prepared:
    """A model's input: ``values`` (leads, samples) float32; its first sample is ``start`` seconds
    into the recording and ``seconds`` of it are recording, the rest padding. ``aside`` (columns,)
    float32 are the values that the spec names, NaN where unknown; empty for most models."""

    values: NDArray[np.float32]
    start: float
    seconds: float
    warnings: tuple[str, ...] = ()
    aside: NDArray[np.float32] = field(default_factory=lambda: np.empty(0, dtype=np.float32))


def prepare(recording: Recording, spec: InputSpec) -> Prepared:
    """Turn a recording into a model's input.

    The middle ``spec.seconds`` are taken from a longer recording, from a whole tenth of a second
    on; a shorter one is followed by zeros, with a warning. Missing limb leads are computed. Rules
    among ``spec.aside`` are measured on the whole recording; an aside value that is not known gives
    a warning. Raises UnfitRecordingError for a missing lead or sample, a recording under 5 s, a
    rate too low for the band, or too many flat leads.
    """
    recording = complete_limb_leads(recording)
    _refuse_unfit(recording, spec)
    wanted = round(spec.seconds * recording.sampling_rate)
    first = _middle(recording.samples - wanted, recording.sampling_rate)
    rows = [recording.leads.index(lead) for lead in spec.leads]
    window = recording.signal[rows, first : first + wanted]
    _refuse_missing_samples(window, spec)
    stored, flat = _condition(window, recording.sampling_rate, spec.conditioning)
    warnings = list(_length_warnings(recording, spec, first))
    warnings += [f"lead {spec.leads[i]} is flat; the model sees a zero line there" for i in flat]
    if len(flat) > len(spec.leads) // 2:
        names = ", ".join(spec.leads[i] for i in flat)
        raise UnfitRecordingError(
            f"leads {names} are flat",
            "at most half of the model's leads flat",
            "record again with all electrodes connected",
        )
    values = to_model_rate(stored, spec)
    seconds = min(window.shape[1] / recording.sampling_rate, spec.seconds)
    aside = aside_row(recording, spec.aside, (stored, spec.conditioning.stored_rate))
    _refuse_unmeasured(aside, spec)
    warnings += aside_warnings(aside, spec.aside)
    return Prepared(values, first / recording.sampling_rate, seconds, tuple(warnings), aside)


def to_model_rate(stored: NDArray[np.floating], spec: InputSpec) -> NDArray[np.float32]:
    """Conditioned leads (..., leads, samples) at the stored rate to the model's rate and length.

    This is the last part of ``prepare``, and all that packed training data still need.
    """
    rate = spec.conditioning.stored_rate
    resampled = resample(stored, rate, spec.sampling_rate, spec.resampling)
    values = np.zeros((*resampled.shape[:-1], spec.samples), dtype=np.float32)
    length = min(spec.samples, resampled.shape[-1])
    values[..., :length] = resampled[..., :length]
    return values


def _middle(left_over: int, rate: float) -> int:
    """The first sample of a window that leaves so many out, half of them before it.

    It lies on a whole tenth of a second, so that it is the same moment at each rate: half a sample
    moved probabilities by up to 0.1. The quarter keeps lengths of whole tenths from tipping it.
    """
    tenths = floor(10 * max(left_over, 0) / 2 / rate + 0.25)
    return round(tenths / 10 * rate)


def _condition(
    window: NDArray[np.float32], rate: float, conditioning: Conditioning
) -> tuple[NDArray[np.float64], tuple[int, ...]]:
    """Filter, scale and resample (leads, samples) mV; also the indices of flat leads, kept zero."""
    from scipy import signal as scipy_signal

    voltages = resample(window, rate, FILTER_RATE, beyond="line")
    sections = scipy_signal.butter(4, conditioning.band, "bandpass", fs=FILTER_RATE, output="sos")
    if conditioning.lowpass is None:
        filtered = scipy_signal.sosfiltfilt(sections, voltages, padlen=FILTER_PADDING)
    else:
        slow = scipy_signal.butter(
            _LOWPASS_ORDER, conditioning.lowpass, fs=FILTER_RATE, output="sos"
        )
        mirrored = min(_MIRRORED, voltages.shape[-1] - 1)
        filtered = scipy_signal.sosfiltfilt(
            np.concatenate([slow, sections]), voltages, padtype="even", padlen=mirrored
        )
    deviation = filtered.std(axis=-1, keepdims=True)
    flat = deviation[:, 0] < FLAT_MILLIVOLTS
    scaled = (filtered - filtered.mean(axis=-1, keepdims=True)) / np.where(
        flat[:, None], 1.0, deviation
    )
    scaled[flat] = 0.0
    stored = resample(scaled, FILTER_RATE, conditioning.stored_rate)
    return stored, tuple(int(i) for i in np.flatnonzero(flat))


def _refuse_unfit(recording: Recording, spec: InputSpec) -> None:
    missing = [lead for lead in spec.leads if lead not in recording.leads]
    if missing:
        raise UnfitRecordingError(
            f"a recording without {', '.join(missing)}",
            f"the leads {', '.join(spec.leads)}",
            "choose a model that needs fewer leads, or record these",
        )
    if recording.seconds < SHORTEST_SECONDS:
        raise UnfitRecordingError(
            f"a recording of {recording.seconds:.2f} s",
            f"at least {SHORTEST_SECONDS:g} s (the model was trained on {spec.seconds:g} s)",
            "record longer",
        )
    lowest = 2.2 * spec.conditioning.band[1]
    if recording.sampling_rate < lowest:
        raise UnfitRecordingError(
            f"a sampling rate of {recording.sampling_rate:g} Hz",
            f"at least {lowest:g} Hz (the model reads up to {spec.conditioning.band[1]:g} Hz)",
            "use a recording of a higher rate",
        )


def _refuse_missing_samples(window: NDArray[np.float32], spec: InputSpec) -> None:
    finite = np.isfinite(window)
    if finite.all():
        return
    worst = [
        f"{lead} ({int((~row).sum())})"
        for lead, row in zip(spec.leads, finite, strict=True)
        if not row.all()
    ]
    raise UnfitRecordingError(
        f"missing samples in {', '.join(worst)}",
        "every sample of the model's window recorded",
        "use a recording without gaps",
    )


def _refuse_unmeasured(aside: NDArray[np.float32], spec: InputSpec) -> None:
    """A model that answers from biomarkers must not answer where there are none."""
    columns = aside_columns(spec.aside)
    if "biomarkers" in spec.aside and not np.isfinite(aside[columns.index("qrs_ms")]):
        raise UnfitRecordingError(
            "a recording in which no heart beat can be measured",
            "P, QRS and T waves that a model can measure",
            "look at the tracing; choose a model that needs the signal alone, or record again",
        )


def _length_warnings(recording: Recording, spec: InputSpec, first: int) -> tuple[str, ...]:
    if recording.samples - round(spec.seconds * recording.sampling_rate) > 1:
        start = first / recording.sampling_rate
        return (
            f"the model saw {start:.1f} to {start + spec.seconds:.1f} s of "
            f"{recording.seconds:.1f} s",
        )
    if recording.seconds < spec.seconds - 0.5 / recording.sampling_rate:
        return (
            f"the recording lasts {recording.seconds:.1f} s; the model was trained on "
            f"{spec.seconds:g} s and saw zeros after the end",
        )
    return ()
