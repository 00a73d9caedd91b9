"""Lead topography: how strongly a network listens to each recorded lead.

ECGencode (Bontinck et al. 2024) mixes the leads by spatial weights, one a channel, augmented lead
and recorded lead. They belong to the model, not to a recording; drawn on a torso they show from
where each augmented lead looks at the heart.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ecgcore.explain.explanation import LeadTopography
from ecgcore.explain.target import ExplanationError
from ecgcore.models.card import ModelCard

if TYPE_CHECKING:
    from ecgcore.models.predictor import Predictor


def has_topography(card: ModelCard) -> bool:
    """Whether the model's network mixes the leads by spatial weights; loads no torch."""
    return card.network.startswith("ecgencode")


def lead_topography(predictor: Predictor) -> LeadTopography:
    """The spatial weights of a network that has them. Raises ExplanationError for another."""
    from ecgcore.models.ecgencode import ECGencode

    network, card = predictor.network, predictor.card
    if not isinstance(network, ECGencode):
        raise ExplanationError(
            f"model {card.name!r} ({card.network}) mixes no leads by spatial weights; only "
            "ECGencode networks have a lead topography"
        )
    spatial = network.front.spatial.detach().cpu().numpy()
    weights, signed = mean_weights(spatial)
    return LeadTopography(card.name, card.spec.leads, weights, signed)


def mean_weights(
    spatial: NDArray[np.floating],
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Means over channels of (channels, augmented leads, leads): of absolute values scaled to a
    maximum of 1 a row, and of signed values on the same scale. A row of zeros stays zero."""
    strength = np.abs(spatial).mean(axis=0)
    scale = strength.max(axis=1, keepdims=True)
    scale = np.where(scale > 0, scale, 1.0)
    return (
        (strength / scale).astype(np.float32),
        (spatial.mean(axis=0) / scale).astype(np.float32),
    )
