"""The data sets by name: how to open each, where PhysioNet has it, under what licence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ecgcore.datasets.code15 import open_code15
from ecgcore.datasets.cpsc2018 import open_cpsc2018
from ecgcore.datasets.headers import open_brugada, open_challenge, open_ludb, open_wfdb
from ecgcore.datasets.npz_set import open_npz
from ecgcore.datasets.ptbxl import open_icbeb_benchmark, open_ptbxl
from ecgcore.datasets.record import DataSet, DataSetError
from ecgcore.datasets.sph import open_sph
from ecgcore.datasets.tianchi import open_tianchi


@dataclass(frozen=True)
class CatalogueEntry:
    """``location`` is PhysioNet's path, or None where it must be had from ``home``."""

    title: str
    opener: Callable[[Path], DataSet]
    licence: str
    home: str
    location: str | None = None


_CINC = "CC BY 4.0"
CATALOGUE: dict[str, CatalogueEntry] = {
    "ptbxl": CatalogueEntry(
        "PTB-XL 1.0.3, 500 Hz", partial(open_ptbxl, rate=500), "CC BY 4.0",
        "physionet.org/content/ptb-xl", "ptb-xl/1.0.3",
    ),
    "ptbxl100": CatalogueEntry(
        "PTB-XL 1.0.3, 100 Hz", partial(open_ptbxl, rate=100), "CC BY 4.0",
        "physionet.org/content/ptb-xl", "ptb-xl/1.0.3",
    ),
    "icbeb2018": CatalogueEntry(
        "ICBEB2018 as the PTB-XL benchmark lays it out", open_icbeb_benchmark, "open access",
        "github.com/helme/ecg_ptbxl_benchmarking",
    ),
    "cpsc2018": CatalogueEntry(
        "CPSC2018 as the challenge gave it out", open_cpsc2018, "open access",
        "2018.icbeb.org/Challenge.html",
    ),
    "challenge2020": CatalogueEntry(
        "PhysioNet/CinC Challenge 2020", partial(open_challenge, version="2020"), _CINC,
        "physionet.org/content/challenge-2020", "challenge-2020/1.0.2",
    ),
    "challenge2021": CatalogueEntry(
        "PhysioNet/CinC Challenge 2021", partial(open_challenge, version="2021"), _CINC,
        "physionet.org/content/challenge-2021", "challenge-2021/1.0.3",
    ),
    "code15": CatalogueEntry("CODE-15%", open_code15, "CC BY 4.0", "zenodo.org/records/4916206"),
    "tianchi1": CatalogueEntry(
        "Tianchi Hefei round 1", partial(open_tianchi, round_=1), "competition terms",
        "tianchi.aliyun.com/competition/entrance/231754",
    ),
    "tianchi2": CatalogueEntry(
        "Tianchi Hefei round 2", partial(open_tianchi, round_=2), "competition terms",
        "tianchi.aliyun.com/competition/entrance/231754",
    ),
    "ludb": CatalogueEntry(
        "LUDB 1.0.1", open_ludb, "ODC-BY 1.0", "physionet.org/content/ludb", "ludb/1.0.1",
    ),
    "sph": CatalogueEntry(
        "SPH", open_sph, "CC BY 4.0", "doi.org/10.6084/m9.figshare.c.5779802",
    ),
    "brugada": CatalogueEntry(
        "Brugada-HUCA 1.0.0", open_brugada, "CC BY-SA 4.0",
        "physionet.org/content/brugada-huca", "brugada-huca/1.0.0",
    ),
    "wfdb": CatalogueEntry(
        "WFDB records with what their headers say", open_wfdb, "as their source", "your own",
    ),
    "npz": CatalogueEntry(
        "NPZ files of X, fs, scale and labels", open_npz, "as their source", "your own",
    ),
}  # fmt: skip


def open_data_set(name: str, folder: Path) -> DataSet:
    """A data set by name. Raises DataSetError, which lists the names for an unknown one."""
    if not folder.is_dir():
        raise DataSetError(f"{folder} is no folder; name the folder of the unpacked data set")
    return catalogue_entry(name).opener(folder)


def catalogue_entry(name: str) -> CatalogueEntry:
    """What is known of a data set. Raises DataSetError for an unknown name."""
    if name not in CATALOGUE:
        raise DataSetError(f"unknown data set {name!r}; known: {', '.join(CATALOGUE)}")
    return CATALOGUE[name]
