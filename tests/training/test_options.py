"""Options read and write as JSON, and refuse with a sentence."""

from __future__ import annotations

import json
from typing import Any, get_args

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ecgcore.models.network import Network
from ecgcore.models.registry import build_network
from ecgcore.recording import LEADS
from ecgcore.training.objective_of import OBJECTIVES, Making, Teacher, check_objective, objective_of
from ecgcore.training.objectives import Step
from ecgcore.training.objectives.lead_transfer import LeadTransfer
from ecgcore.training.objectives.mvkt import MvktLoss
from ecgcore.training.objectives.soft_targets import MultilabelDistillation, SoftmaxDistillation
from ecgcore.training.options import TrainOptions, options_from_json
from ecgcore.training.sampling import Sampling
from ecgcore.training.schedules import Schedule

PLAIN: dict[str, Any] = {"network": "inception", "label_set": "superclasses"}


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    leads=st.none() | st.lists(st.sampled_from(LEADS), min_size=1, unique=True).map(tuple),
    teacher=st.none() | st.text(max_size=9),
    start=st.none() | st.text(max_size=9),
    sampling=st.sampled_from(get_args(Sampling)),
    schedule=st.sampled_from(get_args(Schedule)),
    rate=st.none() | st.floats(25, 500),
    told=st.dictionaries(st.sampled_from(["alpha", "gamma"]), st.floats(0, 5)),
)
def test_options_survive_json(
    *,
    leads: tuple[str, ...] | None,
    teacher: str | None,
    start: str | None,
    sampling: Sampling,
    schedule: Schedule,
    rate: float | None,
    told: dict[str, float],
) -> None:
    options = TrainOptions(
        **PLAIN,
        leads=leads,
        teacher=teacher,
        start=start,
        sampling=sampling,
        schedule=schedule,
        sampling_rate=rate,
        objective="focal",
        objective_options=told,
    )
    assert options_from_json(json.loads(json.dumps(options.to_json()))) == options


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"leads": []}, r"leads \(none\); give at least one"),
        ({"leads": ["I", "I"]}, "leads I, I; give at least one, each once, of I, II"),
        ({"leads": ["I", "VX"]}, "leads I, VX; give at least one"),
        ({"leads": "I"}, "leads 'I'; must be of the type"),
        ({"teacher": 3}, "teacher 3; must be of the type"),
        ({"start": 3}, "start 3; must be of the type"),
        ({"sampling": "often"}, "allowed: uniform, oversampling, class_balanced"),
        ({"schedule": "steps"}, "allowed: constant, one_cycle, warm_restarts"),
        ({"sampling_rate": 0}, r"sampling_rate 0; must lie in 1..20000"),
        ({"sampling_rate": "75"}, "sampling_rate '75'; must be of the type"),
        ({"best_by": "loss"}, "best_by 'loss'; allowed: auroc, sensitivity"),
        ({"restart_epochs": 0}, "restart_epochs 0; must be 1 or more"),
        ({"restart_factor": 1.5}, "restart_factor 1.5; must be of the type int"),
        ({"warmup_epochs": -1}, "warmup_epochs -1; must not be below 0"),
        ({"objective": "hinge"}, "objective 'hinge'; allowed: bce, weighted_bce, focal"),
        ({"objective_options": {"gamma": 1}}, "bce has no option gamma; known: none"),
        ({"objective_options": [1]}, "must be of the type dict"),
        ({"objective": "focal", "objective_options": {"gamma": "2"}}, "gamma '2'; must be a num"),
        ({"objective": "focal", "objective_options": {"gamma": True}}, "gamma True; must be a"),
        (
            {"objective": "focal", "alpha_balanced": True, "objective_options": {"alpha": 0.5}},
            "give one of them",
        ),
    ],
)
def test_what_cannot_be_is_refused(changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        options_from_json({**PLAIN, **changes})


@pytest.mark.parametrize("name", OBJECTIVES)
def test_each_objective_has_a_loss_of_steps_and_of_labels(name: str) -> None:
    targets = torch.tensor([[1.0, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0]])
    teacher = build_network("inception", leads=2, labels=3, options={"filters": 4})
    network: Network = build_network("inception", leads=1, labels=3, options={"filters": 4})
    options: dict[str, float] = {}
    if name == "hrnn":
        small = {"blocks": [1, 1, 1, 1], "channels": [4, 4, 4, 4]}
        network = build_network("hrnn", leads=1, labels=3, options=small)
    if name == "mvkt":
        options = {"negatives": 2}
    making = Making(network, targets, 1, 750, options, teacher=Teacher(teacher, (0, 1)))
    objective = objective_of(name, making)
    whole = torch.randn(4, 2, 750)
    inputs = whole[:, :1]
    step = Step(torch.arange(4), whole, inputs, targets, network(inputs), network)
    loss = objective(step)
    assert loss.ndim == 0
    assert torch.isfinite(loss)
    loss.backward()
    assert float(objective.of_labels(torch.zeros(4, 3), targets)) > 0


def test_weighted_entropy_by_hand() -> None:
    """Of 4 records label 0 has 1 and label 1 none: weights 4 and 1."""
    targets = torch.tensor([[1.0, 0], [0, 0], [0, 0], [0, 0]])
    network = build_network("inception", leads=1, labels=2, options={"filters": 4})
    objective = objective_of("weighted_bce", Making(network, targets, 1, 750, {}))
    half = torch.log(torch.tensor(2.0))
    loss = objective.of_labels(torch.zeros(4, 2), targets)
    assert float(loss) == pytest.approx(float((4 + 7) * half / 4))


def test_a_missing_teacher_is_asked_for() -> None:
    network = build_network("inception", leads=1, labels=2, options={"filters": 4})
    with pytest.raises(ValueError, match="set the option teacher"):
        _ = Making(network, torch.zeros(1, 2), 1, 750, {}).taught
    with pytest.raises(ValueError, match="allowed: bce, weighted_bce"):
        check_objective("mvkt_", {})


def test_mvkt_hands_its_numbers_on() -> None:
    teacher = build_network("inception", leads=2, labels=3, options={"filters": 4})
    network = build_network("inception", leads=1, labels=3, options={"filters": 4})

    def made(**options: float) -> MvktLoss:
        taught = Teacher(teacher, (0, 1))
        making = Making(network, torch.zeros(20, 3), 1, 750, options, teacher=taught)
        objective = objective_of("mvkt", making)
        assert isinstance(objective, MvktLoss)
        return objective

    answers, transfer = made(
        temperature=3, negatives=7, contrast_temperature=0.2, momentum=0.25, size=16
    ).lessons
    assert isinstance(answers, MultilabelDistillation) and answers.temperature == 3
    assert isinstance(transfer, LeadTransfer)
    memory = transfer.memory
    assert (memory.negatives, memory.temperature, memory.momentum) == (7, 0.2, 0.25)
    assert memory.students.shape == (20, 16)
    assert [type(lesson) for lesson in made(clt=0).lessons] == [MultilabelDistillation]
    assert [type(lesson) for lesson in made(mkd=0).lessons] == [LeadTransfer]
    classical = made(kl=0.7, mkd=0)
    assert [type(lesson) for lesson in classical.lessons] == [SoftmaxDistillation, LeadTransfer]
    assert classical.weights == (0.7, 0.8)
    with pytest.raises(ValueError, match="both mkd and kl; give one of them"):
        made(kl=1, mkd=1)
