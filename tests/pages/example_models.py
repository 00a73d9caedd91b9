"""Two small untrained models with cards and a known map, so that the pages have something to show.

An untrained network has no evidence that would stand its test; what the methods themselves do is
tested beside them.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
from safetensors.torch import save

from ecgcore.explain.explanation import Explanation
from ecgcore.explain.methods import explain
from ecgcore.labels import LabelSetName
from ecgcore.models.card import CARD, WEIGHTS, LabelCard
from ecgcore.models.predictor import Predictor
from ecgcore.recording import Recording
from tests.models.example import CODES, UNANSWERED, example_card, seeded_network

MODELS = ("ecgencode_m2", "inception")
ALWAYS = "MI"
"""A label whose threshold every probability reaches."""
NEVER = "NORM"
"""A label whose threshold no probability reaches."""


def write_models(folder: Path) -> None:
    """Write both models below ``folder``, one folder each."""
    for name in MODELS:
        network = seeded_network(name, labels=len(CODES))
        weights = save(dict(network.state_dict()))
        labels = tuple(_label(code) for code in CODES)
        card = replace(
            example_card(name, labels=labels),
            name=name,
            weights_sha256=hashlib.sha256(weights).hexdigest(),
        )
        (folder / name).mkdir(parents=True)
        (folder / name / WEIGHTS).write_bytes(weights)
        (folder / name / CARD).write_text(json.dumps(card.to_json()))


def _label(code: str) -> LabelCard:
    threshold = {ALWAYS: 1e-6, NEVER: 1.0 - 1e-6, UNANSWERED: None}.get(code, 0.5)
    reason = "not enough data (3 positives)" if threshold is None else None
    return LabelCard(code, f"example of {code}", "superclasses", 100, 20, threshold, reason)


def explain_known(
    method: str,
    predictor: Predictor,
    recording: Recording,
    code: str,
    label_set: LabelSetName | None = None,
) -> Explanation:
    """In place of ``explain``: a map that is hottest at 3 s; LIME's is its own."""
    if method == "LIME":
        return explain(method, predictor, recording, code, label_set)
    seconds = np.arange(1000) / 100
    heat = np.exp(-(((seconds - 3.0) / 0.2) ** 2)).astype(np.float32)
    return Explanation(
        model=predictor.card.name,
        label=code,
        method=method,
        leads=recording.leads,
        heat=np.tile(heat, (len(recording.leads), 1)),
        sampling_rate=100.0,
        start=0.0,
        per_lead=True,
        signed=False,
        peak=1.0,
        note=f"A known map for {code}.",
    )
