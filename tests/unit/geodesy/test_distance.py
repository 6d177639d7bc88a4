from __future__ import annotations

import numpy as np
import pytest

from ocm_geo import geodesy
from ocm_geo.errors import QueryError


def test_distance_of_one_degree_of_the_equator() -> None:
    # 2 pi a / 360 with a = 6378.137 km.
    assert geodesy.distance_km(0, 0, 1, 0) == pytest.approx(111.31949079327358, abs=1e-9)


def test_distance_of_vincentys_test_line() -> None:
    # Flinders Peak to Buninyon, Geocentric Datum of Australia manual (GRS80 = WGS84 to 0.1 mm).
    flinders = (144 + 25 / 60 + 29.52440 / 3600, -(37 + 57 / 60 + 3.72030 / 3600))
    buninyon = (143 + 55 / 60 + 35.38390 / 3600, -(37 + 39 / 60 + 10.15610 / 3600))
    assert geodesy.distance_km(*flinders, *buninyon) == pytest.approx(54.972271, abs=1e-6)


def test_distance_broadcasts_and_takes_nothing() -> None:
    assert geodesy.distance_km(0, 0, [1, 2], [[0], [1]]).shape == (2, 2)
    assert geodesy.distance_km([], [], [], []).shape == (0,)


def test_wrap_lon_keeps_both_names_of_the_antimeridian() -> None:
    wrapped = geodesy.wrap_lon([-180, 180, 190, -190, 360, 540])
    assert wrapped.tolist() == [-180, 180, -170, 170, 0, -180]


@pytest.mark.parametrize(
    ("lon", "lat", "message"),
    [
        (52.0, 105.0, "swapped"),
        (0.0, float("nan"), "finite"),
        ("5", 0.0, "finite"),
        (600.0, 0.0, "lon=600"),
        (True, 0.0, "finite"),
    ],
)
def test_wrong_positions_say_what_is_wrong(lon: float, lat: float, message: str) -> None:
    with pytest.raises(QueryError, match=message):
        geodesy.check_lonlat(lon, lat)


def test_a_chord_is_never_longer_than_the_geodesic() -> None:
    rng = np.random.default_rng(3)
    lon, lat = rng.uniform(-180, 180, (2, 500)), rng.uniform(-90, 90, (2, 500))
    chord = np.linalg.norm(
        geodesy.to_ecef_km(lon[0], lat[0]) - geodesy.to_ecef_km(lon[1], lat[1]), axis=1
    )
    assert (chord <= geodesy.distance_km(lon[0], lat[0], lon[1], lat[1])).all()
