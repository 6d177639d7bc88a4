from __future__ import annotations

import numpy as np
import pytest
from pyproj import Geod

from ocm_geo.errors import QueryError
from ocm_geo.geodesy import PointIndex

GEOD = Geod(ellps="WGS84")
EVERYWHERE = PointIndex([180, -180, 179, -179, 0, 10], [0, 0, 0, 0, 0, 0])


@pytest.mark.parametrize(
    ("box", "expected"),
    [
        ((-1, -1, 11, 1), [4, 5]),
        ((0, 0, 10, 0), [4, 5]),
        ((179, -1, -179, 1), [0, 1, 2, 3]),
        ((179, -1, 181, 1), [0, 1, 2, 3]),
        ((-181, -1, -179, 1), [0, 1, 2, 3]),
        ((180, -1, 185, 1), [0, 1, 3]),
        ((-180, -1, -179, 1), [0, 1, 3]),
        ((179, -1, 180, 1), [0, 1, 2]),
        ((-180, -1, 180, 1), [0, 1, 2, 3, 4, 5]),
        ((-500, -1, 500, 1), [0, 1, 2, 3, 4, 5]),
        ((5, -1, -5, 1), [0, 1, 2, 3, 5]),
        ((0, 1, 10, 2), []),
    ],
)
def test_boxes(box: tuple[float, float, float, float], expected: list[int]) -> None:
    assert EVERYWHERE.in_box(*box).tolist() == expected


def test_longitudes_beyond_180_are_the_same_places() -> None:
    index = PointIndex([190.0, -170.0], [0.0, 0.0])
    assert index.in_box(-171, -1, -169, 1).tolist() == [0, 1]
    assert index.within_km(-170, 0, 1).tolist() == [0, 1]


@pytest.mark.parametrize("km", [1e-6, 5, 300, 9_000, 15_000, 19_899, 19_950, 20_004])
@pytest.mark.parametrize("centre", [(5, 52), (0, 90), (180, -70)])
def test_circles_of_every_size(centre: tuple[float, float], km: float) -> None:
    rng = np.random.default_rng(2)
    lon, lat = rng.uniform(-180, 180, 3000), np.degrees(np.arcsin(rng.uniform(-1, 1, 3000)))
    exact = GEOD.inv(np.full(3000, centre[0]), np.full(3000, centre[1]), lon, lat)[2]
    expected = np.flatnonzero(np.asarray(exact) <= km * 1000)
    assert PointIndex(lon, lat).within_km(*centre, km).tolist() == expected.tolist()


def test_a_negative_radius_holds_nothing() -> None:
    assert EVERYWHERE.within_km(0, 0, -1).tolist() == []
    assert EVERYWHERE.within_km(0, 0, 0).tolist() == [4]


def test_fewer_places_than_asked_for() -> None:
    position, km = PointIndex([0, 1], [0, 0]).nearest([0.1], [0], k=3)
    assert position.tolist() == [[0, 1, -1]]
    assert np.isinf(km[0, 2])
    none, never = PointIndex([], []).nearest([0, 1], [0, 1], k=2)
    assert (none == -1).all()
    assert np.isinf(never).all()


def test_no_points_have_no_nearest() -> None:
    position, km = EVERYWHERE.nearest([], [], k=2)
    assert position.shape == km.shape == (0, 2)


def test_many_places_at_one_position_come_in_their_order() -> None:
    index = PointIndex([5.0] * 7 + [6.0], [52.0] * 7 + [52.0])
    assert index.nearest([5.1, 5.9], [52, 52], k=3)[0].tolist() == [[0, 1, 2], [7, 0, 1]]


def test_the_limit_is_included_and_decided_by_the_geodesic() -> None:
    lon, lat, _ = GEOD.fwd(np.zeros(8), np.full(8, 60.0), np.arange(8) * 45.0, np.full(8, 5000.0))
    index, exact = PointIndex([0], [60]), GEOD.inv(lon, lat, np.zeros(8), np.full(8, 60.0))[2]
    found = index.nearest(lon, lat, max_km=5)[0][:, 0]
    assert found.tolist() == np.where(np.asarray(exact) <= 5000, 0, -1).tolist()


def test_the_longer_chord_may_be_the_shorter_way() -> None:
    # From the north pole along meridians curvature falls; at the equator eastward it is least.
    index = PointIndex([0.0, 60.0], [60.0, 0.0])
    exact = GEOD.inv([0.0] * 2, [0.0] * 2, [0.0, 60.0], [60.0, 0.0])[2]
    position, km = index.nearest([0], [0], k=2)
    assert position[0].tolist() == np.argsort(exact).tolist()
    assert km[0] == pytest.approx(np.sort(exact) / 1000, abs=1e-6)


def test_wrong_positions_say_which() -> None:
    with pytest.raises(QueryError, match=r"position 1 .*nan"):
        PointIndex([0, np.nan], [0, 0])
    with pytest.raises(QueryError, match="latitudes between"):
        EVERYWHERE.nearest([0], [91])
    with pytest.raises(QueryError, match="equal length"):
        PointIndex([0, 1], [0])
    with pytest.raises(QueryError, match="k must be"):
        EVERYWHERE.nearest([0], [0], k=0)
