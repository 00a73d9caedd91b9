"""Frequency responses: of filters whose response is known, at the network's own rate."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ecgcore.explain.target import ExplanationError
from ecgcore.explain.temporal_filters import filter_responses
from ecgcore.models.ecgencode import ECGencode
from tests.models.example import example_predictor


def test_a_filter_made_of_a_wave_lets_that_wave_through() -> None:
    predictor = example_predictor("ecgencode_m2")
    network = predictor.network
    assert isinstance(network, ECGencode)
    time = np.arange(1024) / 500
    with torch.no_grad():
        network.front.temporal[3][2] = torch.from_numpy(
            np.sin(2 * np.pi * 25 * time).astype(np.float32)
        )
        network.front.temporal[0][0] = torch.ones(16) / 16
    found = filter_responses(predictor)
    assert found.kernels == (16,) * 4 + (64,) * 4 + (256,) * 4 + (1024,) * 4
    assert found.frequencies[0] == 0 and found.frequencies[-1] == pytest.approx(250)
    assert found.peaks[14] == pytest.approx(25, abs=0.3)
    assert found.gain[14].max() == pytest.approx(512, rel=0.05)
    # A mean of 16 samples: 1 at 0 Hz, nothing at 500 / 16 Hz.
    assert found.gain[0, 0] == pytest.approx(1.0, abs=1e-6)
    first_zero = np.abs(found.frequencies - 500 / 16).argmin()
    assert found.gain[0, first_zero] < 0.02
    assert found.band == (0.5, 40.0)


def test_another_network_has_none() -> None:
    with pytest.raises(ExplanationError, match="no bank of temporal filters"):
        filter_responses(example_predictor("inception"))
