"""What is measured on the very signal that a network sees: intervals, axes, waves of every lead.

"Known biomarkers joined to the latent space" is what ECGencode's authors propose as future work
(Bontinck et al. 2024). A model's input is band-passed and scaled lead by lead and holds no
millivolts, so that here an amplitude is a share of its own lead's deviation; for limb leads it is
one of all limb leads', as their true proportions follow from the equations between them. Times and
axes are those of any recording. Training data and a recording in use go the same way, and neither
the gain nor the sampling rate of the recording changes a value.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ecgcore.recording import LEADS, Patient, Recording, Source
from ecgcore.signal.axes import true_proportions
from ecgcore.signal.measured import LEAD_NAMES, OVERALL_NAMES, unit_of

_LIMB = LEADS[:6]
_OF_LENGTH = ("beats",)
"""Tells how long a recording lasts, and nothing of the heart that its rate does not."""

BIOMARKERS: tuple[str, ...] = (
    *(name for name in OVERALL_NAMES if name not in _OF_LENGTH),
    *(f"{lead}.{name}" for lead in LEADS for name in LEAD_NAMES),
    *(f"{lead}.size" for lead in _LIMB),
)
"""Names of the columns: those of ``Measurements``, and each limb lead's deviation as a share of the
largest limb lead's."""

_LIMB_MILLIVOLTS, _CHEST_MILLIVOLTS = 0.15, 0.2
"""Usual deviations of the largest limb lead and of a chest lead: what the waves are measured on has
to look like an ECG in millivolts, as the delineation expects one."""

WAVE_LIMITS = tuple(2 ** (k / 16 - 1) for k in range(33))
"""Multiples of a wave's least height and duration; each value is the mean over them. How a complex
is named for a wave near the least (QS, or a tiny R and an S) must not move an answer by itself."""


def biomarkers(conditioned: NDArray[np.floating], sampling_rate: float) -> NDArray[np.float32]:
    """The BIOMARKERS of one record, (columns,) float32; NaN where one was not measured.

    ``conditioned`` are the twelve leads (leads, samples) in standard order, scaled one by one to
    mean 0 and standard deviation 1, as ``prepare`` and packed data have them. All are NaN where no
    beat was found. Raises ValueError for other than twelve leads.
    """
    if conditioned.shape[0] != len(LEADS):
        raise ValueError(f"biomarkers of {conditioned.shape[0]} leads; give the {len(LEADS)}")
    sizes = limb_sizes(conditioned[: len(_LIMB)])
    known = np.where(np.isfinite(sizes), sizes, 1.0)
    scale = np.r_[_LIMB_MILLIVOLTS * known, np.full(len(LEADS) - len(_LIMB), _CHEST_MILLIVOLTS)]
    recording = Recording(
        record_id="input",
        signal=(conditioned * scale[:, None]).astype(np.float32),
        sampling_rate=sampling_rate,
        leads=LEADS,
        source=Source("input", ""),
        patient=Patient(),
    )
    return np.array([*_measured(recording), *sizes], dtype=np.float32)


def as_measured(name: str, value: float) -> tuple[float, str]:
    """A column's value in the unit that it truly has, and that unit.

    The columns of amplitudes look like millivolts and are none: they come back in standard
    deviations (SD) of the lead, limb leads' in those of the largest limb lead.
    """
    lead, _, inner = name.rpartition(".")
    if inner == "size":
        return value, "× largest limb lead"
    unit = unit_of(inner)
    if "mV" not in unit:
        return value, unit
    limb = lead in _LIMB
    deviation = unit.replace("mV", "× limb-lead SD" if limb else "× lead SD").replace(" ms", "·ms")
    return value / (_LIMB_MILLIVOLTS if limb else _CHEST_MILLIVOLTS), deviation


def limb_sizes(limb: NDArray[np.floating]) -> NDArray[np.float64]:
    """Each limb lead's true deviation (6,), the largest 1, from leads scaled one by one.

    NaN where the leads contradict each other or one is flat.
    """
    found = true_proportions(limb.astype(np.float64), _LIMB)
    if isinstance(found, str) or set(found) != set(_LIMB):
        return np.full(len(_LIMB), np.nan)
    sizes = np.array([found[lead] for lead in _LIMB]) * limb.std(axis=1)
    return np.asarray(sizes / sizes.max(), dtype=np.float64)


def _measured(recording: Recording) -> list[float]:
    """All but the sizes."""
    from ecgcore.signal.delineation import delineate
    from ecgcore.signal.measurements import measure

    measured = measure(recording, delineate(recording), limits=WAVE_LIMITS)
    values = (measured.value(name) for name in BIOMARKERS[: -len(_LIMB)])
    return [np.nan if value.number is None else value.number for value in values]
