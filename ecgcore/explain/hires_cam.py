"""HiRes-CAM: which places speak for a label, each weighed by its own gradient.

Draelos and Carin, "Use HiResCAM instead of Grad-CAM for faithful explanations of convolutional
neural networks", arXiv 2011.08891 (2020), through captum's LayerGradientXActivation. Grad-CAM gives
a whole feature map one weight, the mean of its gradient; here every place keeps its own, so that a
map can speak for a label in one beat and against it in the next.

On ECGencode, whose lead norm stands far before the answer, about two of three of its maps pass the
deletion test (see ``faithfulness``); of Grad-CAM's maps there, one of four.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ecgcore.explain.activation import activation_map, differentiable_copy
from ecgcore.explain.explanation import Explanation
from ecgcore.labels import LabelSetName
from ecgcore.recording import Recording

if TYPE_CHECKING:
    from ecgcore.models.predictor import Predictor

METHOD = "HiRes-CAM"


def hires_cam(
    predictor: Predictor,
    recording: Recording,
    code: str,
    label_set: LabelSetName | None = None,
) -> Explanation:
    """HiRes-CAM of one label, unsigned, at ``HEAT_RATE`` over the part that the model saw.

    Raises as ``activation_map`` does.
    """
    return activation_map(METHOD, hires_maps, predictor, recording, code, label_set=label_set)


def hires_maps(
    predictor: Predictor, values: NDArray[np.float32], target: int, layer: int = 0
) -> NDArray[np.float32]:
    """Activation times gradient of the logit, of one of the ``cam_layers``: (channels, leads,
    time), or (channels, time)."""
    import torch
    from captum.attr import LayerGradientXActivation

    network = differentiable_copy(predictor.network)
    batch = torch.from_numpy(values)[None].to(predictor.device)
    with network.as_published():
        weighted = LayerGradientXActivation(network, network.cam_layers[layer]).attribute(
            batch, target=target
        )
    result: NDArray[np.float32] = weighted[0].detach().cpu().numpy()
    return result
