"""The real DICOM file inside pydicom, and edited copies of it."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO

import pydicom
from pydicom.uid import ImplicitVRLittleEndian

from benchmarks.fuzz_dicom import victim
from ecgcore.readers.dicom import read_dicom
from ecgcore.recording import Recording

Edit = Callable[[pydicom.Dataset], None]


def rewritten(edit: Edit, *, implicit: bool = False) -> bytes:
    """The valid file after an edit, written anew."""
    file = pydicom.dcmread(BytesIO(victim()))
    target = BytesIO()
    with pydicom.config.disable_value_validation():
        edit(file)
        if implicit:
            file.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
        pydicom.dcmwrite(target, file)
    return target.getvalue()


def edited(edit: Edit) -> Recording:
    return read_dicom("edited.dcm", rewritten(edit))


def warnings_of(recording: Recording) -> str:
    return "\n".join(recording.source.warnings)


def rhythm(file: pydicom.Dataset) -> pydicom.Dataset:
    return file.WaveformSequence[0]


def channel(file: pydicom.Dataset, number: int) -> pydicom.Dataset:
    return rhythm(file).ChannelDefinitionSequence[number]
