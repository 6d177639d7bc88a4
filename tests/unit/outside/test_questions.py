"""Questions that reach where their source holds no station."""

from __future__ import annotations

import pytest
import shapely

import ocm_geo as ocm

SAMPLE = ocm.sample()
ABROAD = {
    "box": lambda: ocm.stations_from_bbox((2, 48, 3, 49), source=SAMPLE),
    "circle": lambda: ocm.stations_from_point((2.3, 48.8), 20, source=SAMPLE),
    "polygon": lambda: ocm.stations_from_polygon(shapely.box(2, 48, 3, 49), source=SAMPLE),
    "route": lambda: ocm.stations_from_route(
        shapely.LineString([(4.4, 51.2), (2.3, 48.8)]), 5, source=SAMPLE
    ),
    "country": lambda: ocm.stations_from_country("FR", source=SAMPLE),
    "filter": lambda: ocm.stations(source=SAMPLE, countries=["FR", "NL"]),
}


@pytest.mark.parametrize("name", ABROAD)
def test_a_question_abroad_warns_and_is_not_complete(name: str) -> None:
    with pytest.warns(ocm.OutsideData, match="France") as caught:
        found = ABROAD[name]()
    # Old versions of pyproj warn too.
    (said,) = (one for one in caught if one.category is ocm.OutsideData)
    assert said.filename == __file__
    assert found.attrs["ocm"]["complete"] is False
    assert found.attrs["ocm"]["outside"]["countries"].split()[0] == "FR"


INSIDE = {
    "box": lambda: ocm.stations_from_bbox((4.8, 52.3, 5.0, 52.4), source=SAMPLE),
    "over the border of two that are covered": lambda: ocm.stations_from_point(
        (6.1, 51.4), 40, source=SAMPLE
    ),
    "nothing there": lambda: ocm.stations_from_bbox((5.5, 52.0, 5.5001, 52.0001), source=SAMPLE),
    "countries": lambda: ocm.stations(source=SAMPLE, countries=["NL", "BE"], min_power_kw=900),
    "a box abroad, of one country": lambda: ocm.stations_from_bbox(
        (2, 48, 6, 53), source=SAMPLE, countries="NL"
    ),
    "the sea": lambda: ocm.stations_from_bbox((3.0, 54.0, 3.5, 54.5), source=SAMPLE),
    "all": lambda: ocm.stations(source=SAMPLE),
}


@pytest.mark.parametrize("name", INSIDE)
def test_a_question_inside_is_silent_and_complete(name: str) -> None:
    assert INSIDE[name]().attrs["ocm"]["complete"] is True


def test_ids_that_the_source_does_not_have_are_named() -> None:
    first = int(ocm.stations(source=SAMPLE).index[0])
    with pytest.warns(ocm.OutsideData, match="no published station with 2 ids .*: 1, 2$"):
        found = ocm.stations_from_ids([first, 2, 1], source=SAMPLE)
    assert found.index.tolist() == [first]
    assert found.attrs["ocm"]["complete"] is False
    assert found.attrs["ocm"]["n_ids_missing"] == 2


def test_ids_that_a_filter_leaves_out_are_not_missing() -> None:
    first = int(ocm.stations(source=SAMPLE).index[0])
    found = ocm.stations_from_ids([first], source=SAMPLE, min_power_kw=900)
    assert found.empty
    assert found.attrs["ocm"]["complete"] is True


def test_the_provenance_stays_small() -> None:
    with pytest.warns(ocm.OutsideData, match="more countries"):
        found = ocm.stations_from_bbox((-170, -60, 170, 70), source=SAMPLE)
    outside = found.attrs["ocm"]["outside"]
    assert len(outside["countries"].split()) == 60
    assert outside["n_countries"] > 150
    assert len(str(found.attrs["ocm"])) < 2000
