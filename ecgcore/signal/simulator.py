"""Simulated 12-lead recordings whose every wave is known: what measurements are checked against.

A dipole that moves through space, one hump after the other (``simulator_waves``), beats by a clock
(``simulator_rhythm``) and is seen by twelve leads. Everything is computed at the sample times
themselves, so the same heart at 500 and 1000 Hz has the same voltages at the times both have.

The truth: every wave is exactly zero outside the stretch between its onset and its offset. Of the
heart as a whole these are the marks, exactly what the options ask for. A lead shows a wave where
the wave alone reaches 20 uV there, from where it first exceeds 5 uV to where it last does.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

from ecgcore.recording import LEADS, SIMULATED, Patient, Recording, Source
from ecgcore.signal.delineation.waves import WAVES, Delineation, Wave
from ecgcore.signal.simulator_options import SimulationOptions
from ecgcore.signal.simulator_presets import PRESETS, random_options
from ecgcore.signal.simulator_rhythm import Course, LevelAt, WaveAt, lay_down
from ecgcore.signal.simulator_waves import (
    INDEPENDENT_LEADS,
    LEAD_FIELD,
    Values,
    all_leads,
    st_rise,
)

FORMAT = "simulated"
SPIKE_SECONDS = 0.004
_SPIKE_DIRECTION = np.array([0.45, -0.75, 0.48])


@dataclass(frozen=True)
class Simulated:
    """A simulated recording and where its waves truly are.

    ``truth`` holds the waves that lie wholly inside the recording. Those cut by its edges are
    drawn but not marked: the truth is complete between ``start`` and ``stop`` (samples).
    ``spikes`` are the samples at which pacing spikes begin, fractions allowed.
    """

    recording: Recording
    truth: Delineation
    start: float
    stop: float
    spikes: tuple[float, ...] = ()


def simulate(options: SimulationOptions, name: str = "heart") -> Simulated:
    """Simulate a recording; the same options always give the same one.

    Its ``record_id`` is "simulated" with ``name`` and seed, its source carries the warning
    ``SIMULATED``.
    """
    course = lay_down(options)
    rate = options.sampling_rate
    samples = round(options.seconds * rate)
    time = np.arange(samples) / rate
    independent = LEAD_FIELD @ _dipole(course, time, rate, options) + _noise(options, time)
    signal = all_leads(independent.astype(np.float32)).astype(np.float32)
    recording = Recording(
        record_id=f"simulated-{name.replace(' ', '-')}-{options.seed}",
        signal=signal,
        sampling_rate=float(rate),
        leads=LEADS,
        source=Source(FORMAT, sha256(signal.tobytes()).hexdigest(), (SIMULATED,)),
        patient=Patient(patient_id="simulated"),
    )
    truth, start, stop = _truth(course.waves, rate, samples)
    last = samples - 1
    spikes = tuple(s * rate for s in course.spikes if s >= 0 and (s + SPIKE_SECONDS) * rate <= last)
    return Simulated(recording, truth, start, stop, spikes)


def _dipole(course: Course, time: Values, rate: float, options: SimulationOptions) -> Values:
    """(3, samples) in mV."""
    moment = np.zeros((3, time.size))
    by_shape: dict[int, list[WaveAt]] = {}
    for one in course.waves:
        by_shape.setdefault(id(one.shape), []).append(one)
    for alike in by_shape.values():
        parts = [_inside(one.onset, one.onset + one.duration, rate, time.size) for one in alike]
        where = np.concatenate(parts)
        shares = [(time[p] - w.onset) / w.duration for p, w in zip(parts, alike, strict=True)]
        # Waves of one shape never overlap, so no sample is added to twice.
        moment[:, where] += alike[0].shape.dipole(np.concatenate(shares))
    for level in course.levels:
        where = _inside(level.qrs_onset, level.t_offset, rate, time.size)
        moment[:, where] += _st_level(level, time[where], options.softness)
    for spike in course.spikes:
        where = _inside(spike, spike + SPIKE_SECONDS, rate, time.size)
        height = options.spike_mv * np.sin(np.pi * (time[where] - spike) / SPIKE_SECONDS)
        moment[:, where] += _SPIKE_DIRECTION[:, None] * height
    if options.rhythm == "atrial fibrillation" and options.fibrillation_mv > 0:
        moment += _fibrillation(options, time)
    return moment


def _inside(start: float, stop: float, rate: float, samples: int) -> NDArray[np.intp]:
    """Indices of the samples between two times in seconds."""
    return np.arange(max(0, int(np.ceil(start * rate))), min(samples, int(stop * rate) + 1))


def _st_level(level: LevelAt, time: Values, softness: float) -> Values:
    """(3, n): rises at the end of the QRS complex, holds, and fades with the fall of T."""
    rise = st_rise(np.minimum(1.0, (time - level.qrs_onset) / (level.j - level.qrs_onset)))
    gone = np.clip((time - level.t_peak) / (level.t_offset - level.t_peak), 0.0, 1.0)
    # Beyond a right angle's rounding the cosine is below zero, which has no broken powers.
    held = np.maximum(np.cos(np.pi / 2 * gone), 0.0) ** softness
    faded: Values = level.beat.st_mv[:, None] * (rise * held)
    return faded


def _fibrillation(options: SimulationOptions, time: Values) -> Values:
    """(3, n): a restless sum of sines of 4 to 9 Hz, largest in V1 as fibrillating atria are.

    ``fibrillation_mv`` is about the largest deflection in V1, twice its RMS.
    """
    rng = np.random.default_rng([options.seed, 3])
    in_v1 = LEAD_FIELD[INDEPENDENT_LEADS.index("V1")]
    moment, power = np.zeros((3, time.size)), 0.0
    for _ in range(6):
        direction = np.array([-0.35, 0.35, -0.85]) + rng.normal(0.0, 0.25, 3)
        swing = 1 + 0.5 * np.sin(2 * np.pi * (rng.uniform(0.1, 0.6) * time + rng.random()))
        wave = np.sin(2 * np.pi * (rng.uniform(4.0, 9.0) * time + rng.random()))
        moment += direction[:, None] * (swing * wave)
        # Mean square of a sine that swings so; not taken from the samples, whose times may differ.
        power += float(in_v1 @ direction) ** 2 * (1 + 0.5**2 / 2) / 2
    scaled: Values = moment * (options.fibrillation_mv / (2 * power**0.5))
    return scaled


def _noise(options: SimulationOptions, time: Values) -> Values:
    """(8, samples) in mV, of its own in each independent lead."""
    rng = np.random.default_rng([options.seed, 4])
    phases = rng.random((2, len(INDEPENDENT_LEADS), 1))
    noise = np.zeros((len(INDEPENDENT_LEADS), time.size))
    if options.wander_mv:
        noise += options.wander_mv / 2 * np.sin(2 * np.pi * (options.wander_hz * time + phases[0]))
    if options.mains_uv:
        turns = options.mains_hz * time + phases[1]
        noise += options.mains_uv / 2000 * np.sin(2 * np.pi * turns)
    if options.muscle_uv:
        noise += rng.normal(0.0, options.muscle_uv / 1000, noise.shape)
    return noise


def _truth(waves: Iterable[WaveAt], rate: float, samples: int) -> tuple[Delineation, float, float]:
    """The marks, and the stretch of samples in which they are complete."""
    start, stop = 0.0, float(samples - 1)
    whole: dict[Wave, list[WaveAt]] = {wave: [] for wave in WAVES}
    for one in waves:
        onset, offset = one.onset * rate, (one.onset + one.duration) * rate
        if one.wave is None or offset <= 0 or onset >= samples - 1:
            continue
        if onset < 0:
            start = max(start, offset)
        elif offset > samples - 1:
            stop = min(stop, onset)
        elif one.shape.seen:
            whole[one.wave].append(one)
    overall = {wave: _overall_marks(found, rate) for wave, found in whole.items()}
    leads = {
        lead: {wave: _lead_marks(found, row, rate) for wave, found in whole.items()}
        for row, lead in enumerate(LEADS)
    }
    return Delineation("truth", float(rate), samples, overall, leads), start, stop


def _overall_marks(waves: list[WaveAt], rate: float) -> Values:
    shares = np.array([[0.0, one.shape.overall_peak, 1.0] for one in waves]).reshape(-1, 3)
    return _placed(waves, shares, rate)


def _lead_marks(waves: list[WaveAt], row: int, rate: float) -> Values:
    shares = np.array([one.shape.marks[row] for one in waves]).reshape(-1, 3)
    return _placed(waves, shares, rate)


def _placed(waves: list[WaveAt], shares: Values, rate: float) -> Values:
    onsets = np.array([one.onset for one in waves])[:, None]
    durations = np.array([one.duration for one in waves])[:, None]
    placed: Values = (onsets + shares * durations) * rate
    return placed


__all__ = ["PRESETS", "SIMULATED", "Simulated", "SimulationOptions", "random_options", "simulate"]
