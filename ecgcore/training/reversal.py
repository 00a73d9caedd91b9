"""Fitting the network of ``ecgcore.signal.reversal``: which arrangement is the usual one.

Conditional logistic regression: of a recording and the same recording with each exchange of
electrodes made, leads turned over or chest leads in another order, the recording as stored is the
right one. Half of the members of the ensemble learn the exchanges alone, some of which are hard
to tell, and half all mistakes; all are asked of exchanges. They differ in their start, too;
dropout and weight decay keep 1,400 recordings enough.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ecgcore.signal.arrangement import learnt_mistakes, mistake_margins
from ecgcore.signal.reversal import (
    KINDS,
    ReversalModel,
    Values,
    arrangements,
    margins,
    network_inputs,
    threshold_names,
)

if TYPE_CHECKING:
    from torch import Tensor

HIDDEN = 32
MEMBERS = 4
"""Of each half."""
EPOCHS = 60
LEARNING_RATE = 3e-3
WEIGHT_DECAY = 0.3
DROPOUT = 0.3
_BATCH = 128
_GROUPS = 4
FALSE_WARNINGS = 1
"""Of each kind, out of fold among 1,442 recordings; some stored ones may really be exchanged."""
LEAST_MARGIN = float(np.log(9))
"""Odds of nine to one: what is hardly ever mistaken needs some certainty all the same."""


def training_inputs(beats: Values) -> NDArray[np.float32]:
    """(recordings, arrangements, inputs) from median beats (recordings, 12, samples)."""
    return np.stack([_inputs_of(one) for one in beats])


def _inputs_of(beats: Values) -> NDArray[np.float32]:
    made = np.concatenate([arrangements(beats), learnt_mistakes(beats)])
    return network_inputs(made).astype(np.float32)


def fit(inputs: NDArray[np.float32], seed: int = 0) -> ReversalModel:
    """Fit on (recordings, arrangements, inputs); arrangement 0 is the true one.

    Thresholds are ``LEAST_MARGIN`` until ``choose_thresholds`` has set them.
    """
    import torch

    flat = inputs.reshape(-1, inputs.shape[2])
    mean, scale = flat.mean(axis=0), flat.std(axis=0) + 1e-3
    torch.manual_seed(seed)
    values = torch.from_numpy(np.clip((inputs - mean) / scale, -4, 4))
    fitted = [_fit_members(values[:, : 1 + len(KINDS)]), _fit_members(values)]
    weights, biases, output = (np.concatenate(parts) for parts in zip(*fitted, strict=True))
    return ReversalModel(
        mean.astype(np.float64), scale.astype(np.float64),
        weights, biases[:, 0], output[..., 0], np.full(len(threshold_names()), LEAST_MARGIN),
    )  # fmt: skip


def _fit_members(values: Tensor) -> list[Values]:
    """Weights, biases and output of ``MEMBERS`` networks on (recordings, arrangements, inputs)."""
    import torch
    from torch.nn import functional

    count, ways, width = values.shape
    first = torch.nn.Parameter(torch.randn(MEMBERS, width, HIDDEN) / width**0.5)
    bias = torch.nn.Parameter(torch.zeros(MEMBERS, 1, HIDDEN))
    last = torch.nn.Parameter(torch.randn(MEMBERS, HIDDEN, 1) / HIDDEN**0.5)
    parameters = [first, bias, last]
    optimizer = torch.optim.AdamW(parameters, lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    steps = EPOCHS * -(-count // _BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3 * LEARNING_RATE, total_steps=steps)
    for _ in range(EPOCHS):
        for rows in torch.split(torch.randperm(count), _BATCH):
            batch = functional.dropout(values[rows].reshape(1, -1, width), DROPOUT)
            hidden = torch.tanh(batch @ first + bias)
            usual = (functional.dropout(hidden, DROPOUT) @ last).reshape(-1, ways)
            target = torch.zeros(len(usual), dtype=torch.long)
            loss = functional.cross_entropy(usual, target, label_smoothing=0.01)
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            schedule.step()
    return [p.detach().numpy().astype(np.float64) for p in parameters]


def out_of_fold(beats: Values, fold: NDArray[np.integer]) -> Values:
    """Margins (recordings, KINDS and MISTAKES) of median beats (recordings, 12, samples) as stored,
    by networks fitted on other folds; of a mistake's ways the best."""
    inputs = training_inputs(beats)
    gained = np.empty((len(beats), len(threshold_names())))
    for folds in np.array_split(np.unique(fold), _GROUPS):
        test = np.isin(fold, folds)
        model = fit(inputs[~test])
        for row in np.flatnonzero(test):
            mistakes = [ways.max() for ways in mistake_margins(model, beats[row])]
            gained[row] = [*margins(model, beats[row]), *mistakes]
    return gained


def choose_thresholds(gained: Values) -> Values:
    """For each kind the margin that at most ``FALSE_WARNINGS`` recordings as stored exceed.

    ``gained`` is (recordings, KINDS and MISTAKES), out of fold. Of an exchange only recordings
    count whose best exchange it is. No threshold lies below ``LEAST_MARGIN``.
    """
    best = gained[:, : len(KINDS)].argmax(axis=1)
    thresholds = np.full(gained.shape[1], LEAST_MARGIN)
    for kind in range(gained.shape[1]):
        counted = best == kind if kind < len(KINDS) else np.full(len(gained), True)
        own = np.sort(gained[counted, kind])[::-1]
        if own.size > FALSE_WARNINGS:
            thresholds[kind] = max(LEAST_MARGIN, own[FALSE_WARNINGS] + 1e-3)
    return thresholds


def write(model: ReversalModel, card: dict[str, object], folder: Path) -> None:
    """Write weights.npz (float16) and card.json."""
    folder.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(
        folder / "weights.npz",
        mean=model.mean.astype(np.float32),
        scale=model.scale.astype(np.float32),
        weights=model.weights.astype(np.float16),
        biases=model.biases.astype(np.float16),
        output=model.output.astype(np.float16),
    )
    named = dict(zip(threshold_names(), model.thresholds.round(4).tolist(), strict=True))
    held = card | {"thresholds": named}
    (folder / "card.json").write_text(json.dumps(held, indent=1) + "\n", encoding="utf-8")
