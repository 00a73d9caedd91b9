"""Label sets."""

import csv
from pathlib import Path
from typing import get_args

import pytest

from ecgcore.labels import (
    SUPERCLASSES,
    CodeSystem,
    Mapped,
    concept_of,
    in_set,
    label_set,
    map_code,
    mapped_codes,
    statements,
)


def test_the_71_statements_are_sorted_unique_and_described() -> None:
    codes = [label.code for label in statements()]
    assert len(codes) == len(set(codes)) == 71
    assert codes == sorted(codes)
    assert all(label.description for label in statements())
    assert {"AFIB", "CLBBB", "NORM", "LAO/LAE"} <= set(codes)


def test_sets_by_name() -> None:
    assert label_set("superclasses") == SUPERCLASSES
    assert label_set("statements") == statements()
    with pytest.raises(ValueError, match="known: statements, superclasses"):
        label_set("snomed")


def test_sets_of_the_table() -> None:
    sizes = {name: len(label_set(name)) for name in ("subclasses", "form", "rhythm")}
    assert sizes == {"subclasses": 23, "form": 19, "rhythm": 12}
    assert in_set("IMI", "superclasses") == "MI" and in_set("IMI", "subclasses") == "IMI"
    assert in_set("AFIB", "rhythm") == "AFIB" and in_set("AFIB", "superclasses") is None
    assert in_set("NDT", "form") == "NDT" and in_set("NDT", "statements") == "NDT"


def test_the_mapping_holds_every_code_once() -> None:
    systems: tuple[CodeSystem, ...] = get_args(CodeSystem)
    sizes = {system: len(mapped_codes(system)) for system in systems}
    assert sizes == {
        "SCP-ECG": 71, "SNOMED CT": 133, "AHA": 149, "Tianchi": 55, "CPSC2018": 9, "CODE": 6,
    }  # fmt: skip
    assert set(mapped_codes("SCP-ECG")) == {label.code for label in statements()}
    for source in systems:
        for code in mapped_codes(source):
            for target in systems:
                for mapped in map_code(code, source, target):
                    assert mapped.code in mapped_codes(target)
                    if mapped.match == "exact":
                        back = {one.code for one in map_code(mapped.code, target, source)}
                        assert code in back


def test_exact_broader_and_no_match_are_different() -> None:
    assert map_code("AFIB", "SCP-ECG", "SNOMED CT") == (Mapped("164889003", "exact"),)
    assert map_code("INVT", "SCP-ECG", "AHA") == (Mapped("147", "broader"),)
    assert map_code("SEHYP", "SCP-ECG", "SNOMED CT") == ()
    assert map_code("室上性早搏", "Tianchi", "SNOMED CT") == (Mapped("63593006", "exact"),)
    assert concept_of("4", "CPSC2018") == "left bundle branch block"
    with pytest.raises(KeyError):
        map_code("999", "SNOMED CT", "AHA")


def test_ptbxls_own_aha_codes_are_not_contradicted(ecg_data: Path) -> None:
    with (ecg_data / "scp_statements.csv").open(encoding="utf-8", newline="") as table:
        rows = [row for row in csv.DictReader(table) if row["AHA code"].endswith(".0")]
    for row in rows:
        own = row["AHA code"].removesuffix(".0")
        if own.startswith("36"):
            continue  # 366 and 367 are modifiers of 147
        assert own in {one.code for one in map_code(row[""], "SCP-ECG", "AHA")}, row[""]
