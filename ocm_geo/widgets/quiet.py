"""What an explorer needs of its source, and of a trait that is a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import traitlets

from ocm_geo.schema import empty_stations

if TYPE_CHECKING:
    from ocm_geo.query import StationQuery
    from ocm_geo.sources.base import Source

__all__ = ["QuietSource", "StationTrait"]


class QuietSource:
    """
    A source for a map: an empty view needs no explanation, which would cost two questions.

    Parameters
    ----------
    source : Source
        The source that answers.
    """

    def __init__(self, source: Source) -> None:
        self.is_remote = bool(getattr(source, "is_remote", False))
        self.fetch = source.fetch
        self.reference_data = source.reference_data

    def has_any(self, query: StationQuery) -> bool:
        """Return False: the question only prepares a hint at swapped axes."""
        del query
        return False


class StationTrait(traitlets.TraitType):  # type: ignore[misc] # traitlets has no types
    """A station table that can be observed; two tables are equal only if they are the same one."""

    def __init__(self) -> None:
        super().__init__(read_only=True)

    def make_dynamic_default(self) -> Any:  # noqa: ANN401 - a table
        """Return an empty table."""  # numpydoc ignore=RT01
        return empty_stations()

    def set(self, obj: Any, value: Any) -> None:  # noqa: ANN401 - of traitlets
        """Set the table, and notify unless it is the same one."""  # numpydoc ignore=PR01
        # The traits of traitlets compare values, and tables compare cell by cell.
        old = obj._trait_values.get(self.name)  # noqa: SLF001 - as traitlets does
        obj._trait_values[self.name] = value  # noqa: SLF001
        if old is not value:
            obj._notify_trait(self.name, old, value)  # noqa: SLF001
