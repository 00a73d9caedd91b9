"""The explaining methods by the names that people read. Importing this loads no torch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from ecgcore.explain import grad_cam as _grad_cam
from ecgcore.explain import hires_cam as _hires_cam
from ecgcore.explain import lime as _lime
from ecgcore.explain.explanation import Explanation
from ecgcore.explain.faithfulness import deletion_test, withheld
from ecgcore.explain.target import ExplanationError
from ecgcore.explain.topography import has_topography
from ecgcore.labels import LabelSetName
from ecgcore.models.card import ModelCard
from ecgcore.models.input_spec import prepare
from ecgcore.models.trust import require_heart
from ecgcore.recording import Recording

if TYPE_CHECKING:
    from ecgcore.models.predictor import Predictor

Method = Callable[["Predictor", Recording, str, LabelSetName | None], Explanation]

METHODS: dict[str, Method] = {
    _grad_cam.METHOD: _grad_cam.grad_cam,
    _hires_cam.METHOD: _hires_cam.hires_cam,
    _lime.METHOD: _lime.lime,
}
"""In the order in which they are offered."""


def default_method(card: ModelCard) -> str:
    """The method to offer first: Grad-CAM, but HiRes-CAM where Grad-CAM tested below chance.

    That is ECGencode, see ``grad_cam``.
    """
    return _hires_cam.METHOD if has_topography(card) else _grad_cam.METHOD


def explain(
    method: str,
    predictor: Predictor,
    recording: Recording,
    code: str,
    label_set: LabelSetName | None = None,
) -> Explanation:
    """Where a model found its evidence for a label, as a reader may see it.

    The map of a method of ``METHODS``, put to the deletion test: one that does not mark what the
    model used comes back empty, with a note that says so. Raises ExplanationError for an unknown
    method or a label without an answer, UnfitRecordingError for a recording that the model refuses
    to answer for.
    """
    if method not in METHODS:
        raise ExplanationError(f"unknown method {method!r}; known: {', '.join(METHODS)}")
    signal_alone = replace(predictor.card.spec, aside=())
    require_heart(recording, prepare(recording, signal_alone))
    found = METHODS[method](predictor, recording, code, label_set)
    return withheld(found, deletion_test(predictor, recording, found, label_set))
