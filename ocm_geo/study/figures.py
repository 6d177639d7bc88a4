"""Draw the figures and the map of a study."""

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
        ``stations.png``, ``map.html`` and, if they were measured, ``coverage.png``,
        ``route.png``, ``distances.png`` and ``lorenz.png``. Groups that do not fit in one figure
        continue in ``coverage_2.png`` and so on.
    """
    stations = plot_stations(result.stations, areas=result.areas)
    written = [_save_and_close(stations, result.folder / "stations.png")]
    for number, groups in enumerate(
        _split_groups(list(result.groups), len(result.config.tiers)), 1
    ):
        end = ".png" if number == 1 else f"_{number}.png"
        for name, ax in _draw_groups(result, groups):
            written.append(_save_and_close(ax, result.folder / f"{name}{end}"))
    if result.route is not None and result.gaps is not None and result.config.route is not None:
        strip = plot_route(
            result.route,
            result.route_stations,
            within_km=result.config.route.within_km,
            gaps=result.gaps,
            limit_km=result.config.route.limit_km,
        )
        written.append(_save_and_close(strip, result.folder / "route.png"))
    path = result.folder / "map.html"
    to_html(add_labels(result.stations, result.reference), path)
    return [*written, path]


def _split_groups(groups: list[str], n_tiers: int) -> list[list[str]]:
    """Split groups so that a figure can distinguish them; tiers of one usage stay together."""
    step = n_tiers if 1 < n_tiers <= _MOST_LINES else _MOST_LINES
    return [groups[start : start + step] for start in range(0, len(groups), step)]


def _draw_groups(result: StudyResult, groups: list[str]) -> Iterator[tuple[str, Axes]]:
    """Yield the figures of coverage, distances and equity for some groups."""
    if result.coverage is not None:
        yield "coverage", plot_coverage(_select_groups(result.coverage, groups))
    if result.access is None:
        return
    unit = result.access.means["unit"].iloc[0]
    places = _select_groups(result.access.access, groups)
    by = "group" if len(groups) > 1 else None
    yield "distances", plot_distances(places, column=f"nearest_{unit}", weights="population", by=by)
    if curves := {
        g: found for g in groups if (found := _build_curve(result.access, g)) is not None
    }:
        yield "lorenz", plot_lorenz(curves)


def _select_groups(table: Any, groups: list[str]) -> Any:  # noqa: ANN401 - the same kind of table
    return table[table["group"].isin(groups)]


@dataclass(frozen=True)
class _Curve:
    """The attributes of `Equity` that `plot_lorenz` uses."""

    lorenz: pd.DataFrame
    intervals: pd.DataFrame
    gini: float
    facts: dict[str, int]


def _build_curve(found: AccessTables, group: str) -> _Curve | None:
    """Return the Lorenz curve of a group; None without any access."""
    lorenz = _select_groups(found.lorenz, [group]) if len(found.lorenz) else found.lorenz
    if lorenz.empty:
        return None
    measures = _select_groups(found.equity, [group]).set_index("measure")
    places = _select_groups(found.access, [group])["access"].notna().sum()
    return _Curve(lorenz, measures, float(measures.loc["gini", "value"]), {"n": int(places)})


def _save_and_close(ax: Axes, path: Path) -> Path:
    """Save a figure and close it."""
    import matplotlib.pyplot as plt  # noqa: PLC0415 - loaded when needed

    save_figure(ax, path, dpi=_DPI)
    plt.close(ax.get_figure(root=True))
    return path
