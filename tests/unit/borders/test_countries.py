"""The bundled borders: codes, and which country claims a position."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

import ocm_geo as ocm
from ocm_geo.borders import (
    BORDER_KM,
    are_within_reach,
    countries,
    find_countries,
    rows_of_codes,
    rows_reaching,
    territory,
)
from ocm_geo.geodesy import Line, circle

PLACES = {
    "Amsterdam": (4.9, 52.37, "NL"),
    "Schiermonnikoog": (6.2, 53.49, "NL"),
    "Borkum": (6.67, 53.585, "DE"),
    "Helgoland": (7.89, 54.18, "DE"),
    "Rønne, Bornholm": (14.7, 55.1, "DK"),
    "Andorra la Vella": (1.52, 42.5, "AD"),
    "Vaduz": (9.52, 47.14, "LI"),
    "Monaco": (7.42, 43.738, "MC"),
    "Luxembourg": (6.13, 49.61, "LU"),
    "Valletta": (14.51, 35.9, "MT"),
    "San Marino": (12.46, 43.94, "SM"),
    "Gibraltar": (-5.35, 36.14, "GI"),
    "Ceuta": (-5.32, 35.89, "ES"),
    "Melilla": (-2.94, 35.29, "ES"),
    "Büsingen": (8.69, 47.70, "DE"),
    "Saint-Denis, Réunion": (55.45, -20.9, "RE"),
    "Fort-de-France": (-61.06, 14.62, "MQ"),
    "Pointe-à-Pitre": (-61.53, 16.24, "GP"),
    "Cayenne": (-52.33, 4.93, "GF"),
    "Mamoudzou": (45.22, -12.78, "YT"),
    "Kralendijk, Bonaire": (-68.27, 12.15, "BQ"),
    "Longyearbyen": (15.63, 78.22, "SJ"),
    "Pristina": (21.16, 42.66, "XK"),
    "Kyrenia, Northern Cyprus": (33.32, 35.33, "CY"),
    "Hargeisa, Somaliland": (44.06, 9.56, "SO"),
    "Simferopol": (34.1, 44.95, "UA"),
    "San Juan, Puerto Rico": (-66.1, 18.45, "PR"),
    "Hong Kong": (114.17, 22.32, "HK"),
    "Suva": (178.44, -18.14, "FJ"),
}


@pytest.mark.parametrize("place", PLACES)
def test_the_country_of_a_place(place: str) -> None:
    lon, lat, code = PLACES[place]
    (row,) = find_countries(np.array([lon]), np.array([lat]))
    assert row >= 0
    assert countries()["code"].iloc[row] == code


def test_the_open_sea_belongs_to_nobody() -> None:
    found = find_countries(np.array([3.0, -40.0, 180.0]), np.array([54.5, 30.0, 0.0]))
    assert found.tolist() == [-1, -1, -1]


def test_every_code_is_one_of_open_charge_map() -> None:
    known = set(ocm.reference_data(ocm.sample()).countries["iso_code"])
    table = countries()
    assert set(table["code"]) <= known
    assert {code for codes in table["also"] for code in codes.split()} <= known
    assert set(table["state"]) - {""} <= known
    assert table.geometry.is_valid.all()


def test_cells_find_what_the_outlines_say() -> None:
    rng = np.random.default_rng(3)
    lon, lat = rng.uniform(-180, 180, 60_000), rng.uniform(-60, 80, 60_000)
    found = find_countries(lon, lat)
    tree = shapely.STRtree(shapely.points(lon, lat))
    country, point = tree.query(countries().geometry.to_numpy(), predicate="intersects")
    assert len(point) > 15_000
    np.testing.assert_array_equal(found[point], country)
    _, near = tree.query(countries()["reach"].to_numpy(), predicate="intersects")
    assert set(np.flatnonzero(found >= 0)) == set(near) | set(point)


def test_a_country_reaches_some_km_beyond_its_border() -> None:
    land = countries()
    row = int(np.flatnonzero(land["code"] == "NL")[0])
    edges = [
        Line(shapely.get_coordinates(ring))
        for ring in shapely.get_rings(shapely.get_parts(land.geometry.iloc[row]))
    ]
    rng = np.random.default_rng(0)
    lon, lat = rng.uniform(2.9, 7.8, 3000), rng.uniform(50.4, 53.9, 3000)
    outside = ~shapely.intersects_xy(land.geometry.iloc[row], lon, lat)
    lon, lat = lon[outside], lat[outside]
    away = np.min([edge.locate(lon, lat).offset_km for edge in edges], axis=0)
    reached = are_within_reach(np.array([row]), lon, lat)
    assert reached[away < BORDER_KM - 1].all()
    assert not reached[away > BORDER_KM + 1].any()


def test_territories_are_the_land_and_the_sea_near_it() -> None:
    land = countries()
    row = int(np.flatnonzero(land["code"] == "BE")[0])
    claim = territory(row)
    assert shapely.area(shapely.difference(land.geometry.iloc[row], claim)) < 1e-6
    others = land.geometry[land["code"].isin(["NL", "FR", "DE", "LU"])].union_all()
    assert shapely.area(shapely.intersection(claim, others)) < 1e-3
    off_ostend = shapely.Point(2.88, 51.26)
    assert not land.geometry.iloc[row].covers(off_ostend)
    assert claim.covers(off_ostend)


def test_codes_of_disputed_places_are_those_of_either() -> None:
    land = countries()
    assert rows_of_codes(["RS"])[(land["code"] == "XK").to_numpy()].all()
    assert not rows_of_codes(["FR"])[(land["code"] == "RE").to_numpy()].any()
    assert rows_of_codes([]).sum() == 0


def test_what_reaches_shapes() -> None:
    land = countries()
    shapes = np.array([circle(6.0, 50.77, 10.0), circle(5.0, 52.3, 10.0)], dtype=object)
    rows, position = rows_reaching(shapes, np.flatnonzero(land["code"].isin(["BE", "DE", "NL"])))
    found = {(land["code"].iloc[r], int(p)) for r, p in zip(rows, position, strict=True)}
    assert found == {("BE", 0), ("DE", 0), ("NL", 0), ("NL", 1)}
