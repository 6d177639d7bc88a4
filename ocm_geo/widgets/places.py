"""Where stations are drawn: in degrees, those without a position counted and left out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely

from ocm_geo.errors import QueryError
from ocm_geo.frames import in_lonlat, label_of
from ocm_geo.ids import station_table
from ocm_geo.plots.style import counted
from ocm_geo.reference import ReferenceData

if TYPE_CHECKING:
    import geopandas as gpd

__all__ = ["check_reference", "is_whole", "placed", "plain_id", "unplaced_words"]


_NEEDED = ("title", "connections", "max_power_kw")


def placed(stations: gpd.GeoDataFrame) -> tuple[gpd.GeoDataFrame, int]:
    """
    Give the stations that can be drawn.

    Parameters
    ----------
    stations : geopandas.GeoDataFrame
        A station table in any coordinate reference system.

    Returns
    -------
    geopandas.GeoDataFrame
        Those with a position, in EPSG:4326.
    int
        How many have none.

    Raises
    ------
    QueryError
        If it is no station table.
    """
    frame = in_lonlat(station_table(stations, columns=_NEEDED), "stations")
    shapes = frame.geometry.to_numpy()
    missing = shapely.is_missing(shapes) | shapely.is_empty(shapes)
    wrong = ~missing & (shapely.get_type_id(shapes) != shapely.GeometryType.POINT)
    if wrong.any():
        raise QueryError(
            f"stations: {wrong.sum()} of {len(frame)} rows are not points (first: row "
            f"{label_of(frame.index, wrong.argmax())}); use representative_point() for areas"
        )
    return (frame[~missing] if missing.any() else frame), int(missing.sum())


def plain_id(label: object) -> int | str:
    """Return the id of a station as a plain number or text, as JSON holds it."""
    return int(label) if isinstance(label, int | np.integer) else str(label)


def unplaced_words(count: int) -> str:
    """
    Say how many stations a map leaves out because nobody knows where they are.

    Parameters
    ----------
    count : int
        How many.

    Returns
    -------
    str
        Such as ``2 stations without a position are not shown``; empty for none.
    """
    if not count:
        return ""
    return (
        f"{counted(count, 'station')} without a position {'is' if count == 1 else 'are'} not shown"
    )


def is_whole(value: object) -> bool:
    """
    Say whether an option is a whole number.

    Parameters
    ----------
    value : object
        What was given.

    Returns
    -------
    bool
        True and False are none.
    """
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def check_reference(reference: ReferenceData | None) -> None:
    """
    Check what ids stand for.

    Parameters
    ----------
    reference : ReferenceData or None
        What was given.

    Raises
    ------
    QueryError
        If it is something else.
    """
    if reference is not None and not isinstance(reference, ReferenceData):
        raise QueryError(
            f"reference={reference!r}: give ocm_geo.reference_data(source), or nothing"
        )
