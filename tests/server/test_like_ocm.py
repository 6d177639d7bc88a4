"""Manner ``ocm`` against what Open Charge Map's server is known to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    import requests

    from tests.server.conftest import Asker

HOUR = "2021-11-07T16:36"


def test_by_default_the_newest_hundred_that_the_public_sees(loose: Asker) -> None:
    ids = loose.ids()
    assert len(ids) == 100
    assert ids == sorted(ids, reverse=True)
    everything = loose.ids("maxresults=1000")
    assert not {1001, 1002, 1004, 1005} & set(everything)
    assert {1003, 1006} <= set(everything)


@pytest.mark.parametrize(
    ("query", "same_as"),
    [
        ("maxresults=abc", "maxresults=100"),
        ("maxresults=10&maxresults=20", "maxresults=100"),
        ("chargepointid=x", ""),
        ("CHARGEPOINTID=1007", "chargepointid=1007"),
        ("id=1007&chargepointid=1009", "chargepointid=1009"),
        ("countrycode=us", "countryid=2"),
        ("countrycode=US&countryid=1", "countryid=2"),
        ("countrycode=UK", ""),
        ("countrycode=GB,IE", ""),
        ("submissionstatustypeid=0", ""),
        ("latitude=91&longitude=0", ""),
        ("latitude=50", ""),
        ("boundingbox=(53,-5)", ""),
        ("minpowerkw=0.5", ""),
        ("modifiedsince=31/12/2021", ""),
        ("unheard=of", ""),
        ("sortby=distance", ""),
        ("opendata=yes", ""),
        ("polyline=_gk%7CH%3F%3F_ibE&distance=10&distanceunit=KM",
         "polyline=(52,0),(52,1)&distance=10&distanceunit=km"),
        ("boundingbox=(53,-1),(51,2)", "boundingbox=(51,-1),  (53,2)"),
        ("latitude=52&longitude=0.5&distance=40&distanceunit=kilometres",
         "latitude=52&longitude=0.5&distance=40&distanceunit=Miles"),
        ("latitude=52&longitude=0.5&sortby=id_asc", "latitude=52&longitude=0.5"),
        ("latitude=52&longitude=0.5", "latitude=52&longitude=0.5&distance=50&distanceunit=km"),
        ("polyline=(52,0),(52,1)&boundingbox=(60,24),(62,26)&polygon=(1,1),(2,2),(1,2)",
         "polyline=(52,0),(52,1)"),
        ("boundingbox=(51,-1),(53,2)&polygon=(1,1),(2,2),(1,2)", "boundingbox=(51,-1),(53,2)"),
    ],
)  # fmt: skip
def test_two_questions_that_are_one(loose: Asker, query: str, same_as: str) -> None:
    assert loose.ids(query) == loose.ids(same_as)


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("maxresults=0", []),
        ("chargepointid=1009,1007,x", [1009, 1007]),
        ("statustypeid=200", []),
        ("statustypeid=150", [1003]),
        ("submissionstatustypeid=1000", [1004]),
        ("submissionstatustypeid=1010", []),
        (f"modifiedsince={HOUR}", [1010]),
        ("opendata=false", [1011]),
        ("postcodes=7814%20XV", []),
        ("postcodes=25704", [1013]),
        ("hasmedia=true", [1014]),
        ("hascomment=true", [1014]),
        ("hascheckins=true", [1014]),
        ("greaterthanid=2147&sortby=id_asc", [2148, 2149]),
        ("chargepointid=1007,1008&connectiontypeid=25&minpowerkw=50", [1007]),
        ("chargepointid=1007,1008&minpowerkw=50&maxpowerkw=22", [1007]),
        ("chargepointid=1007,1008,1009&minpowerkw=22.2", [1009, 1007]),
        ("chargepointid=1009&levelid=2", [1009]),
        ("chargepointid=1009&levelid=3", []),
        ("latitude=0&longitude=0&distance=69.1", []),
        ("latitude=0&longitude=0&distance=69.18", [301]),
        ("polyline=(52,0),(52,1)&distance=10&distanceunit=KM", [203, 201]),
        ("polyline=(52,0),(52,1),(53,1),(53,0),(52,0)&distance=10&distanceunit=KM",
         [206, 205, 203, 202, 201]),
        ("polygon=(47,9),(47,11),(48.5,11),(47.5,10),(48.5,9)", [502, 501]),
        ("boundingbox=(49,-125),(25,-67)&sortby=id_asc", [402, 403]),
    ],
)  # fmt: skip
def test_answers_with_the_faults_of_the_server(loose: Asker, query: str, ids: list[int]) -> None:
    assert loose.ids(query) == ids


def test_a_box_over_the_antimeridian_is_all_but_that_box(loose: Asker) -> None:
    found = loose.ids("boundingbox=(-18,179),(-16,-179)&maxresults=1000")
    assert {201, 301, 403} <= set(found)
    assert not {601, 602} & set(found)


def test_a_box_comes_in_clumps_and_not_newest_first(loose: Asker) -> None:
    ids = loose.ids("boundingbox=(59,24),(62,26)&maxresults=1000")
    assert ids not in (sorted(ids), sorted(ids, reverse=True))


@pytest.mark.parametrize("query", ["polyline=(52,0)", "polygon=(52,0),(53,0),(54,0)"])
def test_places_that_are_none_give_no_body(loose: Asker, query: str) -> None:
    answer = loose.get(f"poi?{query}")
    assert (answer.status_code, answer.content) == (200, b"")


def test_distances_are_on_spheres(loose: Asker) -> None:
    query = "poi?latitude=0&longitude=0&distance=80&maxresults=1"
    address = loose.get(query).json()[0]["AddressInfo"]
    assert address["DistanceUnit"] == 2
    assert address["Distance"] == pytest.approx(69.09758508645551, abs=1e-9)
    in_km = loose.get("poi?latitude=0&longitude=0&distance=120&distanceunit=km").json()[0]
    assert in_km["AddressInfo"]["DistanceUnit"] == 1
    assert in_km["AddressInfo"]["Distance"] == pytest.approx(111.19492664, abs=1e-6)
    box = loose.get("poi?boundingbox=(1,0),(-1,2)&latitude=0&longitude=0").json()[0]
    assert box["AddressInfo"]["Distance"] is None
    assert box["AddressInfo"]["DistanceUnit"] == 0


def test_powers_and_levels_are_derived(loose: Asker, exact: Asker) -> None:
    derived = loose.get("poi?chargepointid=1009").json()[0]["Connections"][0]
    assert (derived["PowerKW"], derived["LevelID"]) == (22.2, 2)
    recorded = exact.get("poi?chargepointid=1009").json()[0]["Connections"][0]
    assert (recorded["PowerKW"], recorded["LevelID"]) == (None, 3)


def has_null(value: Any) -> bool:
    if isinstance(value, dict):
        return any(v is None or has_null(v) for v in value.values())
    return isinstance(value, list) and any(map(has_null, value))


def test_the_four_sizes_of_json(loose: Asker) -> None:
    def ask(query: str) -> tuple[dict[str, Any], requests.Response]:
        answer = loose.get(f"poi?chargepointid=1014&{query}")
        return answer.json()[0], answer

    full, answer = ask("")
    assert full["DataProvider"]["Title"] == "Open Charge Map Contributors"
    assert full["UsageCost"] is None
    assert "\n  {" in answer.text
    assert full["UserComments"][0]["CheckinStatusType"]["IsPositive"] is True
    short, answer = ask("verbose=false")
    assert not has_null(short)
    assert short["AddressInfo"]["DistanceUnit"] == 0
    assert short["DataProvider"]["ID"] == 1
    flat, answer = ask("compact=true")
    assert flat["DataProvider"] is None
    assert flat["UserComments"] is None
    assert "\n" not in answer.text
    least, answer = ask("compact=true&verbose=false")
    assert not {"DataProvider", "UserComments", "MediaItems"} & set(least)
    assert not has_null(least)
    with_comments, _ = ask("compact=true&verbose=false&includecomments=true")
    assert with_comments["UserComments"][0]["DateCreated"] == "2015-12-25T15:46:03.333Z"
    assert ask("verbose=1")[0] == short
    camel, _ = ask("camelcase=true")
    assert {"id", "uuid", "dataProviderID"} <= set(camel)
    assert "isoCode" in camel["addressInfo"]["country"]
    assert "powerKW" in camel["connections"][0]


def test_json_is_ascii_with_the_signs_of_html_escaped(loose: Asker) -> None:
    answer = loose.get("poi?chargepointid=1015&compact=true&verbose=false")
    body = answer.content
    assert answer.headers["Content-Type"] == "application/json"
    assert body.isascii()
    assert not set(b"<>&'+`") & set(body)
    assert b"\\u0022" in body
    assert b'\\"' not in body
    address = answer.json()[0]["AddressInfo"]
    assert address["Title"] == '=HYPERLINK("http://evil")<script>&\'+ Łódź 🔌'
    assert address["AddressLine1"] == 'Say "hello", \\ and]]> more\nlines'


def test_errors(loose: Asker) -> None:
    assert loose.get("poi?output=rss").status_code == 400
    assert "version" in loose.get("poi?output=rss").json()["description"]
    robot = loose.get("poi", headers={"User-Agent": "my-crawler"})
    assert robot.status_code == 503
    assert robot.json()["status"] == "error"
    assert loose.get("/?output=json").status_code == 400
    assert loose.get("/V3/POI").status_code == 400
    assert (loose.get("nothing").status_code, loose.get("nothing").content) == (404, b"")
    assert loose.get("poi/12345?maxresults=1").json()[0]["ID"] == 2149
    assert loose.get("/poi?maxresults=1").json()[0]["ID"] == 2149


def test_jsonp_is_broken_as_it_is_there(loose: Asker) -> None:
    text = loose.get("poi?chargepointid=301&compact=true&verbose=false&callback=cb").text
    assert text.startswith("[{")
    assert text.endswith("]cb()")
    features = loose.get("poi?chargepointid=301&output=geojson&callback=cb").text
    assert features.startswith("cb({")


def test_an_unknown_output_is_xml(loose: Asker) -> None:
    answer = loose.get("poi?output=nonsense&maxresults=1")
    assert answer.headers["Content-Type"].startswith("text/xml")


def test_csv_as_the_server_writes_it(loose: Asker) -> None:
    answer = loose.get("poi?chargepointid=1015&output=csv")
    assert answer.headers["Content-Disposition"] == "attachment; filename=ocm.csv"
    lines = answer.content.decode("utf-8-sig").splitlines()
    assert lines[0].split(",")[2] == " LocationTitle"
    assert len(lines[0].split(",")) == 28
    assert "=HYPERLINK(http://evil)" in lines[1]
    assert "01/01/2020 10:00:00" in lines[1]
