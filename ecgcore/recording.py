"""The recording: what every reader returns and everything else takes.

Signals are millivolts, float32, shaped (leads, samples), in the standard lead order. The lead
algebra follows Einthoven (III = II - I) and Goldberger (aVR = -(I + II) / 2, aVL = I - II / 2, aVF
= II - I / 2), see Kligfield et al., AHA/ACC/HRS Recommendations for the Standardization and
Interpretation of the Electrocardiogram, Part I, Circulation 2007;115:1306-1324.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import sha256
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Signal = NDArray[np.float32]
Sex = Literal["M", "F"]

SIMULATED = "Simulated, not of a person."
"""The warning that every simulated recording carries wherever it goes."""
VOLTAGES_IN_DOUBT = "Voltages are not true; times are."
"""How a reader's warning ends where the file's own gains contradict each other."""

LIMB_LEADS: tuple[str, ...] = ("I", "II", "III", "aVR", "aVL", "aVF")
CHEST_LEADS: tuple[str, ...] = ("V1", "V2", "V3", "V4", "V5", "V6")
LEADS: tuple[str, ...] = LIMB_LEADS + CHEST_LEADS

_LEAD_BY_LETTERS = {lead.upper(): lead for lead in LEADS}
_LEAD_BY_LETTERS |= {"1": "I", "2": "II", "3": "III", "L1": "I", "L2": "II", "L3": "III"}
_LEAD_PREFIX = re.compile(
    r"^(?:ECG|EKG|MDC_ECG_LEAD|LEAD|ML(?=[I1-3])|M(?=V\d)|D(?=[I1-3]))[\s_:-]*"
)

# The limb leads as (share of I, share of II); any two of them give the other four.
_LIMB_SHARES: dict[str, tuple[float, float]] = {
    "I": (1.0, 0.0),
    "II": (0.0, 1.0),
    "III": (-1.0, 1.0),
    "aVR": (-0.5, -0.5),
    "aVL": (1.0, -0.5),
    "aVF": (-0.5, 1.0),
}


class RecordingError(ValueError):
    """A recording that cannot be trusted: what was given, what is allowed, what to do.

    ``str(error)`` is one readable text of the three; each is also an attribute.
    """

    def __init__(self, given: str, allowed: str, remedy: str) -> None:
        self.given, self.allowed, self.remedy = given, allowed, remedy
        super().__init__(f"{given}. Allowed: {allowed}. What to do: {remedy}.")


@dataclass(frozen=True)
class Patient:
    """Whom the recording is of; ``age`` in years, ``sex`` as stored (never guessed)."""

    patient_id: str | None = None
    age: float | None = None
    sex: Sex | None = None


@dataclass(frozen=True)
class Statement:
    """One statement that the file makes about the recording.

    ``system`` names the code system ("SCP-ECG", "SNOMED CT", "text" for free text); ``likelihood``
    is 0 to 100 percent where the file states one.
    """

    code: str
    system: str
    likelihood: float | None = None


@dataclass(frozen=True)
class StatedMeasurement:
    """One measurement that the file states, as the recorder computed it.

    ``name`` is ours for the same thing ("pr_ms"; "qtc_ms" by a formula that the file does not
    name), ``number`` is in its unit.
    """

    name: str
    number: float


@dataclass(frozen=True)
class Source:
    """Where a recording came from; ``sha256`` is over the bytes of all its files in name order.

    ``stated`` is what a user said of the file because it does not say it itself ("250 Hz, uV").
    """

    format: str
    sha256: str
    warnings: tuple[str, ...] = ()
    stated: str = ""

    @property
    def identity(self) -> str:
        """What is found about a recording is kept by this: its bytes, and what was stated."""
        whole = f"{self.sha256} {self.stated}".encode()
        return sha256(whole).hexdigest() if self.stated else self.sha256

    @property
    def voltages_in_doubt(self) -> bool:
        """Whether millivolts must not be read off: the file's gains are known to be false."""
        return any(warning.endswith(VOLTAGES_IN_DOUBT) for warning in self.warnings)


@dataclass(frozen=True)
class Recording:
    """A resting ECG.

    ``signal`` is (leads, samples) float32 in mV, read-only; a sample that the file marks as missing
    is NaN. ``leads`` are standard names in standard order. ``computed`` names the leads that were
    not in the file but follow from the others by the lead algebra. ``statements`` and
    ``measurements`` are what the file says, not what we found.

    Raises RecordingError when shape, rate, names or order break these promises.
    """

    record_id: str
    signal: Signal
    sampling_rate: float
    leads: tuple[str, ...]
    source: Source
    patient: Patient = field(default_factory=Patient)
    recorded_at: datetime | None = None
    statements: tuple[Statement, ...] = ()
    computed: tuple[str, ...] = ()
    measurements: tuple[StatedMeasurement, ...] = ()

    def __post_init__(self) -> None:
        if self.signal.ndim != 2 or self.signal.dtype != np.float32:
            raise RecordingError(
                f"signal of shape {self.signal.shape} and type {self.signal.dtype}",
                "a float32 array (leads, samples) in mV",
                "convert the signal before building a Recording",
            )
        if self.signal.shape[0] != len(self.leads) or not self.leads:
            raise RecordingError(
                f"{self.signal.shape[0]} signals for {len(self.leads)} lead names",
                "one name a signal, at least one",
                "name every signal",
            )
        if self.leads != tuple(lead for lead in LEADS if lead in self.leads):
            raise RecordingError(
                f"leads {', '.join(self.leads)}",
                f"standard names, each once, in the order {', '.join(LEADS)}",
                "sort them with Recording.from_leads",
            )
        if not (np.isfinite(self.sampling_rate) and self.sampling_rate > 0):
            raise RecordingError(
                f"sampling rate {self.sampling_rate}",
                "a positive number of Hz",
                "state the true sampling rate",
            )
        self.signal.setflags(write=False)

    @classmethod
    def from_leads(
        cls,
        record_id: str,
        samples: Signal,
        names: Sequence[str],
        sampling_rate: float,
        source: Source,
        *,
        patient: Patient | None = None,
        recorded_at: datetime | None = None,
        statements: Iterable[Statement] = (),
        measurements: Iterable[StatedMeasurement] = (),
    ) -> Recording:
        """Build a recording from leads in any order and spelling.

        ``samples`` is (leads, samples) in mV and row i belongs to ``names[i]``.
        Raises RecordingError for an unknown or repeated lead.
        """
        standard = [standard_lead(name) for name in names]
        for lead in standard:
            if standard.count(lead) > 1:
                raise RecordingError(
                    f"lead {lead} is there {standard.count(lead)} times",
                    "each lead once",
                    "remove or rename the repeated lead",
                )
        leads = tuple(lead for lead in LEADS if lead in standard)
        if leads != tuple(standard):
            samples = samples[[standard.index(lead) for lead in leads]]
        return cls(
            record_id=record_id,
            signal=np.ascontiguousarray(samples, dtype=np.float32),
            sampling_rate=float(sampling_rate),
            leads=leads,
            source=source,
            patient=patient or Patient(),
            recorded_at=recorded_at,
            statements=tuple(statements),
            measurements=tuple(measurements),
        )

    @property
    def samples(self) -> int:
        """Number of samples of each lead."""
        return int(self.signal.shape[1])

    @property
    def seconds(self) -> float:
        """Length in seconds."""
        return self.samples / self.sampling_rate

    def lead(self, name: str) -> Signal:
        """One lead's samples in mV, shape (samples,), by any spelling of its name."""
        lead = standard_lead(name)
        if lead not in self.leads:
            raise RecordingError(
                f"lead {lead} was asked for",
                f"the leads recorded: {', '.join(self.leads)}",
                "choose one of them",
            )
        return self.signal[self.leads.index(lead)]  # type: ignore[no-any-return]

    def with_warnings(self, *warnings: str) -> Recording:
        """The same recording with further reading warnings."""
        merged = self.source.warnings + tuple(w for w in warnings if w not in self.source.warnings)
        return replace(self, source=replace(self.source, warnings=merged))


def standard_lead(name: str) -> str:
    """The standard name of a lead from any spelling in use ("avr", "MLII", "ECG Lead v1", "II ").

    Raises RecordingError when the name is none of the twelve leads.
    """
    letters = name.strip().upper()
    letters = _LEAD_PREFIX.sub("", _LEAD_PREFIX.sub("", letters)).strip()
    lead = _LEAD_BY_LETTERS.get(letters) or _LEAD_BY_LETTERS.get(letters.replace(" ", ""))
    if lead is None:
        raise RecordingError(
            f"lead name {name[:40]!r}",
            f"the twelve standard leads {', '.join(LEADS)} in any usual spelling",
            "rename the lead, or leave this channel out",
        )
    return lead


def limb_lead(name: str, given: dict[str, Signal]) -> Signal:
    """One limb lead, shape (samples,) in mV, from any two others in ``given`` (Einthoven,
    Goldberger).

    Raises RecordingError when ``given`` holds fewer than two limb leads.
    """
    pair = [lead for lead in LIMB_LEADS if lead in given][:2]
    if len(pair) < 2 or name not in _LIMB_SHARES:
        raise RecordingError(
            f"lead {name} from {', '.join(given) or 'no leads'}",
            "a limb lead from two other limb leads",
            "record at least two limb leads",
        )
    basis = np.array([_LIMB_SHARES[lead] for lead in pair])
    first, second = np.linalg.solve(basis.T, np.array(_LIMB_SHARES[name]))
    one, two = (given[lead].astype(np.float64) for lead in pair)
    mixed: Signal = (first * one + second * two).astype(np.float32)
    return mixed


def complete_limb_leads(recording: Recording) -> Recording:
    """The recording with its missing limb leads computed and named in ``computed``.

    Eight recorded leads (I, II, V1-V6) become twelve. A recording with fewer than two limb leads,
    or with all six, is returned as it is.
    """
    given = {lead: recording.lead(lead) for lead in LIMB_LEADS if lead in recording.leads}
    missing = tuple(lead for lead in LIMB_LEADS if lead not in given)
    if len(given) < 2 or not missing:
        return recording
    everything = {lead: recording.lead(lead) for lead in recording.leads}
    everything |= {lead: limb_lead(lead, given) for lead in missing}
    leads = tuple(lead for lead in LEADS if lead in everything)
    return replace(
        recording,
        signal=np.stack([everything[lead] for lead in leads]),
        leads=leads,
        computed=tuple(
            lead for lead in LIMB_LEADS if lead in missing or lead in recording.computed
        ),
    )


def limb_lead_residuals(signal: Signal, leads: Sequence[str]) -> dict[str, Signal]:
    """How far each derived limb lead is from what I and II say, in mV, shape (samples,) each.

    Only the leads III, aVR, aVL, aVF that are in ``leads`` are given, and only if I and II are too.
    All are near zero in a true recording (rounding: a few units of the least significant bit).
    """
    if "I" not in leads or "II" not in leads:
        return {}
    one, two = signal[leads.index("I")], signal[leads.index("II")]
    residuals: dict[str, Signal] = {}
    for lead in LIMB_LEADS[2:]:
        if lead in leads:
            share_one, share_two = (
                np.float32(_LIMB_SHARES[lead][0]),
                np.float32(_LIMB_SHARES[lead][1]),
            )
            residuals[lead] = signal[leads.index(lead)] - (share_one * one + share_two * two)
    return residuals
