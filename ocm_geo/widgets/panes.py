"""Two maps side by side that show the same view."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ipywidgets

from ocm_geo.checks import short_form
from ocm_geo.errors import QueryError
from ocm_geo.widgets.picture import Face, stack_pictures
from ocm_geo.widgets.pictured import Pictured, PictureMap

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["PanePair", "side_by_side"]


def side_by_side(left: PictureMap, right: PictureMap) -> PanePair:
    """
    Show two maps side by side; moving one moves the other.

    Parameters
    ----------
    left, right : ipyleaflet.Map
        Maps made by `station_map`, `coverage_map` or `changes_map`, of two snapshots, columns or
        distances for example. The right one takes the view of the left one.

    Returns
    -------
    PanePair
        A widget with the attributes ``left`` and ``right``; ``to_png`` writes both.

    Raises
    ------
    QueryError
        If one is not such a map, or both are the same one.

    Examples
    --------
    >>> import ocm_geo as ocm
    >>> stations = ocm.stations(source=ocm.sample())
    >>> fast = stations[stations["max_power_kw"] >= 50]
    >>> pair = ocm.side_by_side(*(ocm.station_map(s, basemap="offline") for s in (stations, fast)))
    >>> pair.left.zoom == pair.right.zoom
    True
    """
    for shown in (left, right):
        if not isinstance(shown, PictureMap):
            raise QueryError(f"left and right must be maps of ocm_geo, not {short_form(shown)}")
    if left is right:
        raise QueryError("left and right must be two maps, not the same one twice")
    return PanePair(left, right)


class PanePair(Pictured, ipywidgets.HBox):  # type: ignore[misc] # ipywidgets has no types
    """
    Two linked maps; made by `side_by_side`.

    Parameters
    ----------
    left, right : PictureMap
        The maps.

    Attributes
    ----------
    left, right : ipyleaflet.Map
        The maps.
    """

    def __init__(self, left: PictureMap, right: PictureMap) -> None:
        self.left, self.right = left, right
        right.follow(left)
        # In the browser, so that both move at once.
        self._links = [ipywidgets.jslink((left, n), (right, n)) for n in ("center", "zoom")]
        for shown in (left, right):
            shown.layout.width = "50%"
        super().__init__([left, right])

    def describe_face(self) -> Face:
        """Return the titles and credits of both maps."""  # numpydoc ignore=RT01
        faces = [self.left.describe_face(), self.right.describe_face()]
        titles = " | ".join(face.title for face in faces if face.title)
        return Face(titles, (), " ".join(dict.fromkeys(face.credit for face in faces)))

    def set_mark(self, mark: str) -> None:
        """Pass on the mark of the picture."""  # numpydoc ignore=PR01
        self.left.set_mark(mark)

    def draw_picture(self, scale: float) -> Image.Image:
        """Draw both maps."""  # numpydoc ignore=PR01,RT01
        drawn = [shown.draw_picture(scale) for shown in (self.left, self.right)]
        return stack_pictures(drawn, sideways=True)
