"""Measurements -> findings: every criterion of a set against one recording."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite

from ecgcore.recording import Patient, Recording
from ecgcore.rules.amounts import Missing, Use
from ecgcore.rules.criteria import CriteriaSet, Criterion, criteria_set
from ecgcore.rules.errors import CriterionError
from ecgcore.rules.evaluation import Answer, Facts, evaluate
from ecgcore.rules.finding import Finding, Place
from ecgcore.signal.measured import Measurements


def apply_rules(
    measurements: Measurements,
    patient: Patient,
    criteria: CriteriaSet,
    changes: Mapping[str, float] | None = None,
) -> tuple[Finding, ...]:
    """One finding a criterion, in the order of the set.

    ``changes`` are other values for thresholds of the set, by name and in their unit, for this call
    only. Raises CriterionError for an unknown threshold or a value that is not finite.
    """
    thresholds = _changed(criteria, changes or {})
    facts = Facts(measurements, patient, thresholds)
    return tuple(_finding(criterion, facts) for criterion in criteria.criteria)


def findings_of(recording: Recording, criteria: str) -> tuple[Finding, ...]:
    """What the criteria of a set, by name, say of a recording as the product measures it: on the
    whole of it, with ``DEFAULT_METHOD``'s waves."""
    from ecgcore.signal.delineation import delineate
    from ecgcore.signal.measurements import measure

    measured = measure(recording, delineate(recording))
    return apply_rules(measured, recording.patient, criteria_set(criteria))


def _changed(criteria: CriteriaSet, changes: Mapping[str, float]) -> dict[str, float]:
    for name, value in changes.items():
        if name not in criteria.thresholds:
            raise CriterionError(
                f"unknown threshold {name!r}",
                ", ".join(criteria.thresholds),
                "change one of them",
                f"criteria {criteria.name}",
            )
        if not isfinite(value):
            raise CriterionError(
                f"{value!r} for threshold {name}",
                f"a finite number of {criteria.thresholds[name].unit or 'no unit'}",
                "state a number",
                f"criteria {criteria.name}",
            )
    return {name: one.value for name, one in criteria.thresholds.items()} | dict(changes)


def _finding(criterion: Criterion, facts: Facts) -> Finding:
    answer = evaluate(criterion.condition, facts)
    refusal = _refusal(criterion, facts) if answer.holds is not None else None
    holds = None if refusal else answer.holds
    witness = answer.witness
    return Finding(
        criterion=criterion.id,
        label=criterion.label,
        description=criterion.description,
        fired=holds,
        comparison=witness.text,
        measured=witness.measured,
        threshold=witness.threshold,
        unit=witness.unit,
        source=criterion.source,
        where=() if holds is None else _places(answer.uses, criterion.where, facts),
        reason=refusal or _reason(criterion, answer, facts),
    )


def _refusal(criterion: Criterion, facts: Facts) -> str | None:
    """Why the criterion is not applied here, or None."""
    for when in criterion.not_applied:
        if evaluate(when.condition, facts).holds:
            return f"Not applied: {when.reason}"
    return None


def _reason(criterion: Criterion, answer: Answer, facts: Facts) -> str | None:
    """What was missing where nothing was decided; what to bear in mind where it fired."""
    if answer.holds is None:
        return f"Not decided. {_missing_words(answer.missing)}"
    if not answer.holds:
        return None
    sentences = [when.reason for when in criterion.caveats if evaluate(when.condition, facts).holds]
    for when in criterion.not_applied:
        tested = evaluate(when.condition, facts)
        if tested.holds is None:
            sentences.append(
                f"Not checked whether this holds: {when.reason} {_missing_words(tested.missing)}"
            )
    return " ".join(sentences) or None


def _missing_words(missing: tuple[Missing, ...]) -> str:
    """What was missing, grouped by why."""
    by_reason: dict[str, list[str]] = {}
    for one in missing:
        names = by_reason.setdefault(one.reason.rstrip("."), [])
        if one.what not in names:
            names.append(one.what)
    groups = [f"{', '.join(names)}: {reason}" for reason, names in by_reason.items()]
    return f"{'. '.join(groups)}."


def _places(uses: tuple[Use, ...], where: tuple[str, ...], facts: Facts) -> tuple[Place, ...]:
    """Where the measurements can be seen; those of the whole recording in the leads ``where``."""
    recorded = facts.measurements.leads
    overall = [lead for lead in where if lead in recorded] or list(recorded)[:1]
    places = []
    for use in uses:
        if use.value.start is None or use.value.stop is None:
            continue
        for lead in overall if use.lead is None else [use.lead]:
            places.append(Place(lead, use.value.start, use.value.stop))
    return tuple(dict.fromkeys(places))
