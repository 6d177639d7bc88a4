"""Lesson 2: querying well, and how the API misleads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import geopandas as gpd
import shapely

import ocm_geo as ocm
from ocm_geo.teaching.exercise import COUNT, Exercise, Lesson, Mistake

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["LESSON"]


def solve_2a() -> int:
    """Count the stations along the route."""
    source = ocm.sample()
    along = ocm.stations_from_route(ocm.sample_route(), 5, source=source)
    return len(along)


def solve_2b() -> Any:  # noqa: ANN401 - an index
    """Find the stations about Utrecht."""
    source = ocm.sample()
    near = ocm.stations_from_point((5.12, 52.09), 4, source=source)
    return near.index


def solve_2c() -> int:
    """Count the stations with a strong CHAdeMO connection."""
    source = ocm.sample()
    found = ocm.stations(source=source, connection_types=[2], min_power_kw=50)
    return len(found)


def _count_within(distance_km: float) -> int:
    return len(ocm.stations_from_route(ocm.sample_route(), distance_km, source=ocm.sample()))


def _find_around(radius_km: float) -> pd.Index[Any]:
    """Return the stations of a circle of another size."""
    found: pd.Index[Any] = ocm.stations_from_point(
        (5.12, 52.09), radius_km, source=ocm.sample()
    ).index
    return found


def _find_in_square() -> pd.Index[Any]:
    """Return the stations of a box as wide as the circle."""
    half = 4 / 111.32
    box = (5.12 - half, 52.09 - half, 5.12 + half, 52.09 + half)
    found: pd.Index[Any] = ocm.stations_from_bbox(box, source=ocm.sample()).index
    return found


def _find_in_degrees() -> pd.Index[Any]:
    """Return the stations of a circle drawn in degrees."""
    stations = ocm.stations(source=ocm.sample())
    circle = shapely.Point(5.12, 52.09).buffer(4 / 111.32)
    found: pd.Index[Any] = stations.index[gpd.GeoSeries(stations.geometry).intersects(circle)]
    return found


def _count_any_connection() -> int:
    """Count stations whose connections meet the conditions one by one."""
    stations = ocm.stations(source=ocm.sample(), min_power_kw=150)
    table = ocm.connections(stations)
    return int(table.loc[table["connection_type_id"] == 2, "ocm_id"].nunique())


LESSON = Lesson(
    number=2,
    page="querying",
    title="Querying well, and how the API misleads",
    minutes=35,
    exercises=(
        Exercise(
            "2a",
            "How many stations lie within 5 km of the example route, on either side?",
            COUNT,
            "stations_from_route with within_km=5: the distance is that to either side.",
            solve_2a,
            (
                Mistake(
                    "your corridor is half as wide: the distance is that to either side, not "
                    "across, as in the API",
                    lambda: _count_within(2.5),
                ),
                Mistake("miles? You took 5 miles for 5 km", lambda: _count_within(5 * 1.609344)),
                Mistake("your corridor is twice as wide as asked", lambda: _count_within(10)),
                Mistake("the API sends 100 stations unless told otherwise", lambda: 100),
            ),
        ),
        Exercise(
            "2b",
            "Which stations lie within 4 km of the point 5.12, 52.09 in Utrecht? Answer with the "
            "table or with the ids.",
            "stations",
            "A point question takes (longitude, latitude) and a radius in km.",
            solve_2b,
            (
                Mistake("you took a box: its corners are farther than 4 km", _find_in_square),
                Mistake(
                    "you measured in degrees: a degree of longitude is shorter than one of "
                    "latitude",
                    _find_in_degrees,
                ),
                Mistake("miles? You took 4 miles for 4 km", lambda: _find_around(4 * 1.609344)),
            ),
        ),
        Exercise(
            "2c",
            "How many stations have a CHAdeMO connection (type 2) of at least 50 kW?",
            COUNT,
            "Ask with both filters at once: one and the same connection has to meet them.",
            solve_2c,
            (
                Mistake(
                    "you counted stations whose conditions are met by two different connections",
                    _count_any_connection,
                ),
                Mistake(
                    "you counted all stations of 50 kW, of any connection",
                    lambda: len(ocm.stations(source=ocm.sample(), min_power_kw=50)),
                ),
            ),
        ),
    ),
)
