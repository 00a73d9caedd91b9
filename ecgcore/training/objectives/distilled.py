"""A student's loss: that of its labels, plus lessons from a frozen teacher, each with a weight."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from ecgcore.models.network import Network
from ecgcore.training.distributed import Workers
from ecgcore.training.objectives.labels import Objective, binary_cross_entropy
from ecgcore.training.objectives.step import Step, StepObjective
from ecgcore.training.objectives.teacher import FrozenTeacher
from ecgcore.training.objectives.watched import Seen, Watched


class Lesson(nn.Module):
    """One way in which a student is told to be like its teacher.

    Its parameters are trained with the student's, its buffers kept in checkpoints.
    """

    def forward(self, student: Seen, teacher: Seen, rows: Tensor) -> Tensor:
        """A scalar, from one pass of each over the same records, numbered by ``rows`` (batch,)."""
        raise TypeError(f"{type(self).__name__} teaches nothing")


class Distilled(StepObjective):
    """``labels`` plus weight times lesson, for each of ``lessons``.

    Hooks are set on ``student``, the network that will be trained; see ``watched``.
    """

    def __init__(
        self,
        student: Network,
        teacher: FrozenTeacher,
        lessons: Sequence[tuple[float, Lesson]],
        labels: Objective = binary_cross_entropy,
    ) -> None:
        super().__init__()
        self.watched = Watched(student)
        self.teacher = teacher
        self.weights = tuple(weight for weight, _ in lessons)
        self.lessons = nn.ModuleList(lesson for _, lesson in lessons)
        self.labels = labels

    def share(self, workers: Workers) -> None:
        """Student and teacher each see their part, and what they saw is gathered."""
        self.watched.workers = workers
        self.teacher.share(workers)

    def forward(self, step: Step) -> Tensor:
        """The loss of a step, asked right after the student's pass."""
        if step.network is not self.watched.network:
            raise ValueError("the objective was made for another network than the one trained")
        student = self.watched.seen(step.logits)
        teacher = self.teacher(step.whole, step.aside)
        loss = self.of_labels(step.logits, step.targets)
        for weight, lesson in zip(self.weights, self.lessons, strict=True):
            loss = loss + weight * lesson(student, teacher, step.rows)
        return loss

    def of_labels(self, logits: Tensor, targets: Tensor) -> Tensor:
        """The labels' part."""
        return self.labels(logits, targets)
