"""What a figure says, read back from it."""

from __future__ import annotations

import re
from typing import Any

import matplotlib.pyplot as plt

import ocm_geo

__all__ = ["caption", "draw", "fits", "legend", "legend_counts"]

draw: Any = ocm_geo
"""The figures without matplotlib's types, which say little of what artists hold."""


def caption(ax: Any) -> str:
    (text,) = [t.get_text() for t in ax.texts if t.get_gid() == "ocm-caption"]
    return str(text).replace("\n", " ")


def legend(ax: Any) -> list[str]:
    found = ax.get_legend()
    return [t.get_text() for t in found.get_texts()] if found else []


def legend_counts(ax: Any) -> dict[str, int]:
    """Give the numbers in brackets behind the classes."""
    found = (re.fullmatch(r"(.*) \(([\d,]+)\)", line) for line in legend(ax))
    return {m[1]: int(m[2].replace(",", "")) for m in found if m}


def fits(ax: Any) -> None:
    """Nothing of what stands around the axes leaves the paper, nor lies on another."""
    figure = ax.figure
    figure.canvas.draw()
    paper = figure.bbox.padded(1.5)
    said = [t for t in ax.texts if t.get_gid() == "ocm-caption"]
    low, high = ax.get_xlim()
    ticks = [t.label1 for t in ax.xaxis.get_major_ticks() if low <= t.get_loc() <= high]
    around = [*said, ax.xaxis.label, ax.yaxis.label, ax.title, *ticks]
    boxes = [t.get_window_extent() for t in around if t.get_text()]
    legend_ = ax.get_legend()
    if legend_ is not None:
        boxes.append(legend_.get_window_extent())
        assert not legend_.get_window_extent().overlaps(said[0].get_window_extent().padded(-1))
        if ax.get_xlabel():
            assert not legend_.get_window_extent().overlaps(ax.xaxis.label.get_window_extent())
    for box in boxes:
        assert paper.x0 <= box.x0, (box, paper)
        assert box.x1 <= paper.x1, (box, paper)
        assert paper.y0 <= box.y0, (box, paper)
        assert box.y1 <= paper.y1, (box, paper)
    plt.close(figure)
