"""Distillation of answers: MVKT-ECG's for several labels at once, and the classical one.

``MultilabelDistillation`` (Qin et al. 2023, Equations 7 and 8): a class's answer is a distribution
over yes and no, the softmax of (p, 1 - p) / t of the probability p, and the student's is drawn to
the teacher's by KL(teacher || student), summed over classes, times t^2. The softmax is of the
probabilities, not of the logits, so that a distribution lies between sigma(-1/t) and sigma(1/t).

``SoftmaxDistillation`` (Hinton, Vinyals and Dean 2015): one softmax over all classes of logits / t,
the same KL, times t^2; the paper's comparison in Table 6.

Settled: both are a mean over records, which the papers leave open. The authors' published program
takes p / t without a softmax and averages over yes and no too; the paper's equations are followed.
"""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

from ecgcore.training.objectives.distilled import Lesson
from ecgcore.training.objectives.watched import Seen

TEMPERATURE = 1.5
"""Of both (Qin et al. 2023, 3.5)."""


class MultilabelDistillation(Lesson):
    """MKD: the teacher's yes and no of each class."""

    def __init__(self, temperature: float = TEMPERATURE) -> None:
        super().__init__()
        self.temperature = _checked(temperature)

    def forward(self, student: Seen, teacher: Seen, rows: Tensor) -> Tensor:
        """The scalar; only the logits are used."""
        _same_labels(student, teacher)
        # The softmax of (p, 1 - p) / t is the sigmoid of (2 p - 1) / t.
        taught = (2 * teacher.logits.sigmoid() - 1) / self.temperature
        learnt = (2 * student.logits.sigmoid() - 1) / self.temperature
        yes = taught.sigmoid() * (functional.logsigmoid(taught) - functional.logsigmoid(learnt))
        no = (-taught).sigmoid() * (functional.logsigmoid(-taught) - functional.logsigmoid(-learnt))
        return self.temperature**2 * (yes + no).sum(1).mean()


class SoftmaxDistillation(Lesson):
    """KL: the teacher's softmax over the classes."""

    def __init__(self, temperature: float = TEMPERATURE) -> None:
        super().__init__()
        self.temperature = _checked(temperature)

    def forward(self, student: Seen, teacher: Seen, rows: Tensor) -> Tensor:
        """The scalar; only the logits are used."""
        _same_labels(student, teacher)
        taught = functional.log_softmax(teacher.logits / self.temperature, dim=1)
        learnt = functional.log_softmax(student.logits / self.temperature, dim=1)
        divergence = functional.kl_div(learnt, taught, reduction="batchmean", log_target=True)
        return self.temperature**2 * divergence


def _checked(temperature: float) -> float:
    if not temperature > 0:
        raise ValueError(f"temperature {temperature}; must be above 0")
    return temperature


def _same_labels(student: Seen, teacher: Seen) -> None:
    if student.logits.shape != teacher.logits.shape:
        raise ValueError(
            f"the student has {student.logits.shape[1]} labels and the teacher "
            f"{teacher.logits.shape[1]}; both must answer the same"
        )
