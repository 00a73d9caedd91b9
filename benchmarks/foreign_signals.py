"""What is no ECG, and ECGs that are not what they say: refused, warned of, or answered?

Every real recording at hand (``models.trust`` must refuse none that people can read), and foreign
signals made of PTB-XL's: noise, signals of an ECG's spectrum with phases drawn anew, hum,
calibration pulses, background EEG, muscle, asystole, a pulse wave, one lead everywhere, leads in
another order or turned over, and a wrong sampling rate. Beside it, as the peer, what the verdict on
signal quality alone would have said. The thresholds were chosen on half of the real recordings.

    python benchmarks/foreign_signals.py [DATA]
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.arguments import data_and_write
from ecgcore.models.input_spec import InputSpec, prepare
from ecgcore.models.trust import doubts, look, require_heart
from ecgcore.readers.opening import find_recordings, read_path
from ecgcore.recording import (
    CHEST_LEADS,
    LEADS,
    LIMB_LEADS,
    Recording,
    RecordingError,
    Source,
    complete_limb_leads,
)
from ecgcore.signal.verdict import judge

SPEC = InputSpec(sampling_rate=100.0)
FOLDERS = ("ptbxl_raw500", "ludb", "cinc2021")
FILES = ("ptbxl_raw100/ptbxl_raw100.npz", "brugada/brugada.npz")
Signal = NDArray[np.float64]
Draw = np.random.Generator


def packed(path: Path) -> list[Recording]:
    """The recordings of an ``.npz`` in millivolts."""
    with np.load(path, allow_pickle=False) as held:
        rows, scale, rate = held["X"], float(held["scale"]), float(held["fs"])
    return [
        Recording.from_leads(
            f"{path.stem}-{number}", (row.T * scale).astype(np.float32), LEADS, rate,
            Source("npz", f"{path.stem}-{number}"),
        )
        for number, row in enumerate(rows)
    ]  # fmt: skip


def real(data: Path) -> dict[str, list[Recording]]:
    """Every recording that opens, by data set; the 2011 challenge's by what people said of them."""
    found: dict[str, list[Recording]] = {}
    for name in FOLDERS:
        found[name] = [read_path(path) for path in find_recordings(data / name)]
    for file in FILES:
        found[file.partition("/")[0]] = packed(data / file)
    field = data / "cinc2011" / "development.npz"
    with np.load(field, allow_pickle=False) as held:
        unfit = held["quality"] == 1
    told = list(zip(packed(field), unfit, strict=True))
    found["cinc2011 acceptable"] = [one for one, bad in told if not bad]
    found["cinc2011 unacceptable"] = [one for one, bad in told if bad]
    return found


def asked(recording: Recording) -> tuple[str, bool]:
    """Refused, warned of or answered; and whether the verdict alone would have said something."""
    try:
        recording = complete_limb_leads(recording)
        prepared = prepare(recording, SPEC)
        signs = require_heart(recording, prepared)
    except RecordingError:
        return "refused", not judge(recording).acceptable
    known = look(recording)
    unfit = not known.verdict.acceptable
    return ("warned" if doubts(recording, signs, known) else "answered"), unfit


def line(name: str, recordings: Iterable[Recording]) -> str:
    """How many of each."""
    told = [asked(one) for one in recordings]
    counts = [sum(one == said for one, _ in told) for said in ("refused", "warned", "answered")]
    return f"{name:24}{len(told):6}" + "".join(f"{count:9}" for count in [
        *counts, sum(unfit for _, unfit in told)
    ])  # fmt: skip


def limbs(signal: Signal) -> Signal:
    """The same with limb leads that follow from I and II."""
    made, one, two = signal.copy(), signal[0], signal[1]
    made[2:6] = two - one, -(one + two) / 2, one - two / 2, two - one / 2
    return made


def like(recording: Recording, signal: Signal, rate: float | None = None) -> Recording:
    """Another signal under the same name."""
    return replace(
        recording,
        signal=np.ascontiguousarray(signal, dtype=np.float32),
        sampling_rate=rate or recording.sampling_rate,
    )


def seconds(recording: Recording) -> Signal:
    """Of each sample."""
    return np.arange(recording.samples) / recording.sampling_rate


def white(one: Recording, draw: Draw) -> Recording:
    """Noise as strong as each lead."""
    return like(one, limbs(draw.normal(size=one.signal.shape) * one.signal.std(1, keepdims=True)))


def other_phases(one: Recording, draw: Draw) -> Recording:
    """The leads' spectra, with phases of chance."""
    spectrum = np.fft.rfft(one.signal - one.signal.mean(1, keepdims=True), axis=1)
    turned = spectrum * np.exp(2j * np.pi * draw.random(spectrum.shape))
    return like(one, limbs(np.fft.irfft(turned, one.samples, axis=1)))


def hum(one: Recording, draw: Draw) -> Recording:
    """30 Hz of any strength and phase (mains would not pass 100 Hz files)."""
    size, phase = draw.uniform(0.2, 1, (12, 1)), draw.uniform(0, 2 * np.pi, (12, 1))
    return like(one, limbs(size * np.sin(2 * np.pi * 30 * seconds(one) + phase)))


def pulses(one: Recording, draw: Draw) -> Recording:
    """1 mV for 0.3 s of each second."""
    calibration = np.tile((seconds(one) % 1 < 0.3) * 1.0, (12, 1))
    return like(one, calibration + 0.005 * draw.normal(size=calibration.shape))


def muscle(one: Recording, draw: Draw) -> Recording:
    """Eight bursts of noise."""
    at = seconds(one)
    bursts = sum(np.exp(-0.5 * ((at - t) / 0.3) ** 2) for t in draw.uniform(0, at[-1], 8))
    return like(one, limbs(0.2 * (bursts + 0.1) * draw.normal(size=(12, one.samples))))


def eeg(one: Recording, draw: Draw) -> Recording:
    """Five sources of pink noise and a waxing alpha rhythm."""
    at, frequency = seconds(one), np.fft.rfftfreq(one.samples, 1 / one.sampling_rate)
    sources = []
    for _ in range(5):
        noise = np.fft.rfft(draw.normal(size=one.samples))
        pink = np.fft.irfft(noise / np.maximum(frequency, 0.5), one.samples)
        waxing = np.abs(
            np.fft.irfft(
                np.fft.rfft(draw.normal(size=one.samples)) * (frequency < 0.7), one.samples
            )
        )
        alpha = np.sin(2 * np.pi * (9 + 2 * draw.random()) * at)
        sources.append(pink / pink.std() + waxing / waxing.mean() * alpha)
    return like(one, limbs(0.03 * draw.normal(size=(12, 5)) @ np.array(sources)))


def asystole(one: Recording, draw: Draw) -> Recording:
    """Slow drifts and a little noise."""
    at = seconds(one)
    drift = sum(
        0.1 * draw.normal(size=(12, 1)) * np.sin(2 * np.pi * f * at) for f in (0.1, 0.25, 0.4)
    )
    return like(one, limbs(drift + 0.01 * draw.normal(size=(12, one.samples))))


def pulse_wave(one: Recording, draw: Draw) -> Recording:
    """Two harmonics at a heart's rate."""
    phase = 2 * np.pi * draw.uniform(0.8, 1.8) * seconds(one) + draw.uniform(0, 2 * np.pi, (12, 1))
    return like(
        one, limbs(draw.uniform(0.3, 1, (12, 1)) * (np.sin(phase) + 0.4 * np.sin(2 * phase + 1)))
    )


def one_lead(one: Recording, draw: Draw) -> Recording:
    """Lead II everywhere, of any size."""
    return like(one, limbs(one.signal[1] * draw.uniform(0.5, 1.5, (12, 1))))


def reordered(leads: tuple[str, ...]) -> Callable[[Recording, Draw], Recording]:
    """Some leads in an order of chance that is not theirs."""
    rows = np.array([LEADS.index(lead) for lead in leads])

    def make(one: Recording, draw: Draw) -> Recording:
        order = rows
        while (order == rows).all():
            order = draw.permutation(rows)
        signal = one.signal.astype(np.float64)
        signal[rows] = one.signal[order]
        return like(one, signal)

    return make


def turned_over(one: Recording, draw: Draw) -> Recording:
    """Every lead times minus one."""
    return like(one, -one.signal.astype(np.float64))


def at_rate(factor: float) -> Callable[[Recording, Draw], Recording]:
    """A stated rate that is wrong."""
    return lambda one, draw: like(one, one.signal.astype(np.float64), one.sampling_rate * factor)


FOREIGN: dict[str, Callable[[Recording, Draw], Recording]] = {
    "white noise": white, "other phases": other_phases, "hum": hum, "calibration pulses": pulses,
    "muscle": muscle, "EEG": eeg, "asystole": asystole, "pulse wave": pulse_wave,
    "one lead everywhere": one_lead, "chest leads reordered": reordered(CHEST_LEADS),
    "limb leads reordered": reordered(LIMB_LEADS), "turned over": turned_over,
    "rate stated half": at_rate(0.5), "rate stated double": at_rate(2.0),
}  # fmt: skip


def main() -> None:
    """Ask and print."""
    found = real(data_and_write(__doc__).data)
    print(f"{'recordings':24}{'n':>6}{'refused':>9}{'warned':>9}{'answered':>9}{'unfit':>9}")
    for name, recordings in found.items():
        print(line(name, recordings), flush=True)
    base = [one for one in found["ptbxl_raw500"] if one.signal.shape[0] == len(LEADS)]
    for name, make in FOREIGN.items():
        made = (make(one, np.random.default_rng(number)) for number, one in enumerate(base))
        print(line(name, made), flush=True)


if __name__ == "__main__":
    main()
