"""Reading back what a figure sends to the browser."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
from numpy.typing import NDArray
from plotly.graph_objects import Figure

_TYPES = {"f4": np.float32, "f8": np.float64, "i2": np.int16, "i4": np.int32}


def numbers(value: Any) -> NDArray[Any]:
    """A typed array ({dtype, bdata, shape}) or a list as numpy array."""
    if not isinstance(value, dict):
        return np.asarray(value)
    flat = np.frombuffer(base64.b64decode(value["bdata"]), dtype=_TYPES[value["dtype"]])
    if "shape" in value:
        return flat.reshape([int(length) for length in str(value["shape"]).split(",")])
    return flat


def lines(figure: Figure) -> list[dict[str, Any]]:
    """The ECG traces (those in steps of time), ``y`` in uV as the browser decodes it."""
    traces = figure.to_plotly_json()["data"]
    return [trace | {"y": numbers(trace["y"])} for trace in traces if "dx" in trace]


def texts(figure: Figure) -> list[str]:
    """Everything printed on the paper."""
    return [annotation.text for annotation in figure.layout.annotations]
