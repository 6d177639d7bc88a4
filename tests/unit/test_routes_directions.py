"""Answers of routing engines: shapes of all four, precision found by length, bad answers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import polyline
import pytest
import shapely
from pyproj import Geod

from ocm_geo.errors import QueryError, RouteError, SuspectInput
from ocm_geo.routes import route_from_file, route_length_km

if TYPE_CHECKING:
    from pathlib import Path

LONLAT = [(round(9.5 + i / 100, 3), round(47.1 + i % 3 / 200, 3)) for i in range(9)]
LINE = shapely.LineString(LONLAT)
METRES = float(Geod(ellps="WGS84").geometry_length(LINE))
STEPS = [LONLAT[:4], LONLAT[3:7], LONLAT[6:], LONLAT[-1:] * 2]


def encoded(lonlat: list[tuple[float, float]], precision: int) -> str:
    text: str = polyline.encode(lonlat, precision, geojson=True)
    return text


def osrm(precision: int) -> dict[str, Any]:
    steps = [{"geometry": encoded(step, precision), "distance": 1.0} for step in STEPS]
    overview = encoded([LONLAT[0], LONLAT[-1]], precision)
    route = {"geometry": overview, "distance": METRES, "legs": [{"steps": steps}]}
    return {"code": "Ok", "routes": [route], "waypoints": []}


def osrm_geojson() -> dict[str, Any]:
    steps = [{"geometry": {"type": "LineString", "coordinates": step}} for step in STEPS]
    return {"code": "Ok", "routes": [{"distance": METRES, "legs": [{"steps": steps}]}]}


def osrm_overview() -> dict[str, Any]:
    return {"code": "Ok", "routes": [{"distance": METRES, "geometry": encoded(LONLAT, 5)}]}


def valhalla(units: str, per_km: float) -> dict[str, Any]:
    legs = [{"shape": encoded(LONLAT[:4], 6)}, {"shape": encoded(LONLAT[3:], 6)}]
    length = METRES / 1000 * per_km
    return {"trip": {"legs": legs, "units": units, "summary": {"length": length}, "status": 0}}


def google() -> dict[str, Any]:
    steps = [{"polyline": {"points": encoded(step, 5)}} for step in STEPS]
    leg = {"distance": {"text": "7 km", "value": round(METRES)}, "steps": steps}
    overview = {"points": encoded([LONLAT[0], LONLAT[-1]], 5)}
    return {"status": "OK", "routes": [{"legs": [leg], "overview_polyline": overview}]}


def google_routes() -> dict[str, Any]:
    line = {"encodedPolyline": encoded(LONLAT, 5)}
    return {"routes": [{"distanceMeters": round(METRES), "polyline": line}]}


def write(folder: Path, document: object) -> Path:
    path = folder / "directions.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "document",
    [
        osrm(5),
        osrm(6),
        osrm_geojson(),
        osrm_overview(),
        valhalla("kilometers", 1),
        valhalla("miles", 1 / 1.609344),
        google(),
        google_routes(),
    ],
    ids=["osrm5", "osrm6", "geojson", "overview", "valhalla", "miles", "google", "google routes"],
)
def test_every_engine(tmp_path: Path, document: dict[str, Any]) -> None:
    assert route_from_file(write(tmp_path, document)) == LINE


def test_a_coarse_overview_is_refused(tmp_path: Path) -> None:
    document = osrm(5)
    document["routes"][0]["legs"] = []
    with pytest.raises(RouteError, match=r"printed length of 8\.\d+ km.*coarse overview"):
        route_from_file(write(tmp_path, document))


@pytest.mark.parametrize("share", [0.996, 1.004])
def test_no_precision_agrees(tmp_path: Path, share: float) -> None:
    document = osrm(6)
    document["routes"][0]["distance"] *= share
    path = write(tmp_path, document)
    with pytest.raises(RouteError, match=r"precision 5: .*precision 6: .*pass precision="):
        route_from_file(path)
    with pytest.warns(SuspectInput, match="the engine printed"):
        assert route_from_file(path, precision=6) == LINE


@pytest.mark.parametrize("share", [0.998, 1.002])
def test_a_length_within_three_per_mille_agrees(tmp_path: Path, share: float) -> None:
    document = osrm(6)
    document["routes"][0]["distance"] *= share
    assert route_from_file(write(tmp_path, document)) == LINE


def test_steps_of_mixed_precision_do_not_join(tmp_path: Path) -> None:
    document = osrm(5)
    document["routes"][0]["legs"][0]["steps"][1]["geometry"] = encoded(STEPS[1], 6)
    with pytest.raises(RouteError, match="do not join"):
        route_from_file(write(tmp_path, document))


def test_alternatives_are_chosen_by_number(tmp_path: Path) -> None:
    document = osrm(5)
    document["routes"].append(osrm_overview()["routes"][0])
    document["routes"][1]["geometry"] = encoded(LONLAT[::-1], 5)
    path = write(tmp_path, document)
    assert route_from_file(path) == LINE
    assert route_from_file(path, feature=1) == shapely.reverse(LINE)
    with pytest.raises(RouteError, match="there is no route 2"):
        route_from_file(path, feature=2)
    with pytest.raises(QueryError, match="by number"):
        route_from_file(path, feature="a = 1")


def test_alternates_of_valhalla(tmp_path: Path) -> None:
    document = valhalla("kilometers", 1)
    document["alternates"] = [{"trip": valhalla("kilometers", 1)["trip"]}]
    assert route_from_file(write(tmp_path, document), feature=1) == LINE


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ({"code": "NoRoute", "message": "Impossible", "routes": []}, "NoRoute / Impossible"),
        ({"status": "ZERO_RESULTS", "routes": []}, "ZERO_RESULTS"),
        ({"routes": [{"distance": 5.0}]}, "lack"),
        ({"routes": [{"distance": None, "geometry": encoded(LONLAT, 5)}]}, "lack"),
        ({"routes": [{"distance": 5, "geometry": {"type": "Point"}}]}, "no line"),
        ({"routes": [7]}, "lack"),
        ({"trip": {}}, "lack"),
        ({"routes": "none"}, "no route"),
    ],
)
def test_answers_without_a_route(tmp_path: Path, document: dict[str, Any], told: str) -> None:
    with pytest.raises(RouteError, match=told):
        route_from_file(write(tmp_path, document))


@pytest.mark.parametrize(
    "document",
    [
        {"code": "NoRoute", "message": "Impossible route between points"},
        {"error_code": 442, "error": "No path could be found for input", "status_code": 400},
    ],
)
def test_an_answer_without_a_route_says_why(document: dict[str, object], tmp_path: Path) -> None:
    path = tmp_path / "answer.json"
    path.write_text(json.dumps(document))
    with pytest.raises(RouteError, match=r"the engine says .*(Impossible|No path)"):
        route_from_file(path)


def test_google_geometry_of_legs(tmp_path: Path) -> None:
    parts = [[(5.0, 52.0), (5.1, 52.0)], [(5.1, 52.0), (5.1, 52.1)]]
    legs = [
        {
            "distanceMeters": round(1000 * route_length_km(shapely.LineString(part))),
            "polyline": {"encodedPolyline": polyline.encode(part, geojson=True)},
        }
        for part in parts
    ]
    path = tmp_path / "legs.json"
    path.write_text(json.dumps({"routes": [{"legs": legs}]}))
    assert len(route_from_file(path).coords) == 3
