"""Positions of stations on maps: in degrees, without those that have none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely

from ocm_geo.checks import short_form
from ocm_geo.errors import QueryError
from ocm_geo.frames import in_lonlat, label_of
from ocm_geo.ids import station_table
from ocm_geo.plots.style import counted
from ocm_geo.reference import ReferenceData

if TYPE_CHECKING:
    import geopandas as gpd

__all__ = ["check_reference", "placed", "plain_id", "unplaced_words"]


_NEEDED = ("title", "connections", "max_power_kw")


def placed(stations: gpd.GeoDataFrame) -> tuple[gpd.GeoDataFrame, int]:
    """
    Return the stations that can be drawn.

    Parameters
    ----------
    stations : geopandas.GeoDataFrame
        A station table in any coordinate reference system.

    Returns
    -------
    geopandas.GeoDataFrame
        Stations with a position, in EPSG:4326.
    int
        Number of stations without one.

    Raises
    ------
    QueryError
        If the table is not a station table.
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
    """Return the id of a station as a number or text that JSON can contain."""
    return int(label) if isinstance(label, int | np.integer) else str(label)


def unplaced_words(count: int) -> str:
    """
    Return the number of stations that a map leaves out for lack of a position, in words.

    Parameters
    ----------
    count : int
        Number of stations.

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


def check_reference(reference: ReferenceData | None) -> None:
    """
    Check reference data.

    Parameters
    ----------
    reference : ReferenceData or None
        The argument.

    Raises
    ------
    QueryError
        If it is anything else.
    """
    if reference is not None and not isinstance(reference, ReferenceData):
        raise QueryError(
            "reference must be made by ocm_geo.reference_data(source), or None, not "
            f"{short_form(reference)}"
        )
