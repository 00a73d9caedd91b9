"""The one error that criteria raise."""

from __future__ import annotations


class CriterionError(ValueError):
    """A criterion that cannot be used: where it stands, what was given, allowed, to be done.

    ``str(error)`` is one readable text of the four; each is also an attribute.
    """

    def __init__(self, given: str, allowed: str, remedy: str, where: str = "") -> None:
        self.given, self.allowed, self.remedy, self.where = given, allowed, remedy, where
        place = f"{where}: " if where else ""
        super().__init__(f"{place}{given}. Allowed: {allowed}. What to do: {remedy}.")

    def at(self, where: str) -> CriterionError:
        """The same error, with its place put in front."""
        place = f"{where}, {self.where}" if self.where else where
        return CriterionError(self.given, self.allowed, self.remedy, place)
