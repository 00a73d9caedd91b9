"""A small whole model as files: weights, answers to validation records, and a card that fits."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
from safetensors.torch import save
from sklearn.metrics import roc_auc_score

from ecgcore.models.card import CARD, WEIGHTS, LabelCard, ModelCard
from ecgcore.models.validation_answers import VALIDATION, ValidationAnswers
from tests.models.example import CODES, example_card, seeded_network

RECORDS = 60
LIMIT = "Research use only; not a medical device."


def example_answers(seed: int = 0) -> ValidationAnswers:
    """Sixty made-up records of five labels; probabilities are higher where the label is there."""
    generator = np.random.default_rng(seed)
    targets = (generator.random((RECORDS, len(CODES))) < 0.3).astype(np.uint8)
    raw = generator.random(targets.shape) * 0.7 + 0.3 * targets
    return ValidationAnswers(targets, raw.astype(np.float32), np.full(RECORDS, 9, dtype=np.int8))


def whole_card(name: str, network: str, weights: bytes, answers: ValidationAnswers) -> ModelCard:
    """A card that tells the truth of these weights and answers; every label is answered."""
    labels, rows = [], []
    for column, code in enumerate(CODES):
        target = answers.targets[:, column]
        labels.append(LabelCard(code, code, "superclasses", 100, int(target.sum()), 0.5))
        auroc = float(roc_auc_score(target, answers.probabilities[:, column]))
        rows.append(
            {
                "code": code,
                "set": "superclasses",
                "n_positive": int(target.sum()),
                "auroc": round(auroc, 6),
                "auroc_interval": [round(auroc - 0.1, 6), round(auroc + 0.1, 6)],
            }
        )
    mean = float(np.mean([row["auroc"] for row in rows]))
    macro = {"auroc": mean, "auroc_interval": [mean - 0.1, mean + 0.1], "n_labels": 5}
    return replace(
        example_card(network, labels=tuple(labels)),
        name=name,
        limits=(LIMIT,),
        weights_sha256=hashlib.sha256(weights).hexdigest(),
        metrics={"model": name, "macro": {"superclasses": macro}, "labels": rows},
        cost={"parameters": 1000, "flops": 2000, "bytes": len(weights)},
    )


def model_files(name: str = "mine", network: str = "attia", seed: int = 0) -> dict[str, bytes]:
    """The three files of a model by name."""
    weights = save(dict(seeded_network(network, labels=len(CODES), seed=seed).state_dict()))
    answers = example_answers()
    card = whole_card(name, network, weights, answers)
    return {
        CARD: json.dumps(card.to_json()).encode(),
        WEIGHTS: weights,
        VALIDATION: answers.to_bytes(),
    }


def write_model(folder: Path, files: dict[str, bytes]) -> Path:
    """The folder with these files."""
    folder.mkdir(parents=True)
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return folder
