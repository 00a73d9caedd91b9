"""Is a recording fit to read: one verdict on it and on each lead, with its reason.

The recording is judged by a logistic model of ``verdict_features``, ordered over its leads. Each
lead gets the probability that it alone makes a recording unfit, from a logistic model fitted under
a noisy-or: a recording is unfit unless every lead is fit, so that the model learns which lead was
meant although people judged whole recordings. A lead can be unfit in a recording that is fit; a
recording with an empty lead never is. A lead drowned in noise is unfit by rule too (people accepted
recordings with one such lead). Fitted on the set-a recordings of the PhysioNet/CinC Challenge 2011
(Silva, Moody and Celi, Computing in Cardiology 2011;38:273-276); data, method and figures are in
``assets/quality/verdict.json``.

A verdict hides nothing: the recording still opens. ``quality.assess`` lists single findings.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ecgcore.recording import Recording
from ecgcore.signal.quality import (
    FLAT_LEAD_MV,
    FLAT_MOSTLY_SHARE,
    MOST_MISSING_SHARE,
    UNUSABLE_SECONDS,
)
from ecgcore.signal.verdict_features import FEATURES, Values, ordered_features, verdict_features

MODEL_FILE = Path(__file__).resolve().parents[2] / "assets" / "quality" / "verdict.json"
PIECE_SECONDS = 10.0
"""What people judged; a longer recording is judged in pieces of this length, its median counts."""
LOWEST_RATE = 50.0
DROWNING_SHARE = 0.15
"""Noise RMS of the QRS height; peak to peak, six times that, it is as tall as the QRS complex."""
DROWNING_LEAST = 0.05
"""Noise RMS of a typical QRS height; no lead is refused because its own QRS complex is small."""
DROWNED_LIKENESS = 0.6
"""Cosine of the beats with their median. With the shares above, 1 of 575 recordings of clinical
carts has such a lead."""
LEAD_THRESHOLD = 0.5
"""More likely than not, this lead alone would have made people refuse the recording."""
CLIP = 4.0
"""Standard deviations beyond which a feature counts no further."""

_GROUPS: dict[str, tuple[str, ...]] = {
    "flat": ("flat_longest", "flat_share", "flat_off", "rail_share", "bad_longest"),
    "away": ("range", "off_1", "off_2", "off_5", "edge_off", "step", "steps", "jump_own",
             "span_worst"),
    "drift": ("drift_own", "drift_typical"),
    "noise": ("noise_own", "noise_typical", "noise_worst", "fast_share", "fast_share_worst",
              "fast_in_all"),
    "shape": ("peakedness", "peakedness_least"),
    "beats": ("beat_likeness", "beat_likeness_low", "beat_residual", "height_spread",
              "rest_likeness", "qrs_agreement", "qrs_height"),
}  # fmt: skip


@dataclass(frozen=True)
class LeadVerdict:
    """``score``: the probability, 0 to 1, that this lead alone makes a recording unfit to read.

    Unfit at or above ``LEAD_THRESHOLD``, and as the worst lead of an unfit recording.
    """

    acceptable: bool
    score: float
    reason: str


@dataclass(frozen=True)
class Verdict:
    """``score`` 0 to 1, unfit at or above ``threshold``; ``reason`` names all unfit leads."""

    acceptable: bool
    score: float
    threshold: float
    reason: str
    leads: dict[str, LeadVerdict]


@dataclass(frozen=True)
class Logistic:
    """``mean``, ``scale`` and ``weights`` are (features,)."""

    mean: Values
    scale: Values
    weights: Values
    bias: float

    def contributions(self, features: Values) -> Values:
        """What each feature adds to the log odds, same shape as ``features`` (..., features)."""
        standard = np.clip((features - self.mean) / self.scale, -CLIP, CLIP)
        return standard * self.weights

    def scores(self, features: Values) -> Values:
        """The probability, shape (...), from (..., features)."""
        odds = self.contributions(features).sum(axis=-1) + self.bias
        scores: Values = 0.5 * (1 + np.tanh(odds / 2))
        return scores


@dataclass(frozen=True)
class VerdictModel:
    """``lead`` takes ``FEATURES``, ``whole`` their order; ``threshold`` is that of ``whole``."""

    lead: Logistic
    whole: Logistic
    threshold: float

    def scores(self, features: Values) -> Values:
        """The score of each recording, shape (...), from (..., leads, features)."""
        return self.whole.scores(ordered_features(features))


@cache
def load_model(path: Path = MODEL_FILE) -> VerdictModel:
    """The shipped model. Raises ValueError where the file does not fit ``FEATURES``."""
    held = json.loads(path.read_text(encoding="utf-8"))
    if tuple(held["features"]) != FEATURES:
        raise ValueError(f"{path} was fitted on other features; fit it again")
    parts = []
    for part in (held["lead"], held["whole"]):
        mean, scale, weights = (np.array(part[name]) for name in ("mean", "scale", "weights"))
        parts.append(Logistic(mean, scale, weights, part["bias"]))
    return VerdictModel(parts[0], parts[1], held["threshold"])


def judge(recording: Recording) -> Verdict:
    """Whether a recording and each of its leads is fit to read. Never raises.

    Voltages are used only to tell an empty lead (below 30 uV), and not where they are in doubt.
    """
    model = load_model()
    refused = _refused_whole(recording)
    if refused:
        leads = {lead: LeadVerdict(False, 1.0, refused) for lead in recording.leads}
        return Verdict(False, 1.0, model.threshold, refused, leads)
    pieces = piecewise_features(recording)
    middle = np.median(pieces, axis=0)
    empty = empty_leads(recording, pieces)
    rows = zip(recording.leads, middle, strict=True)
    ruled = {lead: reason for lead, row in rows if (reason := _drowned(lead, row))} | empty
    scores = np.median(model.lead.scores(pieces), axis=0)
    scores = np.where([lead in ruled for lead in recording.leads], 1.0, scores)
    score = 1.0 if empty else float(np.median(model.scores(pieces)))
    acceptable = score < model.threshold
    worst = int(np.argmax(scores))
    verdicts: dict[str, LeadVerdict] = {}
    for row, lead in enumerate(recording.leads):
        unfit = bool(scores[row] >= LEAD_THRESHOLD) or (not acceptable and row == worst)
        reason = ruled.get(lead) or _reason(
            lead, middle[row], model, recording.seconds / len(pieces)
        )
        verdicts[lead] = LeadVerdict(not unfit, float(scores[row]), reason if unfit else "")
    reason = " ".join(verdict.reason for verdict in verdicts.values() if verdict.reason)
    if not acceptable and scores[worst] < LEAD_THRESHOLD:
        reason = f"Several leads are doubtful, most of all {reason}"
    return Verdict(acceptable, score, model.threshold, reason, verdicts)


def _refused_whole(recording: Recording) -> str | None:
    if recording.samples == 0 or recording.seconds < UNUSABLE_SECONDS:
        return f"The recording lasts {recording.seconds:.1f} s; at least {UNUSABLE_SECONDS:g} s."
    if recording.sampling_rate < LOWEST_RATE:
        return f"Sampled at {recording.sampling_rate:g} Hz; at least {LOWEST_RATE:g} Hz."
    return None


def empty_leads(recording: Recording, pieces: Values) -> dict[str, str]:
    """Leads that show nothing, or nothing for half of the time or more, and why: unfit by rule.

    ``pieces`` is what ``piecewise_features`` gives.
    """
    flat = np.median(pieces[..., FEATURES.index("flat_longest")], axis=0)
    seconds = recording.seconds / len(pieces)
    found: dict[str, str] = {}
    for lead, share in zip(recording.leads, flat, strict=True):
        reason = _empty(recording, lead)
        if reason is None and share >= FLAT_MOSTLY_SHARE:
            reason = f"{lead}: no signal for {share * seconds:.1f} s of {seconds:.0f} s."
        if reason:
            found[lead] = reason
    return found


def _drowned(lead: str, features: Values) -> str | None:
    """Why nothing can be read off a lead for its noise, or None."""
    value = dict(zip(FEATURES, features.tolist(), strict=True))
    own, typical = 10 ** value["noise_own"], 10 ** value["noise_typical"]
    likeness = value["beat_likeness"]
    if own >= DROWNING_SHARE and typical >= DROWNING_LEAST and likeness < DROWNED_LIKENESS:
        return (
            f"{lead}: noise between the beats of {own:.0%} of its QRS height (RMS, 20-45 Hz) hides "
            f"them (likeness {max(likeness, 0):.2f} of 1)."
        )
    return None


def _empty(recording: Recording, lead: str) -> str | None:
    """Why a lead shows nothing at all, or None."""
    values = recording.lead(lead)
    known = values[np.isfinite(values)]
    missing = 1 - known.size / values.size
    if missing > MOST_MISSING_SHARE:
        return f"{lead}: {missing:.0%} of the samples are missing."
    span = float(np.ptp(known))
    least = 0.0 if recording.source.voltages_in_doubt else FLAT_LEAD_MV
    if span <= least:
        return f"{lead}: no signal."
    return None


def piecewise_features(recording: Recording) -> Values:
    """(pieces, leads, features), pieces of about ten seconds; gaps are held at the last value."""
    filled = np.stack([_held(row) for row in recording.signal])
    pieces = max(1, round(recording.seconds / PIECE_SECONDS))
    parts = np.array_split(filled, pieces, axis=1)
    return np.stack([verdict_features(part, recording.sampling_rate) for part in parts])


def _held(row: NDArray[np.float32]) -> Values:
    """A row with each gap held at the last value before it, so that it is seen as flat."""
    known = np.isfinite(row)
    if not known.any():
        return np.zeros(row.size)
    last = np.maximum.accumulate(np.where(known, np.arange(row.size), -1))
    return row[np.where(last < 0, np.flatnonzero(known)[0], last)].astype(np.float64)


def _reason(lead: str, features: Values, model: VerdictModel, seconds: float) -> str:
    """One sentence on the group of features that speaks most against a lead of ``seconds``."""
    added = dict(zip(FEATURES, model.lead.contributions(features), strict=True))
    sums = {group: sum(added[name] for name in names) for group, names in _GROUPS.items()}
    value = dict(zip(FEATURES, features.tolist(), strict=True))
    flat = value["flat_longest"] * seconds
    if flat >= 1.0:
        return f"{lead}: no signal for {flat:.1f} s of {seconds:.0f} s."
    if value["off_2"] * seconds >= 1.0 and sums["away"] + sums["flat"] > 0:
        off = value["off_2"] * seconds
        return f"{lead}: away from its line by more than a QRS height for {off:.1f} s."
    texts = {
        "flat": f"{lead}: not readable for {value['bad_longest'] * seconds:.1f} s in a row.",
        "away": f"{lead}: jumps of {10 ** value['jump_own']:.1f} times its QRS height.",
        "drift": f"{lead}: drifts by {10 ** value['drift_own']:.1f} times its QRS height.",
        "noise": f"{lead}: noise between the beats up to {10 ** value['noise_worst']:.0%} of its "
        "QRS height (RMS, 20-45 Hz).",
        "shape": f"{lead}: its QRS complexes do not stand out from the rest.",
        "beats": f"{lead}: its beats do not repeat (likeness {value['beat_likeness']:.2f} of 1; "
        f"QRS complexes agree with the other leads {max(value['qrs_agreement'], 0):.0%}).",
    }
    return texts[max(sums, key=lambda group: sums[group])]
