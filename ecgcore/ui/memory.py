"""A small memory of answers, so that leafing back and forth costs nothing and memory stays flat.

Streamlit's own caches compute on a miss; the review page must also be able to ask whether an
answer is there already, because the ECG is painted before a model that has not answered yet.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Generic, TypeVar

Value = TypeVar("Value")


class Memory(Generic[Value]):
    """The last ``size`` answers by key, the longest unused forgotten first; safe for threads."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._values: OrderedDict[Hashable, Value] = OrderedDict()
        self._computing: dict[Hashable, Lock] = {}
        self._lock = Lock()

    def __contains__(self, key: Hashable) -> bool:
        with self._lock:
            return key in self._values

    def __len__(self) -> int:
        with self._lock:
            return len(self._values)

    def get(self, key: Hashable, compute: Callable[[], Value]) -> Value:
        """The answer for a key, computed when it is not remembered.

        A second thread that asks for the same waits for the first. Errors are not remembered.
        """
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
                return self._values[key]
            turn = self._computing.setdefault(key, Lock())
        with turn:
            with self._lock:
                if key in self._values:
                    return self._values[key]
            try:
                value = compute()
                self._remember(key, value)
            finally:
                with self._lock:
                    self._computing.pop(key, None)
        return value

    def _remember(self, key: Hashable, value: Value) -> None:
        with self._lock:
            self._values[key] = value
            while len(self._values) > self._size:
                self._values.popitem(last=False)
