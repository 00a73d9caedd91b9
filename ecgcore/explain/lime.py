"""LIME: which pieces of which lead speak for or against a label, by leaving them out.

Ribeiro, Singh, Guestrin, "Why should I trust you?", KDD 2016, through the lime library. The
recording is cut into segments of time x lead. In each of many copies a fifth of the segments is
replaced by the lead's mean (0 after scaling); a weighted linear model of the answers gives each
segment its weight: how much the log-odds of the label rise when the segment is there.

Log-odds, because a sure model's probability hardly moves from 1: on a trained Inception the weights
of two seeds then correlated by 0.96 to 0.98, those of probabilities by 0.68 to 0.83 (1,000 copies).
Masked copies are unlike any ECG, and a model may answer them in ways that say little about ECGs. A
map whose two halves of copies disagree is withheld.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ecgcore.explain.answers import label_log_odds
from ecgcore.explain.explanation import Explanation
from ecgcore.explain.heat import HEAT_RATE, heat_times, scaled_by_peak, silent_leads
from ecgcore.explain.target import label_target
from ecgcore.labels import LabelSetName
from ecgcore.models.input_spec import InputSpec, Prepared, prepare
from ecgcore.recording import Recording

if TYPE_CHECKING:
    from ecgcore.models.predictor import Predictor

METHOD = "LIME"

SEGMENT_SECONDS = 1.0
"""About one beat: shorter segments need many more copies for the same stability."""

COPIES = 600
"""Masked copies; the weights of a linear model with 120 segments need several times as many."""

SHORTEST_SEGMENT, FEWEST_COPIES = 0.1, 10

KEPT = 0.8
"""Share of segments that a copy keeps: nearer to the recording than half, and as stable."""

KERNEL_WIDTH = 0.25
"""Of the cosine distance, as the lime library sets it for images."""

_BATCH = 64
_LEAST_PEAK = 1e-4
"""In log-odds: logits are float32, a smaller weight is rounding."""

RELIABLE = 0.5
"""Least reliability of a map that is shown: below, more of it is chance than is not."""


@dataclass(frozen=True)
class Segments:
    """The pieces that are left out together: ``edges`` in input samples, (parts + 1,), the same for
    every lead of ``rows`` (indices of the input's leads that hold a signal). Segment number
    ``row * parts + part``."""

    edges: NDArray[np.int64]
    rows: NDArray[np.int64]

    @property
    def parts(self) -> int:
        """Segments of each lead."""
        return len(self.edges) - 1

    @property
    def count(self) -> int:
        """Segments in all."""
        return self.parts * len(self.rows)


def lime(
    predictor: Predictor,
    recording: Recording,
    code: str,
    label_set: LabelSetName | None = None,
    *,
    seed: int = 0,
    copies: int = COPIES,
    segment_seconds: float = SEGMENT_SECONDS,
) -> Explanation:
    """LIME of one label, signed, at ``HEAT_RATE``; ``peak`` is in log-odds.

    The same ``seed`` gives the same map. A map that is chance (reliability under ``RELIABLE``)
    comes back empty, with a note that says so. Raises ExplanationError for a label without an
    answer, UnfitRecordingError for a recording that the model refuses, ValueError for too few
    copies or too short segments.
    """
    if copies < FEWEST_COPIES or not segment_seconds >= SHORTEST_SEGMENT:
        raise ValueError(
            f"{copies} copies with segments of {segment_seconds} s; "
            f"at least {FEWEST_COPIES} copies and {SHORTEST_SEGMENT} s are needed"
        )
    card = predictor.card
    target = label_target(card, code, label_set)
    prepared = prepare(recording, card.spec)
    segments = cut(prepared, card.spec, segment_seconds)
    kept = draw_masks(segments.count, copies, seed)
    held = predictor.holding(prepared.aside)
    answers = _answers(held, prepared.values, segments, kept, target)
    weights, agreement = fit_weights(kept, answers), reliability(kept, answers)
    least = _LEAST_PEAK if agreement >= RELIABLE else np.inf
    heat, peak = scaled_by_peak(_spread(weights, segments, prepared, card.spec), least)
    return Explanation(
        model=card.name,
        label=code,
        method=METHOD,
        leads=card.spec.leads,
        heat=heat,
        sampling_rate=HEAT_RATE,
        start=prepared.start,
        per_lead=True,
        signed=True,
        peak=peak,
        note=_note(code, float(np.abs(weights).max()), agreement),
    )


def cut(prepared: Prepared, spec: InputSpec, segment_seconds: float) -> Segments:
    """Equal segments of about ``segment_seconds`` over the recorded part; flat leads have none."""
    recorded = min(round(prepared.seconds * spec.sampling_rate), spec.samples)
    parts = max(1, round(prepared.seconds / segment_seconds))
    edges = np.linspace(0, recorded, parts + 1).round().astype(np.int64)
    return Segments(edges, np.flatnonzero(~silent_leads(prepared)))


def draw_masks(count: int, copies: int, seed: int) -> NDArray[np.bool_]:
    """Which segments each copy keeps, (copies, count); the first copy keeps all."""
    random = np.random.default_rng(seed)
    kept = random.random((copies, count)) < KEPT
    kept[0] = True
    return kept


def masked(
    values: NDArray[np.float32], segments: Segments, kept: NDArray[np.bool_]
) -> NDArray[np.float32]:
    """Copies (copies, leads, samples) of one input with the segments not ``kept`` set to 0."""
    copies = np.repeat(values[None], len(kept), axis=0)
    lengths = np.diff(segments.edges)
    by_lead = kept.reshape(len(kept), len(segments.rows), segments.parts)
    recorded = np.repeat(by_lead, lengths, axis=2)
    copies[:, segments.rows, : segments.edges[-1]] *= recorded
    return copies


def fit_weights(kept: NDArray[np.bool_], answers: NDArray[np.floating]) -> NDArray[np.float64]:
    """Weight of each segment, (count,): a ridge regression, near copies first."""
    from lime.lime_base import LimeBase

    def closeness(distances: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.sqrt(np.exp(-(distances**2) / KERNEL_WIDTH**2))

    cosine_distances = 1.0 - np.sqrt(kept.mean(axis=1))
    _, explained, _, _ = LimeBase(closeness, random_state=0).explain_instance_with_data(
        kept.astype(np.float64),
        np.asarray(answers, dtype=np.float64)[:, None],
        cosine_distances,
        label=0,
        num_features=kept.shape[1],
        feature_selection="none",
    )
    weights = np.zeros(kept.shape[1])
    for segment, weight in explained:
        weights[segment] = weight
    return weights


def reliability(kept: NDArray[np.bool_], answers: NDArray[np.floating]) -> float:
    """How far the weights would come out again from other copies: 1 wholly, 0 by chance.

    The correlation of the weights from two halves of the copies, stepped up to all of them
    (Spearman 1910, Brown 1910). 0 where a half has no spread.
    """
    halves = [fit_weights(kept[half::2], answers[half::2]) for half in (0, 1)]
    if min(half.std() for half in halves) < _LEAST_PEAK / 100:
        return 0.0
    correlation = max(float(np.corrcoef(halves[0], halves[1])[0, 1]), 0.0)
    return 2 * correlation / (1 + correlation)


def _answers(
    predictor: Predictor,
    values: NDArray[np.float32],
    segments: Segments,
    kept: NDArray[np.bool_],
    target: int,
) -> NDArray[np.float32]:
    """The label's log-odds for each copy, a batch at a time to bound memory."""
    parts = [
        label_log_odds(predictor, masked(values, segments, kept[first : first + _BATCH]), target)
        for first in range(0, len(kept), _BATCH)
    ]
    return np.concatenate(parts)


def _spread(
    weights: NDArray[np.float64], segments: Segments, prepared: Prepared, spec: InputSpec
) -> NDArray[np.float64]:
    """Weights of segments to (leads, samples) at ``HEAT_RATE``."""
    # The nearest input sample, not the one before: 0.29 s at 100 Hz must not fall to sample 28.
    samples = np.round(heat_times(prepared) * spec.sampling_rate)
    part = np.searchsorted(segments.edges, samples, side="right") - 1
    raw = np.zeros((len(spec.leads), len(samples)))
    by_lead = weights.reshape(len(segments.rows), segments.parts)
    raw[segments.rows] = by_lead[:, np.clip(part, 0, segments.parts - 1)]
    return raw


def _note(code: str, strongest: float, agreement: float) -> str:
    if not strongest > _LEAST_PEAK:
        return f"Flattening segments did not change the answer for {code}: nothing to show."
    if agreement < RELIABLE:
        return (
            f"No map for {code}: two halves of the flattened copies disagree (reliability "
            f"{agreement:.2f}, at least {RELIABLE} is needed), so that it would show chance."
        )
    return (
        f"How much each segment speaks for (+) or against (-) {code}: the strongest changes the "
        f"odds {np.exp(strongest):.3g}-fold. Judged on copies with segments flattened, which are "
        f"unlike any ECG; reliability over copies {agreement:.2f}."
    )
