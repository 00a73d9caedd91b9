"""Our intervals and axes beside those that the electrocardiograph itself wrote into the file.

Reads GE MUSE XML and HL7 aECG (annotated ECG) here, by the few elements that hold the waveform and
the machine's own measurements, DICOM with pydicom's annotations, and prints a table: the machine's
value, ours, the difference, and the tolerances by which machines are compared (IEC 60601-2-25:2011,
intervals on biological ECGs: mean difference within P 10, PR 10, QRS 10, QT 25 ms).

    python benchmarks/vendor_measurements.py [--data FOLDER] [--method network]
"""

from __future__ import annotations

import argparse
import base64
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from ecgcore.readers.opening import read_path
from ecgcore.recording import Recording, RecordingError, Source, complete_limb_leads
from ecgcore.signal.delineation import METHODS, delineate
from ecgcore.signal.measurements import measure

REPOSITORY = Path(__file__).resolve().parent.parent
NAMES = ("rate_bpm", "pr_ms", "qrs_ms", "qt_ms", "p_axis_deg", "qrs_axis_deg", "t_axis_deg")
TOLERANCES = {"pr_ms": 10.0, "qrs_ms": 10.0, "qt_ms": 25.0}

Machine = dict[str, float]
Reading = tuple[Recording, Machine]

_MUSE = dict(
    zip(
        ("VentricularRate", "PRInterval", "QRSDuration", "QTInterval", "PAxis", "RAxis", "TAxis"),
        NAMES,
        strict=True,
    )
)
_AECG = {
    "MDC_ECG_TIME_PD_PR": "pr_ms",
    "MDC_ECG_TIME_PD_QRS": "qrs_ms",
    "MDC_ECG_TIME_PD_QT": "qt_ms",
    "MDC_ECG_ANGLE_P_FRONT": "p_axis_deg",
    "MDC_ECG_ANGLE_QRS_FRONT": "qrs_axis_deg",
    "MDC_ECG_ANGLE_T_FRONT": "t_axis_deg",
}
_DICOM = {
    "RR Interval": "rr_ms",
    "PR Interval": "pr_ms",
    "QRS Duration": "qrs_ms",
    "QT Interval": "qt_ms",
    "P Axis": "p_axis_deg",
    "QRS Axis": "qrs_axis_deg",
    "T Axis": "t_axis_deg",
}
_HL7 = "{urn:hl7-org:v3}"


def read_muse(path: Path) -> Reading:
    """The rhythm waveform of a GE MUSE XML file, and its resting measurements."""
    from defusedxml.ElementTree import parse

    root = parse(path).getroot()
    resting = root.find("RestingECGMeasurements")
    machine = {ours: float(resting.findtext(theirs)) for theirs, ours in _MUSE.items()}
    waveform = next(w for w in root.iter("Waveform") if w.findtext("WaveformType") == "Rhythm")
    names, rows = [], []
    for lead in waveform.iter("LeadData"):
        counts = np.frombuffer(base64.b64decode(lead.findtext("WaveFormData")), dtype="<i2")
        if lead.findtext("LeadAmplitudeUnits") != "MICROVOLTS":
            raise RecordingError("units other than MICROVOLTS", "MICROVOLTS", "leave the file out")
        names.append(lead.findtext("LeadID"))
        rows.append(counts * float(lead.findtext("LeadAmplitudeUnitsPerBit")) / 1000)
    return _recording(path, names, rows, float(waveform.findtext("SampleBase"))), machine


def read_aecg(path: Path) -> Reading:
    """The first series of an HL7 aECG file, and its first annotation set's measurements."""
    from defusedxml.ElementTree import parse

    series = parse(path).getroot().find(f".//{_HL7}series")
    step, names, rows = float("nan"), [], []
    for sequence in series.find(f".//{_HL7}sequenceSet").iter(f"{_HL7}sequence"):
        code = sequence.find(f"{_HL7}code").get("code")
        value = sequence.find(f"{_HL7}value")
        if code.startswith("TIME"):
            step = float(value.find(f"{_HL7}increment").get("value"))
            continue
        origin, scale = value.find(f"{_HL7}origin"), value.find(f"{_HL7}scale")
        to_mv = {"uV": 1e-3, "mV": 1.0}
        digits = np.array(value.findtext(f"{_HL7}digits").split(), dtype=np.float64)
        row = digits * float(scale.get("value")) * to_mv[scale.get("unit")]
        rows.append(row + float(origin.get("value")) * to_mv[origin.get("unit")])
        names.append(code.removeprefix("MDC_ECG_LEAD_"))
    machine: Machine = {}
    for annotation in series.iter(f"{_HL7}annotation"):
        name = _AECG.get(annotation.find(f"{_HL7}code").get("code"))
        if name and name not in machine:
            machine[name] = float(annotation.find(f"{_HL7}value").get("value"))
    return _recording(path, names, rows, 1 / step), machine


def read_dicom(path: Path) -> Reading:
    """A DICOM waveform by our reader, its annotations by pydicom."""
    import pydicom

    machine: Machine = {}
    for annotation in pydicom.dcmread(path).get("WaveformAnnotationSequence", []):
        concept = annotation.get("ConceptNameCodeSequence")
        name = _DICOM.get(concept[0].CodeMeaning) if concept else None
        if name and annotation.get("NumericValue") is not None:
            machine[name] = float(np.atleast_1d(annotation.NumericValue)[0])
    machine["rate_bpm"] = 60_000 / machine["rr_ms"]
    return read_path(path), machine


def _recording(path: Path, names: list[str], rows: list[np.ndarray], rate: float) -> Recording:
    samples = np.stack(rows).astype(np.float32)
    recording = Recording.from_leads(path.stem, samples, names, rate, Source("vendor XML", ""))
    return complete_limb_leads(recording)


READERS: tuple[tuple[str, Callable[[Path], Reading]], ...] = (
    ("ge_muse/*.xml", read_muse),
    ("hl7_aecg/Example aECG.xml", read_aecg),
    ("dicom/*.dcm", read_dicom),
)


def readings(folder: Path) -> Iterator[tuple[str, Reading]]:
    """Every file of the folder that holds a waveform and the machine's own values."""
    for pattern, read in READERS:
        for path in sorted(folder.glob(pattern)):
            yield str(path.relative_to(folder)), read(path)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    default = Path(os.environ.get("ECG_DATA", REPOSITORY.parent / "shared" / "data")) / "vendor"
    parser.add_argument("--data", type=Path, default=default)
    parser.add_argument("--method", choices=METHODS, default="network")
    options = parser.parse_args()
    differences: dict[str, list[float]] = {name: [] for name in NAMES}
    for name, (recording, machine) in readings(options.data):
        print(f"{name}: {recording.sampling_rate:g} Hz, {recording.seconds:.1f} s")
        measured = measure(recording, delineate(recording, options.method))
        for key in NAMES:
            ours, theirs = measured.overall[key], machine.get(key)
            if theirs is None:
                continue
            if ours.number is None:
                print(f"  {key:13} machine {theirs:6.0f}  ours N/A ({ours.reason})")
                continue
            difference = ours.number - theirs
            if key.endswith("deg"):
                difference = (difference + 180) % 360 - 180
            differences[key].append(difference)
            print(f"  {key:13} machine {theirs:6.0f}  ours {ours.number:7.1f}  {difference:+6.1f}")
    print("\nmean difference")
    for key, found in differences.items():
        limit = TOLERANCES.get(key)
        verdict = "" if limit is None else f"  (limit {limit:g}: "
        if limit is not None:
            verdict += "met)" if found and abs(np.mean(found)) <= limit else "missed)"
        mean = f"{np.mean(found):+6.1f}" if found else "   N/A"
        print(f"  {key:13} {mean} over {len(found)}{verdict}")


if __name__ == "__main__":
    main()
