"""Routes cut off at the border of an area, before their parts are joined."""

from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pytest
import shapely

import ocm_geo as ocm
from ocm_geo.routes.clipping import clip_parts

if TYPE_CHECKING:
    from pathlib import Path

AREA = shapely.box(4, 52, 6, 53)


def save(path: Path, *parts: Any) -> Path:
    shape = {"type": "MultiLineString", "coordinates": [list(map(list, part)) for part in parts]}
    path.write_text(json.dumps(shape))
    return path


def test_parts_elsewhere_do_not_matter(tmp_path: Path) -> None:
    here, there = [(3.0, 52.5), (5.0, 52.5), (5.5, 52.7)], [(-6.3, 53.3), (-6.0, 53.1)]
    path = save(tmp_path / "road.geojson", here, there)
    with pytest.raises(ocm.RouteError, match="do not join"):
        ocm.route_from_file(path)
    found = ocm.route_from_file(path, clip=AREA)
    assert list(found.coords) == [(4, 52.5), (5, 52.5), (5.5, 52.7)]


@pytest.mark.parametrize("kind", ["geometry", "series", "frame in metres"])
def test_areas_of_every_kind(tmp_path: Path, kind: str) -> None:
    path = save(tmp_path / "road.geojson", [(3.0, 52.5), (5.0, 52.5)])
    series = gpd.GeoSeries([AREA], crs=4326)
    areas = {"geometry": AREA, "series": series, "frame in metres": series.to_crs(3857).to_frame()}
    found = ocm.route_from_file(path, clip=areas[kind])
    assert found.coords[0] == pytest.approx((4, 52.5))


def test_parts_that_do_not_meet_inside_stay_an_error(tmp_path: Path) -> None:
    path = save(tmp_path / "road.geojson", [(3, 52.5), (5, 52.5)], [(5.2, 52.5), (7, 52.5)])
    with pytest.raises(ocm.RouteError, match="do not join"):
        ocm.route_from_file(path, clip=AREA)
    assert ocm.route_from_file(path, clip=AREA, max_join_km=20).coords[-1] == (6, 52.5)


def test_the_longest_of_several_pieces_is_taken_and_said(tmp_path: Path) -> None:
    path = save(tmp_path / "road.geojson", [(4.5, 52.1), (4.5, 51.5), (5.5, 51.5), (5.5, 52.9)])
    with pytest.warns(
        ocm.SuspectInput, match=r"2 pieces the longest, 100\.1 km.*11\.1 km are left"
    ):
        found = ocm.route_from_file(path, clip=AREA)
    assert list(found.coords) == [(5.5, 52), (5.5, 52.9)]


def test_nothing_inside(tmp_path: Path) -> None:
    path = save(tmp_path / "road.geojson", [(0, 0), (1, 1)])
    with pytest.raises(ocm.RouteError, match=r"road\.geojson.*inside the area"):
        ocm.route_from_file(path, clip=AREA)
    with pytest.raises(ocm.QueryError, match="area"):
        ocm.route_from_file(path, clip=(4, 52, 6, 53))


@pytest.mark.parametrize("start", [178.0, 182.0, -178.0])
def test_over_the_antimeridian(tmp_path: Path, start: float) -> None:
    longitudes = [start, 179.5 if start > 0 else -180.5, 180.5 if start > 0 else -179.5]
    wrapped = [(((lon + 180) % 360) - 180, -17.0) for lon in sorted(longitudes)]
    path = save(tmp_path / "road.geojson", wrapped)
    area = shapely.union_all([shapely.box(179, -18, 180, -16), shapely.box(-180, -18, -179.8, -16)])
    found = ocm.route_from_file(path, clip=area)
    ends = sorted(lon % 360 for lon in (found.coords[0][0], found.coords[-1][0]))
    assert ends[-1] == pytest.approx(180.2)
    assert ends[0] == pytest.approx(max(179.0, min(longitudes) % 360))


def test_loops_and_lines_driven_twice_keep_their_order() -> None:
    """Cut as a whole, such a line would be taken apart where it meets itself."""
    eight = np.array([(4.5, 52.5), (5.5, 52.6), (5.5, 52.5), (4.5, 52.6), (4.5, 52.5), (5.5, 52.6)])
    assert [len(chain) for chain in clip_parts([eight], AREA, 0.01)] == [1]
    assert np.array_equal(clip_parts([eight], AREA, 0.01)[0][0], eight)


@pytest.mark.parametrize("seed", range(20))
def test_the_length_inside_is_that_of_shapely(seed: int) -> None:
    """Edge by edge, for random walks and random areas with holes."""
    rng = np.random.default_rng(seed)
    walk = np.cumsum(rng.normal(0, 0.3, (60, 2)), axis=0) + np.array((5, 52))
    discs = shapely.buffer(shapely.points(rng.uniform((3, 50), (7, 54), (6, 2))), 0.7)
    area = shapely.union_all(discs).difference(shapely.box(4.8, 51.8, 5.2, 52.2))
    expected = sum(
        shapely.intersection(shapely.LineString(edge), area).length
        for edge in itertools.pairwise(walk)
    )
    chains = clip_parts([walk], area, 0.0)
    pieces = [shapely.LineString(piece) for chain in chains for piece in chain]
    assert sum(piece.length for piece in pieces) == pytest.approx(expected, abs=1e-9)
    assert all(area.buffer(1e-9).covers(piece) for piece in pieces)
    # In the order of the walk.
    line = shapely.LineString(walk)
    if line.is_simple:
        at = [line.project(shapely.Point(piece.coords[0])) for piece in pieces]
        assert at == sorted(at)
