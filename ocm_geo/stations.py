"""Ask for charging stations in a box, circle, area, country, along a route, or by id.

All functions return the same table (see `ocm_geo.schema.STATION_COLUMNS`): a GeoDataFrame in
EPSG:4326, index ``ocm_id``, complete and exact for every source, with the source, its date,
the licence and the question in ``attrs["ocm"]``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

import shapely

from ocm_geo.checks import is_missing, short_form
from ocm_geo.errors import QueryError
from ocm_geo.query import Area, Box, Circle, Corridor, Everywhere, Ids, StationFilters, show_filters
from ocm_geo.sources.asking import ask_source
from ocm_geo.sources.base import resolve_source

if TYPE_CHECKING:
    from collections.abc import Iterable

    import geopandas as gpd

    from ocm_geo.sources.base import SourceLike


__all__ = [
    "stations",
    "stations_from_bbox",
    "stations_from_country",
    "stations_from_ids",
    "stations_from_point",
    "stations_from_polygon",
    "stations_from_route",
]


@show_filters()
def stations(
    *, source: SourceLike | None = None, **filters: Unpack[StationFilters]
) -> gpd.GeoDataFrame:
    """
    Return the charging stations that meet filters, wherever they are.

    Parameters
    ----------
    source : Source, path, "sample" or "api", optional
        An `OpenChargeMap`, a `Mirror`, an object of your own (`Source`), the path of a mirror, the
        bundled sample or the live API; the configured one by default.
    **filters : StationFilters
        Filters of the stations; see `StationFilters`.

    Returns
    -------
    geopandas.GeoDataFrame
        Stations by ``ocm_id``.

    Raises
    ------
    QueryError
        If an argument is invalid; nothing was sent.
    SourceError
        If the source cannot answer.

    Warns
    -----
    OutsideData
        If the source has no stations of a requested country.

    Examples
    --------
    >>> import ocm_geo as ocm
    >>> fast = ocm.stations(source=ocm.sample(), min_power_kw=150, current_types="DC")
    >>> bool((fast["max_power_kw"] >= 150).all())
    True
    """
    return ask_source(Everywhere(), source, filters)


@show_filters()
def stations_from_bbox(
    bbox: tuple[float, float, float, float],
    *,
    source: SourceLike | None = None,
    **filters: Unpack[StationFilters],
) -> gpd.GeoDataFrame:
    """
    Return the charging stations in a box of longitudes and latitudes, borders included.

    Parameters
    ----------
    bbox : tuple of float
        ``(west, south, east, north)`` in degrees. ``west > east`` crosses the antimeridian;
        longitudes beyond ±180 are wrapped; a box 360° wide is all longitudes.
    source : Source, path, "sample" or "api", optional
        As for `stations`.
    **filters : StationFilters
        Filters of the stations.

    Returns
    -------
    geopandas.GeoDataFrame
        Stations by ``ocm_id``.

    Raises
    ------
    QueryError
        If the box or a filter is invalid.
    SourceError
        If the source cannot answer.

    Warns
    -----
    SuspectInput
        If there are no stations, but would be with latitudes and longitudes swapped.
    OutsideData
        If a part of the box lies in countries without stations in the source.

    Examples
    --------
    >>> import ocm_geo as ocm
    >>> found = ocm.stations_from_bbox((4.7, 52.3, 5.1, 52.5), source=ocm.sample())
    >>> found.index.name
    'ocm_id'
    """
    try:
        west, south, east, north = bbox
    except (TypeError, ValueError) as error:
        raise QueryError(f"bbox must be (west, south, east, north), not {bbox!r}") from error
    return ask_source(Box(west, south, east, north), source, filters)


@show_filters()
def stations_from_point(
    point: tuple[float, float] | shapely.Point,
    radius_km: float,
    *,
    source: SourceLike | None = None,
    **filters: Unpack[StationFilters],
) -> gpd.GeoDataFrame:
    """
    Return the charging stations within a distance of a point.

    Parameters
    ----------
    point : tuple of float or shapely.Point
        ``(lon, lat)`` in degrees.
    radius_km : float
        Geodesic distance on WGS84, inclusive, in km.
    source : Source, path, "sample" or "api", optional
        As for `stations`.
    **filters : StationFilters
        Filters of the stations.

    Returns
    -------
    geopandas.GeoDataFrame
        Stations, nearest first, with ``distance_km``.

    Raises
    ------
    QueryError
        If the point, the radius or a filter is invalid.
    SourceError
        If the source cannot answer.

    Warns
    -----
    SuspectInput
        If there are no stations, but would be with latitude and longitude swapped.
    OutsideData
        If a part of the circle lies in countries without stations in the source.

    Examples
    --------
    >>> import ocm_geo as ocm
    >>> near = ocm.stations_from_point((5.12, 52.09), 10, source=ocm.sample())
    >>> bool(near["distance_km"].is_monotonic_increasing)
    True
    """
    try:
        lon, lat = (point.x, point.y) if isinstance(point, shapely.Point) else point
    except (TypeError, ValueError) as error:
        raise QueryError(f"point must be (lon, lat), not {point!r}") from error
    return ask_source(Circle(lon, lat, radius_km), source, filters)


@show_filters()
def stations_from_polygon(
    polygon: shapely.Geometry | gpd.GeoDataFrame | gpd.GeoSeries,
    *,
    source: SourceLike | None = None,
    **filters: Unpack[StationFilters],
) -> gpd.GeoDataFrame:
    """
    Return the charging stations in an area, borders included.

    Parameters
    ----------
    polygon : shapely geometry, GeoSeries or GeoDataFrame
        Polygon or multipolygon, with holes; a bare geometry is in lon/lat, a frame has a
        coordinate reference system. Edges are straight in lon/lat (RFC 7946).
    source : Source, path, "sample" or "api", optional
        As for `stations`.
    **filters : StationFilters
        Filters of the stations.

    Returns
    -------
    geopandas.GeoDataFrame
        Stations by ``ocm_id``.

    Raises
    ------
    QueryError
        If the area is empty or invalid, or a filter is invalid.
    SourceError
        If the source cannot answer.

    Warns
    -----
    OutsideData
        If a part of the area lies in countries without stations in the source.

    Examples
    --------
    >>> import ocm_geo as ocm
    >>> import shapely
    >>> area = shapely.box(4.7, 52.3, 5.1, 52.5)
    >>> found = ocm.stations_from_polygon(area, source=ocm.sample())
    >>> bool(found.within(area).all())
    True
    """
    return ask_source(Area(polygon), source, filters)


@show_filters(without=("countries",))
def stations_from_country(
    country: str | int,
    *,
    source: SourceLike | None = None,
    **filters: Unpack[StationFilters],
) -> gpd.GeoDataFrame:
    """
    Return the charging stations that Open Charge Map assigns to a country.

    A few stations have a wrong country; use `stations_from_polygon` if that matters.

    Parameters
    ----------
    country : str or int
        ISO 3166 code of two or three letters, common name, or id of Open Charge Map.
    source : Source, path, "sample" or "api", optional
        As for `stations`.
    **filters : StationFilters
        Filters of the stations.

    Returns
    -------
    geopandas.GeoDataFrame
        Stations by ``ocm_id``.

    Raises
    ------
    QueryError
        If the country is missing, or the country or a filter is unknown.
    SourceError
        If the source cannot answer.

    Warns
    -----
    OutsideData
        If the source has no stations of the country.

    Examples
    --------
    >>> import ocm_geo as ocm
    >>> found = ocm.stations_from_country("NL", source=ocm.sample())
    >>> sorted(found["country_code"].unique())
    ['NL']
    """
    if filters.get("countries") is not None:
        raise QueryError("pass the country once; stations(countries=[…]) takes several")
    if is_missing(country) or country == "":
        raise QueryError(
            f"country must be a code, a name or an id, not {short_form(country)}. pandas reads "
            "the code NA of Namibia as missing unless keep_default_na=False"
        )
    return ask_source(Everywhere(), source, {**filters, "countries": country})


@show_filters()
def stations_from_route(
    route: shapely.LineString | gpd.GeoDataFrame | gpd.GeoSeries,
    within_km: float = 5,
    *,
    source: SourceLike | None = None,
    **filters: Unpack[StationFilters],
) -> gpd.GeoDataFrame:
    """
    Return the charging stations along a route, with their kilometre marks.

    Parameters
    ----------
    route : shapely.LineString, GeoSeries or GeoDataFrame
        The route in lon/lat, or a one-row series or frame with a coordinate reference system.
        Its edges are geodesics.
    within_km : float
        Maximum geodesic distance from the route, inclusive, in km.
    source : Source, path, "sample" or "api", optional
        As for `stations`.
    **filters : StationFilters
        Filters of the stations.

    Returns
    -------
    geopandas.GeoDataFrame
        Stations by ``along_km``, with ``along_km`` (km from the start), ``offset_km`` (distance
        from the route) and ``side`` (``left``, ``right``, ``on``).

    Raises
    ------
    RouteError
        If the geometry is not a route.
    QueryError
        If the distance or a filter is invalid.
    SourceError
        If the source cannot answer.

    Warns
    -----
    OutsideData
        If a part of the route lies in countries without stations in the source.

    Examples
    --------
    >>> import ocm_geo as ocm
    >>> along = ocm.stations_from_route(ocm.sample_route(), 2, source=ocm.sample())
    >>> bool((along["offset_km"] <= 2).all())
    True
    """
    return ask_source(Corridor(route, within_km), source, filters)


@show_filters()
def stations_from_ids(
    ids: Iterable[int] | Iterable[str] | int | str,
    *,
    source: SourceLike | None = None,
    **filters: Unpack[StationFilters],
) -> gpd.GeoDataFrame:
    """
    Return charging stations by their ids in Open Charge Map.

    Parameters
    ----------
    ids : iterable of int or str
        OCM ids, or those of a register whose mirror is asked; those
        that do not exist, or are not published, are not in the answer.
    source : Source, path, "sample" or "api", optional
        As for `stations`.
    **filters : StationFilters
        Filters of the stations.

    Returns
    -------
    geopandas.GeoDataFrame
        Stations by ``ocm_id``.

    Raises
    ------
    QueryError
        If an id is not a positive whole number, or a filter is invalid.
    SourceError
        If the source cannot answer.

    Warns
    -----
    OutsideData
        If the source has no published station with some of the ids.

    Examples
    --------
    >>> import ocm_geo as ocm
    >>> first = ocm.stations(source=ocm.sample()).index[:3]
    >>> len(ocm.stations_from_ids(first, source=ocm.sample()))
    3
    """
    chosen = resolve_source(source)
    where = Ids(ids, are_texts=getattr(chosen, "has_text_ids", False))  # type: ignore[arg-type]
    return ask_source(where, chosen, filters)
