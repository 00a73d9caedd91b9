"""How suspicious the labels of each recording are, and why.

The labels on file are held against their alterations: one label less, one more, or one in the place
of another. An alteration's log-odds against what is on file add up from what speaks for it: what
models say of its labels (probabilities of models that never saw the recording with its label), what
rules measured, what a tracing that is the same carries, how well it goes with the other labels (a
pairwise model of the labels on file), and how frequent its labels are. The weights of these few
terms are fitted to planted errors (``suspicion_fitting``), so that the chance that some alteration
holds, the score, is calibrated as far as planted errors are like real ones. As it is a sum, it
comes apart into reasons.

The probabilities of every model that does not answer for a label are NaN there; such a label, and
one that a recording's file could not have said (``known``), is never altered.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ecgcore.labels import ASSETS, Label
from ecgcore.review.alterations import Alterations, Company, alterations, company

Kind = Literal["model", "models disagree", "rule", "duplicate", "other labels", "how often"]
Floats = NDArray[np.float64]

_EDGE = 0.005
"""Probabilities nearer to 0 or 1 count as that near: no model is surer of a single recording."""
_SAID = 0.02
"""Labels that are less suspicious than this get no sentences."""
_APART = 0.5
_MOST_NAMED = 3
"""Recordings that one reason calls by name."""

TWIN_HAS, TWIN_LACKS = 3.9, 1.2
"""Log-odds for a label that the same tracing, read by another person, carries, and against one that
it lacks. From the 16 tracings that PTB-XL 1.0.3 holds twice and two people read differently: 33
labels are given by both, 30 by one, of 71 that could be; the 20 read alike would make it more."""


@dataclass(frozen=True)
class Evidence:
    """What is known of some recordings' labels, (recordings, labels) each.

    ``given`` are the labels on file; ``known`` where the file could have said the label.
    ``probabilities`` are by the name of a model. ``rules`` are 1 where a rule for the label fired,
    -1 where it was measured and did not, 0 unknown; ``sentences`` put that into words.
    ``duplicates`` are pairs of recordings (numbers) that show the same tracing, with ``names``
    to call them by and, where there are some, ``keys`` to open them by.
    """

    labels: tuple[Label, ...]
    given: NDArray[np.bool_]
    known: NDArray[np.bool_]
    probabilities: Mapping[str, NDArray[np.floating]]
    rules: NDArray[np.int8] | None = None
    sentences: Mapping[tuple[int, str], str] = field(default_factory=dict)
    duplicates: tuple[tuple[int, int], ...] = ()
    names: Sequence[str] = ()
    keys: Sequence[str] = ()


@dataclass(frozen=True)
class Reason:
    """Something that speaks for an alteration (``weight`` above 0) or against it, in log-odds.

    ``others`` are the recordings that it is about, by their ``Evidence.keys``."""

    kind: Kind
    text: str
    weight: float
    others: tuple[str, ...] = ()


@dataclass(frozen=True)
class LabelSuspicion:
    """One label: whether it is on file, the models' mean probability, and the chance that it is
    wrong there (``score``). The weights of ``reasons`` add up to the log-odds of the likeliest
    alteration that changes it, ``instead`` (the labels as they would be)."""

    code: str
    set: str
    given: bool
    probability: float | None
    score: float
    instead: tuple[str, ...] = ()
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True)
class Suspicion:
    """One recording, by its number: the chance that its labels are not right, and each label."""

    index: int
    score: float
    labels: tuple[LabelSuspicion, ...]


@dataclass(frozen=True)
class Weights:
    """Log-odds of each kind of alteration before anything speaks for it, and what each term counts.

    ``company`` is of the other labels, ``lost`` and ``won`` of the log frequencies of labels taken
    away and added.
    """

    less: float
    more: float
    exchanged: float
    none_left: float
    model: float
    company: float
    lost: float
    won: float
    rule: float = 0.0

    @property
    def kinds(self) -> Floats:
        """By kind of alteration, as ``Alterations.kind`` counts them."""
        return np.array([self.less, self.more, self.exchanged, self.none_left])


@cache
def weights(label_set: str) -> Weights:
    """The fitted weights: those for superclasses, or those for statements (all other sets)."""
    content = json.loads((ASSETS / "suspicion" / "weights.json").read_text(encoding="utf-8"))
    fitted = content["weights"]
    return Weights(**fitted["superclasses" if label_set == "superclasses" else "statements"])


def log_odds(evidence: Evidence) -> Floats:
    """Of the models' mean probability, (recordings, labels); NaN where none answers."""
    told = np.stack(list(evidence.probabilities.values())).astype(np.float64)
    answered = np.isfinite(told).any(axis=0)
    mean = np.full(told.shape[1:], np.nan)
    mean[answered] = np.nanmean(told[:, answered], axis=0)
    sure = np.clip(mean, _EDGE, 1 - _EDGE)
    return np.asarray(np.log(sure / (1 - sure)))


def suspicions(evidence: Evidence, given_weights: Weights | None = None) -> tuple[Suspicion, ...]:
    """The suspicion of every recording, in their order."""
    use = given_weights or weights(evidence.labels[0].set)
    return tuple(_suspicion(one, evidence, use) for one in weighed(evidence, use))


@dataclass(frozen=True)
class Weighed:
    """One recording's alterations and what each term adds to their log-odds."""

    index: int
    found: Alterations
    terms: Mapping[Kind, Floats]
    odds: Floats
    """The models' log-odds of each label."""

    @property
    def log_odds(self) -> Floats:
        """Of each alteration against what is on file."""
        return np.asarray(sum(self.terms.values(), np.zeros(len(self.found.kind))))

    @property
    def chances(self) -> Floats:
        """Of each alteration; what is left to 1 is that of the labels on file."""
        told = np.append(self.log_odds, 0.0)
        powers = np.exp(told - told.max())
        return np.asarray(powers[:-1] / powers.sum())


def weighed(evidence: Evidence, use: Weights) -> Iterator[Weighed]:
    """What speaks for each alteration of each recording."""
    odds = log_odds(evidence)
    together = company(evidence.given)
    twins = _twins(evidence)
    for index, row in enumerate(evidence.given):
        open_to = np.flatnonzero(np.isfinite(odds[index]) & evidence.known[index])
        found = alterations(row, open_to)
        yield Weighed(
            index,
            found,
            _terms(
                found=found,
                odds=odds[index],
                together=together,
                use=use,
                rules=_rule_row(evidence, index),
                twin=twins.get(index),
            ),
            odds[index],
        )


def _terms(
    *,
    found: Alterations,
    odds: Floats,
    together: Company,
    use: Weights,
    rules: Floats | None,
    twin: Floats | None,
) -> dict[Kind, Floats]:
    change = found.change
    sure = np.nan_to_num(odds)
    often = change.clip(max=0) @ together.log_frequency * use.lost
    often = often + change.clip(min=0) @ together.log_frequency * use.won
    terms: dict[Kind, Floats] = {
        "model": use.model * (change @ sure),
        "other labels": use.company * together.gain(found),
        "how often": use.kinds[found.kind] + often,
    }
    if rules is not None:
        terms["rule"] = use.rule * (change @ rules)
    if twin is not None:
        terms["duplicate"] = change @ twin
    return terms


def _rule_row(evidence: Evidence, index: int) -> Floats | None:
    return None if evidence.rules is None else evidence.rules[index].astype(np.float64)


def _twins(evidence: Evidence) -> dict[int, Floats]:
    """For each recording with a duplicate, what it says for each label, in log-odds (mean)."""
    told: dict[int, list[Floats]] = {}
    for one, other in evidence.duplicates:
        for here, there in ((one, other), (other, one)):
            says = np.where(evidence.given[there], TWIN_HAS, -TWIN_LACKS)
            told.setdefault(here, []).append(np.where(evidence.known[there], says, 0.0))
    return {index: np.mean(of, axis=0) for index, of in told.items()}


def _suspicion(one: Weighed, evidence: Evidence, use: Weights) -> Suspicion:
    chances = one.chances
    wrong = (one.found.change != 0).T @ chances
    labels = [
        _label(one, evidence, at, float(wrong[at])) for at in range(len(evidence.labels))
        if np.isfinite(one.odds[at])
    ]  # fmt: skip
    return Suspicion(one.index, float(chances.sum()), tuple(labels))


def _label(one: Weighed, evidence: Evidence, at: int, score: float) -> LabelSuspicion:
    label, given = evidence.labels[at], bool(evidence.given[one.index, at])
    probability = float(1 / (1 + np.exp(-one.odds[at])))
    changing = np.flatnonzero(one.found.change[:, at] != 0)
    if score < _SAID or not len(changing):
        return LabelSuspicion(label.code, label.set, given, probability, score)
    best = int(changing[np.argmax(one.log_odds[changing])])
    change = one.found.change[best]
    instead = tuple(
        name.code
        for name, on, moved in zip(evidence.labels, evidence.given[one.index], change, strict=True)
        if on + moved > 0
    )
    reasons = tuple(
        _reason(kind, float(values[best]), one, evidence, change)
        for kind, values in one.terms.items()
        if values[best] != 0
    )
    return LabelSuspicion(label.code, label.set, given, probability, score, instead, reasons)


def _reason(kind: Kind, weight: float, one: Weighed, evidence: Evidence, change: Floats) -> Reason:
    moved = [int(at) for at in np.flatnonzero(change)]
    codes = [evidence.labels[at].code for at in moved]
    words = " and ".join(
        f"no {code}" if change[at] < 0 else code for at, code in zip(moved, codes, strict=True)
    )
    side = "for" if weight > 0 else "against"
    if kind == "model":
        said, apart = _models_words(one.index, moved, evidence)
        name: Kind = "models disagree" if apart else "model"
        return Reason(name, f"models {side} {words}: {said}", weight)
    if kind == "rule":
        told = [evidence.sentences.get((one.index, code), "") for code in codes]
        said = "; ".join(text for text in told if text) or "clinical criteria"
        return Reason("rule", f"measured {side} {words}: {said}", weight)
    if kind == "duplicate":
        return _twin_reason(one.index, f"{side} {words}", evidence, weight)
    if kind == "other labels":
        fits = "well" if weight > 0 else "badly"
        return Reason(kind, f"{words} goes {fits} with the other labels", weight)
    return Reason(kind, f"how often {words} is wrong or missing at all", weight)


def _twin_reason(index: int, what: str, evidence: Evidence, weight: float) -> Reason:
    others = [b if a == index else a for a, b in evidence.duplicates if index in (a, b)]
    told = []
    for other in others[:_MOST_NAMED]:
        has = [
            label.code
            for label, on in zip(evidence.labels, evidence.given[other], strict=True) if on
        ]  # fmt: skip
        name = evidence.names[other] if evidence.names else "another recording"
        told.append(f"{name}, whose labels say {' and '.join(has) or 'nothing'},")
    if len(others) > _MOST_NAMED:
        told.append(f"{len(others) - _MOST_NAMED} more")
    keys = tuple(evidence.keys[other] for other in others) if evidence.keys else ()
    verb = "speaks" if len(others) == 1 else "speak"
    return Reason(
        "duplicate", f"the same tracing as {' and '.join(told)} {verb} {what}", weight, keys
    )


def _models_words(index: int, moved: Sequence[int], evidence: Evidence) -> tuple[str, bool]:
    """What each model says of some labels, and whether they are far apart about one."""
    said, apart = [], False
    for at in moved:
        told = {name: float(of[index, at]) for name, of in evidence.probabilities.items()}
        numbers = [value for value in told.values() if np.isfinite(value)]
        apart = apart or max(numbers) - min(numbers) > _APART
        words = (
            f"{name} {value:.2f}" if np.isfinite(value) else f"{name} has no answer"
            for name, value in told.items()
        )
        said.append(f"{evidence.labels[at].code} {', '.join(words)}")
    return "; ".join(said), apart
