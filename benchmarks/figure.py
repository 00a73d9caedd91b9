"""Figure to JSON: typed arrays with x0 and dx against Python lists with every time.

    python benchmarks/figure.py [--repeats 15] [--seconds 10]

The same paper (12 leads, 500 Hz, synthetic) in every layout: once as ``draw_paper`` sends it, once
with each trace as one list of times in s and one of voltages in mV. Timed alternately in one run,
from the samples in mV to the JSON text; medians. Twice: samples in steps of 1 uV, as most recorders
store them (sent as 16-bit numbers), and samples between such steps, as after a display filter (sent
as 32-bit floating point). The goal is 5 times faster and 5 times smaller; exit status 1 if recorded
steps miss it in any layout. The last column is the whole of ``draw_paper`` and JSON.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from plotly.graph_objects import Figure

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from ecgcore.drawing.layout import LAYOUTS, LayoutName
from ecgcore.drawing.page import compose_page
from ecgcore.drawing.paper import PaperOptions, draw_paper, microvolts
from ecgcore.recording import LEADS, Recording, Source

RATE = 500.0
GOAL = 5.0


def synthetic(seconds: float, whole: bool) -> Recording:
    """Twelve leads with a beat a second and noise; ``whole``: in steps of 1 uV."""
    time_axis = np.arange(round(seconds * RATE)) / RATE
    beat = np.exp(-(((np.mod(time_axis, 1.0) - 0.4) / 0.015) ** 2))
    noise = np.random.default_rng(0).normal(0, 0.02, (12, time_axis.size))
    signal = beat + noise
    signal = (np.round(signal, 3) if whole else signal).astype(np.float32)
    return Recording("synthetic", signal, RATE, LEADS, Source("synthetic", "0" * 64))


def with_typed_arrays(traces: list[dict[str, Any]], layout: dict[str, Any]) -> str:
    typed = [trace | {"y": microvolts(trace["y"])} for trace in traces]
    return str(Figure(data=typed, layout=layout).to_json())


def with_lists(traces: list[dict[str, Any]], layout: dict[str, Any]) -> str:
    """The same traces, each as a list of times and a list of voltages."""
    listed = []
    for trace in traces:
        plain = {key: value for key, value in trace.items() if key not in ("x0", "dx", "y")}
        y = trace["y"].tolist()
        x = [trace["x0"] + index * trace["dx"] for index in range(len(y))]
        listed.append(plain | {"x": x, "y": y})
    return str(Figure(data=listed, layout=layout).to_json())


def milliseconds(function: Any, *arguments: Any) -> tuple[float, Any]:
    start = time.perf_counter()
    result = function(*arguments)
    return (time.perf_counter() - start) * 1000, result


def measure(recording: Recording, layout_name: LayoutName, repeats: int) -> tuple[float, float]:
    """Prints one line; gives (times faster, times smaller)."""
    options = PaperOptions(layout_name)
    drawn = draw_paper(recording, options)
    layout = drawn.layout.to_plotly_json()
    names = ("type", "mode", "name", "yaxis", "connectgaps", "line", "hovertemplate", "x0", "dx")
    plain = [trace for trace in drawn.data if trace.dx is not None]
    stretches = [s for s in compose_page(recording, options).stretches if s.values.size]
    traces = [
        {name: trace.to_plotly_json()[name] for name in names} | {"y": stretch.values}
        for trace, stretch in zip(plain, stretches, strict=True)
    ]
    ours, lists, whole = [], [], []
    for _ in range(repeats + 1):
        spent, text = milliseconds(with_typed_arrays, traces, layout)
        ours.append(spent)
        spent, listed = milliseconds(with_lists, traces, layout)
        lists.append(spent)
        whole.append(milliseconds(lambda: draw_paper(recording, options).to_json())[0])
    faster = median(lists[1:]) / median(ours[1:])
    smaller = len(listed) / len(text)
    print(
        f"{layout_name:>8} {median(ours[1:]):8.1f} ms {median(lists[1:]):8.1f} ms {faster:6.1f} x "
        f"{len(text) / 1000:8.0f} kB {len(listed) / 1000:8.0f} kB {smaller:6.1f} x "
        f"{median(whole[1:]):8.1f} ms"
    )
    return faster, smaller


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--seconds", type=float, default=10.0)
    arguments = parser.parse_args()
    missed = []
    for whole in (True, False):
        recording = synthetic(arguments.seconds, whole)
        print("samples in steps of 1 uV" if whole else "samples between the steps")
        print(f"{'layout':>8} {'typed':>11} {'lists':>11} {'faster':>8} {'typed':>11} {'lists':>11}"
              f" {'smaller':>8} {'draw_paper':>11}")  # fmt: skip
        for layout in LAYOUTS:
            ratios = measure(recording, layout, arguments.repeats)
            if whole and min(ratios) < GOAL:
                missed.append(layout)
    print(f"goal {GOAL:g} x: " + (f"missed by {', '.join(missed)}" if missed else "reached"))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
