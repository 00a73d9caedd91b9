"""Mutants of a valid WFDB header against the same signal file: does a false one ever load unseen?

Every mutant is read like any file. It may be refused (RecordingError), load as the same voltages,
rate and leads, or load as something else with a warning. What loads as something else WITHOUT a
warning is listed with its category and reason. Two such reasons are allowed, as nothing in a file
contradicts them: another usual sampling rate, and gains changed by one factor in all leads.
Anything else, any other exception, a mutant of over 2 s and a peak over 1 GB fail the run (exit
status 1).

    python benchmarks/fuzz_readers.py [--mutants 3000] [--seed 1] [--record PATH.hea]
"""

from __future__ import annotations

import argparse
import random
import re
import resource
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.wfdb_records import write_record
from ecgcore.readers.opening import read_path
from ecgcore.recording import Recording, RecordingError

MAX_SECONDS, MAX_BYTES = 2.0, 2**30
RATE, GAIN = "another usual rate", "one factor on all gains"
ALLOWED = (RATE, GAIN)

Mutate = Callable[[random.Random, bytes], bytes]

_HOSTILE = (
    "0", "-0", "-1", "1", "2OO", "nan", "inf", "-inf", "NaN", "1e9", "1e308", "-500", "1e-9",
    "0x10", "1_000", "1000000000000", "99999999999999999999", "2147483648", "-32768", "65536",
    "500.5", "5e2", "+500", ".5", "5.", "../x", "/etc/passwd", "s3://b/k", "http://a/b", "~", "-",
    "250", "100", "1000", "16x2", "16:1000000000", "16+24", "212", "310", "508", "61", "80", "160",
    "8", "24", "32", "999(0)/mV", "1000(1)/mV", "1000(0)/uV", "1000/V", "mmHg",
)  # fmt: skip
_UNITS = ("uV", "V", "mv", "uv", "MV", "nV", "mmHg", "", "µV", "mV/mV", "kV", "microvolts")
_LETTERS = "éλ٠५²½\u200b\u202e\ufeff\x00\x07\x1b\x85\u2028"


@dataclass(frozen=True)
class Outcome:
    """What became of one mutant; ``reason`` tells how a silent one differs."""

    category: str
    verdict: str  # refused, same, warned, silent, crashed
    seconds: float
    reason: str = ""
    header: bytes = b""


def flip_bytes(rng: random.Random, header: bytes) -> bytes:
    """One to three bytes become any byte."""
    data = bytearray(header)
    for _ in range(rng.randint(1, 3)):
        data[rng.randrange(len(data))] = rng.randrange(256)
    return bytes(data)


def flip_bits(rng: random.Random, header: bytes) -> bytes:
    """One bit."""
    data = bytearray(header)
    data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    return bytes(data)


def edit_token(rng: random.Random, header: bytes) -> bytes:
    """A character of a token is replaced, inserted or deleted."""
    at = rng.choice([m.start() for m in re.finditer(rb"\S", header)])
    new = bytes([rng.choice(b"0123456789.-+e()/xXmVIoO ")])
    cut = rng.choice(((at, at + 1, new), (at, at, new), (at, at + 1, b"")))
    return header[: cut[0]] + cut[2] + header[cut[1] :]


def edit_digit(rng: random.Random, header: bytes) -> bytes:
    """A digit becomes another."""
    at = rng.choice([m.start() for m in re.finditer(rb"\d", header)])
    return header[:at] + str(rng.randrange(10)).encode() + header[at + 1 :]


def swap_numbers(rng: random.Random, header: bytes) -> bytes:
    """Two numbers of the header change places."""
    found = list(re.finditer(rb"-?\d+", header))
    first, second = sorted(rng.sample(found, 2), key=lambda m: m.start())
    return (
        header[: first.start()] + second[0] + header[first.end() : second.start()]
        + first[0] + header[second.end() :]
    )  # fmt: skip


def hostile_token(rng: random.Random, header: bytes) -> bytes:
    """A token becomes one that other readers accept or that asks for too much."""
    token = rng.choice(list(re.finditer(rb"\S+", header)))
    return header[: token.start()] + rng.choice(_HOSTILE).encode() + header[token.end() :]


def huge_number(rng: random.Random, header: bytes) -> bytes:
    """A number grows by many digits."""
    number = rng.choice(list(re.finditer(rb"\d+", header)))
    grown = number[0] + b"0" * rng.choice((1, 3, 6, 9, 12, 30, 400))
    return header[: number.start()] + grown + header[number.end() :]


def drop_or_double_token(rng: random.Random, header: bytes) -> bytes:
    """A token is missing, or there twice."""
    token = rng.choice(list(re.finditer(rb"\S+[ \t]*", header)))
    times = rng.choice((0, 2))
    return header[: token.start()] + token[0] * times + header[token.end() :]


def edit_lines(rng: random.Random, header: bytes) -> bytes:
    """A line is deleted, doubled, or exchanged with another."""
    lines = header.splitlines(keepends=True)
    one, two = rng.randrange(len(lines)), rng.randrange(len(lines))
    action = rng.randrange(3)
    if action == 0:
        del lines[one]
    elif action == 1:
        lines.insert(two, lines[one])
    else:
        lines[one], lines[two] = lines[two], lines[one]
    return b"".join(lines)


def edit_units(rng: random.Random, header: bytes) -> bytes:
    """The unit of one lead, or of all, becomes another."""
    new = rng.choice(_UNITS).encode()
    found = list(re.finditer(rb"/m[vV]", header))
    chosen = found if rng.random() < 0.3 else [rng.choice(found)]
    for match in reversed(chosen):
        header = header[: match.start() + 1] + new + header[match.end() :]
    return header


def edit_gains(rng: random.Random, header: bytes) -> bytes:
    """The gain of one lead, of some, or of all is multiplied."""
    factor = rng.choice((0.1, 0.5, 0.999, 1.001, 1.1, 2, 5, 10, 1000, -1))
    found = list(re.finditer(rb"(\d+(?:\.\d+)?)(?=(?:\(-?\d+\))?/[mM])", header))
    how_many = rng.choice((1, 1, 2, 6, len(found)))
    for match in sorted(rng.sample(found, how_many), key=lambda m: -m.start()):
        gain = f"{float(match[0]) * factor:g}".encode()
        header = header[: match.start()] + gain + header[match.end() :]
    return header


def edit_rate(rng: random.Random, header: bytes) -> bytes:
    """The sampling rate becomes another."""
    new = rng.choice((100, 125, 128, 250, 257, 360, 499, 501, 510, 1000, 5000, 50, 5, 50_000))
    return re.sub(rb"^(\S+ \d+ )\S+", rb"\g<1>" + str(new).encode(), header, count=1)


def swap_names(rng: random.Random, header: bytes) -> bytes:
    """Two lead names change places, or one becomes another's."""
    lines = header.splitlines(keepends=True)
    signals = [at for at, line in enumerate(lines) if at and not line.startswith(b"#")]
    one, two = rng.sample(signals, 2)
    heads = [lines[at].rsplit(b" ", 1) for at in (one, two)]
    lines[one] = heads[0][0] + b" " + heads[1][1]
    if rng.random() < 0.8:
        lines[two] = heads[1][0] + b" " + heads[0][1]
    return b"".join(lines)


def insert_letters(rng: random.Random, header: bytes) -> bytes:
    """Letters that are no ASCII, or that cannot be seen, somewhere."""
    at = rng.randrange(len(header))
    return header[:at] + rng.choice(_LETTERS).encode() + header[at + rng.randrange(2) :]


def cut_short(rng: random.Random, header: bytes) -> bytes:
    """The header ends early."""
    return header[: rng.randrange(len(header))]


MUTATIONS: tuple[Mutate, ...] = (
    flip_bytes, flip_bits, edit_token, edit_digit, swap_numbers, hostile_token, huge_number,
    drop_or_double_token, edit_lines, edit_units, edit_gains, edit_rate, swap_names,
    insert_letters, cut_short,
)  # fmt: skip


def silent_reason(mutant: Recording, truth: Recording) -> str:
    """How a mutant that loaded differs from the truth; empty where it does not."""
    same_leads = mutant.leads == truth.leads
    same_shape = mutant.signal.shape == truth.signal.shape
    if not (same_leads and same_shape):
        return "other leads" if not same_leads else "other length"
    same_volts = np.array_equal(mutant.signal, truth.signal, equal_nan=True)
    if mutant.sampling_rate != truth.sampling_rate:
        return RATE if same_volts else "other rate and voltages"
    if same_volts:
        return ""
    at = np.abs(truth.signal).argmax()
    factor = mutant.signal.flat[at] / truth.signal.flat[at]
    one = np.allclose(mutant.signal, truth.signal * factor, rtol=1e-4, atol=1e-7)
    return GAIN if one else "other voltages"


def read_mutant(path: Path, category: str, header: bytes, truth: Recording) -> Outcome:
    """Write one mutant over ``path`` and read it."""
    path.write_bytes(header)
    start = time.perf_counter()
    reason = ""
    try:
        recording = read_path(path)
    except RecordingError:
        verdict = "refused"
    except BaseException as error:  # a fuzz must see every exception there is
        if isinstance(error, KeyboardInterrupt):
            raise
        verdict, reason = "crashed", f"{type(error).__name__}: {error}"[:200]
    else:
        reason = silent_reason(recording, truth)
        warned = set(recording.source.warnings) - set(truth.source.warnings)
        if any("Voltages are not true" in warning for warning in recording.source.warnings):
            warned.add("of the truth too")
        verdict = "same" if not reason else ("warned" if warned else "silent")
    return Outcome(category, verdict, time.perf_counter() - start, reason, header)


def fuzz_header(folder: Path, record: Path, mutants: int, seed: int) -> list[Outcome]:
    """``mutants`` mutants of the header ``record``, in turn by every mutation, in ``folder``."""
    for file in record.parent.glob(f"{record.stem}.*"):
        if file.resolve().parent != folder.resolve():
            shutil.copy(file, folder)
    truth = read_path(record)
    header = record.read_bytes()
    rng = random.Random(seed)
    outcomes = []
    while len(outcomes) < mutants:
        mutate = MUTATIONS[len(outcomes) % len(MUTATIONS)]
        mutant = mutate(rng, header)
        if mutant != header:
            path = folder / record.name
            outcomes.append(read_mutant(path, mutate.__name__, mutant, truth))
    (folder / record.name).write_bytes(header)
    return outcomes


def failures(outcomes: list[Outcome]) -> list[Outcome]:
    """Outcomes that must not be."""
    return [
        o for o in outcomes
        if o.verdict == "crashed" or o.seconds > MAX_SECONDS
        or (o.verdict == "silent" and o.reason not in ALLOWED)
    ]  # fmt: skip


def report(outcomes: list[Outcome], original: bytes) -> None:
    """Print counts, the list of silent mutants, and failures with what was changed."""
    print(f"{len(outcomes)} mutants: {dict(Counter(o.verdict for o in outcomes))}")
    for category in dict.fromkeys(o.category for o in outcomes):
        counts = Counter(o.verdict for o in outcomes if o.category == category)
        print(f"  {category:22} {dict(sorted(counts.items()))}")
    silent = Counter((o.reason, o.category) for o in outcomes if o.verdict == "silent")
    print("loaded as something else without a warning, as nothing in the file contradicts it:")
    for (reason, category), times in sorted(silent.items()):
        print(f"  {times:4} {reason} ({category})")
    for bad in failures(outcomes):
        old, new = original.splitlines(), bad.header.splitlines()
        changed = [line for line in new if line not in old][:3]
        print(f"FAILED {bad.category} {bad.verdict} {bad.reason} {bad.seconds:.2f} s: {changed}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(f"slowest {max(o.seconds for o in outcomes):.3f} s, peak memory {peak / 2**20:.0f} MiB")


def main() -> int:
    """Run and report; 1 when anything failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mutants", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--record", type=Path, help="header of a real record to mutate")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        record = options.record or write_record(folder, "synthetic")
        original = record.read_bytes()
        outcomes = fuzz_header(folder, record, options.mutants, options.seed)
    report(outcomes, original)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return 1 if failures(outcomes) or peak > MAX_BYTES else 0


if __name__ == "__main__":
    sys.exit(main())
