"""The review store: recordings, the labels on file, and every decision about them, for ever.

Nothing in it is changed or removed: triggers forbid it, and a hash chain over the reviews shows
where somebody did (``chain``). Every method that writes names who asks and checks their role.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, get_args

from sqlalchemy import Connection, func, select

from ecgcore.review import tables
from ecgcore.review.chain import GENESIS, AuditReport, audit
from ecgcore.review.connection import Database
from ecgcore.review.people import LONGEST_NAME, ROLES, Deed, Role, require
from ecgcore.review.rows import (
    now,
    ordered_codes,
    refuse_codes,
    review_of_row,
    review_row,
)
from ecgcore.review.standing import current
from ecgcore.review.values import (
    Conflict,
    Decision,
    Review,
    ReviewError,
    refuse_text,
)

FOLDS = 10


@dataclass(frozen=True)
class KnownRecording:
    """A recording of the store: ``hash`` of its content, ``name``, ``patient`` (a pseudonym; the
    recording's own hash where the file names none) and ``fold``, which follows from it."""

    hash: str
    name: str
    patient: str

    @property
    def fold(self) -> int:
        """1 to 10; all recordings of a patient are in one, whenever they come."""
        return int(self.patient[:12], 16) % FOLDS + 1


@dataclass(frozen=True)
class FiledLabels:
    """The labels on file of a recording; ``origin`` says where they come from."""

    recording: str
    codes: tuple[str, ...]
    origin: str
    label_set: str = "statements"


class ReviewStore:
    """One store. ``url`` is of SQLite or PostgreSQL; ``default_role`` that of a name without a
    grant: "admin" for one person's own computer, "reader" where several share it.

    Raises StoreError where the database cannot be opened.
    """

    def __init__(self, url: str, default_role: Role = "admin") -> None:
        self.database = Database(url)
        self.default_role = default_role

    # people

    def role_of(self, person: str) -> Role:
        """The role of a name."""
        with self.database.reading() as connection:
            return self._role_of(connection, person)

    def grant(self, by: str, person: str, role: Role) -> None:
        """Give a person a role from now on."""
        refuse_text("name", person, LONGEST_NAME)
        if role not in ROLES or not person.strip():
            raise ReviewError(f"role {role!r} for {person!r}; allowed: {', '.join(ROLES)}")
        with self.database.writing() as connection:
            self.require(connection, by, "grant")
            _insert(connection, tables.grants, person=person, role=role, granted_by=by,
                    granted_at=now())  # fmt: skip

    def people(self, by: str) -> dict[str, Role]:
        """Every granted role."""
        with self.database.reading() as connection:
            self.require(connection, by, "read")
            rows = connection.execute(select(tables.grants).order_by(tables.grants.c.number))
            return {row.person: row.role for row in rows}

    def require(self, connection: Connection, person: str, deed: Deed) -> None:
        """Raises Forbidden where the person's role does not allow the deed."""
        require(person, self._role_of(connection, person), deed)

    def _role_of(self, connection: Connection, person: str) -> Role:
        grants = tables.grants.c
        found = connection.execute(
            select(grants.role).where(grants.person == person).order_by(grants.number.desc())
        ).scalar()
        if found is None:
            return self.default_role
        return next((role for role in get_args(Role) if role == found), "reader")

    # recordings and the labels on file

    def register(self, by: str, recordings: Iterable[KnownRecording]) -> int:
        """Make recordings known; those that are known already stay as they are. How many are
        new."""
        found = {one.hash: one for one in recordings}
        with self.database.writing() as connection:
            self.require(connection, by, "register")
            known = set(connection.execute(select(tables.recordings.c.hash)).scalars())
            rows = [
                {"hash": one.hash, "name": one.name, "patient": one.patient, "fold": one.fold,
                 "added_at": now()}
                for one in found.values() if one.hash not in known
            ]  # fmt: skip
            if rows:
                connection.execute(tables.recordings.insert(), rows)
            return len(rows)

    def recordings(self, by: str) -> dict[str, KnownRecording]:
        """Every recording by its hash."""
        with self.database.reading() as connection:
            self.require(connection, by, "read")
            return {
                row.hash: KnownRecording(row.hash, row.name, row.patient)
                for row in connection.execute(select(tables.recordings))
            }

    def names(self, by: str) -> dict[str, str]:
        """The recordings' names by hash, for an export that identifies them. Raises Forbidden."""
        with self.database.reading() as connection:
            self.require(connection, by, "export identifiers")
        return {key: one.name for key, one in self.recordings(by).items()}

    def file_labels(self, by: str, filed: Iterable[FiledLabels]) -> int:
        """Bring in labels on file; what is on file already is not repeated. How many are new.

        Raises ReviewError for a label that is not of its set, or an unknown recording.
        """
        wanted = list(filed)
        for one in wanted:
            refuse_codes(one.codes, one.label_set)
        with self.database.writing() as connection:
            self.require(connection, by, "file labels")
            known = set(connection.execute(select(tables.recordings.c.hash)).scalars())
            unknown = [one.recording for one in wanted if one.recording not in known]
            if unknown:
                raise ReviewError(
                    f"labels for {len(unknown)} recordings that are not in the store, the first "
                    f"{unknown[0][:16]}; register them first"
                )
            on_file = {key: one.codes for key, one in _filed(connection).items()}
            rows = []
            for one in wanted:
                codes = ordered_codes(one.codes, one.label_set)
                if on_file.get((one.recording, one.label_set)) == codes:
                    continue
                on_file[one.recording, one.label_set] = codes
                rows.append(
                    {"recording": one.recording, "label_set": one.label_set,
                     "codes": json.dumps(codes), "origin": one.origin, "filed_by": by,
                     "filed_at": now()}
                )  # fmt: skip
            if rows:
                connection.execute(tables.filed.insert(), rows)
            return len(rows)

    def filed(
        self, by: str, label_set: str = "statements", until: str | None = None
    ) -> dict[str, FiledLabels]:
        """The labels on file of every recording that has some, by its hash; those of a moment."""
        with self.database.reading() as connection:
            self.require(connection, by, "read")
            return {
                recording: one
                for (recording, name), one in _filed(connection, until).items()
                if name == label_set
            }

    # decisions

    def decide(self, by: str, decision: Decision) -> Review:
        """Keep a decision. When this returns it is on the disk.

        Raises Conflict where somebody decided meanwhile, Forbidden, or ReviewError for an unknown
        recording or a decision of somebody else to be taken back.
        """
        if not by.strip():
            raise ReviewError("nobody's decision; say who decides")
        refuse_text("name", by, LONGEST_NAME)
        adjudicates = decision.stage == "adjudication"
        # What no later decision can change is looked at before the turn: writers wait for each
        # other as short as can be.
        with self.database.reading() as connection:
            self.require(connection, by, "adjudicate" if adjudicates else "decide")
            concerns = by if self._is_independent(connection, by, decision) else None
            self._refuse_newer(connection, decision, concerns)
            self._refuse(connection, by, decision)
        with self.database.writing() as connection:
            self._refuse_newer(connection, decision, concerns)
            last = connection.execute(
                select(tables.reviews.c.number, tables.reviews.c.hash)
                .order_by(tables.reviews.c.number.desc())
                .limit(1)
            ).first()
            row = review_row(
                by, decision, last.number + 1 if last else 1, last.hash if last else GENESIS
            )
            connection.execute(tables.reviews.insert(), row)
        return review_of_row(row)

    def reviews(
        self,
        by: str,
        label_set: str = "statements",
        recording: str | None = None,
        *,
        after: int = 0,
    ) -> tuple[Review, ...]:
        """All reviews of a label set, or of one recording, in the order of their numbers; those
        with a number above ``after``."""
        with self.database.reading() as connection:
            self.require(connection, by, "read")
            return self._reviews(connection, label_set, recording, after=after)

    def head_at(self, by: str, moment: str) -> str:
        """The hash of the last review until a moment."""
        with self.database.reading() as connection:
            self.require(connection, by, "read")
            reviews = tables.reviews.c
            found = connection.execute(
                select(reviews.hash)
                .where(reviews.decided_at <= moment)
                .order_by(reviews.number.desc())
            ).scalar()
            return found or GENESIS

    def audit(self, heads: Iterable[str] = ()) -> AuditReport:
        """Verify the hash chain; ``heads`` exported earlier must occur in it, as must those of the
        snapshots."""
        with self.database.reading() as connection:
            kept = connection.execute(select(tables.snapshots.c.head)).scalars()
            rows = connection.execute(
                select(tables.reviews).order_by(tables.reviews.c.number)
            ).mappings()
            return audit(({**row} for row in rows), (*heads, *kept))

    def _reviews(
        self,
        connection: Connection,
        label_set: str,
        recording: str | None,
        *,
        after: int = 0,
        of: str | None = None,
    ) -> tuple[Review, ...]:
        """Reviews by number, those with a number above ``after``, of one person or all."""
        reviews = tables.reviews.c
        query = select(tables.reviews).where(reviews.label_set == label_set, reviews.number > after)
        if recording is not None:
            query = query.where(reviews.recording == recording)
        if of is not None:
            query = query.where(reviews.reviewer == of)
        rows = connection.execute(query.order_by(reviews.number)).mappings()
        return tuple(review_of_row(row) for row in rows)

    def _refuse_newer(
        self, connection: Connection, decision: Decision, concerns: str | None
    ) -> None:
        """Refuse what was decided meanwhile: by one person, or by anybody (None)."""
        newer = self._reviews(
            connection, decision.label_set, decision.recording, after=decision.seen, of=concerns
        )
        if newer:
            raise Conflict(newer)

    def _refuse(self, connection: Connection, by: str, decision: Decision) -> None:
        """Refuse an unknown recording, and what is not one's own. Nobody else's decision changes
        that, and one's own newer one is a conflict."""
        recordings = tables.recordings.c
        if not connection.execute(
            select(recordings.hash).where(recordings.hash == decision.recording)
        ).first():
            raise ReviewError(
                f"recording {decision.recording[:16]} is not in the store; register it first"
            )
        if decision.revises is None and decision.stage != "adjudication":
            return
        own = current(self._reviews(connection, decision.label_set, decision.recording, of=by))
        if decision.revises is not None and decision.revises not in [one.number for one in own]:
            raise ReviewError(
                f"decision {decision.revises} is not one of {by} about this recording that "
                "stands; only one's own can be taken back, and once"
            )
        judged = any(one.decision.stage != "adjudication" for one in own)
        if decision.stage == "adjudication" and decision.action != "withdraw" and judged:
            raise ReviewError(
                f"{by} decided about this recording; a third person settles a disagreement"
            )

    def _is_independent(self, connection: Connection, by: str, decision: Decision) -> bool:
        """Whether others' decisions do not concern this one: read blind, or assigned to several."""
        if decision.stage in ("blind", "informed"):
            return True
        assigned = tables.assignments.c
        return decision.stage == "open" and bool(
            connection.execute(
                select(func.count()).where(
                    assigned.recording == decision.recording,
                    assigned.label_set == decision.label_set,
                    assigned.reviewer == by,
                )
            ).scalar()
        )


def _insert(connection: Connection, table: Any, **values: object) -> None:
    connection.execute(table.insert(), values)


def _filed(connection: Connection, until: str | None = None) -> dict[tuple[str, str], FiledLabels]:
    query = select(tables.filed)
    if until is not None:
        query = query.where(tables.filed.c.filed_at <= until)
    rows = connection.execute(query.order_by(tables.filed.c.number))
    return {
        (row.recording, row.label_set): FiledLabels(
            row.recording, tuple(json.loads(row.codes)), row.origin, row.label_set
        )
        for row in rows
    }
