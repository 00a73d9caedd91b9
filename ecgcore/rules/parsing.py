"""The language of criteria: text -> a checked tree. Nothing of it is ever executed as Python.

An expression is written with Python's grammar and read with ``ast.parse``; every node that is not
on the list below is refused, and so are unknown names and comparisons of different units::

    pr_ms > pr_long                                     a measurement against a threshold
    V5.r_mv + abs(V1.s_mv) >= voltage                   a lead's measurement: LEAD.name
    any(lead.q_ms >= q_wide for lead in inferior)       also all, two_adjacent (in this order)
    count(lead.t_mv < 0 for lead in (V4, V5, V6)) >= 2  in how many leads
    max(abs(lead.s_mv) for lead in chest)               also min, sum; or of several quantities
    (men if male else women), age, lead in (V2, V3)     the patient; which lead it is
    lbbb, sinus_p, V1.qs                                definitions of the set; measurements 1 or 0

``and``, ``or``, ``not``, ``+ - * /``, ``< <= > >=`` and brackets are as usual. A written number has
no unit, except that 0 has any; numbers with a unit are thresholds, so that they have a source.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import cast, get_args

from ecgcore.recording import LEADS
from ecgcore.rules.errors import CriterionError
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
    Node,
    Number,
    Operator,
    Over,
    OverLeads,
    Quantity,
    SexIs,
    ThresholdName,
)
from ecgcore.rules.expression import Choice as ChoiceOverLeads
from ecgcore.rules.units import BARE, Unit, multiplied, name_of, unit_named
from ecgcore.signal.measured import LEAD_NAMES, OVERALL_NAMES, unit_of

FLAGS = frozenset({"sinus_p", "qs", "notched_r"})
"""Measurements that are 1 or 0; they are conditions, not quantities."""
LONGEST = 2000
DEEPEST = 30
_LARGEST = 1e6
_CHARACTERS = re.compile(r"[\w\s.,()<>=+*/-]*", re.ASCII)
_OPERATORS: dict[type[ast.operator], Operator] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
}
_COMPARISONS: dict[type[ast.cmpop], Comparison] = {
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
}
_WORDS = frozenset(
    {BOUND, "age", "male", "female", "abs", "max", "min", "sum", "any", "all", "count"}
    | set(get_args(ChoiceOverLeads))
)


@dataclass(frozen=True)
class Names:
    """What an expression may speak of beside the measurements."""

    thresholds: Mapping[str, Unit] = field(default_factory=dict)
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    definitions: Mapping[str, Node] = field(default_factory=dict)


def reserved(name: str) -> bool:
    """Whether a name already means something, so that nothing else may be called so."""
    return name in _WORDS or name in LEADS or name in OVERALL_NAMES or name in LEAD_NAMES


def parse_condition(text: str, names: Names) -> Condition:
    """The tree of a condition. Raises CriterionError, and nothing else, for any other text."""
    return _Parser(text, names).condition(_python_tree(text), 0, False)


def parse_definition(text: str, names: Names) -> Node:
    """The tree of a condition or of a quantity. Raises CriterionError only."""
    return _Parser(text, names).either(_python_tree(text))


def _python_tree(text: str) -> ast.expr:
    if len(text) > LONGEST:
        raise CriterionError(
            f"an expression of {len(text)} characters", f"{LONGEST}", "divide it by definitions"
        )
    if not _CHARACTERS.fullmatch(text):
        strange = next(character for character in text if not _CHARACTERS.fullmatch(character))
        raise CriterionError(
            f"the character {strange!r}",
            "letters, digits, _ . , ( ) < > = + - * / and white space",
            "remove it",
        )
    try:
        return ast.parse(" ".join(text.split()), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise CriterionError(
            f"{text[:80]!r} cannot be read ({getattr(error, 'msg', type(error).__name__)})",
            "a condition such as 'pr_ms > pr_long'",
            "correct the expression",
        ) from None


class _Parser:
    """Turns Python's tree into ours. ``bound``: whether ``lead`` stands for a lead here."""

    def __init__(self, text: str, names: Names) -> None:
        self.text, self.names = " ".join(text.split()), names

    def either(self, node: ast.expr) -> Node:
        return self._read(node, 0, False)

    def condition(self, node: ast.expr, depth: int, bound: bool) -> Condition:
        read = self._read(node, depth, bound)
        if not isinstance(read, Condition):
            raise self._refusal(node, "is a quantity", "a condition here", "compare it")
        return read

    def quantity(self, node: ast.expr, depth: int, bound: bool) -> Quantity:
        read = self._read(node, depth, bound)
        if not isinstance(read, Quantity):
            raise self._refusal(
                node, "is true or false", "a quantity here", "use a measurement or a threshold"
            )
        return read

    def _read(self, node: ast.expr, depth: int, bound: bool) -> Node:  # noqa: PLR0911  one case each
        if depth > DEEPEST:
            raise self._refusal(node, "is nested too deep", f"{DEEPEST} levels", "use definitions")
        inner = depth + 1
        match node:
            case ast.BoolOp(op=operation, values=values):
                parts = tuple(self.condition(value, inner, bound) for value in values)
                return Joined(isinstance(operation, ast.And), parts)
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return Inverted(self.condition(operand, inner, bound))
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                part = self.quantity(operand, inner, bound)
                return Combined("*", Number(-1.0, BARE), part, part.unit)
            case ast.BinOp():
                return self._combined(node, inner, bound)
            case ast.Compare():
                return self._compared(node, inner, bound)
            case ast.IfExp():
                return self._chosen(node, inner, bound)
            case ast.Call():
                return self._called(node, inner, bound)
            case ast.Attribute():
                return self._of_lead(node, bound)
            case ast.Name():
                return self._named(node)
            case ast.Constant():
                return self._number(node)
        raise self._refusal(node, "is not part of the language", "see the language", "rewrite it")

    def _number(self, node: ast.Constant) -> Number:
        value = node.value
        if isinstance(value, bool) or not isinstance(value, int | float) or value > _LARGEST:
            raise self._refusal(node, "is no number", f"numbers up to {_LARGEST:g}", "correct it")
        return Number(float(value), BARE)

    def _combined(self, node: ast.BinOp, depth: int, bound: bool) -> Combined:
        operator = _OPERATORS.get(type(node.op))
        if operator is None:
            raise self._refusal(node, "uses an unknown operator", "+ - * /", "rewrite it")
        left, right = (
            self.quantity(node.left, depth, bound),
            self.quantity(node.right, depth, bound),
        )
        if operator in "+-":
            left, right = self._of_one_unit(node, left, right)
            return Combined(operator, left, right, left.unit)
        unit = multiplied(left.unit, right.unit, 1 if operator == "*" else -1)
        return Combined(operator, left, right, unit)

    def _compared(self, node: ast.Compare, depth: int, bound: bool) -> Condition:
        if isinstance(node.ops[0], ast.In) and len(node.ops) == 1:
            self._must_be_bound(node.left, bound)
            return LeadIs(self._leads(node.comparators[0]))
        sides = [self.quantity(side, depth, bound) for side in (node.left, *node.comparators)]
        parts: list[Condition] = []
        for operator, left, right in zip(node.ops, sides, sides[1:], strict=False):
            comparison = _COMPARISONS.get(type(operator))
            if comparison is None:
                raise self._refusal(
                    node, "uses an unknown comparison", "< <= > >=, 'lead in'", "rewrite it"
                )
            parts.append(Compared(comparison, *self._of_one_unit(node, left, right)))
        return parts[0] if len(parts) == 1 else Joined(True, tuple(parts))

    def _chosen(self, node: ast.IfExp, depth: int, bound: bool) -> Chosen:
        yes, no = self._of_one_unit(
            node, self.quantity(node.body, depth, bound), self.quantity(node.orelse, depth, bound)
        )
        return Chosen(self.condition(node.test, depth, bound), yes, no, yes.unit)

    def _called(self, node: ast.Call, depth: int, bound: bool) -> Node:
        function = node.func.id if isinstance(node.func, ast.Name) else ""
        if node.keywords or not node.args:
            raise self._refusal(
                node, "is no call of the language", "positional arguments", "rewrite"
            )
        first = node.args[0]
        if isinstance(first, ast.GeneratorExp) and len(node.args) == 1:
            return self._over_leads(node, function, first, depth, bound)
        if function == "abs" and len(node.args) == 1:
            part = self.quantity(first, depth, bound)
            return Absolute(part, part.unit)
        if function in get_args(Over) and len(node.args) > 1:
            parts = [self.quantity(argument, depth, bound) for argument in node.args]
            unit = next((p.unit for p in parts if not _is_zero(p)), BARE)
            same = tuple(self._of_one_unit(node, p, Number(0.0, unit))[0] for p in parts)
            return Extreme(cast(Over, function), same, unit)
        raise self._refusal(
            node,
            "is no call of the language",
            "abs(x), max(x, y), min(x, y), sum(x, y); any, all, two_adjacent, count, max, min, sum"
            f" of (... for {BOUND} in ...)",
            "use one of them",
        )

    def _over_leads(
        self, node: ast.Call, function: str, over: ast.GeneratorExp, depth: int, bound: bool
    ) -> Node:
        loop = over.generators[0]
        plain = len(over.generators) == 1 and not loop.ifs and not loop.is_async
        if bound or not plain or not isinstance(loop.target, ast.Name) or loop.target.id != BOUND:
            raise self._refusal(
                node, "goes over leads in an unknown way", f"(... for {BOUND} in ...)", "rewrite it"
            )
        leads = self._leads(loop.iter)
        if function in get_args(ChoiceOverLeads):
            choice = cast(ChoiceOverLeads, function)
            return OverLeads(choice, self.condition(over.elt, depth, True), leads)
        if function == "count":
            return Counted(self.condition(over.elt, depth, True), leads, BARE)
        if function in get_args(Over):
            part = self.quantity(over.elt, depth, True)
            return ExtremeOverLeads(cast(Over, function), part, leads, part.unit)
        raise self._refusal(
            node, "goes over leads", "any, all, two_adjacent, count, max, min, sum", "use one"
        )

    def _leads(self, node: ast.expr) -> tuple[str, ...]:
        if isinstance(node, ast.Name) and node.id in self.names.groups:
            return self.names.groups[node.id]
        items = node.elts if isinstance(node, ast.Tuple) else [node]
        leads = tuple(item.id for item in items if isinstance(item, ast.Name))
        if not items or len(leads) != len(items) or any(lead not in LEADS for lead in leads):
            raise self._refusal(
                node,
                "names no leads",
                f"{', '.join(LEADS)} in brackets; or {', '.join(self.names.groups) or 'no group'}",
                "name leads or a group",
            )
        if len(set(leads)) != len(leads):
            raise self._refusal(node, "names a lead twice", "each lead once", "remove one")
        return leads

    def _of_lead(self, node: ast.Attribute, bound: bool) -> Node:
        lead = node.value.id if isinstance(node.value, ast.Name) else ""
        if lead == BOUND:
            self._must_be_bound(node.value, bound)
        elif lead not in LEADS:
            raise self._refusal(node, "names no lead", f"{', '.join(LEADS)}, {BOUND}", "name one")
        return self._measured(node, lead, node.attr, LEAD_NAMES)

    def _measured(
        self, node: ast.expr, lead: str | None, name: str, known: tuple[str, ...]
    ) -> Node:
        if name not in known:
            raise self._refusal(node, "is not measured", ", ".join(known), "use one of them")
        measured = Measured(lead, name, unit_named(unit_of(name)))
        return Flag(measured) if name in FLAGS else measured

    def _named(self, node: ast.Name) -> Node:
        name = node.id
        if name == "age":
            return Age(unit_named("years"))
        if name in ("male", "female"):
            return SexIs("M" if name == "male" else "F")
        if name in self.names.thresholds:
            return ThresholdName(name, self.names.thresholds[name])
        if name in self.names.definitions:
            defined = self.names.definitions[name]
            return Defined(name, defined) if isinstance(defined, Condition) else defined
        if name in OVERALL_NAMES:
            return self._measured(node, None, name, OVERALL_NAMES)
        known = (*self.names.thresholds, *self.names.definitions, "age", "male", "female")
        raise self._refusal(
            node,
            "is unknown",
            f"the thresholds and definitions {', '.join(known)}; the measurements "
            f"{', '.join(OVERALL_NAMES)}; LEAD.{{{', '.join(LEAD_NAMES)}}}",
            "correct the name, or declare it",
        )

    def _must_be_bound(self, node: ast.expr, bound: bool) -> None:
        if not bound or not isinstance(node, ast.Name) or node.id != BOUND:
            raise self._refusal(
                node, "stands alone", f"{BOUND} inside (... for {BOUND} in ...)", "name a lead"
            )

    def _of_one_unit(
        self, node: ast.expr, left: Quantity, right: Quantity
    ) -> tuple[Quantity, Quantity]:
        if _is_zero(left):
            left = Number(0.0, right.unit)
        if _is_zero(right):
            right = Number(0.0, left.unit)
        if left.unit != right.unit:
            units = [f"{name_of(side.unit) or 'a bare number'}" for side in (left, right)]
            raise self._refusal(
                node, f"brings {units[0]} and {units[1]} together", "one unit", "correct a unit"
            )
        return left, right

    def _refusal(self, node: ast.expr, given: str, allowed: str, remedy: str) -> CriterionError:
        piece = ast.get_source_segment(self.text, node) or self.text
        place = f"character {node.col_offset + 1}"
        return CriterionError(f"{piece[:80]!r} {given}", allowed, remedy, place)


def _is_zero(part: Quantity) -> bool:
    return isinstance(part, Number) and part.number == 0 and part.unit == BARE
