"""Grad-CAM: which moments speak for a label, weighed by the gradient of its logit.

Selvaraju et al., Grad-CAM, ICCV 2017, through captum's LayerGradCam. A feature map's weight is the
mean of its gradient over time; the weighted maps are summed and only positive evidence is kept.

Where the network keeps the recorded leads apart each channel of each lead is a feature map of its
own, because the spatial weights are not shared between leads.

One weight a map forgets when the network listened. On Inception that is no loss: with trained
weights its maps pass the deletion test (see ``faithfulness``) on nearly every recording. On the
lead norm of ECGencode, far before the answer, three of four fail it; HiRes-CAM is better there.
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
    from torch import Tensor, nn

    from ecgcore.models.predictor import Predictor

METHOD = "Grad-CAM"


def grad_cam(
    predictor: Predictor,
    recording: Recording,
    code: str,
    label_set: LabelSetName | None = None,
) -> Explanation:
    """Grad-CAM of one label, unsigned, at ``HEAT_RATE`` over the part that the model saw.

    Raises as ``activation_map`` does.
    """
    return activation_map(METHOD, grad_cam_maps, predictor, recording, code, label_set=label_set)


def grad_cam_maps(
    predictor: Predictor, values: NDArray[np.float32], target: int, layer: int = 0
) -> NDArray[np.float32]:
    """Each feature map of one of the ``cam_layers`` times its weight: (channels, leads, time), or
    (channels, time).

    ``values`` is one prepared input (leads, samples). The gradient is of the logit, also where the
    output is a softmax: a probability's gradient would bring in the other labels.
    """
    import torch
    from captum.attr import LayerGradCam

    network = differentiable_copy(predictor.network)
    gate = torch.nn.Identity()
    shape: list[int] = []

    def one_map_a_row(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
        # captum averages gradients over all axes after the channels, so over the leads too.
        shape[:] = output.shape[1:]
        flat: Tensor = gate(output.flatten(1, -2))
        return flat.reshape(output.shape)

    network.cam_layers[layer].register_forward_hook(one_map_a_row)
    batch = torch.from_numpy(values)[None].to(predictor.device)
    with network.as_published():
        weighted = LayerGradCam(network, gate).attribute(
            batch, target=target, relu_attributions=False, attr_dim_summation=False
        )
    result: NDArray[np.float32] = weighted[0].detach().reshape(shape).cpu().numpy()
    return result
