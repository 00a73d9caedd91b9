"""Lead reversal: electrodes exchanged by mistake, as a warning with its reason in words.

An exchange of two electrodes only renames and inverts leads: with both arms exchanged I is
inverted, II and III as well as aVR and aVL change places, and no chest lead changes, because
Wilson's central terminal is the mean of the three limbs (Kligfield et al., Circulation
2007;115:1306-1324; Batchvarov et al., Incorrect electrode cable connection during
electrocardiographic recording, Europace 2007;9:1081-1090). So every suspected exchange is undone
and a small network says how usual the recording then looks; an exchange is suspected when undoing
it makes the recording far more usual. What else may be wrong with the leads, and what is said of a
recording, is in ``ecgcore.signal.arrangement``. Each lead's median beat is scaled to unit length
first: false or unknown voltages change nothing. Fitted on PTB-XL by ``ecgcore.training.reversal``;
data, method and figures are in ``assets/reversal/card.json``.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from ecgcore.recording import LEADS, Recording, RecordingError, complete_limb_leads
from ecgcore.signal.detection import bridged, detect_qrs
from ecgcore.signal.resampling import resample

Electrode = Literal["RA", "LA", "LL", "V1", "V2", "V3", "V4", "V5", "V6"]
Values = NDArray[np.float64]

KINDS: tuple[tuple[Electrode, Electrode], ...] = (
    ("RA", "LA"), ("RA", "LL"), ("LA", "LL"), ("V1", "V2"), ("V2", "V3"), ("V3", "V4"),
    ("V4", "V5"), ("V5", "V6"), ("V1", "V3"), ("V4", "V6"),
)  # fmt: skip
"""The exchanges that are looked for; those beside each other happen, others hardly ever."""

MISTAKES = ("all leads turned over", "a chest lead turned over", "chest leads reordered")
"""What no exchange explains; see ``ecgcore.signal.arrangement``."""

MODEL_FOLDER = Path(__file__).resolve().parents[2] / "assets" / "reversal"
RATE = 100.0
BEFORE, AFTER = 28, 44
"""Samples at ``RATE`` around a QRS complex: P wave to the end of T at most rates."""
_STEP = 2
_PARTS = ((0, 22), (22, 36), (36, 72))
"""P, QRS and ST-T in samples of the window."""
_FEWEST_BEATS = 3
_ARRAYS = ("mean", "scale", "weights", "biases", "output")

_LIMB_EXCHANGES: dict[frozenset[str], dict[str, tuple[str, int]]] = {
    frozenset(("RA", "LA")): {
        "I": ("I", -1), "II": ("III", 1), "III": ("II", 1), "aVR": ("aVL", 1), "aVL": ("aVR", 1),
    },
    frozenset(("RA", "LL")): {
        "I": ("III", -1), "II": ("II", -1), "III": ("I", -1), "aVR": ("aVF", 1), "aVF": ("aVR", 1),
    },
    frozenset(("LA", "LL")): {
        "I": ("II", 1), "II": ("I", 1), "III": ("III", -1), "aVL": ("aVF", 1), "aVF": ("aVL", 1),
    },
}  # fmt: skip
"""What each lead shows after the exchange: another lead's signal and its sign."""


@dataclass(frozen=True)
class Reversal:
    """Two electrodes that may be exchanged.

    ``kind`` names them ("RA/LA"); ``margin`` are the log odds of the undone recording against the
    recording as it is; ``reason`` is one readable sentence.
    """

    kind: str
    margin: float
    reason: str


@dataclass(frozen=True)
class ReversalModel:
    """Members of an ensemble stacked: weights (members, inputs, hidden), output (members, hidden).

    Half of the members, the first, have learnt exchanges alone; the others all mistakes. ``mean``
    and ``scale`` are (inputs,). ``thresholds`` are margins in log odds, of KINDS and then of
    MISTAKES.
    """

    mean: Values
    scale: Values
    weights: Values
    biases: Values
    output: Values
    thresholds: Values

    def usualness(self, inputs: Values) -> Values:
        """How usual an arrangement looks, (...), log scale without zero, from (..., inputs)."""
        members, width, hidden_width = self.weights.shape
        beside = self.weights.transpose(1, 0, 2).reshape(width, members * hidden_width)
        standard = np.clip((inputs - self.mean) / self.scale, -4.0, 4.0)
        summed = (standard @ beside).reshape(*inputs.shape[:-1], members, hidden_width)
        hidden = np.tanh(summed + self.biases)
        usual: Values = np.einsum("...mh,mh->...m", hidden, self.output).mean(axis=-1)
        return usual

    def of_all_mistakes(self) -> ReversalModel:
        """The members that have learnt all mistakes."""
        half = len(self.weights) // 2
        return replace(
            self, weights=self.weights[half:], biases=self.biases[half:], output=self.output[half:]
        )


def _sources(a: str, b: str) -> dict[str, tuple[str, int]]:
    """For every lead that changes: which lead's signal it shows, and its sign."""
    if a in get_args(Electrode) and b in get_args(Electrode):
        pair = frozenset((a, b))
        if pair in _LIMB_EXCHANGES:
            return _LIMB_EXCHANGES[pair]
        if len(pair) == 2 and pair <= set(LEADS):
            return {a: (b, 1), b: (a, 1)}
    raise ValueError(
        f"electrodes {a!r} and {b!r}; allowed: two different ones of RA, LA, LL, or of V1 to V6"
    )


def exchange_electrodes(recording: Recording, a: Electrode, b: Electrode) -> Recording:
    """What the cart would have recorded with two electrodes exchanged, exactly.

    Applied twice it gives the recording back. ``a`` and ``b`` are two limb or two chest electrodes.
    Raises ValueError for others, RecordingError where the leads that this needs are not there.
    """
    sources = _sources(a, b)
    complete = complete_limb_leads(recording)
    rows = []
    for lead in recording.leads:
        source, sign = sources.get(lead, (lead, 1))
        if source not in complete.leads:
            raise RecordingError(
                f"electrodes {a} and {b} with the leads {', '.join(recording.leads)}",
                f"a recording with lead {source}, which {lead} would show",
                "record at least two limb leads, and both chest leads that are exchanged",
            )
        rows.append(np.float32(sign) * complete.lead(source))
    return replace(recording, signal=np.stack(rows).astype(np.float32))


def median_beats(recording: Recording) -> Values | None:
    """Twelve median beats (12, BEFORE + AFTER) at ``RATE``, each of unit length.

    None where a lead is missing or empty, or fewer than three whole beats are there.
    """
    complete = complete_limb_leads(recording)
    if complete.leads != LEADS or complete.sampling_rate < 50 or complete.seconds < 2:
        return None
    if not np.isfinite(complete.signal).any(axis=1).all():
        return None
    values = bridged(complete.signal.astype(np.float64))
    values = values - np.median(values, axis=1, keepdims=True)
    slow = heart_band(resample(values, complete.sampling_rate, RATE))
    places = np.round(detect_qrs(slow, RATE)).astype(int)
    places = places[(places >= BEFORE) & (places < slow.shape[1] - AFTER)]
    if places.size < _FEWEST_BEATS:
        return None
    beats = np.median([slow[:, p - BEFORE : p + AFTER] for p in places], axis=0)
    beats = beats - np.median(beats, axis=1, keepdims=True)
    lengths = np.linalg.norm(beats, axis=1, keepdims=True)
    if lengths.min() <= 1e-3 * lengths.max():
        return None
    return beats / lengths  # type: ignore[no-any-return]


def heart_band(values: Values) -> Values:
    """Zero-phase 0.5 to 40 Hz of (leads, samples) at ``RATE``."""
    from scipy.signal import butter, sosfiltfilt

    sections = butter(2, (0.5, 40.0), "band", fs=RATE, output="sos")
    padding = min(values.shape[1] - 1, int(2 * RATE))
    filtered: Values = sosfiltfilt(sections, values, axis=1, padlen=padding)
    return filtered


def arrangements(beats: Values) -> Values:
    """(1 + len(KINDS), 12, samples): the beats as they are, then with each of KINDS undone."""
    made = [beats]
    for a, b in KINDS:
        sources = _sources(a, b)
        pairs = [sources.get(lead, (lead, 1)) for lead in LEADS]
        made.append(np.stack([sign * beats[LEADS.index(source)] for source, sign in pairs]))
    return np.stack(made)


def network_inputs(beats: Values) -> Values:
    """(..., inputs) from (..., 12, samples): the shapes, and how alike the leads are in P, QRS, T.

    The shapes are taken at every second sample; the likenesses are scalar products per part.
    """
    shapes = beats[..., ::_STEP].reshape(*beats.shape[:-2], -1)
    upper = np.triu_indices(len(LEADS), 1)
    alike = []
    for start, stop in _PARTS:
        part = beats[..., start:stop]
        part = part / (np.linalg.norm(part, axis=-1, keepdims=True) + 0.02)
        alike.append((part @ np.swapaxes(part, -1, -2))[..., upper[0], upper[1]])
    return np.concatenate([shapes, *alike], axis=-1)


def margins(model: ReversalModel, beats: Values) -> Values:
    """How much more usual undoing each of KINDS makes the recording, (len(KINDS),), log odds."""
    usual = model.usualness(network_inputs(arrangements(beats)))
    gained: Values = usual[1:] - usual[0]
    return gained


def threshold_names() -> tuple[str, ...]:
    """Whose thresholds a model has, in order."""
    return (*(f"{a}/{b}" for a, b in KINDS), *MISTAKES)


@cache
def load_reversal_model(folder: Path = MODEL_FOLDER) -> ReversalModel:
    """The shipped network: weights.npz (no pickled objects) and card.json with its thresholds."""
    card = json.loads((folder / "card.json").read_text(encoding="utf-8"))
    with np.load(folder / "weights.npz", allow_pickle=False) as held:
        mean, scale, weights, biases, output = (held[name].astype(np.float64) for name in _ARRAYS)
    thresholds = np.array([card["thresholds"][name] for name in threshold_names()])
    return ReversalModel(mean, scale, weights, biases, output, thresholds)


def suspect_exchange(model: ReversalModel, beats: Values) -> Reversal | None:
    """The exchange of electrodes that makes median beats far more usual, or None."""
    gained = margins(model, beats)
    best = int(np.argmax(gained))
    if gained[best] < model.thresholds[best]:
        return None
    a, b = KINDS[best]
    return Reversal(f"{a}/{b}", float(gained[best]), _reason(a, b, beats))


_NAMES = {"RA": "right arm", "LA": "left arm", "LL": "left leg"}


def _reason(a: str, b: str, beats: Values) -> str:
    """What can be seen on the trace, then which electrodes may be exchanged."""
    seen = _seen_limb(beats) if a in _NAMES else _seen_chest(a, b, beats)
    names = f"{_NAMES[a]} and {_NAMES[b]}" if a in _NAMES else f"{a} and {b}"
    clause = f"{seen}; " if seen else "Undone, the leads fit together far better: "
    return f"{clause}the {names} electrodes may be exchanged."


def _upright(beat: Values, part: tuple[int, int]) -> int:
    """1 upright, -1 inverted, 0 neither: by the larger deflection of a part of the beat."""
    values = beat[slice(*part)] - np.median(beat[: _PARTS[0][1]])
    high, low = float(values.max()), float(-values.min())
    if max(high, low) < 0.03:
        return 0
    return 1 if high > 1.3 * low else -1 if low > 1.3 * high else 0


def _seen_limb(beats: Values) -> str:
    p, qrs = _PARTS[0], _PARTS[1]
    by_lead = dict(zip(LEADS, beats, strict=True))
    facts = []
    for lead, usual in (("I", 1), ("II", 1), ("aVR", -1)):
        waves = [n for n, w in (("P", p), ("QRS", qrs)) if _upright(by_lead[lead], w) == -usual]
        if waves:
            state = "inverted" if usual > 0 else "upright"
            verb = "are" if len(waves) > 1 else "is"
            facts.append(f"{' and '.join(waves)} in {lead} {verb} {state}")
    if not facts:
        return ""
    if facts[0].split(" in ")[1].startswith("I ") and _upright(by_lead["V6"], qrs) == 1:
        facts.append("V6 is upright")
    return ", ".join(facts)


def _seen_chest(a: str, b: str, beats: Values) -> str:
    """Whether the two leads, taken the other way round, resemble their neighbours more."""
    chest = beats[LEADS.index("V1") :, slice(*_PARTS[1])]
    chest = chest / (np.linalg.norm(chest, axis=1, keepdims=True) + 1e-9)
    order = list(range(len(chest)))
    one, other = int(a[1]) - 1, int(b[1]) - 1
    undone = order.copy()
    undone[one], undone[other] = other, one

    def smoothness(rows: list[int]) -> float:
        return float(np.mean([chest[i] @ chest[j] for i, j in pairwise(rows)]))

    now, then = smoothness(order), smoothness(undone)
    if then <= now:
        return ""
    return (
        f"The QRS complex does not change steadily from V1 to V6 (mean likeness of neighbours "
        f"{now:.2f}, with {a} and {b} exchanged {then:.2f})"
    )
