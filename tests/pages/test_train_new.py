"""The Train page's new run in process: what it offers, marks, refuses and asks for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from threading import Event
from time import sleep
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from ecgcore.jobs.estimate import Estimate
from ecgcore.jobs.search_space import Dimension, search_from_json
from ecgcore.jobs.values import JobError, RunOrder
from ecgcore.models.registry import network_names
from ecgcore.models.trees import GROWN
from ecgcore.training.draft import draft_of_recipe
from ecgcore.training.recipes import recipes
from ecgcore.ui import (
    label_services,
    train_data,
    train_estimate,
    train_search,
    train_summary,
    train_words,
)
from ecgcore.ui.reviewer import account
from ecgcore.workspace import Workspace
from tests.packed_example import write_packed
from tests.pages.looking import html, workspace


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[RunOrder]:
    """What was asked for, in the place of starting it."""
    orders: list[RunOrder] = []

    def submit(here: Workspace, store: Any, order: RunOrder) -> str:
        orders.append(order)
        return "20260101-000000-mine"

    monkeypatch.setattr(train_summary, "submit", submit)
    return orders


@pytest.fixture
def opened(app: AppTest, tmp_path: Path) -> Iterator[AppTest]:
    """The page with one packed file in the workspace, chosen."""
    for kept in (label_services._stores, train_data._facts, train_data._looks):
        kept.cache_clear()
    packs = workspace(tmp_path).root / "packs"
    packs.mkdir(parents=True)
    write_packed(packs / "some.npz")
    app.run()
    app.switch_page("pages/train.py").run()
    assert not app.exception, app.exception
    app.multiselect(key="train-data-files").set_value([str(packs / "some.npz")]).run()
    app.multiselect[1].set_value(["superclasses"]).run()
    _number(app, "fewest_positives").set_value(5).run()
    assert not app.exception, app.exception
    yield app
    label_services._stores.cache_clear()


def _number(app: AppTest, option: str) -> Any:
    slug = option.replace(".", "-")
    fields = (one for one in app.number_input if not one.key.startswith("train-search-"))
    return next(one for one in fields if f"-{slug}-" in one.key)


def _select(app: AppTest, option: str) -> Any:
    return next(one for one in app.selectbox if f"-{option}-" in one.key)


def _refused(app: AppTest) -> bool:
    return bool(app.button(key="train-start").disabled)


def test_without_data_it_says_so_and_starts_nothing(app: AppTest) -> None:
    app.run()
    app.switch_page("pages/train.py").run()
    assert not app.exception
    assert "Choose data to learn from" in html(app)
    assert _refused(app)


def test_every_recipe_and_every_network_can_be_chosen(opened: AppTest) -> None:
    assert len(opened.selectbox(key="train-recipe").options) == len(recipes())
    assert len(opened.selectbox(key="train-network").options) == len(network_names()) - 1
    opened.selectbox(key="train-paper").set_value("No paper: our own").run()
    names = [one.partition(" ")[0] for one in opened.selectbox(key="train-recipe").options]
    assert {"lightbox", "forest"} <= set(names) and "cnn_te" not in names
    for name in ("lightbox", "hrnn", "mvkt_clecg", "ecgencode_m2_paper", "mlwgat"):
        opened.selectbox(key="train-paper").set_value("All papers").run()
        opened.selectbox(key="train-recipe").set_value(name).run()
        assert not opened.exception, (name, opened.exception)
        assert opened.text_input(key="train-name").value == name


def test_the_summary_counts_what_the_folds_hold(opened: AppTest) -> None:
    said = html(opened)
    assert "<dt>To learn from</dt><dd>80</dd>" in said
    assert "<dt>To validate on</dt><dd>10</dd>" in said
    folds = next(one for one in opened.pills if "validation_folds" in one.key)
    folds.set_value([8]).run()
    said = html(opened)
    assert "<dt>To learn from</dt><dd>70</dd>" in said, "a fold is never in both"


def test_a_change_is_marked_with_the_recipes_value_and_put_back(opened: AppTest) -> None:
    _number(opened, "epochs").set_value(3).run()
    assert "Changed; the recipe has 30." in html(opened)
    opened.button(key="train-back-epochs").click().run()
    assert "Changed; the recipe has 30." not in html(opened)
    assert _number(opened, "epochs").value == 30


def test_all_changes_are_put_back_at_once(opened: AppTest) -> None:
    _number(opened, "epochs").set_value(3).run()
    _number(opened, "augmentation.noise").set_value(0.4).run()
    opened.button(key="train-all-back").click().run()
    assert _number(opened, "augmentation.noise").value == 0.1
    assert "<dt>Changed options</dt><dd>0</dd>" in html(opened)


def test_start_asks_for_exactly_what_is_shown(opened: AppTest, asked: list[RunOrder]) -> None:
    _number(opened, "epochs").set_value(3).run()
    opened.text_input(key="train-name").set_value("mine").run()
    assert not _refused(opened)
    opened.button(key="train-start").click().run()
    (order,) = asked
    assert (order.name, order.recipe, order.asked_by) == ("mine", "inception", account())
    assert order.options["epochs"] == 3 and order.options["label_set"] == "superclasses"
    assert [Path(one).name for one in order.data] == ["some.npz"]
    assert opened.session_state["train-open"] == "20260101-000000-mine"
    assert opened.session_state["train-view"] == "Runs"


def test_what_cannot_begin_is_a_sentence_and_start_is_off(opened: AppTest) -> None:
    _select(opened, "objective").set_value("mkd").run()
    assert "The objective mkd learns from a teacher; choose one." in html(opened)
    assert _refused(opened)
    _select(opened, "objective").set_value("bce").run()
    assert not _refused(opened)
    opened.text_input(key="train-name").set_value("My model!").run()
    assert "give 1 to 60 of a-z" in html(opened)
    assert _refused(opened)


def test_what_is_typed_and_cannot_be_read_is_said_and_nothing_is_lost(opened: AppTest) -> None:
    opened.selectbox(key="train-recipe").set_value("attia").run()
    filters = next(one for one in opened.text_input if "-filters-" in (one.key or ""))
    filters.set_value("[16, 16").run()
    assert "is no JSON; write a list as [1, 2, 3]" in html(opened)
    assert _refused(opened)
    filters.set_value("[8, 8, 8, 8, 8, 8, 8, 8]").run()
    assert "is no JSON" not in html(opened)


def test_an_earlier_run_fills_the_page(opened: AppTest) -> None:
    options = recipes()["cnn_te"].options.to_json() | {"epochs": 7}
    opened.session_state["train-repeat"] = RunOrder(
        "again", options, ("/gone/data.npz",), recipe="cnn_te"
    ).to_json()
    opened.run()
    assert not opened.exception
    assert opened.selectbox(key="train-recipe").value == "cnn_te"
    assert _number(opened, "epochs").value == 7
    assert opened.text_input(key="train-name").value == "again"
    assert "is not there any more" in html(opened)


def test_who_may_not_train_is_told_who_may(opened: AppTest, tmp_path: Path) -> None:
    label_services.store().grant("root", account(), "reader")
    opened.run()
    assert "may not train; it takes annotator" in opened.warning[0].value.replace("\\", "")
    assert _refused(opened)


def test_leaving_the_page_keeps_the_draft(opened: AppTest) -> None:
    _number(opened, "epochs").set_value(3).run()
    opened.switch_page("pages/worklist.py").run()
    opened.switch_page("pages/train.py").run()
    assert _number(opened, "epochs").value == 3
    assert opened.multiselect(key="train-data-files").value


def test_leads_of_a_set_and_of_ones_own(opened: AppTest) -> None:
    leads = next(one for one in opened.selectbox if "-leads-" in one.key)
    leads.set_value("6: I, II, III, aVR, aVL, aVF").run()
    assert not opened.exception
    own = next(one for one in opened.pills if one.key == "train-own-leads")
    assert own.value == ["I", "II", "III", "aVR", "aVL", "aVF"]
    own.set_value(["V1", "I"]).run()
    leads = next(one for one in opened.selectbox if "-leads-" in one.key)
    assert leads.value == "2: I, V1"


def _of_search(widgets: Any, part: str) -> Any:
    return next(one for one in widgets if "train-search-" in one.key and one.key.endswith(part))


def test_a_search_is_asked_for_with_what_it_varies(opened: AppTest, asked: list[RunOrder]) -> None:
    assert "Search" not in html(opened)
    vary = ["learning_rate", "augmentation.noise", "optimiser"]
    _of_search(opened.multiselect, "options").set_value(vary).run()
    assert not opened.exception, opened.exception
    assert html(opened).count("Varied by the search above.") == 3
    rate = _number(opened, "learning_rate").value
    assert _of_search(opened.number_input, "learning_rate-low").value == pytest.approx(rate / 10)
    assert _of_search(opened.number_input, "augmentation-noise-high").value == 0.5
    _of_search(opened.number_input, "learning_rate-high").set_value(rate / 100).run()
    assert "learning_rate: bounds" in html(opened) and _refused(opened)
    _of_search(opened.number_input, "learning_rate-high").set_value(0.5).run()
    _of_search(opened.pills, "optimiser-choices").set_value([]).run()
    assert "optimiser: an option of a search needs either choices" in html(opened)
    _of_search(opened.pills, "optimiser-choices").set_value(["adam", "adamw"]).run()
    _of_search(opened.number_input, "trials").set_value(7).run()
    assert "7 trials over Learning rate, Noise, Optimiser" in html(opened)
    assert not _refused(opened)
    opened.button(key="train-start").click().run()
    (order,) = asked
    assert order.search is not None and order.search["trials"] == 7
    space = search_from_json(order.search).space
    assert (space["learning_rate"].high, space["learning_rate"].log) == (0.5, True)
    assert set(space["optimiser"].choices) == {"adam", "adamw"}

    opened.session_state["train-repeat"] = order.to_json()
    opened.session_state["train-view"] = "New run"
    opened.run()
    assert not opened.exception, opened.exception
    assert _of_search(opened.multiselect, "options").value == vary
    _of_search(opened.multiselect, "options").set_value([]).run()
    assert "Varied by" not in html(opened)
    opened.button(key="train-start").click().run()
    assert asked[-1].search is None


@pytest.mark.parametrize(
    "name", [one for one in network_names() if one not in ("ensemble", *GROWN)]
)
def test_the_bounds_to_begin_with_are_of_every_networks_options(name: str) -> None:
    now = draft_of_recipe("inception").with_value("network", name)
    for option, kind in train_search.searchable(now).items():
        if kind.kind not in ("number", "whole number"):
            continue
        bounds = train_search.bounds_about(now.value(option), kind)
        Dimension(**{**bounds, "choices": ()})
        assert kind.least is None or bounds["low"] >= kind.least
        assert kind.most is None or bounds["high"] <= kind.most


def test_numbers_can_be_values_instead_of_a_range(opened: AppTest, asked: list[RunOrder]) -> None:
    _of_search(opened.multiselect, "options").set_value(["batch", "learning_rate"]).run()
    _of_search(opened.segmented_control, "batch-how").set_value("these values").run()
    values = _of_search(opened.multiselect, "batch-values")
    assert values.value == ["15", "60"]
    values.set_value(["16", "24", "many", "2.5"]).run()
    assert _of_search(opened.multiselect, "batch-values").value == ["16", "24"]
    opened.button(key="train-start").click().run()
    assert asked[0].search is not None
    assert search_from_json(asked[0].search).space["batch"] == Dimension((16, 24))

    opened.session_state["train-repeat"] = asked[0].to_json()
    opened.session_state["train-view"] = "New run"
    opened.run()
    assert _of_search(opened.multiselect, "batch-values").value == ["16", "24"]
    assert _of_search(opened.number_input, "learning_rate-low").value == 0.0003
    opened.selectbox(key="train-recipe").set_value("cnn_te").run()
    assert "Varied by" not in html(opened), "bounds about another recipe's values"
    assert not opened.exception


def test_what_the_page_cannot_vary_is_said(opened: AppTest) -> None:
    search = {
        "space": {"network": {"choices": ["inception", "resnet1d_wang"]},
                  "learning_rate": {"choices": [0.001, 0.01]}}, "trials": 3,
    }  # fmt: skip
    order = RunOrder("again", recipes()["inception"].options.to_json(), ("/x.npz",), search=search)
    opened.session_state["train-repeat"] = order.to_json()
    opened.run()
    assert not opened.exception, opened.exception
    assert any("Not varied: network" in one.value for one in opened.caption)
    assert _of_search(opened.multiselect, "learning_rate-values").value == ["0.001", "0.01"]


def test_an_estimate_is_measured_aside_and_shown(
    opened: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    measured: list[RunOrder] = []
    go_on = Event()

    def measure(here: Workspace, order: RunOrder) -> Estimate:
        measured.append(order)
        go_on.wait(30)
        return Estimate(0.02, 3.0, 90.0, 700_000_000, 0, 80, 10, "CPU of a test")

    monkeypatch.setattr(train_estimate, "estimate", measure)
    train_estimate.estimates.cache_clear()
    opened.button(key="train-estimate").click().run()
    assert "Measuring a few steps" in "".join(one.value for one in opened.caption)
    _number(opened, "epochs").set_value(3).run()
    assert "Measuring" not in "".join(one.value for one in opened.caption), "of another draft"
    opened.button(key="train-back-epochs").click().run()
    go_on.set()
    while train_estimate._desk().pending:
        sleep(0.01)
    opened.run()
    assert "<dt>Takes about</dt><dd>2 min" in html(opened)
    assert "700 MB" in html(opened) and len(measured) == 1
    opened.button(key="train-estimate").click().run()
    assert len(measured) == 1, "what is known is not measured again"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.2, "under a second"), (89, "89 s"), (720, "12 min"), (12_000, "3 h 20 min"),
     (10_800, "3 h"), (187_200, "2 days 4 h")],
)  # fmt: skip
def test_times_in_words(seconds: float, words: str) -> None:
    assert train_words.duration(seconds) == words


def test_an_estimate_that_fails_says_why_and_can_be_asked_again(
    opened: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(here: Workspace, order: RunOrder) -> Estimate:
        raise JobError("the memory ran out: choose a smaller batch")

    def measure(here: Workspace, order: RunOrder) -> Estimate:
        return Estimate(0.02, 3.0, 30.0, 700_000_000, 0, 80, 10, "CPU of a test")

    train_estimate.estimates.cache_clear()
    for how, words in ((refuse, "choose a smaller batch"), (measure, "30 s")):
        monkeypatch.setattr(train_estimate, "estimate", how)
        opened.button(key="train-estimate").click().run()
        while train_estimate._desk().pending:
            sleep(0.01)
        opened.run()
        assert words in html(opened) + "".join(one.value for one in opened.warning)
    assert not opened.warning
    _of_search(opened.multiselect, "options").set_value(["learning_rate"]).run()
    assert "<dt>A trial takes about</dt><dd>30 s" in html(opened)
    assert "<dt>All 20</dt><dd>10 min" in html(opened)
