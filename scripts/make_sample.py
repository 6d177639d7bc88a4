"""Make the bundled sample: about 1,500 invented charging stations, with all the dirt of real data.

    SOURCE_DATE_EPOCH=1767225600 python scripts/make_sample.py

The cities are real and stand at rounded positions; every station, operator, number of people and
date is invented, and every title says so. The same seed gives the same stations.
"""

from __future__ import annotations

import datetime as dt
import json
import shutil
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import shapely

from ocm_geo.borders import countries
from ocm_geo.reference import from_json
from ocm_geo.sources.build import build_snapshot

FOLDER = Path(__file__).parents[1] / "ocm_geo" / "sources" / "data"
SEED = 20260101
FIRST_ID = 9_000_001
TODAY = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
STUDY_AREA = shapely.box(3.5, 50.5, 8.2, 53.4)
NL, BE, DE = 159, 26, 87
ISO = {NL: "NL", BE: "BE", DE: "DE"}
HEXAGON_DEGREES = 0.07
"""Side of the hexagons that the regions are made of, degrees of latitude (7.8 km)."""
SLIVER_DEGREES2 = 5e-4
"""Smallest part of a region that is kept (about 4 km²)."""


class City(NamedTuple):
    """A real city at a rounded position; ``size`` is how many invented sites it gets."""

    name: str
    lon: float
    lat: float
    country_id: int
    size: int


CITIES = [
    City("Amsterdam", 4.90, 52.37, NL, 150),
    City("Rotterdam", 4.48, 51.92, NL, 120),
    City("The Hague", 4.30, 52.08, NL, 80),
    City("Utrecht", 5.12, 52.09, NL, 90),
    City("Eindhoven", 5.48, 51.44, NL, 60),
    City("Groningen", 6.57, 53.22, NL, 40),
    City("Arnhem", 5.91, 51.98, NL, 40),
    City("Zwolle", 6.09, 52.51, NL, 25),
    City("Enschede", 6.89, 52.22, NL, 25),
    City("Maastricht", 5.69, 50.85, NL, 25),
    City("Breda", 4.78, 51.59, NL, 30),
    City("Leeuwarden", 5.80, 53.20, NL, 15),
    City("Middelburg", 3.61, 51.50, NL, 10),
    City("Antwerp", 4.40, 51.22, BE, 70),
    City("Brussels", 4.35, 50.85, BE, 80),
    City("Ghent", 3.72, 51.05, BE, 35),
    City("Liège", 5.57, 50.63, BE, 25),
    City("Cologne", 6.96, 50.94, DE, 80),
    City("Düsseldorf", 6.78, 51.23, DE, 60),
    City("Dortmund", 7.47, 51.51, DE, 50),
    City("Münster", 7.63, 51.96, DE, 25),
    City("Osnabrück", 8.05, 52.28, DE, 20),
]
# The example route runs from Amsterdam to Cologne over these places; the fast chargers along it
# leave a gap of more than 60 km between Utrecht and the Ruhr.
ROUTE_PLACES = [
    (4.90, 52.37), (4.96, 52.28), (5.02, 52.17), (5.12, 52.09), (5.25, 52.05), (5.45, 52.04),
    (5.63, 52.03), (5.78, 52.01), (5.91, 51.98), (6.05, 51.94), (6.20, 51.88), (6.38, 51.80),
    (6.53, 51.70), (6.68, 51.60), (6.80, 51.50), (6.83, 51.40), (6.85, 51.30), (6.90, 51.20),
    (6.94, 51.10), (7.00, 51.02), (6.96, 50.94),
]  # fmt: skip
FAST_KM = [9, 21, 38, 44, 141, 152, 168, 189, 203, 221, 236]
ROADS = [
    ("Amsterdam", "Groningen"),
    ("Rotterdam", "Antwerp"),
    ("Antwerp", "Brussels"),
    ("Utrecht", "Eindhoven"),
    ("Eindhoven", "Maastricht"),
    ("Ghent", "Antwerp"),
    ("Zwolle", "Enschede"),
    ("Dortmund", "Münster"),
]
OPERATORS = {990_001 + i: f"Invented Operator {letter}" for i, letter in enumerate("ABCDEFGH")}
CREDIT = "Invented stations, for demonstration only (ocm_geo sample)"
PROVIDERS = [
    {
        "ID": 990_101,
        "Title": "Invented Contributors",
        "License": "CC0: invented for ocm_geo",
        "IsOpenDataLicensed": True,
    },
    {"ID": 990_102, "Title": "Invented Import"},
]
HOSTILE = [
    "<script>alert('x')</script>",
    "<img src=x onerror=alert(1)>",
    '"quoted" & <b>bold</b>',
    '=HYPERLINK("http://example.invalid")',
    "\u202eright to left\u202c \N{ELECTRIC PLUG}",
    "$\\frac{a}{b}$ percent % and $",
]


def make_stations() -> list[dict[str, Any]]:
    """
    Invent the stations.

    Returns
    -------
    list of dict
        Records in the shape of the API, compact, nulls left out.
    """
    rng = np.random.default_rng(SEED)
    places = [*_urban(rng), *_on_route(), *_on_roads(rng), *_rural(rng)]
    stations = [_station(rng, i, place) for i, place in enumerate(places)]
    _spoil(rng, stations)
    return stations


def _urban(rng: np.random.Generator) -> list[tuple[float, float, City, str]]:
    places = []
    for city in CITIES:
        spread = 0.015 + 0.0003 * city.size
        for _ in range(city.size):
            lon = city.lon + rng.normal(0, spread * 1.6)
            places.append((lon, city.lat + rng.normal(0, spread), city, "urban"))
    return places


def _on_route() -> list[tuple[float, float, City, str]]:
    from ocm_geo.geodesy import Line  # noqa: PLC0415 - only here

    line = Line(make_route())
    points = line.point_at(FAST_KM)
    return [
        (lon + 0.004, lat + 0.003, _find_nearest_city(lon, lat, CITIES), "fast")
        for lon, lat in points
    ]


def _on_roads(rng: np.random.Generator) -> list[tuple[float, float, City, str]]:
    named = {city.name: city for city in CITIES}
    places = []
    for start, end in ROADS:
        a, b = named[start], named[end]
        for share in np.sort(rng.uniform(0.1, 0.9, 5)):
            lon, lat = a.lon + share * (b.lon - a.lon), a.lat + share * (b.lat - a.lat)
            places.append(
                (lon + rng.normal(0, 0.01), lat, _find_nearest_city(lon, lat, CITIES), "fast")
            )
    return places


def _rural(rng: np.random.Generator) -> list[tuple[float, float, City, str]]:
    west, south, east, north = STUDY_AREA.bounds
    points = rng.uniform((west, south), (east, north), (260, 2))
    # North-west of this line lies the sea.
    dry = points[(points[:, 1] - 51.3) < (points[:, 0] - 3.4) * 1.55]
    return [(lon, lat, _find_nearest_city(lon, lat, CITIES), "rural") for lon, lat in dry]


def _find_nearest_city(lon: float, lat: float, cities: list[City]) -> City:
    return min(cities, key=lambda c: (c.lon - lon) ** 2 * 0.38 + (c.lat - lat) ** 2)


def _station(
    rng: np.random.Generator, number: int, place: tuple[float, float, City, str]
) -> dict[str, Any]:
    lon, lat, city, kind = place
    created = TODAY - dt.timedelta(minutes=int(rng.integers(60 * 24, 60 * 24 * 365 * 10)))
    age = (TODAY - created).total_seconds() / 60
    updated = created + dt.timedelta(minutes=int(rng.uniform(0, age)))
    plugs = _fast_plugs(rng) if kind == "fast" else _slow_plugs(rng)
    for rank, plug in enumerate(plugs):
        plug["ID"] = 10 * (FIRST_ID + number) + rank
    return {
        "ID": FIRST_ID + number,
        "UUID": f"00000000-0000-4000-8000-{FIRST_ID + number:012d}",
        "DataProviderID": int(rng.choice([990_101, 990_102], p=[0.9, 0.1])),
        "OperatorID": int(rng.choice(list(OPERATORS), p=_shares(len(OPERATORS)))),
        "UsageTypeID": int(rng.choice([1, 4, 5, 6, 7], p=[0.35, 0.4, 0.15, 0.05, 0.05])),
        "StatusTypeID": int(rng.choice([50, 75, 100, 150, 30], p=[0.92, 0.02, 0.03, 0.02, 0.01])),
        "SubmissionStatusTypeID": 200,
        "NumberOfPoints": sum(plug.get("Quantity", 1) for plug in plugs),
        "DateCreated": _time(created),
        "DateLastStatusUpdate": _time(updated),
        "DataQualityLevel": 1,
        "AddressInfo": {
            "ID": FIRST_ID + number,
            "Title": f"Invented station {number + 1:04d}, {city.name}",
            "AddressLine1": f"Invented street {int(rng.integers(1, 200))}",
            "Town": city.name,
            "CountryID": city.country_id,
            "Latitude": round(float(lat), 6),
            "Longitude": round(float(lon), 6),
        },
        "Connections": plugs,
    }


def _shares(n: int) -> list[float]:
    weights = 1 / np.arange(1, n + 1)
    return (weights / weights.sum()).tolist()  # type: ignore[no-any-return]


def _time(value: dt.datetime) -> str:
    return value.strftime("%Y-%m-%dT%H:%M:00Z")


def _slow_plugs(rng: np.random.Generator) -> list[dict[str, Any]]:
    power = float(rng.choice([3.7, 7.4, 11.0, 22.0, 50.0], p=[0.05, 0.1, 0.5, 0.3, 0.05]))
    if power >= 50:  # noqa: PLR2004 - direct current from here on
        return [_plug(33, 30, power, 1), _plug(2, 30, power, 1)]
    return [_plug(25, 20 if power >= 11 else 10, power, int(rng.choice([1, 2, 4])))]  # noqa: PLR2004


def _fast_plugs(rng: np.random.Generator) -> list[dict[str, Any]]:
    power = float(rng.choice([50.0, 150.0, 175.0, 300.0, 350.0], p=[0.1, 0.3, 0.2, 0.3, 0.1]))
    plugs = [_plug(33, 30, power, int(rng.choice([2, 4, 6, 8])))]
    return [*plugs, _plug(2, 30, 50.0, 1)] if rng.random() < 0.4 else plugs  # noqa: PLR2004


def _plug(kind: int, current: int, power: float, quantity: int) -> dict[str, Any]:
    level = 3 if current == 30 else 2  # noqa: PLR2004 - direct current
    return {
        "ConnectionTypeID": kind,
        "CurrentTypeID": current,
        "LevelID": level,
        "PowerKW": power,
        "Quantity": quantity,
        "StatusTypeID": 50,
    }


def _spoil(rng: np.random.Generator, stations: list[dict[str, Any]]) -> None:
    """Put the dirt of real data in, each kind at known, distinct stations; see DIRT."""
    urban = stations[: sum(city.size for city in CITIES)]
    order = rng.permutation(len(urban))
    start = 0
    for kind, count in DIRT.items():
        for rank, position in enumerate(order[start : start + count]):
            _SPOILERS[kind](urban[position], rank)
        start += count
    for rank in range(N_NEAR_DOUBLES):
        stations.append(_near_double(urban[order[start + rank]], len(stations)))


DIRT = {
    "power missing": 60,
    "power from amps and volts only": 30,
    "power as the formula gives it": 30,
    "power estimated by an import": 40,
    "quantity missing": 80,
    "points missing": 80,
    "usage missing": 80,
    "status missing": 40,
    "operator missing": 40,
    "stale": 60,
    "private": 30,
    "removed": 12,
    "double listing": 6,
    "not published": 12,
    "wrong country": 6,
    "at 0, 0": 2,
    "no connections": 10,
    "hostile text": len(HOSTILE),
    "web page": 40,
}
"""How many stations are spoilt in which way; no station in two."""

N_NEAR_DOUBLES = 15


def _first_plug(**values: object) -> Any:  # noqa: ANN401 - a function
    def spoil(station: dict[str, Any], _: int) -> None:
        plug = station["Connections"][0]
        plug.update(values)
        for key in [k for k, v in plug.items() if v is None]:
            del plug[key]

    return spoil


def _site(**values: object) -> Any:  # noqa: ANN401 - a function
    def spoil(station: dict[str, Any], _: int) -> None:
        station.update(values)
        for key in [k for k, v in station.items() if v is None]:
            del station[key]

    return spoil


def _without_power(station: dict[str, Any], _: int) -> None:
    for plug in station["Connections"]:
        del plug["PowerKW"]


def _moved(station: dict[str, Any], _: int) -> None:
    station["AddressInfo"].update(Latitude=0.0, Longitude=0.0)


def _abroad(station: dict[str, Any], _: int) -> None:
    station["AddressInfo"]["CountryID"] = 2  # the United States, as if an operator's seat


def _hostile(station: dict[str, Any], rank: int) -> None:
    station["AddressInfo"]["Title"] += f" {HOSTILE[rank]}"
    station["AddressInfo"]["AccessComments"] = HOSTILE[rank]
    station["AddressInfo"]["RelatedURL"] = "javascript:alert(1)"
    station["GeneralComments"] = HOSTILE[-1 - rank]


def _web_page(station: dict[str, Any], rank: int) -> None:
    station["AddressInfo"]["RelatedURL"] = f"https://example.org/invented/{rank}"
    station["UsageCost"] = "Invented: € 0.45/kWh"


_FORMULA = {"Amps": 32, "Voltage": 400, "CurrentTypeID": 20, "ConnectionTypeID": 25, "LevelID": 2}
_SPOILERS = {
    "power missing": _without_power,
    "power from amps and volts only": _first_plug(**_FORMULA, PowerKW=None),
    "power as the formula gives it": _first_plug(**_FORMULA, PowerKW=22.2),
    "power estimated by an import": _first_plug(
        PowerKW=50.0,
        Comments="kW power is an estimate based on the connection type",
        ConnectionTypeID=32,
        CurrentTypeID=30,
        LevelID=3,
    ),
    "quantity missing": _first_plug(Quantity=None),
    "points missing": _site(NumberOfPoints=None),
    "usage missing": _site(UsageTypeID=None),
    "status missing": _site(StatusTypeID=None),
    "operator missing": _site(OperatorID=None),
    "stale": _site(DateCreated="2012-05-01T10:00:00Z", DateLastStatusUpdate="2013-06-01T10:00:00Z"),
    "private": _site(UsageTypeID=2),
    "removed": _site(StatusTypeID=200),
    "double listing": _site(StatusTypeID=210),
    "not published": _site(SubmissionStatusTypeID=1000),
    "wrong country": _abroad,
    "at 0, 0": _moved,
    "no connections": _site(Connections=[]),
    "hostile text": _hostile,
    "web page": _web_page,
}


def _near_double(station: dict[str, Any], number: int) -> dict[str, Any]:
    """List a station again, some 20 m away, as an import does."""
    double = json.loads(json.dumps(station))
    double["ID"] = FIRST_ID + number
    double["UUID"] = f"00000000-0000-4000-8000-{FIRST_ID + number:012d}"
    double["AddressInfo"]["Latitude"] = round(station["AddressInfo"]["Latitude"] + 0.0002, 6)
    double["AddressInfo"]["Title"] = f"Invented station {number + 1:04d}, listed twice"
    return double  # type: ignore[no-any-return]


def make_route() -> list[tuple[float, float]]:
    """
    Make the example route: a smooth line over real places.

    Returns
    -------
    list of tuple
        Longitude and latitude.
    """
    from scipy.interpolate import CubicSpline  # noqa: PLC0415 - only here

    places = np.array(ROUTE_PLACES)
    spline = CubicSpline(np.arange(len(places)), places)
    fine = spline(np.linspace(0, len(places) - 1, 121))
    return [(round(float(lon), 5), round(float(lat), 5)) for lon, lat in fine]


def make_areas() -> dict[str, Any]:
    """
    Make the example areas: regions of hexagons about the cities, with an invented population.

    A hexagon belongs to the nearest city of its country, and regions end at coasts and at borders.

    Returns
    -------
    dict
        GeoJSON.
    """
    outlines = countries().set_index("code").geometry
    features = []
    for country, code in ISO.items():
        cities = [city for city in CITIES if city.country_id == country]
        land = outlines[code].intersection(STUDY_AREA.buffer(1, join_style="mitre"))
        hexagons = _cover_with_hexagons(land)
        middles = [hexagon.centroid for hexagon in hexagons]
        owners = np.array([_find_nearest_city(point.x, point.y, cities).name for point in middles])
        for city in cities:
            region = shapely.union_all(hexagons[owners == city.name]).intersection(land)
            features.append(_make_region(city, region))
    return {"type": "FeatureCollection", "features": features}


def _cover_with_hexagons(land: shapely.Geometry) -> Any:  # noqa: ANN401 - an array of polygons
    """Return the hexagons of the study area that touch the land, without overlap."""
    stretch = 1 / np.cos(np.radians(52))
    step = HEXAGON_DEGREES / 2
    # Every corner is a whole number of steps from one origin, so that neighbours share it exactly.
    corners = np.array([(2, 0), (1, 1), (-1, 1), (-2, 0), (-1, -1), (1, -1)])
    west, south, east, north = STUDY_AREA.bounds
    n_x = int((east - west) / (3 * step * stretch)) + 1
    n_y = int((north - south) / (2 * step * np.sqrt(3))) + 1
    middles = np.array([(3 * i, 2 * j + i % 2) for i in range(n_x) for j in range(n_y)])
    counts = middles[:, None] + corners
    scale = (step * stretch, step * np.sqrt(3))
    made = shapely.polygons(np.round((west, south) + counts * scale, 5))
    return made[shapely.intersects(made, land)]


def _make_region(city: City, region: shapely.Geometry) -> dict[str, Any]:
    """Return a region as a feature, without the slivers that a coast cuts from a hexagon."""
    parts = shapely.get_parts(shapely.set_precision(region, 1e-4))
    large = shapely.multipolygons([part for part in parts if part.area > SLIVER_DEGREES2])
    shape = large.geoms[0] if len(large.geoms) == 1 else large
    facts = {"name": f"Region of {city.name}", "population": 8000 * city.size}
    geometry = json.loads(shapely.to_geojson(shape))
    return {"type": "Feature", "properties": facts, "geometry": geometry}


def write_areas() -> None:
    """Write the areas into the package."""
    text = json.dumps(make_areas(), ensure_ascii=False)
    (FOLDER / "areas.geojson").write_text(text + "\n", encoding="utf-8")


def main() -> None:
    """Write the sample into the package."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    operators = [{"ID": i, "Title": title} for i, title in OPERATORS.items()]
    document = json.dumps({"Operators": operators, "DataProviders": PROVIDERS}).encode()
    reference = from_json(document, origin="invented sample", date="2026-01-01")
    with tempfile.TemporaryDirectory() as scratch:
        lines = Path(scratch) / "sample.jsonl"
        text = "".join(json.dumps(s, ensure_ascii=False) + "\n" for s in make_stations())
        lines.write_text(text, encoding="utf-8")
        build_snapshot(FOLDER / "sample", lines, reference=reference, attribution=CREDIT)
    (FOLDER / "sample" / ".lock").unlink()
    write_areas()
    (FOLDER / "route.json").write_text(json.dumps(make_route()) + "\n", encoding="utf-8")
    facts = {"dirt": DIRT | {"near doubles": N_NEAR_DOUBLES}, "hostile": HOSTILE, "seed": SEED}
    (FOLDER / "README.json").write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
