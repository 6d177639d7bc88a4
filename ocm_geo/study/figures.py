"""The figures and the map of a study."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ocm_geo.plots import (
    plot_coverage,
    plot_distances,
    plot_lorenz,
    plot_route,
    plot_stations,
    save_figure,
)
from ocm_geo.reference import add_labels
from ocm_geo.widgets import to_html

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pandas as pd
    from matplotlib.axes import Axes

    from ocm_geo.study.access import AccessTables
    from ocm_geo.study.result import StudyResult

__all__ = ["draw_figures"]

_DPI = 150
_MOST_LINES = 5


def draw_figures(result: StudyResult) -> list[Path]:
    """
    Draw the figures of a study into its folder.

    Parameters
    ----------
    result : StudyResult
        The tables of the study.

    Returns
    -------
    list of pathlib.Path
        ``stations.png``, ``map.html`` and, where they were measured, ``coverage.png``,
        ``route.png``, ``distances.png`` and ``lorenz.png``. More groups than one figure can tell
        apart go on in ``coverage_2.png`` and so on.
    """
    written = [_save(plot_stations(result.stations), result.folder / "stations.png")]
    for number, groups in enumerate(_parts(list(result.groups), len(result.config.tiers)), 1):
        end = ".png" if number == 1 else f"_{number}.png"
        for name, ax in _of_groups(result, groups):
            written.append(_save(ax, result.folder / f"{name}{end}"))
    if result.route is not None and result.gaps is not None and result.config.route is not None:
        strip = plot_route(
            result.route,
            result.route_stations,
            within_km=result.config.route.within_km,
            gaps=result.gaps,
            limit_km=result.config.route.limit_km,
        )
        written.append(_save(strip, result.folder / "route.png"))
    path = result.folder / "map.html"
    to_html(add_labels(result.stations, result.reference), path)
    return [*written, path]


def _parts(groups: list[str], n_tiers: int) -> list[list[str]]:
    """Split groups so that a figure can tell them apart: the tiers of a class of users together."""
    step = n_tiers if 1 < n_tiers <= _MOST_LINES else _MOST_LINES
    return [groups[start : start + step] for start in range(0, len(groups), step)]


def _of_groups(result: StudyResult, groups: list[str]) -> Iterator[tuple[str, Axes]]:
    if result.coverage is not None:
        yield "coverage", plot_coverage(_rows(result.coverage, groups))
    if result.access is None:
        return
    unit = result.access.means["unit"].iloc[0]
    places = _rows(result.access.access, groups)
    by = "group" if len(groups) > 1 else None
    yield "distances", plot_distances(places, column=f"nearest_{unit}", weights="population", by=by)
    if curves := {g: found for g in groups if (found := _curve(result.access, g)) is not None}:
        yield "lorenz", plot_lorenz(curves)


def _rows(table: Any, groups: list[str]) -> Any:  # noqa: ANN401 - the same kind of table
    return table[table["group"].isin(groups)]


@dataclass(frozen=True)
class _Curve:
    """What `plot_lorenz` asks of an `Equity`."""

    lorenz: pd.DataFrame
    intervals: pd.DataFrame
    gini: float
    facts: dict[str, int]


def _curve(found: AccessTables, group: str) -> _Curve | None:
    """Give the curve of a group, unless there is nothing to share."""
    lorenz = _rows(found.lorenz, [group]) if len(found.lorenz) else found.lorenz
    if lorenz.empty:
        return None
    measures = _rows(found.equity, [group]).set_index("measure")
    places = _rows(found.access, [group])["access"].notna().sum()
    return _Curve(lorenz, measures, float(measures.loc["gini", "value"]), {"n": int(places)})


def _save(ax: Axes, path: Path) -> Path:
    import matplotlib.pyplot as plt  # noqa: PLC0415 - loaded when needed

    save_figure(ax, path, dpi=_DPI)
    plt.close(ax.get_figure(root=True))
    return path
