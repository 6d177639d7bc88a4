"""Every output is written beside its target: a full disk leaves the old file and an error."""

from __future__ import annotations

import gc
import resource
import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import matplotlib.pyplot as plt
import pytest

import ocm_geo as ocm
from ocm_geo.reference import reading
from ocm_geo.study.report import write_report

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

OLD = b"the old file"
STUDY = {"source": "sample", "area": {"country": "NL"}}
TABLES = (".parquet", ".geojson", ".gpkg", ".kml", ".csv", ".xlsx")
FIGURES = (".png", ".svg", ".pdf")


@contextmanager
def full_disk() -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4000, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


@pytest.fixture(scope="module")
def stations() -> Any:
    return ocm.stations_from_country("NL", source=ocm.sample())


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return ocm.run_study(STUDY, tmp_path_factory.mktemp("study"))


def writer_of(name: str, stations: Any, study: Any) -> Callable[[Path], object]:
    """Return what writes an output of this name."""
    if name == "report.html":
        return lambda _: write_report(study)
    if name == "reference.json":
        return lambda path: reading.write(study.reference, path.parent)
    if name == "map.html":
        return lambda path: ocm.to_html(stations, path)
    if name.startswith("figure"):
        ax = ocm.plot_stations(stations)
        return lambda path: ocm.save_figure(ax, path)
    return lambda path: ocm.write(stations, path)


@pytest.mark.parametrize(
    "name",
    [
        *(f"table{suffix}" for suffix in TABLES),
        *(f"figure{suffix}" for suffix in FIGURES),
        *("map.html", "report.html", "reference.json"),
    ],
)
def test_a_full_disk_leaves_the_old_file(
    name: str, stations: Any, study: Any, tmp_path: Path
) -> None:
    path = study.report if name == "report.html" else tmp_path / name
    path.write_bytes(OLD)
    before = sorted(path.parent.iterdir())
    write = writer_of(name, stations, study)
    with full_disk():
        with pytest.raises(ocm.QueryError, match=f"{name} cannot be written"):
            write(path)
        gc.collect()  # a writer left open fails here, while the disk is full
    plt.close("all")
    assert path.read_bytes() == OLD
    assert sorted(path.parent.iterdir()) == before
    assert write(path)
    assert path.stat().st_size > 4000
    plt.close("all")


def test_a_study_on_a_full_disk_leaves_its_old_files(study: Any) -> None:
    kept = {path.name: path.read_bytes() for path in study.folder.iterdir()}
    with full_disk(), pytest.raises(ocm.QueryError, match="cannot be written"):
        ocm.run_study(STUDY, study.folder)
    large = {name for name, content in kept.items() if len(content) > 4000}
    assert {"report.html", "map.html", "stations.png", "stations.parquet"} <= large
    assert all((study.folder / name).read_bytes() == kept[name] for name in large)
