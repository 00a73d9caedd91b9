"""CLT, contrastive lead-information transferring (Qin et al. 2023, MVKT-ECG, 3.3.1).

Student and teacher are each projected by an MLP of two dense layers to unit vectors of 128 numbers
(Equation 3); the two of one record are drawn together, those of different records apart, with the
student and with the teacher as anchor. Both projections are trained.

Equation 6 writes a softmax over the pairs. The authors' published program minimises noise-
contrastive estimation against a memory of all training records instead, which the text describes
too; that is done here, see ``contrastive_memory``. Settled: the program has one dense layer, the
paper's two are taken, with a ReLU between and 128 hidden units; momentum 0.5 is the program's.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from ecgcore.training.objectives.contrastive_memory import ContrastiveMemory, contrastive_loss
from ecgcore.training.objectives.distilled import Lesson
from ecgcore.training.objectives.projection import Projection
from ecgcore.training.objectives.watched import Seen


@dataclass(frozen=True)
class LeadTransferOptions:
    """Size of the projections, negatives a record, temperature, momentum of the memory, seed of the
    memory and of the draws.
    """

    size: int = 128
    negatives: int = 1024
    temperature: float = 0.07
    momentum: float = 0.5
    seed: int = 0


class LeadTransfer(Lesson):
    """The two projections, the memory and the loss.

    ``records`` is the number of training records, which ``rows`` of a step number from 0.
    """

    def __init__(
        self,
        student_features: int,
        teacher_features: int,
        records: int,
        options: LeadTransferOptions | None = None,
    ) -> None:
        super().__init__()
        chosen = options or LeadTransferOptions()
        self.student = Projection(student_features, chosen.size)
        self.teacher = Projection(teacher_features, chosen.size)
        self.memory = ContrastiveMemory(
            records,
            chosen.size,
            negatives=chosen.negatives,
            temperature=chosen.temperature,
            momentum=chosen.momentum,
            seed=chosen.seed,
        )

    def forward(self, student: Seen, teacher: Seen, rows: Tensor) -> Tensor:
        """The scalar, the sum over both anchors; only the features are used."""
        projected = self.student(student.features), self.teacher(teacher.features)
        anchored_student, anchored_teacher = self.memory(*projected, rows)
        return contrastive_loss(anchored_student) + contrastive_loss(anchored_teacher)
