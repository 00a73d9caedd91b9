"""Small folders in the layouts of public data sets, made of simulated recordings only."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecgcore.recording import LEADS


def voltages(seed: int = 0, rate: int = 500, seconds: float = 10.0) -> NDArray[np.float64]:
    """(12, samples) mV: a train of narrow and broad waves, leads obeying Einthoven."""
    times = np.arange(round(rate * seconds)) / rate
    generator = np.random.default_rng(seed)
    phase = (times * 1.2 + generator.random()) % 1.0

    def waves(qrs: float, t: float) -> NDArray[np.float64]:
        noise = generator.normal(0, 0.005, len(times))
        narrow = qrs * np.exp(-(((phase - 0.4) / 0.02) ** 2))
        return np.asarray(narrow + t * np.exp(-(((phase - 0.7) / 0.06) ** 2)) + noise)

    one, two = waves(0.7, 0.2), waves(1.0, 0.3)
    limb = [one, two, two - one, -(one + two) / 2, one - two / 2, two - one / 2]
    chest = [waves(0.3 + 0.2 * lead, 0.2 + 0.02 * lead) for lead in range(6)]
    return np.stack([*limb, *chest])


def write_wfdb(
    path: Path, mv: NDArray[np.float64], rate: int, comments: Iterable[str] = (), mat: bool = False
) -> None:
    """``path``.hea and its .dat, or the challenges' .mat (24 bytes of MATLAB v4 before)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    counts = np.round(mv * 1000).astype("<i2")
    data = np.ascontiguousarray(counts.T).tobytes()
    if mat:
        words = np.array([30, *counts.shape, 0, 4], dtype="<i4")
        data = words.tobytes() + b"val\x00" + data
    suffix, storage = ("mat", "16+24") if mat else ("dat", "16")
    lines = [f"{path.name} {len(LEADS)} {rate} {counts.shape[1]}"]
    for lead, row in zip(LEADS, counts, strict=True):
        total = int(np.sum(row.astype(np.int64))) & 0xFFFF
        check = total - 0x10000 if total >= 0x8000 else total
        lines.append(f"{path.name}.{suffix} {storage} 1000(0)/mV 16 0 {row[0]} {check} 0 {lead}")
    text = "\n".join([*lines, *(f"# {one}" for one in comments), ""])
    path.with_name(f"{path.name}.hea").write_text(text, encoding="ascii")
    path.with_name(f"{path.name}.{suffix}").write_bytes(data)


def write_csv(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    """A table with the first row's keys as its header."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def ptbxl(folder: Path, records: int = 4) -> Path:
    """PTB-XL with ``records`` records of ``records`` // 2 patients, both rates."""
    rows = []
    for number in range(1, records + 1):
        place = f"{number // 1000 * 1000:05d}"
        names = {
            100: f"records100/{place}/{number:05d}_lr",
            500: f"records500/{place}/{number:05d}_hr",
        }
        for rate, name in names.items():
            write_wfdb(folder / name, voltages(number, rate), rate)
        rows.append(
            {
                "ecg_id": number, "patient_id": f"{15700 + (number + 1) // 2}.0", "age": "56.0",
                "sex": number % 2, "scp_codes": "{'NORM': 100.0, 'LVOLT': 0.0, 'SR': 0.0}",
                "strat_fold": (number + 1) // 2, "filename_lr": names[100],
                "filename_hr": names[500],
            }
        )  # fmt: skip
    write_csv(folder / "ptbxl_database.csv", rows)
    return folder


def icbeb(folder: Path) -> Path:
    """ICBEB2018 as the PTB-XL benchmark lays it out, two records."""
    rows = []
    for number in (1, 2):
        for rate in (100, 500):
            write_wfdb(folder / f"records{rate}" / str(number), voltages(number, rate, 12.0), rate)
        rows.append(
            {
                "ecg_id": number, "filename": f"A000{number}", "validation": False, "age": 70.0,
                "sex": "Female", "scp_codes": "{'AFIB': 100.0, 'VPC': 100.0}", "strat_fold": number,
            }
        )  # fmt: skip
    write_csv(folder / "icbeb_database.csv", rows)
    return folder


def cpsc2018(folder: Path) -> Path:
    """CPSC2018: two structs ECG, REFERENCE.csv."""
    from scipy.io import savemat

    rows = []
    for number in (1, 2):
        place = folder / f"TrainingSet{number}"
        place.mkdir(parents=True)
        struct = {"sex": "Male", "age": 74, "data": voltages(number, 500, 8.0)}
        savemat(place / f"A000{number}.mat", {"ECG": struct})
        rows.append(
            {"Recording": f"A000{number}", "First_label": 5, "Second_label": "", "Third_label": ""}
        )
    rows[1]["Second_label"] = 7
    write_csv(folder / "REFERENCE.csv", rows)
    return folder


def challenge(folder: Path) -> Path:
    """One record of each source of the challenge collection."""
    names = ("A0001", "Q0001", "I0001", "S0001", "HR00001", "E00001", "JS00001", "JS10647")
    for seed, name in enumerate(names):
        comments = ["Age: 74", "Sex: Male", "Dx: 59118001,426783006", "Rx: Unknown"]
        write_wfdb(folder / f"g{seed}" / name, voltages(seed), 500, comments, mat=True)
    return folder


def code15(folder: Path) -> Path:
    """CODE-15%: one part, three exams padded on both sides, a row of zeros at its end."""
    import h5py

    folder.mkdir(parents=True, exist_ok=True)
    tracings = np.zeros((4, 4096, 12), dtype=np.float32)
    tracings[0, 648:3448] = voltages(1, 400, 7.0).T
    tracings[1, 48:4048] = voltages(2, 400).T
    with h5py.File(folder / "exams_part0.hdf5", "w") as file:
        file["tracings"], file["exam_id"] = tracings, np.array([1169160, 2873686, 168405, 0])
    names = ("1dAVb", "RBBB", "LBBB", "SB", "ST", "AF")
    rows: list[dict[str, Any]] = [
        {"exam_id": exam, "age": 38, "is_male": male, "nn_predicted_age": 40.1}
        | dict.fromkeys(names, False)
        | {"patient_id": 523632, "death": "", "timey": "", "normal_ecg": True,
           "trace_file": "exams_part0.hdf5"}
        for exam, male in ((1169160, True), (2873686, False), (168405, False))
    ]  # fmt: skip
    rows[1]["AF"] = True
    write_csv(folder / "exams.csv", rows)
    return folder


def tianchi(folder: Path, round_: int = 1) -> Path:
    """A round with two samples."""
    train = folder / f"hf_round{round_}_train"
    train.mkdir(parents=True)
    rows = [LEADS.index(lead) for lead in ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6")]
    for number in (100001, 100002):
        counts = np.round(voltages(number)[rows] / 4.88e-3).astype(int)
        lines = [" ".join(map(str, sample)) for sample in counts.T]
        (train / f"{number}.txt").write_text(
            "\n".join(["I II V1 V2 V3 V4 V5 V6", *lines, ""]), encoding="ascii"
        )
    (folder / f"hf_round{round_}_label.txt").write_text(
        "100001.txt\t57\tMALE\t窦性心律\t完全性右束支传导阻滞\n100002.txt\t\tFEMALE\t心房颤动\t\n",
        encoding="utf-8",
    )
    return folder


def sph(folder: Path) -> Path:
    """SPH with two records."""
    import h5py

    (folder / "records").mkdir(parents=True)
    for number in (1, 2):
        with h5py.File(folder / "records" / f"A0000{number}.h5", "w") as file:
            values = voltages(number).astype(np.float16)
            file.create_dataset("ecg", data=values, compression="gzip")
    shared = {"Patient_ID": "S00001", "Age": 55, "Sex": "M", "N": 5000, "Date": "2020-03-04"}
    write_csv(
        folder / "metadata.csv",
        [
            {"ECG_ID": "A00001", "AHA_Code": "22;23"} | shared,
            {"ECG_ID": "A00002", "AHA_Code": "60+310;145"} | shared,
        ],
    )
    return folder


def ludb(folder: Path) -> Path:
    """LUDB's headers and signals (no marks) of two people."""
    for number in (1, 2):
        comments = ["<age>: 51", "<sex>: F", "<diagnoses>:", "Rhythm: Sinus bradycardia."]
        write_wfdb(folder / "data" / str(number), voltages(number), 500, comments)
    return folder


def wfdb(folder: Path) -> Path:
    """WFDB records of no known set, statements of PTB-XL in their headers."""
    for number in (1, 2):
        comments = ["Age: 56", "Sex: Female", "SCP: LVOLT;NORM;SR", "Superclass: NORM"]
        write_wfdb(folder / f"0000{number}_hr", voltages(number), 500, comments)
    return folder


def brugada(folder: Path) -> Path:
    """Brugada-HUCA with two patients, 12 s at 100 Hz."""
    rows = []
    for number in (188981, 251972):
        place = folder / "files" / str(number) / str(number)
        write_wfdb(place, voltages(number, 100, 12.0), 100)
        code = int(number == 251972)
        rows.append({"patient_id": number, "basal_pattern": 0, "sudden_death": 0, "brugada": code})
    write_csv(folder / "metadata.csv", rows)
    return folder


def npz(folder: Path) -> Path:
    """Two NPZ containers: one of two records with labels, one of a single record."""
    folder.mkdir(parents=True)
    two = np.stack([np.round(voltages(n, 100).T * 1000).astype(np.int16) for n in (1, 2)])
    shared = {"fs": np.int64(100), "scale": np.float32(0.001)}
    np.savez(folder / "a.npz", X=two, ecg_id=np.array([7, 9]), leads=np.array(LEADS), **shared)
    np.savez(folder / "b.npz", X=two[0] + 1, **shared)
    return folder
