"""What a station table covers, by its provenance or by its own extent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from ocm_geo.borders import are_within_reach, countries, find_countries, rows_of_codes, territory
from ocm_geo.reference import bundled
from ocm_geo.schema import CRS

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

__all__ = ["Known", "alone_in", "asked_box", "has_unfiled_stations", "known_of", "lonlat_of"]

_KM_PER_DEGREE = 110.5
_MANY = 50
_SAMPLE = 2000
_HALF_TURN, _POLE = 180.0, 90.0


@dataclass(frozen=True)
class Known:
    """
    The countries that a table covers.

    Parameters
    ----------
    codes : frozenset of str
        ISO 3166 alpha-2 codes.
    by_filter : bool
        Whether the question was limited to these, whatever the source covers.
    """

    codes: frozenset[str]
    by_filter: bool

    @property
    def covered(self) -> NDArray[np.bool_]:
        """Return which rows of `countries` are covered."""
        return rows_of_codes(self.codes)


def known_of(facts: dict[str, Any]) -> Known | None:
    """
    Return the countries that a table covers, by its provenance.

    Parameters
    ----------
    facts : dict
        ``attrs["ocm"]``.

    Returns
    -------
    Known or None
        None if unknown: for a live source, or without provenance.
    """
    codes = str(facts.get("covers") or "").split()
    asked = _read_asked_codes(facts.get("query"))
    if asked is not None:
        # If the source lacks some of the countries asked for, only the others are covered.
        held = asked & set(codes) if codes else asked
        return Known(frozenset(held), by_filter=True)
    return Known(frozenset(codes), by_filter=False) if codes else None


def _read_asked_codes(query: object) -> set[str] | None:
    """Return the codes of a filter on countries; None without one."""
    ids = query.get("countries") if isinstance(query, dict) else None
    if not isinstance(ids, list):
        return None
    known = bundled().countries["iso_code"]
    return {str(known[i]) for i in ids if i in known.index}


def asked_box(facts: dict[str, Any]) -> tuple[float, float, float, float] | None:
    """
    Return the box around the location that a table was requested for.

    Parameters
    ----------
    facts : dict
        ``attrs["ocm"]``.

    Returns
    -------
    tuple of float or None
        (west, south, east, north) in degrees; None without such a location, or if it crosses
        the antimeridian or a pole.
    """
    query = facts.get("query")
    if not isinstance(query, dict):
        return None
    box, km = _read_query_box(query)
    if box is None or len(box) != 4 or box[0] > box[2]:  # noqa: PLR2004 - sides
        return None
    west, south, east, north = (float(value) for value in box)
    high = km / _KM_PER_DEGREE
    lat = max(abs(south - high), abs(north + high))
    if lat >= _POLE:
        return None
    wide = high / np.cos(np.radians(lat))
    wider = west - wide, south - high, east + wide, north + high
    return wider if wider[0] >= -_HALF_TURN and wider[2] <= _HALF_TURN else None


def _read_query_box(query: dict[str, Any]) -> tuple[list[float] | None, float]:
    """Return the box of a question, and by how many km it is to be widened."""
    if isinstance(query.get("bbox"), list):
        return query["bbox"], 0.0
    if isinstance(query.get("point"), list):
        return [*query["point"], *query["point"]], float(query.get("radius_km", 0.0))
    for name in ("polygon", "route"):
        if isinstance(query.get(name), dict):
            return query[name].get("bbox"), float(query.get("within_km", 0.0))
    return None, 0.0


def lonlat_of(stations: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:  # noqa: ANN401
    """
    Return the positions of a station table.

    Parameters
    ----------
    stations : geopandas.GeoDataFrame or geopandas.GeoSeries
        Points in any coordinate reference system.

    Returns
    -------
    lon, lat : numpy.ndarray
        Degrees, without empty points; no values if the table has no positions.
    """
    if getattr(stations, "crs", None) is None:
        return np.empty(0), np.empty(0)
    points = stations.geometry.to_crs(CRS).to_numpy()
    lon, lat = shapely.get_x(points), shapely.get_y(points)
    real = np.isfinite(lon) & np.isfinite(lat)
    return lon[real], lat[real]


def has_unfiled_stations(stations: pd.DataFrame, row: int) -> bool:
    """
    Return whether a table has stations in a country under no code, or that of its state.

    Parameters
    ----------
    stations : geopandas.GeoDataFrame
        A station table.
    row : int
        Row of `countries`.

    Returns
    -------
    bool
        True if at least one lies there.
    """
    if "country_code" not in stations:
        return False
    state = countries()["state"].iloc[row]
    codes = stations["country_code"]
    filed = codes.isna() | codes.eq(state).fillna(value=False) if state else codes.isna()
    lon, lat = lonlat_of(stations[filed.to_numpy(dtype=bool)])
    return bool(shapely.intersects_xy(territory(row), lon, lat).any())


def alone_in(lon: NDArray[np.float64], lat: NDArray[np.float64]) -> int | None:
    """
    Return the single country in which many stations lie.

    Parameters
    ----------
    lon, lat : numpy.ndarray
        Their positions, degrees.

    Returns
    -------
    int or None
        Row of `countries`; None for few stations, or stations in several countries.
    """
    if len(lon) < _MANY:
        return None
    # Decided on a sample: all of it must lie in the most frequent country or near its border.
    step = max(len(lon) // _SAMPLE, 1)
    some = lon[::step], lat[::step]
    rows, count = np.unique(find_countries(*some), return_counts=True)
    most = rows[np.argmax(count)]
    if most < 0 or not are_within_reach(np.array([most]), *some).all():
        return None
    return int(most)
