"""Damage a valid DICOM ECG in many small ways: does a wrong voltage, rate or lead ever pass?

    python benchmarks/fuzz_dicom.py [--mutants 1000] [--seed 0] [--list]

The victim is the 12-lead ECG that comes inside pydicom. Half of the mutants have one to three
bytes changed anywhere but in the samples (every other one in the description of the recording's
own group), half have one element changed with meaning
(sensitivity, unit, rate, lead codes, counts, bits ...), with all lengths kept right, in one channel
or in all, in the recording's group or in all groups. Every mutant is refused, or read with the
same voltages, rate and leads, or read with a new warning; what remains is listed by category.
Exit status 1 if a mutant raises anything but RecordingError, takes over 2 s or 1 GB, or passes
silently in a category that something in the file contradicts.
"""

from __future__ import annotations

import argparse
import copy
import random
import resource
import struct
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
import pydicom
from pydicom.data import get_testdata_file

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from ecgcore.readers.dicom import read_dicom
from ecgcore.recording import Recording, RecordingError

MOST_SECONDS = 2.0
MOST_BYTES = 2**30

PLACEHOLDER = b"1.234567"
NO_NUMBERS = (b"1.2S", b"nan", b"inf", b"1_25", b"", b"1 25", b"1e400", b"1,25", b"0x1", b"1\\2")

CRASHES = (
    ArithmeticError, AttributeError, LookupError, MemoryError, NameError, OSError, RuntimeError,
    TypeError, ValueError, Warning, EOFError, struct.error,
)  # fmt: skip
"""Whatever a reader may raise by mistake; RecordingError, a ValueError, is taken out before."""

UNCONTRADICTED: dict[str, str] = {
    "sensitivity, every channel of every group": "all statements of the scale changed alike",
    "no median beat, sensitivity of every channel": "nothing states the scale again",
}
"""Categories of edits that nothing in the file can contradict, and why."""


@dataclass(frozen=True)
class Outcome:
    """What became of one mutant: "refused", "same", "warned", "silent" or "crashed"."""

    category: str
    verdict: str
    detail: str
    seconds: float


def victim() -> bytes:
    """The valid file."""
    return Path(str(get_testdata_file("waveform_ecg.dcm"))).read_bytes()


def sample_ranges(data: bytes) -> list[range]:
    """Where the samples of all groups lie: the bytes that are not header."""
    ranges: list[range] = []
    head = struct.pack("<HH", 0x5400, 0x1010) + b"OW\0\0"
    at = data.find(head)
    while at >= 0:
        length = struct.unpack_from("<I", data, at + 8)[0]
        ranges.append(range(at + 12, at + 12 + length))
        at = data.find(head, at + 12 + length)
    return ranges


def flip_bytes(data: bytes, rng: random.Random, places: list[int]) -> tuple[str, bytes]:
    """One to three of the bytes at ``places`` set to another value, or with one bit turned."""
    mutant = bytearray(data)
    count = rng.choice((1, 1, 2, 3))
    for place in rng.sample(places, count):
        old = mutant[place]
        if rng.random() < 0.5:
            mutant[place] = old ^ (1 << rng.randrange(8))
        else:
            mutant[place] = (old + rng.randrange(1, 256)) % 256
    return f"bytes changed ({count})", bytes(mutant)


Edit = Callable[[pydicom.Dataset, random.Random], str]


def _channels(group: pydicom.Dataset, rng: random.Random) -> list[pydicom.Dataset]:
    """One channel, or all of them."""
    definitions = list(group.ChannelDefinitionSequence)
    return definitions if rng.random() < 0.3 else [rng.choice(definitions)]


def _groups(file: pydicom.Dataset, rng: random.Random) -> list[pydicom.Dataset]:
    """The recording's group alone, or with the median beat's."""
    groups = list(file.WaveformSequence)
    return groups if rng.random() < 0.2 else groups[:1]


def edit_sensitivity(file: pydicom.Dataset, rng: random.Random) -> str:
    factor = rng.choice((2, 0.5, 10, 0.1, 1.5, 1000, 0.001, 1.1, -1, 0))
    groups = _groups(file, rng)
    everywhere = len(groups) > 1 and rng.random() < 0.5
    for group in groups:
        chosen = group.ChannelDefinitionSequence if everywhere else _channels(group, rng)
        for channel in chosen:
            channel.ChannelSensitivity = f"{1.25 * factor:g}"
    return "sensitivity, every channel of every group" if everywhere else "sensitivity"


def edit_sensitivity_text(file: pydicom.Dataset, rng: random.Random) -> str:
    """The text itself is put in after writing: pydicom would not write it."""
    for channel in _channels(file.WaveformSequence[0], rng):
        channel.ChannelSensitivity = PLACEHOLDER.decode()
    return "sensitivity text"


def edit_unit(file: pydicom.Dataset, rng: random.Random) -> str:
    groups = _groups(file, rng)
    unit = rng.choice(("mV", "V", "nV", "UV", "mm", "", "MV"))
    meaning = rng.choice((None, "millivolt", "volt", "nanovolt"))
    everywhere = rng.random() < 0.5
    for group in groups:
        for channel in group.ChannelDefinitionSequence if everywhere else _channels(group, rng):
            code = channel.ChannelSensitivityUnitsSequence[0]
            code.CodeValue = unit
            code.CodeMeaning = meaning or code.CodeMeaning
    return "unit"


def edit_factor(file: pydicom.Dataset, rng: random.Random) -> str:
    for channel in _channels(file.WaveformSequence[0], rng):
        channel.ChannelSensitivityCorrectionFactor = rng.choice(("2", "0.9", "1.01", "0", "-1"))
    return "correction factor"


def edit_baseline(file: pydicom.Dataset, rng: random.Random) -> str:
    for channel in _channels(file.WaveformSequence[0], rng):
        channel.ChannelBaseline = rng.choice(("1", "100", "-1000", "50000", "0.5"))
    return "baseline"


def edit_rate(file: pydicom.Dataset, rng: random.Random) -> str:
    rate = rng.choice(("500", "250", "2000", "999", "1024", "100", "0", "-1000", "1e6", "1000.5"))
    for group in _groups(file, rng):
        group.SamplingFrequency = rate
    return "rate"


def edit_lead_code(file: pydicom.Dataset, rng: random.Random) -> str:
    source = rng.choice(_channels(file.WaveformSequence[0], rng)).ChannelSourceSequence[0]
    source.CodeValue = f"5.6.3-9-{rng.choice((1, 2, 3, 4, 5, 6, 7, 8, 9, 61, 62, 63, 64, 65))}"
    return "lead code"


def edit_lead_meaning(file: pydicom.Dataset, rng: random.Random) -> str:
    source = rng.choice(_channels(file.WaveformSequence[0], rng)).ChannelSourceSequence[0]
    source.CodeMeaning = rng.choice(("Lead I", "Lead II", "Lead V1", "Lead V6", "Lead X", ""))
    return "lead meaning"


def edit_lead_exchange(file: pydicom.Dataset, rng: random.Random) -> str:
    one, two = rng.sample(list(file.WaveformSequence[0].ChannelDefinitionSequence), 2)
    saved = copy.deepcopy(one.ChannelSourceSequence)
    one.ChannelSourceSequence = copy.deepcopy(two.ChannelSourceSequence)
    two.ChannelSourceSequence = saved
    return "two leads exchanged"


def edit_counts(file: pydicom.Dataset, rng: random.Random) -> str:
    group = file.WaveformSequence[0]
    if rng.random() < 0.5:
        group.NumberOfWaveformSamples = rng.choice((0, 1, 5000, 9999, 10001, 20000, 2**32 - 1))
    else:
        group.NumberOfWaveformChannels = rng.choice((0, 1, 6, 8, 11, 13, 24, 65535))
    return "counts"


def edit_both_counts(file: pydicom.Dataset, rng: random.Random) -> str:
    group = file.WaveformSequence[0]
    channels = rng.choice((6, 8, 10, 24))
    group.NumberOfWaveformChannels = channels
    group.NumberOfWaveformSamples = 120_000 // channels
    if rng.random() < 0.5:
        group.ChannelDefinitionSequence = list(group.ChannelDefinitionSequence)[:channels]
    return "both counts"


def edit_bits(file: pydicom.Dataset, rng: random.Random) -> str:
    group = file.WaveformSequence[0]
    choice = rng.randrange(3)
    if choice == 0:
        group.WaveformBitsAllocated = rng.choice((0, 8, 12, 24, 32, 64))
    elif choice == 1:
        group.WaveformSampleInterpretation = rng.choice(("US", "SB", "UB", "SL", "MB", "AB", "XX"))
    else:
        for channel in group.ChannelDefinitionSequence:
            channel.WaveformBitsStored = rng.choice((0, 4, 8, 17, 65535))
    return "bits"


def edit_length(file: pydicom.Dataset, rng: random.Random) -> str:
    group = file.WaveformSequence[0]
    cut = rng.choice((2, 24, 1000, 24_000))
    group.WaveformData = (
        group.WaveformData[:-cut] if rng.random() < 0.7 else (group.WaveformData + b"\0" * cut)
    )
    return "samples cut or added"


def edit_skew(file: pydicom.Dataset, rng: random.Random) -> str:
    for channel in _channels(file.WaveformSequence[0], rng):
        channel.ChannelSampleSkew = rng.choice(("1", "3", "-2", "1000", "1e9"))
    return "skew"


def edit_originality(file: pydicom.Dataset, rng: random.Random) -> str:
    file.WaveformSequence[0].WaveformOriginality = rng.choice(("DERIVED", "", "OTHER"))
    if rng.random() < 0.5:
        file.WaveformSequence[1].WaveformOriginality = "ORIGINAL"
    return "originality"


def edit_missing(file: pydicom.Dataset, rng: random.Random) -> str:
    group = file.WaveformSequence[0]
    holder = rng.choice((group, *_channels(group, rng)))
    removable = [element.tag for element in holder]
    del holder[rng.choice(removable)]
    return "an element removed"


def edit_padding(file: pydicom.Dataset, rng: random.Random) -> str:
    value = rng.choice((0, 1, -1, 40, -32768))
    padding = pydicom.DataElement(0x5400100A, "OW", struct.pack("<h", value))
    file.WaveformSequence[0].add(padding)
    return "padding value"


def edit_alone(file: pydicom.Dataset, rng: random.Random) -> str:
    del file.WaveformSequence[1]
    group = file.WaveformSequence[0]
    if rng.random() < 0.5:
        group.SamplingFrequency = rng.choice(("500", "250", "2000"))
    else:
        sensitivity = rng.choice(("2.5", "5", "1"))
        for channel in group.ChannelDefinitionSequence:
            channel.ChannelSensitivity = sensitivity
        return "no median beat, sensitivity of every channel"
    return "no median beat, rate"


EDITS: tuple[Edit, ...] = (
    edit_sensitivity, edit_sensitivity_text, edit_unit, edit_factor, edit_baseline, edit_rate,
    edit_lead_code, edit_lead_meaning, edit_lead_exchange, edit_counts, edit_both_counts,
    edit_bits, edit_length, edit_skew, edit_originality, edit_missing, edit_padding, edit_alone,
)  # fmt: skip


def edit_elements(data: bytes, rng: random.Random) -> tuple[str, bytes]:
    """One meaningful edit; the file is written again, so every length is right."""
    file = pydicom.dcmread(BytesIO(data))
    with pydicom.config.disable_value_validation():
        category = rng.choice(EDITS)(file, rng)
        target = BytesIO()
        pydicom.dcmwrite(target, file)
    text = rng.choice(NO_NUMBERS).ljust(len(PLACEHOLDER))
    return category, target.getvalue().replace(PLACEHOLDER, text)


def judge(category: str, mutant: bytes, truth: Recording) -> Outcome:
    """Read one mutant and compare it with the valid recording."""
    start = time.perf_counter()
    try:
        found = read_dicom("mutant", mutant)
    except RecordingError as error:
        return Outcome(category, "refused", str(error), time.perf_counter() - start)
    except CRASHES as error:
        detail = f"{type(error).__name__}: {error}"
        return Outcome(category, "crashed", detail, time.perf_counter() - start)
    seconds = time.perf_counter() - start
    same = (
        found.leads == truth.leads
        and found.sampling_rate == truth.sampling_rate
        and np.array_equal(found.signal, truth.signal, equal_nan=True)
    )
    scale = float(np.abs(found.signal).max() / np.abs(truth.signal).max())
    new = [w for w in found.source.warnings if w not in truth.source.warnings]
    detail = (
        f"{len(found.leads)} leads, {found.sampling_rate:g} Hz, largest voltage x {scale:.3g}, new "
        f"warnings: {new}"
    )
    return Outcome(category, "same" if same else "warned" if new else "silent", detail, seconds)


def fuzz(mutants: int, seed: int) -> list[Outcome]:
    """The outcomes of ``mutants`` mutants, half by bytes and half by elements."""
    rng = random.Random(seed)
    data = victim()
    truth = read_dicom("victim", data)
    ranges = sample_ranges(data)
    everywhere = [i for i in range(len(data)) if not any(i in r for r in ranges)]
    waveform = data.index(struct.pack("<HH", 0x5400, 0x0100) + b"SQ")
    nearby = [i for i in everywhere if waveform <= i < ranges[0].start]
    outcomes = []
    for number in range(mutants):
        category, mutant = (
            flip_bytes(data, rng, rng.choice((everywhere, nearby)))
            if number % 2
            else edit_elements(data, rng)
        )
        outcomes.append(judge(category, mutant, truth))
    return outcomes


def report(outcomes: list[Outcome], *, everything: bool) -> int:
    """Print the table; the exit status."""
    counts = Counter((o.category, o.verdict) for o in outcomes)
    verdicts = ("refused", "same", "warned", "silent", "crashed")
    print(f"{'category':45}" + "".join(f"{v:>9}" for v in verdicts))
    for category in sorted({o.category for o in outcomes}):
        print(f"{category:45}" + "".join(f"{counts[category, v]:9}" for v in verdicts))
    total = Counter(o.verdict for o in outcomes)
    print(f"{'all':45}" + "".join(f"{total[v]:9}" for v in verdicts))
    slowest = max(o.seconds for o in outcomes)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(f"slowest {slowest:.3f} s, peak memory of the whole run {peak / 2**20:.0f} MiB")
    bad = [o for o in outcomes if o.verdict == "crashed"]
    silent = [o for o in outcomes if o.verdict == "silent"]
    bad += [o for o in silent if o.category not in UNCONTRADICTED]
    for (category, detail), count in Counter((o.category, o.detail) for o in silent).items():
        why = UNCONTRADICTED.get(category, "SHOULD HAVE BEEN SEEN")
        print(f"silent {count} times: {category} ({why}): {detail[:200]}")
    for outcome in outcomes:
        if everything or outcome.verdict == "crashed":
            print(f"{outcome.verdict}: {outcome.category}: {outcome.detail[:300]}")
    return int(bool(bad) or slowest > MOST_SECONDS or peak > MOST_BYTES)


def main() -> int:
    """Parse the arguments, fuzz, report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--mutants", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--list", action="store_true", help="print every mutant's outcome")
    arguments = parser.parse_args()
    return report(fuzz(arguments.mutants, arguments.seed), everything=arguments.list)


if __name__ == "__main__":
    sys.exit(main())
