"""A trained HRNN with its super learner fitted, as a model folder: weights, card, what to be told.

Thresholds and calibration are chosen again by ``judged``, as training chose them: where the
validation records tell no rule, every number of the card stays what it was.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import save

from ecgcore.datasets.packed import PackedData
from ecgcore.models.aside import rule_columns
from ecgcore.models.card import CARD, WEIGHTS, LabelCard, ModelCard
from ecgcore.models.hrnn import HRNN
from ecgcore.models.predictor import Predictor
from ecgcore.models.registry import build_network
from ecgcore.models.validation_answers import VALIDATION
from ecgcore.storage import write_bytes, write_json
from ecgcore.training.checkpoint import TrainingError
from ecgcore.training.code_digest import code_digest
from ecgcore.training.fusion import LAMBDAS, FittedClass, Fusion, Score, Way
from ecgcore.training.judging import CALIBRATED, NOT_CALIBRATED, OWN_PROBABILITIES, judged
from ecgcore.training.options import TrainOptions, options_from_json
from ecgcore.training.publish import RULES_NOT_LEARNED, stored_weights
from ecgcore.training.super_learner import LARGEST, at_bound

CHOSEN_BY = "the higher macro AUROC of answers that were not fitted on; of equals the labels' own"

_FITTED, _KEPT, _BOUND, _THRESHOLDS = (
    "The network was trained where no rule is known; what a rule weighs was fitted afterwards",
    "Left at their start for want of cases, so that rule and network weigh alike: ",
    "Fitted weights at the bound of ",
    "Thresholds and calibration were chosen where no rule is known, and need not hold where one "
    "is.",
)
_SAID_ANEW = (
    RULES_NOT_LEARNED, NOT_CALIBRATED, OWN_PROBABILITIES, CALIBRATED,
    _FITTED, _KEPT, _BOUND, _THRESHOLDS,
)  # fmt: skip
"""How limits begin that this fit says itself, so that an earlier fit's do not stay."""
_DIGITS = 6


def options_of(card: ModelCard) -> TrainOptions:
    """What a model's training was told. Raises TrainingError where its card does not say."""
    try:
        return options_from_json(card.training["options"])
    except (KeyError, TypeError, ValueError) as error:
        raise TrainingError(
            f"the card of {card.name} does not say how it was trained ({error}); name a folder "
            "that train wrote, RUN/model"
        ) from error


def refuse_other_data(card: ModelCard, learned: PackedData) -> None:
    """Raises TrainingError where ``learned`` is not what a model was trained and validated on."""
    if card.data.get("sha256") != learned.sha256:
        raise TrainingError(
            f"{learned.name} is not what {card.name} was trained on; give the files that train was "
            f"given, in that order: {card.data.get('files', 'its card does not name them')}"
        )


def publish_fused(
    name: str,
    predictor: Predictor,
    fusion: Fusion,
    learned: PackedData,
    *,
    folder: Path,
    command: str,
) -> ModelCard:
    """Write ``folder``, the card last; returns the card. ``learned`` holds the validation records.

    Raises TrainingError as ``options_of`` and ``refuse_other_data``.
    """
    refuse_other_data(predictor.card, learned)
    options = options_of(predictor.card)
    validation = learned.select(options.validation_folds)
    network = _with_trust(predictor, fusion)
    stored = stored_weights(network.state_dict())
    network.load_state_dict(stored)
    weights = save(stored)
    card = replace(
        _unjudged(predictor.card),
        name=name,
        cost=predictor.card.cost | {"bytes": len(weights)},
        command=command,
        weights_sha256=hashlib.sha256(weights).hexdigest(),
    )
    card, answers = judged(card, network, options, validation)
    rules = validation.aside_inputs(card.spec)[:, rule_columns(card.spec.aside)]
    blind = not np.isfinite(rules).any()
    card = replace(
        card,
        training=card.training | {"super_learner": _story(predictor.card, card, fusion)},
        limits=(*card.limits, *_limits(card, fusion, blind)),
    )
    write_bytes(folder / WEIGHTS, weights)
    write_bytes(folder / VALIDATION, answers.to_bytes())
    write_json(folder / CARD, card.to_json())
    return card


def _unjudged(card: ModelCard) -> ModelCard:
    """A card as it was before the validation records had their say."""
    labels = (replace(one, threshold=None, reason=None, shift=0.0) for one in card.labels)
    return replace(
        card,
        labels=tuple(labels),
        limits=tuple(said for said in card.limits if not said.startswith(_SAID_ANEW)),
        temperature=1.0,
        calibration={},
    )


def _with_trust(predictor: Predictor, fusion: Fusion) -> HRNN:
    """A copy of the network with the fitted weights."""
    card, state = predictor.card, dict(predictor.network.state_dict())
    values = [fusion.trust(place) for place in range(len(card.labels))]
    state["trust"] = torch.tensor(values, dtype=torch.float32)
    network = build_network(
        card.network,
        leads=len(card.spec.leads),
        labels=len(card.labels),
        options=card.network_options,
    )
    assert isinstance(network, HRNN)
    network.load_state_dict({key: value.cpu() for key, value in state.items()})
    return network


def score_row(score: Score) -> dict[str, Any]:
    """A score as a JSON object, to six digits."""
    more = score.more_than_network
    return {
        "auroc": round(score.auroc, _DIGITS),
        "interval": _rounded(score.interval),
        "more_than_network": _rounded(more.difference),
        "more_interval": _rounded(more.interval),
        "p_value": _rounded(more.p_value),
    }


def class_row(card: ModelCard, fusion: Fusion, place: int) -> dict[str, Any]:
    """What is known of a fitted class, as a JSON object: the row of the ablation's table.

    ``at_threshold`` is what the threshold of ``card`` makes of cross-fitted answers.
    """
    one = fusion.fitted[place]
    label = card.labels[place]
    return {
        "code": label.code,
        "set": label.set,
        "rule": one.rule,
        "w": round(fusion.trust(place), _DIGITS),
        "at_bound": at_bound(fusion.trust(place)),
        "n": len(one.answers),
        "n_positive": int(one.answers.target.sum()),
        "n_fired": int(one.answers.rule.sum()),
        "w_of_lambda": {f"{lambda_:g}": round(w, _DIGITS) for lambda_, w in _by_lambda(one)},
        "scores": {way: score_row(score) for way, score in one.scores.items()},
        "at_threshold": _at_threshold(card, label, one, fusion.way),
    }


def kept_row(card: ModelCard, fusion: Fusion, place: int) -> dict[str, Any]:
    """Why the weight of a class with a rule stays at its start, as a JSON object."""
    label = card.labels[place]
    return {
        "code": label.code,
        "set": label.set,
        "w": fusion.trust(place),
        "reason": fusion.kept[place],
    }


def _by_lambda(one: FittedClass) -> list[tuple[float, float]]:
    return list(zip(LAMBDAS, one.trust, strict=True))


def _story(before: ModelCard, card: ModelCard, fusion: Fusion) -> dict[str, Any]:
    records = fusion.records
    return {
        "lambda": fusion.lambda_,
        "lambda_chosen_by": CHOSEN_BY,
        "network_of": [before.name, before.weights_sha256],
        "data": {
            "files": records.data.name,
            "sha256": records.data.sha256,
            "n": len(records.data),
            "sources": records.sources,
            "left_out": {"learned_from": records.learned, "repeated": records.repeated},
            "split": list(records.data.splits),
        },
        "macro": {way: score_row(score) for way, score in fusion.macro.items()},
        "fitted": [class_row(card, fusion, place) for place in fusion.fitted],
        "kept_at_start": [kept_row(card, fusion, place) for place in fusion.kept],
        "code_sha256": code_digest(),
    }


def _at_threshold(
    card: ModelCard, label: LabelCard, one: FittedClass, way: Way
) -> dict[str, Any] | None:
    """Sensitivity and specificity of the network alone and fused; None without a threshold."""
    if label.threshold is None:
        return None
    target = one.answers.target > 0
    found = {}
    ways = {"network": one.logits["network"], "fused": one.logits[way]}
    for name, logits in ways.items():
        said = _calibrated(card, label, logits) >= _logit(label.threshold)
        found[name] = {
            "sensitivity": round(float(said[target].mean()), _DIGITS),
            "specificity": round(float((~said)[~target].mean()), _DIGITS),
        }
    return {"threshold": label.threshold, **found}


def _limits(card: ModelCard, fusion: Fusion, blind: bool) -> tuple[str, ...]:
    """What a reader must be told of the fit; ``blind``: no validation record tells a rule."""
    codes = [card.labels[place].code for place in fusion.fitted]
    more = fusion.macro[fusion.way].more_than_network
    fused, alone = fusion.macro[fusion.way].auroc, fusion.macro["network"].auroc
    low, high = more.interval or (float("nan"), float("nan"))
    start = fusion.macro["start"].auroc
    said = [
        f"{_FITTED} (lambda {fusion.lambda_:g}) on {len(fusion.records.data)} recordings in "
        f"millivolts, for {', '.join(codes)}. On recordings that the weights were not fitted on, "
        f"their mean AUROC is {fused:.3f}, the network's alone {alone:.3f} (difference "
        f"{fused - alone:+.3f}, 95 % interval {low:+.3f} to {high:+.3f}), with all weights at "
        f"their start {start:.3f}."
    ]
    if fusion.kept:
        said.append(
            _KEPT
            + "; ".join(f"{card.labels[place].code}: {why}" for place, why in fusion.kept.items())
            + "."
        )
    bound = [card.labels[place].code for place in fusion.fitted if at_bound(fusion.trust(place))]
    if bound:
        said.append(f"{_BOUND}+-{LARGEST:g}, which few recordings decide: {', '.join(bound)}.")
    return (*said, *(_threshold_limits(card, fusion) if blind else ()))


def _threshold_limits(card: ModelCard, fusion: Fusion) -> tuple[str, ...]:
    """Where a threshold that was chosen without rules leaves no say to one of the two."""
    silent, forced = [], []
    for place in sorted({*fusion.fitted, *fusion.kept}):
        label, trust = card.labels[place], fusion.trust(place)
        if label.threshold is None or label.reason is not None:
            continue
        edges = _calibrated(card, label, np.array([trust, -trust]))
        silent += [label.code] if edges[0] <= _logit(label.threshold) else []
        forced += [label.code] if edges[1] >= _logit(label.threshold) else []
    only = f" Yes only where the rule fires: {', '.join(silent)}." if silent else ""
    always = f" Always yes where it fires: {', '.join(forced)}." if forced else ""
    return (f"{_THRESHOLDS}{only}{always}",)


def _calibrated(
    card: ModelCard, label: LabelCard, logits: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The logits of a card's probabilities."""
    return logits / card.temperature + label.shift


def _logit(probability: float) -> float:
    with np.errstate(divide="ignore"):
        return float(np.log(probability) - np.log1p(-probability))


def _rounded(value: Any) -> Any:
    if value is None:
        return None
    if isinstance(value, tuple):
        return [round(part, _DIGITS) for part in value]
    return round(value, _DIGITS)
