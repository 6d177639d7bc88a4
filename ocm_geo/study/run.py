"""Run a study: query once, measure, draw, and write everything into one folder."""

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
from ocm_geo.study.completeness import describe_completeness, measure_completeness
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
        Folder of the results; created if it does not exist. Files of the same names are replaced.
    source : Source, path, "sample" or "api", optional
        Replaces the source of the configuration.
    area_file, route_file : path, optional
        Replace the files of the configuration.
    changes : mapping, optional
        Values that replace those of the configuration, by dotted key:
        ``{"area.country": "DE", "demand.population_column": "people"}``.

    Returns
    -------
    StudyResult
        The tables, and ``report``: the path of the report.

    Raises
    ------
    QueryError
        If the configuration is invalid.
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
    asked = _replace_files(read_config(config), area_file, route_file)
    asked = changed_config(asked, changes) if changes else asked
    opened = open_source(asked.source, source, asked.at)
    result = _measure_study(asked, expand_path(folder, "folder"), opened)
    _create_folder(result.folder)
    _write_study_tables(result)
    result.written += draw_figures(result)
    result.written.append(_write_study_record(result))
    result.written.append(write_report(result))
    return result


def _replace_files(
    config: StudyConfig, area_file: str | Path | None, route_file: str | Path | None
) -> StudyConfig:
    """Return the configuration with the files of the caller."""
    replace = msgspec.structs.replace
    if area_file is not None:
        config = replace(config, area=replace(config.area, file=str(area_file)))
    if route_file is not None:
        if config.route is None:
            raise QueryError("route_file needs a [route] in the configuration")
        config = replace(config, route=replace(config.route, file=str(route_file)))
    return config


def _measure_study(config: StudyConfig, folder: Path, source: Source) -> StudyResult:
    """Read the inputs and measure everything."""
    # All files are read before any query, so that an invalid one is reported at once.
    areas = load_areas(config.area)
    demand = None if config.access is None else load_demand(config.demand, areas)
    costs = None if config.access is None else load_costs(config.access)
    reference = source.reference_data()
    border = _choose_border(config, areas, reference)
    outline = areas if border is None else border.outline
    territory = areas if border is None else border.territory
    route = None if config.route is None else load_route(config.route, territory)
    near = load_stations(config, areas, source, demand)
    groups = split_groups(near, config.choices, reference)
    inside = near if areas is None else _keep_inside(near, areas)
    result = StudyResult(config, folder, reference, inside, groups, data_quality(inside), outline)
    result.border, result.route = border, route
    result.missing = measure_completeness(config, areas, demand, groups)
    if outline is not None:
        result.coverage = coverage_by_group(
            *(outline, groups, config.coverage.within_km, demand), missing=result.missing
        )
    if config.access is not None and demand is not None:
        clip = config.demand is not None and config.demand.clip
        with advise_in_keys("access", ("decay", "method", "missing_supply", "supply")):
            result.access = measure_access(
                demand, territory, groups, config.access, costs=costs, clip=clip
            )
    _measure_study_route(result, source)
    return result


def _choose_border(
    config: StudyConfig, areas: gpd.GeoDataFrame | None, reference: ReferenceData
) -> Border | None:
    """Return the bundled border if the study names a country but no areas."""
    if areas is not None or config.area.country is None:
        return None
    return load_border(config.area.country, reference)


def _measure_study_route(result: StudyResult, source: Source) -> None:
    """Add the stations and gaps along the route, if there is one."""
    config = result.config
    if config.route is None or result.route is None:
        return
    within_km = config.route.within_km
    along = stations_from_route(result.route, within_km, source=source, **config.filters)
    groups = split_groups(along, config.choices, result.reference)
    result.route_stations = along
    result.gaps = gaps_by_group(result.route, groups, within_km)


def _keep_inside(stations: gpd.GeoDataFrame, areas: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return the stations inside the areas."""
    where = Area(areas)
    found = where.select(
        stations.index.to_numpy(), stations.geometry.x.to_numpy(), stations.geometry.y.to_numpy()
    )
    kept = carry(stations.iloc[found.positions].sort_index(), stations)
    asked = {**read_attrs(stations).get("query", {}), **where.describe()}
    return attach(kept, query=asked, n_matched=len(kept))


def _create_folder(folder: Path) -> None:
    """Create the folder of the results."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise QueryError(f"cannot create the folder {folder}: {error.strerror}") from error


def _write_study_tables(result: StudyResult) -> None:
    """Write all tables."""
    labelled = add_labels(result.stations, result.reference)
    tables: dict[str, Any] = {
        "stations.parquet": labelled,
        "stations.gpkg": labelled,
        "stations.csv": labelled,
        "data_quality.csv": result.quality,
        "attribution.csv": attribution(result.stations, result.reference).table,
    }
    if result.missing:
        tables["completeness.csv"] = describe_completeness(result.missing)
    if result.coverage is not None:
        tables |= {
            "coverage.gpkg": result.coverage,
            "coverage.csv": _drop_geometry(result.coverage),
        }
    if result.gaps is not None and result.route_stations is not None:
        along = add_labels(result.route_stations, result.reference)
        tables |= {"route_stations.csv": along, "gaps.gpkg": result.gaps}
        tables["gaps.csv"] = _drop_geometry(result.gaps)
    if result.access is not None:
        tables |= _list_access_files(result.access)
    for name, table in tables.items():
        files.write(table, result.folder / name)
        result.written.append(result.folder / name)


def _list_access_files(found: AccessTables) -> dict[str, Any]:
    """Return the tables of access by file name."""
    tables = {
        "people_by_distance.csv": found.people,
        "mean_distance.csv": found.means,
        "points_per_10000.csv": found.points,
        "access.gpkg": found.access,
        "access.csv": _drop_geometry(found.access),
        "equity.csv": found.equity,
        "lorenz.csv": found.lorenz,
    }
    return {name: table for name, table in tables.items() if table is not None}


def _drop_geometry(table: gpd.GeoDataFrame) -> pd.DataFrame:
    """Return the table without geometry, for spreadsheets."""
    plain: pd.DataFrame = table.drop(columns="geometry", errors="ignore")
    return carry(plain, table)


def _write_study_record(result: StudyResult) -> Path:
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
