"""Manner ``exact``: what was asked for, correctly, or an error that says what is wrong."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import numpy as np
import pyproj
import pytest
import shapely

import ocm_geo as ocm

if TYPE_CHECKING:
    from tests.server.conftest import Asker

HOSTILE = '=HYPERLINK("http://evil")<script>&\'+ Łódź 🔌'
KML = "{http://www.opengis.net/kml/2.2}"


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("maxresults=abc", "maxresults"),
        ("maxresults=-1", "from 0"),
        ("maxresults=10&maxresults=20", "more than once"),
        ("chargepointid=1,x", "chargepointid"),
        ("countrycode=UK", "GB"),
        ("countrycode=GB,IE", "countryid"),
        ("latitude=91&longitude=0", "latitude"),
        ("latitude=51,5&longitude=0", "decimal point"),
        ("latitude=50", "together"),
        ("latitude=nan&longitude=0", "latitude"),
        ("distance=5", "needs"),
        ("distance=0&latitude=1&longitude=1", "above 0"),
        ("distanceunit=kilometres&latitude=1&longitude=1", "distanceunit"),
        ("boundingbox=(53,-5)", "two corners"),
        ("boundingbox=(53,-5),(51,x)", "latitude"),
        ("boundingbox=(153,-5),(51,5)", "not on Earth"),
        ("polygon=(1,1),(2,2)", "3 points"),
        ("polygon=(0,0),(2,2),(0,2),(2,0)", "polygon"),
        ("polyline=(52,0)", "polyline"),
        ("polyline=abc%01", "encoded polyline"),
        ("modifiedsince=31/12/2021", "ISO 8601"),
        ("modifiedsince=2021-01-01T00:00+02:00", "%2B"),
        ("opendata=yes", "true or false"),
        ("verbose=1", "true or false"),
        ("output=rss", "output"),
        ("sortby=distance", "sortby"),
        ("minpowerkw=50&maxpowerkw=10", "minpowerkw"),
        ("countrycodes=GB", "countrycode"),
        ("fastchargeonly=true", "no effect"),
        ("operatorname=Nobody%20knows", "operatorname"),
        ("callback=alert(1)", "callback"),
        ("output=csv&callback=cb", "callback"),
        ("greaterthanid=9007199254740992", "greaterthanid"),
    ],
)
def test_what_cannot_be_meant_is_an_error(exact: Asker, query: str, words: str) -> None:
    answer = exact.get(f"poi?{query}")
    assert answer.status_code == 400
    assert answer.json()["status"] == "error"
    assert words in answer.json()["description"]


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("maxresults=0", []),
        ("chargepointid=1009,1007&id=", [1009, 1007]),
        ("chargepointid=1007&chargepointid=1009", [1009, 1007]),
        ("statustypeid=150&countrycode=gb", [1003]),
        ("countrycode=US", [1006]),
        ("countrycode=US&countryid=1", []),
        ("submissionstatustypeid=1000", [1004]),
        ("submissionstatustypeid=1010", []),
        ("opendata=false", [1011]),
        ("postcodes=7814%20xv", [1012]),
        ("hasmedia=true", [1014]),
        ("modifiedsince=2021-11-07T16:36Z", [1010]),
        # One and the same connection.
        ("chargepointid=1007&connectiontypeid=25&minpowerkw=50", []),
        ("chargepointid=1007&connectiontypeid=33&minpowerkw=50", [1007]),
        ("chargepointid=1007,1008&minpowerkw=0.5", [1007]),
        ("chargepointid=1009&levelid=3&connectiontype=type%202%20(socket%20only)", [1009]),
        ("boundingbox=(-16,179),(-18,-179)", [602, 601]),
        ("boundingbox=(-16,-179),(-18,179)&chargepointid=601,301", []),
        ("boundingbox=(53,1),(51,-1)", [206, 205, 204, 203, 202, 201]),
        ("boundingbox=(49,-125),(25,-67)", [403, 401]),
        ("polygon=(47,9),(47,11),(48.5,11),(47.5,10),(48.5,9)", [502]),
        ("polyline=(52,0),(52,1)&distance=5.1&distanceunit=km", [204, 203, 201]),
        ("latitude=0&longitude=0&distance=111.3&distanceunit=km", []),
        ("latitude=0&longitude=0&distance=111.32&distanceunit=km", [301]),
        ("latitude=52&longitude=0&boundingbox=(53,-1),(51,2)&maxresults=2", [203, 204]),
        ("latitude=52&longitude=0&boundingbox=(53,-1),(51,2)&distance=3", [203, 204]),
        ("latitude=52&longitude=0&distance=60&distanceunit=km&sortby=id_asc",
         [201, 202, 203, 204, 205]),
        ("greaterthanid=2147", [2149, 2148]),
    ],
)  # fmt: skip
def test_what_was_asked_for(exact: Asker, query: str, ids: list[int]) -> None:
    assert exact.ids(query) == ids


def test_nothing_is_cut_off_in_silence(exact: Asker, serve: Any) -> None:
    answer = exact.get("poi?compact=true&verbose=false")
    total = int(answer.headers["X-Total-Count"])
    assert len(answer.json()) == total > 150
    cut = exact.get("poi?maxresults=7")
    assert (len(cut.json()), cut.headers["X-Total-Count"]) == (7, str(total))
    small = serve(max_stations=50)
    refused = small.get("poi")
    assert refused.status_code == 400
    assert "greaterthanid" in refused.json()["description"]
    assert len(small.ids("maxresults=50")) == 50


def random_queries(n: int) -> list[tuple[str, dict[str, Any], Any]]:
    """Make questions as parameters and as the library asks them."""
    rng = np.random.default_rng(5)
    questions = []
    for _ in range(n):
        lat, lon = float(rng.uniform(50, 62)), float(rng.uniform(-1, 26))
        place: Any
        match int(rng.integers(4)):
            case 0:
                text, place = (
                    f"boundingbox=({lat - 3},{lon - 9}),({lat},{lon})",
                    ocm.query.Box(lon - 9, lat - 3, lon, lat),
                )
            case 1:
                km = float(rng.uniform(1, 900))
                text = f"latitude={lat}&longitude={lon}&distance={km}&distanceunit=km"
                place = ocm.query.Circle(lon, lat, km)
            case 2:
                ring = [(lat, lon), (lat - 9, lon + 3), (lat + 2, lon + 9), (lat - 4, lon + 4)]
                text = "polygon=" + ",".join(f"({y},{x})" for y, x in ring)
                place = ocm.query.Area(shapely.Polygon([(x, y) for y, x in ring]))
            case _:
                text = f"polyline=(52,0),({lat},{lon})&distance=80&distanceunit=km"
                place = ocm.query.Corridor(shapely.LineString([(0, 52), (lon, lat)]), 80)
        filters: dict[str, Any] = {}
        if rng.random() < 0.5:
            filters["min_power_kw"] = float(rng.choice([20, 22, 22.2, 50]))
            text += f"&minpowerkw={filters['min_power_kw']}"
        if rng.random() < 0.3:
            filters["connection_types"] = [25, 33][: int(rng.integers(1, 3))]
            text += f"&connectiontypeid={','.join(map(str, filters['connection_types']))}"
        if rng.random() < 0.3:
            filters["open_data"] = bool(rng.random() < 0.5)
            text += f"&opendata={str(filters['open_data']).lower()}"
        questions.append((text, filters, place))
    return questions


def test_the_same_stations_as_the_library(exact: Asker, mirror: ocm.Mirror) -> None:
    n_found = 0
    for text, filters, place in random_queries(60):
        query = ocm.StationQuery.build(place, reference=mirror.reference_data(), **filters)
        expected = mirror.fetch(query).index.tolist()
        found = exact.ids(text)
        assert sorted(found) == sorted(expected), text
        n_found += len(found)
    assert n_found > 500


def test_distances_are_geodesic(exact: Asker) -> None:
    answer = exact.get("poi?latitude=52&longitude=0&distance=100").json()
    geod = pyproj.Geod(ellps="WGS84")
    for record in answer:
        address = record["AddressInfo"]
        metres = geod.inv(0, 52, address["Longitude"], address["Latitude"])[2]
        assert address["Distance"] == pytest.approx(metres / 1609.344, rel=1e-6)
        assert address["DistanceUnit"] == 2
    assert len(answer) == 6


@pytest.mark.parametrize("output", ["json", "geojson", "csv", "kml", "xml"])
def test_no_output_for_nobody(exact: Asker, loose: Asker, output: str) -> None:
    for server in (exact, loose):
        answer = server.get(f"poi?maxresults=0&output={output}")
        assert answer.status_code == 200
        assert answer.content
    if output in {"kml", "xml"}:
        assert not len(ET.fromstring(answer.content).findall(f".//{KML}Placemark"))  # noqa: S314


def test_hostile_texts_in_every_output(exact: Asker, loose: Asker) -> None:
    record = exact.get("poi?chargepointid=1015").json()[0]
    assert record["AddressInfo"]["Title"] == HOSTILE
    feature = exact.get("poi?chargepointid=1015&output=geojson").json()["features"][0]
    assert feature["properties"]["name"] == HOSTILE
    assert feature["properties"]["poi"]["addressInfo"]["title"] == HOSTILE
    xml = ET.fromstring(exact.get("poi?chargepointid=1015&output=xml").content)  # noqa: S314
    assert xml.findtext(".//LocationTitle") == HOSTILE
    assert xml.findtext(".//GeneralComments") == "A control  sign and  no character"
    for server, name in ((exact, HOSTILE), (loose, None)):
        kml = ET.fromstring(server.get("poi?chargepointid=1015&output=kml").content)  # noqa: S314
        assert name is None or kml.findtext(f".//{KML}Placemark/{KML}name") == name
        balloon = kml.findtext(f".//{KML}Placemark/{KML}description") or ""
        assert "<script" not in balloon


def test_cells_that_a_spreadsheet_would_run(exact: Asker) -> None:
    text = exact.get("poi?chargepointid=1015&output=csv").content.decode("utf-8-sig")
    row = next(csv.DictReader(io.StringIO(text)))
    assert row["LocationTitle"] == "'" + HOSTILE
    assert row["Addr_AccessComments"] == "'@SUM(A1)"
    assert row["Addr_ContactTelephone1"] == "+31 20 123"
    assert row["AddressLine1"] == 'Say "hello", \\ and]]> more\nlines'
    assert row["DateCreated"] == "2019-01-01T10:00:00Z"


def test_our_own_readers_read_the_outputs(exact: Asker, mirror: ocm.Mirror, tmp_path: Any) -> None:
    for name in ("answer.geojson", "answer.json"):
        path = tmp_path / name
        output = name.partition(".")[2]
        path.write_bytes(exact.get(f"poi?output={output}&includecomments=true").content)
        again = ocm.Mirror.build(tmp_path / f"mirror-{output}", path)
        assert len(again) == len(mirror.fetch(ocm.StationQuery()))


def test_a_served_mirror_is_the_mirror(exact: Asker, mirror: ocm.Mirror, tmp_path: Any) -> None:
    ids = ",".join(str(i) for i in range(1, 1016))
    query = f"poi?submissionstatustypeid=1,50,100,200,1000,1001&id={ids}&includecomments=true"
    sizes = ["", "&verbose=false", "&compact=true&verbose=false", "&camelcase=true"]
    for number, size in enumerate(sizes):
        path = tmp_path / f"{number}.json"
        path.write_bytes(exact.get(query + size).content)
        again, _ = ocm.Mirror.build(tmp_path / f"{number}", path).arrow_tables()
        first, _ = mirror.arrow_tables()
        kept = first.filter(np.isin(first["ocm_id"].to_numpy(), again["ocm_id"].to_numpy()))
        kept, again = (table.sort_by("ocm_id").drop_columns("extra") for table in (kept, again))
        assert len(again) > 20
        for column in kept.column_names:
            assert again[column].to_pylist() == kept[column].to_pylist(), (size, column)


def test_jsonp_and_its_kind(exact: Asker) -> None:
    answer = exact.get("poi?maxresults=1&callback=my.cb")
    assert answer.headers["Content-Type"].startswith("application/javascript")
    assert answer.text.startswith("my.cb([")
    assert answer.text.endswith("])")


def test_reference_data(exact: Asker, loose: Asker) -> None:
    document = exact.get("referencedata").json()
    levels = {level["ID"]: level["Title"] for level in document["ChargerTypes"]}
    assert levels[2] == "Level 2 : Medium (Over 2kW)"
    assert {"UserProfile", "ChargePoint", "UserComment", "MetadataGroups"} <= set(document)
    for server in (exact, loose):
        types = server.get("referencedata?countryid=2").json()["ConnectionTypes"]
        assert [kind["ID"] for kind in types] == [25]
    assert exact.get("referencedata?countryid=x").status_code == 400
    assert len(loose.get("referencedata?countryid=x").json()["ConnectionTypes"]) > 30
    assert "connectionTypes" in exact.get("referencedata?camelcase=true").json()


def test_status(exact: Asker, mirror: ocm.Mirror) -> None:
    assert exact.get("system/status").json() == {
        "systemVersion": "3",
        "poiDataLastModified": "2021-11-07T16:36:00Z",
        "poiDataLastCreated": "2019-01-01T10:00:00Z",
        "maxPOIId": 2149,
        "dataHash": mirror.snapshot,
    }


def test_the_map_page(exact: Asker) -> None:
    answer = exact.get("/map?boundingbox=(53,-1),(51,2)&title=My%20%3Cb%3Emap")
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "My &lt;b&gt;map" in answer.text
    assert "<script src" not in answer.text
    assert "6 stations" in answer.text
    assert exact.get("/map?chargepointid=999999").status_code == 200
    assert exact.get("/map?countrycode=UK").status_code == 400


STRANGE_PATHS = (
    *("poi/12345", "nothing", "/", "/v3", "//v3/poi", "/v4/poi", "/%2e%2e/%2e%2e/etc/passwd"),
    *("/map/../../etc/passwd", "/v3/../../x", "/v3/poi%00", "/v3/poi;x=1"),
)


@pytest.mark.parametrize("path", STRANGE_PATHS)
def test_paths_that_are_none(exact: Asker, path: str) -> None:
    answer = exact.get(path)
    assert answer.status_code == 404
    assert "chargepointid" in answer.json()["description"]
