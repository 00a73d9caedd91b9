"""A packed data set: one ``.npz`` file of conditioned recordings with their labels.

Keys: ``X`` (records, samples, leads) int16, ``scale``, ``fs``, ``leads``, ``y71`` / ``classes71``
(statements), ``y5`` / ``classes5`` (superclasses), ``fold``, ``ecg_id``. The signals are
band-passed 0.5-40 Hz and scaled to mean 0 and standard deviation 1 a lead and record: they hold no
millivolts. A file may also tell what goes beside the signal, see ``packed_aside``. ``load_packed``
reads the memory-mapped file of ``pack_file`` too, as the same value; ``joining`` makes several one.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from ecgcore.datasets.derived_labels import DERIVED_SETS, codes_of, derived_targets
from ecgcore.datasets.pack_file import PackFileError, is_pack_file, read_pack_file
from ecgcore.datasets.packed_aside import Aside, aside_of_arrays, aside_of_header, unknown
from ecgcore.datasets.packed_biomarkers import packed_biomarkers
from ecgcore.datasets.splits import Split
from ecgcore.labels import LabelSetName, label_set_names
from ecgcore.models.input_spec import InputSpec, to_model_rate
from ecgcore.recording import LEADS, standard_lead

LABEL_KEYS: dict[LabelSetName, tuple[str, str]] = {
    "statements": ("y71", "classes71"),
    "superclasses": ("y5", "classes5"),
}

_PREPARE_AT_ONCE = 128
"""Records resampled in one go: bounds the float64 copies."""


LARGEST_BYTES = 8 * 1024**3
"""PTB-XL whole at 100 Hz is 0.5 GB; more than this is not held in memory."""


class PackedDataError(ValueError):
    """A packed file that is not what it should be: what was found and what is expected."""


@dataclass(frozen=True)
class PackedData:
    """Conditioned recordings and their labels.

    ``stored`` is (records, leads, samples) int16, to be multiplied by ``scale``; ``targets`` are
    uint8 (records, labels) per label set, columns named by ``codes``. ``record_ids`` are the names
    of the records, numbers without leading zeros; a record that its file does not name is called
    after the file's hash and its row. ``origins`` say which data set each is of, "" where the file
    does not: a name is one record's within its origin only. ``aside`` holds what the file tells
    beside the signal, (records, columns) float32 a name, NaN where unknown; ``sha256`` is of the
    file's bytes (of a pack file's header, which holds the hash of its samples).
    """

    name: str
    sha256: str
    stored: NDArray[np.int16]
    scale: float
    sampling_rate: float
    leads: tuple[str, ...]
    targets: dict[LabelSetName, NDArray[np.uint8]]
    codes: dict[LabelSetName, tuple[str, ...]]
    fold: NDArray[np.int8]
    record_ids: NDArray[np.str_]
    origins: NDArray[np.str_]
    aside: Aside = field(default_factory=dict)
    splits: tuple[Split, ...] = ("unknown",)

    def __len__(self) -> int:
        return len(self.stored)

    def select(self, folds: Iterable[int]) -> PackedData:
        """The records of some folds."""
        return self.rows(np.flatnonzero(np.isin(self.fold, list(folds))))

    def rows(self, chosen: NDArray[np.intp]) -> PackedData:
        """Some of the records, by number."""
        return replace(
            self,
            stored=self.stored[chosen],
            targets={name: values[chosen] for name, values in self.targets.items()},
            fold=self.fold[chosen],
            record_ids=self.record_ids[chosen],
            origins=self.origins[chosen],
            aside={name: values[chosen] for name, values in self.aside.items()},
        )

    def inputs(self, spec: InputSpec) -> NDArray[np.float32]:
        """Model inputs (records, leads, samples) by the last part of ``prepare``.

        Raises PackedDataError where the spec wants other leads or another stored rate.
        """
        missing = [lead for lead in spec.leads if lead not in self.leads]
        if missing or self.sampling_rate != spec.conditioning.stored_rate:
            raise PackedDataError(
                f"{self.name} holds {', '.join(self.leads)} at {self.sampling_rate:g} Hz; "
                f"the model needs {', '.join(spec.leads)} at {spec.conditioning.stored_rate:g} Hz"
            )
        rows = [self.leads.index(lead) for lead in spec.leads]
        values = np.empty((len(self), len(rows), spec.samples), dtype=np.float32)
        for first in range(0, len(self), _PREPARE_AT_ONCE):
            part = slice(first, first + _PREPARE_AT_ONCE)
            values[part] = to_model_rate(self.stored[part][:, rows] * self.scale, spec)
        return values

    def aside_inputs(self, spec: InputSpec) -> NDArray[np.float32]:
        """What the spec wants beside the signal, (records, columns); NaN where unknown."""
        blocks = [np.empty((len(self), 0), dtype=np.float32)]
        for name in spec.aside:
            if name == "biomarkers":
                blocks.append(self._biomarkers())
            else:
                blocks.append(self.aside.get(name, unknown(name, len(self))))
        return np.concatenate(blocks, axis=1)

    def _biomarkers(self) -> NDArray[np.float32]:
        """Measured on what is packed, about a fifth of a second a record."""
        if sorted(self.leads) != sorted(LEADS):
            raise PackedDataError(
                f"{self.name} holds {', '.join(self.leads)}; biomarkers need {', '.join(LEADS)}"
            )
        rows = [self.leads.index(lead) for lead in LEADS]
        return packed_biomarkers(self.stored[:, rows], self.scale, self.sampling_rate)

    def labels(self, names: str) -> tuple[tuple[LabelSetName, str], ...]:
        """Set and code of each label of some sets ("statements+superclasses").

        Raises PackedDataError where the file lacks one of them.
        """
        missing = [name for name in label_set_names(names) if name not in self.targets]
        if missing:
            raise PackedDataError(
                f"{self.name} has no {', '.join(missing)}; it has {', '.join(self.targets)}: "
                "choose among these, or pack the data anew"
            )
        return tuple((name, code) for name in label_set_names(names) for code in self.codes[name])

    def targets_of(self, names: str) -> NDArray[np.uint8]:
        """The targets of ``labels``, (records, labels) uint8."""
        return np.concatenate([self.targets[name] for name in label_set_names(names)], axis=1)

    def target(self, label_set: LabelSetName, codes: tuple[str, ...]) -> NDArray[np.uint8]:
        """The columns of some labels, (records, labels) uint8. Raises PackedDataError."""
        known = self.codes.get(label_set, ())
        missing = [code for code in codes if code not in known]
        if missing:
            raise PackedDataError(f"{self.name} has no {label_set} {', '.join(missing)}")
        return self.targets[label_set][:, [known.index(code) for code in codes]]


def load_packed(path: Path) -> PackedData:
    """Read a packed file, ``.npz`` or memory-mapped. Raises PackedDataError with what is wrong."""
    if is_pack_file(path):
        return _mapped(path)
    try:
        content = path.read_bytes()
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            unpacked = sum(member.file_size for member in archive.infolist())
        if unpacked > LARGEST_BYTES:
            raise PackedDataError(
                f"{path.name} unpacks to {unpacked} bytes; at most {LARGEST_BYTES} are read"
            )
        with np.load(io.BytesIO(content), allow_pickle=False) as file:
            arrays = {key: file[key] for key in file.files}
    except PackedDataError:
        raise
    except (
        OSError, ValueError, zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError,
        RuntimeError,
    ) as error:  # fmt: skip
        raise PackedDataError(
            f"{path.name} cannot be read as a packed data set: {error}"
        ) from error
    needed = ["X", "scale", "fs", "leads", "fold", *sum(LABEL_KEYS.values(), ())]
    missing = [key for key in needed if key not in arrays]
    if missing:
        raise PackedDataError(f"{path.name} lacks {', '.join(missing)}")
    try:
        return _checked(path.name, hashlib.sha256(content).hexdigest(), arrays)
    except PackedDataError:
        raise
    except (ValueError, TypeError) as error:  # a lead's name, a text where a number belongs
        raise PackedDataError(f"{path.name} is no packed data set: {error}") from error


def _checked(name: str, digest: str, arrays: dict[str, NDArray[np.generic]]) -> PackedData:
    signals = arrays["X"]
    if signals.ndim != 3 or signals.dtype != np.int16 or not signals.size:
        raise PackedDataError(
            f"{name}: X has shape {signals.shape} and type {signals.dtype}; "
            "expected (records, samples, leads) int16"
        )
    leads = tuple(standard_lead(str(lead)) for lead in arrays["leads"])
    records = len(signals)
    if signals.shape[2] != len(leads) or arrays["fold"].shape != (records,):
        raise PackedDataError(f"{name}: X, leads and fold disagree in size")
    scale, rate = float(arrays["scale"]), float(arrays["fs"])
    if not (0 < scale <= 1 and 0 < rate < np.inf):
        raise PackedDataError(
            f"{name}: scale {scale} and fs {rate}; expected a scale in 0..1 and a rate in Hz"
        )
    if not np.isin(arrays["fold"], np.arange(100)).all():
        raise PackedDataError(f"{name}: folds that are no small whole numbers")
    targets: dict[LabelSetName, NDArray[np.uint8]] = {}
    codes: dict[LabelSetName, tuple[str, ...]] = {}
    for label_set, (values, names) in LABEL_KEYS.items():
        codes[label_set] = tuple(str(code) for code in arrays[names])
        target = arrays[values]
        if target.shape != (records, len(codes[label_set])) or not np.isin(target, (0, 1)).all():
            raise PackedDataError(f"{name}: {values} is not a (records, {names}) table of 0 and 1")
        targets[label_set] = target.astype(np.uint8)
    for derived in DERIVED_SETS:
        targets[derived] = derived_targets(derived, targets["statements"], codes["statements"])
        codes[derived] = codes_of(derived)
    return PackedData(
        name=name,
        sha256=digest,
        stored=np.ascontiguousarray(signals.transpose(0, 2, 1)),
        scale=scale,
        sampling_rate=rate,
        leads=leads,
        targets=targets,
        codes=codes,
        fold=arrays["fold"].astype(np.int8),
        record_ids=_npz_names(name, digest, arrays.get("ecg_id"), records),
        origins=np.full(records, ""),
        aside=aside_of_arrays(arrays, records),
    )


def _npz_names(
    name: str, digest: str, ids: NDArray[np.generic] | None, records: int
) -> NDArray[np.str_]:
    if ids is None:
        return np.array([f"{digest[:12]}[{row}]" for row in range(records)])
    if ids.shape != (records,) or not (np.isfinite(ids).all() and (ids % 1 == 0).all()):
        raise PackedDataError(f"{name}: ecg_id is not one whole number a record")
    return np.array([str(int(one)) for one in ids])


def _mapped(path: Path) -> PackedData:
    """A memory-mapped file; its hash is over the header, which holds that of the samples."""
    try:
        header, stored = read_pack_file(path)
        records = len(stored)
        codes = {name: tuple(header["codes"][name]) for name in header["codes"]}
        targets = {}
        for name, names in codes.items():
            held = header["targets"][name]
            targets[name] = np.zeros((records, len(names)), dtype=np.uint8)
            if len(held) != records:
                raise PackedDataError(f"{path.name}: {len(held)} targets for {records} records")
            for row, columns in zip(targets[name], held, strict=True):
                row[columns] = 1
        ids, fold = header["record_ids"], np.array(header["folds"], dtype=np.int8)
        if len(ids) != records or fold.shape != (records,) or (fold < 0).any():
            raise PackedDataError(f"{path.name}: folds or record names do not fit its records")
        origins = header["origins"]
        if len(origins) != records or not all(isinstance(one, str) for one in (*ids, *origins)):
            raise PackedDataError(f"{path.name}: record names or origins are not a text a record")
        return PackedData(
            name=path.name,
            sha256=hashlib.sha256(json.dumps(header, sort_keys=True).encode()).hexdigest(),
            stored=stored,
            scale=float(header["scale"]),
            sampling_rate=float(header["sampling_rate"]),
            leads=tuple(standard_lead(lead) for lead in header["leads"]),
            targets=targets,
            codes=codes,
            fold=fold,
            record_ids=np.array([str(int(one)) if one.isdecimal() else one for one in ids]),
            origins=np.array(origins),
            aside=aside_of_header(header, records),
            splits=(_split_of(path.name, header.get("split", "unknown")),),
        )
    except PackedDataError:
        raise
    except (
        PackFileError, KeyError, TypeError, ValueError, IndexError, OverflowError, AttributeError,
    ) as error:  # fmt: skip
        raise PackedDataError(f"{path.name} is no packed data set: {error}") from error


def _split_of(name: str, told: object) -> Split:
    for split in get_args(Split):
        if told == split:
            known: Split = split
            return known
    raise PackedDataError(f"{name}: split {told!r}; expected {', '.join(get_args(Split))}")
