"""Whether a model may answer for a recording, and what speaks against its answer. The one place.

A network gives a confident diagnosis for whatever it is shown. So before it answers, and whichever
it is, the signal is asked for what a heart leaves in it (``ecgcore.signal.foreign``): what is no
ECG gets no answer, what is an ECG but doubtful gets one with the doubt beside it. Thresholds were
chosen on one half of the public recordings at hand; what they do on the other half, and on foreign
signals, is printed by ``benchmarks/foreign_signals.py``.

Packed training data do not come by here: they are chosen and prepared already.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from ecgcore.models.input_spec import Prepared, UnfitRecordingError
from ecgcore.recording import Recording
from ecgcore.signal.arrangement import LeadMistake, suspect_leads
from ecgcore.signal.foreign import Signs, signs_of_a_heart
from ecgcore.signal.verdict import Verdict, judge

FEWEST_BEATS = 2
LEAST_LIKENESS = 0.75
"""Of a beat with the one most like it. The lowest of recordings that people called readable: 0.77;
of clinical carts 0.90. Random signals with the spectrum of an ECG reach 0.73."""
SLOW_PER_MINUTE, LEAST_LIKENESS_SLOW = 30.0, 0.9
"""Few complexes may be alike by chance (background EEG: 0.87 with three)."""
LEAST_REPETITION = 0.7
"""Ventricular tachycardia without complexes that stand out: 0.9."""
MOST_SAMENESS = 0.98
"""Power of the leads that one signal explains; at most 0.95 in recordings called readable."""
MOST_HUM = 0.4
"""At most 0.20 in the public recordings at hand, called readable or not."""
MOST_LIMB_MISFIT = 0.15
"""RMS; at most 0.07 in real recordings, which clipping and rounding explain."""
SLOW_RR_SECONDS, SLOW_QRS_HZ = 1.25, 10.0
"""Longer and lower: stretched in time, unless it is a slow heart with wide complexes."""
FAST_RR_SECONDS, FAST_QRS_HZ = 0.6, 17.0
_MOST_MISSING_SECONDS = 0.5
"""Shorter and higher: compressed in time, unless it is a fast heart under muscle noise."""


@dataclass(frozen=True)
class Known:
    """What was found of a recording as a whole, which a page knows already."""

    verdict: Verdict
    mistake: LeadMistake | None


def look(recording: Recording) -> Known:
    """Find it: whether it is fit to read, and whether its leads seem to be others."""
    return Known(judge(recording), suspect_leads(recording))


def require_heart(recording: Recording, prepared: Prepared) -> Signs:
    """The signs of a heart in what the model would see of a recording.

    Raises UnfitRecordingError for what is no ECG: nothing that beats, complexes of which no two are
    alike, leads that all show one signal.
    """
    first = round(prepared.start * recording.sampling_rate)
    last = first + round(prepared.seconds * recording.sampling_rate)
    signs = signs_of_a_heart(replace(recording, signal=recording.signal[:, first:last].copy()))
    if signs.beats < FEWEST_BEATS and not signs.repetition >= LEAST_REPETITION:
        raise UnfitRecordingError(
            f"{'one complex' if signs.beats else 'no complex'} that could be a heart beat in "
            f"{signs.seconds:.1f} s",
            f"at least {FEWEST_BEATS} QRS complexes",
            "look at the patient and at the trace: asystole, ventricular fibrillation, loose "
            "electrodes, or a file that is no ECG",
        )
    if signs.sameness > MOST_SAMENESS:
        raise UnfitRecordingError(
            f"leads that all show the same signal ({signs.sameness:.1%} of their power)",
            f"leads that differ, as a heart does from eight sides (at most {MOST_SAMENESS:.0%})",
            "leave calibration and test signals out, or export each lead from its own channel",
        )
    if signs.hum > MOST_HUM:
        raise UnfitRecordingError(
            f"a hum of one frequency ({signs.hum:.0%} of the leads' power)",
            f"an ECG, in which no frequency above 10 Hz prevails (at most {MOST_HUM:.0%})",
            "check the electrodes and the cables, switch mains equipment off, and record again",
        )
    slow = signs.beats < SLOW_PER_MINUTE / 60 * signs.seconds
    least = LEAST_LIKENESS_SLOW if slow else LEAST_LIKENESS
    if signs.beats >= FEWEST_BEATS and not signs.likeness >= least:
        raise UnfitRecordingError(
            f"{signs.beats} possible heart beats of which hardly two are alike "
            f"(likeness {signs.likeness:.2f})",
            f"QRS complexes that repeat (likeness {least:g}; a usual ECG has 0.98)",
            "check that the file is an ECG, then the electrodes and cables, and record again",
        )
    return signs


def doubts(recording: Recording, signs: Signs, known: Known) -> tuple[str, ...]:
    """Why not to rely on a model's answer, a sentence each; the gravest first."""
    found = []
    leads = [lead for lead, one in known.verdict.leads.items() if not one.acceptable]
    if leads:
        found.append(
            f"The model also read {', '.join(leads)}, not fit to read: do not rely on its answers."
        )
    if signs.limb_misfit > MOST_LIMB_MISFIT:
        found.append(
            f"The limb leads contradict each other (Einthoven's and Goldberger's laws leave "
            f"{signs.limb_misfit:.0%} of a lead unexplained): check the names and signs of the "
            "limb leads."
        )
    if known.mistake is not None:
        found.append(known.mistake.text)
    found += _rhythm_doubts(recording, signs)
    return tuple(found)


def too_short(seconds: float, learned: float) -> tuple[str, ...]:
    """The doubt about ``seconds`` read by a model that learned from longer ones; none from 0.5 s
    less on. Of 30 recordings of PTB-XL cut to 5 s most models call a third or fewer of those normal
    that they called so before."""
    if seconds > learned - _MOST_MISSING_SECONDS:
        return ()
    return (
        f"Only {seconds:.1f} s were read by a model that learned from {learned:g} s: probabilities "
        "and thresholds do not hold, and normal is said far too seldom.",
    )


def _rhythm_doubts(recording: Recording, signs: Signs) -> list[str]:
    """Doubts about what the complexes are, or about the time axis."""
    if signs.beats < FEWEST_BEATS:
        return [
            "No QRS complex stands out from a fast regular rhythm: ventricular tachycardia or "
            "flutter, or an artefact; the model may not know it."
        ]
    slow = signs.rr_seconds > SLOW_RR_SECONDS and signs.qrs_hz < SLOW_QRS_HZ
    fast = signs.rr_seconds < FAST_RR_SECONDS and signs.qrs_hz > FAST_QRS_HZ
    if not slow and not fast:
        return []
    seen, width, stated = ("slowly", "wide", "low") if slow else ("fast", "narrow or noisy", "high")
    return [
        f"The heart beats {seen} ({60 / signs.rr_seconds:.0f} a minute) and its QRS complexes are "
        f"{width} (mean frequency {signs.qrs_hz:.0f} Hz, usually 13): the stated sampling rate of "
        f"{recording.sampling_rate:g} Hz may be too {stated}."
    ]
