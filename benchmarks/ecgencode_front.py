"""ECGencode model 1, one record, one thread: our order of operations against the published one.

    python benchmarks/ecgencode_front.py

Prints the median of the front (temporal convolution, lead norm, spatial convolution) in both forms,
and of the whole network against ONNX Runtime running the published form; taken in turn, in one
process.
Goals: front at least 3 times faster; whole network not slower than ONNX Runtime.
"""

from __future__ import annotations

import io
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from ecgcore.models.registry import build_network

ROUNDS = 200


def medians(tasks: dict[str, Callable[[], object]]) -> dict[str, float]:
    """Median milliseconds of each task, taken in turn."""
    seconds: dict[str, list[float]] = {name: [] for name in tasks}
    for task in tasks.values():
        for _ in range(10):
            task()
    for _ in range(ROUNDS):
        for name, task in tasks.items():
            began = time.perf_counter()
            task()
            seconds[name].append(time.perf_counter() - began)
    return {name: 1000 * statistics.median(values) for name, values in seconds.items()}


def main() -> None:
    """Measure and print."""
    import onnxruntime

    torch.set_num_threads(1)
    torch.manual_seed(0)
    network = build_network("ecgencode_m1", leads=12, labels=2).train()
    for _ in range(3):
        network(torch.randn(8, 12, 5000))
    network.eval()
    record = torch.randn(1, 12, 5000)
    file = io.BytesIO()
    with network.as_published(), torch.no_grad():
        torch.onnx.export(network, (record,), file, input_names=["ecg"], dynamo=False)
        expected = network(record)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(file.getvalue(), options)
    feed = {"ecg": record.numpy()}
    with torch.inference_mode():
        front = network.front  # type: ignore[attr-defined]
        times = medians(
            {
                "front, published order": lambda: front.leads_apart(record),
                "front, ours": lambda: front(record),
                "network, ONNX Runtime, published order": lambda: session.run(None, feed),
                "network, ours": lambda: network(record),
            }
        )
        difference = float((front(record) - front.leads_apart(record)).abs().max())
        answers = float((network(record) - expected).abs().max())
    onnx = float(np.abs(session.run(None, feed)[0] - expected.numpy()).max())
    for name, milliseconds in times.items():
        print(f"{name:42} {milliseconds:7.2f} ms")
    fast, slow = times["front, ours"], times["front, published order"]
    print(f"front: {slow / fast:.2f} times faster; largest difference {difference:.1e}")
    ratio = times["network, ONNX Runtime, published order"] / times["network, ours"]
    print(f"network: {ratio:.2f} times ONNX Runtime's speed; largest difference {answers:.1e}")
    print(f"ONNX Runtime's own largest difference {onnx:.1e}")


if __name__ == "__main__":
    main()
