"""The choices by which lines become a road network."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Literal, TypeAlias, get_args

import numpy as np

from ocm_geo.errors import QueryError

__all__ = ["HIGHWAYS", "NetworkOptions", "Noding"]

Noding: TypeAlias = Literal["ends", "vertices", "crossings"]
HIGHWAYS = ("motorway", "motorway_link", "trunk", "trunk_link")


@dataclass(frozen=True)
class NetworkOptions:
    """
    How lines are made into a road network.

    Parameters
    ----------
    snap_m : float
        An end that touches no other line is joined to the nearest place of one within this
        distance, in metres. Nothing else is moved, and no line changes its length.
    noding : {"vertices", "ends", "crossings"}
        Whether roads join at the vertices that they share, only where one of them ends, or
        wherever they cross (a bridge is then a junction).
    carriageway_m : float
        Two lines at most this far apart, side by side, are the carriageways of one road, in
        metres; 0 for none.
    length_column : str, optional
        The column of the lines that holds their lengths in km, in place of the drawn length.
    count_column : str, optional
        The column (boolean) that says which lines count in lengths and shares. The others, ways
        to service areas for example, are driven on all the same.
    oneway_column : str, optional
        The column that says in which direction lines may be driven, as OpenStreetMap's ``oneway``:
        yes, -1 or no (True, False). Pools must then be reached in the direction of travel, and a
        line for both directions passes if both do. By default lines have no direction.
    highways : tuple of str
        The classes that are read from an OpenStreetMap extract (tag ``highway``).

    Raises
    ------
    QueryError
        If a value is out of range.

    Examples
    --------
    >>> import ocm_geo as ocm
    >>> ocm.NetworkOptions(snap_m=5).noding
    'vertices'
    """

    snap_m: float = 20.0
    noding: Noding = "vertices"
    carriageway_m: float = 60.0
    length_column: str | None = None
    count_column: str | None = None
    oneway_column: str | None = None
    highways: tuple[str, ...] = HIGHWAYS

    def __post_init__(self) -> None:
        """Check the values."""
        for name in ("snap_m", "carriageway_m"):
            _check_metres(getattr(self, name), name)
        if self.noding not in get_args(Noding):
            allowed = ", ".join(get_args(Noding))
            raise QueryError(f"noding must be one of {allowed}, not {self.noding!r}")
        for field in fields(self):
            if field.name.endswith("_column"):
                _check_column(getattr(self, field.name), field.name)
        _check_classes(self.highways)


def _check_metres(value: object, name: str) -> None:
    """Check a distance in metres."""
    known = isinstance(value, int | float | np.number) and not isinstance(value, bool)
    if not known or not math.isfinite(value) or value < 0:  # type: ignore[arg-type,operator]
        raise QueryError(f"{name} must be a finite number of metres, 0 or more, not {value!r}")


def _check_classes(classes: object) -> None:
    """Check the classes of roads."""
    if not isinstance(classes, tuple | list) or not all(isinstance(c, str) for c in classes):
        raise QueryError(f"highways must be a tuple of classes, not {classes!r}")


def _check_column(value: object, name: str) -> None:
    """Check the name of a column."""
    if value is not None and not isinstance(value, str):
        raise QueryError(f"{name} must be the name of a column, not {value!r}")
