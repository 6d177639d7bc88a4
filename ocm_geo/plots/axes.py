"""Axes and what stands around them: sizes of text, legend, and the caption with the credit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ocm_geo.errors import QueryError
from ocm_geo.outside import name_outside
from ocm_geo.plots.room import box_inches, fill_room
from ocm_geo.plots.style import GREY, INK, plain
from ocm_geo.plots.text import POINTS, small_size, text_points, text_size, wrapped
from ocm_geo.provenance import credit_line, read_attrs

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.legend import Legend
    from matplotlib.text import Annotation

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
"""What an axis of numbers and its label take of the width."""
_WIDE_POINTS = 50.0
"""Longer names beside the axes: what stands below then begins under them."""
_OVERHANG = 6.0
"""By which the last tick label leaves the axes, points."""
_LEGEND_POINT = 22.0
_MOST_COLUMNS = 5
_PLAIN_HANDLE, _DASHED_HANDLE, _BESIDE = 1.4, 3.2, 1.8
"""Of the size of text: the sign of an entry of a legend, long enough to tell dashes, and gaps."""


def new_axes(ax: Axes | None, width: float = 7.0, height: float = 5.0) -> Axes:
    """
    Give the axes to draw on.

    Parameters
    ----------
    ax : matplotlib.axes.Axes or None
        The caller's, which stay as they are.
    width, height : float
        Size of a new figure, inches.

    Returns
    -------
    matplotlib.axes.Axes
        The caller's, or those of a new figure.

    Raises
    ------
    QueryError
        If ``ax`` is something else.
    """
    import matplotlib.pyplot as plt  # noqa: PLC0415 - loaded when needed
    from matplotlib.axes import Axes as AnyAxes  # noqa: PLC0415 - loaded when needed

    if isinstance(ax, AnyAxes):
        return ax
    if ax is not None:
        raise QueryError(f"ax must be the axes of a figure, not {type(ax).__name__}")
    _, new = plt.subplots(figsize=(width, height))
    return new


def _points_beside(ax: Axes) -> float:
    """Give the width of what stands on the left of axes, points; a map has nothing there."""
    if not len(ax.get_yticks()):
        return 0.0
    names = [label.get_text() for label in ax.get_yticklabels()]
    widest = max((text_points(name, text_size(ax) - 0.5) for name in names), default=0.0)
    return max(widest + 8.0, _AXIS_POINTS)


def _below(ax: Axes) -> tuple[float, float]:
    """Give where text below the axes begins, left of them, and how wide it may be, points."""
    beside = _points_beside(ax)
    shift = beside if beside > _WIDE_POINTS else 0.0
    return shift, box_inches(ax)[0] * POINTS - beside + shift - _OVERHANG


def put_title(ax: Axes, text: str) -> None:
    """
    Put a heading above axes, on as many lines as it needs.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        The axes.
    text : str
        Any text.
    """
    size = text_size(ax) + 1.5
    ax.set_title(wrapped(plain(text), size, _below(ax)[1]), fontsize=size, loc="left", color=INK)


def tune(ax: Axes, xlabel: str, ylabel: str, *, grid: str = "y") -> None:
    """
    Label axes that are no map, at sizes that fit them.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        The axes.
    xlabel, ylabel : str
        With the unit.
    grid : {"x", "y", "both", ""}
        The lines behind the data.
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
    Put the legend under the axes, where it covers nothing, in as many columns as fit.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        The axes.
    heading : str
        What the classes are.
    handles : list of matplotlib.artist.Artist, optional
        What is explained; all that is labelled by default.

    Returns
    -------
    matplotlib.legend.Legend or None
        None if there is nothing to explain.
    """
    from matplotlib.collections import PathCollection  # noqa: PLC0415 - loaded when needed
    from matplotlib.lines import Line2D  # noqa: PLC0415 - loaded when needed
    from matplotlib.transforms import ScaledTranslation  # noqa: PLC0415 - loaded when needed

    given = handles if handles is not None else ax.get_legend_handles_labels()[0]
    if not given:
        return None
    shift, width = _below(ax)
    dashed = any(isinstance(h, Line2D) and h.is_dashed() for h in given)
    handle = _DASHED_HANDLE if dashed else _PLAIN_HANDLE
    size, columns = _columns([str(h.get_label()) for h in given], ax, width, handle + _BESIDE)
    down = ScaledTranslation(-shift / POINTS, -_room_below(ax) / POINTS, ax.figure.dpi_scale_trans)
    legend = ax.legend(
        handles=given,
        title=wrapped(heading, size, width) or None,
        loc="upper left",
        bbox_to_anchor=(0, 0),
        bbox_transform=ax.transAxes + down,
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
        text.set_text(wrapped(text.get_text(), size, width - (handle + _BESIDE) * size))
    for shown in legend.legend_handles:
        if isinstance(shown, PathCollection):
            shown.set_sizes([_LEGEND_POINT])
        elif isinstance(shown, Line2D) and shown.get_linestyle() == "None":
            shown.set_markersize(_LEGEND_POINT**0.5)
    return legend


def _columns(labels: list[str], ax: Axes, width: float, handle: float) -> tuple[float, int]:
    """Choose the size of a legend's text and its columns: smaller where it saves many lines."""
    sizes = (text_size(ax) - 0.3, small_size(ax))
    for size in sizes:
        for columns in range(min(len(labels), _MOST_COLUMNS), 1, -1):
            rows = -(-len(labels) // columns)
            parts = [labels[start : start + rows] for start in range(0, len(labels), rows)]
            widest = [max(text_points(label, size) for label in part) for part in parts]
            if sum(widest) + handle * size * len(parts) <= width:
                return size, len(parts)
    longest = max(text_points(label, sizes[0]) for label in labels)
    return sizes[longest + handle * sizes[0] > width], 1


def _room_below(ax: Axes) -> float:
    """Give the height of ticks, their labels and the axis label, points."""
    size = text_size(ax)
    ticks = 7 + 1.2 * size if len(ax.get_xticks()) else 0.0
    lines = ax.get_xlabel().count("\n") + 1 if ax.get_xlabel() else 0
    return ticks + 4 + lines * (1.25 * size) + 5


def add_caption(ax: Axes, table: pd.DataFrame, *facts: str, note: str = "") -> Annotation:
    """
    Say under a figure what it rests on and whom to credit.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        The axes, finished but for this.
    table : pandas.DataFrame
        The table that was drawn.
    *facts : str
        What comes first: how many, and what is missing.
    note : str
        What must be known before all, on lines of its own.

    Returns
    -------
    matplotlib.text.Annotation
        The caption.
    """
    attrs = read_attrs(table)
    told = [fact for fact in facts if fact]
    if date := attrs.get("data_date"):
        told.append(f"data to {date}")
    elif retrieved := attrs.get("retrieved"):
        told.append(f"retrieved {retrieved[:10]}")
    if snapshot := attrs.get("snapshot"):
        told.append(f"snapshot {snapshot}")
    if attrs.get("truncated"):
        told.append("cut off: not all stations that match")
    if names := name_outside(attrs):
        told.append(f"no data: {names}")
    size = small_size(ax)
    shift, width = _below(ax)
    texts = [note, " · ".join(told), credit_line(table)]
    lines = [wrapped(plain(text), size, width) for text in texts if text]
    legend = ax.get_legend()
    under = legend if legend is not None else ax.xaxis.label
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
