"""What cleanlab found about labels on file, brought in as evidence for people, never as a decision.

Read are the tables that cleanlab 2.9 makes: ``Datalab.get_issues("label")`` (``is_label_issue``,
``label_score``, ``given_label``, ``predicted_label``; for several labels a recording the last two
hold lists) and ``CleanLearning.find_label_issues`` (``label_quality`` in place of ``label_score``),
with the recordings' names or hashes as their index; and our own export.
"""

from __future__ import annotations

import ast
import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Row, select

from ecgcore.review import tables
from ecgcore.review.connection import StoreError
from ecgcore.review.named_rows import RecordingNames, table_rows
from ecgcore.review.rows import now
from ecgcore.review.store import KnownRecording, ReviewStore
from ecgcore.review.values import ReviewError, refuse_text

TOOL = "cleanlab"
_PLACES = ("recording", "name", "index", "", "Unnamed: 0")
"""Columns that may say which recording: ours, then what pandas calls an index without a name."""
_SCORES = ("label_score", "label_quality")
_TRUTHS = {"true": True, "1": True, "false": False, "0": False}
_LONGEST_LABEL, _MOST_LABELS, _LONGEST_ORIGIN = 60, 100, 200


@dataclass(frozen=True)
class Issue:
    """What was said about one recording: ``score`` 0 (surely wrong) to 1, None where the table has
    none; ``given`` and ``predicted`` are labels in the table's own words."""

    recording: str
    is_issue: bool
    score: float | None
    given: tuple[str, ...]
    predicted: tuple[str, ...]


@dataclass(frozen=True)
class ImportedIssue:
    """An issue as it was brought in: from which table, by whom, when (UTC, ISO 8601)."""

    issue: Issue
    origin: str
    imported_by: str
    imported_at: str

    @property
    def sentence(self) -> str:
        """All of it in words."""
        one = self.issue
        told = [f"{TOOL}: score {one.score:.2f}" if one.score is not None else TOOL]
        told.append("a label issue" if one.is_issue else "no label issue")
        if one.predicted and one.predicted != one.given:
            words = f"predicted {' and '.join(one.predicted)}"
            told.append(f"{words} instead of {' and '.join(one.given)}" if one.given else words)
        day = self.imported_at[:10]
        return f"{', '.join(told)} (imported from {self.origin} by {self.imported_by}, {day})"


@dataclass(frozen=True)
class ReadIssues:
    """What a table says of recordings of the store, and the names that mean none of them, or more
    than one."""

    issues: tuple[Issue, ...]
    unknown: tuple[str, ...]

    @property
    def warning(self) -> str | None:
        """The unknown ones counted and named; None where there are none."""
        if not self.unknown:
            return None
        named = ", ".join(repr(one[:60]) for one in self.unknown[:5])
        more = f" and {len(self.unknown) - 5} more" if len(self.unknown) > 5 else ""
        return (
            f"{len(self.unknown)} rows name no recording of the store, or one of several of that "
            f"name, and were left out: {named}{more}"
        )


def read_issues(data: bytes, known: Iterable[KnownRecording], origin: str) -> ReadIssues:
    """What a CSV table says. Rows of unknown recordings are left out and named.

    Raises ReviewError, and nothing is taken, for a table of another kind, a score that is no number
    from 0 to 1, a recording that occurs twice, or where no row names a recording of the store.
    """
    rows = table_rows(data, origin)
    columns = set(rows[0]) if rows else set()
    place = next((one for one in _PLACES if one in columns), None)
    if place is None or "is_label_issue" not in columns:
        told = ", ".join(sorted(repr(str(one)) for one in columns))[:200] or "none"
        raise ReviewError(
            f"{origin} has the columns {told}; it takes is_label_issue, label_score, given_label "
            'and predicted_label as Datalab.get_issues("label") has them, with the recordings\' '
            "names or hashes as index"
        )
    score = next((one for one in _SCORES if one in columns), None)
    names, seen = RecordingNames(known), dict[str, int]()
    issues, unknown = [], []
    for number, row in enumerate(rows, start=2):
        found = names.hashes(row[place] or "")
        if len(found) != 1:
            unknown.append(row[place] or "")
            continue
        where = f"{origin}, line {number}"
        if found[0] in seen:
            raise ReviewError(f"{where}: the recording of line {seen[found[0]]} again; keep one")
        seen[found[0]] = number
        issues.append(_issue(found[0], row, score, where))
    if not issues:
        raise ReviewError(
            f"none of the {len(rows)} rows of {origin} names a recording of the store "
            f"(the first: {unknown[0][:60]!r}); write the table with the recordings' names or "
            "hashes as its index" if unknown else f"{origin} has no rows; write the issues to it"
        )  # fmt: skip
    return ReadIssues(tuple(issues), tuple(unknown))


def _issue(recording: str, row: dict[str, str], score: str | None, where: str) -> Issue:
    truth = _TRUTHS.get((row["is_label_issue"] or "").strip().lower())
    if truth is None:
        raise ReviewError(
            f"{where}: is_label_issue {row['is_label_issue']!r:.60}; allowed: True, False"
        )
    return Issue(
        recording,
        truth,
        None if score is None else _score(row[score], score, where),
        _labels(row.get("given_label"), where),
        _labels(row.get("predicted_label"), where),
    )


def _score(text: str | None, column: str, where: str) -> float:
    try:
        value = float(text or "")
    except ValueError:
        value = math.nan
    if not 0 <= value <= 1:
        raise ReviewError(f"{where}: {column} {text!r:.60}; allowed: a number from 0 to 1")
    return value


def _labels(text: str | None, where: str) -> tuple[str, ...]:
    """One label, or a list of them as Python or JSON writes it."""
    told = (text or "").strip()
    found: object = [told] if told else []
    if told.startswith(("[", "(")):
        try:
            found = ast.literal_eval(told)
        except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError) as error:
            raise ReviewError(f"{where}: {told[:60]!r} is no list of labels") from error
    if not isinstance(found, list | tuple) or len(found) > _MOST_LABELS:
        raise ReviewError(f"{where}: {told[:60]!r} is no list of at most {_MOST_LABELS} labels")
    labels = tuple(str(one) for one in found)
    for one in labels:
        refuse_text("label", one, _LONGEST_LABEL)
    return labels


def keep_issues(store: ReviewStore, by: str, issues: Sequence[Issue], origin: str) -> int:
    """Keep what a table says; of several imports the last one counts, and what is the same is not
    repeated. How many are new. Raises Forbidden, ReviewError."""
    refuse_text("table's name", origin, _LONGEST_ORIGIN)
    before = imported_issues(store, by)
    known = store.recordings(by)
    strange = [one.recording for one in issues if one.recording not in known]
    if strange:
        raise ReviewError(f"recording {strange[0][:16]} is not in the store; register it first")
    rows = [
        {"recording": one.recording, "tool": TOOL, "is_issue": int(one.is_issue),
         "score": one.score, "given": json.dumps(one.given),
         "predicted": json.dumps(one.predicted), "origin": origin, "imported_by": by,
         "imported_at": now()}
        for one in issues
        if one.recording not in before or before[one.recording].issue != one
    ]  # fmt: skip
    with store.database.writing() as connection:
        store.require(connection, by, "file labels")
        if rows:
            connection.execute(tables.issues.insert(), rows)
    return len(rows)


def imported_issues(store: ReviewStore, by: str) -> dict[str, ImportedIssue]:
    """What was brought in about each recording, last. Raises Forbidden."""
    with store.database.reading() as connection:
        store.require(connection, by, "read")
        rows = connection.execute(select(tables.issues).order_by(tables.issues.c.number))
        return {row.recording: _imported(row) for row in rows}


def _imported(row: Row[tuple[object, ...]]) -> ImportedIssue:
    try:
        given, predicted = json.loads(row.given), json.loads(row.predicted)
        issue = Issue(row.recording, bool(row.is_issue), row.score, tuple(given), tuple(predicted))
    except (ValueError, TypeError) as error:
        raise StoreError(
            f"imported issue {row.number} was edited ({error}); restore a copy of the store"
        ) from error
    return ImportedIssue(issue, row.origin, row.imported_by, row.imported_at)
