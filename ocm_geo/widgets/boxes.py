"""Boxes of an explorer's views: the first one, and those for which a source is queried."""

from __future__ import annotations

import numpy as np
import shapely

from ocm_geo.checks import short_form
from ocm_geo.errors import QueryError
from ocm_geo.query.where import Box
from ocm_geo.widgets.view import View

__all__ = ["WORLD", "choose_first_view", "measure_deg2", "snap_box"]

WORLD = (-540.0, -90.0, 540.0, 90.0)
"""All longitudes, at whatever turn of the Earth a map is."""
_PAD = 0.15
_CELL = 128


def choose_first_view(bbox: tuple[float, float, float, float] | None, *, remote: bool) -> View:
    """Return the view of a box, or a default one: Europe for a server, else the world."""
    if bbox is None:
        return View.at(10.0, 50.0, 4) if remote else View.at(0.0, 20.0, 2)
    try:
        west, south, east, north = bbox
    except (TypeError, ValueError) as error:
        raise QueryError(
            f"bbox must be (west, south, east, north), not {short_form(bbox)}"
        ) from error
    box = Box(west, south, east, north)
    over = 360.0 if box.west > box.east else 0.0
    return View.around_shapes(
        np.array([shapely.box(*box.as_tuple()[:2], box.east + over, box.north)])
    )


def snap_box(view: View) -> tuple[float, float, float, float]:
    """Return the box of a view, extended to a grid so that a small pan needs no question."""
    wide = view.padded(_PAD).snapped(_CELL)
    if wide.east - wide.west >= 360:  # noqa: PLR2004 - a full turn
        return (*WORLD[:1], wide.south, *WORLD[2:3], wide.north)
    turn = 360.0 * ((wide.west + 180) // 360)
    return wide.west - turn, wide.south, wide.east - turn, wide.north


def measure_deg2(view: View) -> float:
    """Return the size of a view in square degrees."""
    return (view.east - view.west) * (view.north - view.south)
