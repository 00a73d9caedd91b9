"""A small packed data set with a label that can be learned, made of nothing real."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ecgcore.labels import SUPERCLASSES, statements
from ecgcore.recording import LEADS


def packed_arrays(records: int = 90, seed: int = 0) -> dict[str, Any]:
    """Noise at 100 Hz; superclass MI (and statement AFIB) adds a 3 Hz wave to lead V2."""
    generator = np.random.default_rng(seed)
    signals = generator.normal(0, 0.5, (records, 1000, 12))
    y5 = (generator.random((records, 5)) < 0.4).astype(np.uint8)
    seconds = np.arange(1000) / 100
    signals[:, :, LEADS.index("V2")] += 2 * y5[:, 1:2] * np.sin(2 * np.pi * 3 * seconds)
    codes = [label.code for label in statements()]
    y71 = np.zeros((records, 71), dtype=np.uint8)
    y71[:, codes.index("AFIB")] = y5[:, 1]
    return {
        "X": np.round(signals * 1000).astype(np.int16),
        "scale": np.float32(0.001),
        "fs": np.int64(100),
        "leads": np.array(LEADS),
        "y71": y71,
        "classes71": np.array(codes),
        "y5": y5,
        "classes5": np.array([label.code for label in SUPERCLASSES]),
        "fold": (np.arange(records) % 9 + 1).astype(np.int8),
        "ecg_id": np.arange(records),
    }


def write_packed(path: Path, **changes: Any) -> Path:
    """The file; ``changes`` replace arrays, None removes one."""
    arrays = {**packed_arrays(), **changes}
    np.savez(path, **{key: value for key, value in arrays.items() if value is not None})
    return path
