"""A trained HRNN whose rules' weights are fitted afterwards: what counts, the card, refusals."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ecgcore.cli import main
from ecgcore.datasets.packed import PackedData, PackedDataError, load_packed
from ecgcore.evaluation.evaluate import evaluate
from ecgcore.models.aside import PAPER_RULES
from ecgcore.models.predictor import Predictor, read_predictor
from ecgcore.training.checkpoint import TrainingError
from ecgcore.training.fusion import Fusion, fuse
from ecgcore.training.fusion_card import publish_fused
from ecgcore.training.fusion_records import class_answers, fit_records
from ecgcore.training.loop import train
from ecgcore.training.options import TrainOptions
from ecgcore.training.publish import RULES_NOT_LEARNED, publish
from tests.models.example import example_predictor
from tests.packed_example import packed_arrays, write_packed

NORM, MI, STTC, CD, HYP = range(5)
OPTIONS = TrainOptions(
    network="hrnn",
    label_set="superclasses",
    network_options={
        "blocks": [1, 1],
        "channels": [4, 4],
        "rules": ["QWAVE", "LAD", "RAD", "LNGQT", ""],
    },
    sampling_rate=100.0,
    train_folds=(1, 2, 3, 4, 5, 6, 7, 8),
    validation_folds=(9,),
    batch=20,
    epochs=6,
    learning_rate=0.02,
    fewest_positives=5,
    fewest_validation_positives=1,
)


def in_millivolts(**changes: Any) -> dict[str, Any]:
    """Noise that says nothing of a label. Rule LAD is MI itself, RAD is drawn, LNGQT never known,
    QWAVE never 1."""
    made = packed_arrays(120, seed=7)
    draws = np.random.default_rng(8)
    made["X"] = np.round(draws.normal(0, 500, made["X"].shape)).astype(np.int16)
    rules = np.zeros((120, 15))
    rules[:, PAPER_RULES.index("LAD")] = made["y5"][:, MI]
    rules[:, PAPER_RULES.index("RAD")] = draws.random(120) < 0.5
    rules[:, PAPER_RULES.index("LNGQT")] = np.nan
    made |= {"rules_paper": rules, "classes_rules_paper": np.array(PAPER_RULES)}
    return made | {"ecg_id": np.arange(1000, 1120)} | changes


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """learned.npz and the model in model/, volts.npz."""
    folder = tmp_path_factory.mktemp("fusion")
    data = load_packed(write_packed(folder / "learned.npz"))
    trained = train(OPTIONS, data, folder / "run")
    publish("made", OPTIONS, data, trained, folder=folder / "model", command="-")
    write_packed(folder / "volts.npz", **in_millivolts())
    return folder


@pytest.fixture(scope="module")
def model(folder: Path) -> Predictor:
    return read_predictor(folder / "model")


@pytest.fixture(scope="module")
def learned(folder: Path) -> PackedData:
    return load_packed(folder / "learned.npz")


@pytest.fixture(scope="module")
def volts(folder: Path) -> PackedData:
    return load_packed(folder / "volts.npz")


@pytest.fixture(scope="module")
def fusion(model: Predictor, volts: PackedData, learned: PackedData) -> Fusion:
    return fuse(model, [volts], learned)


def words(folder: Path, out: Path, *more: str, data: Sequence[str] = ("volts.npz",)) -> list[str]:
    paths = [str(folder / name) for name in data]
    fixed = ["fuse", "--json", "--model", str(folder / "model"), "--out", str(out)]
    return [*fixed, "--trained-on", str(folder / "learned.npz"), "--data", *paths, *more]


def test_a_rule_that_is_right_is_trusted_and_one_of_chance_is_not(fusion: Fusion) -> None:
    assert fusion.trust(MI) < -4 < 1 < fusion.fitted[STTC].trust[0]
    assert sorted(fusion.fitted) == [MI, STTC] and fusion.trust(HYP) == 0
    scores = fusion.fitted[MI].scores
    assert scores["rule"].auroc == 1 and scores[fusion.way].auroc > scores["network"].auroc
    more = scores["rule"].more_than_network
    assert more.difference == pytest.approx(1 - scores["network"].auroc)
    assert more.interval is not None and more.interval[0] > 0
    whole = [fusion.fitted[place].scores["lambda_1"].auroc for place in (MI, STTC)]
    assert fusion.macro["lambda_1"].auroc == pytest.approx(np.mean(whole))
    best = max(fusion.macro[way].auroc for way in ("lambda_0", "lambda_1"))
    assert fusion.macro[fusion.way].auroc == best


def test_a_rule_never_known_or_never_fired_keeps_its_weight(fusion: Fusion) -> None:
    assert fusion.kept[CD].startswith("0 recordings")
    assert "0 in which the rule fired" in fusion.kept[NORM]
    assert fusion.trust(CD) == fusion.trust(NORM) == 0


def test_the_card_tells_and_its_numbers_stay(
    fusion: Fusion, model: Predictor, learned: PackedData, tmp_path: Path
) -> None:
    card = publish_fused("fused", model, fusion, learned, folder=tmp_path, command="fuse")
    predictor = read_predictor(tmp_path)
    assert predictor.card == card and card.command == "fuse"
    assert evaluate(predictor, learned.select([9])) == card.metrics
    assert card.metrics | {"model": "made"} == model.card.metrics
    assert card.labels == model.card.labels and card.calibration == model.card.calibration
    assert RULES_NOT_LEARNED in model.card.limits and RULES_NOT_LEARNED not in card.limits
    text = "\n".join(card.limits)
    assert "for MI, STTC." in text and "CD: 0 recordings" in text and "NORM: 120" in text
    told = card.training["super_learner"]
    assert told["network_of"] == ["made", model.card.weights_sha256]
    assert told["data"]["sha256"] == fusion.records.data.sha256
    assert [row["code"] for row in told["fitted"]] == ["MI", "STTC"]
    assert [row["code"] for row in told["kept_at_start"]] == ["NORM", "CD"]
    weights = predictor.network.state_dict()["trust"].tolist()
    assert weights == pytest.approx([0, fusion.trust(MI), fusion.trust(STTC), 0, 0])
    with pytest.raises(TrainingError, match="has learned what its rules weigh"):
        fuse(predictor, [fusion.records.data], learned)
    before = replace(model.card, limits=tuple(one.replace("0.", "9.") for one in card.limits))
    told_anew = Predictor(before, model.network, model.device)
    again = publish_fused("fused", told_anew, fusion, learned, folder=tmp_path, command="fuse")
    assert sorted(again.limits) == sorted(card.limits), "an earlier fit's numbers stay beside these"


def test_what_the_card_says_of_thresholds_is_what_the_model_does(
    fusion: Fusion, model: Predictor, learned: PackedData, volts: PackedData, tmp_path: Path
) -> None:
    card = publish_fused("fused", model, fusion, learned, folder=tmp_path, command="-")
    predictor = read_predictor(tmp_path)
    threshold = card.labels[MI].threshold
    assert threshold is not None
    spec = card.spec
    said = predictor.probabilities(volts.inputs(spec), volts.aside_inputs(spec))[:, MI] >= threshold
    row = next(row for row in card.training["super_learner"]["fitted"] if row["code"] == "MI")
    assert row["at_threshold"]["threshold"] == threshold
    fired = volts.target("superclasses", ("MI",))[:, 0] > 0  # what the rule says
    (limit,) = [one for one in card.limits if one.startswith("Thresholds and calibration")]
    assert "Yes only where the rule fires: MI." in limit
    assert "Always yes where it fires: MI." in limit
    assert not said[~fired].any() and said[fired].all()


def test_thresholds_are_chosen_with_rules_where_the_validation_records_tell_them(
    model: Predictor, fusion: Fusion, learned: PackedData, tmp_path: Path
) -> None:
    rules = np.full((len(learned), 15), np.nan, dtype=np.float32)
    rules[:, PAPER_RULES.index("LAD")] = learned.target("superclasses", ("MI",))[:, 0]
    told = replace(learned, aside={"rules:paper": rules})
    card = publish_fused("fused", model, fusion, told, folder=tmp_path, command="-")
    assert not any("Thresholds and calibration were chosen where" in said for said in card.limits)
    row = next(row for row in card.metrics["labels"] if row["code"] == "MI")
    assert row["auroc"] == 1.0


def test_records_learned_from_and_records_twice_are_left_out(
    model: Predictor, learned: PackedData, volts: PackedData
) -> None:
    hidden = learned.rows(np.arange(10))
    noise = np.random.default_rng(0).normal(0, 50, hidden.stored.shape).astype(np.int16)
    disguised = replace(
        hidden,
        stored=(hidden.stored // 2 + noise).astype(np.int16),
        record_ids=np.array([f"x{row}" for row in range(10)]),
        aside=volts.rows(np.arange(10)).aside,
    )
    again = replace(
        volts.rows(np.array([3, 4, 3])), record_ids=np.array(["a", "b", "c"]), name="again"
    )
    found = fit_records([volts, disguised, again], learned, model)
    assert (found.learned, found.repeated, len(found.data)) == (10, 3, 120)
    alone = fit_records([again], learned, model)
    assert alone.repeated == 1 and alone.data.record_ids.tolist() == ["a", "b"]
    with pytest.raises(PackedDataError, match="learned from every recording"):
        fit_records([disguised], learned, model)


def test_a_source_that_never_gives_a_label_says_no_to_nobody(
    model: Predictor, learned: PackedData, volts: PackedData
) -> None:
    """Half of the records are of a set without MI; they count for STTC all the same."""
    targets = volts.targets["superclasses"].copy()
    origins = np.where(np.arange(120) < 60, "full", "silent")
    targets[60:, MI] = 0
    mixed = replace(
        volts, targets=volts.targets | {"superclasses": targets}, origins=origins.astype(str)
    )
    answers = class_answers(model, fit_records([mixed], learned, model))
    assert len(answers[MI]) == 60 and len(answers[STTC]) == 120
    assert answers[MI].place.max() == 59


def test_what_is_said_is_the_networks_own(
    model: Predictor, learned: PackedData, volts: PackedData
) -> None:
    """The rules' columns have no part in the network's logits; age and sex have."""
    answers = class_answers(model, fit_records([volts], learned, model))
    spec = model.card.spec
    blind = volts.aside_inputs(spec)
    blind[:, 2:] = np.nan
    expected = model.logits(volts.inputs(spec), blind)
    np.testing.assert_allclose(answers[MI].logits, expected[:, MI], rtol=1e-6)
    np.testing.assert_array_equal(answers[MI].rule, volts.target("superclasses", ("MI",))[:, 0])
    assert len(answers[CD]) == 0 and HYP not in answers


def test_what_cannot_be_fused_is_refused(
    model: Predictor, learned: PackedData, volts: PackedData, fusion: Fusion, tmp_path: Path
) -> None:
    with pytest.raises(TrainingError, match=r"network inception and has no rules.*--recipe hrnn"):
        fuse(example_predictor("inception"), [volts], learned)
    with pytest.raises(PackedDataError, match=r"tells nothing of HRNN's rules.*--rules"):
        fuse(model, [replace(volts, aside={})], learned)
    with pytest.raises(TrainingError, match=r"no class has recordings enough.*MI: 4 recordings"):
        fuse(model, [volts.rows(np.arange(4))], learned)
    with pytest.raises(TrainingError, match="one fold"):
        fuse(model, [replace(volts, fold=np.ones(120, dtype=np.int8))], learned)
    with pytest.raises(PackedDataError, match="differ in leads or length"):
        fuse(model, [replace(volts, stored=volts.stored[..., :900])], learned)
    other = replace(learned, sha256="0" * 64)
    with pytest.raises(TrainingError, match="is not what made was trained on"):
        publish_fused("x", model, fusion, other, folder=tmp_path / "x", command="-")
    unsaid = Predictor(replace(model.card, training={}), model.network, model.device)
    with pytest.raises(TrainingError, match="does not say how it was trained"):
        publish_fused("x", unsaid, fusion, learned, folder=tmp_path / "x", command="-")
    assert not (tmp_path / "x").exists()


def test_the_command_prints_the_ablation_and_writes_the_model(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words(folder, tmp_path / "out", "--name", "mine")) == 0
    *rows, macro, last = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["code"] for row in rows] == ["MI", "STTC", "NORM", "CD"]
    ways = ["network", "rule", "start", "lambda_0", "lambda_1"]
    assert list(macro["macro"]) == list(rows[0]["scores"]) == ways
    assert last["model"] == "mine" and last["lambda"] in (0, 1)
    card = read_predictor(tmp_path / "out").card
    assert card.training["super_learner"]["fitted"] == rows[:2]
    assert str(tmp_path) not in json.dumps(card.to_json())
    assert card.command == (
        "python -m ecgcore fuse --model runs/made/model --trained-on learned.npz "
        "--data volts.npz --name mine --out runs/mine/fused"
    )


def test_the_command_refuses(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words(folder, folder / "model")) == 2
    assert "--out is the model's own folder" in capsys.readouterr().err
    write_packed(folder / "other.npz", scale=np.float32(0.002))
    changed = words(folder, tmp_path / "out")
    changed[changed.index(str(folder / "learned.npz"))] = str(folder / "other.npz")
    assert main(changed) == 3
    row = json.loads(capsys.readouterr().out)
    assert row["error"] == "TrainingError" and "learned.npz" in row["message"]
    assert main(words(folder, tmp_path / "out", data=["learned.npz"])) == 3
    assert json.loads(capsys.readouterr().out)["error"] == "PackedDataError"
    assert main([*words(folder, tmp_path / "out"), "--model", str(tmp_path / "none")]) == 2
    assert not (tmp_path / "out").exists()
