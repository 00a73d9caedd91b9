"""A strict parser of WFDB headers (``.hea``): what is not exactly the grammar is refused.

The common readers are lenient: they read the gain ``2OO`` as 2, a gain of nan as 200, a rate of
-500 as 250. Here every field of every line must be spelled out and plausible, because a header is
the only thing that turns counts into millivolts and seconds. Only a malformed date is let through,
by a warning: no voltage depends on it.

Source: G. Moody et al., WFDB Applications Guide, "header(5)",
https://physionet.org/physiotools/wag/header-5.htm
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from math import isfinite
from typing import NamedTuple

from ecgcore.recording import RecordingError, standard_lead

MAX_HEADER_BYTES = 262_144  # the longest real headers are a few kilobytes
MAX_SIGNALS = 64  # body-surface maps have more, but no resting 12-lead ECG
MIN_RATE_HZ, MAX_RATE_HZ = 50.0, 20_000.0  # below 50 Hz no QRS, above 20 kHz no electrocardiograph
# Counts per millivolt. 8-bit recorders use 10 and more; files scaled to fill 24 or 32 bits reach
# 1e8.
MIN_GAIN, MAX_GAIN = 5.0, 2e9
STORAGE_BITS = {
    8: 8, 16: 16, 24: 24, 32: 32, 61: 16, 80: 8, 160: 16, 212: 12, 310: 10, 311: 10,
    508: 8, 516: 16, 524: 24,
}  # fmt: skip

_MV_PER_UNIT = {
    "mV": 1.0, "mv": 1.0, "millivolt": 1.0, "millivolts": 1.0,
    "uV": 1e-3, "uv": 1e-3, "microvolt": 1e-3, "microvolts": 1e-3,
    "V": 1e3, "v": 1e3, "volt": 1e3, "volts": 1e3,
}  # fmt: skip
# Channels of published 12-lead records that are known not to be one of the twelve (Frank leads,
# right and posterior chest leads, respiration, pressures): left out with a warning instead of a
# refusal.
_OTHER_CHANNELS = frozenset(
    ("VX", "VY", "VZ", "X", "Y", "Z", "V7", "V8", "V9", "V3R", "V4R", "V5R", "V6R",
     "RESP", "PLETH", "ABP", "ART", "CVP", "PAP", "SPO2")
)  # fmt: skip
_WHOLE = r"[0-9]{1,12}"
_SIGNED = r"-?[0-9]{1,12}"
_RECORD_LINE = re.compile(rf"(\S+)[ \t]+({_WHOLE})[ \t]+(\S+)(?:[ \t]+(\S+)(.*))?")
_RECORD_NAME = re.compile(r"[A-Za-z0-9_-]{1,100}")
_FILE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,120}")
_RATE = re.compile(
    r"([0-9]{1,9}(?:\.[0-9]*)?)(?:/[0-9]{1,9}(?:\.[0-9]*)?(?:\(-?[0-9]{1,12}(?:\.[0-9]*)?\))?)?"
)
_STORAGE = re.compile(rf"({_WHOLE})(?:x({_WHOLE}))?(?::({_WHOLE}))?(?:\+({_WHOLE}))?")
_GAIN = re.compile(
    rf"([0-9]{{1,12}}(?:\.[0-9]{{0,12}})?(?:[eE][+-]?[0-9]{{1,2}})?)(?:\(({_SIGNED})\))?(?:/(\S+))?"
)
_SIGNAL_LINE = re.compile(
    rf"(\S+)[ \t]+(\S+)[ \t]+(\S+)[ \t]+({_WHOLE})[ \t]+({_SIGNED})[ \t]+({_SIGNED})"
    rf"[ \t]+({_SIGNED})[ \t]+({_WHOLE})[ \t]+(\S.*)"
)
_SIGNAL_FIELDS = (
    "signal file", "storage format", "gain", "ADC resolution", "ADC zero", "first value",
    "checksum", "block size", "lead name",
)  # fmt: skip
_PLAIN_BYTES = bytes([*b"\t\n\r", *range(0x20, 0x7F)])
_FORBIDDEN = re.compile(r"[^\t\x20-\x7e]")
_LOOKS_LIKE_RECORD_LINE = re.compile(rb"[A-Za-z0-9_-]{1,100}(?:/\d+)?[ \t]+\d{1,6}(?:[ \t]|\r?$)")


class SignalLine(NamedTuple):
    """One signal as the header describes it (a named tuple: a dataclass costs a tenth of a read).

    ``gain`` is counts per mV, ``lead`` the standard name or None for a channel that is left out.
    """

    file_name: str
    storage: int
    byte_offset: int
    gain: float
    baseline: int
    resolution: int
    first_value: int
    checksum: int
    name: str
    lead: str | None


@dataclass(frozen=True)
class Header:
    """A parsed header; ``samples`` is None where the header leaves it to the file's size."""

    record_name: str
    sampling_rate: float
    samples: int | None
    signals: tuple[SignalLine, ...]
    started: str  # what follows the sample count: time and date, unparsed
    comments: tuple[str, ...]


def looks_like_header(data: bytes) -> bool:
    """True when the first line that is no comment starts like a WFDB record line."""
    for line in data[:4096].removeprefix(b"\xef\xbb\xbf").split(b"\n"):
        text = line.strip()
        if text and not text.startswith(b"#"):
            return _LOOKS_LIKE_RECORD_LINE.match(text) is not None
    return False


def names_signals(data: bytes) -> bool:
    """True when a file that looks like a header goes on with a signal line: prose does not."""
    lines = [line.split() for line in data[:4096].split(b"\n") if not line.startswith(b"#")]
    told = [line for line in lines if line]
    return len(told) > 1 and len(told[1]) > 1 and told[1][1][:1].isdigit()


def parse_header(data: bytes) -> Header:
    """The header's content. Raises RecordingError for anything that is not exactly the grammar."""
    lines, comments = _lines(data)
    match = _RECORD_LINE.fullmatch(lines[0]) if lines else None
    if match is None:
        raise RecordingError(
            f"a header whose first line is {_shown(lines[0]) if lines else 'missing'}",
            "record name, number of signals, sampling rate, number of samples",
            "export the record again, or write the sampling rate into the header",
        )
    name, count, rate, samples, rest = match.groups()
    signals = tuple(_signal(line, at) for at, line in enumerate(lines[1 : MAX_SIGNALS + 1], 1))
    _check_record(name, int(count), len(lines) - 1)
    return Header(
        name, _rate(rate), _samples(samples), signals, (rest or "").strip(), tuple(comments)
    )


def _lines(data: bytes) -> tuple[list[str], list[str]]:
    """The lines that say something, and the comments; both stripped."""
    if len(data) > MAX_HEADER_BYTES:
        raise RecordingError(
            f"a header of {len(data)} bytes",
            f"at most {MAX_HEADER_BYTES} bytes",
            "check that this is a WFDB header",
        )
    if not data.translate(
        None, _PLAIN_BYTES
    ):  # the usual case, in one step instead of a step a line
        told = [line.strip(" \t\r") for line in data.decode("ascii").split("\n")]
        return (
            [line for line in told if line and line[0] != "#"],
            [line[1:].strip() for line in told if line and line[0] == "#"],
        )
    lines: list[str] = []
    comments: list[str] = []
    for raw in data.removeprefix(b"\xef\xbb\xbf").split(b"\n"):
        line = raw.strip(b" \t\r")
        if line.startswith(b"#"):
            comments.append(_comment(line))
        elif line:
            lines.append(_plain(line))
    return lines, comments


def _comment(line: bytes) -> str:
    text = line[1:]
    if text.isascii():
        return text.decode("ascii").strip()
    try:
        return text.decode("utf-8").strip()
    except UnicodeDecodeError:
        return text.decode("latin-1").strip()


def _plain(line: bytes) -> str:
    """A record or signal line as ASCII; the micro sign, in its three spellings, becomes u."""
    if not line.isascii():
        for micro in (b"\xc2\xb5", b"\xce\xbc", b"\xb5"):
            line = line.replace(b"/" + micro + b"V", b"/uV")
    text = line.decode("latin-1")
    if _FORBIDDEN.search(text):
        raise RecordingError(
            f"a header line with characters that are not plain text: {_shown(text)}",
            "printable ASCII outside comments",
            "export the record again; this header is damaged",
        )
    return text


def _check_record(name: str, count: int, given: int) -> None:
    if "/" in name:
        raise RecordingError(
            f"the multi-segment record {_shown(name)}",
            "records of one segment, a resting ECG",
            "open one of its segments",
        )
    if not _RECORD_NAME.fullmatch(name):
        raise RecordingError(
            f"the record name {_shown(name)}",
            "letters, digits, _ and -",
            "rename the record in its header and its file names",
        )
    if not 1 <= count <= MAX_SIGNALS:
        raise RecordingError(
            f"{count} signals", f"1 to {MAX_SIGNALS} signals", "check the header's first line"
        )
    if count != given:
        raise RecordingError(
            f"{given} signal lines in a header that announces {count}",
            "one line a signal and nothing else but comments",
            "export the record again; this header is damaged",
        )


def _rate(token: str) -> float:
    match = _RATE.fullmatch(token)
    rate = float(match[1]) if match else float("nan")
    if not MIN_RATE_HZ <= rate <= MAX_RATE_HZ:
        raise RecordingError(
            f"the sampling rate {_shown(token)}",
            f"{MIN_RATE_HZ:g} to {MAX_RATE_HZ:g} Hz as a plain number",
            "write the true sampling rate into the header's first line",
        )
    return rate


def _samples(token: str | None) -> int | None:
    if token is not None and not re.fullmatch(_WHOLE, token):
        raise RecordingError(
            f"the number of samples {_shown(token)}",
            "a whole number after the sampling rate",
            "write the number of samples of each signal into the header's first line",
        )
    return int(token) or None if token else None


def _signal(line: str, at: int) -> SignalLine:
    match = _SIGNAL_LINE.fullmatch(line)
    if match is None:
        raise _malformed(line, at)
    file_name, storage, gain, resolution, zero, first, checksum, _, name = match.groups()
    lead = _lead(name)
    bits, offset = _storage(storage)
    per_mv, baseline = (1.0, None) if lead is None else _gain(gain)
    _check_file_name(file_name)
    return SignalLine(
        file_name, bits, offset, per_mv, int(zero) if baseline is None else baseline,
        int(resolution), int(first), int(checksum), name, lead,
    )  # fmt: skip


def _malformed(line: str, at: int) -> RecordingError:
    """The error for a signal line, naming the first field that is wrong."""
    tokens = line.split(None, len(_SIGNAL_FIELDS) - 1)
    patterns = [r"\S+"] * 3 + [_WHOLE, _SIGNED, _SIGNED, _SIGNED, _WHOLE, r".+"]
    wrong = len(tokens)
    for i, (token, pattern) in enumerate(zip(tokens, patterns, strict=False)):
        if not re.fullmatch(pattern, token):
            wrong = i
            break
    field = _SIGNAL_FIELDS[min(wrong, len(_SIGNAL_FIELDS) - 1)]
    given = _shown(tokens[wrong]) if wrong < len(tokens) else "missing"
    return RecordingError(
        f"signal line {at}: {field} {given}",
        "file, format, gain(baseline)/unit, resolution, zero, first value, checksum, block, lead",
        "write all nine fields of the line, whole numbers where they belong",
    )


@lru_cache(maxsize=256)
def _check_file_name(file_name: str) -> None:
    if not _FILE_NAME.fullmatch(file_name):
        raise RecordingError(
            f"the signal file name {_shown(file_name)}",
            "a plain file name beside the header: letters, digits, _ - and dots",
            "put the signal file beside the header and name it plainly in both",
        )


@lru_cache(maxsize=256)
def _storage(token: str) -> tuple[int, int]:
    """Storage format and byte offset of a field such as ``16+24``."""
    match = _STORAGE.fullmatch(token)
    storage = int(match[1]) if match else -1
    if match is None or storage not in STORAGE_BITS:
        raise RecordingError(
            f"the storage format {_shown(token)}",
            f"one of {', '.join(map(str, STORAGE_BITS))}, with +bytes before the signal if any",
            "convert the record to format 16",
        )
    if int(match[2] or 1) != 1 or int(match[3] or 0) != 0:
        raise RecordingError(
            f"the storage format {_shown(token)}: several samples a frame, or a skew",
            "every lead at the same rate and without a shift in time",
            "convert the record so that all its leads are sampled together",
        )
    return storage, int(match[4] or 0)


@lru_cache(maxsize=256)
def _gain(token: str) -> tuple[float, int | None]:
    """Counts per mV, and the baseline where it is given, of a field such as ``1000.0(0)/mV``."""
    match = _GAIN.fullmatch(token)
    if match is None:
        raise RecordingError(
            f"the gain {_shown(token)}",
            "a positive number of counts a unit, as in 1000(0)/mV",
            "write the true gain of every lead into the header",
        )
    unit = match[3] or "mV"  # the grammar's default
    if unit not in _MV_PER_UNIT:
        raise RecordingError(
            f"the unit {_shown(unit)}",
            "mV, uV or V",
            "write the true unit of every lead into the header",
        )
    gain = float(match[1]) / _MV_PER_UNIT[unit]
    if not (isfinite(gain) and MIN_GAIN <= gain <= MAX_GAIN):
        raise RecordingError(
            f"the gain {_shown(token)}",
            f"{MIN_GAIN:g} to {MAX_GAIN:g} counts per mV (0 would mean: not calibrated)",
            "write the true gain of every lead into the header",
        )
    return gain, None if match[2] is None else int(match[2])


@lru_cache(maxsize=256)
def _lead(name: str) -> str | None:
    """The standard lead, or None for a channel known not to be one of the twelve."""
    if name.strip().upper() in _OTHER_CHANNELS:
        return None
    return standard_lead(name)


def _shown(text: str) -> str:
    """What was given, quoted and short enough for a sentence."""
    return repr(text if len(text) <= 40 else text[:37] + "...")
