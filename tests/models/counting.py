"""Weights of a convolutional network's parts, by hand."""

from __future__ import annotations


def conv_norm(inputs: int, outputs: int, kernel: int) -> int:
    """A convolution without bias and its batch norm's scale and shift."""
    return inputs * outputs * kernel + 2 * outputs


def dense(inputs: int, outputs: int) -> int:
    """A dense layer with bias."""
    return inputs * outputs + outputs


def benchmark_head(channels: int, labels: int, hidden: int = 128) -> int:
    """Norm of the two pooled vectors, dense, norm, dense."""
    pooled = 2 * channels
    return 2 * pooled + dense(pooled, hidden) + 2 * hidden + dense(hidden, labels)
