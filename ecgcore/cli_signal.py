"""The commands that need no network of a paper: delineate, measure, rules, simulate."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from ecgcore.readers.npz_export import save_npz
from ecgcore.recording import Recording
from ecgcore.signal.delineation.waves import PEAK, WAVES, Delineation, WaveMarks
from ecgcore.signal.measured import Measurements, Value
from ecgcore.storage import write_json

_QTC = {f"qtc_{name}_ms": name for name in ("bazett", "fridericia", "framingham", "hodges")}
_AXES = {f"{wave}_axis_deg": wave for wave in ("p", "qrs", "t")}


def plain_delineation(path: Path, recording: Recording, method: str) -> dict[str, Any]:
    """What ``delineate`` prints; positions are samples of the file's rate."""
    from ecgcore.signal.delineation import METHODS, delineate

    chosen = next(known for known in METHODS if known == method)
    found = delineate(recording, chosen)
    nothing: WaveMarks = {wave: np.empty((0, 3)) for wave in WAVES}
    return {
        "file": str(path),
        "record_id": recording.record_id,
        "method": found.method,
        "sampling_rate": found.sampling_rate,
        "leads": {lead: plain_marks(found.leads.get(lead, nothing)) for lead in recording.leads},
        "global": plain_marks(found.overall),
        "unread": dict(found.unread),
        "warnings": [*cautions(recording), *recording.source.warnings, *found.warnings],
    }


def plain_marks(marks: WaveMarks) -> dict[str, list[list[float | None]]]:
    """Onset, peak and offset of each wave that is there; a boundary not found is null."""
    return {
        wave: [
            [None if np.isnan(at) else round(float(at), 2) for at in row]
            for row in marks[wave]
            if np.isfinite(row[PEAK])
        ]
        for wave in WAVES
    }


def plain_measurements(path: Path, recording: Recording, method: str) -> dict[str, Any]:
    """What ``measure`` prints; a value that was not measured is ``{"na": reason}``."""
    _, measured = measured_by(recording, method)
    overall: dict[str, Any] = {}
    for name, value in measured.overall.items():
        if name in _QTC:
            overall.setdefault("qtc_ms", {})[_QTC[name]] = _plain(value)
        elif name in _AXES:
            overall.setdefault("axis_deg", {})[_AXES[name]] = _plain(value)
        else:
            overall[name] = _plain(value)
    return {
        "file": str(path),
        "record_id": recording.record_id,
        "method": method,
        "global": overall,
        "leads": {
            lead: {name: _plain(value) for name, value in values.items()}
            for lead, values in measured.leads.items()
        },
        "warnings": [*cautions(recording), *recording.source.warnings, *measured.warnings],
    }


def plain_findings(path: Path, recording: Recording, criteria: str) -> dict[str, Any]:
    """What ``rules`` prints."""
    from ecgcore.rules.applying import apply_rules
    from ecgcore.rules.criteria import criteria_set

    found, measured = measured_by(recording, "network")
    rate = found.sampling_rate
    findings = apply_rules(measured, recording.patient, criteria_set(criteria))
    return {
        "file": str(path),
        "record_id": recording.record_id,
        "criteria": criteria,
        "where_unit": "s",
        "findings": [
            asdict(finding)
            | {
                "where": [
                    {"lead": place.lead, "from": place.start / rate, "to": place.stop / rate}
                    for place in finding.where
                ]
            }
            for finding in findings
        ],
        "warnings": [*cautions(recording), *recording.source.warnings, *measured.warnings],
    }


def cautions(recording: Recording) -> list[str]:
    """Why not to rely on what follows: leads not fit to read, or not what they are called."""
    from ecgcore.signal.arrangement import suspect_leads
    from ecgcore.signal.verdict import judge

    judged = judge(recording)
    unfit = [lead.reason for lead in judged.leads.values() if not lead.acceptable]
    said = [judged.reason] if not judged.acceptable else unfit
    mistake = suspect_leads(recording)
    return [
        *(f"Not fit to read. {reason}" for reason in said),
        *([mistake.text] if mistake else []),
    ]


def measured_by(recording: Recording, method: str) -> tuple[Delineation, Measurements]:
    """The waves that a method finds, and what is measured on them."""
    from ecgcore.signal.beats import find_beats
    from ecgcore.signal.delineation import METHODS, delineate
    from ecgcore.signal.measurements import measure

    chosen = next(known for known in METHODS if known == method)
    found = delineate(recording, chosen)
    return found, measure(recording, found, find_beats(recording, found))


def _plain(value: Value) -> float | dict[str, str | None]:
    return round(value.number, 4) if value.number is not None else {"na": value.reason}


def simulated_presets() -> list[dict[str, Any]]:
    """One row for each preset of the simulator."""
    from ecgcore.signal.simulator import PRESETS

    return [{"preset": name} for name in PRESETS]


def write_simulated(preset: str, changes: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Write ``simulated_<preset>.npz`` and its true marks beside it, as ``delineate`` prints them.

    Raises ValueError for an unknown preset or an option out of its range, TypeError for an unknown
    option.
    """
    from ecgcore.signal.simulator import PRESETS, simulate

    if preset not in PRESETS:
        raise ValueError(f"unknown preset {preset!r}; known: {', '.join(PRESETS)}")
    made = simulate(replace(PRESETS[preset], **changes))
    stem = f"simulated_{preset.replace(' ', '_')}"
    folder.mkdir(parents=True, exist_ok=True)
    save_npz(folder / f"{stem}.npz", made.recording)
    truth = {
        "record_id": stem,
        "simulated": True,
        "sampling_rate": made.truth.sampling_rate,
        "leads": {lead: plain_marks(marks) for lead, marks in made.truth.leads.items()},
        "global": plain_marks(made.truth.overall),
    }
    write_json(folder / f"{stem}.truth.json", truth)
    return {"preset": preset, "file": str(folder / f"{stem}.npz"), "simulated": True}
