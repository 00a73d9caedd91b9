"""No option of a run, of an objective or of a network is without words."""

from __future__ import annotations

from dataclasses import fields

from ecgcore.models.registry import network_entry, network_names
from ecgcore.training.augmentation import Augmentation
from ecgcore.training.network_option_words import _COMMON, _OWN, network_option_words
from ecgcore.training.objective_of import OBJECTIVES
from ecgcore.training.option_words import (
    GROUP_OF,
    GROUPS,
    OBJECTIVE_OPTION_WORDS,
    OBJECTIVE_WORDS,
    OPTION_WORDS,
)
from ecgcore.training.options import TrainOptions


def test_every_option_of_a_run_has_words_and_a_place_and_none_has_too_many() -> None:
    options = {field.name for field in fields(TrainOptions)}
    changes = {f"augmentation.{field.name}" for field in fields(Augmentation)}
    assert set(OPTION_WORDS) == options | changes
    assert set(GROUP_OF) == options - {"network", "network_options"}
    assert set(GROUP_OF.values()) == set(GROUPS)


def test_every_objective_and_each_of_its_options_has_words() -> None:
    assert set(OBJECTIVE_WORDS) == set(OBJECTIVES)
    assert set(OBJECTIVE_OPTION_WORDS) == {
        option for kind in OBJECTIVES.values() for option in kind.options
    }


def test_every_option_of_every_network_has_words_and_no_words_are_of_nothing() -> None:
    known: set[str] = set()
    for name in network_names():
        options = {field.name for field in fields(network_entry(name).options)}
        assert not [one for one in options if network_option_words(name, one) is None], name
        assert set(_OWN.get(name, {})) <= options
        known |= options
    assert set(_COMMON) == known
    assert network_option_words("inception", "colour") is None


def test_words_are_sentences_that_end() -> None:
    every = [*OPTION_WORDS.values(), *OBJECTIVE_WORDS.values(), *OBJECTIVE_OPTION_WORDS.values()]
    every += [*_COMMON.values(), *(one for own in _OWN.values() for one in own.values())]
    assert not [words for words in every if not words.endswith(".")]
    small = ("adam", "float", "sigmoid")  # names of values
    assert not [words for words in every if words[0].islower() and not words.startswith(small)]
