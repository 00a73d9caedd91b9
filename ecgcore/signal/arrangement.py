"""Leads that are not what they are called: the mistake that best explains an unusual recording.

Electrodes can be exchanged (``ecgcore.signal.reversal``), and an export can multiply every lead or
one by minus one, or name the chest leads in another order. Each mistake is undone, and suspected
where the recording then looks far more usual to a network that has learnt it. Of several
explanations a simpler one is kept unless another makes the recording clearly more usual: whatever
two exchanged electrodes explain, some order of all chest leads explains a little better.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations, pairwise, permutations

import numpy as np

from ecgcore.recording import CHEST_LEADS, Recording
from ecgcore.signal.reversal import (
    KINDS,
    MISTAKES,
    ReversalModel,
    Values,
    load_reversal_model,
    median_beats,
    network_inputs,
    suspect_exchange,
)

CLEARLY = float(np.log(9))
"""Log odds by which a less simple explanation has to be better."""
_FIRST_CHEST = 6
_USUAL = tuple(range(len(CHEST_LEADS)))
_EACH_ORDER = np.array([order for order in permutations(_USUAL) if order != _USUAL])


def _likely_orders() -> Values:
    """Two exchanged, all reversed, all moved on: what the network learns from, (orders, 6)."""
    found = [_USUAL[::-1]]
    found += [_USUAL[turn:] + _USUAL[:turn] for turn in range(1, len(_USUAL))]
    for one, other in combinations(_USUAL, 2):
        order = list(_USUAL)
        order[one], order[other] = other, one
        found.append(tuple(order))
    return np.array(found)


_LIKELY_ORDERS = _likely_orders()


@dataclass(frozen=True)
class LeadMistake:
    """What may be wrong with the leads: the electrodes exchanged ("RA/LA") or one of MISTAKES, and
    one sentence that says it."""

    kind: str
    text: str


def suspect_leads(recording: Recording) -> LeadMistake | None:
    """The mistake with electrodes or leads that best explains an unusual recording, or None.

    None also without twelve leads (limb leads may be computed) with three whole beats, which then
    says nothing about the leads. Never raises.
    """
    beats = median_beats(recording)
    if beats is None:
        return None
    model = load_reversal_model()
    chosen, margin = None, -np.inf
    exchange = suspect_exchange(model, beats)
    if exchange is not None:
        chosen, margin = (
            LeadMistake(exchange.kind, f"Electrodes: {exchange.reason}"),
            exchange.margin,
        )
    limits = model.thresholds[len(KINDS) :]
    for kind, gained, least in zip(MISTAKES, mistake_margins(model, beats), limits, strict=True):
        best = float(gained.max())
        if best >= least and best > margin + (CLEARLY if chosen else 0.0):
            chosen, margin = LeadMistake(kind, _TEXTS[kind](int(gained.argmax()))), best
    return chosen


def mistake_margins(model: ReversalModel, beats: Values) -> tuple[Values, ...]:
    """How much more usual median beats (12, samples) look with each of MISTAKES undone: log odds,
    for each its ways."""
    ways = [_turned_over(beats), _each_chest_lead_turned(beats), _reordered(beats, _EACH_ORDER)]
    inputs = network_inputs(np.concatenate([beats[None], *ways]))
    usual = model.of_all_mistakes().usualness(inputs)
    ends = np.cumsum([1, *(len(way) for way in ways)])
    return tuple(usual[start:end] - usual[0] for start, end in pairwise(ends))


def learnt_mistakes(beats: Values) -> Values:
    """(ways, 12, samples): what the network is fitted to find less usual than the beats."""
    return np.concatenate(
        [_turned_over(beats), _each_chest_lead_turned(beats), _reordered(beats, _LIKELY_ORDERS)]
    )


def _turned_over(beats: Values) -> Values:
    return -beats[None]


def _each_chest_lead_turned(beats: Values) -> Values:
    signs = np.ones((len(CHEST_LEADS), len(beats), 1))
    for number, row in enumerate(signs):
        row[_FIRST_CHEST + number] = -1.0
    return signs * beats


def _reordered(beats: Values, orders: Values) -> Values:
    limb = np.broadcast_to(beats[:_FIRST_CHEST], (len(orders), _FIRST_CHEST, beats.shape[1]))
    return np.concatenate([limb, beats[_FIRST_CHEST:][orders]], axis=1)


def _all_turned_text(_: int) -> str:
    return (
        "All leads seem turned over (P, QRS and T look usual with the opposite sign): check the "
        "polarity of the export."
    )


def _one_turned_text(number: int) -> str:
    return (
        f"Lead {CHEST_LEADS[number]} seems turned over (it would fit its neighbours with the "
        "opposite sign): check its polarity in the export."
    )


def _reordered_text(_: int) -> str:
    return (
        "The chest leads do not follow each other as V1 to V6 do, and would in another order: "
        "check the lead names and the chest electrodes."
    )


_TEXTS: dict[str, Callable[[int], str]] = dict(
    zip(MISTAKES, (_all_turned_text, _one_turned_text, _reordered_text), strict=True)
)
