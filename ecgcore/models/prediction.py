"""What a model says about a recording."""

from __future__ import annotations

from dataclasses import dataclass

from ecgcore.labels import LabelSetName


@dataclass(frozen=True)
class LabelPrediction:
    """One label's answer; ``code`` is unique within its ``set`` of labels.

    ``probability`` is None, with the ``reason``, where the model does not answer for the label (too
    few positives to learn it). ``threshold`` is the probability from which the label is positive;
    ``threshold_origin`` is told where a person has set it, else it is the prediction's.
    """

    code: str
    description: str
    set: LabelSetName
    probability: float | None
    threshold: float | None
    reason: str | None = None
    threshold_origin: str | None = None

    @property
    def positive(self) -> bool | None:
        """Whether the probability reaches the threshold; None where there is none."""
        if self.probability is None or self.threshold is None:
            return None
        return self.probability >= self.threshold


@dataclass(frozen=True)
class Prediction:
    """A model's answer to one recording, its labels in the model's order.

    ``threshold_origin`` says how the thresholds were chosen; ``start`` and ``seconds`` are the part
    of the recording that the model saw; ``milliseconds`` is the time of preparing and inference.
    ``warnings`` say what the model saw otherwise than it was trained, ``doubts`` why its answers
    must not be relied on (see ``models.trust``). ``by_shape`` are the codes of what is defined by
    voltages, which the model does not see (see ``models.voltages``).
    """

    model: str
    labels: tuple[LabelPrediction, ...]
    threshold_origin: str
    start: float
    seconds: float
    device: str
    milliseconds: float
    warnings: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
    by_shape: tuple[str, ...] = ()

    @property
    def by_shape_words(self) -> str:
        """What a reader of the answers is told of ``by_shape``; nothing where there are none."""
        if not self.by_shape:
            return ""
        codes = ", ".join(self.by_shape)
        return f"No voltages are seen: {codes} by shape alone; compare the voltage criteria."

    def label(self, code: str) -> LabelPrediction:
        """The answer for one label; KeyError names the known codes."""
        for answer in self.labels:
            if answer.code == code:
                return answer
        known = ", ".join(answer.code for answer in self.labels)
        raise KeyError(f"model {self.model!r} has no label {code!r}; known: {known}")
