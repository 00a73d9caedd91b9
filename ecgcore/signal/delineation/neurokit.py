"""NeuroKit2's delineation, guarded: what it cannot read is refused with the reason.

Makowski et al., NeuroKit2: A Python Toolbox for Neurophysiological Signal Processing, Behavior
Research Methods 2021;53:1689-1696. ``prominence`` (Emrich et al., EUSIPCO 2024) is the default;
``dwt`` (Martinez et al., IEEE Trans Biomed Eng 2004;51:570-581), ``cwt`` and ``peak`` can be had.
Each lead is cleaned and read by the library alone, R peaks come from our own detection in that
lead. The library raises, and warns, on flat, short and odd leads: such a lead is left unread.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from ecgcore.signal.delineation.agreement import LeadsRead
from ecgcore.signal.delineation.waves import Marks, Wave
from ecgcore.signal.detection import bridged, detect_qrs

LibraryMethod = Literal["prominence", "dwt", "cwt", "peak"]
LIBRARY_METHODS: tuple[LibraryMethod, ...] = get_args(LibraryMethod)

_LETTER: dict[Wave, str] = {"P": "P", "QRS": "R", "T": "T"}
_REACH_SECONDS: dict[Wave, float] = {"P": 0.15, "QRS": 0.15, "T": 0.3}
"""An onset or offset of a wave lies this near to its peak."""
_R_SECONDS = 0.06
"""The R peak lies this near to the middle of the complex."""
_WHOLE_SECONDS = 0.1
"""An R peak nearer than this to either end is of a cut beat. The library looks for its Q and S
waves beyond the end and fails on the whole lead."""
_LEAST_BEATS = 3
"""The library needs RR intervals on both sides of a beat."""

# What the library is known to raise on leads that it cannot read (0.2.13, fuzzed).
_LIBRARY_ERRORS = (ValueError, IndexError, KeyError, TypeError, ZeroDivisionError, AttributeError)

_Values = NDArray[np.float64]


class LeadUnreadError(ValueError):
    """A lead that the library could not delineate, with the reason."""


@dataclass(frozen=True)
class NeurokitReader:
    """Reads leads by one of the library's methods."""

    method: LibraryMethod = "prominence"

    def __post_init__(self) -> None:
        if self.method not in LIBRARY_METHODS:
            raise ValueError(
                f"unknown NeuroKit2 method {self.method!r}; known: {', '.join(LIBRARY_METHODS)}"
            )

    def read_leads(
        self, signals: Mapping[str, NDArray[np.floating]], sampling_rate: float
    ) -> LeadsRead:
        """Marks by lead in samples at ``sampling_rate`` Hz; ``signals`` by lead, (samples,) mV."""
        marks: dict[str, dict[Wave, Marks]] = {}
        unread: dict[str, str] = {}
        for lead, samples in signals.items():
            try:
                marks[lead] = _read(samples, sampling_rate, self.method)
            except LeadUnreadError as error:
                unread[lead] = f"Lead {lead}: {error}."
        return LeadsRead(marks, unread)


def read_leads(signals: Mapping[str, NDArray[np.floating]], sampling_rate: float) -> LeadsRead:
    """Marks by the library's ``prominence`` method, see ``NeurokitReader``."""
    return NeurokitReader().read_leads(signals, sampling_rate)


def _read(
    samples: NDArray[np.floating], sampling_rate: float, method: LibraryMethod
) -> dict[Wave, Marks]:
    values = bridged(np.asarray(samples, dtype=np.float64)[None])[0]
    values = values - np.median(values)
    spread = float(np.ptp(values))
    if spread == 0:
        raise LeadUnreadError("it is flat")
    beats = detect_qrs(values[None], sampling_rate)
    whole = (_WHOLE_SECONDS + _R_SECONDS) * sampling_rate
    beats = beats[(beats >= whole) & (beats < len(values) - whole)]
    if len(beats) < _LEAST_BEATS:
        raise LeadUnreadError(
            f"{len(beats)} QRS complexes stand out; NeuroKit2 needs {_LEAST_BEATS} or more"
        )
    found, peaks = _ask(values, beats, sampling_rate, method)
    return assembled(found, peaks, sampling_rate)


def assembled(
    found: Mapping[str, Any], r_peaks: _Values, sampling_rate: float
) -> dict[Wave, Marks]:
    """The library's answer as rows of onset, peak, offset, NaN where it names none.

    Rows are put together by place, since the library's lists can lose step with each other.
    """
    marks: dict[Wave, Marks] = {}
    for wave, letter in _LETTER.items():
        peaks = r_peaks if wave == "QRS" else _places(found.get(f"ECG_{letter}_Peaks"))
        onsets = _places(found.get(f"ECG_{letter}_Onsets"))
        offsets = _places(found.get(f"ECG_{letter}_Offsets"))
        marks[wave] = _together(onsets, peaks, offsets, _REACH_SECONDS[wave] * sampling_rate)
    return marks


def _ask(
    values: _Values, beats: _Values, sampling_rate: float, method: LibraryMethod
) -> tuple[Mapping[str, Any], _Values]:
    """What the library says, and the R peaks that it was given. Raises LeadUnreadError."""
    import neurokit2

    # The library counts whole Hz; a rate between them would shift nothing but its filters.
    rate = round(sampling_rate)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # its own, and those of its dependencies
        try:
            clean = np.asarray(neurokit2.ecg_clean(values, sampling_rate=rate), dtype=np.float64)
            peaks = _r_peaks(clean, beats, sampling_rate)
            _, found = neurokit2.ecg_delineate(
                clean, rpeaks=peaks, sampling_rate=rate, method=method
            )
        except _LIBRARY_ERRORS as error:
            text = str(error).strip() or "no message"
            raise LeadUnreadError(
                f"NeuroKit2 ({method}) could not read it ({type(error).__name__}: {text[:120]})"
            ) from error
    return found, peaks.astype(np.float64)


def _r_peaks(clean: _Values, beats: _Values, sampling_rate: float) -> NDArray[np.intp]:
    """The highest sample around the middle of each complex, as the library's own detection."""
    reach = max(round(_R_SECONDS * sampling_rate), 1)
    peaks = []
    for beat in np.round(beats).astype(np.intp):
        start, stop = max(beat - reach, 0), min(beat + reach + 1, len(clean))
        peaks.append(start + int(np.argmax(clean[start:stop])))
    return np.unique(peaks)


def _places(found: Any) -> _Values:
    """The library's list of samples without what is not there."""
    places = np.array([] if found is None else found, dtype=np.float64)
    kept: _Values = np.sort(places[np.isfinite(places)])
    return kept


def _together(onsets: _Values, peaks: _Values, offsets: _Values, reach: float) -> Marks:
    rows = []
    for peak in peaks:
        before = onsets[(onsets <= peak) & (onsets >= peak - reach)]
        after = offsets[(offsets >= peak) & (offsets <= peak + reach)]
        onset = before[-1] if before.size else np.nan
        offset = after[0] if after.size else np.nan
        rows.append((onset, peak, offset))
    return np.array(rows, dtype=np.float64).reshape(-1, 3)
