"""What a simulated recording is to be like: every interval, axis, voltage and noise as a number.

Values are checked when the options are made, so that a simulation can only fail here, with what was
given and what is allowed.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import Literal, get_args

Rhythm = Literal["sinus", "atrial fibrillation", "ventricular pacing"]
Conduction = Literal[
    "normal", "left bundle", "right bundle", "left hypertrophy", "pre-excitation", "right apex"
]
Ectopics = Literal["none", "ventricular", "atrial"]
Territory = Literal["inferior", "lateral", "anterior"]
Choice = Rhythm | Conduction | Ectopics | Territory | None

LEAST_GAP_MS = 12.0
"""Between the end of a T wave and whatever comes next."""
LEAST_ST_T_MS = 120.0
"""From the end of the QRS complex to the end of T, at least."""

# Lowest and highest value allowed, by option.
_RANGES: dict[str, tuple[float, float]] = {
    "rate_bpm": (20, 220),
    "rr_sd_ms": (0, 300),
    "respiratory_share": (0, 0.3),
    "breaths_per_minute": (4, 60),
    "p_ms": (40, 200),
    "pr_ms": (60, 500),
    "qrs_ms": (40, 260),
    "qt_ms": (200, 700),
    "qrs_axis_deg": (-180, 180),
    "p_axis_deg": (-180, 180),
    "t_axis_deg": (-180, 180),
    "p_mv": (0, 1),
    "qrs_mv": (0.05, 6),
    "t_mv": (0, 3),
    "u_mv": (0, 0.3),
    "fibrillation_mv": (0, 0.5),
    "spike_mv": (0, 10),
    "st_mv": (-1, 1),
    "p_notch": (0, 1),
    "qrs_notch": (0, 1),
    "t_second": (-1, 1),
    "t_onset_share": (0.02, 0.6),
    "t_peak_share": (0.35, 0.75),
    "softness": (1, 2),
    "qrs_softness": (1, 2),
    "anatomy": (0, 1),
    "ectopic_every": (2, 100),
    "dropped_every": (0, 100),
    "wander_mv": (0, 5),
    "wander_hz": (0.01, 2),
    "mains_uv": (0, 1000),
    "mains_hz": (40, 70),
    "muscle_uv": (0, 1000),
    "seconds": (1, 3600),
    "sampling_rate": (50, 10_000),
    "seed": (0, 2**63),
}


@dataclass(frozen=True)
class SimulationOptions:
    """One simulated recording.

    Rhythm: ``rate_bpm`` with ``rr_sd_ms`` of irregularity from beat to beat and
    ``respiratory_share`` of the RR interval as respiratory sinus arrhythmia. Every
    ``ectopic_every``-th beat is ectopic where ``ectopics`` are asked for; after every
    ``dropped_every``-th P wave no QRS complex follows (0: none is dropped).

    Intervals in ms: ``pr_ms`` from P onset to QRS onset, ``qt_ms`` from QRS onset to T offset.
    Axes in degrees, by the net area in leads I and aVF; None keeps what the conduction gives.
    ``p_mv``, ``qrs_mv``, ``t_mv`` and ``u_mv`` are the largest deflection from zero in any limb
    lead, in mV; a wave of 0 mV is not there. ``st_mv`` is the ST level in that lead of ``st_at``
    which shows most, on top of what the conduction gives.

    Shape: ``p_notch`` and ``qrs_notch`` from 0 (none) to 1; ``t_second`` is the size of a second
    part of T, negative for a biphasic one, left out below a tenth; ``t_onset_share`` of the time
    from J to the end of T is ST segment, ``t_peak_share`` of T lies before its peak; ``softness``
    1 lets P and T begin and end with a corner, 2 lets them fade, ``qrs_softness`` the same for the
    QRS complex; ``anatomy`` is how far this heart, drawn by ``seed``, differs from the usual one.

    Noise: ``wander_mv`` at ``wander_hz`` and ``mains_uv`` at ``mains_hz`` are sines, peak to peak,
    of another phase in each of the leads I, II, V1-V6; ``muscle_uv`` is white noise, RMS.
    Raises ValueError for a value out of range or intervals that do not fit into each other.
    """

    rhythm: Rhythm = "sinus"
    conduction: Conduction = "normal"
    ectopics: Ectopics = "none"
    ectopic_every: int = 5
    dropped_every: int = 0
    rate_bpm: float = 70.0
    rr_sd_ms: float = 8.0
    respiratory_share: float = 0.02
    breaths_per_minute: float = 14.0
    p_ms: float = 104.0
    pr_ms: float = 160.0
    qrs_ms: float = 92.0
    qt_ms: float = 390.0
    p_axis_deg: float | None = 55.0
    qrs_axis_deg: float | None = 50.0
    t_axis_deg: float | None = None
    p_mv: float = 0.14
    qrs_mv: float = 1.1
    t_mv: float = 0.3
    u_mv: float = 0.0
    fibrillation_mv: float = 0.06
    spike_mv: float = 2.0
    st_mv: float = 0.0
    st_at: Territory | None = None
    p_notch: float = 0.0
    qrs_notch: float = 0.0
    t_second: float = 0.0
    t_onset_share: float = 0.28
    t_peak_share: float = 0.58
    softness: float = 1.1
    qrs_softness: float = 1.0
    anatomy: float = 0.0
    wander_mv: float = 0.0
    wander_hz: float = 0.3
    mains_uv: float = 0.0
    mains_hz: float = 50.0
    muscle_uv: float = 0.0
    seconds: float = 10.0
    sampling_rate: float = 500.0
    seed: int = 0

    def __post_init__(self) -> None:
        for name, (least, most) in _RANGES.items():
            value = getattr(self, name)
            if value is not None and not (isfinite(value) and least <= value <= most):
                raise ValueError(f"{name} {value!r}; allowed: {least:g} to {most:g}")
        _one_of("rhythm", self.rhythm, get_args(Rhythm))
        _one_of("conduction", self.conduction, get_args(Conduction))
        _one_of("ectopics", self.ectopics, get_args(Ectopics))
        _one_of("st_at", self.st_at, (None, *get_args(Territory)))
        if self.st_mv and self.st_at is None:
            raise ValueError(f"st_mv {self.st_mv:g} without st_at; say where: {_words(Territory)}")
        if self.ectopics != "none" and self.rhythm != "sinus":
            raise ValueError(
                f"ectopics in {self.rhythm}; ectopic beats are simulated in sinus only"
            )
        if self.dropped_every == 1:
            raise ValueError("dropped_every 1 leaves no beat; allowed: 0 (none) or 2 and more")
        self._check_intervals()

    def _check_intervals(self) -> None:
        if self.has_p and self.p_ms > self.pr_ms:
            raise ValueError(
                f"p_ms {self.p_ms:g} is longer than pr_ms {self.pr_ms:g}; allowed: up to pr_ms"
            )
        if self.qt_ms < self.qrs_ms + LEAST_ST_T_MS:
            raise ValueError(
                f"qt_ms {self.qt_ms:g} with qrs_ms {self.qrs_ms:g}; allowed: qt_ms of at least "
                f"{self.qrs_ms + LEAST_ST_T_MS:g}, that ST and T find their place"
            )
        if self.least_rr_ms > 60_000 / self.rate_bpm:
            raise ValueError(
                f"rate_bpm {self.rate_bpm:g} leaves {60_000 / self.rate_bpm:.0f} ms a beat, its "
                f"waves take {self.least_rr_ms:.0f}; allowed: a rate of at most "
                f"{60_000 / self.least_rr_ms:.1f}, or a shorter PR or QT interval"
            )

    @property
    def has_p(self) -> bool:
        """Whether beats begin with a P wave."""
        return self.rhythm == "sinus" and self.p_mv > 0

    @property
    def least_rr_ms(self) -> float:
        """The shortest RR interval in which waves do not run into each other."""
        return self.qt_ms + (self.pr_ms if self.has_p else 0.0) + LEAST_GAP_MS


def _words(choices: object) -> str:
    return ", ".join(repr(choice) for choice in get_args(choices))


def _one_of(name: str, given: Choice, allowed: tuple[Choice, ...]) -> None:
    if given not in allowed:
        raise ValueError(f"{name} {given!r}; allowed: {', '.join(map(repr, allowed))}")
