"""Hearts by name, and hearts by chance: the simulator's presets and its broad random draw."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

import numpy as np

from ecgcore.signal.simulator_options import (
    LEAST_ST_T_MS,
    Conduction,
    Ectopics,
    Rhythm,
    SimulationOptions,
    Territory,
)

_SEED = 18
"""Starts the recording between two beats, not in the midst of one."""
PRESETS: Mapping[str, SimulationOptions] = MappingProxyType(
    {
        "sinus": SimulationOptions(seed=_SEED),
        "bradycardia": SimulationOptions(seed=_SEED, rate_bpm=44, qt_ms=475, pr_ms=172),
        "tachycardia": SimulationOptions(
            seed=_SEED, rate_bpm=128, qt_ms=312, pr_ms=128, p_ms=92, rr_sd_ms=3
        ),
        "atrial fibrillation": SimulationOptions(
            seed=_SEED,
            rhythm="atrial fibrillation",
            rate_bpm=92,
            qt_ms=350,
            t_mv=0.25,
            fibrillation_mv=0.1,
        ),
        "first-degree block": SimulationOptions(seed=_SEED, rate_bpm=64, pr_ms=260, qt_ms=400),
        "left bundle branch block": SimulationOptions(
            seed=_SEED,
            conduction="left bundle",
            qrs_ms=152,
            qt_ms=440,
            qrs_axis_deg=-10,
            qrs_mv=1.0,
            t_mv=0.28,
        ),
        "right bundle branch block": SimulationOptions(
            seed=_SEED,
            conduction="right bundle",
            qrs_ms=140,
            qt_ms=420,
            qrs_axis_deg=None,
            qrs_mv=0.9,
            t_mv=0.22,
        ),
        "left ventricular hypertrophy": SimulationOptions(
            seed=_SEED,
            conduction="left hypertrophy",
            qrs_ms=104,
            qrs_axis_deg=15,
            qrs_mv=1.2,
            t_mv=0.25,
        ),
        "inferior ST elevation": SimulationOptions(
            seed=_SEED,
            rate_bpm=76,
            qt_ms=380,
            st_at="inferior",
            st_mv=0.28,
            t_mv=0.4,
            t_axis_deg=75,
            t_onset_share=0.08,
        ),
        "low voltage": SimulationOptions(seed=_SEED, qrs_mv=0.28, p_mv=0.06, t_mv=0.09),
        "left axis": SimulationOptions(seed=_SEED, qrs_axis_deg=-50, t_axis_deg=50, qrs_ms=100),
        "right axis": SimulationOptions(seed=_SEED, qrs_axis_deg=115, t_axis_deg=45, p_axis_deg=70),
        "ventricular ectopics": SimulationOptions(
            seed=_SEED, ectopics="ventricular", ectopic_every=5
        ),
        "atrial ectopics": SimulationOptions(seed=_SEED, ectopics="atrial", ectopic_every=5),
        "pre-excitation": SimulationOptions(
            seed=_SEED,
            conduction="pre-excitation",
            p_ms=90,
            pr_ms=96,
            qrs_ms=132,
            qt_ms=400,
            t_mv=0.22,
        ),
        "paced": SimulationOptions(
            seed=_SEED,
            rhythm="ventricular pacing",
            conduction="right apex",
            rate_bpm=70,
            rr_sd_ms=0,
            respiratory_share=0,
            qrs_ms=164,
            qt_ms=450,
            qrs_axis_deg=-70,
            qrs_mv=1.3,
            t_mv=0.45,
        ),
    }
)


def preset(name: str) -> SimulationOptions:
    """The options of a preset; ValueError names the known ones."""
    if name not in PRESETS:
        raise ValueError(f"unknown preset {name!r}; known: {', '.join(PRESETS)}")
    return PRESETS[name]


def random_options(
    rng: np.random.Generator, seconds: float = 10.0, sampling_rate: float = 500.0
) -> SimulationOptions:
    """A heart by chance, as broad as adults in a hospital are: to learn delineation from.

    The draw is one of hearts, not of a population: rare patterns are as frequent as is useful.
    """
    conduction = _conduction(rng)
    rhythm: Rhythm = "sinus"
    if conduction == "right apex":
        rhythm = "ventricular pacing"
    elif rng.random() < 0.12:
        rhythm = "atrial fibrillation"
    options = SimulationOptions(
        rhythm=rhythm,
        conduction=conduction,
        seconds=seconds,
        sampling_rate=sampling_rate,
        seed=int(rng.integers(2**31)),
        rr_sd_ms=float(rng.exponential(12.0)) if rhythm == "sinus" else 0.0,
        respiratory_share=float(rng.uniform(0, 0.12)) if rhythm == "sinus" else 0.0,
        breaths_per_minute=float(rng.uniform(9, 24)),
    )
    options = _random_ectopics(rng, _random_waves(rng, options))
    return _random_noise(rng, _random_intervals(rng, options))


def _conduction(rng: np.random.Generator) -> Conduction:
    known: tuple[Conduction, ...] = (
        "normal",
        "left hypertrophy",
        "left bundle",
        "right bundle",
        "pre-excitation",
        "right apex",
    )
    return known[int(rng.choice(len(known), p=(0.56, 0.14, 0.1, 0.1, 0.04, 0.06)))]


_QRS_MS: Mapping[Conduction, tuple[float, float]] = {
    "normal": (68, 118),
    "left hypertrophy": (84, 126),
    "left bundle": (120, 190),
    "right bundle": (112, 170),
    "pre-excitation": (100, 160),
    "right apex": (130, 210),
}


def _random_intervals(rng: np.random.Generator, options: SimulationOptions) -> SimulationOptions:
    """Intervals that fit into each other; QT about Bazett's, shortened where it does not fit."""
    rate = float(rng.uniform(35, 160)) if rng.random() < 0.5 else float(rng.normal(74, 14))
    rate = float(np.clip(rate, 35, 160))
    rr = 60_000 / rate
    qrs = float(rng.uniform(*_QRS_MS[options.conduction]))
    p = float(rng.uniform(64, 150))
    pr = p + (float(rng.gamma(3.0, 22.0)) if rng.random() < 0.9 else float(rng.uniform(80, 220)))
    if options.conduction == "pre-excitation":
        p = float(rng.uniform(64, 100))
        pr = p + float(rng.uniform(0, 24))
    pr = float(np.clip(pr, 80, 420))
    qt = float(rng.normal(410, 32)) * float(np.sqrt(rr / 1000)) + 0.6 * max(0.0, qrs - 100)
    least_qt = qrs + LEAST_ST_T_MS + 30
    qt = float(np.clip(qt, least_qt, 640))
    room = rr * (1 - options.respiratory_share) - 20
    if options.has_p and pr + qt > room:
        pr = max(min(pr, room - qt), p)
    qt = max(min(qt, room - (pr if options.has_p else 0)), least_qt)
    needed = qt + (pr if options.has_p else 0) + 20
    return replace(
        options, rate_bpm=min(rate, 60_000 / needed), qrs_ms=qrs, p_ms=p, pr_ms=pr, qt_ms=qt
    )


def _random_waves(rng: np.random.Generator, options: SimulationOptions) -> SimulationOptions:
    normal = options.conduction in ("normal", "left hypertrophy")
    t_own = rng.random() < 0.6
    places: tuple[Territory | None, ...] = (
        None,
        None,
        None,
        None,
        "inferior",
        "lateral",
        "anterior",
    )
    place = places[int(rng.integers(len(places)))]
    p_mv = 0.0 if rng.random() < 0.08 else float(np.clip(rng.lognormal(-2.1, 0.4), 0.04, 0.4))
    return replace(
        options,
        p_mv=p_mv,
        qrs_mv=float(np.clip(rng.lognormal(-0.05, 0.4), 0.2, 2.4)),
        t_mv=float(np.clip(rng.lognormal(-1.35, 0.55), 0.04, 1.2)),
        u_mv=float(rng.uniform(0.02, 0.08)) if rng.random() < 0.12 else 0.0,
        fibrillation_mv=float(rng.uniform(0.01, 0.2)),
        spike_mv=float(rng.uniform(0, 4)),
        p_axis_deg=_axis(rng, 55, 20) if rng.random() < 0.9 else _axis(rng, 0, 90),
        qrs_axis_deg=_axis(rng, 40, 40) if normal else None,
        t_axis_deg=_axis(rng, 45, 30 if rng.random() < 0.7 else 90) if normal and t_own else None,
        st_at=place,
        st_mv=float(rng.normal(0, 0.12)) if place is not None else 0.0,
        p_notch=float(rng.random()),
        qrs_notch=float(rng.random()) if rng.random() < 0.25 else 0.0,
        t_second=float(rng.uniform(-0.9, 0.9)) if rng.random() < 0.25 else 0.0,
        t_onset_share=float(rng.uniform(0.08, 0.42)),
        t_peak_share=float(rng.uniform(0.45, 0.7)),
        softness=float(rng.uniform(1.0, 1.5)),
        qrs_softness=float(rng.uniform(1.0, 1.8)),
        anatomy=float(rng.uniform(0.1, 0.9)),
    )


def _axis(rng: np.random.Generator, middle: float, spread: float) -> float:
    return float((rng.normal(middle, spread) + 180) % 360 - 180)


def _random_ectopics(rng: np.random.Generator, options: SimulationOptions) -> SimulationOptions:
    if options.rhythm != "sinus":
        return options
    drawn = rng.random()
    kind: Ectopics = "ventricular" if drawn < 0.12 else "atrial" if drawn < 0.2 else "none"
    blocked = int(rng.integers(2, 6)) if kind == "none" and rng.random() < 0.06 else 0
    every = int(rng.integers(2, 9))
    return replace(options, ectopics=kind, ectopic_every=every, dropped_every=blocked)


def _random_noise(rng: np.random.Generator, options: SimulationOptions) -> SimulationOptions:
    return replace(
        options,
        wander_mv=float(rng.exponential(0.2)) if rng.random() < 0.8 else 0.0,
        wander_hz=float(rng.uniform(0.1, 0.5)),
        mains_uv=float(rng.exponential(25.0)) if rng.random() < 0.5 else 0.0,
        mains_hz=50.0 if rng.random() < 0.6 else 60.0,
        muscle_uv=float(rng.exponential(12.0)),
    )
