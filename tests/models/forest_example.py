"""Trees that ask the QRS duration alone: a forest of one, by itself or beside a network, or beside
a boosted one."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ecgcore.models.biomarkers import BIOMARKERS
from ecgcore.models.ensemble import ensemble_weights
from ecgcore.models.forest import LEAF
from ecgcore.models.predictor import Predictor
from ecgcore.models.registry import build_network
from ecgcore.models.trees import TREES_SPEC
from tests.models.example import CODES, example_card, seeded_network

QRS_MS, USUAL_QRS_MS = 148.0, 92.0
LIMIT_MS = 120.0
SPEC = TREES_SPEC

_NARROW = {"NORM": 0.7, "MI": 0.2, "STTC": 0.2, "CD": 0.1, "HYP": 0.1}
_WIDE = {"NORM": 0.1, "MI": 0.2, "STTC": 0.2, "CD": 0.8, "HYP": 0.1}
"""Shares of the labels among the records up to LIMIT_MS, and above."""


def samples_as_biomarkers(
    stored: NDArray[np.int16], scale: float, rate: float
) -> NDArray[np.float32]:
    """In place of ``packed_biomarkers``, which takes long: samples of lead I."""
    return np.resize(stored[:, 0, :60] * scale, (len(stored), len(BIOMARKERS))).astype(np.float32)


def forest_weights(limit_ms: float = LIMIT_MS) -> dict[str, torch.Tensor]:
    """The tree as ``Forest`` loads it."""
    medians = torch.zeros(len(BIOMARKERS))
    column = BIOMARKERS.index("qrs_ms")
    medians[column] = USUAL_QRS_MS
    shares = [[part[code] for code in CODES] for part in (_NARROW, _WIDE)]
    return {
        "medians": medians,
        "head.column": torch.tensor([[column, LEAF, LEAF]], dtype=torch.int32),
        "head.threshold": torch.tensor([[limit_ms, 0, 0]], dtype=torch.float64),
        "head.left": torch.tensor([[1, 0, 0]], dtype=torch.int32),
        "head.right": torch.tensor([[2, 0, 0]], dtype=torch.int32),
        "head.leaf": torch.tensor([[0, 0, 1]], dtype=torch.int32),
        "head.shares": torch.tensor([shares]),
    }


def boosted_weights(added: float) -> dict[str, torch.Tensor]:
    """One tree as ``BoostedTrees`` loads it: a wide QRS adds to CD's logit."""
    medians = forest_weights()["medians"]
    return {
        "medians": medians,
        "head.start": torch.zeros(len(CODES)),
        "head.label": torch.tensor([CODES.index("CD")], dtype=torch.int32),
        "head.column": torch.tensor([[[BIOMARKERS.index("qrs_ms")]]], dtype=torch.int16),
        "head.threshold": torch.tensor([[[LIMIT_MS]]], dtype=torch.float64),
        "head.width": torch.ones(len(BIOMARKERS), dtype=torch.float64),
        "head.added": torch.tensor([[[0.0, added]]]),
    }


def both_kinds_predictor(added: float, weight: int) -> Predictor:
    """The forest's tree, and the boosted one with that weight beside it."""
    members: list[dict[str, Any]] = [
        {"network": "forest", "options": {"trees": 1}},
        {"network": "boosted_trees", "options": {"trees": 1}, "weight": weight},
    ]
    options = {"members": members}
    network = build_network("ensemble", leads=12, labels=len(CODES), options=options)
    network.load_state_dict(ensemble_weights([forest_weights(), boosted_weights(added)]))
    card = example_card("ensemble", spec=SPEC, options=options)
    return Predictor(card, network, torch.device("cpu"))


def forest_predictor(
    beside: str | None = None, weight: int = 1, limit_ms: float = LIMIT_MS
) -> Predictor:
    """The tree alone, or as a member of that ``weight`` behind a seeded network."""
    told: dict[str, Any] = {"network": "forest", "options": {"trees": 1}, "weight": weight}
    if beside is None:
        name, options, weights = "forest", {"trees": 1}, forest_weights(limit_ms)
    else:
        name, options = "ensemble", {"members": [{"network": beside, "options": {}}, told]}
        alone = dict(seeded_network(beside).state_dict())
        weights = ensemble_weights([alone, forest_weights(limit_ms)])
    network = build_network(name, leads=12, labels=len(CODES), options=options)
    network.load_state_dict(weights)
    card = example_card(name, spec=SPEC, options=options)
    return Predictor(card, network, torch.device("cpu"))
