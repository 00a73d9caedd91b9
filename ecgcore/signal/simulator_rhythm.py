"""The simulated heart's clock: when each wave of each beat begins, and of what shape it is.

Beats run from before the recording to after its end, so that it begins and ends in the midst of
things as a real one does. Waves never overlap: an early beat waits until the T wave before it has
ended, which keeps every interval what the options say.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ecgcore.signal.delineation.waves import Wave
from ecgcore.signal.simulator_options import LEAST_GAP_MS, SimulationOptions
from ecgcore.signal.simulator_waves import (
    Beat,
    Shape,
    ectopic_p,
    usual_beat,
    ventricular_ectopic,
)


class WaveAt(NamedTuple):
    """A wave in time: seconds of the recording; ``wave`` None for what is no P, QRS or T."""

    wave: Wave | None
    shape: Shape
    onset: float
    duration: float


class LevelAt(NamedTuple):
    """An ST level of one beat, in seconds: QRS onset and offset, T peak and offset."""

    beat: Beat
    qrs_onset: float
    j: float
    t_peak: float
    t_offset: float


class Course(NamedTuple):
    """All that happens: waves in time order, ST levels, spike times in seconds."""

    waves: tuple[WaveAt, ...]
    levels: tuple[LevelAt, ...]
    spikes: tuple[float, ...]


_U_GAP, _U_MS = 0.03, 130.0
SPIKE_BEFORE_SECONDS = 0.012
"""From a pacing spike's start to the QRS onset that it causes."""
_EARLY_SHARE = 0.62
"""An ectopic beat comes after this share of the usual RR interval."""


class _Clock:
    """Lays down beats one after another."""

    def __init__(self, options: SimulationOptions) -> None:
        self.options = options
        self.heart = np.random.default_rng([options.seed, 1])
        self.chance = np.random.default_rng([options.seed, 2])
        self.usual = usual_beat(options, self.heart)
        self.waves: list[WaveAt] = []
        self.levels: list[LevelAt] = []
        self.spikes: list[float] = []
        self.free = -np.inf  # when the last T wave has ended
        self.rr = 60.0 / options.rate_bpm

    def course(self) -> Course:
        options = self.options
        seconds = float(self.chance.uniform(0.0, self.rr)) - 2 * self.rr
        count = 0
        early: Beat | None = None
        early_p: Shape | None = None
        if options.ectopics == "ventricular":
            early = ventricular_ectopic(options, self.heart)
        elif options.ectopics == "atrial":
            early_p = ectopic_p(options, self.heart)
        phase = int(self.chance.integers(options.ectopic_every))
        while seconds < options.seconds + 1.0:
            turn = (count + phase) % options.ectopic_every == 0
            if early is not None and turn:
                # The sinus node is not disturbed: the next beat falls where it would have anyway.
                self._ventricles(early, max(seconds - (1 - _EARLY_SHARE) * self.rr, self.free))
                seconds += self.rr
            elif early_p is not None and turn:
                ahead = seconds - (1 - _EARLY_SHARE) * self.rr
                seconds = self._beat(max(ahead, self.free + options.pr_ms / 1000), early_p, False)
                seconds += self._interval(seconds)
            else:
                dropped = options.dropped_every > 0 and count % options.dropped_every == 1
                seconds = self._beat(
                    max(seconds, self.free + self._pr_seconds), self.usual.p, dropped
                )
                seconds += self._interval(seconds)
            count += 1
        return Course(tuple(self.waves), tuple(self.levels), tuple(self.spikes))

    @property
    def _pr_seconds(self) -> float:
        return self.options.pr_ms / 1000 if self.usual.p is not None else 0.0

    def _interval(self, seconds: float) -> float:
        """The time to the next beat, from one at ``seconds``."""
        options = self.options
        breath = np.sin(2 * np.pi * options.breaths_per_minute / 60 * seconds)
        if options.rhythm == "atrial fibrillation":
            # Skewed to long pauses, no beat like the next; 1 on average.
            varied = float(self.chance.gamma(_FIBRILLATION_SHAPE) / _FIBRILLATION_SHAPE)
            least = options.least_rr_ms / 1000
            return least + (self.rr - least) * varied
        jitter = float(self.chance.normal()) * options.rr_sd_ms / 1000
        return self.rr * (1 + options.respiratory_share * float(breath)) + jitter

    def _beat(self, qrs_onset: float, p: Shape | None, dropped: bool) -> float:
        options = self.options
        if p is not None:
            onset = qrs_onset - options.pr_ms / 1000
            self.waves.append(WaveAt("P", p, onset, options.p_ms / 1000))
            self.free = onset + (options.p_ms + LEAST_GAP_MS) / 1000
        if not dropped:
            if options.rhythm == "ventricular pacing":
                self.spikes.append(qrs_onset - SPIKE_BEFORE_SECONDS)
            self._ventricles(self.usual, qrs_onset)
        return qrs_onset

    def _ventricles(self, beat: Beat, onset: float) -> None:
        """QRS complex, ST and T; the QT interval grows with a QRS complex that is broader."""
        options = self.options
        qrs = beat.qrs_ms / 1000
        t_offset = onset + (options.qt_ms + beat.qrs_ms - options.qrs_ms) / 1000
        j = onset + qrs
        t_onset = j + options.t_onset_share * (t_offset - j)
        t_peak = t_onset + beat.t_peak_share * (t_offset - t_onset)
        self.waves.append(WaveAt("QRS", beat.qrs, onset, qrs))
        if np.any(beat.st_mv):
            self.levels.append(LevelAt(beat, onset, j, t_peak, t_offset))
        if beat.t is not None:
            self.waves.append(WaveAt("T", beat.t, t_onset, t_offset - t_onset))
        self.free = t_offset + LEAST_GAP_MS / 1000
        if beat.u is not None and self._room_for_u:
            self.waves.append(WaveAt(None, beat.u, t_offset + _U_GAP, _U_MS / 1000))

    @property
    def _room_for_u(self) -> bool:
        options = self.options
        needed = options.least_rr_ms / 1000 + _U_GAP + _U_MS / 1000
        return bool(
            needed + 3 * options.rr_sd_ms / 1000 < self.rr * (1 - options.respiratory_share)
        )


_FIBRILLATION_SHAPE = 3.0
"""Of the gamma distribution of RR intervals; smaller is more irregular."""


def lay_down(options: SimulationOptions) -> Course:
    """The waves of a recording, some of which reach over its edges."""
    return _Clock(options).course()
