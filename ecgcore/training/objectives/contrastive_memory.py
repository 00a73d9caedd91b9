"""A memory of what student and teacher made of every training record, for contrastive losses.

Noise-contrastive estimation against a memory bank (Wu et al. 2018, Instance Discrimination), for
two networks (Tian, Krishnan and Isola 2020, Contrastive Representation Distillation). A record's
projection v is compared with the memory m of the other network: of the same record (the positive)
and of N others (the negatives). With n records the model's probability that m belongs to v is
P = exp(v m / t) / Z, that of noise is 1 / n, and the chance that a pair is no noise is
h = P / (P + N / n). Z is set once, from the first batch, to n times the mean of exp(v m / t), and
kept. ``forward`` gives logit(h) = v m / t - log Z - log(N / n), from which the loss follows without
forming a probability; the publication's 1e-7 in the denominator is then not needed.

Settled where MVKT-ECG leaves it open: negatives are drawn uniformly among the other records, with
replacement ("N samples are randomly selected"; the authors' program draws among those whose first
label differs, which several labels a record have no counterpart of). A record that a batch holds
twice moves its memory once, by the mean of its projections.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional


class ContrastiveMemory(nn.Module):
    """Two banks of (records, size), the constants Z, and the state of the random draws.

    All are buffers: a run that goes on from a checkpoint draws the very negatives that an
    uninterrupted one would have.
    """

    students: Tensor
    teachers: Tensor
    constants: Tensor
    draws: Tensor

    def __init__(
        self,
        records: int,
        size: int,
        *,
        negatives: int,
        temperature: float,
        momentum: float,
        seed: int,
    ) -> None:
        super().__init__()
        if records < 2 or negatives < 1:
            raise ValueError(f"{records} records, {negatives} negatives; give 2 and 1 or more")
        if not temperature > 0 or not 0 <= momentum < 1:
            raise ValueError(
                f"temperature {temperature}, momentum {momentum}; give one above 0 and one in 0..1 "
                "(1 excluded)"
            )
        self.negatives, self.temperature, self.momentum = negatives, temperature, momentum
        self.offset = math.log(negatives / records)
        generator = torch.Generator().manual_seed(seed)
        width = 1 / math.sqrt(size / 3)
        for bank in ("students", "teachers"):
            start = torch.rand(records, size, generator=generator)
            self.register_buffer(bank, (2 * start - 1) * width)
        self.register_buffer("constants", torch.zeros(2))  # 0: not set yet
        self.register_buffer("draws", generator.get_state())

    def forward(self, student: Tensor, teacher: Tensor, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Logits (batch, 1 + negatives) with the student and with the teacher as anchor; the first
        column is the positive pair. The memory then moves towards the projections given.

        ``student`` and ``teacher`` are unit vectors (batch, size), ``rows`` (batch,) number their
        records from 0.
        """
        rows = rows.to(student.device)
        chosen = torch.cat([rows[:, None], self._draw(rows)], dim=1)
        anchored_student = self._logits(student, self.teachers[chosen], 0)
        anchored_teacher = self._logits(teacher, self.students[chosen], 1)
        if self.training:
            self._move(self.students, student, rows)
            self._move(self.teachers, teacher, rows)
        return anchored_student, anchored_teacher

    def _logits(self, anchors: Tensor, others: Tensor, which: int) -> Tensor:
        similarity = torch.einsum("bs,bns->bn", anchors, others) / self.temperature
        with torch.no_grad():
            first = similarity.exp().mean() * len(self.students)
            constant = torch.where(self.constants[which] > 0, self.constants[which], first)
            self.constants[which] = constant
        return similarity - constant.log() - self.offset

    def _draw(self, rows: Tensor) -> Tensor:
        """Rows of others, (batch, negatives)."""
        generator = torch.Generator()
        generator.set_state(self.draws.cpu())
        shape = (len(rows), self.negatives)
        drawn = torch.randint(len(self.students) - 1, shape, generator=generator).to(rows.device)
        self.draws.copy_(generator.get_state())
        return drawn + (drawn >= rows[:, None])  # steps over the record itself

    @torch.no_grad()
    def _move(self, bank: Tensor, projections: Tensor, rows: Tensor) -> None:
        """Momentum times the old, the rest of the new, back to length 1."""
        once, place, counts = torch.unique(rows, return_inverse=True, return_counts=True)
        new = bank.new_zeros(len(once), bank.shape[1])
        new.index_add_(0, place, projections.detach().to(bank.dtype))
        moved = self.momentum * bank[once] + (1 - self.momentum) * new / counts[:, None]
        bank[once] = functional.normalize(moved, dim=1)


def contrastive_loss(logits: Tensor) -> Tensor:
    """-log h of the positive minus the sum of log(1 - h) of the negatives, a mean over the batch
    (Tian et al. 2020, Equation 18); ``logits`` as the memory gives them.
    """
    positive, negatives = logits[:, 0], logits[:, 1:]
    return (functional.softplus(-positive) + functional.softplus(negatives).sum(1)).mean()
