"""Publishing, withdrawing and putting back: whole or not at all, by those who may."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ecgcore import model_shelf
from ecgcore.model_shelf import ShelfError, publish, put_back, shelf, withdraw
from ecgcore.model_thresholds import back_to_card, set_threshold
from ecgcore.models.card import (
    CARD,
    WEIGHTS,
    CardError,
    load_card,
    model_folders,
    published_folder,
    read_card,
    trained_models,
)
from ecgcore.models.chosen_thresholds import THRESHOLDS, all_chosen
from ecgcore.models.predictor import load_predictor
from ecgcore.models.validation_answers import VALIDATION
from ecgcore.review.connection import sqlite_url
from ecgcore.review.people import Forbidden
from ecgcore.review.store import ReviewStore
from tests.models.example import example_recording
from tests.models.shelf_example import model_files, write_model


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ReviewStore]:
    """A workspace of its own, its store, and an administrator ann."""
    monkeypatch.setenv("ECG_WORKSPACE", str(tmp_path / "workspace"))
    (tmp_path / "workspace").mkdir()
    opened = ReviewStore(sqlite_url(tmp_path / "workspace" / "review.db"))
    opened.grant("ann", "ann", "admin")
    opened.default_role = "reader"
    yield opened
    opened.database.engine.dispose()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_model(tmp_path / "model", model_files())


def _names(origin: str) -> list[str]:
    return [one.name for one in shelf() if one.origin == origin]


def test_a_published_model_can_be_chosen_and_answers(store: ReviewStore, folder: Path) -> None:
    card = publish(store, "ann", folder)
    assert card.name == "mine" and "mine" in trained_models()
    assert sorted(p.name for p in model_folders()["mine"].iterdir()) == [
        CARD, VALIDATION, WEIGHTS,
    ]  # fmt: skip
    answer = load_predictor("mine").predict(example_recording())
    assert answer.model == "mine"
    (model,) = [one for one in shelf() if one.name == "mine"]
    assert (model.origin, model.shown, model.trouble) == ("published", True, "")
    renamed = publish(store, "ann", folder, "another-one")
    assert load_card("another-one").name == renamed.name == "another-one"
    assert load_card("another-one").metrics["model"] == "another-one"


@pytest.mark.parametrize(
    "name", ["", "..", "../x", "a/b", "A", "-a", ".hidden", "a b", "a\n", "ü", "x" * 61, "a.b"]
)
def test_hostile_names_are_refused(name: str, store: ReviewStore, folder: Path) -> None:
    with pytest.raises(ShelfError, match="cannot be a model's name"):
        publish(store, "ann", folder, name)
    assert not _names("published")


def test_a_taken_name_is_refused_and_nothing_is_overwritten(
    store: ReviewStore, folder: Path, tmp_path: Path
) -> None:
    with pytest.raises(ShelfError, match="name of a shipped model"):
        publish(store, "ann", folder, "inception")
    publish(store, "ann", folder)
    before = (model_folders()["mine"] / CARD).read_bytes()
    with pytest.raises(ShelfError, match="published already"):
        publish(store, "ann", folder)
    other = write_model(tmp_path / "other", model_files(seed=1))
    with pytest.raises(ShelfError, match="taken by another"):
        publish(store, "ann", other)
    assert (model_folders()["mine"] / CARD).read_bytes() == before


def test_only_an_administrator_publishes_withdraws_and_sets_thresholds(
    store: ReviewStore, folder: Path
) -> None:
    for attempt in (
        lambda: publish(store, "eve", folder),
        lambda: withdraw(store, "eve", "inception"),
        lambda: put_back(store, "eve", "inception"),
        lambda: set_threshold(store, "eve", "inception", ("superclasses", "MI"), 0.5),
        lambda: back_to_card(store, "eve", "inception", ("superclasses", "MI")),
    ):
        with pytest.raises(Forbidden, match="eve is reader"):
            attempt()
    assert not _names("published") and "inception" in trained_models() and not all_chosen()


def test_a_withdrawn_model_is_offered_no_more_until_it_is_put_back(store: ReviewStore) -> None:
    withdraw(store, "ann", "inception")
    assert "inception" not in trained_models()
    with pytest.raises(CardError, match="is withdrawn; publish it again, or give its folder"):
        load_predictor("inception")
    (model,) = [one for one in shelf() if one.name == "inception"]
    assert not model.shown and model.withdrawn.startswith("by ann on 20")
    with pytest.raises(ShelfError, match="withdrawn already, by ann"):
        withdraw(store, "ann", "inception")
    put_back(store, "ann", "inception")
    assert "inception" in trained_models()
    with pytest.raises(ShelfError, match="no withdrawn model"):
        put_back(store, "ann", "inception")
    with pytest.raises(ShelfError, match="no model 'nothing'"):
        withdraw(store, "ann", "nothing")


def test_a_damaged_list_of_withdrawn_models_brings_none_back(store: ReviewStore) -> None:
    withdraw(store, "ann", "inception")
    (published_folder() / "withdrawn.json").write_text('{"incep')
    with pytest.raises(CardError, match="list of withdrawn models"):
        trained_models()


def test_a_publishing_that_dies_leaves_nothing_that_is_offered(
    store: ReviewStore, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(path: Path, value: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(model_shelf, "write_json", die)
        with pytest.raises(OSError, match="No space"):
            publish(store, "ann", folder)
    assert [p.name for p in published_folder().iterdir()] == [".lock"]
    # Killed, nothing tidies up; a folder without a card is no model, and the next one removes it.
    (published_folder() / ".publishing-dead").mkdir()
    (published_folder() / ".publishing-dead" / CARD).write_bytes(model_files()[CARD])
    assert not _names("published")
    publish(store, "ann", folder)
    assert sorted(p.name for p in published_folder().iterdir()) == [".lock", "mine"]


def test_what_is_checked_is_what_is_kept(
    store: ReviewStore, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder changes between the check and the copy."""
    real = os.fsync

    def change(handle: int) -> None:
        (folder / WEIGHTS).write_bytes(b"other")
        real(handle)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", change)
        card = publish(store, "ann", folder)
    kept = (model_folders()["mine"] / WEIGHTS).read_bytes()
    assert kept != (folder / WEIGHTS).read_bytes() == b"other"
    assert hashlib.sha256(kept).hexdigest() == card.weights_sha256


def test_two_at_once_publish_one_model(store: ReviewStore, folder: Path) -> None:
    def attempt(_: int) -> bool:
        try:
            publish(store, "ann", folder)
        except ShelfError:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(attempt, range(4))) == 1
    assert _names("published") == ["mine"]


def test_finished_runs_are_listed_until_they_are_published(
    store: ReviewStore, tmp_path: Path
) -> None:
    run = write_model(tmp_path / "workspace" / "runs" / "run-1" / "model", model_files())
    (tmp_path / "workspace" / "runs" / "run-2").mkdir()
    assert _names("run") == ["run-1"]
    publish(store, "ann", run)
    assert _names("run") == [] and _names("published") == ["mine"]


def test_another_network_under_the_same_name_is_another_model(
    store: ReviewStore, folder: Path, tmp_path: Path
) -> None:
    publish(store, "ann", folder)
    set_threshold(store, "ann", "mine", ("superclasses", "MI"), 0.9)
    first = load_predictor("mine")
    assert load_predictor("mine").network is first.network and len(first.chosen) == 1
    shutil.rmtree(model_folders()["mine"])
    publish(store, "ann", write_model(tmp_path / "other", model_files(seed=1)))
    second = load_predictor("mine")
    assert second.network is not first.network and second.chosen == ()
    recording = example_recording()
    one, other = (p.predict(recording).labels[0].probability for p in (first, second))
    assert one != other


def test_a_threshold_that_a_person_sets_judges_answers_and_says_so(
    store: ReviewStore, folder: Path
) -> None:
    publish(store, "ann", folder)
    recording = example_recording()
    before = load_predictor("mine").predict(recording)
    label = before.labels[1]
    assert label.probability is not None and label.threshold == 0.5
    value = label.probability / 2 if not label.positive else (1 + label.probability) / 2
    set_threshold(store, "ann", "mine", ("superclasses", label.code), value)
    answer = load_predictor("mine").predict(recording)
    changed = answer.labels[1]
    assert changed.positive is not label.positive and changed.threshold == value
    assert changed.threshold_origin is not None
    assert f"{value:.3f} set by ann on 20" in changed.threshold_origin
    assert "the card's is 0.500" in changed.threshold_origin
    assert changed.threshold_origin in answer.threshold_origin
    assert answer.labels[0] == before.labels[0]
    assert read_card(model_folders()["mine"]).labels[1].threshold == 0.5
    back_to_card(store, "ann", "mine", ("superclasses", label.code))
    assert load_predictor("mine").predict(recording).labels == before.labels


def test_wrong_thresholds_are_refused(store: ReviewStore, folder: Path) -> None:
    publish(store, "ann", folder)
    for value in (-0.1, 1.1, float("nan")):
        with pytest.raises(ShelfError, match="it is a probability"):
            set_threshold(store, "ann", "mine", ("superclasses", "MI"), value)
    with pytest.raises(ShelfError, match="gives no answer for WPW"):
        set_threshold(store, "ann", "mine", ("statements", "WPW"), 0.5)
    with pytest.raises(CardError, match="no trained model 'nothing'"):
        set_threshold(store, "ann", "nothing", ("superclasses", "MI"), 0.5)


@pytest.mark.parametrize("damage", ["{", "[{}]", '[{"model": "mine"}]', "3"])
def test_damaged_thresholds_stop_the_model_instead_of_being_forgotten(
    damage: str, store: ReviewStore, folder: Path
) -> None:
    publish(store, "ann", folder)
    (published_folder() / THRESHOLDS).write_text(damage)
    with pytest.raises(CardError, match="thresholds that were set"):
        load_predictor("mine")


def test_two_people_setting_thresholds_at_once_lose_none(store: ReviewStore, folder: Path) -> None:
    publish(store, "ann", folder)
    codes = ["NORM", "MI", "STTC", "CD", "HYP"]
    with ThreadPoolExecutor(5) as pool:
        list(
            pool.map(
                lambda code: set_threshold(store, "ann", "mine", ("superclasses", code), 0.25),
                codes,
            )
        )
    assert sorted(one.code for one in all_chosen()) == sorted(codes)
