"""Batch norm over all workers' parts of a batch, on any device (see ``distributed``).

Forwards the workers exchange count, mean and variance of their parts; backwards the two sums that
the gradient of mean and variance is made of (Ioffe and Szegedy 2015, section 3). The rest is
torch's own batch norm with given statistics.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.modules.batchnorm import _BatchNorm


class Exchange(Protocol):
    """What is asked of ``distributed.Workers``."""

    def joined(self, count: int, mean: Tensor, variance: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Count, mean and variance of all parts."""

    def add_up(self, values: Tensor) -> Tensor:
        """The sum over the workers."""


def normalise_over_workers(network: nn.Module, workers: Exchange) -> None:
    """Set every batch norm of a network to the whole batch in training; eval stays as it is.

    Names and tensors stay the same, so that optimisers and checkpoints do not notice. A deep copy
    of the network would share the original's norms.
    """
    for module in network.modules():
        if isinstance(module, _BatchNorm):
            _normalise_over_workers(module, workers)


def _normalise_over_workers(norm: _BatchNorm, workers: Exchange) -> None:
    if norm.running_mean is None or norm.weight is None:
        raise TypeError(f"{norm} has no running statistics or no weights; it must have both")
    as_one = norm.forward

    def forward(x: Tensor) -> Tensor:
        if not norm.training:
            return as_one(x)
        others = [axis for axis in range(x.ndim) if axis != 1]
        variance, mean = torch.var_mean(x.detach().float(), others, correction=0)
        total, mean, variance = workers.joined(x.numel() // x.shape[1], mean, variance)
        _remember(norm, total, mean, variance)
        mean, variance = mean.to(norm.weight.dtype), variance.to(norm.weight.dtype)
        settled = _Settled(mean, variance, total, norm.eps, workers)
        normed: Tensor = _WholeBatchNorm.apply(  # type: ignore[no-untyped-call]
            x, norm.weight, norm.bias, settled
        )
        return normed

    norm.forward = forward  # type: ignore[method-assign,assignment]


@torch.no_grad()
def _remember(norm: _BatchNorm, total: Tensor, mean: Tensor, variance: Tensor) -> None:
    """Running statistics as torch keeps them, the variance unbiased."""
    assert norm.running_mean is not None and norm.running_var is not None
    assert norm.num_batches_tracked is not None
    norm.num_batches_tracked.add_(1)
    share = norm.momentum if norm.momentum is not None else 1 / float(norm.num_batches_tracked)
    norm.running_mean.lerp_(mean.to(norm.running_mean), share)
    unbiased = variance * total / (total - 1)
    norm.running_var.lerp_(unbiased.to(norm.running_var), share)


class _Settled(NamedTuple):
    """Statistics of the whole batch, (channels,) each, and the number of values a channel."""

    mean: Tensor
    variance: Tensor
    total: Tensor
    eps: float
    workers: Exchange


class _WholeBatchNorm(torch.autograd.Function):
    """Normalise by given statistics, of which the gradient knows that they hang on every part."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, settled: _Settled) -> Tensor:
        mean, variance, total, ctx.eps, ctx.workers = settled
        ctx.save_for_backward(x, weight, mean, variance, total)
        return functional.batch_norm(x, mean, variance, weight, bias, eps=ctx.eps)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        x, weight, mean, variance, total = ctx.saved_tensors
        constant, of_weight, of_bias = torch.ops.aten.native_batch_norm_backward(
            *(gradients[0].contiguous(), x.contiguous(), weight, mean, variance, None, None),
            *(False, ctx.eps, [True, True, True]),
        )
        sums: Tensor = ctx.workers.add_up(torch.cat([of_bias, of_weight]))
        inverse = (variance + ctx.eps).rsqrt()
        through_mean, through_variance = (weight * inverse * part / total for part in sums.chunk(2))
        slope = (through_variance * inverse).to(mean)
        shift = (through_mean - slope * mean).to(mean)
        shape = (1, -1, *[1] * (x.ndim - 2))
        of_x = constant - (shift.view(shape) + slope.view(shape) * x).to(constant)
        return of_x, of_weight, of_bias, None
