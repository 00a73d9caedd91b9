"""What a model is told beside the signal: measured once, in one order, unknown where unknown."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from ecgcore.models import aside
from ecgcore.models.aside import ASIDE_NAMES, PAPER_RULES, aside_columns, aside_row, aside_warnings
from ecgcore.models.card import SHIPPED, load_card
from ecgcore.models.input_spec import InputSpec, prepare
from ecgcore.recording import LEADS, Patient
from ecgcore.rules.applying import apply_rules
from ecgcore.rules.criteria import criteria_set
from ecgcore.signal.delineation import delineate
from ecgcore.signal.measurements import measure
from tests.models.example import example_recording


def test_the_rules_columns_are_the_papers_criteria() -> None:
    labels = tuple(criterion.label for criterion in criteria_set("paper").criteria)
    assert labels == PAPER_RULES
    assert len(set(labels)) == 15


def test_columns_follow_the_names() -> None:
    assert aside_columns(()) == ()
    assert aside_columns(("sex", "age")) == ("sex", "age")
    assert aside_columns(("age", "rules:paper")) == ("age", *PAPER_RULES)


@pytest.mark.parametrize(("sex", "code"), [("M", 1.0), ("F", 2.0), (None, np.nan)])
@pytest.mark.parametrize("age", [0.0, 63.0, None])
def test_age_and_sex_are_the_patients(sex: str | None, code: float, age: float | None) -> None:
    recording = replace(example_recording(), patient=Patient(age=age, sex=sex))  # type: ignore[arg-type]
    row = aside_row(recording, ("age", "sex"))
    assert row.dtype == np.float32
    np.testing.assert_array_equal(row, np.float32([np.nan if age is None else age, code]))


def test_rules_are_what_applying_them_says() -> None:
    """Fired 1, not fired 0, not decided NaN; a flat lead leaves its rules undecided."""
    recording = example_recording(flat=("V1",))
    measured = measure(recording, delineate(recording))
    findings = apply_rules(measured, recording.patient, criteria_set("paper"))
    row = aside_row(recording, ("rules:paper",))
    answers = {True: 1.0, False: 0.0, None: np.nan}
    np.testing.assert_array_equal(row, np.float32([answers[one.fired] for one in findings]))
    assert {0.0, 1.0} < set(row.tolist())
    assert 0 < np.isnan(row).sum() < 15


def test_computed_limb_leads_serve_the_rules_too() -> None:
    whole = aside_row(example_recording(), ("rules:paper",))
    eight = aside_row(example_recording(leads=("I", "II", *LEADS[6:])), ("rules:paper",))
    np.testing.assert_array_equal(whole, eight)


def test_what_is_not_known_is_said() -> None:
    row = np.full(17, np.nan, dtype=np.float32)
    row[2:] = 0
    row[[3, 12]] = np.nan
    said = aside_warnings(row, ("age", "sex", "rules:paper"))
    assert said == (
        "the recording states no age; the model answers without it",
        "the recording states no sex; the model answers without it",
        "not decided here, so that the model is told nothing of: SARRH, 1AVB",
    )
    assert aside_warnings(np.zeros(17, np.float32), ("age", "sex", "rules:paper")) == ()


def test_prepare_fills_what_the_spec_names() -> None:
    recording = replace(example_recording(), patient=Patient(age=41.0, sex="F"))
    plain = prepare(recording, InputSpec())
    told = prepare(recording, InputSpec(aside=("sex", "age")))
    assert plain.aside.shape == (0,)
    assert told.aside.tolist() == [2.0, 41.0]
    np.testing.assert_array_equal(plain.values, told.values)
    assert prepare(example_recording(), InputSpec(aside=("age",))).warnings == (
        "the recording states no age; the model answers without it",
    )


def test_without_rules_nothing_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*given: object) -> list[float]:
        raise AssertionError("rules were measured")

    monkeypatch.setattr(aside, "_rules", refuse)
    prepare(example_recording(), InputSpec(aside=("age", "sex")))
    with pytest.raises(AssertionError, match="rules were measured"):
        prepare(example_recording(), InputSpec(aside=("rules:paper",)))


def test_a_spec_with_aside_inputs_survives_json() -> None:
    spec = InputSpec(aside=("age", "sex", "rules:paper"))
    assert InputSpec.from_json(json.loads(json.dumps(spec.to_json()))) == spec


@pytest.mark.parametrize("name", ["ecgencode_m2", "inception"])
def test_shipped_cards_which_lack_the_field_are_read(name: str) -> None:
    written = json.loads((SHIPPED / name / "card.json").read_text(encoding="utf-8"))["spec"]
    written.pop("aside", None)
    assert InputSpec.from_json(written) == load_card(name).spec
    assert load_card(name).spec.aside == ()
    assert load_card("lightbox").spec.aside == ("biomarkers",)


@pytest.mark.parametrize("names", [("height",), ("age", "age"), ("rules:clinical",)])
def test_unknown_or_repeated_names_are_refused(names: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match=f"allowed, each once: {', '.join(ASIDE_NAMES)}"):
        InputSpec(aside=names)  # type: ignore[arg-type]
