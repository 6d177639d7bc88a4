"""Axes with their title, labels, legend and caption."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ocm_geo.checks import short_form
from ocm_geo.errors import QueryError
from ocm_geo.outside import describe_origin
from ocm_geo.plots.room import box_inches, fill_room
from ocm_geo.plots.style import GREY, INK, plain
from ocm_geo.plots.text import POINTS, small_size, text_points, text_size, wrapped
from ocm_geo.provenance import credit_line, read_attrs

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.legend import Legend
    from matplotlib.text import Annotation
    from matplotlib.transforms import Transform

__all__ = [
    "CAPTION",
    "add_caption",
    "legend_below",
    "new_axes",
    "put_title",
    "tune",
]

CAPTION = "ocm-caption"
"""The ``gid`` of the caption, by which `save_figure` finds it."""

_AXIS_POINTS = 33.0
"""Width of an axis of numbers with its label."""
_WIDE_POINTS = 50.0
"""Row names wider than this: text below the axes then begins under the names."""
_OVERHANG = 6.0
"""Width by which the last tick label leaves the axes, points."""
_LEGEND_POINT = 22.0
_MOST_COLUMNS = 5
_PLAIN_HANDLE, _DASHED_HANDLE, _BESIDE = 1.4, 3.2, 1.8
"""Widths of a legend's handles, long enough to show dashes, and of gaps; in sizes of text."""


def new_axes(ax: Axes | None, width: float = 7.0, height: float = 5.0) -> Axes:
    """
    Return the axes to draw on.

    Parameters
    ----------
    ax : matplotlib.axes.Axes or None
        The caller's axes, which keep their size; None makes a new figure.
    width, height : float
        Size of a new figure, inches.

    Returns
    -------
    matplotlib.axes.Axes
        The caller's axes, or those of a new figure.

    Raises
    ------
    QueryError
        If ``ax`` is anything else.
    """
    import matplotlib.pyplot as plt  # noqa: PLC0415 - loaded when needed
    from matplotlib.axes import Axes as AnyAxes  # noqa: PLC0415 - loaded when needed

    if isinstance(ax, AnyAxes):
        return ax
    if ax is not None:
        raise QueryError(f"ax must be the axes of a figure, not {short_form(ax)}")
    _, new = plt.subplots(figsize=(width, height))
    return new


def _measure_left(ax: Axes) -> float:
    """Return the width of the labels on the left of axes, points; a map has none."""
    if not len(ax.get_yticks()):
        return 0.0
    names = [label.get_text() for label in ax.get_yticklabels()]
    widest = max((text_points(name, text_size(ax) - 0.5) for name in names), default=0.0)
    return max(widest + 8.0, _AXIS_POINTS)


def _find_text_room(ax: Axes) -> tuple[float, float]:
    """Return how far left of the axes text below them begins, and its largest width, points."""
    beside = _measure_left(ax)
    # Under long row names there is room: text below the axes starts at the names' left edge.
    shift = beside if beside > _WIDE_POINTS else 0.0
    return shift, box_inches(ax)[0] * POINTS - beside + shift - _OVERHANG


def put_title(ax: Axes, text: str) -> None:
    """
    Add a title above axes, on as many lines as it needs.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        The axes.
    text : str
        Any text.
    """
    size = text_size(ax) + 1.5
    title = wrapped(plain(text), size, _find_text_room(ax)[1])
    ax.set_title(title, fontsize=size, loc="left", color=INK)


def tune(ax: Axes, xlabel: str, ylabel: str, *, grid: str = "y") -> None:
    """
    Label the axes of a chart, at sizes that fit them.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        The axes.
    xlabel, ylabel : str
        Labels, with the unit.
    grid : {"x", "y", "both", ""}
        Grid lines behind the data.
    """
    size = text_size(ax)
    width, height = (POINTS * inches for inches in box_inches(ax))
    ax.set_xlabel(wrapped(plain(xlabel), size, width - _AXIS_POINTS), fontsize=size, color=INK)
    ax.set_ylabel(wrapped(plain(ylabel), size, 0.65 * height), fontsize=size, color=INK)
    ax.tick_params(labelsize=size - 0.5, color=GREY, labelcolor=INK)
    ax.set_axisbelow(True)
    if grid:
        ax.grid(axis=grid, color=GREY, alpha=0.25, lw=0.6)  # type: ignore[arg-type]
    ax.spines[["top", "right"]].set_visible(False)
    ax.spines[["left", "bottom"]].set_color(GREY)


def legend_below(ax: Axes, heading: str = "", handles: list[Any] | None = None) -> Legend | None:
    """
    Place the legend under the axes, where it covers nothing, in as many columns as fit.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        The axes.
    heading : str
        Title of the legend.
    handles : list of matplotlib.artist.Artist, optional
        What the legend explains; by default everything with a label.

    Returns
    -------
    matplotlib.legend.Legend or None
        None if there is nothing to explain.
    """
    shown = handles if handles is not None else ax.get_legend_handles_labels()[0]
    if not shown:
        return None
    shift, width = _find_text_room(ax)
    handle = _DASHED_HANDLE if any(map(_is_dashed, shown)) else _PLAIN_HANDLE
    room = handle + _BESIDE
    size, columns = _choose_columns([str(h.get_label()) for h in shown], ax, width, room)
    legend = ax.legend(
        handles=shown,
        title=wrapped(heading, size, width) or None,
        loc="upper left",
        bbox_to_anchor=(0, 0),
        bbox_transform=_place_below(ax, shift),
        ncols=columns,
        fontsize=size,
        title_fontsize=size,
        alignment="left",
        frameon=False,
        borderaxespad=0,
        borderpad=0,
        handletextpad=0.5,
        handlelength=handle,
        columnspacing=1.2,
        labelspacing=0.35,
    )
    legend.set_zorder(10)
    for text in legend.get_texts():
        text.set_text(wrapped(text.get_text(), size, width - room * size))
    _size_points(legend)
    return legend


def _is_dashed(handle: Any) -> bool:  # noqa: ANN401 - any artist
    """Return whether a handle of a legend is a dashed line."""
    from matplotlib.lines import Line2D  # noqa: PLC0415 - loaded when needed

    return isinstance(handle, Line2D) and bool(handle.is_dashed())


def _place_below(ax: Axes, shift: float) -> Transform:
    """Return the transform from the axes' lower left corner to the place below their labels."""
    from matplotlib.transforms import ScaledTranslation  # noqa: PLC0415 - loaded when needed

    x, y = -shift / POINTS, -_measure_below(ax) / POINTS
    return ax.transAxes + ScaledTranslation(x, y, ax.figure.dpi_scale_trans)


def _size_points(legend: Legend) -> None:
    """Draw points in the legend large enough to show their colour, however small on the map."""
    from matplotlib.collections import PathCollection  # noqa: PLC0415 - loaded when needed
    from matplotlib.lines import Line2D  # noqa: PLC0415 - loaded when needed

    for shown in legend.legend_handles:
        if isinstance(shown, PathCollection):
            shown.set_sizes([_LEGEND_POINT])
        elif isinstance(shown, Line2D) and shown.get_linestyle() == "None":
            shown.set_markersize(_LEGEND_POINT**0.5)


def _choose_columns(labels: list[str], ax: Axes, width: float, room: float) -> tuple[float, int]:
    """Choose the text size and the columns of a legend: smaller text where it saves many lines."""
    sizes = (text_size(ax) - 0.3, small_size(ax))
    for size in sizes:
        for columns in range(min(len(labels), _MOST_COLUMNS), 1, -1):
            # matplotlib fills a legend column by column, each as wide as its longest label.
            rows = -(-len(labels) // columns)
            parts = [labels[start : start + rows] for start in range(0, len(labels), rows)]
            widest = [max(text_points(label, size) for label in part) for part in parts]
            if sum(widest) + room * size * len(parts) <= width:
                return size, len(parts)
    longest = max(text_points(label, sizes[0]) for label in labels)
    return sizes[longest + room * sizes[0] > width], 1


def _measure_below(ax: Axes) -> float:
    """Return the height of the ticks, their labels and the axis label, points."""
    size = text_size(ax)
    ticks = 7 + 1.2 * size if len(ax.get_xticks()) else 0.0
    lines = ax.get_xlabel().count("\n") + 1 if ax.get_xlabel() else 0
    return ticks + 4 + lines * (1.25 * size) + 5


def add_caption(ax: Axes, table: pd.DataFrame, *facts: str, note: str = "") -> Annotation:
    """
    Add a caption with the origin of the data and the credit.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        The axes, with everything else drawn.
    table : pandas.DataFrame
        The table that was drawn.
    *facts : str
        First part of the caption: number of rows, and what is missing.
    note : str
        Warning in front of the facts, on its own lines.

    Returns
    -------
    matplotlib.text.Annotation
        The caption.
    """
    attrs = read_attrs(table)
    said = [fact for fact in (*facts, *describe_origin(attrs)) if fact]
    size = small_size(ax)
    shift, width = _find_text_room(ax)
    texts = [note, " · ".join(said), credit_line(table)]
    lines = [wrapped(plain(text), size, width) for text in texts if text]
    legend = ax.get_legend()
    under = legend if legend is not None else ax.xaxis.label
    # Anchored to the legend or the axis label, so that it moves with them.
    caption = ax.annotate(
        "\n".join(lines),
        (0, 0),
        xytext=(-shift, -5),
        xycoords=("axes fraction", under),
        textcoords="offset points",
        va="top",
        fontsize=size,
        color="#555555",
        annotation_clip=False,
        gid=CAPTION,
    )
    fill_room(ax)
    return caption
