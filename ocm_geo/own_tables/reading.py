"""Read operators, currents and positions of a user's table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from ocm_geo.own_tables.columns import Columns, show_some
from ocm_geo.reference.own import own_id
from ocm_geo.reference.tables import bundled
from ocm_geo.schema import CRS

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["ANY_AC", "read_current", "read_operators", "read_positions"]

ANY_AC = -1
"""Stands for AC of one or of three phases, until the power settles it."""

_MAX_LON, _MAX_LAT = 180.0, 90.0


def read_operators(columns: Columns, operator: object) -> dict[str, pd.Series[Any] | None]:
    """Read operators: ids of Open Charge Map where all are whole numbers, names otherwise."""
    found = columns.raw("operator", operator, "text")
    if found is None:
        return {}
    if pd.api.types.is_numeric_dtype(found.infer_objects().dtype):
        numbers = columns.number("operator", operator, low=0, whole=True)
        return {"operator_id": pd.Series(numbers).astype("Int64") if numbers is not None else None}
    names = columns.text("operator", operator)
    if names is None:
        return {}
    ids = {name: own_id(name) for name in pd.unique(names.dropna())}
    return {"operator_id": names.map(ids).astype("Int64"), "operator_reference": names}


def read_current(columns: Columns, current: object) -> pd.Series[Any] | None:
    """Read currents; "AC" of unknown phases is marked, to be settled by the power."""
    found = columns.raw("current", current, "label")
    if found is None:
        return None
    words = found.astype("string").str.strip().str.casefold()
    any_ac = (words == "ac").to_numpy(dtype=bool, na_value=False)
    codes = columns.resolve("current", found.mask(any_ac), "current_types", bundled())
    return None if codes is None else codes.mask(any_ac, ANY_AC)


def read_positions(
    columns: Columns, frame: pd.DataFrame, lon: object, lat: object
) -> tuple[NDArray[np.float64] | None, NDArray[np.float64] | None]:
    """Read positions in degrees, of the columns named or of the geometry."""
    n_problems = len(columns.problems)
    if lon is None and lat is None:
        x, y = _read_geometry(columns, frame)
    elif lon is None or lat is None:
        columns.problems.append("lon and lat belong together: pass both, or a GeoDataFrame")
        return None, None
    else:
        x, y = columns.number("lon", lon), columns.number("lat", lat)
    if x is not None and y is not None and len(columns.problems) == n_problems:
        _check_positions(columns, frame, x, y)
    return x, y


def _read_geometry(
    columns: Columns, frame: pd.DataFrame
) -> tuple[NDArray[np.float64] | None, NDArray[np.float64] | None]:
    if not isinstance(frame, gpd.GeoDataFrame) or frame.active_geometry_name is None:
        columns.problems.append(
            "the table has no geometry: name the columns of its positions with lon= and lat="
        )
        return None, None
    if frame.crs is None:
        columns.problems.append(
            "the geometry has no coordinate reference system: set it with set_crs"
        )
        return None, None
    shapes = frame.geometry.to_crs(CRS).to_numpy()
    empty = shapely.is_missing(shapes) | shapely.is_empty(shapes)
    wrong = ~empty & (shapely.get_type_id(shapes) != shapely.GeometryType.POINT)
    if wrong.any():
        columns.problems.append(
            f"{wrong.sum():,} of {len(shapes):,} geometries are not points (first: row "
            f"{show_some(frame.index[wrong][:1])}): use representative_point()"
        )
        return None, None
    return shapely.get_x(shapes), shapely.get_y(shapes)


def _check_positions(
    columns: Columns, frame: pd.DataFrame, lon: NDArray[np.float64], lat: NDArray[np.float64]
) -> None:
    """Note rows without a position, and positions that are not on the Earth."""
    missing = np.isnan(lon) | np.isnan(lat)
    if missing.any():
        columns.problems.append(
            f"{missing.sum():,} of {len(lon):,} rows have no position (rows "
            f"{show_some(frame.index[missing])}): drop them, or find their positions"
        )
    off = ~missing & ~((np.abs(lon) <= _MAX_LON) & (np.abs(lat) <= _MAX_LAT))
    if off.any():
        first = int(np.argmax(off))
        swapped = np.all((np.abs(lat[off]) <= _MAX_LON) & (np.abs(lon[off]) <= _MAX_LAT))
        hint = "lon and lat are swapped there" if swapped else "they must be degrees of WGS84"
        columns.problems.append(
            f"{off.sum():,} of {len(lon):,} positions are not on the Earth (first: row "
            f"{show_some(frame.index[[first]])}, at (lon, lat) = ({lon[first]:g}, "
            f"{lat[first]:g})): {hint}"
        )
