"""Define a question, checked once, and the stations that answer it."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self, Unpack

import numpy as np
import pandas as pd

from ocm_geo.connections import connection_rows
from ocm_geo.errors import QueryError, TruncatedResult
from ocm_geo.provenance import attach, read_attrs
from ocm_geo.query.checking import check_filters
from ocm_geo.query.filters import FILTERS, Filter, StationFilters
from ocm_geo.query.showing import show_filters
from ocm_geo.query.where import Everywhere, Selection, Where
from ocm_geo.reference import bundled
from ocm_geo.schema import PUBLISHED, REMOVED

if TYPE_CHECKING:
    from collections.abc import Mapping

    import geopandas as gpd
    from numpy.typing import NDArray

    from ocm_geo.reference import ReferenceData

__all__ = ["StationQuery", "published_mask"]

_SHOWN = 20
"""The provenance keeps only the first of more codes, and their number."""


@dataclass(frozen=True)
class StationQuery:
    """
    A question for charging stations.

    Build one with `build`, which checks everything; the fields are ids, never labels.

    Parameters
    ----------
    where : Box, Circle, Area, Corridor, Ids or Everywhere
        The area.
    given : mapping
        The filters that are set, checked: ids, kW, UTC timestamps. Each filter is also an
        attribute (``query.min_power_kw``): its value, or None if it is not set.
    open_provider_ids : tuple of int
        The providers whose data are openly licensed.

    Examples
    --------
    >>> import ocm_geo as ocm
    >>> query = ocm.StationQuery.build(min_power_kw=50, current_types="DC")
    >>> query.current_types
    (30,)
    """

    where: Where = field(default_factory=Everywhere)
    given: Mapping[str, Any] = field(default_factory=dict, hash=False)
    open_provider_ids: tuple[int, ...] = ()

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - the value of any filter
        if name not in FILTERS:
            raise AttributeError(f"{type(self).__name__!r} has no attribute {name!r}")
        return self.given.get(name, FILTERS[name].default)

    @classmethod
    @show_filters()
    def build(
        cls,
        where: Where | None = None,
        *,
        reference: ReferenceData | None = None,
        **filters: Unpack[StationFilters],
    ) -> Self:
        """
        Build a question and check it.

        Parameters
        ----------
        where : Box, Circle, Area, Corridor, Ids or Everywhere, optional
            The area; everywhere by default.
        reference : ReferenceData, optional
            Reference data for the labels; by default the bundled snapshot.
        **filters : StationFilters
            Filters of the stations.

        Returns
        -------
        StationQuery
            The question.

        Raises
        ------
        QueryError
            If a filter, a code or a value is invalid.
        """
        table = reference or bundled()
        checked = check_filters(filters, table)
        providers = table.open_provider_ids() if "open_data" in checked else ()
        return cls(where or Everywhere(), checked, providers)

    @property
    def needs_connections(self) -> bool:
        """Return whether the filters use the connections."""
        return any(FILTERS[name].level == "connection" for name in self.given)

    def mask(
        self, stations: gpd.GeoDataFrame, connections: pd.DataFrame | None = None
    ) -> pd.Series[bool]:
        """
        Return which stations belong to the answer: the only definition of every filter.

        Parameters
        ----------
        stations : geopandas.GeoDataFrame
            A station table.
        connections : pandas.DataFrame, optional
            Its connections, if available; by default they are read from the table.

        Returns
        -------
        pandas.Series of bool
            One value for each station, with the same index; ``max_results`` is ignored.
        """
        inside = np.zeros(len(stations), dtype=bool)
        inside[self._select_stations(stations, connections).positions] = True
        return pd.Series(inside, index=stations.index, name="matches", dtype=bool)

    def answer(
        self, stations: gpd.GeoDataFrame, connections: pd.DataFrame | None = None
    ) -> gpd.GeoDataFrame:
        """
        Return the stations that match, with measures, in order and cut to ``max_results``.

        Parameters
        ----------
        stations : geopandas.GeoDataFrame
            A station table that contains at least all stations of the answer.
        connections : pandas.DataFrame, optional
            Its connections, if available.

        Returns
        -------
        geopandas.GeoDataFrame
            The rows that match, with ``distance_km`` (circle) or ``along_km``, ``offset_km``
            and ``side`` (corridor); by that measure, then by ``ocm_id``.

        Warns
        -----
        TruncatedResult
            If more stations match than ``max_results``.
        """
        selection = self._select_stations(stations, connections)
        order = self._sort_positions(stations, selection)
        kept = order if self.max_results is None else order[: self.max_results]
        result = stations.iloc[selection.positions[kept]].copy()
        for name, values in selection.measures.items():
            result[name] = _to_nullable(values[kept])
        if not self.include_comments:
            for name in ("comments", "media"):
                result[name] = pd.array([None] * len(result), dtype=stations[name].dtype)
        result.attrs["ocm"] = read_attrs(stations)
        return self._record_answer(result, len(order))

    def describe(self) -> dict[str, Any]:
        """
        Return the question as plain JSON, small enough for ``attrs``.

        Returns
        -------
        dict
            The area and the filters that are set; geometries as box and hash.
        """
        facts: dict[str, Any] = self.where.describe()
        for name in FILTERS:
            value = self.given.get(name)
            if name != "allow_bulk" and value is not None and value is not FILTERS[name].default:
                facts[name] = _to_json(value)
                if isinstance(value, tuple) and len(value) > _SHOWN:
                    facts[f"n_{name}"] = len(value)
        return facts

    def _select_stations(
        self, stations: gpd.GeoDataFrame, connections: pd.DataFrame | None
    ) -> Selection:
        """Return the stations of the answer with their measures, in the order of the table."""
        candidates = np.flatnonzero(self.site_mask(stations))
        if self.needs_connections:
            near = stations.iloc[candidates]
            if connections is None:
                rows, table = connection_rows(near)
                candidates = candidates[np.unique(rows[self.connection_mask(table)])]
            else:
                ids = connections["ocm_id"].to_numpy()[self.connection_mask(connections)]
                candidates = candidates[np.isin(near.index.to_numpy(), ids)]
        points = stations.geometry.iloc[candidates]
        found = self.where.select(
            stations.index.to_numpy()[candidates], points.x.to_numpy(), points.y.to_numpy()
        )
        return Selection(candidates[found.positions], found.measures)

    def site_mask(self, stations: pd.DataFrame) -> NDArray[np.bool_]:
        """
        Return which stations meet the filters on stations.

        Parameters
        ----------
        stations : pandas.DataFrame
            At least the columns that the filters use.

        Returns
        -------
        numpy.ndarray of bool
            One value for each station.
        """
        inside = published_mask(stations)
        for row in self._list_filters("station"):
            inside &= self._test_filter(row, stations)
        return inside

    def connection_mask(self, connections: pd.DataFrame) -> NDArray[np.bool_]:
        """
        Return which connections meet all filters on connections.

        Parameters
        ----------
        connections : pandas.DataFrame
            A connection table.

        Returns
        -------
        numpy.ndarray of bool
            One value for each connection.
        """
        inside = np.ones(len(connections), dtype=bool)
        for row in self._list_filters("connection"):
            inside &= self._test_filter(row, connections)
        return inside

    def _list_filters(self, level: str) -> list[Filter]:
        """Return the filters of a level that are set."""
        return [FILTERS[name] for name in self.given if FILTERS[name].level == level]

    def _test_filter(self, row: Filter, table: pd.DataFrame) -> NDArray[np.bool_]:
        """Return which rows of a table meet a filter; a missing value meets none."""
        value = self.given[row.name]
        match row.test:
            case "in":
                return _test_membership(table, row.column, value)
            case "open":
                is_open = _test_membership(table, row.column, self.open_provider_ids)
                return is_open if value else ~is_open
        column = _find_filter_column(table, row.column)
        met = column >= value if row.test == ">=" else column <= value
        return np.asarray(met.to_numpy(dtype=bool, na_value=False))

    def _sort_positions(self, stations: gpd.GeoDataFrame, selection: Selection) -> NDArray[np.intp]:
        """Return the order of the answer: by the measure of the shape, then by id."""
        ids = stations.index[selection.positions]
        if not pd.api.types.is_integer_dtype(ids.dtype):
            ids = pd.Index(pd.factorize(ids, sort=True)[0])
        if self.where.order_by is None:
            return np.argsort(ids, kind="stable")
        return np.lexsort((ids, selection.measures[self.where.order_by]))

    def _record_answer(self, result: gpd.GeoDataFrame, n_matched: int) -> gpd.GeoDataFrame:
        """Record the question in the provenance, and warn if the answer is truncated."""
        truncated = len(result) < n_matched
        if truncated:
            warnings.warn(
                f"{n_matched} stations match and max_results={self.max_results} keeps the "
                "first of them; max_results=None returns all",
                TruncatedResult,
                stacklevel=2,
            )
        return attach(result, query=self.describe(), n_matched=n_matched, truncated=truncated)


def published_mask(stations: pd.DataFrame) -> NDArray[np.bool_]:
    """
    Return which stations are published and not removed.

    Parameters
    ----------
    stations : pandas.DataFrame
        At least ``submission_status_id`` and ``status_type_id``.

    Returns
    -------
    numpy.ndarray of bool
        One value per station. A station without a submission status counts as published:
        exports without this column contain only published stations.
    """
    published = _test_membership(stations, "submission_status_id", PUBLISHED)
    published |= stations["submission_status_id"].isna().to_numpy(dtype=bool)
    return published & ~_test_membership(stations, "status_type_id", REMOVED)


def _test_membership(table: pd.DataFrame, column: str, ids: tuple[int, ...]) -> NDArray[np.bool_]:
    """Return which rows have one of the ids in a column."""
    found = _find_filter_column(table, column).isin(ids)
    return np.asarray(found.to_numpy(dtype=bool, na_value=False))


def _find_filter_column(table: pd.DataFrame, column: str) -> pd.Series[Any]:
    """Return the column that a filter uses."""
    if column not in table:
        raise QueryError(
            f"the table has no column {column!r}: pass a station table from one of the "
            "functions stations_from_…"
        )
    return table[column]


def _to_json(value: Any) -> Any:  # noqa: ANN401 - the value of any filter
    """Return the value of a filter as JSON, cut to a few codes."""
    if isinstance(value, pd.Timestamp):
        return value.isoformat()
    return list(value[:_SHOWN]) if isinstance(value, tuple) else value


def _to_nullable(values: NDArray[Any]) -> NDArray[Any] | pd.api.extensions.ExtensionArray:
    """Return texts with the nullable string type of the other columns."""
    return pd.array(values, dtype="string") if values.dtype.kind in "UO" else values
