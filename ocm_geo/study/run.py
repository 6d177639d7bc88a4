"""Run a study: ask once, measure, draw, and write everything into one folder."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import msgspec

from ocm_geo import files
from ocm_geo.advice import advise_in_keys
from ocm_geo.errors import QueryError
from ocm_geo.paths import expand_path, write_whole
from ocm_geo.provenance import attach, carry, read_attrs
from ocm_geo.query import Area
from ocm_geo.reference import add_labels, attribution
from ocm_geo.stations import stations_from_route
from ocm_geo.study.access import measure_access
from ocm_geo.study.border import Border, load_border
from ocm_geo.study.config import changed_config, read_config
from ocm_geo.study.demand import load_costs, load_demand
from ocm_geo.study.figures import draw_figures
from ocm_geo.study.inputs import load_areas, load_route, load_stations, open_source
from ocm_geo.study.measures import coverage_by_group, data_quality, gaps_by_group, split_groups
from ocm_geo.study.report import write_report
from ocm_geo.study.result import StudyResult

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import geopandas as gpd
    import pandas as pd

    from ocm_geo.reference import ReferenceData
    from ocm_geo.sources.base import Source, SourceLike
    from ocm_geo.study.access import AccessTables
    from ocm_geo.study.tables import StudyConfig

__all__ = ["run_study"]


def run_study(
    config: str | Path | Mapping[str, Any],
    folder: str | Path,
    *,
    source: SourceLike | None = None,
    area_file: str | Path | None = None,
    route_file: str | Path | None = None,
    changes: Mapping[str, Any] | None = None,
) -> StudyResult:
    """
    Run a coverage study and write tables, figures, a map and a report into a folder.

    Parameters
    ----------
    config : path or mapping
        A TOML file, or the same as a dictionary; see `StudyConfig`.
    folder : path
        Where the results go; made if it does not exist. Files of the same names are replaced.
    source : Source, path, "sample" or "api", optional
        Goes before the source that the configuration names.
    area_file, route_file : path, optional
        Go before the files that the configuration names.
    changes : mapping, optional
        Values that go before the configuration's: dotted keys, such as
        ``{"area.country": "DE", "demand.population_column": "people"}``.

    Returns
    -------
    StudyResult
        The tables, and ``report``: the path of the report.

    Raises
    ------
    QueryError
        If the configuration is wrong.
    SourceError
        If the source cannot answer.

    Examples
    --------
    >>> import tempfile
    >>> import ocm_geo as ocm
    >>> study = {"source": "sample", "area": {"country": "NL"}}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     result = ocm.run_study(study, folder)
    ...     result.report.exists()
    True
    """
    asked = _with_files(read_config(config), area_file, route_file)
    asked = changed_config(asked, changes) if changes else asked
    opened = open_source(asked.source, source, asked.at)
    result = _measure(asked, expand_path(folder, "folder"), opened)
    _make_folder(result.folder)
    _write_tables(result)
    result.written += draw_figures(result)
    result.written.append(_write_record(result))
    result.written.append(write_report(result))
    return result


def _with_files(
    config: StudyConfig, area_file: str | Path | None, route_file: str | Path | None
) -> StudyConfig:
    replace = msgspec.structs.replace
    if area_file is not None:
        config = replace(config, area=replace(config.area, file=str(area_file)))
    if route_file is not None:
        if config.route is None:
            raise QueryError("a route file was named, but the configuration has no [route]")
        config = replace(config, route=replace(config.route, file=str(route_file)))
    return config


def _measure(config: StudyConfig, folder: Path, source: Source) -> StudyResult:
    # All files are read before anything is asked: a wrong one is told at once.
    areas = load_areas(config.area)
    demand = None if config.access is None else load_demand(config.demand, areas)
    costs = None if config.access is None else load_costs(config.access)
    reference = source.reference_data()
    border = _border(config, areas, reference)
    outline = areas if border is None else border.outline
    territory = areas if border is None else border.territory
    route = None if config.route is None else load_route(config.route, territory)
    near = load_stations(config, areas, source, demand)
    groups = split_groups(near, config.choices, reference)
    inside = near if areas is None else _inside(near, areas)
    result = StudyResult(config, folder, reference, inside, groups, data_quality(inside), outline)
    result.border, result.route = border, route
    if outline is not None:
        result.coverage = coverage_by_group(outline, groups, config.coverage.within_km, demand)
    if config.access is not None and demand is not None:
        clip = config.demand is not None and config.demand.clip
        with advise_in_keys("access", ("decay", "method", "missing_supply", "supply")):
            result.access = measure_access(
                demand, territory, groups, config.access, costs=costs, clip=clip
            )
    _measure_route(result, source)
    return result


def _border(
    config: StudyConfig, areas: gpd.GeoDataFrame | None, reference: ReferenceData
) -> Border | None:
    if areas is not None or config.area.country is None:
        return None
    return load_border(config.area.country, reference)


def _measure_route(result: StudyResult, source: Source) -> None:
    config = result.config
    if config.route is None or result.route is None:
        return
    within_km = config.route.within_km
    along = stations_from_route(result.route, within_km, source=source, **config.filters)
    groups = split_groups(along, config.choices, result.reference)
    result.route_stations = along
    result.gaps = gaps_by_group(result.route, groups, within_km)


def _inside(stations: gpd.GeoDataFrame, areas: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    where = Area(areas)
    found = where.select(
        stations.index.to_numpy(), stations.geometry.x.to_numpy(), stations.geometry.y.to_numpy()
    )
    kept = carry(stations.iloc[found.positions].sort_index(), stations)
    asked = {**read_attrs(stations).get("query", {}), **where.describe()}
    return attach(kept, query=asked, n_matched=len(kept))


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise QueryError(f"cannot make the folder {folder}: {error.strerror}") from error


def _write_tables(result: StudyResult) -> None:
    labelled = add_labels(result.stations, result.reference)
    tables: dict[str, Any] = {
        "stations.parquet": labelled,
        "stations.gpkg": labelled,
        "stations.csv": labelled,
        "data_quality.csv": result.quality,
        "attribution.csv": attribution(result.stations, result.reference).table,
    }
    if result.coverage is not None:
        tables |= {"coverage.gpkg": result.coverage, "coverage.csv": _plain(result.coverage)}
    if result.gaps is not None and result.route_stations is not None:
        along = add_labels(result.route_stations, result.reference)
        tables |= {"route_stations.csv": along, "gaps.gpkg": result.gaps}
        tables["gaps.csv"] = _plain(result.gaps)
    if result.access is not None:
        tables |= _access_files(result.access)
    for name, table in tables.items():
        files.write(table, result.folder / name)
        result.written.append(result.folder / name)


def _access_files(found: AccessTables) -> dict[str, Any]:
    tables = {
        "people_by_distance.csv": found.people,
        "mean_distance.csv": found.means,
        "points_per_10000.csv": found.points,
        "access.gpkg": found.access,
        "access.csv": _plain(found.access),
        "equity.csv": found.equity,
        "lorenz.csv": found.lorenz,
    }
    return {name: table for name, table in tables.items() if table is not None}


def _plain(table: gpd.GeoDataFrame) -> pd.DataFrame:
    """Numbers without outlines: a spreadsheet has no use for those."""
    plain: pd.DataFrame = table.drop(columns="geometry", errors="ignore")
    return carry(plain, table)


def _write_record(result: StudyResult) -> Path:
    """Write what is needed to repeat the study."""
    from importlib.metadata import version  # noqa: PLC0415 - used once

    packages = ("ocm_geo", "geopandas", "pandas", "shapely", "pyproj", "numpy", "scipy")
    record = {
        "config": msgspec.to_builtins(result.config),
        "provenance": read_attrs(result.stations),
        "versions": {name: version(name) for name in packages},
    }
    text = json.dumps(record, indent=2, ensure_ascii=False) + "\n"
    return write_whole(result.folder / "study.json", text)
