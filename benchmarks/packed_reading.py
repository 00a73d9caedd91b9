"""How much faster a packed file feeds a training loop than ``wfdb.rdsamp`` reads records.

Both sides count records a second, best of three passes in one run: ``wfdb.rdsamp`` over the WFDB
records in DATA/ptbxl_raw500 (read only, nothing conditioned), against a shuffling DataLoader over
a packed file of 4,096 records of 12 leads, 1,000 samples: whole batches by ``__getitems__``, and
record by record. Exit status 1 below 30 times.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

TARGET = 30.0
RECORDS, BATCH, PASSES = 4096, 128, 3


def main() -> int:
    """Print both rates and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    default = os.environ.get("ECG_DATA", Path(__file__).resolve().parents[2] / "shared" / "data")
    parser.add_argument("data", type=Path, nargs="?", default=Path(default))
    folder = parser.parse_args().data / "ptbxl_raw500"
    torch.set_num_threads(1)
    slow = _best(lambda: _read_by_wfdb(folder))
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "made.pack"
        _write(path)
        single = _best(lambda: _read_packed(path, whole=False))
        fast = _best(lambda: _read_packed(path, whole=True))
    print(f"wfdb.rdsamp                        {slow:10,.0f} records/s")
    print(f"packed, record by record           {single:10,.0f} records/s {single / slow:6.1f}x")
    print(f"packed, whole batches              {fast:10,.0f} records/s {fast / slow:6.1f}x")
    return 0 if fast >= TARGET * slow else 1


def _best(run: Callable[[], int]) -> float:
    rates = []
    for _ in range(PASSES):
        start = time.perf_counter()
        rates.append(run() / (time.perf_counter() - start))
    return max(rates)


def _read_by_wfdb(folder: Path) -> int:
    import wfdb

    names = [str(path.with_suffix("")) for path in sorted(folder.rglob("*.hea"))]
    for name in names:
        wfdb.rdsamp(name)
    return len(names)


def _write(path: Path) -> None:
    """A packed file of noise: reading does not depend on what it holds."""
    from ecgcore.datasets.pack_file import PackWriter
    from ecgcore.labels import SUPERCLASSES
    from ecgcore.recording import LEADS

    generator = np.random.default_rng(0)
    with tempfile.TemporaryFile() as samples:
        writer = PackWriter(samples, (12, 1000))
        for _ in range(RECORDS):
            writer.add(generator.integers(-3000, 3000, (12, 1000), dtype=np.int16))
        header = {
            "name": "made", "scale": 0.001, "sampling_rate": 100.0, "leads": list(LEADS),
            "codes": {"superclasses": [label.code for label in SUPERCLASSES]},
            "targets": {"superclasses": [[at % 5] for at in range(RECORDS)]},
            "record_ids": [str(at) for at in range(RECORDS)], "folds": [1] * RECORDS,
            "origins": ["made"] * RECORDS,
        }  # fmt: skip
        writer.finish(path, header)


def _read_packed(path: Path, whole: bool) -> int:
    from torch.utils.data import DataLoader, Subset

    from ecgcore.datasets.packed import load_packed
    from ecgcore.datasets.packed_torch import PackedBatches, whole_batch
    from ecgcore.labels import SUPERCLASSES

    codes = tuple(label.code for label in SUPERCLASSES)
    batches = PackedBatches(load_packed(path), "superclasses", codes)
    loader: Iterable[list[torch.Tensor]]
    if whole:
        loader = DataLoader(batches, BATCH, shuffle=True, collate_fn=whole_batch)
    else:
        loader = DataLoader(_OneByOne(Subset(batches, range(RECORDS))), BATCH, shuffle=True)
    return sum(len(values) for values, _ in loader)


class _OneByOne(torch.utils.data.Dataset[tuple[torch.Tensor, torch.Tensor]]):
    """Hides ``__getitems__``."""

    def __init__(self, inner: torch.utils.data.Subset[tuple[torch.Tensor, torch.Tensor]]) -> None:
        self._inner = inner

    def __len__(self) -> int:
        return len(self._inner)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, torch.Tensor]:
        return self._inner[index]


if __name__ == "__main__":
    raise SystemExit(main())
