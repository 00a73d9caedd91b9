"""The queue of labels to look at: which recordings, in which order, with what known of each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from ecgcore.label_evidence import EvidenceBook
from ecgcore.labels import statements
from ecgcore.review.imported_issues import ImportedIssue
from ecgcore.review.rounds import Assignment, by_recording
from ecgcore.review.standing import Standing, current, standing
from ecgcore.review.store import FiledLabels, KnownRecording
from ecgcore.review.suspicion import Evidence, Suspicion, suspicions
from ecgcore.review.values import Review
from ecgcore.review_work import sayable

Order = Literal["most suspicious", "most uncertain", "lowest imported score", "by name"]
Part = Literal["to do", "disputed", "decided", "all"]
ORDERS: tuple[Order, ...] = get_args(Order)
PARTS: tuple[Part, ...] = get_args(Part)


@dataclass(frozen=True)
class QueueItem:
    """One recording: its labels on file (None: none), where its reviews stand, whether this person
    was asked to read it and has decided, and what makes its label suspicious.

    ``uncertainty`` is the mean entropy (bits) of the models' answers; None without any.
    ``imported`` is what another program found about its labels.
    """

    recording: str
    name: str
    filed: tuple[str, ...] | None
    standing: Standing
    assigned: bool = False
    decided: bool = False
    suspicion: Suspicion | None = None
    uncertainty: float | None = None
    imported: ImportedIssue | None = None

    @property
    def independent(self) -> bool:
        """Whether this person was asked to read it without being told of others, and has not."""
        return self.assigned and not self.decided

    @property
    def to_do(self) -> bool:
        """Whether this person has something to decide here."""
        return not self.decided if self.assigned else self.standing.state == "undecided"


def queue_items(
    person: str,
    *,
    recordings: Mapping[str, KnownRecording],
    filed: Mapping[str, FiledLabels],
    reviews: Iterable[Review],
    assignments: Iterable[Assignment],
    found: Mapping[str, tuple[Suspicion | None, float | None]],
    imported: Mapping[str, ImportedIssue] | None = None,
) -> tuple[QueueItem, ...]:
    """Every recording of the store as this person meets it."""
    told = by_recording(reviews)
    asked = {one.recording for one in assignments if one.reviewer == person}
    items = []
    for key, known in recordings.items():
        own = [one for one in current(told.get(key, ())) if one.reviewer == person]
        suspicion, uncertainty = found.get(key, (None, None))
        items.append(
            QueueItem(
                key,
                known.name,
                filed[key].codes if key in filed else None,
                standing(told.get(key, ())),
                key in asked,
                bool(own),
                suspicion,
                uncertainty,
                (imported or {}).get(key),
            )
        )
    return tuple(items)


def ordered(
    items: Iterable[QueueItem], order: Order, part: Part, label: str | None = None
) -> tuple[QueueItem, ...]:
    """Those of a part of the work, in an order; with a ``label`` those that it concerns: on file,
    settled, or suspected, by how suspicious it is there."""
    kept = [one for one in items if _is_in(one, part) and (not label or _concerns(one, label))]

    def rank(item: QueueItem) -> tuple[float, str, str]:
        value: float | None = None
        if order == "most suspicious":
            value = _suspicion(item, label)
        elif order == "most uncertain":
            value = item.uncertainty
        elif order == "lowest imported score":
            value = _imported_doubt(item)
        return (-(value if value is not None else -1.0), item.name, item.recording)

    return tuple(sorted(kept, key=rank))


def _imported_doubt(item: QueueItem) -> float | None:
    """1 for the lowest score, 0 for the highest; an issue without a score stands between."""
    if item.imported is None:
        return None
    issue = item.imported.issue
    return 1 - issue.score if issue.score is not None else 0.5 * issue.is_issue


def _is_in(item: QueueItem, part: Part) -> bool:
    if part == "to do":
        return item.to_do
    if part == "disputed":
        return item.standing.state == "disputed"
    return part == "all" or (item.decided if item.assigned else item.standing.state != "undecided")


def _concerns(item: QueueItem, label: str) -> bool:
    suspected = item.suspicion is not None and any(
        one.code == label and one.reasons for one in item.suspicion.labels
    )
    return label in (item.filed or ()) or label in item.standing.codes or suspected


def _suspicion(item: QueueItem, label: str | None) -> float | None:
    if item.suspicion is None or label is None:
        return None if item.suspicion is None else item.suspicion.score
    return next((one.score for one in item.suspicion.labels if one.code == label), None)


def judged(
    book: EvidenceBook,
    filed: Mapping[str, FiledLabels],
    recordings: Sequence[str],
    names: Mapping[str, str] | None = None,
) -> dict[str, tuple[Suspicion | None, float | None]]:
    """How suspicious and how uncertain each recording is; those without labels on file are only
    uncertain. ``names`` are what reasons call the recordings, by their hash."""
    probabilities = book.probabilities(recordings)
    uncertain = _entropy(np.stack(list(probabilities.values()))) if probabilities else None
    found: dict[str, tuple[Suspicion | None, float | None]] = {
        key: (None, _number(uncertain, at)) for at, key in enumerate(recordings)
    }
    with_labels = [key for key in recordings if key in filed]
    if with_labels and probabilities:
        for suspicion in suspicions(evidence_of(book, filed, with_labels, names)):
            key = with_labels[suspicion.index]
            found[key] = (suspicion, found[key][1])
    return found


def evidence_of(
    book: EvidenceBook,
    filed: Mapping[str, FiledLabels],
    recordings: Sequence[str],
    names: Mapping[str, str] | None = None,
) -> Evidence:
    """What is known of the labels of recordings that have some on file, in their order."""
    labels = statements()
    given = np.array(
        [[label.code in filed[key].codes for label in labels] for key in recordings], dtype=bool
    )
    sayable_codes = [sayable(filed[key].origin) for key in recordings]
    sentences = {
        (at, label.code): sentence
        for at, key in enumerate(recordings)
        for label in labels
        if (sentence := book.rule_sentence(key, label.code))
    }
    return Evidence(
        labels=labels,
        given=given,
        known=np.array([[label.code in said for label in labels] for said in sayable_codes]),
        probabilities=book.probabilities(recordings),
        rules=book.rules(recordings),
        sentences=sentences,
        duplicates=book.same_tracings(recordings),
        names=tuple((names or {}).get(key, key[:12]) for key in recordings),
        keys=tuple(recordings),
    )


def _entropy(told: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> np.ndarray:
    """Mean entropy (bits) over labels of the models' mean answer, (models, recordings, labels)."""
    answered = np.isfinite(told)
    counts = answered.sum(axis=0)
    mean = np.where(answered, told, 0).sum(axis=0) / np.maximum(counts, 1)
    sure = np.clip(mean, 1e-6, 1 - 1e-6)
    bits = -(sure * np.log2(sure) + (1 - sure) * np.log2(1 - sure))
    known = counts > 0
    totals = known.sum(axis=1)
    return np.where(
        totals > 0, np.where(known, bits, 0).sum(axis=1) / np.maximum(totals, 1), np.nan
    )


def _number(values: np.ndarray | None, at: int) -> float | None:
    return None if values is None or not np.isfinite(values[at]) else float(values[at])
