"""What the label quality page asks for: the store, the evidence and the queue, each kept once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, partial
from threading import Lock

from ecgcore.label_evidence import EvidenceBook
from ecgcore.label_gathering import Gatherer
from ecgcore.label_queue import QueueItem, judged, queue_items
from ecgcore.recording import Recording, RecordingError
from ecgcore.review.imported_issues import imported_issues
from ecgcore.review.people import Role
from ecgcore.review.rounds import Assignment, assignments
from ecgcore.review.store import FiledLabels, KnownRecording, ReviewStore
from ecgcore.review.suspicion import Suspicion
from ecgcore.review.values import Review
from ecgcore.review_work import LABEL_SET, open_store
from ecgcore.ui import services
from ecgcore.ui.memory import Memory
from ecgcore.workspace import Entry

EVIDENCE_MODELS = ("lightbox", "mvkt_teacher")
"""Whose answers are held against the labels: the best, and one of another kind."""

_LOOKING = Lock()
Judged = dict[str, tuple[Suspicion | None, float | None]]


@cache
def _stores() -> Memory[ReviewStore]:
    return Memory(2)


@cache
def _judgements() -> Memory[Judged]:
    return Memory(4)


@cache
def _seen_reviews() -> dict[str, tuple[Review, ...]]:
    return {}


@cache
def _books() -> Memory[EvidenceBook]:
    return Memory(2)


def store() -> ReviewStore:
    """The review store of the workspace, opened once a server. Raises StoreError."""
    here = services.workspace()
    return _stores().get(here.root, lambda: open_store(here))


@cache
def gatherer() -> Gatherer:
    """Who gathers evidence: one a server."""
    return Gatherer()


def evidence_models() -> tuple[str, ...]:
    """Those of EVIDENCE_MODELS that are installed, else the first two models that are."""
    installed = services.model_names()
    return tuple(name for name in EVIDENCE_MODELS if name in installed) or installed[:2]


def book() -> EvidenceBook:
    """The evidence gathered so far."""
    folder = services.workspace().root / "evidence"
    models = evidence_models()
    key = (folder, models, tuple(services.version(name) for name in models))
    return _books().get(key, lambda: EvidenceBook(folder, models))


@dataclass(frozen=True)
class Work:
    """Everything that the page shows of the labelling work, as of one moment, for one person."""

    person: str
    items: tuple[QueueItem, ...]
    reviews: tuple[Review, ...]
    assignments: tuple[Assignment, ...]
    filed: dict[str, FiledLabels]
    unasked: tuple[str, ...]
    entries: dict[str, Entry]
    role: Role

    def item(self, recording: str | None) -> QueueItem | None:
        """The item of a recording, or None."""
        return next((one for one in self.items if one.recording == recording), None)

    def reviews_of(self, recording: str) -> tuple[Review, ...]:
        """All reviews of a recording."""
        return tuple(one for one in self.reviews if one.decision.recording == recording)

    def recording(self, key: str) -> Recording | None:
        """A recording by its content, or None where the workspace has it no more."""
        entry = self.entries.get(key)
        if entry is None:
            return None
        try:
            return services.open_recording(entry)
        except RecordingError:
            return None


def work(person: str) -> Work:
    """The labelling work as this person meets it. Raises Forbidden, StoreError."""
    kept = store()
    recordings, filed = kept.recordings(person), kept.filed(person, LABEL_SET)
    reviews = _reviews(kept, person)
    given = assignments(kept, person, LABEL_SET)
    told = book()
    keys = tuple(sorted(recordings))
    held_back = gatherer().held_back()
    missing = {*told.missing(keys), *held_back}
    unasked = tuple(key for key in keys if key in missing)
    asked = tuple(sorted(set(keys) - set(unasked)))
    identity = (kept.database.name, asked, tuple(sorted((k, v.codes) for k, v in filed.items())))
    found = _judgements().get(identity, lambda: _judge(told, filed, asked, recordings))
    items = queue_items(
        person,
        recordings=recordings,
        filed=filed,
        reviews=reviews,
        assignments=given,
        found=found,
        imported=imported_issues(kept, person),
    )
    role = kept.role_of(person)
    return Work(person, items, reviews, given, filed, unasked, _entries(), role)


def _judge(
    told: EvidenceBook,
    filed: dict[str, FiledLabels],
    asked: tuple[str, ...],
    recordings: dict[str, KnownRecording],
) -> Judged:
    names = {key: one.name for key, one in recordings.items()}
    return judged(told, filed, asked, names) if asked else {}


def _reviews(kept: ReviewStore, person: str) -> tuple[Review, ...]:
    """All reviews: nothing kept ever changes, so that only those since the last look are read."""
    known = _seen_reviews()
    with _LOOKING:
        before = known.get(kept.database.name, ())
        newer = kept.reviews(person, LABEL_SET, after=before[-1].number if before else 0)
        known[kept.database.name] = (*before, *newer)
        return known[kept.database.name]


def _entries() -> dict[str, Entry]:
    """The work list's entries by the content of their recordings."""
    listing = services.workspace().listing(seconds=2.0)
    return {
        entry.summary.sha256: entry
        for entry in listing.entries
        if entry.summary is not None and entry.summary.sha256
    }


def gather(entries: dict[str, Entry]) -> None:
    """Have models and criteria asked of recordings, beside the page."""
    readers = {key: partial(services.open_recording, entry) for key, entry in entries.items()}
    gatherer().start(book(), readers)
