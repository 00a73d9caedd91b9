"""Leads turned over or in another order: what exchanging two electrodes does not explain.

An export can multiply every lead by minus one, or name the chest leads in another order. As with
exchanged electrodes (``ecgcore.signal.reversal``, whose network is asked) the mistake is undone,
and suspected where the recording then looks far more usual.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from ecgcore.recording import CHEST_LEADS, Recording
from ecgcore.signal.reversal import load_reversal_model, median_beats, network_inputs

_Values = NDArray[np.float64]

TURNED_OVER = 4.0
"""Log odds. Of the real recordings of ``benchmarks/foreign_signals.py`` none reaches it."""
REORDERED = 2.0
"""Log odds; likewise."""
_FIRST_CHEST = 6


def _orders() -> tuple[tuple[int, ...], ...]:
    """Orders of the chest leads that are tried: two exchanged, reversed, rotated."""
    usual = tuple(range(len(CHEST_LEADS)))
    found = [usual[::-1]]
    found += [usual[turn:] + usual[:turn] for turn in range(1, len(usual))]
    for one, other in combinations(usual, 2):
        order = list(usual)
        order[one], order[other] = other, one
        found.append(tuple(order))
    return tuple(found)


ORDERS = _orders()


def suspect_arrangement(recording: Recording) -> str | None:
    """One sentence where all leads seem turned over or the chest leads in another order.

    None where nothing speaks for it, or where twelve leads with three whole beats are not there.
    """
    beats = median_beats(recording)
    if beats is None:
        return None
    over, order = arrangement_margins(beats)
    if max(over, order) < TURNED_OVER and order < REORDERED:
        return None
    if over >= TURNED_OVER and over >= order:
        return (
            "All leads seem turned over (P, QRS and T look usual with the opposite sign): check "
            "the polarity of the export."
        )
    return (
        "The chest leads do not follow each other as V1 to V6 do, and would in another order: "
        "check the lead names and the chest electrodes."
    )


def arrangement_margins(beats: _Values) -> tuple[float, float]:
    """How much more usual median beats (12, samples) look turned over, and in the best of
    ``ORDERS``; log odds.
    """
    limb, chest = beats[:_FIRST_CHEST], beats[_FIRST_CHEST:]
    tried = [beats, -beats, *(np.concatenate([limb, chest[list(order)]]) for order in ORDERS)]
    usual = load_reversal_model().usualness(network_inputs(np.stack(tried)))
    return float(usual[1] - usual[0]), float(usual[2:].max() - usual[0])
