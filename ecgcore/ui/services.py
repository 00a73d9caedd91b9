"""What the pages ask for, computed once and kept in bounded memory.

Everything is kept by the content of the recording (its sha256), never by its name. Networks are
loaded when a model is first asked, so that the first page loads no torch.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache, lru_cache
from time import sleep
from typing import TYPE_CHECKING, TypeVar

from ecgcore.explain import methods
from ecgcore.explain.explanation import Explanation, LeadTopography
from ecgcore.explain.measured_effects import (
    MeasuredEffects,
    has_measured_effects,
    measured_effects,
)
from ecgcore.explain.methods import METHODS, explain
from ecgcore.explain.target import ExplanationError
from ecgcore.explain.topography import has_topography, lead_topography
from ecgcore.labels import LabelSetName
from ecgcore.models.card import CardError, load_card, trained_models
from ecgcore.models.chosen_thresholds import model_version
from ecgcore.models.input_spec import Prepared, prepare
from ecgcore.models.prediction import Prediction
from ecgcore.readers.stated import Stated
from ecgcore.recording import Recording, RecordingError, complete_limb_leads
from ecgcore.recording_index import file_stamp
from ecgcore.signal.delineation import DEFAULT_METHOD
from ecgcore.signal.quality import QualityWarning, assess
from ecgcore.ui import readings
from ecgcore.ui.memory import Memory
from ecgcore.workspace import Entry, Workspace

if TYPE_CHECKING:
    from ecgcore.models.predictor import Predictor

Answer = TypeVar("Answer")
# A network that works beside the browser slows its painting on a small computer.
_PAINTING_SECONDS = 0.3
Label = tuple[LabelSetName, str]  # a code is unique within its set of labels only

__all__ = [
    "METHODS",
    "Declined",
    "Label",
    "effects",
    "explanation",
    "first_method",
    "has_explanation",
    "has_prediction",
    "memories",
    "mixes_leads",
    "model_names",
    "open_recording",
    "prediction",
    "prefetch",
    "quality",
    "topography",
    "version",
    "warm_up",
    "why_no_model",
    "workspace",
]


@dataclass(frozen=True)
class Declined:
    """Why a model does not answer or explain, as a sentence for the reader."""

    sentence: str


@dataclass(frozen=True)
class _Memories:
    """One of each a server; the sizes hold a few megabytes each (a recording is about 0.25 MB)."""

    recordings: Memory[Recording] = field(default_factory=lambda: Memory(32))
    qualities: Memory[tuple[QualityWarning, ...]] = field(default_factory=lambda: Memory(64))
    predictors: Memory[Predictor] = field(default_factory=lambda: Memory(4))
    predictions: Memory[Prediction | Declined] = field(default_factory=lambda: Memory(128))
    explanations: Memory[Explanation | Declined] = field(default_factory=lambda: Memory(16))
    effects: Memory[MeasuredEffects | Declined] = field(default_factory=lambda: Memory(128))
    prepared: Memory[Prepared] = field(default_factory=lambda: Memory(16))
    wanted: list[Entry | None] = field(default_factory=lambda: [None])
    topographies: Memory[LeadTopography] = field(default_factory=lambda: Memory(4))


@cache
def memories() -> _Memories:
    """The memories of this server."""
    return _Memories()


@cache
def _background() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=1, thread_name_prefix="prefetch")


def workspace() -> Workspace:
    """The workspace that the environment names."""
    return Workspace.from_environment()


def open_recording(entry: Entry) -> Recording:
    """A recording of the work list with its computable limb leads. Raises RecordingError."""
    here = workspace()
    stated = here.stated(entry)
    try:
        stamp = file_stamp(entry.path)
    except OSError as gone:
        raise RecordingError(
            f"the file of {entry.name} cannot be opened ({gone.strerror})",
            "a file that is there and may be read",
            "put it back, or go to the work list and open another",
        ) from gone
    key = (str(entry.path), stamp, stated)
    return memories().recordings.get(
        key, lambda: complete_limb_leads(here.read(entry, stated or Stated()))
    )


def quality(recording: Recording) -> tuple[QualityWarning, ...]:
    """What the quality gate says of a recording."""
    key = (recording.source.identity, recording.sampling_rate)
    return memories().qualities.get(key, lambda: assess(recording))


def model_names() -> tuple[str, ...]:
    """The trained models that are installed, that which answers for most labels first; loads no
    torch.
    """
    try:
        names = trained_models()
    except CardError:
        return ()  # why_no_model says it
    return tuple(sorted(names, key=lambda name: (-_labels_answered(name, version(name)), name)))


def why_no_model() -> str:
    """A sentence for a page on which no model can be chosen."""
    try:
        trained_models()
    except CardError as error:
        return str(error)
    return "No trained model is on the review page; publish one on the Models page."


@lru_cache(maxsize=256)
def _labels_answered(name: str, of_version: str) -> int:
    """0 for a damaged card: the page says what is wrong when the model is asked."""
    try:
        return sum(label.answered for label in load_card(name).labels)
    except CardError:
        return 0


def version(model: str) -> str:
    """What a model is now: one published under its name later, or asked with other thresholds, has
    another, and is never answered for by this one."""
    try:
        return model_version(model)
    except CardError:
        return ""


def _predictor(model: str) -> Predictor:
    from ecgcore.models.predictor import load_predictor

    return memories().predictors.get((model, version(model)), lambda: load_predictor(model))


def _identity(model: str, recording: Recording) -> tuple[str, str, str, float]:
    return (model, version(model), recording.source.identity, recording.sampling_rate)


def has_prediction(model: str, recording: Recording) -> bool:
    """Whether a model's answer is there without computing."""
    return _identity(model, recording) in memories().predictions


def prediction(model: str, recording: Recording) -> Prediction | Declined:
    """A model's answer, or why it does not answer (a lead is missing, the recording too short)."""

    def compute() -> Prediction | Declined:
        return _or_declined(lambda: _predictor(model).predict(recording, readings.known(recording)))

    return memories().predictions.get(_identity(model, recording), compute)


def explanation(
    model: str, recording: Recording, label: Label, method: str
) -> Explanation | Declined:
    """Where the model found its evidence for a label, by one of ``METHODS``."""

    def compute() -> Explanation | Declined:
        label_set, code = label
        return _or_declined(lambda: explain(method, _predictor(model), recording, code, label_set))

    key = (*_identity(model, recording), label, method)
    return memories().explanations.get(key, compute)


def effects(model: str, recording: Recording, label: Label) -> MeasuredEffects | Declined | None:
    """What the measured values did to a label's answer; None for a model that is told none."""
    try:
        card = load_card(model)
    except CardError as refusal:
        return Declined(str(refusal))
    if not has_measured_effects(card):
        return None
    here = _identity(model, recording)

    def compute() -> MeasuredEffects:
        label_set, code = label
        prepared = memories().prepared.get(here, lambda: prepare(recording, card.spec))
        return measured_effects(_predictor(model), prepared, code, label_set)

    return memories().effects.get((*here, label), lambda: _or_declined(compute))


def first_method(model: str) -> str:
    """The explaining method to offer first for a model."""
    try:
        return methods.default_method(load_card(model))
    except CardError:
        return next(iter(METHODS))


def has_explanation(model: str, recording: Recording, label: Label, method: str) -> bool:
    """Whether an explanation is there without computing."""
    return (*_identity(model, recording), label, method) in memories().explanations


def mixes_leads(model: str) -> bool:
    """Whether a model's network mixes the leads into augmented ones (ECGencode does)."""
    try:
        return has_topography(load_card(model))
    except CardError:
        return False


def topography(model: str) -> LeadTopography:
    """The weights of each lead in each augmented lead of such a network."""
    key = (model, version(model))
    return memories().topographies.get(key, lambda: lead_topography(_predictor(model)))


def prefetch(entry: Entry, model: str | None) -> None:
    """Have the next recording ready before it is asked for, beside the page and not in its way."""
    memories().wanted[0] = entry
    _background().submit(_fetch, entry, model)


def warm_up(entry: Entry) -> None:
    """Prefetch what may be opened first, and so import what the first paper of a server needs."""
    prefetch(entry, None)


def _fetch(entry: Entry, model: str | None) -> None:
    """Read, check and ask; a model only if it is loaded already. Errors are shown when opened."""
    sleep(_PAINTING_SECONDS)
    if memories().wanted[0] is not entry:
        return  # the reader has gone on
    try:
        recording = open_recording(entry)
    except RecordingError:
        return
    quality(recording)
    readings.verdict(recording)
    readings.lead_mistake(recording)
    readings.measurements(recording, DEFAULT_METHOD)
    if model is not None and (model, version(model)) in memories().predictors:
        prediction(model, recording)


def _or_declined(ask: Callable[[], Answer]) -> Answer | Declined:
    try:
        return ask()
    except (RecordingError, CardError, ExplanationError) as refusal:
        return Declined(str(refusal))
