"""Classes of values: bounds, their words, and the legend of a map of them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from ocm_geo.plots.style import GREY, UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.patches import Patch
    from numpy.typing import NDArray

__all__ = ["HATCH", "Classes", "round_classes", "share_classes"]

HATCH = "////"
_STEPS = (1.0, 2.0, 5.0)
_TAIL = 0.02


@dataclass(frozen=True)
class Classes:
    """
    Classes of values, with a colour each.

    Parameters
    ----------
    bounds : tuple of float
        Between classes, ascending; a value on a bound belongs to the upper class.
    colours : tuple of str
        One more than bounds.
    labels : tuple of str
        The classes in words, one for each colour.
    missing : str
        What it means that there is no value.
    """

    bounds: tuple[float, ...]
    colours: tuple[str, ...]
    labels: tuple[str, ...]
    missing: str

    def of(self, values: NDArray[np.float64]) -> NDArray[np.intp]:
        """
        Put values into classes.

        Parameters
        ----------
        values : numpy.ndarray
            Numbers; NaN is missing.

        Returns
        -------
        numpy.ndarray of int
            Position of the class; -1 where the value is missing.
        """
        found = np.searchsorted(self.bounds, values, side="right")
        return np.where(np.isnan(values), -1, found)

    def legend(self, ranks: NDArray[np.intp]) -> list[Patch]:
        """
        Explain the classes, with how many are in each.

        Parameters
        ----------
        ranks : numpy.ndarray of int
            As `of` gives them.

        Returns
        -------
        list of matplotlib.patches.Patch
            The missing come last, and only where there are any.
        """
        from matplotlib.patches import Patch  # noqa: PLC0415 - loaded when needed

        handles = [
            Patch(facecolor=colour, edgecolor=GREY, lw=0.4, label=f"{label} ({n:,})")
            for colour, label, n in zip(
                self.colours,
                self.labels,
                np.bincount(ranks[ranks >= 0], minlength=len(self.colours)),
                strict=True,
            )
        ]
        if n := int((ranks < 0).sum()):
            look: dict[str, Any] = {
                "facecolor": UNKNOWN,
                "edgecolor": GREY,
                "hatch": HATCH,
                "lw": 0.4,
            }
            handles.append(Patch(label=f"{self.missing} ({n:,})", **look))
        return handles


def share_classes(colours: Sequence[str]) -> Classes:
    """
    Give classes of equal width for shares in percent.

    Parameters
    ----------
    colours : sequence of str
        From little to much.

    Returns
    -------
    Classes
        The same for every map, so that maps can be compared; 100 belongs to the last.
    """
    edges = np.linspace(0, 100, len(colours) + 1)
    labels = [f"{a:g} to under {b:g} %" for a, b in pairwise(edges)]
    labels[-1] = f"{edges[-2]:g} to 100 %"
    return Classes(tuple(edges[1:-1].tolist()), tuple(colours), tuple(labels), "not known")


def round_classes(values: NDArray[np.float64], colours: Sequence[str], unit: str) -> Classes:
    """
    Choose round bounds (1, 2, 5, 10, …) that tell the values apart.

    Parameters
    ----------
    values : numpy.ndarray
        Positive numbers; NaN is missing.
    colours : sequence of str
        From low to high, as many as there may be classes.
    unit : str
        Of the values.

    Returns
    -------
    Classes
        At most one for each colour; the values beyond are in the outer ones.
    """
    known = values[np.isfinite(values) & (values > 0)]
    low, high = np.quantile(known, [_TAIL, 1 - _TAIL]) if len(known) else (1.0, 1.0)
    powers = 10.0 ** np.arange(np.floor(np.log10(low)) - 1, np.ceil(np.log10(high)) + 2)
    rounds = np.array([step * power for power in powers for step in _STEPS])
    inside = rounds[(rounds > low) & (rounds < high)]
    if not len(inside):
        inside = rounds[rounds >= high][:1]
    bounds = [float(f"{bound:.3g}") for bound in inside[-(len(colours) - 1) :]]
    chosen = [
        colours[i] for i in np.linspace(0, len(colours) - 1, len(bounds) + 1).round().astype(int)
    ]
    middle = [f"{a:g} to under {b:g} {unit}" for a, b in pairwise(bounds)]
    labels = [f"under {bounds[0]:g} {unit}", *middle, f"{bounds[-1]:g} {unit} and more"]
    return Classes(tuple(bounds), tuple(chosen), tuple(labels), "none found")
