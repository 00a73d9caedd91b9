"""The channels of a DICOM waveform: which lead, how many millivolts a unit, how late.

DICOM PS3.3 C.10.9 (Waveform Module), C.10.9.1.4 (channel definition), PS3.16 CID 3001 (ECG leads:
MDC 2:n, formerly SCPECG 5.6.3-9-n, both with the lead numbers of SCP-ECG, EN 1064 section 5.6.3),
CID 3082 (units). A channel says its lead up to three times (code, meaning, label): they must agree.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ecgcore.readers.dicom_elements import Item, damaged
from ecgcore.recording import RecordingError

LEAD_NUMBERS: dict[int, str] = {
    1: "I", 2: "II", 3: "V1", 4: "V2", 5: "V3", 6: "V4", 7: "V5", 8: "V6",
    61: "III", 62: "aVR", 63: "aVL", 64: "aVF",
}  # fmt: skip
"""SCP-ECG's lead numbers, which both code systems use."""

MV_PER_UNIT: dict[str, float] = {"nV": 1e-6, "uV": 1e-3, "mV": 1.0, "V": 1e3}
"""UCUM codes of voltage, which are case sensitive (MV is the megavolt)."""

_UNIT_NAMES: dict[str, str] = {
    "nanovolt": "nV", "nv": "nV", "microvolt": "uV", "uv": "uV", "µv": "uV", "μv": "uV",
    "millivolt": "mV", "mv": "mV", "volt": "V", "v": "V",
}  # fmt: skip
_CODE = {"SCPECG": re.compile(r"5\.6\.3-9-(\d{1,5})"), "MDC": re.compile(r"2:(\d{1,5})")}
_MDC_NAME = "MDC_ECG_LEAD_"
_LEAD_WORD = re.compile(r"(?<![A-Z0-9])(AVR|AVL|AVF|V[1-6]|III|II|I)(?![A-Z0-9])")
_LEAD_BY_WORD = {lead.upper(): lead for lead in LEAD_NUMBERS.values()}


@dataclass(frozen=True)
class Channel:
    """One channel: ``lead`` is None for one that is none of the twelve (V7, X, respiration).

    Voltage in ``unit`` is ``sample * sensitivity * correction + baseline``.
    """

    number: int
    lead: str | None
    name: str
    unit: str
    sensitivity: float
    correction: float
    baseline: float
    skew_seconds: float
    bits_stored: int | None
    extremes: tuple[bytes | None, bytes | None]
    warnings: tuple[str, ...]

    @property
    def mv_per_step(self) -> float:
        """Millivolts of one step of the stored samples."""
        return self.sensitivity * self.correction * MV_PER_UNIT[self.unit]


def read_channel(item: Item, number: int, rate: float) -> Channel:
    """One item of the Channel Definition Sequence; ``number`` counts from 1, ``rate`` is in Hz.

    Raises RecordingError when the lead or the voltage cannot be told, or is told in two ways. A
    channel that is none of the twelve leads is returned without looking at its units.
    """
    warnings: list[str] = []
    lead, name = _lead(item, number, warnings)
    if lead is None:
        return Channel(number, None, name, "mV", 1, 1, 0, 0, None, (None, None), tuple(warnings))
    unit = _unit(item, name, warnings)
    sensitivity, correction, baseline = _scale(item, name, warnings)
    _note_state(item, name, warnings)
    return Channel(
        number, lead, name, unit, sensitivity, correction, baseline,
        skew_seconds=_skew(item, name, rate, warnings),
        bits_stored=item.integer(0x003A021A, "Waveform Bits Stored", "US"),
        extremes=(
            item.raw(0x54000110, "Channel Minimum Value", "OB", "OW"),
            item.raw(0x54000112, "Channel Maximum Value", "OB", "OW"),
        ),
        warnings=tuple(warnings),
    )  # fmt: skip


def _lead(item: Item, number: int, warnings: list[str]) -> tuple[str | None, str]:
    """The channel's standard lead, or None, and the name to show."""
    sources = item.items(0x003A0208, "Channel Source Sequence")
    if len(sources) != 1:
        raise damaged(f"channel {number} has {len(sources)} sources where it must have one")
    code = sources[0].text(0x00080100, "Code Value", "SH") or ""
    system = sources[0].text(0x00080102, "Coding Scheme Designator", "SH") or ""
    meaning = sources[0].text(0x00080104, "Code Meaning", "LO") or ""
    label = item.text(0x003A0203, "Channel Label", "SH") or ""
    by_code = _lead_by_code(code, system, number, warnings)
    by_words = {word: lead_in_words(word) for word in (meaning, label) if word}
    told = {lead for lead in (by_code, *by_words.values()) if lead is not None}
    shown = meaning or label or code
    known_system = system in _CODE
    if len(told) > 1 or (told and by_code is None and known_system):
        raise RecordingError(
            f"DICOM: channel {number} has the lead code {code!r} ({system}), the meaning "
            f"{meaning!r} and the label {label!r}",
            "a code, a meaning and a label of one and the same lead",
            "correct the channel source in the file",
        )
    if not told:
        warnings.append(
            f"Channel {number} ({shown[:40]}) is none of the twelve leads and was left out."
        )
        return None, shown
    if lead_in_words(meaning) is None:
        warnings.append(f"Channel {number}: the meaning {meaning[:40]!r} names no lead we know.")
    if item.items(0x003A0209, "Channel Source Modifiers Sequence"):
        warnings.append(f"Channel {number} ({shown[:40]}) has source modifiers: see the file.")
    return told.pop(), shown


def _lead_by_code(code: str, system: str, number: int, warnings: list[str]) -> str | None:
    if system not in _CODE:
        warnings.append(
            f"Channel {number}: lead code {code[:20]!r} is of the code system {system[:20]!r}, not "
            "SCPECG or MDC; its name was believed."
        )
        return None
    if system == "MDC" and code.startswith(_MDC_NAME):
        return lead_in_words(code.removeprefix(_MDC_NAME))
    match = _CODE[system].fullmatch(code)
    return LEAD_NUMBERS.get(int(match.group(1))) if match else None


def lead_in_words(text: str) -> str | None:
    """The one lead that a text names ("Lead I (Einthoven)", "aVR, augmented voltage, right")."""
    named = {_LEAD_BY_WORD[word] for word in _LEAD_WORD.findall(text.upper())}
    return named.pop() if len(named) == 1 else None


def _unit(item: Item, name: str, warnings: list[str]) -> str:
    units = item.items(0x003A0211, "Channel Sensitivity Units Sequence")
    code = units[0].text(0x00080100, "Code Value", "SH") if len(units) == 1 else None
    if code not in MV_PER_UNIT:
        raise RecordingError(
            f"DICOM: {name} has the unit {code!r}",
            f"one of the UCUM units {', '.join(MV_PER_UNIT)}",
            "correct the sensitivity units in the file",
        )
    system = units[0].text(0x00080102, "Coding Scheme Designator", "SH")
    meaning = units[0].text(0x00080104, "Code Meaning", "LO") or ""
    by_meaning = _UNIT_NAMES.get(meaning.lower(), _UNIT_NAMES.get(meaning.lower().rstrip("s")))
    if by_meaning not in (None, code):
        raise RecordingError(
            f"DICOM: {name} has the unit code {code!r} with the meaning {meaning!r}",
            "a code and a meaning of one and the same unit",
            "correct the sensitivity units in the file",
        )
    if by_meaning is None:
        warnings.append(f"{name}: the unit's meaning {meaning[:40]!r} is not that of {code}.")
    if system != "UCUM":
        warnings.append(f"{name}: the unit {code} is of the code system {system}, not UCUM.")
    return code


def _scale(item: Item, name: str, warnings: list[str]) -> tuple[float, float, float]:
    """Sensitivity, correction factor and baseline, plausible each."""
    sensitivity = item.decimal(0x003A0210, "Channel Sensitivity")
    correction = item.decimal(0x003A0212, "Channel Sensitivity Correction Factor")
    baseline = item.decimal(0x003A0213, "Channel Baseline")
    if sensitivity is None or not 0 < sensitivity < 1e6:
        raise RecordingError(
            f"DICOM: {name} has the sensitivity {sensitivity}",
            "a positive number of units a step",
            "correct the channel sensitivity in the file",
        )
    if correction is None:
        warnings.append(f"{name} states no sensitivity correction factor; 1 was taken.")
        correction = 1.0
    elif not 0.5 <= correction <= 2:
        raise RecordingError(
            f"DICOM: {name} has the sensitivity correction factor {correction:g}",
            "0.5 to 2 (it corrects a nominal sensitivity)",
            "correct the factor in the file",
        )
    elif correction != 1:
        warnings.append(f"{name}: its voltage is corrected by the factor {correction:g}.")
    if baseline is None:
        warnings.append(f"{name} states no baseline; 0 was taken.")
        baseline = 0.0
    return sensitivity, correction, baseline


_LARGEST_SKEW_SECONDS = 0.1


def _skew(item: Item, name: str, rate: float, warnings: list[str]) -> float:
    """Seconds by which the channel's first sample is later than the group's."""
    seconds = item.decimal(0x003A0214, "Channel Time Skew")
    steps = item.decimal(0x003A0215, "Channel Sample Skew")
    if seconds is None and steps is None:
        warnings.append(f"{name} states no skew; 0 was taken.")
    if seconds is not None and steps is not None and abs(seconds - steps / rate) > 0.5 / rate:
        raise damaged(f"{name} is skewed by {seconds:g} s and by {steps:g} samples at {rate:g} Hz")
    skew = seconds if seconds is not None else (steps or 0.0) / rate
    if abs(skew) > _LARGEST_SKEW_SECONDS:
        raise RecordingError(
            f"DICOM: {name} is skewed by {skew:g} s",
            f"at most {_LARGEST_SKEW_SECONDS:g} s",
            "export the recording with simultaneous leads",
        )
    offset = item.decimal(0x003A0218, "Channel Offset")
    if offset:
        warnings.append(f"{name} asks for an offset of {offset:g} s, which was not applied.")
    return skew


def _note_state(item: Item, name: str, warnings: list[str]) -> None:
    """What the device itself says about the channel (CS: OK, DISCONNECTED, TEST DATA ...)."""
    status = item.text(0x003A0205, "Channel Status", "CS")
    if status is not None and status != "OK":
        warnings.append(f"{name}: the device marks this channel {status[:60]}.")
