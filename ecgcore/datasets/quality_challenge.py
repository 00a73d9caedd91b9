"""The 2011 signal-quality challenge packed in one file: recordings, and who was fit to read.

Silva, Moody and Celi, Improving the Quality of ECGs Collected using Mobile Phones, Computing in
Cardiology 2011. One ``.npz`` with ``X`` (records, samples, leads) int16 times ``scale`` mV, ``fs``
in Hz, ``leads`` and ``quality`` (0 acceptable, 1 unacceptable).
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import numpy as np

from ecgcore.recording import Recording, Source

_KEYS = ("X", "scale", "fs", "leads", "quality")


class QualityChallengeError(ValueError):
    """A file that is not this data set: what was found and what is expected."""


def read_quality_challenge(path: Path) -> Iterator[tuple[Recording, bool]]:
    """Each recording, and whether people found it acceptable. Raises QualityChallengeError."""
    try:
        with np.load(path, allow_pickle=False) as held:
            missing = [key for key in _KEYS if key not in held.files]
            arrays = {key: held[key] for key in _KEYS if key not in missing}
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise QualityChallengeError(f"{path.name} cannot be read: {error}") from error
    if missing:
        raise QualityChallengeError(f"{path.name} lacks {', '.join(missing)}")
    signals, quality = arrays["X"], arrays["quality"]
    leads = [str(lead) for lead in arrays["leads"]]
    if signals.ndim != 3 or signals.shape[2] != len(leads) or quality.shape != signals.shape[:1]:
        raise QualityChallengeError(
            f"{path.name}: X {signals.shape}, {len(leads)} leads and quality {quality.shape} "
            "disagree; expected X (records, samples, leads) and one quality a record"
        )
    scale, rate = float(arrays["scale"]), float(arrays["fs"])
    for number, row in enumerate(signals):
        values = (row.T * scale).astype(np.float32)
        source = Source("npz", sha256(row.tobytes()).hexdigest())
        yield (
            Recording.from_leads(f"{path.stem}-{number}", values, leads, rate, source),
            bool(quality[number] == 0),
        )
