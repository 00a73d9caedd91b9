"""From a data set to one packed file, conditioned by ``prepare``, the road that the app takes.

``prepare`` with a model rate equal to the stored rate gives the conditioned signal itself; packed
data then go through the last part of the same function (``PackedData.inputs``). What ``prepare``
refuses (short, gaps, flat) is listed as skipped. Where it is asked, HRNN's printed rules are
measured on each raw recording, as prediction measures them: 0.13 s for 10 s at 500 Hz on one core,
where everything else takes some milliseconds. Packing that was broken off goes on where it was, see
``pack_part``.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Generator, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ecgcore.datasets.pack_columns import Columns, Noted, content_of, noted, statements_of
from ecgcore.datasets.pack_file import PackWriter
from ecgcore.datasets.pack_part import PackPart
from ecgcore.datasets.packed_aside import rule_answers
from ecgcore.datasets.record import DataSet, DatasetRecord, Skipped
from ecgcore.models.input_spec import Conditioning, InputSpec, prepare
from ecgcore.recording import LEADS, RecordingError

__all__ = ["PackOptions", "PackProgress", "Packed", "pack", "packed_step_by_step", "statements_of"]

SCALE = 0.001


@dataclass(frozen=True)
class PackOptions:
    """Leads, length in seconds and conditioning of a packed file; whether it tells the answers of
    HRNN's rules."""

    leads: tuple[str, ...] = LEADS
    seconds: float = 10.0
    conditioning: Conditioning = field(default_factory=Conditioning)
    rules: bool = False

    @property
    def spec(self) -> InputSpec:
        """The model input whose rate is the stored rate."""
        rate = self.conditioning.stored_rate
        return InputSpec(self.leads, rate, self.seconds, self.conditioning)


@dataclass(frozen=True)
class Packed:
    """What became of a data set: records written, members left out, labels without a statement,
    and in how many records each rule was decided (empty where none was measured)."""

    records: int
    skipped: tuple[Skipped, ...]
    unmapped: dict[str, int]
    decided: dict[str, int]


@dataclass(frozen=True)
class PackProgress:
    """``done`` of ``total`` members looked at, of which ``records`` are packed; the last one that
    was left out, with why, where it was this one."""

    done: int
    total: int
    records: int
    left_out: Skipped | None = None


def stored_counts(record: DatasetRecord, spec: InputSpec) -> NDArray[np.int16]:
    """One record as it is packed, (leads, samples). Raises RecordingError where it is unfit."""
    values = np.round(prepare(record.recording, spec).values / SCALE)
    return np.clip(values, -32767, 32767).astype(np.int16)


def pack(data: DataSet, path: Path, options: PackOptions | None = None) -> Packed:
    """Write ``path``. Raises LeakError where folds part a patient, ValueError for no record."""
    steps = packed_step_by_step(data, path, options)
    try:
        while True:
            next(steps)
    except StopIteration as end:
        done: Packed = end.value
        return done


def packed_step_by_step(
    data: DataSet, path: Path, options: PackOptions | None = None
) -> Generator[PackProgress, None, Packed]:
    """``pack``, telling after each member how far it is; broken off, the next call goes on.

    Where somebody else packs the same file, it waits for them.
    """
    options = options or PackOptions()
    spec, columns = options.spec, Columns()
    skipped: list[Skipped] = []
    seen: dict[str, str] = {}
    shape = (len(spec.leads), spec.samples)
    part = PackPart(
        path.with_name(f"{path.name}.part"), _of(data, options), 2 * shape[0] * shape[1]
    )
    total = len(data.skipped) + len(data)
    try:
        for row in part.rows:
            _take(row, columns, skipped, seen)
        yield PackProgress(len(part.rows), total, len(columns.members))
        for done, (row, values) in enumerate(
            _packed(data, options, seen, len(part.rows)), len(part.rows) + 1
        ):
            part.add(row, values)
            _take(row, columns, skipped, seen)
            left_out = row if isinstance(row, Skipped) else None
            yield PackProgress(done, total, len(columns.members), left_out)
        if not columns.members:
            part.remove()
            why = f"; the first: {skipped[0].member}: {skipped[0].reason}" if skipped else ""
            raise ValueError(f"{data.name} gave no record that can be packed{why}")
        _finish(data, path, options, part=part, columns=columns, skipped=skipped)
    finally:
        if not part.samples.closed:
            part.close()
    return Packed(len(columns.members), tuple(skipped), dict(columns.unmapped), columns.decided)


def _take(
    row: Noted | Skipped, columns: Columns, skipped: list[Skipped], seen: dict[str, str]
) -> None:
    if isinstance(row, Skipped):
        skipped.append(row)
    else:
        columns.add(row)
        seen[row.member.content or ""] = row.member.record_id


def _packed(
    data: DataSet, options: PackOptions, seen: dict[str, str], first: int
) -> Iterator[tuple[Noted | Skipped, NDArray[np.int16] | None]]:
    """The members from the ``first`` on, each with its samples or why it is left out."""
    for record in data.records(first):
        if isinstance(record, Skipped):
            yield record, None
            continue
        name, digest = record.recording.record_id, content_of(record)
        if digest in seen:
            yield Skipped(name, f"the same signal as {seen[digest]}"), None
            continue
        try:
            counts = stored_counts(record, options.spec)
            answers = rule_answers(record.recording) if options.rules else None
        except RecordingError as error:
            yield Skipped(name, str(error)), None
            continue
        yield noted(record, answers), counts


def _finish(
    data: DataSet,
    path: Path,
    options: PackOptions,
    *,
    part: PackPart,
    columns: Columns,
    skipped: list[Skipped],
) -> None:
    """The whole file from its part."""
    spec = options.spec
    try:
        header = columns.header(data.name, skipped)
    except ValueError:  # a leak: going on would meet it again
        part.remove()
        raise
    part.flush()
    writer = PackWriter(part.samples, (len(spec.leads), spec.samples))
    writer.resume()
    writer.finish(
        path,
        {
            "name": data.name,
            "scale": SCALE,
            "sampling_rate": options.conditioning.stored_rate,
            "leads": list(options.leads),
            "conditioning": asdict(options.conditioning),
            **header,
        },
    )
    part.remove()


def _of(data: DataSet, options: PackOptions) -> str:
    """A hash of what is packed, and how."""
    told = hashlib.sha256(json.dumps(asdict(options), sort_keys=True).encode())
    told.update(f"{data.name} {len(data)} {data.skipped!r}".encode())
    for entry in data.entries:
        told.update(repr(entry).encode())
    return told.hexdigest()
