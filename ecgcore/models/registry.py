"""Networks by name. A decorator on a network class fills the table; a new file needs one import
line.

The manner is that of timm's model registry: a name is registered once, an unknown one lists the
known.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from ecgcore.models.card import Output
from ecgcore.models.input_spec import InputSpec

if TYPE_CHECKING:
    from ecgcore.models.network import Network

_FAMILIES = (
    "afibri_net",
    "attia",
    "boosted_trees",
    "classifier_chain",
    "cnn_hannun",
    "cnn_te",
    "cnn_te_baselines",
    "densecnn_wang",
    "ecgencode",
    "encoder",
    "ensemble",
    "forest",
    "hrnn",
    "inception",
    "inception1d",
    "inception_measured",
    "lstm_bidir",
    "mlwgat",
    "resnet1d",
    "resnet1d_liu",
    "se_ecgnet",
    "seresnet",
    "transformer1d",
    "wavelet_nn",
    "xresnet1d",
)
"""Modules of ecgcore.models that register networks when imported."""


@dataclass(frozen=True)
class NetworkEntry:
    """A registered network: how to build it, its options' type, paper, input and outputs.

    ``labels`` is the number of outputs in the paper; ``output`` turns logits into probabilities;
    ``count`` counts parameters as the paper does.
    """

    name: str
    build: Callable[..., Network]
    options: type[Any]
    paper: str
    spec: InputSpec
    labels: int
    output: Output
    count: Callable[[Network], int]


_Builder = TypeVar("_Builder", bound="Callable[..., Network]")
_ENTRIES: dict[str, NetworkEntry] = {}


def register(
    name: str,
    *,
    options: type[Any],
    paper: str,
    spec: InputSpec,
    labels: int,
    output: Output,
    count: Callable[[Network], int],
) -> Callable[[_Builder], _Builder]:
    """Decorates a network class (or any builder) with a name; ValueError if the name is taken.

    The arguments are the fields of NetworkEntry. A class may be registered under several names.
    """
    if name in _ENTRIES:
        raise ValueError(f"network {name!r} is registered twice")

    def add(build: _Builder) -> _Builder:
        _ENTRIES[name] = NetworkEntry(
            name, build, options, paper, spec=spec, labels=labels, output=output, count=count
        )
        return build

    return add


def network_names() -> tuple[str, ...]:
    """All names, sorted. Imports torch."""
    for family in _FAMILIES:
        import_module(f"ecgcore.models.{family}")
    return tuple(sorted(_ENTRIES))


def network_entry(name: str) -> NetworkEntry:
    """The entry of a name; ValueError lists the known ones."""
    known = network_names()
    if name not in known:
        raise ValueError(f"unknown network {name!r}; known: {', '.join(known)}")
    return _ENTRIES[name]


def build_network(
    name: str, *, leads: int, labels: int, options: dict[str, Any] | None = None
) -> Network:
    """A new network with random weights.

    ``options`` are fields of the entry's options dataclass; an unknown field raises ValueError, and
    so does a value that is none of a field's choices.
    """
    entry = network_entry(name)
    known = [field.name for field in fields(entry.options)]
    unknown = sorted(set(options or {}) - set(known))
    if unknown:
        raise ValueError(
            f"network {name!r} has no option {', '.join(unknown)}; known: {', '.join(known)}"
        )
    hints = get_type_hints(entry.options)
    for option, value in (options or {}).items():
        choices = get_args(hints[option]) if get_origin(hints[option]) is Literal else ()
        if choices and value not in choices:
            raise ValueError(
                f"option {option} of {name!r} cannot be {value!r}; known: "
                f"{', '.join(map(str, choices))}"
            )
    return entry.build(entry.options(**(options or {})), leads=leads, labels=labels)
