"""Directions of travel on a network: which pools serve which."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ocm_geo.roads import RoadNetwork
    from ocm_geo.roads.chains import Axis
    from ocm_geo.roads.places import Places
    from ocm_geo.standards.cases import Case

__all__ = ["sort_by_direction"]


def sort_by_direction(case: Case, network: RoadNetwork, places: Places) -> dict[str, Places]:
    """
    Sort places by the direction of travel that they serve.

    Parameters
    ----------
    case : Case
        The question: whether a pool serves only its side of the road.
    network : RoadNetwork
        The network.
    places : Places
        Where pools lie.

    Returns
    -------
    dict of str to Places
        ``both`` for pools that serve both; else ``forward`` and ``reverse``, told apart on each
        component by the axis along which most of its roads run. On lines with one direction a pool
        lies only at its nearest place: the directed ways decide which carriageways lead to it.
    """
    if case.serve != "by-side":
        return {"both": places}
    along = _find_forward_chains(network.axis)[places.chain]
    serves_forward = (places.is_right == along) == (case.options.drive_on == "right")
    one_way = network.axis.ways[places.chain] != 0
    if not one_way.any():
        return {"forward": places.where(serves_forward), "reverse": places.where(~serves_forward)}
    # The nearest place of a point comes before those beside it on other lines.
    is_nearest = np.zeros(len(places.point), dtype=bool)
    is_nearest[np.unique(places.point, return_index=True)[1]] = True
    reached = one_way & is_nearest
    if one_way[is_nearest].all():
        return {"both": places.where(reached)}
    sides = {"forward": serves_forward, "reverse": ~serves_forward}
    return {name: places.where(reached | (side & ~one_way)) for name, side in sides.items()}


def _find_forward_chains(axis: Axis) -> NDArray[np.bool_]:
    """Find the chains that run the same way as the main axis of their component."""
    # Steps as complex numbers, east the real part: their argument is the heading.
    scale = np.cos(np.radians(axis.xy0[:, 1]))
    step = (axis.xy1[:, 0] - axis.xy0[:, 0]) * scale + 1j * (axis.xy1[:, 1] - axis.xy0[:, 1])
    size = np.abs(step)
    # Doubled angles: a road and the road back have one axis. Divided by its size, the square of a
    # step has the step's length, so that long edges weigh more.
    double = np.divide(step**2, size, out=np.zeros_like(step), where=size > 0)
    component = axis.component[axis.start_node]
    n = int(np.max(component)) + 1
    of = component[axis.chain]
    total = np.bincount(of, double.real, n) + 1j * np.bincount(of, double.imag, n)
    # The main axis has a direction only by convention: half the angle, east of north.
    main = np.exp(0.5j * np.angle(total))[component]
    m = len(component)
    chord = np.bincount(axis.chain, step.real, m) + 1j * np.bincount(axis.chain, step.imag, m)
    return np.asarray((chord * main.conj()).real >= 0)
