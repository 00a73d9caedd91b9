"""Attention transfer (Zagoruyko and Komodakis 2017): look where the teacher looks.

A map's attention is the sum over its channels of the squared activations, one number a time,
divided by its Euclidean norm over time; the mean squared difference of both attentions is
minimised, as in the authors' published program (their equation has the norm of the difference).
The maps are the outputs of ``cam_layer``, and the student's times are interpolated to the
teacher's. Nothing is learnt beside the student, so any two networks fit.

``attention_loss`` is the comparison KD + AT of MVKT-ECG's Table 1, with the weight 1000 of the same
program.
"""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

from ecgcore.models.network import Network
from ecgcore.training.objectives.distilled import Distilled, Lesson
from ecgcore.training.objectives.hints import at_times
from ecgcore.training.objectives.soft_targets import SoftmaxDistillation
from ecgcore.training.objectives.teacher import FrozenTeacher
from ecgcore.training.objectives.watched import Seen

ATTENTION_WEIGHT = 1000.0


class AttentionTransfer(Lesson):
    """The squared difference of both attentions."""

    def forward(self, student: Seen, teacher: Seen, rows: Tensor) -> Tensor:
        """The scalar; only the maps are used."""
        times = teacher.cam.shape[-1]
        return functional.mse_loss(attention(student.cam, times), attention(teacher.cam, times))


def attention(map_: Tensor, times: int) -> Tensor:
    """(batch, channels, time) to (batch, times), each row of norm 1 (or 0 where nothing is
    active).
    """
    squares = map_.float().square().sum(1, keepdim=True)
    return functional.normalize(at_times(squares, times).squeeze(1), dim=1)


def attention_loss(
    student: Network, teacher: FrozenTeacher, *, attention: float = ATTENTION_WEIGHT
) -> Distilled:
    """Labels, softened answers and attention."""
    lessons = [(1.0, SoftmaxDistillation()), (attention, AttentionTransfer())]
    return Distilled(student, teacher, lessons)
