"""Parts of a route put together, in their order."""

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
"""Ends of parts no farther apart than this are taken as joined: 10 m."""


def join(
    parts: Sequence[NDArray[np.float64]], *, max_join_km: float = JOIN_KM, hint: str = ""
) -> NDArray[np.float64]:
    """
    Put parts of a line together, each beginning where the one before ends.

    Parameters
    ----------
    parts : sequence of numpy.ndarray, each of shape (n, 2)
        Positions in degrees, at least one part, at least one position each.
    max_join_km : float
        Longest piece, in km, that may be missing between two parts; a straight one is put in.
    hint : str
        What to do where they do not join, for the message.

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
            f"the {len(parts)} parts do not join: part {first} ends at {_position(ends[first])} "
            f"and part {first + 1} begins {gaps[first]:.3g} km away at "
            f"{_position(starts[first])}{turned}{hint}"
        )
    return np.concatenate(list(parts))


def _position(lonlat: NDArray[np.float64]) -> str:
    return f"({lonlat[0]:.5f}, {lonlat[1]:.5f})"
