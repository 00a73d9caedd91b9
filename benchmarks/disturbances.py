"""What may befall a recording, as functions of (leads, samples) values, for ``robustness.py``.

Noise is stated by its ratio to each lead's own standard deviation, in dB, so that it needs no
millivolts. Everything is drawn from a generator that the caller seeds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from ecgcore.recording import Recording
from ecgcore.signal.resampling import resample
from ecgcore.signal.reversal import exchange_electrodes

Values = NDArray[np.float64]
Disturbance = Callable[[Recording, np.random.Generator], Recording]
RATE = 500.0
"""Where disturbances are added, in Hz: mains and muscles need more than 100."""

_PATTERN_SECONDS, _SEARCH_SECONDS, _FADE_SECONDS = 0.6, 4.0, 0.1


def with_signal(recording: Recording, values: Values, rate: float = RATE) -> Recording:
    """The recording with other values (leads, samples)."""
    return replace(recording, signal=values.astype(np.float32), sampling_rate=rate)


def added(
    recording: Recording,
    generator: np.random.Generator,
    noise: Callable[[tuple[int, int], np.random.Generator], Values],
    decibels: float,
) -> Recording:
    """With noise, scaled in each lead to ``decibels`` below the lead's standard deviation."""
    values = recording.signal.astype(np.float64)
    rows = noise((len(values), values.shape[1]), generator)
    rows *= values.std(axis=1, keepdims=True) / rows.std(axis=1, keepdims=True)
    return with_signal(recording, values + rows * 10 ** (-decibels / 20))


def white(shape: tuple[int, int], generator: np.random.Generator) -> Values:
    """White noise, independent in each lead."""
    return generator.standard_normal(shape)


def muscle(shape: tuple[int, int], generator: np.random.Generator) -> Values:
    """Noise of 20 to 200 Hz, where surface electromyograms have their power."""
    from scipy.signal import butter, sosfiltfilt

    sections = butter(2, (20.0, 200.0), "bandpass", fs=RATE, output="sos")
    filtered: Values = sosfiltfilt(sections, generator.standard_normal(shape), axis=1)
    return filtered


def hum(shape: tuple[int, int], generator: np.random.Generator, hertz: float) -> Values:
    """Mains hum, of the same phase in every lead."""
    turns = hertz * np.arange(shape[1]) / RATE + generator.uniform()
    return np.tile(np.sin(2 * np.pi * turns), (shape[0], 1))


def wander(shape: tuple[int, int], generator: np.random.Generator) -> Values:
    """Breathing: three sines of 0.1 to 0.5 Hz, their heights and phases drawn for each lead."""
    time = np.arange(shape[1]) / RATE
    total = np.zeros(shape)
    for hertz in generator.uniform(0.1, 0.5, 3):
        phases = generator.uniform(size=(shape[0], 1))
        heights = generator.standard_normal((shape[0], 1))
        total += heights * np.sin(2 * np.pi * (hertz * time + phases))
    return total


def flat(recording: Recording, _: np.random.Generator, lead: str) -> Recording:
    """With one lead zero throughout."""
    return scaled(recording, _, 0.0, lead)


def scaled(
    recording: Recording, _: np.random.Generator, gain: float, lead: str | None = None
) -> Recording:
    """With one lead, or all, of another gain."""
    values = recording.signal.astype(np.float64)
    rows = slice(None) if lead is None else recording.leads.index(lead)
    values[rows] *= gain
    return with_signal(recording, values)


def at_rate(recording: Recording, _: np.random.Generator, rate: float) -> Recording:
    """As a recorder of another rate would have written it."""
    values = resample(recording.signal, recording.sampling_rate, rate, beyond="line")
    return with_signal(recording, values, rate)


def lasting(recording: Recording, _: np.random.Generator, seconds: float) -> Recording:
    """The first seconds, or the heart beating on.

    What follows is taken from where the early part looks most like the end, and faded in.
    """
    values = recording.signal.astype(np.float64)
    wanted, period = round(seconds * RATE), values
    start = _continuation(values)
    fade = round(_FADE_SECONDS * RATE)
    rising = np.linspace(0.0, 1.0, fade)
    while values.shape[1] < wanted:
        seam = values[:, -fade:] * (1 - rising) + period[:, start - fade : start] * rising
        values = np.concatenate([values[:, :-fade], seam, period[:, start:]], axis=1)
    return with_signal(recording, values[:, :wanted])


def _continuation(values: Values) -> int:
    """The sample, in the first seconds, before which the leads look most like their end."""
    length, last = round(_PATTERN_SECONDS * RATE), round(_SEARCH_SECONDS * RATE)
    pattern = values[:, -length:]
    places = range(length, last)
    away = [float(((values[:, at - length : at] - pattern) ** 2).sum()) for at in places]
    return places[int(np.argmin(away))]


def disturbances() -> dict[str, Disturbance]:
    """Everything that is tried, by the name it is printed under; the first changes nothing."""
    made: dict[str, Disturbance] = {"clean": lambda recording, _: recording}
    for decibels in (20, 10, 0):
        made[f"white noise {decibels} dB"] = partial(added, noise=white, decibels=decibels)
    for hertz in (50, 60):
        noise = partial(hum, hertz=hertz)
        made[f"mains {hertz} Hz 0 dB"] = partial(added, noise=noise, decibels=0)
    for decibels in (0, -10):
        made[f"wander {decibels} dB"] = partial(added, noise=wander, decibels=decibels)
    for decibels in (10, 0):
        made[f"muscle {decibels} dB"] = partial(added, noise=muscle, decibels=decibels)
    made |= {f"flat {lead}": partial(flat, lead=lead) for lead in ("I", "II", "V1", "V2", "V5")}
    made["swapped RA/LA"] = lambda recording, _: exchange_electrodes(recording, "RA", "LA")
    made["swapped RA/LL"] = lambda recording, _: exchange_electrodes(recording, "RA", "LL")
    made["swapped LA/LL"] = lambda recording, _: exchange_electrodes(recording, "LA", "LL")
    made["swapped V1/V2"] = lambda recording, _: exchange_electrodes(recording, "V1", "V2")
    made["gain x2 in V2"] = partial(scaled, gain=2.0, lead="V2")
    made["gain x2 in all"] = partial(scaled, gain=2.0)
    made |= {f"at {rate} Hz": partial(at_rate, rate=float(rate)) for rate in (100, 250, 1000)}
    made |= {f"lasting {s:g} s": partial(lasting, seconds=s) for s in (5.0, 7.5, 20.0, 60.0)}
    return made
