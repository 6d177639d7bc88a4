"""The room that axes have in their figure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.gridspec import SubplotSpec
    from matplotlib.transforms import Bbox

__all__ = ["box_inches", "fill_room"]

_PAD = 0.1
_SIDES = ("left", "right", "bottom", "top")
_TRIES = 3
_LEAST = 0.15
"""Smallest share of their cell that axes keep, however large their labels are."""


def box_inches(ax: Axes) -> tuple[float, float]:
    """
    Return the size of the room that axes have in their figure, with labels and caption.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        The axes.

    Returns
    -------
    tuple of float
        Width and height, inches.
    """
    root = ax.get_figure(root=True)
    if root is None:
        return 7.0, 5.0
    whole = ax.figure.bbox
    cell = ax.get_subplotspec()
    # Axes placed by the user have exactly their box; others share the cell with their labels.
    if cell is None or (root.get_layout_engine() is None and not _is_free(ax)):
        box, pad = ax.get_position(original=True), 0.0
    else:
        box, pad = _find_cell(cell), _PAD
    return (
        float(box.width * whole.width / root.dpi) - pad,
        float(box.height * whole.height / root.dpi) - pad,
    )


def fill_room(ax: Axes) -> None:
    """
    Let axes with their labels fill their cell of a figure without a layout.

    Axes that the user has placed, and those of a figure with a layout, are left unchanged.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        The finished axes.
    """
    from matplotlib.transforms import Bbox  # noqa: PLC0415 - loaded when needed

    cell = ax.get_subplotspec()
    if cell is None or not _is_free(ax):
        return
    whole = ax.figure.bbox
    pad = _PAD / 2 * ax.figure.dpi
    room = _find_cell(cell)
    room = Bbox.from_extents(room.x0, room.y0, room.x1, min(room.y1, _find_top(ax)))
    # Tick labels and line breaks depend on the size of the axes: a few rounds settle them.
    for _ in range(_TRIES):
        around = ax.get_tightbbox()
        if around is None:
            return
        used = around.padded(pad).transformed(ax.figure.transSubfigure.inverted())
        # Axes of a fixed shape are anchored at the top of their room: below them only what is
        # really drawn counts.
        given, drawn = ax.get_position(original=True), ax.get_position()
        west = room.x0 + max(given.x0 - used.x0, pad / whole.width)
        east = room.x1 - max(used.x1 - given.x1, pad / whole.width)
        south = room.y0 + max(drawn.y0 - used.y0, pad / whole.height)
        north = room.y1 - max(used.y1 - given.y1, pad / whole.height)
        east = max(east, west + _LEAST * room.width)
        south = min(south, north - _LEAST * room.height)
        ax.set_position(Bbox.from_extents(west, south, east, north))
    ax.set_in_layout(True)


def _find_top(ax: Axes) -> float:
    """Return the upper end of the room: below the user's heading of the figure, if it has one."""
    figure = ax.figure
    heading = figure.get_suptitle()
    own = [text for text in figure.texts if heading and text.get_text() == heading]
    tops = [text.get_window_extent().transformed(figure.transSubfigure.inverted()) for text in own]
    return float(min([1.0, *(box.y0 for box in tops)]))


def _is_free(ax: Axes) -> bool:
    """Return whether the user left the position open: no layout, margins, or nested grid."""
    from matplotlib.gridspec import SubplotParams  # noqa: PLC0415 - loaded when needed

    root, cell = ax.get_figure(root=True), ax.get_subplotspec()
    if root is None or cell is None or root.get_layout_engine() is not None:
        return False
    grid: Any = cell.get_gridspec()
    if cell.get_topmost_subplotspec() is not cell:
        return False
    placed = any(getattr(grid, side, None) is not None for side in _SIDES)
    usual, margins = SubplotParams(), root.subplotpars
    return not placed and all(getattr(margins, s) == getattr(usual, s) for s in _SIDES)


def _find_cell(cell: SubplotSpec) -> Bbox:
    """Return the cell of a grid that fills its figure."""
    from matplotlib.transforms import Bbox  # noqa: PLC0415 - loaded when needed

    grid = cell.get_gridspec()
    west, east = _find_span(grid.get_width_ratios(), grid.ncols, cell.colspan)
    north, south = _find_span(grid.get_height_ratios(), grid.nrows, cell.rowspan)
    return Bbox.from_extents(west, 1 - south, east, 1 - north)


def _find_span(ratios: Any, n: int, span: range) -> tuple[float, float]:  # noqa: ANN401 - matplotlib's
    # Ratios may have any sum; without ratios all rows or columns are equal.
    sizes = [1.0] * n if ratios is None else [float(ratio) for ratio in ratios]
    return sum(sizes[: span.start]) / sum(sizes), sum(sizes[: span.stop]) / sum(sizes)
