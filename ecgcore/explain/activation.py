"""What the class activation methods share: from weighted feature maps to heat on the recording.

The methods differ in how they weigh the feature maps of a network's ``cam_layer``. Where that layer
keeps the recorded leads apart (the lead norm of ECGencode) the heat is one map a lead; elsewhere
(Inception) there is one map over time for all leads together. Where networks of unlike kinds answer
together, each kind has a layer of its own, and the heat is their sum.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ecgcore.explain.explanation import Explanation
from ecgcore.explain.heat import HEAT_RATE, heat_times, scaled_by_peak, silent_leads
from ecgcore.explain.target import ExplanationError, label_target
from ecgcore.labels import LabelSetName
from ecgcore.models.input_spec import InputSpec, Prepared, prepare
from ecgcore.recording import Recording

if TYPE_CHECKING:
    from ecgcore.models.network import Network
    from ecgcore.models.predictor import Predictor

Weigh = Callable[["Predictor", NDArray[np.float32], int, int], NDArray[np.float32]]
"""(predictor, one prepared input (leads, samples), output, which of the ``cam_layers``) to the
weighted feature maps, (channels, leads, time) or (channels, time)."""

_PER_LEAD = (
    "Where each lead's filtered signal speaks for {code} (1 = the strongest place); it marks where "
    "the network looked, blurred by its filters, and proves no cause."
)
_PER_TIME = (
    "When the network found evidence for {code} (1 = the strongest moment); it cannot tell the "
    "leads apart, so that every lead shows the same band."
)


def activation_map(
    method: str,
    weigh: Weigh,
    predictor: Predictor,
    recording: Recording,
    code: str,
    *,
    label_set: LabelSetName | None,
) -> Explanation:
    """The positive part of the weighted maps' sum, at ``HEAT_RATE`` over what the model saw.

    A lead that the model saw as a zero line gets no heat. Raises ExplanationError for a label
    without an answer and a network whose layer has no time axis of the recording,
    UnfitRecordingError for a recording that the model refuses.
    """
    card = predictor.card
    target = label_target(card, code, label_set)
    prepared = prepare(recording, card.spec)
    held = predictor.holding(prepared.aside)
    if not held.network.cam_layers:
        raise ExplanationError(
            f"model {card.name!r} does not look at the signal itself, so that no place of it can "
            "be marked; see the measured values"
        )
    parts = []
    for layer in range(len(held.network.cam_layers)):
        parts.append(weigh(held, prepared.values, target, layer).sum(axis=0))
        _refuse_foreign_time(parts[-1].shape[-1], card.spec, card.name)
    per_lead = parts[0].ndim == 2
    if len(parts) == 1:  # positive evidence alone, before cells become samples
        parts = [np.maximum(parts[0], 0.0)]
    whole = np.sum([_on_recording_time(part, prepared, card.spec) for part in parts], axis=0)
    heat, peak = scaled_by_peak(np.maximum(whole, 0.0))
    return Explanation(
        model=card.name,
        label=code,
        method=method,
        leads=card.spec.leads,
        heat=heat,
        sampling_rate=HEAT_RATE,
        start=prepared.start,
        per_lead=per_lead,
        signed=False,
        peak=peak,
        note=(_PER_LEAD if per_lead else _PER_TIME).format(code=code),
    )


def differentiable_copy(network: Network) -> Network:
    """A copy of our own, because the network is shared with requests that run beside this one.

    A hook on the shared network could catch the maps of somebody else's recording. cuDNN
    differentiates recurrent layers only in training mode; with their drop-out off, as here, that
    mode gives the same numbers.
    """
    import torch

    own = copy.deepcopy(network)
    for module in own.modules():
        if isinstance(module, torch.nn.RNNBase):
            module.dropout = 0.0
            module.train()
            module.flatten_parameters()
    return own


def _refuse_foreign_time(cells: int, spec: InputSpec, model: str) -> None:
    """A layer with more cells than the input has samples concatenates branches along time."""
    if cells > spec.samples:
        raise ExplanationError(
            f"the layer of model {model!r} has {cells} places in time for {spec.samples} samples: "
            "its branches are concatenated along time and a place belongs to no one moment; "
            "choose another method"
        )


def _on_recording_time(
    raw: NDArray[np.float32], prepared: Prepared, spec: InputSpec
) -> NDArray[np.float64]:
    """Cells ([leads,] cells) to (leads, samples) at ``HEAT_RATE``, linear between cell centres.

    Layers padded "same" lie symmetrically over their input, so that n cells share N samples evenly:
    the centre of cell i is at sample (i + 1/2) N / n - 1/2, which is exact where the stride divides
    N and within half a stride elsewhere.
    """
    cells = raw.shape[-1]
    samples = (np.arange(cells) + 0.5) * spec.samples / cells - 0.5
    centres = samples / spec.sampling_rate
    times = heat_times(prepared)
    rows = np.broadcast_to(raw, (len(spec.leads), cells))
    heat = np.stack([np.interp(times, centres, row) for row in rows])
    if raw.ndim == 2:
        heat[silent_leads(prepared)] = 0.0
    return heat
