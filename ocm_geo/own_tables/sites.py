"""Group the rows of a user's table into stations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ocm_geo import geodesy
from ocm_geo.own_tables.columns import Columns, as_number, show_some

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Sites", "read_sites", "read_stations"]

_PARTLY_OPERATIONAL = 75
_SAME_SITE_KM = 1.0


@dataclass(frozen=True)
class Sites:
    """The stations of a table: ascending ids, and the station of each row."""

    ids: pd.Index[Any]
    code: NDArray[np.intp]
    grouped: bool
    reference: pd.Series[Any] | None

    def __len__(self) -> int:
        return len(self.ids)


def read_sites(columns: Columns, frame: pd.DataFrame, row_id: object, site: object) -> Sites | None:
    """Read which station each row belongs to."""
    name = "id" if site is None else "site"
    if row_id is None and site is None:
        index = frame.index
        name, values = "id (the index of the table)", pd.Series(index.to_numpy(dtype=object))
    else:
        found = columns.raw(name, row_id if site is None else site, "column")
        if found is None:
            return None
        values = found
    ids = _check_station_ids(columns, name, values)
    if ids is None:
        return None
    code, unique = pd.factorize(ids, sort=True)
    if site is None and len(unique) < len(ids):
        repeated = ids[pd.Series(ids).duplicated().to_numpy()]
        columns.problems.append(
            f"{name}: {len(ids) - len(unique):,} of {len(ids):,} rows repeat an id "
            f"({show_some(repeated)}): pass site= instead if each row is a connection of "
            "that station, or drop repeated rows"
        )
    reference = None if site is None else columns.text("id", row_id)
    return Sites(pd.Index(unique, name="station_id"), code, site is not None, reference)


def _check_station_ids(columns: Columns, name: str, values: pd.Series[Any]) -> NDArray[Any] | None:
    """Return ids as whole numbers or as texts; others are a problem."""
    is_text = np.array([isinstance(value, str) for value in values], dtype=bool)
    missing = values.isna().to_numpy() | (
        is_text & (values == "").to_numpy(dtype=bool, na_value=False)
    )
    if missing.any():
        columns.problems.append(f"{name}: {missing.sum():,} of {len(values):,} ids are missing")
        return None
    if is_text.all():
        return values.to_numpy(dtype=object)
    if not is_text.any() and (whole := _convert_whole_numbers(values)) is not None:
        return whole
    kinds = ", ".join(sorted({type(value).__name__ for value in values}))
    columns.problems.append(
        f"{name}: ids must all be whole numbers of at most 64 bits or all be texts, not {kinds}; "
        "astype(str) makes texts of them"
    )
    return None


def _convert_whole_numbers(values: pd.Series[Any]) -> NDArray[np.int64] | None:
    """Return whole numbers of any type; None if a value is not one."""
    if pd.api.types.is_integer_dtype(values.dtype):
        return values.to_numpy(dtype=np.int64)
    numbers = values.map(as_number).to_numpy(np.float64)
    if not np.array_equal(numbers, np.round(numbers)):
        return None
    try:
        return np.array([int(value) for value in values], dtype=np.int64)
    except OverflowError:
        return None


def read_stations(columns: Columns, sites: Sites, rows: dict[str, Any]) -> dict[str, Any]:
    """Reduce the rows of each station to one value each, and report contradictions."""
    operators = rows["operator"]
    found: dict[str, Any] = {
        "title": _take_first(sites, rows["title"]),
        "operator_reference": _take_first(sites, operators.get("operator_reference")),
        "operator_id": _take_first(sites, operators.get("operator_id")),
        "status": _merge_status(sites, rows["status"]),
    }
    for name in ("n_points", "usage", "country"):
        found[name] = _take_first(sites, rows[name])
    told = rows | {"operator": operators.get("operator_reference", operators.get("operator_id"))}
    for name in ("n_points", "usage", "country", "operator"):
        _report_contradictions(columns, sites, name, told[name])
    if rows["lon"] is not None and rows["lat"] is not None:
        found["lon"], found["lat"] = _take_position(columns, sites, rows["lon"], rows["lat"])
    return found


def _take_first(sites: Sites, values: Any) -> pd.Series[Any] | None:  # noqa: ANN401 - a column
    """Return the first known value of each station."""
    return None if values is None else pd.Series(values).groupby(sites.code).first()


def _report_contradictions(columns: Columns, sites: Sites, name: str, values: Any) -> None:  # noqa: ANN401
    """Report stations whose rows contradict each other."""
    if values is None:
        return
    column = pd.Series(values)
    differs = _find_differing(sites, column, column.groupby(sites.code).first())
    if differs.any():
        at = int(np.argmax(differs))
        shown = show_some(column[sites.code == at].dropna())
        columns.problems.append(
            f"{name} differs within {differs.sum():,} of {len(sites):,} stations (first: "
            f"{show_some(sites.ids[[at]])} has {shown}): make it one value, or leave {name} out"
        )


def _find_differing(
    sites: Sites, values: pd.Series[Any], first: pd.Series[Any]
) -> NDArray[np.bool_]:
    """Return which stations have rows of different values, ignoring missing ones."""
    other = values != first.iloc[sites.code].set_axis(values.index)
    rows = other.to_numpy(dtype=bool, na_value=False) & values.notna().to_numpy()
    return np.bincount(sites.code, rows, len(sites)) > 0


def _merge_status(sites: Sites, status: pd.Series[Any] | None) -> pd.Series[Any] | None:
    """Return the status of each station; of different rows "Partly Operational (Mixed)"."""
    if status is None:
        return None
    first = status.groupby(sites.code).first()
    return first.mask(_find_differing(sites, status, first), _PARTLY_OPERATIONAL)


def _take_position(
    columns: Columns, sites: Sites, lon: NDArray[np.float64], lat: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the position of the first row of each station, near which all must lie."""
    first = np.zeros(len(sites), dtype=np.intp)
    first[sites.code[::-1]] = np.arange(len(lon))[::-1]
    x, y = lon[first], lat[first]
    if sites.grouped:
        away = geodesy.distance_km(lon, lat, x[sites.code], y[sites.code]) > _SAME_SITE_KM
        if away.any():
            apart = np.unique(sites.code[away])
            columns.problems.append(
                f"{len(apart):,} of {len(sites):,} stations have rows more than {_SAME_SITE_KM:g} "
                f"km apart (stations {show_some(sites.ids[apart])}): does site contain "
                "locations, not networks?"
            )
    return x, y
