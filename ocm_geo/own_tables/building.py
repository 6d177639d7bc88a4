"""Build a station table from a user's table of stations or of connections."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import pandas as pd
import pyarrow as pa

from ocm_geo.borders import countries, find_countries
from ocm_geo.checks import short_form, warn_user
from ocm_geo.connections import Connection, connection_columns, connection_table, summaries
from ocm_geo.errors import QueryError, SuspectInput
from ocm_geo.own_tables.columns import Columns, show_some
from ocm_geo.own_tables.reading import (
    ANY_AC,
    MCS,
    read_connectors,
    read_current,
    read_operators,
    read_positions,
    warn_if_swapped,
)
from ocm_geo.own_tables.sites import read_sites, read_stations
from ocm_geo.provenance import attach
from ocm_geo.reference.own import OWN_SOURCE, own_id
from ocm_geo.reference.tables import bundled
from ocm_geo.schema import STATION_COLUMNS, arrow_schema, stations_from_arrow

if TYPE_CHECKING:
    from collections.abc import Hashable

    import geopandas as gpd
    from numpy.typing import NDArray

    from ocm_geo.own_tables.sites import Sites

__all__ = ["stations_from_table"]

Values = dict[str, Any]

_CODES = {
    "usage": "usage_types",
    "status": "status_types",
    "country": "countries",
}
_DC_ONLY = (2, 32, 33, 1040, 1044, MCS)
"""CHAdeMO, CCS, GB/T DC, ChaoJi and MCS carry direct current alone."""
_UNKNOWN = 0
_AC_ONE_PHASE, _AC_THREE_PHASE, _DC = 10, 20, 30
_ONE_PHASE_KW = 7.4
_encode = msgspec.json.Encoder().encode


def stations_from_table(  # noqa: PLR0913 - one argument for each fact of a station
    frame: pd.DataFrame,
    *,
    id: Hashable = None,  # noqa: A002 - ids are what it names
    site: Hashable = None,
    title: Hashable = None,
    power_kw: Hashable = None,
    connector: Hashable = None,
    current: Hashable = None,
    quantity: Hashable = None,
    n_points: Hashable = None,
    operator: Hashable = None,
    usage: Hashable = None,
    status: Hashable = None,
    lon: Hashable = None,
    lat: Hashable = None,
    country: Hashable = None,
    attribution: str,
    licence: str | None = None,
) -> gpd.GeoDataFrame:
    """
    Build a station table from any table of stations or of connections.

    Each argument except the last two is the name of a column of `frame`, or one value for all rows.
    The result works in every function that takes stations: verdicts, coverage and its bounds,
    figures, maps, files and filters.

    Parameters
    ----------
    frame : pandas.DataFrame or geopandas.GeoDataFrame
        One row for each station; with `site`, one row for each connection. A GeoDataFrame of
        points in any coordinate reference system, or a table with the columns `lon` and `lat`.
    id : column, optional
        Ids of the stations: whole numbers or texts. By default the index of `frame`. With `site`
        they are the ids of the rows and become the ``reference`` of the connections.
    site : column, optional
        The station that each row belongs to; its values are the ids of the stations.
    title : column or str, optional
        Names of the stations.
    power_kw : column or float, optional
        Power of one connector, kW; 0 counts as missing.
    connector : column, int or str, optional
        Type of connector, as an id or a label of Open Charge Map: ``33`` or ``"CCS (Type 2)"``.
        ``"MCS"``, which Open Charge Map does not have, becomes Unknown with DC.
    current : column, int or str, optional
        Current, likewise: ``10``, ``20``, ``30``, ``"DC"``, ``"AC (Three-Phase)"``. ``"AC"``
        means three-phase above 7.4 kW, else single-phase. If missing, DC for connectors that
        support nothing else (CCS, CHAdeMO, GB/T DC, ChaoJi).
    quantity : column or int, optional
        Number of connectors of a row, 1 or more.
    n_points : column or int, optional
        Charging points of the station.
    operator : column, str or int, optional
        Names of operators, or their ids in Open Charge Map.
    usage, status : column, int or str, optional
        Who may charge, and whether the station works: ids or labels of Open Charge Map, such as
        ``"Public"`` and ``"Operational"``. With `site`, a station whose connections differ in
        status is "Partly Operational (Mixed)".
    lon, lat : column, optional
        Position in degrees (WGS84), if `frame` has no geometry.
    country : column, str or int, optional
        Country: code, name or id. It defines which countries the table covers, so that measures
        beyond them warn; by default the countries in which the stations lie.
    attribution : str
        Whom to credit for the data; it is printed on every figure and map.
    licence : str, optional
        Licence of the data.

    Returns
    -------
    geopandas.GeoDataFrame
        The columns of `ocm_geo.schema.STATION_COLUMNS` and ``geometry`` (EPSG:4326), by ascending
        ``station_id`` (the index: int or text). Other columns of `frame` are dropped; join them by
        the index.

    Raises
    ------
    QueryError
        If the table is invalid; all problems are listed.

    Warns
    -----
    SuspectInput
        If powers exceed what their connectors can deliver (for example, watts instead of kW),
        or longitude and latitude are probably swapped.

    Examples
    --------
    >>> import ocm_geo as ocm
    >>> import pandas as pd
    >>> register = pd.DataFrame(
    ...     {
    ...         "station": ["A", "A", "B"],
    ...         "kw": [150.0, 22.0, 50.0],
    ...         "connector": ["CCS (Type 2)", "Type 2 (Socket Only)", "CHAdeMO"],
    ...         "x": [5.1, 5.1, 5.4],
    ...         "y": [52.1, 52.1, 52.2],
    ...     }
    ... )
    >>> own = ocm.stations_from_table(
    ...     register,
    ...     site="station",
    ...     power_kw="kw",
    ...     connector="connector",
    ...     lon="x",
    ...     lat="y",
    ...     operator="City of Utrecht",
    ...     usage="Public",
    ...     status="Operational",
    ...     country="NL",
    ...     attribution="City of Utrecht",
    ... )
    >>> own["total_power_kw"].to_dict()
    {'A': 172.0, 'B': 50.0}
    """
    if not isinstance(frame, pd.DataFrame):
        raise QueryError(f"frame must be a pandas or geopandas table, not {short_form(frame)}")
    columns = Columns(pd.DataFrame(frame))
    rows = {
        "title": columns.text("title", title),
        "n_points": columns.number("n_points", n_points, low=0, whole=True),
        "power_kw": columns.number("power_kw", power_kw, low=0),
        "quantity": columns.number("quantity", quantity, low=1, whole=True),
        "operator": read_operators(columns, operator),
        "connector": read_connectors(columns, connector),
        "current": read_current(columns, current),
    }
    labelled = {"usage": usage, "status": status, "country": country}
    for name, value in labelled.items():
        rows[name] = columns.codes(name, value, _CODES[name], bundled())
    rows["lon"], rows["lat"] = read_positions(columns, frame, lon, lat)
    _check_table_credit(columns, attribution, licence)
    sites = read_sites(columns, frame, id, site)
    per_station = {} if sites is None else read_stations(columns, sites, rows)
    if columns.problems or sites is None:
        raise QueryError(_format_problems(columns.problems))
    return _build_own_stations(
        sites, rows, per_station, {"attribution": attribution, "licence": licence}
    )


def _format_problems(problems: list[str]) -> str:
    """Return the message for all problems of a table."""
    if len(problems) == 1:
        return f"stations_from_table: {problems[0]}"
    listed = "".join(f"\n- {problem}" for problem in problems)
    return f"stations_from_table found {len(problems)} problems:{listed}"


def _check_table_credit(columns: Columns, attribution: object, licence: object) -> None:
    """Check the credit, without which a result could not be published."""
    if not isinstance(attribution, str) or not attribution.strip():
        columns.problems.append(
            f"attribution must name whom to credit for the data, not {short_form(attribution)}"
        )
    if licence is not None and not isinstance(licence, str):
        columns.problems.append(f"licence must be a text, not {short_form(licence)}")


def _choose_current(rows: Values) -> pd.Series[Any] | None:
    """Return currents: AC of unknown phases by its power, missing ones by a DC connector."""
    current, kind, power = rows["current"], rows["connector"], rows["power_kw"]
    if kind is not None:
        only_dc = kind.isin(_DC_ONLY).to_numpy(dtype=bool, na_value=False)
        known = pd.Series(pd.NA, index=kind.index, dtype="Int64") if current is None else current
        current = known.mask(only_dc & known.isna().to_numpy(), _DC)
    if current is None:
        return None
    strong = np.zeros(len(current), bool) if power is None else power > _ONE_PHASE_KW
    any_ac = (current == ANY_AC).to_numpy(dtype=bool, na_value=False)
    settled: pd.Series[Any] = current.mask(any_ac & strong, _AC_THREE_PHASE)
    return settled.mask(any_ac & ~strong, _AC_ONE_PHASE)


def _make_connections(sites: Sites, rows: Values) -> tuple[list[Connection], NDArray[np.int64]]:
    """Return the connections sorted by station, and the number of each station."""
    kind = rows["connector"]
    facts = {
        "connection_type_id": None if kind is None else kind.mask(kind.eq(MCS), _UNKNOWN),
        "current_type_id": _choose_current(rows),
        "power_kw": rows["power_kw"],
        "quantity": rows["quantity"],
    }
    if all(values is None for values in facts.values()):
        return [], np.zeros(len(sites), dtype=np.int64)
    if sites.grouped:
        facts |= {"status_type_id": rows["status"], "reference": sites.reference}
    order = np.argsort(sites.code, kind="stable")
    given = {
        name: _list_values(values, order) for name, values in facts.items() if values is not None
    }
    if "quantity" in given:
        given["quantity"] = [None if n is None else int(n) for n in given["quantity"]]
    names = list(given)
    connections = [
        Connection(**dict(zip(names, row, strict=True)))
        for row in zip(*given.values(), strict=True)
    ]
    return connections, np.bincount(sites.code, minlength=len(sites)).astype(np.int64)


def _list_values(values: Any, order: NDArray[np.intp]) -> list[Any]:  # noqa: ANN401 - a column
    """Return the values of a column in an order, None if missing."""
    column = pd.Series(values).iloc[order].astype(object)
    return column.where(column.notna(), None).tolist()


def _build_own_stations(
    sites: Sites, rows: Values, per_station: Values, credit: Values
) -> gpd.GeoDataFrame:
    """Build the station table with its provenance."""
    connections, counts = _make_connections(sites, rows)
    table = connection_table(
        connection_columns(connections), np.repeat(np.arange(len(sites)), counts)
    )
    ends = np.cumsum(counts)
    texts = [
        _encode(connections[end - n : end]).decode() for end, n in zip(ends, counts, strict=True)
    ]
    reference = bundled()
    country = per_station["country"]
    known: Values = {
        "title": per_station["title"],
        "n_points": per_station["n_points"],
        "operator_id": per_station.get("operator_id"),
        "operator_reference": per_station.get("operator_reference"),
        "usage_type_id": per_station["usage"],
        "status_type_id": per_station["status"],
        "country_id": country,
        "country_code": None if country is None else country.map(reference.countries["iso_code"]),
        "data_provider_id": [own_id(credit["attribution"].strip())] * len(sites),
        "connections": texts,
        "lon": per_station["lon"],
        "lat": per_station["lat"],
        **summaries(table, counts),
    }
    stations = stations_from_arrow(_build_arrow_table(known, len(sites)))
    stations.index = sites.ids
    attach(
        stations,
        source=OWN_SOURCE,
        attribution=credit["attribution"].strip(),
        licence=credit["licence"],
        covers=" ".join(sorted(_find_covered_countries(stations))) or None,
    )
    warn_if_swapped(per_station["lon"], per_station["lat"])
    _warn_implausible_power(stations, rows["power_kw"])
    return stations


def _find_covered_countries(stations: gpd.GeoDataFrame) -> set[str]:
    """Return the countries that a table names, else those in which its stations lie."""
    if named := set(stations["country_code"].dropna()):
        return named
    rows = find_countries(stations.geometry.x.to_numpy(), stations.geometry.y.to_numpy())
    return set(countries()["code"].iloc[np.unique(rows[rows >= 0])].astype(str))


def _build_arrow_table(known: Values, n: int) -> pa.Table:
    """Build all columns of a station table; unknown ones are missing."""
    fields = [
        *arrow_schema(STATION_COLUMNS),
        pa.field("lon", pa.float64()),
        pa.field("lat", pa.float64()),
    ]
    columns = {}
    for column in fields:
        values = np.arange(n) if column.name == "ocm_id" else known.get(column.name)
        if values is None:
            columns[column.name] = pa.nulls(n, column.type)
        else:
            columns[column.name] = pa.array(values, column.type, from_pandas=True)
    return pa.table(columns)


def _warn_implausible_power(
    stations: gpd.GeoDataFrame, power_kw: NDArray[np.float64] | None
) -> None:
    """Warn about powers that no connector delivers: they may be in watts."""
    wrong = stations["n_power_implausible"].to_numpy() > 0
    if power_kw is None or not wrong.any():
        return
    warn_user(
        f"power_kw: {stations['n_power_implausible'].sum():,} powers are more than their connector "
        f"can deliver (stations {show_some(stations.index[wrong])}; the highest is "
        f"{np.nanmax(power_kw):,g} kW): are they in W? They are flagged and left out of all sums",
        SuspectInput,
    )
