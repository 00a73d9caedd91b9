"""A trained model as an ONNX file, for other programs: network and calibration as one graph.

The graph takes what ``prepare`` makes (and what is told beside the signal) and gives calibrated
probabilities, for any number of records. It is written with torch's exporter that traces the
forward pass, and before anything is kept it is asked the same 100 records in onnxruntime as the
network is in torch: a trace that went wrong shows there. The file says of itself what the card
says: labels, input, thresholds, hash of the weights, and that it is for research only.
"""

from __future__ import annotations

import copy
import io
import json
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ecgcore import DISCLAIMER
from ecgcore.models.aside import aside_columns
from ecgcore.models.card import CardError, ModelCard
from ecgcore.models.chosen_thresholds import ChosenThreshold, origin_of
from ecgcore.models.network import Network, logits_of
from ecgcore.models.onnx_parts import exportable
from ecgcore.models.predictor import Predictor, to_probabilities

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

SIGNAL, ASIDE, PROBABILITIES = "signal", "aside", "probabilities"
OPSET = 17
LARGEST_DIFFERENCE = 1e-4
"""Of a probability between torch and onnxruntime; single precision gives about 1e-6."""
RECORDS = 100
_TRACED = 2
"""Records of the trace: another number than the check's, so that a fixed one would show."""

_KNOWN_WARNINGS = (
    "You are using the legacy TorchScript-based ONNX export",
    "The feature will be removed",
    "Constant folding - Only steps=1 can be constant folded",
    "ONNX export mode is set to TrainingMode.EVAL, but operator 'instance_norm'",
    "Exporting a model to ONNX with a batch_size other than 1",
    "Converting a tensor to a Python",
    "Using len to get tensor shape might cause the trace to be incorrect",
)
"""What the exporter says of every network. The last three warn of what the check then looks at."""


class ExportError(CardError):
    """A model that cannot be written as ONNX, and why."""


@dataclass(frozen=True)
class Exported:
    """An ONNX file's bytes, and how far its probabilities lie from torch's at most, on how many
    records."""

    data: bytes
    difference: float
    records: int


class _Calibrated(nn.Module):
    """The network with its calibration: prepared inputs to probabilities."""

    def __init__(self, card: ModelCard, network: nn.Module) -> None:
        super().__init__()
        self.network, self.output, self.temperature = network, card.output, card.temperature
        self.register_buffer("shifts", torch.tensor([one.shift for one in card.labels]))

    def forward(self, signal: Tensor, aside: Tensor | None = None) -> Tensor:
        logits = logits_of(self.network, signal, aside)
        if self.output == "sigmoid":
            logits = logits / self.temperature + self.get_buffer("shifts")
        return to_probabilities(logits, self.output)


def export_onnx(
    predictor: Predictor, inputs: NDArray[np.float32], aside: NDArray[np.float32]
) -> Exported:
    """The model as ONNX, checked on prepared ``inputs`` (records, leads, samples) and what is told
    beside them (records, columns). Raises ExportError."""
    card = predictor.card
    network = copy.deepcopy(predictor.network).cpu()
    data = _with_metadata(_traced(card, network), card, predictor.chosen)
    said = predictor.probabilities(inputs, aside)
    answered = _answers(data, card, inputs, aside)
    difference = float(np.abs(said - answered).max())
    if not difference <= LARGEST_DIFFERENCE:
        raise ExportError(
            f"{card.name} answers otherwise in ONNX: probabilities differ by up to "
            f"{difference:.2g} on {len(inputs)} records, allowed are {LARGEST_DIFFERENCE:g}. "
            "Nothing was written. Use the model through this program instead"
        )
    return Exported(data, difference, len(inputs))


def _traced(card: ModelCard, network: Network) -> bytes:
    """The graph, in the published order of operations: the faster one of ECGencode goes through
    complex numbers, which ONNX has not."""
    from torch.onnx.errors import OnnxExporterError

    spec = card.spec
    generator = torch.Generator().manual_seed(0)
    given: tuple[Tensor, ...] = (
        torch.randn(_TRACED, len(spec.leads), spec.samples, generator=generator),
    )
    if spec.aside:
        columns = len(aside_columns(spec.aside))
        given = (*given, torch.randn(_TRACED, columns, generator=generator))
    names = [SIGNAL, ASIDE][: len(given)]
    whole = _Calibrated(card, exportable(network)).eval()
    # The format has it since opset 9, and the exporter no word for it.
    torch.onnx.register_custom_op_symbolic(  # type: ignore[attr-defined]
        "aten::asinh", lambda graph, x: graph.op("Asinh", x), 9
    )
    try:
        with (
            TemporaryDirectory() as folder,
            _quiet(),
            torch.no_grad(),
            network.as_published(),
        ):
            file = Path(folder) / "traced.onnx"
            torch.onnx.export(
                whole,
                given,
                file,
                dynamo=False,
                opset_version=OPSET,
                input_names=names,
                output_names=[PROBABILITIES],
                dynamic_axes={name: {0: "records"} for name in (*names, PROBABILITIES)},
            )
            return file.read_bytes()
    except (OnnxExporterError, RuntimeError, TypeError, ValueError) as error:
        reason = str(error).partition(". Please")[0].partition("[")[0].strip()
        raise ExportError(
            f"{card.name} cannot be written as ONNX: its network {card.network} does what the "
            f"format cannot say ({reason[:200]}). Use it through this program instead"
        ) from error


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the warnings that the exporter gives for every network; any other stays. And without
    the graph that it prints when it fails: standard output is for rows."""
    with warnings.catch_warnings(), redirect_stdout(io.StringIO()):
        for text in _KNOWN_WARNINGS:
            warnings.filterwarnings("ignore", message=text)
        yield


def _with_metadata(data: bytes, card: ModelCard, chosen: Sequence[ChosenThreshold]) -> bytes:
    """The file with what a reader must know of it, as texts and JSON."""
    import onnx

    model = onnx.load_from_string(data)
    own = {one.label: one for one in chosen}
    labels = []
    for label in card.labels:
        mine = own.get((label.set, label.code))
        labels.append(
            {
                "code": label.code,
                "set": label.set,
                "description": label.description,
                "threshold": label.threshold if mine is None else mine.value,
                "threshold_origin": card.threshold_origin
                if mine is None
                else origin_of(mine, label.threshold),
                "answered": label.answered,
                "reason": label.reason,
            }
        )
    told = {
        "disclaimer": f"{DISCLAIMER}.",
        "model": card.name,
        "network": card.network,
        "paper": card.paper,
        "labels": json.dumps(labels),
        "input": json.dumps(card.spec.to_json()),
        "aside_columns": json.dumps(aside_columns(card.spec.aside)),
        "limits": json.dumps(card.limits),
        "weights_sha256": card.weights_sha256,
    }
    onnx.helper.set_model_props(model, told)
    model.producer_name = "ECG Lightbox"
    model.doc_string = f"{DISCLAIMER}. {card.name}: {card.paper}"
    written: bytes = model.SerializeToString()
    return written


def session_of(data: bytes) -> InferenceSession:
    """The file in onnxruntime, on the CPU."""
    from onnxruntime import InferenceSession

    return InferenceSession(data, providers=["CPUExecutionProvider"])


def _answers(
    data: bytes, card: ModelCard, inputs: NDArray[np.float32], aside: NDArray[np.float32]
) -> NDArray[np.float32]:
    """What onnxruntime says. A network that looks at one of its inputs alone has only that."""
    from onnxruntime.capi import onnxruntime_pybind11_state as failures

    try:
        session = session_of(data)
        given = {SIGNAL: inputs, ASIDE: aside}
        asked = {one.name: given[one.name] for one in session.get_inputs()}
        (answers,) = session.run([PROBABILITIES], asked)
    except (
        failures.Fail, failures.InvalidArgument, failures.InvalidGraph, failures.NotImplemented,
        failures.RuntimeException,
    ) as error:  # fmt: skip
        raise ExportError(
            f"{card.name} was written as ONNX, but onnxruntime cannot run it: {error}"
        ) from error
    return cast("NDArray[np.float32]", answers)
