"""What chords say about geodesics, against pyproj."""

from __future__ import annotations

import numpy as np
import pytest
from pyproj import Geod, Transformer

from ocm_geo.geodesy.distance import (
    chord_range_km,
    distance_km,
    short_distance_km,
    spread_km,
    to_ecef_km,
)
from ocm_geo.geodesy.places import Places, are_within_km

GEOD = Geod(ellps="WGS84")


def pairs(km: float, n: int = 20_000) -> tuple[Places, Places]:
    """Places all over the Earth, this far apart; a tenth of them by the poles."""
    rng = np.random.default_rng(7)
    lon, lat = rng.uniform(-180, 180, n), np.degrees(np.arcsin(rng.uniform(-1, 1, n)))
    lat[: n // 10] = np.sign(lat[: n // 10]) * (90 - 10 ** rng.uniform(-6, 1, n // 10))
    there = GEOD.fwd(lon, lat, rng.uniform(0, 360, n), np.full(n, km * 1000))
    return Places.of(lon, lat), Places.of(there[0], there[1])


def test_earth_centred_coordinates_agree_with_pyproj() -> None:
    to_space = Transformer.from_crs("EPSG:4979", "EPSG:4978", always_xy=True)
    lon, lat = np.meshgrid(np.arange(-180, 181, 30.0), np.arange(-90, 91, 15.0))
    expected = np.stack(to_space.transform(lon, lat, np.zeros(lon.shape)), axis=-1) / 1000
    assert np.abs(to_ecef_km(lon, lat) - expected).max() < 1e-9


@pytest.mark.parametrize(("km", "off_mm"), [(0.01, 1e-4), (5, 1e-4), (50, 1e-4), (300, 0.07)])
def test_the_closed_form_of_short_geodesics(km: float, off_mm: float) -> None:
    here, there = pairs(km)
    found = short_distance_km(here.chord_to(there), here.xyz[:, 2], there.xyz[:, 2])
    assert np.max(np.abs(found - km)) < off_mm * 1e-6


@pytest.mark.parametrize("km", [0.001, 1, 100, 1000, 5000, 9999, 15_000, 19_800, 19_950])
def test_chords_lie_in_their_range(km: float) -> None:
    here, there = pairs(km, 5000)
    chord = here.chord_to(there)
    shortest, longest = chord_range_km(km)
    # Near the antipode there may be a shorter way round.
    chord = chord[np.abs(here.km_to(there) - km) < 1e-6]
    assert shortest <= np.min(chord)
    assert np.max(chord) <= longest


@pytest.mark.parametrize("chord", [0.1, 5.0, 300.0, 3000.0, 6999.0, 7001.0, 12_600.0])
def test_the_spread_covers_the_largest_and_smallest_curvature(chord: float) -> None:
    # b² / a and a² / b of WGS84.
    radius = np.array([6335.439327, 6399.593626])
    longest, shortest = 2 * radius * np.arcsin(chord / (2 * radius))
    spread = spread_km(np.array([chord]))[0]
    difference = longest - shortest
    assert difference * (1 - 1e-6) <= spread < 1.5 * difference + 3e-9


def test_the_longest_chords_decide_nothing() -> None:
    assert np.isinf(spread_km(np.array([12_700.0]))).all()


def test_pairs_on_the_threshold_are_decided_by_the_geodesic() -> None:
    for km in (0.001, 5.0, 250.0, 4000.0):
        here, there = pairs(km, 2000)
        exact = distance_km(*here.lonlat.T, *there.lonlat.T)
        assert (are_within_km(here, there, km) == (exact <= km)).all()
        assert 0 < are_within_km(here, there, km).sum() < 2000
