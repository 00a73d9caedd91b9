"""Frequency response of a network's temporal filters: which part of the ECG each one listens to.

ECGencode (Bontinck et al. 2024) begins with a bank of filters along time, the same for every lead.
Their weights are the filters' impulse responses, read backwards (the network correlates), which
changes no gain; so the gain at each frequency is the size of the weights' Fourier transform at the
rate that the network is fed with (Oppenheim and Schafer, Discrete-Time Signal Processing).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ecgcore.explain.explanation import FilterResponses
from ecgcore.explain.target import ExplanationError

if TYPE_CHECKING:
    from ecgcore.models.predictor import Predictor

_LOWEST_HZ, _FREQUENCIES = 0.1, 2000
"""Evenly spaced on the logarithmic axis of the chart."""


def filter_responses(predictor: Predictor) -> FilterResponses:
    """Of a network with such filters, from 0 Hz to half its rate.

    Raises ExplanationError for another network.
    """
    from scipy.signal import freqz

    from ecgcore.models.ecgencode import ECGencode

    network, card = predictor.network, predictor.card
    if not isinstance(network, ECGencode):
        raise ExplanationError(
            f"model {card.name!r} ({card.network}) has no bank of temporal filters; only ECGencode "
            "networks have one"
        )
    rate = card.spec.sampling_rate
    frequencies = np.append(0.0, np.geomspace(_LOWEST_HZ, rate / 2, _FREQUENCIES))
    gains, kernels = [], []
    for bank in network.front.temporal:
        for weights in bank.detach().cpu().numpy().astype(np.float64):
            _, response = freqz(weights, worN=frequencies, fs=rate)
            gains.append(np.abs(response))
            kernels.append(len(weights))
    return FilterResponses(
        card.name, rate, tuple(kernels), frequencies, np.stack(gains), card.spec.conditioning.band
    )
