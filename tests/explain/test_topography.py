"""The topography is the spatial weights' mean over channels."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ecgcore.explain.target import ExplanationError
from ecgcore.explain.topography import has_topography, lead_topography, mean_weights
from ecgcore.models.ecgencode import ECGencode
from ecgcore.recording import LEADS
from tests.models.example import example_card, example_predictor


def test_means_by_hand() -> None:
    """Two channels, two augmented leads, three leads."""
    spatial = np.array([[[1.0, -4.0, 0.0], [0, 0, 0]], [[3.0, 2.0, 0.0], [0, 0, 0]]])
    weights, signed = mean_weights(spatial)
    np.testing.assert_allclose(weights, [[2 / 3, 1, 0], [0, 0, 0]], rtol=1e-6)
    np.testing.assert_allclose(signed, [[2 / 3, -1 / 3, 0], [0, 0, 0]], rtol=1e-6)
    assert weights.dtype == signed.dtype == np.float32


def test_a_network_s_lead_stands_in_its_own_column() -> None:
    predictor = example_predictor("ecgencode_m2")
    network = predictor.network
    assert isinstance(network, ECGencode)
    with torch.no_grad():
        network.front.spatial.fill_(0.1)
        network.front.spatial[:, 3, LEADS.index("V5")] = -2.0
    found = lead_topography(predictor)
    assert found.model == predictor.card.name
    assert found.leads == LEADS
    assert found.weights.shape == found.signed.shape == (5, 12)
    assert LEADS[int(found.weights[3].argmax())] == "V5"
    assert found.signed[3].min() == pytest.approx(-1.0)
    np.testing.assert_allclose(found.weights.max(axis=1), 1.0)
    np.testing.assert_allclose(found.weights[0], 1.0)


def test_a_network_without_spatial_weights_is_refused() -> None:
    predictor = example_predictor("inception")
    assert not has_topography(predictor.card)
    assert has_topography(example_card("ecgencode_m1"))
    with pytest.raises(ExplanationError, match="only ECGencode networks have a lead topography"):
        lead_topography(predictor)
