"""The models page in process: the list, a card, thresholds, two models, on and off the shelf."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from ecgcore.models.card import CARD, model_folders, trained_models
from ecgcore.models.chosen_thresholds import all_chosen
from ecgcore.models.predictor import load_predictor
from ecgcore.models.validation_answers import VALIDATION
from ecgcore.review_work import open_store
from ecgcore.ui import label_services, model_services
from ecgcore.ui.reviewer import account
from tests.models.example import example_recording
from tests.models.shelf_example import model_files, write_model
from tests.pages.looking import html, open_recording, workspace

TABLE = 0


@pytest.fixture
def models(app: AppTest, tmp_path: Path) -> AppTest:
    """The page with the two example models and a finished run."""
    label_services._stores.cache_clear()
    for memory in (model_services._answers, model_services._curves, model_services._exports):
        memory.cache_clear()
    run = workspace(tmp_path).root / "runs" / "run-1" / "model"
    write_model(run, model_files("mine", "ecgencode_m2", seed=7))
    app.run()
    return _at(app)


def _at(app: AppTest) -> AppTest:
    app.switch_page("pages/models.py").run()
    assert not app.exception, app.exception
    return app


def _open(app: AppTest, key: str, part: str = "Card") -> AppTest:
    app.selectbox(key="model-open").set_value(key).run()
    control = next(one for one in app.segmented_control if one.label == "Part of the card")
    control.set_value(part).run()
    assert not app.exception, app.exception
    return app


def _rows(app: AppTest) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = app.dataframe[TABLE].value.to_dict("records")
    return rows


def _charts(app: AppTest) -> dict[str, dict[str, Any]]:
    specs = [json.loads(chart.proto.spec) for chart in app.get("plotly_chart")]
    return {one["layout"].get("title", {}).get("text", ""): one for one in specs}


def test_every_model_is_listed_with_its_origin_and_scores(models: AppTest) -> None:
    rows = {row["Model"]: row for row in _rows(models)}
    assert set(rows) == {"ecgencode_m2", "inception", "run-1"}
    assert (rows["inception"]["From"], rows["inception"]["On the review page"]) == (
        "shipped",
        "yes",
    )
    run = rows["run-1"]
    assert (run["From"], run["On the review page"]) == ("finished run", "not published")
    assert run["Labels"] == "5 of 5" and run["Superclasses, AUROC"].startswith("0.828 (0.728–")
    assert "Research use only" in html(models)


def test_a_card_shows_limits_facts_labels_and_the_command(models: AppTest) -> None:
    _open(models, "run run-1")
    text = html(models)
    assert "<li>Research use only; not a medical device.</li>" in text
    assert "<dt>Network</dt><dd>ecgencode_m2</dd>" in text
    labels = models.dataframe[1].value
    assert list(labels["Label"]) == ["NORM", "MI", "STTC", "CD", "HYP"]
    assert set(labels["Set by"]) == {"the card"}
    _open(models, "inception")
    assert "not enough data (3 positives)" in html(models)


def test_a_model_without_its_answers_says_so_instead_of_curves(models: AppTest) -> None:
    _open(models, "inception", "Curves and thresholds")
    assert "came without its answers to the validation records" in models.info[0].value
    assert not _charts(models)


def test_a_threshold_shows_its_consequence_before_it_is_set(models: AppTest) -> None:
    _open(models, "run run-1", "Curves and thresholds")
    assert models.caption[-1].value.startswith("Publish the model to set thresholds")
    titles = " ".join(_charts(models))
    for wanted in ("Receiver operating", "Precision and recall", "Scores over", "Reliability"):
        assert wanted in titles
    before = html(models)
    models.slider[0].set_value(0.3).run()
    after = html(models)
    assert "at 0.300" in after and "at 0.500" in before and "now in use: 0.500" in after
    models.number_input[0].set_value(1.0).run()
    assert "PPV at 1.0 %" in html(models) and "Of 1,000 people 10 have" in html(models)
    (roc,) = [one for title, one in _charts(models).items() if "Receiver" in title]
    assert [t["name"] for t in roc["data"][-2:]] == ["threshold 0.300", "the card’s, 0.500"]


def test_publishing_setting_a_threshold_and_withdrawing(models: AppTest, tmp_path: Path) -> None:
    models.selectbox(key="model-open").set_value("run run-1").run()
    models.text_input(key="as-run run-1").set_value("mine").run()
    models.button(key="model-publish").click().run()
    assert not models.exception and "mine" in trained_models()
    assert models.selectbox(key="model-open").value == "mine"
    assert {row["Model"]: row["From"] for row in _rows(models)}["mine"] == "published"
    _open(models, "mine", "Curves and thresholds")
    models.selectbox[1].set_value(2).run()  # MI: superclasses in the order of their codes
    models.slider[0].set_value(0.123).run()
    models.button(key="threshold-set").click().run()
    (chosen,) = all_chosen()
    assert (chosen.model, chosen.value) == ("mine", 0.123)
    assert f"0.123 set by {chosen.by} on {chosen.at[:10]}" in html(models)
    assert models.button(key="threshold-set").disabled
    answer = load_predictor("mine").predict(example_recording())
    assert f"{chosen.code} (superclass) 0.123 set by" in answer.threshold_origin
    open_recording(models)
    models.selectbox(key="model").set_value("mine").run()
    assert f"{chosen.code} (superclass) 0.123 set by" in html(models)
    _open(_at(models), "mine", "Curves and thresholds")
    models.button(key="threshold-back").click().run()
    assert not all_chosen()
    models.button(key="model-withdraw").click().run()
    assert "mine" not in trained_models()
    open_recording(models)
    assert "mine" not in models.selectbox(key="model").options
    _at(models)
    models.selectbox(key="model-open").set_value("mine").run()
    models.button(key="model-put-back").click().run()
    assert "mine" in trained_models()


def test_a_damaged_run_is_said_and_cannot_be_published(models: AppTest, tmp_path: Path) -> None:
    card = workspace(tmp_path).root / "runs" / "run-1" / "model" / CARD
    card.write_text("{")
    models.run()
    models.selectbox(key="model-open").set_value("run run-1").run()
    assert "cannot be read" in models.error[0].value.replace("\\", "")
    assert models.button(key="model-publish").disabled


def test_weights_that_are_not_the_cards_are_refused_with_the_reason(
    models: AppTest, tmp_path: Path
) -> None:
    folder = workspace(tmp_path).root / "runs" / "run-1" / "model"
    (folder / "weights.safetensors").write_bytes(b"other")
    models.selectbox(key="model-open").set_value("run run-1").run()
    models.button(key="model-publish").click().run()
    assert "are not the weights that" in models.error[0].value.replace("\\", "")
    assert "run-1" not in trained_models()


def test_a_model_is_brought_in_from_a_folder(models: AppTest, tmp_path: Path) -> None:
    folder = write_model(tmp_path / "brought", model_files("other", "attia", seed=3))
    models.segmented_control(key="models-view").set_value("Bring in a model").run()
    models.text_input(key="bring-path").set_value(str(tmp_path / "nothing"))
    models.button[0].click().run()
    assert "is no folder" in models.error[0].value.replace("\\", "")
    models.text_input(key="bring-path").set_value(str(folder))
    models.button[0].click().run()
    assert not models.exception and not models.error
    assert sorted(p.name for p in model_folders()["other"].iterdir())[1] == VALIDATION


def test_two_models_side_by_side(models: AppTest, tmp_path: Path) -> None:
    root = workspace(tmp_path).root
    write_model(root / "runs" / "run-2" / "model", model_files("mine", "attia", seed=4))
    models.segmented_control(key="models-view").set_value("Side by side").run()
    models.selectbox(key="compare-0").set_value("run run-1").run()
    models.selectbox(key="compare-1").set_value("run run-2").run()
    table = models.dataframe[0].value
    assert list(table["AUROC"]) == ["+0.000 (+0.000 to +0.000)"] * 5
    assert set(table["Better (AUROC)"]) == {"not told apart"}
    assert "<td>ecgencode_m2</td><td>attia</td>" in html(models)
    models.selectbox(key="compare-1").set_value("inception").run()
    assert "without its answers" in models.info[0].value.replace("\\", "")


def test_filters_and_leads_of_ecgencode_only(models: AppTest) -> None:
    _open(models, "run run-1", "Filters and leads")
    charts = [json.loads(chart.proto.spec) for chart in models.get("plotly_chart")]
    assert len(charts) == 2 and len(charts[0]["data"]) == 16
    models.selectbox(key="model-open").set_value("inception").run()
    control = next(one for one in models.segmented_control if one.label == "Part of the card")
    assert control.options == ["Card", "Curves and thresholds"]


def test_a_reader_sees_everything_and_may_change_nothing(models: AppTest, tmp_path: Path) -> None:
    store = open_store(workspace(tmp_path))
    store.grant("chief", "chief", "admin")
    store.grant("chief", account(), "reader")
    _open(_at(models), "run run-1", "Curves and thresholds")
    keys = {button.key for button in models.button}
    assert not keys & {"model-publish", "model-withdraw", "threshold-set"}
    assert any("Your role is reader" in one.value for one in models.caption)
    models.segmented_control(key="models-view").set_value("Bring in a model").run()
    assert "Your role is reader" in models.info[0].value and not models.text_input
