"""A criterion's tree against the measurements of one recording: true, false or not decided.

Three-valued after Kleene: what was not measured is an interval of everything that it could be, and
a comparison is decided only where the whole interval lies on one side. So ``max(a, b) > limit`` is
true when ``a`` alone exceeds the limit, and "two of four leads" is true with two leads missing.

Which comparison decided is found as in the robust semantics of temporal logic (Donze and Maler,
Robust Satisfaction of Temporal Logic over Real-Valued Signals, FORMATS 2010, LNCS 6246:92-106):
every comparison has a signed distance from tipping; "and" takes the least of its parts, "or" the
greatest, and the comparison that gave it is the one that would have to move least to turn the
answer over.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import isfinite

from ecgcore.recording import Patient
from ecgcore.rules.amounts import ANYTHING, Amount, Missing, Use, absolute, combined, extreme
from ecgcore.rules.expression import (
    BOUND,
    Absolute,
    Age,
    Chosen,
    Combined,
    Compared,
    Comparison,
    Condition,
    Counted,
    Defined,
    Extreme,
    ExtremeOverLeads,
    Flag,
    Inverted,
    Joined,
    LeadIs,
    Measured,
    Number,
    OverLeads,
    Quantity,
    SexIs,
    ThresholdName,
    nodes,
)
from ecgcore.rules.units import name_of, scale_of
from ecgcore.rules.wording import amount_words, measurement_words, quantity_words
from ecgcore.signal.measured import Measurements, Value


@dataclass(frozen=True)
class Witness:
    """One comparison in words and numbers; a number that was not measured is None."""

    text: str
    measured: float | None
    threshold: float | None
    unit: str


@dataclass(frozen=True)
class Answer:
    """Whether a condition holds (None: not decided) and what decided.

    ``margin`` is the signed distance of ``witness`` from tipping, in shares of its threshold;
    ``uses`` are the measurements that make it what it is.
    """

    holds: bool | None
    margin: float
    witness: Witness
    uses: tuple[Use, ...] = ()
    missing: tuple[Missing, ...] = ()


@dataclass(frozen=True)
class Facts:
    """What a tree is evaluated against; ``lead`` is the lead in turn."""

    measurements: Measurements
    patient: Patient
    thresholds: Mapping[str, float]
    lead: str | None = None


_CERTAIN = 1e6  # the margin of what no measurement can turn over
_TURNED: dict[Comparison, Comparison] = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
_SHOWN = {"<=": "≤", ">=": "≥"}


def evaluate(node: Condition, facts: Facts) -> Answer:  # noqa: PLR0911  one case each
    """Whether a condition holds for these facts."""
    match node:
        case Compared():
            return _compared(node, facts)
        case Joined(every=every, parts=parts):
            return _joined(every, [evaluate(part, facts) for part in parts])
        case Inverted(part=part):
            inner = evaluate(part, facts)
            holds = None if inner.holds is None else not inner.holds
            # The absence of something is nowhere to be seen, so nothing is pointed at.
            return replace(inner, holds=holds, margin=-inner.margin, uses=())
        case Flag(measured=measured):
            return _flag(measured, facts)
        case SexIs(sex=sex):
            return _sex(sex, facts.patient)
        case LeadIs(leads=leads):
            holds = facts.lead in leads
            text = f"{facts.lead} is one of {', '.join(leads)}"
            return Answer(holds, _CERTAIN if holds else -_CERTAIN, Witness(text, None, None, ""))
        case OverLeads():
            return _over_leads(node, facts)
        case Defined(condition=condition):
            return evaluate(condition, facts)


def amount(node: Quantity, facts: Facts) -> Amount:  # noqa: PLR0911  one case each
    """The number that a quantity is, or the interval that it lies in."""
    match node:
        case Number(number=number):
            return Amount(number, number)
        case ThresholdName(name=name):
            return Amount(facts.thresholds[name], facts.thresholds[name])
        case Measured():
            return _measured(node, facts)
        case Age():
            age = facts.patient.age
            if age is None:
                return Amount(*ANYTHING, missing=(Missing("age", "the file does not state it"),))
            return Amount(age, age)
        case Absolute(part=part):
            return absolute(amount(part, facts))
        case Combined(operator=operator, left=left, right=right):
            divisor = quantity_words(right, facts.lead)
            return combined(operator, amount(left, facts), amount(right, facts), divisor)
        case Extreme(function=function, parts=parts):
            return extreme(function, [amount(part, facts) for part in parts])
        case ExtremeOverLeads(function=function, part=part, leads=leads):
            return extreme(function, [amount(part, replace(facts, lead=one)) for one in leads])
        case Chosen():
            return _chosen(node, facts)
        case Counted(condition=condition, leads=leads):
            answers = [evaluate(condition, replace(facts, lead=one)) for one in leads]
            sure = [answer for answer in answers if answer.holds]
            unsure = [answer for answer in answers if answer.holds is None]
            return Amount(
                float(len(sure)),
                float(len(sure) + len(unsure)),
                tuple(use for answer in sure for use in answer.uses),
                tuple(missing for answer in unsure for missing in answer.missing),
            )


def _lookup(node: Measured, facts: Facts) -> Use:
    """The value of a measurement; what nobody measured is a value with that reason."""
    lead = facts.lead if node.lead == BOUND else node.lead
    unit = name_of(node.unit)
    if lead is None:
        value = facts.measurements.overall.get(node.name)
    elif lead in facts.measurements.leads:
        value = facts.measurements.leads[lead].get(node.name)
    else:
        value = Value(None, unit, f"lead {lead} was not recorded")
    return Use(lead, node.name, value or Value(None, unit, "it was not measured"))


def _measured(node: Measured, facts: Facts) -> Amount:
    use = _lookup(node, facts)
    if use.value.number is None:
        missing = Missing(measurement_words(use.name, use.lead), str(use.value.reason))
        return Amount(*ANYTHING, missing=(missing,))
    return Amount(use.value.number, use.value.number, (use,))


def _chosen(node: Chosen, facts: Facts) -> Amount:
    test = evaluate(node.condition, facts)
    if test.holds is not None:
        return amount(node.yes if test.holds else node.no, facts)
    yes, no = amount(node.yes, facts), amount(node.no, facts)
    return Amount(
        min(yes.low, no.low),
        max(yes.high, no.high),
        yes.uses + no.uses,
        yes.missing + no.missing + test.missing,
    )


def _compared(node: Compared, facts: Facts) -> Answer:
    left, right = amount(node.left, facts), amount(node.right, facts)
    rising = node.comparison in (">", ">=")
    ahead = (left.low, right.high) if rising else (right.low, left.high)  # at worst
    behind = (left.high, right.low) if rising else (right.high, left.low)  # at best
    inclusive = "=" in node.comparison
    if ahead[0] > ahead[1] or (inclusive and ahead[0] == ahead[1]):
        holds: bool | None = True
    elif behind[0] < behind[1] or (not inclusive and behind[0] == behind[1]):
        holds = False
    else:
        holds = None
    uses, missing = left.uses + right.uses, left.missing + right.missing
    margin, witness = _witness(node, facts, (left, right), holds)
    if isinstance(node.left, Counted) and rising and right.known:
        needed = int(right.low) + (not inclusive)
        margin, witness = _counted_witness(node.left, facts, needed, holds) or (margin, witness)
    return Answer(holds, margin, witness, uses, () if holds is not None else missing)


def _counted_witness(
    node: Counted, facts: Facts, needed: int, holds: bool | None
) -> tuple[float, Witness] | None:
    """Of "in so many leads", the lead that would have to change: that with the needed rank."""
    answers = [evaluate(node.condition, replace(facts, lead=one)) for one in node.leads]
    known = [answer for answer in answers if answer.holds is not None]
    if holds is None or not 0 < needed <= len(answers):
        return None
    # What is not known counts as true where the count fails all the same, else as false.
    rank = needed if holds else needed - (len(answers) - len(known))
    ordered = sorted(known, key=lambda answer: answer.margin, reverse=True)
    chosen = ordered[rank - 1]
    count = f"{sum(bool(answer.holds) for answer in known)} of {', '.join(node.leads)}"
    text = f"{count} ({needed} needed): {chosen.witness.text}"
    return chosen.margin, replace(chosen.witness, text=text)


def _witness(
    node: Compared, facts: Facts, sides: tuple[Amount, Amount], holds: bool | None
) -> tuple[float, Witness]:
    """The margin and words of a comparison; what was measured is put on the left."""
    turned = not _depends(node.left) and _depends(node.right)
    sign = _TURNED[node.comparison] if turned else node.comparison
    left, right = (
        _resolved(side, facts) for side in (node.left, node.right)[:: -1 if turned else 1]
    )
    one, other = sides[::-1] if turned else sides
    unit, rising = name_of(left.unit), sign in (">", ">=")
    # Of an interval, the end that decided: the lower one where even that exceeds the limit.
    measured = _end(one, None if holds is None else rising == holds)
    threshold = _end(other, None if holds is None else rising != holds)
    relation = _SHOWN.get(sign, sign) if holds is not False else f"not {_SHOWN.get(sign, sign)}"
    amounts = [_amount_text(one, measured, unit, threshold)]
    amounts.append("(not known)" if threshold is None else amount_words(threshold, unit, measured))
    formula = f" ({quantity_words(right, facts.lead)})" if _depends(right) else ""
    text = f"{quantity_words(left, facts.lead)} {amounts[0]} {relation} {amounts[1]}{formula}"
    witness = Witness(text, measured, threshold, unit)
    if measured is None or threshold is None:
        return (_CERTAIN if holds else -_CERTAIN), witness
    if Number(0.0, left.unit) in (left, right):
        return (1.0 if holds else -1.0), witness  # is there such a wave at all: as a flag
    distance = (measured - threshold) if rising else (threshold - measured)
    return distance / max(abs(threshold), scale_of(left.unit)), witness


def _end(one: Amount, lower: bool | None) -> float | None:
    """The one number that it is, or that end of the interval; None if neither is there."""
    if not one.known and lower is None:
        return None
    end = one.low if one.known or lower else one.high
    return end if isfinite(end) else None


def _amount_text(one: Amount, end: float | None, unit: str, beside: float | None) -> str:
    if end is None:
        return "(not known)"
    bound = "" if one.known else ("at least " if end == one.low else "at most ")
    return f"{bound}{amount_words(end, unit, beside)}"


def _resolved(node: Quantity, facts: Facts) -> Quantity:
    """A quantity with every "x if condition else y" that is decided put in, for its words."""
    match node:
        case Chosen(condition=condition, yes=yes, no=no):
            holds = evaluate(condition, facts).holds
            return node if holds is None else _resolved(yes if holds else no, facts)
        case Absolute(part=part):
            return replace(node, part=_resolved(part, facts))
        case Combined(left=left, right=right):
            return replace(node, left=_resolved(left, facts), right=_resolved(right, facts))
        case Extreme(parts=parts):
            return replace(node, parts=tuple(_resolved(part, facts) for part in parts))
    return node


def _depends(node: Quantity) -> bool:
    """Whether a quantity depends on what was measured, and not on the criterion alone."""
    return any(isinstance(part, Measured | Age) for part in nodes(node))


def _joined(every: bool, parts: Sequence[Answer]) -> Answer:
    """ "and" (``every``) or "or" of several answers."""
    decisive = not every  # one part that is this settles it
    settling = [part for part in parts if part.holds is decisive]
    open_parts = [part for part in parts if part.holds is None]
    pick = min if every else max
    if settling or not open_parts:
        # One part settles it, or all parts are needed: the nearest to tipping among those.
        among = settling or parts
        chosen = pick(among, key=lambda part: part.margin)
        uses = among if chosen.holds else [chosen]
        merged = tuple(use for part in uses for use in part.uses)
        return replace(chosen, uses=merged, missing=())
    missing = tuple(item for part in open_parts for item in part.missing)
    return replace(open_parts[0], holds=None, uses=(), missing=missing)


def _flag(measured: Measured, facts: Facts) -> Answer:
    use = _lookup(measured, facts)
    words = measurement_words(use.name, use.lead)
    if use.value.number is None:
        missing = Missing(words, str(use.value.reason))
        return Answer(None, 0.0, Witness(f"{words} (not known)", None, 1.0, ""), (), (missing,))
    holds = use.value.number > 0
    text = f"{words}: {'yes' if holds else 'no'}"
    return Answer(holds, 1.0 if holds else -1.0, Witness(text, use.value.number, 1.0, ""), (use,))


def _sex(sex: str, patient: Patient) -> Answer:
    witness = Witness(f"sex {patient.sex or 'not known'}", None, None, "")
    if patient.sex is None:
        return Answer(None, 0.0, witness, (), (Missing("sex", "the file does not state it"),))
    holds = patient.sex == sex
    return Answer(holds, _CERTAIN if holds else -_CERTAIN, witness)


def _over_leads(node: OverLeads, facts: Facts) -> Answer:
    answers = [evaluate(node.condition, replace(facts, lead=lead)) for lead in node.leads]
    if node.choice == "two_adjacent":
        pairs = pairwise(answers)
        return _joined(False, [_joined(True, pair) for pair in pairs])
    return _joined(node.choice == "all", answers)
