"""Weights of parts that several networks share, counted from their published sizes."""

from __future__ import annotations

PUBLISHED_HALVINGS = [2500, 1250, 625, 313, 157]
"""Lengths through CNN-TE's convolutional module, of 5,000 samples."""


def residual_convolutions(leads: int) -> int:
    """Weights of ResNet-18's convolutions in one dimension, each with a batch norm."""
    total, inputs = leads * 64 * 7 + 2 * 64, 64
    for outputs in (64, 128, 256, 512):
        total += inputs * outputs * 3 + 3 * outputs * outputs * 3 + 4 * 2 * outputs
        total += inputs * outputs + 2 * outputs if inputs != outputs else 0
        inputs = outputs
    return total


def encoder_blocks(leads: int) -> int:
    """Weights of the three blocks: kernel, bias, the norm's two numbers and a slope a channel."""
    sizes = ((leads, 128, 5), (128, 256, 11), (256, 512, 21))
    return sum(a * b * kernel + 4 * b for a, b, kernel in sizes)
