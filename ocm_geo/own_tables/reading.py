"""Read the operators, connectors, currents and positions of a user's table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from ocm_geo.borders import find_countries
from ocm_geo.checks import warn_user
from ocm_geo.errors import SuspectInput
from ocm_geo.own_tables.columns import Columns, show_some
from ocm_geo.reference.own import own_id
from ocm_geo.reference.tables import bundled
from ocm_geo.schema import CRS

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "ANY_AC",
    "MCS",
    "read_connectors",
    "read_current",
    "read_operators",
    "read_positions",
    "warn_if_swapped",
]

ANY_AC = -1
"""AC of one or three phases, until the power decides."""

MCS = -2
"""The megawatt charging system, which has no id in Open Charge Map."""

_MCS_WORDS = ("mcs", "sae j3271", "j3271")

_MAX_LON, _MAX_LAT = 180.0, 90.0
_MOST = 0.5


def read_operators(columns: Columns, operator: object) -> dict[str, pd.Series[Any] | None]:
    """Read operators: ids of Open Charge Map if all are whole numbers, else names."""
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
    """Read currents; "AC" of unknown phases is marked until the power decides."""
    return _read_coded(
        columns, "current", current, table="current_types", mark=ANY_AC, meant=("ac",)
    )


def read_connectors(columns: Columns, connector: object) -> pd.Series[Any] | None:
    """Read types of connectors; the megawatt charging system is marked."""
    return _read_coded(
        columns, "connector", connector, table="connection_types", mark=MCS, meant=_MCS_WORDS
    )


def _read_coded(
    columns: Columns, name: str, value: object, *, table: str, mark: int, meant: tuple[str, ...]
) -> pd.Series[Any] | None:
    """Read codes, and mark words without a single code."""
    found = columns.raw(name, value, "label")
    if found is None:
        return None
    words = found.astype("string").str.strip().str.casefold()
    marked = words.isin(meant).to_numpy(dtype=bool)
    codes = columns.resolve(name, found.mask(marked), table, bundled())
    return None if codes is None else codes.mask(marked, mark)


def read_positions(
    columns: Columns, frame: pd.DataFrame, lon: object, lat: object
) -> tuple[NDArray[np.float64] | None, NDArray[np.float64] | None]:
    """Read positions in degrees from two columns or the geometry."""
    n_problems = len(columns.problems)
    if lon is None and lat is None:
        x, y = _read_point_geometry(columns, frame)
    elif lon is None or lat is None:
        columns.problems.append("lon and lat belong together: pass both, or a GeoDataFrame")
        return None, None
    else:
        x, y = columns.number("lon", lon), columns.number("lat", lat)
    if x is not None and y is not None and len(columns.problems) == n_problems:
        _check_own_positions(columns, frame, x, y)
    return x, y


def _read_point_geometry(
    columns: Columns, frame: pd.DataFrame
) -> tuple[NDArray[np.float64] | None, NDArray[np.float64] | None]:
    """Read positions from the geometry; problems are collected."""
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


def _check_own_positions(
    columns: Columns, frame: pd.DataFrame, lon: NDArray[np.float64], lat: NDArray[np.float64]
) -> None:
    """Report rows without a position, and positions that are not on the Earth."""
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
        hint = "lon and lat are swapped" if swapped else "they must be degrees of WGS84"
        columns.problems.append(
            f"{off.sum():,} of {len(lon):,} positions are not on the Earth (first: row "
            f"{show_some(frame.index[[first]])}, at (lon, lat) = ({lon[first]:g}, "
            f"{lat[first]:g})): {hint}"
        )


def warn_if_swapped(lon: NDArray[np.float64], lat: NDArray[np.float64]) -> None:
    """Warn if most stations lie at sea, but on land with swapped axes."""
    if not len(lon) or np.abs(lon).max() > _MAX_LAT:
        return
    at_sea = find_countries(lon, lat) < 0
    exchanged = find_countries(lat, lon) >= 0
    wrong = at_sea & exchanged
    if wrong.mean() > _MOST:
        first = int(np.argmax(wrong))
        warn_user(
            f"{wrong.sum():,} of {len(lon):,} stations lie at sea (first: (lon, lat) = "
            f"({lon[first]:g}, {lat[first]:g})), but on land with swapped axes: "
            "lon and lat are probably swapped",
            SuspectInput,
        )
