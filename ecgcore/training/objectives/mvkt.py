"""MVKT-ECG's loss (Qin et al. 2023, Equation 9): BCE + 1.0 MKD + 0.8 CLT."""

from __future__ import annotations

from ecgcore.models.network import Network
from ecgcore.training.objectives.distilled import Distilled, Lesson
from ecgcore.training.objectives.lead_transfer import LeadTransfer, LeadTransferOptions
from ecgcore.training.objectives.soft_targets import (
    TEMPERATURE,
    MultilabelDistillation,
    SoftmaxDistillation,
)
from ecgcore.training.objectives.teacher import FrozenTeacher

MKD_WEIGHT, CLT_WEIGHT = 1.0, 0.8
"""alpha and beta (3.5)."""


class MvktLoss(Distilled):
    """Labels, multi-label distillation of answers, contrastive transfer of features.

    ``records`` is the number of training records. The ablations of Tables 5 and 6: a weight of 0
    leaves a part out; ``classical`` takes the softmax over all classes instead of MKD. Answers
    are softened by ``temperature``.
    """

    def __init__(
        self,
        student: Network,
        teacher: FrozenTeacher,
        records: int,
        *,
        mkd: float = MKD_WEIGHT,
        clt: float = CLT_WEIGHT,
        classical: bool = False,
        temperature: float = TEMPERATURE,
        transfer: LeadTransferOptions | None = None,
    ) -> None:
        if mkd < 0 or clt < 0:
            raise ValueError(f"weights {mkd} of MKD and {clt} of CLT; give 0 or more")
        lessons: list[tuple[float, Lesson]] = []
        if mkd:
            answers = SoftmaxDistillation if classical else MultilabelDistillation
            lessons.append((mkd, answers(temperature)))
        if clt:
            sizes = student.head.in_features, teacher.network.head.in_features
            lessons.append((clt, LeadTransfer(*sizes, records, transfer)))
        super().__init__(student, teacher, lessons)
