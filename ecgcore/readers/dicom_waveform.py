"""The waveform of a DICOM ECG: multiplex groups to millivolts.

A file may hold a rhythm, its median beat and more; the original, longest group with most leads is
the recording, and the others serve as witnesses: where they state another rate or sensitivity for
the same lead, somebody is wrong and the reader says so. DICOM PS3.3 C.10.9 (Waveform Module);
PS3.3 A.34.3 to A.34.5 (ECG objects: 16 or 32 bit signed samples, 8 bit in general ECG of old).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ecgcore.readers.dicom_channels import MV_PER_UNIT, Channel, read_channel
from ecgcore.readers.dicom_elements import Item, damaged
from ecgcore.readers.plausibility import rate_warnings, require_length, require_values
from ecgcore.recording import RecordingError, Signal

_SAMPLE_TYPES: dict[tuple[int, str], str] = {
    (8, "SB"): "<i1", (8, "UB"): "<u1", (16, "SS"): "<i2", (16, "US"): "<u2",
    (32, "SL"): "<i4", (32, "UL"): "<u4",
}  # fmt: skip
_MOST_CHANNELS = 64
_SHORTEST_DERIVED_SECONDS = 2.5
"""A derived group this long (a column of a 3x4 print) is a rhythm; a shorter one a median beat."""

_ALIGNED_SAMPLES = 0.5
_LARGEST_RELATIVE_SKEW_SECONDS = 0.005
"""A fifth of a millimetre at 25 mm/s is 8 ms; QRS onsets between leads are compared to 5 ms."""


@dataclass(frozen=True)
class Group:
    """One multiplex group, its samples still as stored: (channels, samples)."""

    number: int
    label: str
    original: bool
    rate: float
    channels: tuple[Channel, ...]
    stored: NDArray[np.integer]
    padding: int | None
    warnings: tuple[str, ...]

    @property
    def leads(self) -> tuple[str, ...]:
        """The standard leads of the group, in its own order."""
        return tuple(channel.lead for channel in self.channels if channel.lead is not None)

    @property
    def seconds(self) -> float:
        """Length in seconds."""
        return int(self.stored.shape[1]) / self.rate

    @property
    def title(self) -> str:
        """How to speak of the group."""
        return f"group {self.number} ({self.label or 'unnamed'}, {self.seconds:.3g} s)"


def read_group(item: Item, number: int) -> Group:
    """One item of the Waveform Sequence; ``number`` counts from 1.

    Raises RecordingError where counts, sizes and types contradict each other.
    """
    rate = item.decimal(0x003A001A, "Sampling Frequency")
    if rate is None:
        raise damaged(f"group {number} states no sampling frequency")
    warnings = list(rate_warnings(rate))
    channel_count = item.integer(0x003A0005, "Number of Waveform Channels", "US") or 0
    definitions = item.items(0x003A0200, "Channel Definition Sequence")
    if not 1 <= channel_count <= _MOST_CHANNELS or len(definitions) != channel_count:
        raise damaged(
            f"group {number} says {channel_count} channels and defines {len(definitions)} "
            f"(1 to {_MOST_CHANNELS} are allowed)"
        )
    originality = item.text(0x003A0004, "Waveform Originality", "CS")
    if originality not in ("ORIGINAL", "DERIVED"):
        raise damaged(f"group {number} has the originality {originality!r}")
    stored, padding = _samples(item, number, channel_count, rate)
    channels = tuple(read_channel(c, i, rate) for i, c in enumerate(definitions, 1))
    for channel in channels:
        warnings += channel.warnings
        warnings += _check_stored(channel, stored[channel.number - 1], padding)
    return Group(
        number, item.text(0x003A0020, "Multiplex Group Label", "SH") or "",
        originality == "ORIGINAL", rate, channels, stored, padding, tuple(warnings),
    )  # fmt: skip


def _samples(
    item: Item, number: int, channels: int, rate: float
) -> tuple[NDArray[np.integer], int | None]:
    """The stored samples (channels, samples) and the padding value."""
    count = item.integer(0x003A0010, "Number of Waveform Samples", "UL") or 0
    require_length(count, rate)
    require_values(channels * count)
    bits = item.integer(0x54001004, "Waveform Bits Allocated", "US") or 0
    interpretation = item.text(0x54001006, "Waveform Sample Interpretation", "CS") or ""
    kind = _SAMPLE_TYPES.get((bits, interpretation))
    if kind is None:
        raise RecordingError(
            f"DICOM: group {number} has {bits} bit samples of the interpretation "
            f"{interpretation!r}",
            ", ".join(f"{b} bit {i}" for b, i in _SAMPLE_TYPES),
            "export the recording as 12-lead ECG (16 bit SS)",
        )
    data = item.raw(0x54001010, "Waveform Data", "OW", "OB") or b""
    expected = channels * count * bits // 8
    if len(data) - expected not in (0, expected % 2):
        raise damaged(
            f"group {number} holds {len(data)} bytes where {channels} channels x {count} samples "
            f"of {bits} bits are {expected}"
        )
    padding = item.raw(0x5400100A, "Waveform Padding Value", "OW", "OB")
    if padding and len(padding) != max(bits // 8, 2):
        raise damaged(f"group {number} has a padding value of {len(padding)} bytes")
    stored = np.frombuffer(data, kind, channels * count).reshape(count, channels).T
    return stored, int(np.frombuffer(padding, kind, 1)[0]) if padding else None


def _check_stored(
    channel: Channel, samples: NDArray[np.integer], padding: int | None
) -> tuple[str, ...]:
    """Samples must fit the bits and the extremes that the channel states, if it states them."""
    if channel.lead is None:
        return ()
    present = samples if padding is None else samples[samples != padding]
    if not present.size:
        return ()
    low, high = int(present.min()), int(present.max())
    bits = channel.bits_stored
    if bits is not None:
        signed = samples.dtype.kind == "i"
        allowed = (
            (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if signed and bits else (0, 2**bits - 1)
        )
        if not 1 <= bits <= 8 * samples.dtype.itemsize or low < allowed[0] or high > allowed[1]:
            raise damaged(
                f"{channel.name} has samples from {low} to {high} and says {bits} bits stored"
            )
    warnings = []
    for stated, found, name in zip(
        channel.extremes, (low, high), ("least", "largest"), strict=True
    ):
        if stated and len(stated) >= samples.dtype.itemsize:
            value = int(np.frombuffer(stated, samples.dtype, 1)[0])
            if found < value if name == "least" else found > value:
                warnings.append(f"{channel.name}: its {name} sample is {found}, not {value}.")
    return tuple(warnings)


def choose_group(groups: tuple[Group, ...]) -> tuple[Group, tuple[str, ...]]:
    """The group that is the recording, and what is to say about the others."""
    usable = [
        group for group in groups
        if group.leads and (group.original or group.seconds >= _SHORTEST_DERIVED_SECONDS)
    ]  # fmt: skip
    if not usable:
        raise RecordingError(
            f"DICOM: {len(groups)} waveform groups, none of them a recording of ECG leads "
            f"({'; '.join(group.title for group in groups) or 'no group'})",
            "at least one original group with a lead of the twelve",
            "export the rhythm, not only the median beat",
        )
    chosen = max(usable, key=lambda g: (g.original, len(g.leads), g.seconds, -g.number))
    warnings = [] if chosen.original else [f"DICOM: {chosen.title} is derived, not original."]
    for group in groups:
        if group is not chosen:
            warnings.append(f"DICOM: {group.title} is in the file too and is not shown.")
            warnings += _disagreements(chosen, group)
    return chosen, tuple(warnings)


def _disagreements(chosen: Group, other: Group) -> list[str]:
    """Where two groups of one file state different things about the same lead."""
    found: list[str] = []
    if other.rate != chosen.rate:
        found.append(
            f"DICOM: {other.title} was sampled at {other.rate:g} Hz, this recording at "
            f"{chosen.rate:g} Hz: one of the rates may be wrong."
        )
    theirs = {channel.lead: channel for channel in other.channels if channel.lead}
    for channel in chosen.channels:
        twin = theirs.get(channel.lead) if channel.lead else None
        if twin is None:
            continue
        same_step = math.isclose(channel.mv_per_step, twin.mv_per_step, rel_tol=1e-9)
        if not same_step or channel.baseline != twin.baseline:
            found.append(
                f"DICOM: lead {channel.lead} has {1e3 * channel.mv_per_step:.6g} uV a step and "
                f"baseline {channel.baseline:g}, but {1e3 * twin.mv_per_step:.6g} uV and "
                f"{twin.baseline:g} in {other.title}: one of them may be wrong."
            )
    both = [lead for lead in chosen.leads if lead in other.leads]
    if len(both) < len(other.leads) or both != [lead for lead in other.leads if lead in both]:
        found.append(f"DICOM: {other.title} has its leads in another order, or other leads.")
    return found


def to_millivolts(group: Group) -> tuple[Signal, tuple[str, ...], tuple[str, ...]]:
    """The group's leads as float32 mV (leads, samples), their names, and warnings.

    Samples of the padding value are NaN. Raises RecordingError when the leads are not simultaneous.
    """
    channels = [channel for channel in group.channels if channel.lead is not None]
    signal = np.empty((len(channels), group.stored.shape[1]), dtype=np.float32)
    warnings: list[str] = []
    for row, channel in enumerate(channels):
        stored = group.stored[channel.number - 1]
        volts = stored * (channel.sensitivity * channel.correction) + channel.baseline
        signal[row] = volts * MV_PER_UNIT[channel.unit]
        missing = stored == group.padding if group.padding is not None else np.zeros(1, bool)
        if missing.any():
            signal[row, missing] = np.nan
            warnings.append(f"{channel.name}: {int(missing.sum())} samples are marked as missing.")
    steps = {f"{1e3 * channel.mv_per_step:.9g}" for channel in channels}
    if len(steps) > 1:
        warnings.append(
            f"DICOM: the leads have different sensitivities ({', '.join(sorted(steps))} uV a "
            "step): one of them may be wrong."
        )
    baselines = {channel.baseline * MV_PER_UNIT[channel.unit] for channel in channels}
    if baselines != {0.0}:
        shown = ", ".join(f"{b:.6g}" for b in sorted(baselines))
        warnings.append(f"DICOM: the leads lie on baselines of {shown} mV, which were added.")
    warnings += _skew_warnings(channels, group.rate)
    return signal, tuple(str(channel.lead) for channel in channels), tuple(warnings)


def _skew_warnings(channels: list[Channel], rate: float) -> tuple[str, ...]:
    skews = [channel.skew_seconds for channel in channels]
    spread = max(skews) - min(skews)
    if spread > _LARGEST_RELATIVE_SKEW_SECONDS:
        raise RecordingError(
            f"DICOM: the leads begin up to {1e3 * spread:.3g} ms apart",
            f"leads that begin within {1e3 * _LARGEST_RELATIVE_SKEW_SECONDS:g} ms of each other",
            "export the recording with simultaneous leads",
        )
    if spread * rate > _ALIGNED_SAMPLES:
        return (f"DICOM: the leads begin up to {1e3 * spread:.3g} ms apart; not corrected.",)
    return ()
