"""Hints: a student's feature map regressed on its teacher's (Romero et al. 2015, FitNets).

The maps are the outputs of both networks' ``cam_layer``. A 1 x 1 convolution takes the student's
channels to the teacher's number, the student's times are interpolated to the teacher's, and the
mean squared error is minimised (the publication's half squared norm, a mean for its sum so that the
weight does not hang on the size of the map).

``fitnet_loss`` is the comparison KD + FitNet of MVKT-ECG's Table 1. Settled, as that paper gives
neither layer nor weight: the hint is learnt together with the labels and the answers, not in a
stage of its own, with the weight 100 of the benchmark of distillation that the authors' program
grew from (Tian, Krishnan and Isola 2020).
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from ecgcore.models.network import Network
from ecgcore.training.objectives.distilled import Distilled, Lesson
from ecgcore.training.objectives.soft_targets import SoftmaxDistillation
from ecgcore.training.objectives.teacher import FrozenTeacher
from ecgcore.training.objectives.watched import Seen, look

HINT_WEIGHT = 100.0


class Hints(Lesson):
    """The regressor and its error; channels as ``Seen.cam`` counts them."""

    def __init__(self, student_channels: int, teacher_channels: int) -> None:
        super().__init__()
        self.regressor = nn.Conv1d(student_channels, teacher_channels, 1)

    def forward(self, student: Seen, teacher: Seen, rows: Tensor) -> Tensor:
        """The scalar; only the maps are used."""
        regressed = self.regressor(student.cam.to(self.regressor.weight.dtype))
        return functional.mse_loss(
            at_times(regressed, teacher.cam.shape[-1]), teacher.cam.to(regressed.dtype)
        )


def at_times(map_: Tensor, times: int) -> Tensor:
    """(batch, channels, time) interpolated linearly to another number of times over the same
    duration.
    """
    if map_.shape[-1] == times:
        return map_
    return functional.interpolate(map_, size=times, mode="linear", align_corners=False)


def fitnet_loss(
    student: Network,
    teacher: FrozenTeacher,
    leads: int,
    samples: int,
    *,
    hints: float = HINT_WEIGHT,
) -> Distilled:
    """Labels, softened answers and hints. ``leads`` and ``samples`` are those of the student's
    inputs.
    """
    learnt = look(student, next(student.parameters()).new_zeros(2, leads, samples))
    loaded = max(teacher.rows) + 1
    taught = teacher(next(teacher.network.parameters()).new_zeros(2, loaded, samples))
    hinted = Hints(learnt.cam.shape[1], taught.cam.shape[1])
    return Distilled(student, teacher, [(1.0, SoftmaxDistillation()), (hints, hinted)])
