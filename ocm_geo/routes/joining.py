"""Join the parts of a route in their order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ocm_geo.errors import RouteError
from ocm_geo.geodesy import distance_km

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["JOIN_KM", "join"]

JOIN_KM = 0.01
"""Ends of parts no farther apart than this count as joined: 10 m."""


def join(
    parts: Sequence[NDArray[np.float64]], *, max_join_km: float = JOIN_KM, hint: str = ""
) -> NDArray[np.float64]:
    """
    Join parts of a line, each of which begins where the previous one ends.

    Parameters
    ----------
    parts : sequence of numpy.ndarray, each of shape (n, 2)
        Positions in degrees, at least one part, at least one position each.
    max_join_km : float
        Longest gap between two parts, in km, that is bridged with a straight line.
    hint : str
        Advice for the message if they do not join.

    Returns
    -------
    numpy.ndarray, shape (n, 2)
        All positions.

    Raises
    ------
    RouteError
        If a part begins farther away.
    """
    ends = np.array([part[-1] for part in parts[:-1]]).reshape(-1, 2)
    starts = np.array([part[0] for part in parts[1:]]).reshape(-1, 2)
    gaps = distance_km(*ends.T, *starts.T)
    if (gaps > max_join_km).any():
        first = int(np.argmax(gaps > max_join_km))
        backwards = distance_km(*ends[first], *parts[first + 1][-1])
        turned = ", whose other end would join" if backwards <= max_join_km else ""
        raise RouteError(
            f"the {len(parts)} parts do not join: part {first} ends at "
            f"{_format_lonlat(ends[first])} and part {first + 1} begins {gaps[first]:.3g} km away "
            f"at {_format_lonlat(starts[first])}{turned}{hint}"
        )
    return np.concatenate(list(parts))


def _format_lonlat(lonlat: NDArray[np.float64]) -> str:
    return f"({lonlat[0]:.5f}, {lonlat[1]:.5f})"
