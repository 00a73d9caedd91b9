"""The bounded memory of answers."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event

import pytest

from ecgcore.ui.memory import Memory


def _fail() -> str:
    raise ValueError("nothing to compute")


def test_an_answer_is_computed_once() -> None:
    memory: Memory[str] = Memory(2)
    assert memory.get("a", lambda: "first") == "first"
    assert memory.get("a", _fail) == "first"


def test_the_longest_unused_answer_is_forgotten() -> None:
    memory: Memory[str] = Memory(2)
    for key in ("a", "b"):
        memory.get(key, lambda key=key: key)  # type: ignore[misc]
    memory.get("a", _fail)
    memory.get("c", lambda: "c")
    assert ["a" in memory, "b" in memory, "c" in memory] == [True, False, True]
    assert len(memory) == 2


def test_an_error_is_not_remembered() -> None:
    memory: Memory[str] = Memory(2)
    with pytest.raises(ValueError, match="nothing"):
        memory.get("a", _fail)
    assert "a" not in memory
    assert memory.get("a", lambda: "now") == "now"


def test_two_threads_that_ask_for_the_same_compute_it_once() -> None:
    memory: Memory[str] = Memory(2)
    together, begun, computed = Barrier(2), Event(), []

    def slow() -> str:
        computed.append(1)
        begun.wait(0.2)
        return "answer"

    def ask() -> str:
        together.wait()
        return memory.get("a", slow)

    with ThreadPoolExecutor(2) as threads:
        answers = [threads.submit(ask) for _ in range(2)]
    assert [answer.result() for answer in answers] == ["answer", "answer"]
    assert computed == [1]
