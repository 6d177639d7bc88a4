"""Text on figures: its sizes, measured and broken to fit."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from ocm_geo.plots.room import box_inches

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["POINTS", "shortened", "small_size", "text_points", "text_size", "wrapped"]

_SMALLEST, _LARGEST = 7.0, 9.0
_LEGIBLE = 6.0
"""Points: nothing on paper is smaller."""
POINTS = 72.0
"""In an inch."""
_MEASURED_AT = (80.0, 100.0, 300.0)
_SHORT_WORD = 12
_NAMES = 0.35
"""Of the width: names beside the axes take no more."""


def text_size(ax: Axes) -> float:
    """
    Choose the size of text for the width of axes.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        The axes.

    Returns
    -------
    float
        Points: 7 in a figure 3 inches wide, 9 in one that fills a page.
    """
    return float(np.clip(4.6 + 0.75 * box_inches(ax)[0], _SMALLEST, _LARGEST))


def small_size(ax: Axes) -> float:
    """
    Choose the size of what is said beside the matter: values, kilometres, the caption.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        The axes.

    Returns
    -------
    float
        Points, never less than 6.
    """
    return max(text_size(ax) - 1.2, _LEGIBLE)


def text_points(text: str, size: float) -> float:
    """
    Measure a line of text.

    Parameters
    ----------
    text : str
        One line.
    size : float
        Points.

    Returns
    -------
    float
        Its width in matplotlib's font, points.
    """
    from matplotlib import rcParams  # noqa: PLC0415 - loaded when needed

    return _measured(text, size, tuple(rcParams["font.family"]))


@lru_cache(maxsize=4096)
def _measured(text: str, size: float, _family: tuple[str, ...]) -> float:
    from matplotlib.backends import backend_agg  # noqa: PLC0415 - loaded when needed
    from matplotlib.font_manager import FontProperties  # noqa: PLC0415 - loaded when needed

    # Small letters are moved to whole pixels, which makes a line up to a tenth longer.
    font, widths = FontProperties(size=size), []
    for dpi in _MEASURED_AT:
        renderer: Any = backend_agg.RendererAgg(1, 1, dpi)  # type: ignore[no-untyped-call]
        width, _, _ = renderer.get_text_width_height_descent(text, font, ismath=False)
        widths.append(float(width) * POINTS / dpi)
    return max(widths)


def wrapped(text: str, size: float, points: float) -> str:
    """
    Break a text into lines that fit.

    Parameters
    ----------
    text : str
        Any text.
    size : float
        Points.
    points : float
        Width of the lines.

    Returns
    -------
    str
        Lines; a word that is too long for one is broken.
    """
    lines: list[str] = []
    words = [part for word in text.split() for part in _broken(word, size, points)]
    for word in words:
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and text_points(longer, size) <= points:
            lines[-1] = longer
        else:
            lines.append(word)
    return "\n".join(lines)


def shortened(ax: Axes, names: list[str]) -> list[str]:
    """
    Cut names that would take more than a third of the width beside axes.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        The axes.
    names : list of str
        One for each row.

    Returns
    -------
    list of str
        Whole, or with an ellipsis.
    """
    size, most = text_size(ax), _NAMES * box_inches(ax)[0] * POINTS
    wide = [text_points(name, size) for name in names]
    return [
        name if width <= most else f"{name[: max(int(len(name) * most / width) - 1, 1)]}…"
        for name, width in zip(names, wide, strict=True)
    ]


def _broken(word: str, size: float, points: float) -> list[str]:
    """Break a word that is wider than a line."""
    width = text_points(word, size)
    if width <= points or len(word) < _SHORT_WORD:
        return [word]
    n = max(int(len(word) * points / width), 1)
    return [word[i : i + n] for i in range(0, len(word), n)]
