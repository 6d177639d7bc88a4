"""The figures and the map of a study."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ocm_geo.plots import plot_coverage, plot_route, plot_stations, save_figure
from ocm_geo.reference import add_labels
from ocm_geo.widgets import to_html

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.axes import Axes

    from ocm_geo.study.run import StudyResult

__all__ = ["draw_figures"]

_DPI = 150


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
        ``stations.png``, ``map.html`` and, where they were measured, ``coverage.png`` and
        ``route.png``.
    """
    written = [_save(plot_stations(result.stations), result.folder / "stations.png")]
    if result.coverage is not None:
        written.append(_save(plot_coverage(result.coverage), result.folder / "coverage.png"))
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


def _save(ax: Axes, path: Path) -> Path:
    import matplotlib.pyplot as plt  # noqa: PLC0415 - loaded when needed

    save_figure(ax, path, dpi=_DPI)
    plt.close(ax.get_figure(root=True))
    return path
