"""The outline of many discs against the union of each with each."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from ocm_geo.coverage.reach import reach_polygons, union_of_circles
from ocm_geo.geodesy import area_km2, distance_km


def centres(seed: int) -> tuple[np.ndarray, np.ndarray, float]:
    """Make places anywhere, on round coordinates, or on a lattice where circles meet in points."""
    rng = np.random.default_rng(seed)
    n, km = int(rng.integers(1, 300)), float(rng.choice([0.3, 1, 5, 20, 90]))
    span = km / 111 * rng.choice([2, 6, 15, 40])
    lon, lat = rng.uniform(0, span, n) / 0.7, 45 + rng.uniform(-span / 2, span / 2, n)
    if seed % 3 == 1:
        lon, lat = np.round(lon, 2), np.round(lat, 2)
    if seed % 3 == 2:
        cell = km * rng.choice([0.5, np.sqrt(0.5), 1, 1.5]) / 111
        lon, lat = np.round(lon / cell) * cell, np.round(lat / cell) * cell
    lon = (lon + rng.uniform(-180, 180) + 180) % 360 - 180
    lon, lat = np.unique(np.column_stack([lon, lat]), axis=0).T
    return lon, lat, km


@pytest.mark.parametrize("seed", range(45))
def test_the_outline_holds_the_ground_of_the_union(seed: int) -> None:
    lon, lat, km = centres(seed)
    ours, theirs = union_of_circles(lon, lat, km), shapely.union_all(reach_polygons(lon, lat, km))
    assert shapely.is_valid(ours)
    apart = area_km2(shapely.symmetric_difference(ours, theirs))
    assert apart < 3e-5 * area_km2(theirs)


@pytest.mark.parametrize("seed", range(12))
def test_every_corner_is_at_the_distance_and_none_nearer(seed: int) -> None:
    lon, lat, km = centres(seed)
    x, y = shapely.get_coordinates(union_of_circles(lon, lat, km)).T
    corner = np.abs(np.abs(x) - 180) > 1e-9
    corners = zip(x[corner].tolist(), y[corner].tolist(), strict=True)
    away = np.array([np.min(distance_km(one, two, lon, lat)) for one, two in corners])
    assert np.abs(away / km - 1).max() < 5e-4


@pytest.mark.parametrize("lat", [89.0, -89.5, 60.0])
def test_discs_round_a_pole_and_over_the_antimeridian(lat: float) -> None:
    lon = np.arange(-180.0, 180, 5)
    ours = union_of_circles(lon, np.full(len(lon), lat), 300)
    theirs = shapely.union_all(reach_polygons(lon, np.full(len(lon), lat), 300))
    assert area_km2(ours) == pytest.approx(area_km2(theirs), rel=1e-4)
    ring = union_of_circles(lon, np.full(len(lon), lat), 90)
    assert area_km2(ring) == pytest.approx(
        area_km2(shapely.union_all(reach_polygons(lon, np.full(len(lon), lat), 90))), rel=1e-4
    )


def test_no_discs_have_no_ground() -> None:
    assert union_of_circles(np.empty(0), np.empty(0), 5).is_empty


@pytest.mark.parametrize("decimals", [6, 7, 8, 10, 14])
@pytest.mark.parametrize("seed", range(6))
def test_places_within_a_hair_of_each_other_are_one(decimals: int, seed: int) -> None:
    # What a change of projection makes of two stations at one address.
    rng = np.random.default_rng(seed)
    places = rng.uniform(-0.1, 0.1, (20, 1, 2)) + rng.integers(-4, 5, (20, 4, 2)) / 10**decimals
    lon, lat = np.add(places.reshape(-1, 2), (5, 52)).T
    ours, theirs = union_of_circles(lon, lat, 1), shapely.union_all(reach_polygons(lon, lat, 1))
    assert shapely.is_valid(ours)
    assert area_km2(shapely.symmetric_difference(ours, theirs)) < 1e-4 * area_km2(theirs)


def test_both_names_of_the_antimeridian_are_one_place() -> None:
    ours = union_of_circles(np.array([180.0, -180.0]), np.array([10.0, 10.0]), 5)
    assert shapely.is_valid(ours)
    assert area_km2(ours) == pytest.approx(np.pi * 25, rel=1e-4)
