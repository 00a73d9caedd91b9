"""What a network may be told beside the signal: age, sex, what rules found, what was measured.

An input's aside values are one flat float32 row, a block a name in the order of the model's
``InputSpec.aside``. NaN means not known, in every block alike: an age that the file does not state,
a rule that could not be measured in this recording. How a value enters the network (one-hot
decades, a mask) is the network's own affair.

Biomarkers are measured on what the network itself sees, see ``biomarkers``. Rules are measured on
the whole recording, with the waves that the product shows (``DEFAULT_METHOD`` of the delineation),
so that a model is told what the rules' own page says.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from ecgcore.models.biomarkers import BIOMARKERS, biomarkers
from ecgcore.recording import Recording, Sex, complete_limb_leads

AsideName = Literal["age", "sex", "rules:paper", "biomarkers"]
ASIDE_NAMES: tuple[AsideName, ...] = get_args(AsideName)

Seen = tuple[NDArray[np.floating], float]
"""Conditioned leads (leads, samples), as ``biomarkers`` takes them, and their rate (Hz)."""

MALE, FEMALE = 1.0, 2.0
"""Codes of sex, as HRNN's paper has them; its 0 for a missing sex is NaN here."""

SEX_CODES: dict[Sex, float] = {"M": MALE, "F": FEMALE}

PAPER_RULES: tuple[str, ...] = (
    "PRWP", "SARRH", "TACH", "BRAD", "RAD", "LAD", "LVOLT", "LNGQT", "CWR", "CCWR", "1AVB", "QWAVE",
    "TAB_", "RAO/RAE", "VCLVH",
)  # fmt: skip
"""Labels of the 15 rules of the criteria set ``paper``, in the order of the columns. They stand
here, and not only in the criteria's file, because trained weights rely on the order."""

ASIDE_COLUMNS: dict[AsideName, tuple[str, ...]] = {
    "age": ("age",),
    "sex": ("sex",),
    "rules:paper": PAPER_RULES,
    "biomarkers": BIOMARKERS,
}
"""Columns of each block: age in years, sex as MALE or FEMALE, a rule 1 (fired) or 0, and biomarkers
in their units."""


def aside_columns(names: Sequence[AsideName]) -> tuple[str, ...]:
    """The columns of a row of aside values, in order."""
    return tuple(column for name in names for column in ASIDE_COLUMNS[name])


def rule_columns(names: Sequence[AsideName]) -> list[int]:
    """Which columns of a row are rules' answers."""
    return [at for at, column in enumerate(aside_columns(names)) if column in PAPER_RULES]


def aside_row(
    recording: Recording, names: Sequence[AsideName], seen: Seen | None = None
) -> NDArray[np.float32]:
    """The aside values of a recording, (columns,) float32; NaN where something is not known.

    ``seen`` is what biomarkers are measured on; ValueError where they are asked for without it.
    """
    blocks = [_block(recording, name, seen) for name in names]
    return np.array([value for block in blocks for value in block], dtype=np.float32)


def aside_warnings(row: NDArray[np.float32], names: Sequence[AsideName]) -> tuple[str, ...]:
    """What a model had to do without, as sentences."""
    unknown = [c for c, v in zip(aside_columns(names), row, strict=True) if not np.isfinite(v)]
    said = [
        f"the recording states no {name}; the model answers without it"
        for name in ("age", "sex")
        if name in unknown
    ]
    rules = [column for column in unknown if column in PAPER_RULES]
    if rules:
        said.append(f"not decided here, so that the model is told nothing of: {', '.join(rules)}")
    return tuple(said)


def _block(recording: Recording, name: AsideName, seen: Seen | None) -> list[float]:
    patient = recording.patient
    if name == "biomarkers":
        if seen is None:
            raise ValueError("biomarkers are measured on a conditioned signal; give it")
        signal, rate = seen
        return list(_biomarkers(signal.tobytes(), signal.dtype.str, len(signal), rate))
    if name == "age":
        return [np.nan if patient.age is None else patient.age]
    if name == "sex":
        return [np.nan if patient.sex is None else SEX_CODES[patient.sex]]
    return _rules(recording, name.removeprefix("rules:"), ASIDE_COLUMNS[name])


@lru_cache(maxsize=64)
def _biomarkers(signal: bytes, kind: str, leads: int, rate: float) -> tuple[float, ...]:
    """Measured once for all steps of an answer and its explanation: a fifth of a second."""
    values = np.frombuffer(signal, dtype=kind).reshape(leads, -1)
    return tuple(biomarkers(values, rate).tolist())


def _rules(recording: Recording, criteria: str, labels: tuple[str, ...]) -> list[float]:
    """1, 0 or NaN (not decided) a label."""
    from ecgcore.rules.applying import findings_of

    findings = findings_of(complete_limb_leads(recording), criteria)
    fired = {finding.label: finding.fired for finding in findings}
    return [np.nan if (answer := fired[label]) is None else float(answer) for label in labels]
