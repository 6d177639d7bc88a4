"""Text on figures: sizes that fit the axes, and lines broken to fit."""

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
"""Smallest text on paper, points."""
POINTS = 72.0
"""Points in an inch."""
_MEASURED_AT = (80.0, 100.0, 300.0)
_SHORT_WORD = 12
_NAMES = 0.35
"""Largest share of the width for names beside the axes."""


def text_size(ax: Axes) -> float:
    """
    Return the text size that fits the width of axes.

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
    Return the size of secondary text: values, kilometres, caption.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        The axes.

    Returns
    -------
    float
        Points, at least 6.
    """
    return max(text_size(ax) - 1.2, _LEGIBLE)


def text_points(text: str, size: float) -> float:
    """
    Return the width of a line of text.

    Parameters
    ----------
    text : str
        One line.
    size : float
        Points.

    Returns
    -------
    float
        Width in matplotlib's current font, points.
    """
    from matplotlib import rcParams  # noqa: PLC0415 - loaded when needed

    return _measure_text(text, size, tuple(rcParams["font.family"]))


@lru_cache(maxsize=4096)
def _measure_text(text: str, size: float, _family: tuple[str, ...]) -> float:
    """Return the largest width of a line at some resolutions, points."""
    from matplotlib.backends import backend_agg  # noqa: PLC0415 - loaded when needed
    from matplotlib.font_manager import FontProperties  # noqa: PLC0415 - loaded when needed

    # Glyphs are placed on whole pixels, which makes a line of small text up to a tenth longer.
    font, widths = FontProperties(size=size), []
    for dpi in _MEASURED_AT:
        renderer: Any = backend_agg.RendererAgg(1, 1, dpi)  # type: ignore[no-untyped-call]
        width, _, _ = renderer.get_text_width_height_descent(text, font, ismath=False)
        widths.append(float(width) * POINTS / dpi)
    return max(widths)


def wrapped(text: str, size: float, points: float) -> str:
    """
    Return a text broken into lines that fit.

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
        Text with line breaks; words longer than a line are broken too.
    """
    # Greedy: each line takes as many words as fit, which needs the fewest lines.
    lines: list[str] = []
    words = [part for word in text.split() for part in _break_word(word, size, points)]
    for word in words:
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and text_points(longer, size) <= points:
            lines[-1] = longer
        else:
            lines.append(word)
    return "\n".join(lines)


def shortened(ax: Axes, names: list[str]) -> list[str]:
    """
    Return row names cut to about a third of the width of axes.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        The axes.
    names : list of str
        One for each row.

    Returns
    -------
    list of str
        Names, with an ellipsis if they were cut.
    """
    size, most = text_size(ax), _NAMES * box_inches(ax)[0] * POINTS
    wide = [text_points(name, size) for name in names]
    return [
        name if width <= most else f"{name[: max(int(len(name) * most / width) - 1, 1)]}…"
        for name, width in zip(names, wide, strict=True)
    ]


def _break_word(word: str, size: float, points: float) -> list[str]:
    """Return the parts of a word that fit into lines."""
    width = text_points(word, size)
    # Short words stay whole even if they are too wide: parts of them could not be read.
    if width <= points or len(word) < _SHORT_WORD:
        return [word]
    n = max(int(len(word) * points / width), 1)
    return [word[i : i + n] for i in range(0, len(word), n)]
