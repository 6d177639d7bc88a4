"""Real records gone wrong: every one is kept or rejected, and what was kept works everywhere."""

from __future__ import annotations

import contextlib
import gzip
import json
import random
import warnings
from typing import TYPE_CHECKING, Any

import matplotlib.pyplot as plt
import pandas as pd
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import ocm_geo as ocm
from ocm_geo.sources.account import Account
from ocm_geo.sources.decode import parse_body
from ocm_geo.sources.readers import read_batches
from ocm_geo.widgets.facts import describe_stations
from ocm_geo.widgets.popups import popups_html
from tests.mutations import EFFORT, mutate_bytes, mutate_record

if TYPE_CHECKING:
    from pathlib import Path

    import geopandas as gpd

N_RECORDS = 1200 * EFFORT
AT_ONCE = 60
MORE = settings(
    max_examples=60 * EFFORT,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
SEPARATORS = b" \t\r\n,[]"
HEADS = (b"", b"[", b'{"ID":1}\n', b"ID,UUID,", b"\x1f\x8b", b"PK\x03\x04", b'"[{', b"<?xml")
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@pytest.fixture(scope="module")
def records(data_dir: Path) -> list[list[Any]]:
    """Real records: those of the exports and of answers, and features of GeoJSON."""
    folder = data_dir / "ocm"
    lines = gzip.decompress((folder / "world_2020-11" / "poi_partial_5685.json.gz").read_bytes())
    found = [json.loads(line) for line in lines.splitlines()[::20] if line.strip()]
    names = ("austin_2026-02/ocm_austin.json", "nl_2023-10/ocm_nl_20231009_rebuilt_compact.json")
    for name in (*names, "evmap_fixtures/list.json", "evmap_fixtures/list_compact.json"):
        content = json.loads((folder / name).read_bytes())
        found += content[:: max(1, len(content) // 250)]
    features = json.loads((folder / "austin_2026-02" / "ocm_austin.geojson").read_bytes())
    return [found, found, features["features"]]


@pytest.fixture(scope="module")
def mirror(records: list[list[Any]], tmp_path_factory: pytest.TempPathFactory) -> ocm.Mirror:
    """A mirror of mutated records, each of which is accounted for."""
    rng = random.Random(EFFORT)  # noqa: S311 - a choice of tests
    folder = tmp_path_factory.mktemp("odd")
    n_given, files = 0, []
    for number in range(N_RECORDS // AT_ONCE):
        chosen = rng.choices(rng.choice(records), k=AT_ONCE)
        if number % 3:
            text = json.dumps([mutate_record(r, rng) for r in chosen]).encode()
            parsed = parse_body(text, origin="answer")
            assert parsed.n_read == len(parsed.stations) + len(parsed.rejects) == AT_ONCE
        else:
            lines = [mutate_bytes(json.dumps(r).encode(), rng) for r in chosen]
            # The first line says that there is a record a line.
            lines = [b'{"ID": 1}', *(line for line in lines if line.strip(SEPARATORS))]
            text = b"\n".join(lines)
        n_given += AT_ONCE if number % 3 else len(lines)
        files.append(folder / f"{number}.json")
        files[-1].write_bytes(text)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ocm.OCMWarning)
        built = ocm.Mirror.build(folder / "mirror", files)
    report = built.report
    assert report.n_read == report.n_kept + report.n_rejected == n_given
    assert report.n_rejected == len(built.rejects.read_text().splitlines())
    return built


@pytest.fixture(scope="module")
def kept(mirror: ocm.Mirror) -> gpd.GeoDataFrame:
    found = ocm.stations(source=mirror, include_comments=True)
    assert len(found) == mirror.report.n_published
    return found


pytestmark = pytest.mark.filterwarnings("ignore::ocm_geo.OCMWarning")


def test_most_records_are_kept(kept: gpd.GeoDataFrame) -> None:
    assert len(kept) > 200
    plugs = ocm.connections(kept)
    assert plugs["ocm_id"].nunique() == (kept["connections"].str.len() > 2).sum()
    assert len(plugs) == sum(len(json.loads(text)) for text in kept["connections"].dropna())


@pytest.mark.parametrize("suffix", [".parquet", ".gpkg", ".geojson", ".kml", ".csv", ".xlsx"])
def test_kept_records_come_back_from_every_file(
    kept: gpd.GeoDataFrame, suffix: str, tmp_path: Path
) -> None:
    again = ocm.read(ocm.write(kept, tmp_path / f"t{suffix}"))
    assert again.index.equals(kept.index)
    for column in ("title", "max_power_kw", "date_created", "connections", "extra"):
        want = kept[column]
        if suffix == ".kml" and pd.api.types.is_string_dtype(want):
            want = want.str.replace("[\ufffe\uffff]", "\ufffd", regex=True)  # XML cannot hold them
        pd.testing.assert_series_equal(again[column], want)


def test_kept_records_are_found_by_every_question(
    mirror: ocm.Mirror, kept: gpd.GeoDataFrame
) -> None:
    near = kept.cx[3:8, 50:54]
    with ocm.using(source=mirror):
        assert ocm.stations_from_bbox((3, 50, 8, 54)).index.equals(near.index)
        assert ocm.stations_from_polygon(shapely.box(3, 50, 8, 54)).index.equals(near.index)
        assert ocm.stations_from_ids(list(kept.index)).index.equals(kept.index)
        assert len(ocm.stations_from_point((5, 52), 100))
        assert ocm.stations_from_country("NL")["country_code"].eq("NL").all()
        line = shapely.LineString([(4.3, 51.9), (6.2, 52.2)])
        along = ocm.stations_from_route(line, 20)
        ocm.stations(min_power_kw=50, modified_since="2015-01-01", operators=[1, 23])
    assert len(ocm.route_gaps(line, along))
    assert ocm.assess_route(line, along, "afir-ldv-core-2025").word


def test_kept_records_are_shown(kept: gpd.GeoDataFrame, tmp_path: Path) -> None:
    assert ocm.to_html(kept, tmp_path / "map.html").stat().st_size > 10_000
    ocm.station_map(kept, basemap="none").close()
    described = describe_stations(kept)
    assert len(popups_html(described, len(described))) > 1000
    assert len(ocm.add_labels(kept)) == len(kept)
    for plot in (ocm.plot_stations, ocm.plot_power, ocm.plot_growth):
        ocm.save_figure(plot(kept), tmp_path / "figure.svg")
        plt.close("all")


@MORE
@given(values=st.lists(json_values, max_size=4), rng=st.randoms(use_true_random=False))
def test_any_json_is_accounted_for(values: list[Any], rng: random.Random) -> None:
    body = json.dumps(values).encode()
    parsed = parse_body(body, origin="x")
    assert parsed.n_read == len(parsed.stations) + len(parsed.rejects) == len(values)
    with contextlib.suppress(ocm.MalformedResponse):
        parse_body(mutate_bytes(body, rng), origin="x")


@MORE
@given(content=st.binary(max_size=300), head=st.sampled_from(HEADS))
def test_any_bytes_are_accounted_for(content: bytes, head: bytes, tmp_path: Path) -> None:
    file = tmp_path / "x.json"
    file.write_bytes(head + content)
    account = Account()
    with contextlib.suppress(ocm.MirrorError):
        batches = list(read_batches(file, account=account))
        n_read = sum(batch.n_read for batch in batches)
        assert n_read == sum(len(b.stations) + len(b.rejects) for b in batches)
        assert n_read == account.n_read.total()
