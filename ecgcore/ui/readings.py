"""What our own signal analysis says of a recording, computed once and kept in bounded memory.

The same as ``services`` does for networks: everything is kept by the content of the recording.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache

from ecgcore.models.trust import Known
from ecgcore.recording import Recording
from ecgcore.rules.applying import apply_rules
from ecgcore.rules.criteria import criteria_set
from ecgcore.rules.finding import Finding
from ecgcore.signal.arrangement import LeadMistake, suspect_leads
from ecgcore.signal.beats import Beats, MedianBeat, find_beats
from ecgcore.signal.beats import median_beat as beats_median
from ecgcore.signal.delineation import Method, delineate
from ecgcore.signal.delineation.waves import Delineation
from ecgcore.signal.intervals import UsualBeat
from ecgcore.signal.measured import Measurements
from ecgcore.signal.measurements import measure, usual_waves
from ecgcore.signal.verdict import Verdict, judge
from ecgcore.ui.memory import Memory


@dataclass(frozen=True)
class _Memories:
    """One of each a server; each entry is under 100 kB."""

    verdicts: Memory[Verdict] = field(default_factory=lambda: Memory(64))
    mistakes: Memory[LeadMistake | None] = field(default_factory=lambda: Memory(64))
    delineations: Memory[Delineation] = field(default_factory=lambda: Memory(64))
    beats: Memory[Beats] = field(default_factory=lambda: Memory(64))
    medians: Memory[MedianBeat] = field(default_factory=lambda: Memory(16))
    measurements: Memory[Measurements] = field(default_factory=lambda: Memory(64))


@cache
def memories() -> _Memories:
    """The memories of this server."""
    return _Memories()


def _identity(recording: Recording) -> tuple[str, float]:
    return (recording.source.identity, recording.sampling_rate)


def verdict(recording: Recording) -> Verdict:
    """Whether a recording is fit to read."""
    return memories().verdicts.get(_identity(recording), lambda: judge(recording))


def lead_mistake(recording: Recording) -> LeadMistake | None:
    """The mistake with electrodes or leads that the recording looks like."""
    found = memories().mistakes
    return found.get(_identity(recording), lambda: suspect_leads(recording))


def known(recording: Recording) -> Known:
    """Both, as a model wants them before it answers."""
    return Known(verdict(recording), lead_mistake(recording))


def doubted_leads(recording: Recording) -> tuple[str, ...]:
    """The leads that are not fit to read."""
    judged = verdict(recording).leads
    return tuple(lead for lead, one in judged.items() if not one.acceptable)


def delineation(recording: Recording, method: Method) -> Delineation:
    """Where each wave begins, peaks and ends."""
    key = (*_identity(recording), method)
    return memories().delineations.get(key, lambda: delineate(recording, method))


def beats(recording: Recording, method: Method) -> Beats:
    """The beats and what each is."""
    key = (*_identity(recording), method)
    return memories().beats.get(key, lambda: find_beats(recording, delineation(recording, method)))


def median_beat(recording: Recording, method: Method) -> MedianBeat | None:
    """The median of the dominant beats; None for a recording without beats."""
    found = beats(recording, method)
    if not len(found):
        return None
    key = (*_identity(recording), method)
    return memories().medians.get(key, lambda: beats_median(recording, found))


def usual_beat(recording: Recording, method: Method) -> UsualBeat | None:
    """Where the waves of the usual beat lie; None for a recording without beats."""
    return usual_waves(recording, delineation(recording, method), beats(recording, method))


def measurements(recording: Recording, method: Method) -> Measurements:
    """Everything measured."""
    key = (*_identity(recording), method)
    return memories().measurements.get(
        key,
        lambda: measure(recording, delineation(recording, method), beats(recording, method)),
    )


def rule_findings(
    recording: Recording,
    method: Method,
    criteria: str,
    changes: Mapping[str, float] | None = None,
) -> tuple[Finding, ...]:
    """What a set of criteria says, with thresholds changed for this call if any."""
    return apply_rules(
        measurements(recording, method), recording.patient, criteria_set(criteria), changes
    )
