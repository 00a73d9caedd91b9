"""Biomarkers joined to Inception: alone, beside others, explained, learned."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from ecgcore.datasets import packed
from ecgcore.datasets.packed import load_packed
from ecgcore.explain.grad_cam import grad_cam
from ecgcore.explain.measured_effects import measured_effects
from ecgcore.models.biomarkers import BIOMARKERS
from ecgcore.models.ensemble import Ensemble, EnsembleOptions, ensemble_weights
from ecgcore.models.inception_measured import InceptionMeasured, InceptionMeasuredOptions
from ecgcore.models.input_spec import prepare
from ecgcore.models.measured import COLUMNS
from ecgcore.models.network import Network
from ecgcore.models.predictor import Predictor, read_predictor
from ecgcore.models.registry import build_network, network_entry
from ecgcore.training.checkpoint import CheckpointError, TrainingError
from ecgcore.training.loop import train
from ecgcore.training.members import train_model
from ecgcore.training.publish import publish
from ecgcore.training.records import usual_values
from ecgcore.training.watching import RunStopped, Watch
from tests.models.example import CODES, example_card, example_recording, seeded_network
from tests.models.forest_example import forest_weights, samples_as_biomarkers
from tests.packed_example import write_packed
from tests.training.test_loop import OPTIONS

NAME = "inception_measured"
QRS_MS = BIOMARKERS.index("qrs_ms")


def network(records: int = 3) -> tuple[InceptionMeasured, Tensor, Tensor]:
    """A network as if trained on QRS durations around 90 ms, signals, and biomarkers."""
    made = seeded_network(NAME)
    assert isinstance(made, InceptionMeasured)
    medians, spread = np.zeros(COLUMNS, dtype=np.float32), np.full(COLUMNS, 2.0)
    medians[QRS_MS], spread[QRS_MS] = 90.0, 10.0
    made.set_usual_values(medians, spread)
    return made, torch.randn(records, 12, 750), torch.randn(records, COLUMNS)


def test_a_biomarker_counts_by_its_distance_from_the_usual_and_an_unknown_one_not() -> None:
    made, x, told = network()
    told[:, QRS_MS] = torch.tensor([90.0, 110.0, torch.nan])
    with torch.inference_mode():
        seen = made.features(x, told)[:, -COLUMNS:]
        expected = torch.asinh(torch.tensor([0.0, 2.0, 0.0]))
        torch.testing.assert_close(seen[:, QRS_MS], expected)
        torch.testing.assert_close(made(x), made(x, torch.full_like(told, torch.nan)))
        assert (made(x, told) - made(x)).abs().min() > 1e-4
        other = told.clone()
        other[0, QRS_MS] = 1e30  # a false measurement
        assert made(x, other)[0].isfinite().all()
        torch.testing.assert_close(made(x, other)[1:], made(x, told)[1:])


def test_what_never_varied_in_training_says_nothing() -> None:
    made, x, told = network()
    made.get_buffer("steepness")[QRS_MS] = 1 / torch.inf
    other = told.clone()
    other[:, QRS_MS] = 400.0
    with torch.inference_mode():
        torch.testing.assert_close(made(x, other), made(x, told))


def test_usual_values_are_of_what_was_measured() -> None:
    values = np.full((4, 3), np.nan, dtype=np.float32)
    values[:3, 0], values[:, 1] = (1.0, 2.0, 6.0), 5.0
    medians, spread = usual_values(values)
    np.testing.assert_array_equal(medians, [2.0, 5.0, 0.0])
    np.testing.assert_allclose(spread, [np.std([1.0, 2.0, 6.0, 2.0]), np.inf, np.inf])
    with pytest.raises(TrainingError, match="no biomarker is known of any training record"):
        usual_values(values[:, 2:])


def test_beside_others_it_answers_as_alone() -> None:
    made, x, told = network()
    told[:, QRS_MS] = torch.tensor([90.0, 130.0, torch.nan])
    names = ("inception", NAME, NAME, "forest")
    parts: list[Network] = [seeded_network("inception", seed=4), made, seeded_network(NAME, seed=5)]
    parts.append(build_network("forest", leads=12, labels=5, options={"trees": 1}))
    parts[-1].load_state_dict(forest_weights())
    few = {"trees": 1}
    options = [{"network": one, "options": few if one == "forest" else {}} for one in names]
    whole = Ensemble(EnsembleOptions(options), leads=12, labels=5).eval()
    whole.load_state_dict(ensemble_weights([part.state_dict() for part in parts]))
    with torch.inference_mode():
        answers = [parts[0](x), *(part(x, told) for part in parts[1:])]
        torch.testing.assert_close(whole(x, told), torch.stack(answers).mean(0))
    assert [len(kind) for kind in whole.kinds] == [1, 2, 1]
    assert len(whole.cam_layers) == 2


def test_explanations_hold_the_signal_or_the_values() -> None:
    """Alone and in an ensemble: Grad-CAM with the values held, and each value's own effect."""
    made, _, _ = network()
    kinds = {"members": [{"network": "inception", "options": {}}, {"network": NAME, "options": {}}]}
    both = build_network("ensemble", leads=12, labels=5, options=kinds)
    parts = [seeded_network("inception", seed=4), made]
    both.load_state_dict(ensemble_weights([part.state_dict() for part in parts]))
    for name, one, options in ((NAME, made, {}), ("ensemble", both.eval(), kinds)):
        card = example_card(name, spec=network_entry(NAME).spec, options=options)
        predictor = Predictor(card, one, torch.device("cpu"))
        assert grad_cam(predictor, example_recording(), "MI").heat.max() == 1.0
        prepared = prepare(example_recording(), card.spec)
        told = np.full(COLUMNS, np.nan, dtype=np.float32)
        told[QRS_MS] = 150.0
        found = measured_effects(predictor, replace(prepared, aside=told), "CD")
        x = torch.from_numpy(prepared.values)[None]
        with torch.inference_mode():
            target = CODES.index("CD")
            with_it = torch.sigmoid(one(x, torch.from_numpy(told)[None]))[0, target]
            without = torch.sigmoid(one(x))[0, target]
        assert found.groups[0].probability == pytest.approx(float(with_it - without), abs=1e-6)
        assert found.groups[0].values[0].words == "QRS duration 150 ms (usual 90 ms)"
        others = [group.probability for group in found.groups[1:]]
        assert others == pytest.approx([0.0] * len(others), abs=1e-6)


class _Stopping(Watch):
    """Wants to stop from the second phase on."""

    def __init__(self) -> None:
        self.phases: list[str] = []

    def phase(self, name: str) -> None:
        self.phases.append(name)

    def wants_stop(self) -> bool:
        return len(self.phases) == 2


def test_it_learns_from_what_is_measured_and_keeps_what_is_usual(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:

    def told(stored: NDArray[np.int16], scale: float, rate: float) -> NDArray[np.float32]:
        values = samples_as_biomarkers(stored, scale, rate)
        values[:, 1] = 7.0  # never varies
        return values

    monkeypatch.setattr(packed, "packed_biomarkers", told)
    data = load_packed(write_packed(tmp_path / "packed.npz"))
    options = replace(OPTIONS, network=NAME, network_options={"filters": 4}, epochs=1, average=0.9)
    watch = _Stopping()
    with pytest.raises(RunStopped, match="before measuring recording 33 of 90"):
        train_model(options, data, tmp_path / "run", watch=watch)
    trained = train_model(options, data, tmp_path / "run")
    card = publish("made", options, data, trained, folder=tmp_path / "model", command="-")
    assert card.spec.aside == ("biomarkers",) and "Natarajan" in card.paper
    made = read_predictor(tmp_path / "model").network
    values = data.select(options.train_folds).aside_inputs(card.spec)
    medians, spread = usual_values(values)
    assert np.isinf(spread[1])
    np.testing.assert_array_equal(made.get_buffer("medians"), medians)
    np.testing.assert_array_equal(made.get_buffer("steepness"), 1 / spread)
    inputs = torch.from_numpy(data.inputs(card.spec))
    some = inputs[: len(values)]
    with torch.inference_mode():
        assert not torch.allclose(made(some, torch.from_numpy(values)), made(some))


def test_records_of_which_nothing_is_measured_teach_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = load_packed(write_packed(tmp_path / "packed.npz"))

    def unknown(stored: NDArray[np.int16], scale: float, rate: float) -> NDArray[np.float32]:
        return np.full((len(stored), COLUMNS), np.nan, dtype=np.float32)

    monkeypatch.setattr(packed, "packed_biomarkers", unknown)
    with pytest.raises(TrainingError, match="no biomarker is known of any training record"):
        train(replace(OPTIONS, network=NAME, network_options={}), data, tmp_path / "run")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"batch": 61}, "60 records make no batch of 61"),
        ({"start": "/nowhere"}, "start cannot be used: /nowhere"),
        ({"network_options": {"units": 0}}, "units 0; give"),
        ({"learning_rate": 0.5}, "holds a run with other options"),
    ],
)
def test_what_cannot_begin_is_refused_before_anything_is_measured(
    change: dict[str, object], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packed, "packed_biomarkers", samples_as_biomarkers)
    data = load_packed(write_packed(tmp_path / "packed.npz"))
    options = replace(OPTIONS, network=NAME, network_options={"filters": 4}, epochs=1)
    train_model(options, data, tmp_path / "run")
    monkeypatch.setattr(packed, "packed_biomarkers", lambda *given: pytest.fail("measured"))
    with pytest.raises((TrainingError, CheckpointError, ValueError), match=said):
        train_model(replace(options, **change), data, tmp_path / "run")


def test_a_layer_of_no_units_is_refused() -> None:
    with pytest.raises(ValueError, match="units 0; give"):
        InceptionMeasured(InceptionMeasuredOptions(units=0), leads=12, labels=5)
