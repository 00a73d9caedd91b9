"""A model's answers are kept by what it is now: its card, its weights, its thresholds."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from ecgcore.model_shelf import publish, withdraw
from ecgcore.model_thresholds import set_threshold
from ecgcore.models.card import model_folders
from ecgcore.models.prediction import Prediction
from ecgcore.review_work import open_store
from ecgcore.signal.simulator import PRESETS, simulate
from ecgcore.ui import services
from ecgcore.workspace import Workspace
from tests.models.shelf_example import model_files, write_model


def _answer() -> Prediction:
    found = services.prediction("mine", simulate(PRESETS["sinus"]).recording)
    assert isinstance(found, Prediction)
    return found


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ECG_WORKSPACE", str(tmp_path / "workspace"))
    services.memories.cache_clear()
    return tmp_path


def test_another_network_or_threshold_is_never_answered_for_by_the_last_one(here: Path) -> None:
    store = open_store(Workspace.from_environment())
    publish(store, "ann", write_model(here / "one", model_files()))
    first = _answer()
    assert _answer() is first and "mine" in services.model_names()
    set_threshold(store, "ann", "mine", ("superclasses", "MI"), 0.111)
    judged = _answer()
    assert judged is not first and judged.labels[1].threshold == 0.111
    assert judged.labels[1].probability == first.labels[1].probability
    shutil.rmtree(model_folders()["mine"])
    publish(store, "ann", write_model(here / "two", model_files(seed=1)))
    other = _answer()
    assert other.labels[1].probability != first.labels[1].probability
    assert other.labels[1].threshold == 0.5


def test_a_withdrawn_model_is_offered_no_more_and_declines(here: Path) -> None:
    store = open_store(Workspace.from_environment())
    publish(store, "ann", write_model(here / "one", model_files()))
    _answer()
    withdraw(store, "ann", "mine")
    assert "mine" not in services.model_names()
    refused = services.prediction("mine", simulate(PRESETS["sinus"]).recording)
    assert isinstance(refused, services.Declined) and "withdrawn" in refused.sentence


def test_a_damaged_list_leaves_the_page_with_a_sentence(here: Path) -> None:
    store = open_store(Workspace.from_environment())
    withdraw(store, "ann", "inception")
    (here / "workspace" / "models" / "withdrawn.json").write_text("{")
    assert services.model_names() == ()
    assert "list of withdrawn models" in services.why_no_model()
