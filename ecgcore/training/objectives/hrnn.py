"""HRNN's two-part loss (Bian et al. 2022, Equation 6): L(y, p) + lambda L(rules, p).

L is the class-weighted cross-entropy of ``weighted``, p the fused probability that the network
answers with, and ``rules`` what the criteria found in the recording. The paper masks labels without
a rule in the fusion; here the second part leaves them out too, and so it does a rule that could not
be decided in a recording: such a label has no answer of a rule to be guided by.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ecgcore.models.hrnn import HRNN
from ecgcore.training.objectives.step import Step, StepObjective
from ecgcore.training.objectives.weighted import weighted_terms


class HrnnLoss(StepObjective):
    """Weighted cross-entropy on the labels, plus ``lambda_`` times that on the rules' answers.

    ``weights`` (labels,) are ``class_weights`` of the training records; the paper has ``lambda_`` 0
    and 1. ValueError for a negative one.
    """

    weights: Tensor

    def __init__(self, weights: Tensor, lambda_: float = 1.0) -> None:
        super().__init__()
        if not lambda_ >= 0:
            raise ValueError(f"lambda {lambda_}; give 0 (labels alone) or more")
        self.lambda_ = lambda_
        self.register_buffer("weights", weights.detach().clone())

    def forward(self, step: Step) -> Tensor:
        """Both parts. TypeError for a network that has no rules."""
        loss = self.of_labels(step.logits, step.targets)
        if not isinstance(step.network, HRNN):
            raise TypeError(
                f"HRNN's loss asks the network for its rules and {type(step.network).__name__} has "
                "none; train the network 'hrnn' with it, or another one with the weighted "
                "cross-entropy"
            )
        if self.lambda_ == 0:
            return loss
        with torch.no_grad():
            rules, mask = step.network.rule_answers(step.inputs, step.aside)
        guided = weighted_terms(step.logits, rules, self.weights) * mask
        return loss + self.lambda_ * guided.sum(1).mean()

    def of_labels(self, logits: Tensor, targets: Tensor) -> Tensor:
        """The first part."""
        return weighted_terms(logits, targets, self.weights).sum(1).mean()
