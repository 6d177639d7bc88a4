"""Answers of routing engines: shapes of all four, precision found by length, bad answers."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import polyline
import pytest
import shapely
from pyproj import Geod

from ocm_geo.errors import InexactMethod, QueryError, RouteError, SuspectInput
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


def with_heights(lonlat: list[tuple[float, float]], heights: list[float], precision: int) -> str:
    """Encode as openrouteservice and GraphHopper do: each axis as a polyline of its own."""
    rows = [
        (round(y * 10**precision), round(x * 10**precision), round(100 * z))
        for (x, y), z in zip(lonlat, heights, strict=True)
    ]
    before = (0, 0, 0)
    text = ""
    for row in rows:
        for value, last in zip(row, before, strict=True):
            # The first number of a polyline of one point is its latitude.
            text += polyline.encode([((value - last) / 1e5, 0)], 5)[:-1]
        before = row
    return text


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
    with pytest.warns(
        SuspectInput, match="contains 2 routes: the first is used; choose one with feature=0 to 1"
    ):
        assert route_from_file(path) == LINE
    assert route_from_file(path, feature=0) == LINE
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
        ({"routes": [{"distance": 5, "geometry": {"type": "Point"}}]}, "not a line"),
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
    with pytest.raises(RouteError, match=r"the engine reports .*(Impossible|No path)"):
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


def openrouteservice(
    lonlat: list[tuple[float, float]] = LONLAT, *, heights: bool = False, units: str = "m"
) -> dict[str, Any]:
    factor = {"m": 1, "km": 1e-3, "mi": 1e-3 / 1.609344}[units]
    geometry = (
        with_heights(lonlat, [99 + i for i in range(9)], 5) if heights else encoded(lonlat, 5)
    )
    summary = {"distance": round(METRES * factor, 4), "duration": 600.5}
    segment = {**summary, "steps": [{"distance": 1, "type": 11, "way_points": [0, 8]}]}
    route = {"summary": summary, "segments": [segment], "geometry": geometry, "way_points": [0, 8]}
    query = {"coordinates": [LONLAT[0], LONLAT[-1]], "profile": "driving-car", "format": "json"}
    if units != "m":
        query["units"] = units
    return {
        "bbox": [9.5, 47.1, 9.58, 47.11],
        "routes": [route],
        "metadata": {"service": "routing", "query": query, "engine": {"version": "9.0.0"}},
    }


def openrouteservice_geojson(n: int = 1) -> dict[str, Any]:
    features = [
        {
            "type": "Feature",
            "bbox": [9.5, 47.1, 9.58, 47.11],
            "properties": {"summary": {"distance": METRES, "duration": 600}, "segments": []},
            "geometry": {
                "type": "LineString",
                "coordinates": [[*p, 433.2] for p in LONLAT[::turn]],
            },
        }
        for turn in (1, -1)[:n]
    ]
    document = openrouteservice()
    return {"type": "FeatureCollection", "features": features, "metadata": document["metadata"]}


def graphhopper(
    *, encode: bool = True, multiplier: float | None = None, heights: bool = False
) -> dict[str, Any]:
    precision = 5 if multiplier is None else round(math.log10(multiplier))
    points: Any = {"type": "LineString", "coordinates": [list(p) for p in LONLAT]}
    if encode:
        points = encoded(LONLAT, precision)
    if heights:
        points = with_heights(LONLAT, [433 - 2.5 * i for i in range(9)], precision)
    path = {
        "distance": METRES * (1.004 if heights else 1),
        "weight": 900.1,
        "time": 600_000,
        "points_encoded": encode,
        "bbox": [9.5, 47.1, 9.58, 47.11],
        "points": points,
        "snapped_waypoints": encoded([LONLAT[0], LONLAT[-1]], precision),
        "instructions": [{"distance": METRES, "sign": 0, "interval": [0, 8], "text": "Continue"}],
    }
    if multiplier is not None:
        path["points_encoded_multiplier"] = multiplier
    return {
        "hints": {"visited_nodes.sum": 9},
        "info": {"copyrights": ["GraphHopper"]},
        "paths": [path],
    }


def osrm_list(name: str, n: int = 1) -> dict[str, Any]:
    route = {**osrm(6)["routes"][0], "confidence": 0.97, "weight_name": "routability"}
    return {"code": "Ok", name: [route] * n, "tracepoints": [None, {"matchings_index": 0}]}


def google_without_lengths() -> dict[str, Any]:
    document = google()
    del document["routes"][0]["legs"][0]["distance"]
    return document


@pytest.mark.parametrize(
    "document",
    [
        openrouteservice(),
        openrouteservice(units="km"),
        openrouteservice(units="mi"),
        openrouteservice(heights=True),
        openrouteservice_geojson(),
        graphhopper(),
        graphhopper(encode=False),
        graphhopper(multiplier=1e6),
        graphhopper(multiplier=1e5, heights=True),
        graphhopper(multiplier=1e6, heights=True),
        osrm_list("matchings"),
        osrm_list("trips"),
        google_without_lengths(),
    ],
    ids=range(13),
)
def test_more_engines(tmp_path: Path, document: dict[str, Any]) -> None:
    assert route_from_file(write(tmp_path, document)) == LINE


@pytest.mark.parametrize(
    "document", [osrm_list("matchings", 2), osrm_list("trips", 3), openrouteservice_geojson(2)]
)
def test_the_first_of_several_is_taken_with_a_warning(
    tmp_path: Path, document: dict[str, Any]
) -> None:
    path = write(tmp_path, document)
    with pytest.warns(SuspectInput, match="routes: the first is used"):
        assert route_from_file(path) == LINE
    assert len(route_from_file(path, feature=1).coords) == len(LONLAT)


def test_an_overview_without_lengths_is_read_with_a_warning(tmp_path: Path) -> None:
    document = google_without_lengths()
    document["routes"][0]["legs"] = [{"start_address": "A"}]
    document["routes"][0]["overview_polyline"]["points"] = encoded(LONLAT, 5)
    with pytest.warns(InexactMethod, match="only the overview"):
        assert route_from_file(write(tmp_path, document)) == LINE
    del document["routes"][0]["overview_polyline"]
    document["routes"][0]["geometry"] = encoded([(0.95, 4.7), (0.96, 4.8), (0.97, 4.9)], 5)
    with pytest.raises(RouteError, match="pass precision=5 or precision=6"):
        route_from_file(write(tmp_path, document))


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ({"error": {"code": 2010, "message": "Could not find routable point"}}, "routable point"),
        ({"message": "Cannot find point 0", "hints": [{"details": "x"}]}, "Cannot find point 0"),
        ({"paths": []}, "no route"),
        ({"paths": [{"points": "abc"}]}, "lack"),
        ({"matchings": [], "code": "NoMatch"}, "NoMatch"),
        ({"code": "Ok", "waypoints": []}, "no route"),
        ({"paths": [{"points": {"coordinates": [[None, 1], [2, 3]]}, "distance": 5}]}, "range"),
        ({"paths": [{"points": 5, "distance": 5}]}, "lack"),
        ({"routes": [{"sections": [{"polyline": "BGwynmkDu39wZvBtF"}]}]}, "lack"),
    ],
)
def test_more_answers_without_a_route(tmp_path: Path, document: dict[str, Any], told: str) -> None:
    with pytest.raises(RouteError, match=rf"directions\.json.*{told}"):
        route_from_file(write(tmp_path, document))
