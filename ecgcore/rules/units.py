"""Units as the criteria know them, so that mV is never compared with ms.

A unit is a product of powers of the four bases; a bare number has none.
"""

from __future__ import annotations

Unit = tuple[tuple[str, int], ...]
"""Base and exponent, sorted by base: ``(("mV", 1), ("ms", 1))`` is mV ms."""

BARE: Unit = ()
_KNOWN: dict[str, Unit] = {
    "": BARE,
    "mV": (("mV", 1),),
    "ms": (("ms", 1),),
    "mV ms": (("mV", 1), ("ms", 1)),
    "deg": (("deg", 1),),
    "1/min": (("min", -1),),
    "years": (("years", 1),),
}
KNOWN_UNITS: tuple[str, ...] = tuple(_KNOWN)

# Below this much of a unit a relative distance says little; margins are taken against it at least.
_SCALES = {"mV": 0.1, "ms": 20.0, "mV ms": 4.0, "deg": 10.0, "1/min": 10.0, "years": 5.0}


def unit_named(name: str) -> Unit:
    """The unit of a name such as "mV ms". KeyError for a name that is not in ``KNOWN_UNITS``."""
    return _KNOWN[name]


def name_of(unit: Unit) -> str:
    """How a unit is written; "" for a bare number."""
    for name, known in _KNOWN.items():
        if known == unit:
            return name
    return " ".join(base if power == 1 else f"{base}^{power}" for base, power in unit)


def multiplied(one: Unit, other: Unit, sign: int = 1) -> Unit:
    """The unit of a product (``sign`` 1) or of a quotient (``sign`` -1)."""
    powers = dict(one)
    for base, power in other:
        powers[base] = powers.get(base, 0) + sign * power
    return tuple(sorted((base, power) for base, power in powers.items() if power))


def scale_of(unit: Unit) -> float:
    """A small step of a unit; distances from thresholds smaller than it are taken against it."""
    return _SCALES.get(name_of(unit), 1.0)
