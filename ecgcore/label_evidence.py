"""What models and rules say of each recording of a workspace, kept so that a queue is there at
once.

One file a source in ``evidence/``: a model with the hash of its weights, the clinical criteria, or
the tracings that recordings share (``tracing_evidence``).
Everything in it follows from the recordings and can be gathered again; it is keyed by the content
of a recording and holds no identifier.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ecgcore.labels import statements
from ecgcore.models.card import load_card
from ecgcore.readers.stated import UnstatedError
from ecgcore.recording import Recording, RecordingError
from ecgcore.storage import write_bytes
from ecgcore.tracing_evidence import VERSION as TRACINGS_VERSION
from ecgcore.tracing_evidence import TracingBook, pairs_among
from ecgcore.training.code_digest import code_digest
from ecgcore.training.learned_records import has_learned

if TYPE_CHECKING:
    from ecgcore.models.prediction import Prediction
    from ecgcore.models.predictor import Predictor
    from ecgcore.rules.finding import Finding

RULES = "clinical criteria"
LEARNED = "it has learned from this recording with its label on file, and would agree with it"
_AT_ONCE = 16


@dataclass
class Source:
    """One file: answers by recording and code; ``refused`` says why a recording has none."""

    path: Path
    answers: dict[str, dict[str, Any]] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> Source:
        """What the file holds; nothing where it is missing or damaged: it is gathered again."""
        try:
            content = json.loads(path.read_bytes())
            answers = {key: dict(told) for key, told in content["answers"].items()}
            return cls(path, answers, dict(content["refused"]))
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return cls(path)

    def __contains__(self, recording: str) -> bool:
        return recording in self.answers or recording in self.refused

    def write(self) -> None:
        """Keep it."""
        text = json.dumps({"answers": self.answers, "refused": self.refused}, allow_nan=False)
        write_bytes(self.path, text.encode())


@cache
def _code() -> str:
    """The code of this process, in short."""
    return code_digest()[:12]


class EvidenceBook:
    """The evidence of a workspace: of some models (by name), of the clinical criteria, and which
    recordings show one tracing."""

    def __init__(self, folder: Path, models: Sequence[str]) -> None:
        self.models = tuple(models)
        # What other code found, of signals that it filtered or measured otherwise, is asked anew.
        code = _code()
        self._rules = Source.read(folder / f"rules-{code}.json")
        self._tracings = Source.read(folder / f"tracings-{TRACINGS_VERSION}.json")
        self._tracing_book = TracingBook(folder)
        self._told = {
            name: Source.read(folder / f"{name}-{load_card(name).weights_sha256[:12]}-{code}.json")
            for name in self.models
        }

    @property
    def _sources(self) -> tuple[Source, ...]:
        return (self._rules, self._tracings, *self._told.values())

    def missing(self, recordings: Iterable[str]) -> tuple[str, ...]:
        """Those of which something has not been asked."""
        return tuple(one for one in recordings if any(one not in got for got in self._sources))

    def gather(self, readers: Mapping[str, Callable[[], Recording]]) -> Generator[int, None, None]:
        """Ask everything of every recording; yields how many are done, and keeps them as it goes
        and when it is closed.

        A recording that is none, or that a model refuses, has that as its evidence; one whose file
        cannot be opened or whose rate is not stated is asked again another time. Raises
        OSError where it cannot be kept.
        """
        from ecgcore.models.predictor import load_predictor

        predictors = {name: load_predictor(name) for name in self.models}
        kept = 0
        try:
            for count, (key, read) in enumerate(readers.items(), start=1):
                self._ask_all(key, read, predictors)
                if count % _AT_ONCE == 0:
                    self.write()
                    kept = count
                yield count
        finally:
            if kept < len(readers):
                self.write()

    def _ask_all(
        self, key: str, read: Callable[[], Recording], predictors: Mapping[str, Predictor]
    ) -> None:
        try:
            recording = read()
        except RecordingError as refusal:
            if isinstance(refusal, UnstatedError) or isinstance(refusal.__cause__, OSError):
                return  # a user may state it, a disk may come back: asked again next time
            for source in self._sources:
                source.refused[key] = str(refusal)
            return
        self._compare(key, recording)
        _ask(self._rules, key, lambda: _rules_of(recording))
        for name, predictor in predictors.items():
            if has_learned(predictor.card, recording.record_id):
                self._told[name].refused[key] = LEARNED
                continue
            ask = partial(_answer, predictor, recording)
            _ask(self._told[name], key, ask)

    def write(self) -> None:
        """Keep what was gathered."""
        for source in self._sources:
            source.write()

    def _compare(self, key: str, recording: Recording) -> None:
        if key in self._tracings:
            return
        found = self._tracing_book.compare(key, recording, tuple(self._tracings.answers))
        if isinstance(found, str):
            self._tracings.refused[key] = found
        else:
            self._tracings.answers[key] = dict(found)

    def same_tracings(self, recordings: Sequence[str]) -> tuple[tuple[int, int], ...]:
        """Pairs of places in ``recordings`` that show one tracing, the lower first."""
        return pairs_among(self._tracings.answers, recordings)

    def probabilities(self, recordings: Sequence[str]) -> dict[str, NDArray[np.float32]]:
        """Each model's probabilities of the statements, (recordings, 71); NaN: no answer."""
        codes = [label.code for label in statements()]
        found = {}
        for name, source in self._told.items():
            told = np.full((len(recordings), len(codes)), np.nan, dtype=np.float32)
            for row, key in enumerate(recordings):
                answers = source.answers.get(key, {})
                told[row] = [answers.get(code, np.nan) for code in codes]
            found[name] = told
        return found

    def rules(self, recordings: Sequence[str]) -> NDArray[np.int8]:
        """What the criteria say of the statements, (recordings, 71): 1 fired, -1 measured and not
        fired, 0 unknown."""
        codes = [label.code for label in statements()]
        told = np.zeros((len(recordings), len(codes)), dtype=np.int8)
        for row, key in enumerate(recordings):
            answers = self._rules.answers.get(key, {})
            told[row] = [answers[code][0] if code in answers else 0 for code in codes]
        return told

    def rule_sentence(self, recording: str, code: str) -> str | None:
        """What was measured for a statement, in words; None where no criterion could say."""
        found = self._rules.answers.get(recording, {}).get(code)
        return None if found is None else str(found[1])

    def refusal(self, recording: str, model: str) -> str | None:
        """Why a model did not answer, if it did not."""
        return self._told[model].refused.get(recording)


def _ask(source: Source, key: str, ask: Callable[[], dict[str, Any]]) -> None:
    if key in source:
        return
    try:
        source.answers[key] = ask()
    except RecordingError as refusal:
        source.refused[key] = str(refusal)


def _answer(predictor: Predictor, recording: Recording) -> dict[str, float]:
    return _probabilities(predictor.predict(recording))


def _probabilities(prediction: Prediction) -> dict[str, float]:
    return {
        label.code: round(float(label.probability), 6)
        for label in prediction.labels
        if label.set == "statements" and label.probability is not None
    }


def _rules_of(recording: Recording) -> dict[str, tuple[int, str]]:
    """By statement: 1 where a criterion fired, -1 where all were measured and none did, with the
    comparison that says so."""
    from ecgcore.rules.applying import findings_of

    known = {label.code for label in statements()}
    found: dict[str, list[Finding]] = {}
    for finding in findings_of(recording, "clinical"):
        if finding.label in known:
            found.setdefault(finding.label, []).append(finding)
    answers: dict[str, tuple[int, str]] = {}
    for code, findings in found.items():
        fired = [one for one in findings if one.fired]
        if fired:
            answers[code] = (1, fired[0].comparison)
        elif all(one.fired is False for one in findings):
            answers[code] = (-1, findings[0].comparison)
    return answers
