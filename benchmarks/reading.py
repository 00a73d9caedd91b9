"""How fast a 12-lead, 10 s, 500 Hz, format-16 record is read, all checks on.

Ours (``ecgcore.readers.opening.read_path``), ``wfdb.rdsamp`` and a bare ``numpy.fromfile`` (no
header, no checks, no hash) read the same files in one process, in turns, and the ratios are
printed. Without ``--data`` a synthetic set is written to a temporary folder. The claim: at least 5
times as fast as wfdb.

    python benchmarks/reading.py [--data FOLDER] [--rounds 20]
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.wfdb_records import write_record
from ecgcore.readers.opening import read_path

RECORDS = 50


def seconds_a_record(read: Callable[[Path], object], headers: list[Path]) -> float:
    """Wall seconds for one pass over the headers, divided by their number."""
    start = time.perf_counter()
    for header in headers:
        read(header)
    return (time.perf_counter() - start) / len(headers)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="folder of WFDB records in format 16")
    parser.add_argument("--rounds", type=int, default=20)
    options = parser.parse_args()
    import wfdb

    readers: dict[str, Callable[[Path], object]] = {
        "ecgcore.read_path": read_path,
        "wfdb.rdsamp": lambda path: wfdb.rdsamp(str(path.with_suffix(""))),
        "numpy.fromfile": lambda path: np.fromfile(path.with_suffix(".dat"), "<i2"),
    }
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.data or Path(temporary)
        if options.data is None:
            for seed in range(RECORDS):
                write_record(folder, f"synthetic{seed:03d}", seed)
        headers = sorted(folder.glob("*.hea"))
        best = dict.fromkeys(readers, float("inf"))
        for _ in range(options.rounds):
            for name, read in readers.items():
                best[name] = min(best[name], seconds_a_record(read, headers))
    print(f"{len(headers)} records of {folder if options.data else 'a synthetic set'}")
    for name, seconds in best.items():
        print(f"{name:18} {seconds * 1e3:7.3f} ms {1 / seconds:8.0f} records/s")
    ours = best["ecgcore.read_path"]
    print(f"ours is {best['wfdb.rdsamp'] / ours:.1f} times as fast as wfdb.rdsamp (claim: 5)")
    print(f"ours takes {ours / best['numpy.fromfile']:.1f} times as long as a bare numpy.fromfile")


if __name__ == "__main__":
    main()
