"""Maps that draw a picture of themselves, for files and for where nothing is live."""

from __future__ import annotations

import base64
import os
import uuid
from typing import TYPE_CHECKING, Any

import ipyleaflet

from ocm_geo.checks import check_number
from ocm_geo.errors import QueryError
from ocm_geo.paths import expand_path, replacing
from ocm_geo.widgets.picture import Face, encode_png, flatten, map_picture
from ocm_geo.widgets.view import View, size_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from PIL import Image

__all__ = ["PictureMap", "Pictured"]

_MOST_SCALE = 6.0
_SCREEN_SCALE = 1.5
"""Pixels of a notebook's picture for each pixel of the screen."""
_NOTICE = "The map is live while its kernel runs: run the cell again."
_WIDGET, _PNG = "application/vnd.jupyter.widget-view+json", "image/png"


class Pictured:
    """
    A widget that draws a picture of itself.

    Subclasses have a ``face``, draw their picture in ``draw_picture``, and name themselves to the
    page by setting ``mark`` in ``set_mark``.
    """

    def draw_picture(self, scale: float) -> Image.Image:
        """
        Draw the picture of the widget.

        Parameters
        ----------
        scale : float
            Pixels of the picture for each pixel of the screen.

        Returns
        -------
        PIL.Image.Image
            The picture.
        """
        raise NotImplementedError

    def describe_face(self) -> Face:
        """
        Return the title, legend and credit of the picture.

        Returns
        -------
        Face
            What the picture contains beside the map.
        """
        raise NotImplementedError

    def set_mark(self, mark: str) -> None:
        """
        Pass on the mark of the picture that the live map replaces.

        Parameters
        ----------
        mark : str
            A part of the picture's address.
        """

    def to_png(self, path: str | os.PathLike[str], *, scale: float = 2.0) -> Path:
        """
        Write the map as a picture, drawn without a browser or a network.

        Parameters
        ----------
        path : path
            Path with the suffix ``.png``; an existing file is replaced in one step.
        scale : float
            Pixels of the picture for each pixel of the screen, above 0 and up to 6.

        Returns
        -------
        pathlib.Path
            The file: the current view with the bundled land below it, the classes, colours and
            legend of the live map, its title and its credit, which is in the metadata too.

        Raises
        ------
        QueryError
            If the suffix or the scale is wrong, or the file cannot be written.
        """
        target = expand_path(path)
        if target.suffix.lower() != ".png":
            raise QueryError(f"{target.name}: the suffix must be .png")
        check_number(scale, "scale", low=0.1, high=_MOST_SCALE)
        drawn = encode_png(self.draw_picture(scale), self.describe_face(), scale=scale)
        with replacing(target) as scratch:
            scratch.write_bytes(drawn)
        return target

    def _encode_for_screen(self, mark: str = "") -> tuple[str, dict[str, int]]:
        """Return the picture in base64, and its size on the screen."""
        picture = self.draw_picture(_SCREEN_SCALE)
        size = {
            "width": round(picture.width / _SCREEN_SCALE),
            "height": round(picture.height / _SCREEN_SCALE),
        }
        flat = flatten(picture)
        drawn = encode_png(flat, self.describe_face(), mark=mark, scale=_SCREEN_SCALE)
        return base64.b64encode(drawn).decode(), size

    def _repr_mimebundle_(self, **options: Any) -> dict[str, Any]:  # noqa: ANN401 - of Jupyter
        """Return the live map, and its picture for programs that run no widgets."""
        bundle = super()._repr_mimebundle_(**options)  # type: ignore[misc]
        return {**(bundle or {}), "text/plain": _NOTICE, _PNG: self._encode_for_screen()[0]}

    def _ipython_display_(self, **_: Any) -> None:  # noqa: ANN401 - of Jupyter
        """Show the live map in a notebook, and before it the picture that it replaces."""
        from IPython.display import display  # noqa: PLC0415 - comes with ipywidgets

        if not _is_notebook():
            display(self._repr_mimebundle_(), raw=True)  # type: ignore[no-untyped-call]
            return
        # A notebook that is opened again shows widgets as errors, however many other forms an
        # output has: the picture is an output of its own, which the live map hides.
        mark = uuid.uuid4().hex
        picture, size = self._encode_for_screen(mark)
        self.set_mark(_find_in_base64(mark, picture))
        bundle = super()._repr_mimebundle_()  # type: ignore[misc]
        shown = {_PNG: picture, "text/plain": self.describe_face().credit}
        display(shown, raw=True, metadata={_PNG: size})  # type: ignore[no-untyped-call]
        live = {**(bundle or {}), "text/plain": _NOTICE}
        display(live, raw=True)  # type: ignore[no-untyped-call]


class PictureMap(Pictured, ipyleaflet.Map):  # type: ignore[misc] # ipyleaflet has no types
    """
    A map with a home view, to which it returns while nobody has moved it, and a picture.

    Parameters
    ----------
    view : View
        The first view.
    height_px : float
        Height of the map, pixels.
    ground : bool
        Whether the bundled land is drawn.
    **options : object
        Options of `ipyleaflet.Map`.

    Attributes
    ----------
    face : callable
        Returns title, legend and credit.
    home : tuple of float
        ``(west, south, east, north)``.
    stations : StationLayer or None
        The stations of a map of stations.
    tell : callable
        Writes the legend of a map of stations again.
    awaited : bool
        Whether the browser has not yet reported a view that was set here.
    """

    def __init__(self, view: View, *, height_px: float, ground: bool, **options: Any) -> None:  # noqa: ANN401
        super().__init__(center=view.centre, zoom=view.zoom, **options)
        self.home = view.fitted or (view.west, view.south, view.east, view.north)
        self.face: Callable[[], Face] = lambda: Face("", (), "")
        self.tools: Any = None
        self.stations: Any = None
        self.tell: Callable[[], None] = lambda: None
        self.awaited = False
        self._title = ""
        self._height_px, self._ground = height_px, ground
        self._fitted: tuple[float, float] | None = None
        self._at_home: tuple[Any, Any] = (tuple(self.center), self.zoom)
        self.observe(self._fit_size, names="bounds")

    @property
    def title(self) -> str:
        """Heading on the map and its picture; it can be set."""
        return self._title

    @title.setter
    def title(self, text: str) -> None:
        self._title = str(text)
        if self.tools is not None:
            self.tools.title = self._title

    def draw_picture(self, scale: float) -> Image.Image:
        """Draw the current view."""  # numpydoc ignore=PR01,RT01
        face = self.describe_face()
        return map_picture(self, face, self._find_view(), ground=self._ground, scale=scale)

    def _find_view(self) -> View:
        """Return the view of the browser; until there is one, that which the home view fills."""
        size = size_of(self)
        if size is None and self._is_at_home():
            return View.fit_box(self.home, (_WIDTH_PX, self._height_px), exact=True)
        lat, lon = self.center
        return View.at(lon, lat, self.zoom, size or (_WIDTH_PX, self._height_px))

    def describe_face(self) -> Face:
        """Return the title, legend and credit."""  # numpydoc ignore=RT01
        return self.face()._replace(title=self.title)

    def set_mark(self, mark: str) -> None:
        """Pass on the mark of the picture."""  # numpydoc ignore=PR01
        if self.tools is not None:
            self.tools.mark = mark

    def set_home(self, view: View) -> None:
        """
        Set the view to which the map returns, and go there.

        Parameters
        ----------
        view : View
            A view that was fitted to what the map shows.
        """
        self.home = view.fitted or (view.west, view.south, view.east, view.north)
        self.go_home()

    def go_home(self) -> None:
        """Show the home view in the present size of the map."""
        size = size_of(self) or (_WIDTH_PX, self._height_px)
        view = View.fit_box(self.home, size)
        self.move_to(view)
        self._at_home = (tuple(self.center), self.zoom)

    def follow(self, other: PictureMap) -> None:
        """
        Take the home view and the present view of another map.

        Parameters
        ----------
        other : PictureMap
            The other map.
        """
        self.home = other.home
        with self.hold_sync():
            self.set_trait("center", other.center)
            self.set_trait("zoom", other.zoom)
        self._at_home = other._at_home

    def move_to(self, view: View) -> None:
        """
        Show a view.

        Parameters
        ----------
        view : View
            The view.
        """
        self.awaited = True
        with self.hold_sync():
            self.center, self.zoom = list(view.centre), view.zoom

    def _fit_size(self, _: object) -> None:
        """Fit the home view again when the size of the map changes, unless it was moved."""
        self.awaited = False
        size = size_of(self)
        if size is None or size == self._fitted:
            return
        self._fitted = size
        if self._is_at_home() and View.fit_box(self.home, size).zoom != self.zoom:
            self.go_home()

    def _is_at_home(self) -> bool:
        """Return whether nobody has moved the map."""
        (lat, lon), zoom = self._at_home
        near = abs(self.center[0] - lat) + abs(self.center[1] - lon) < _STILL_DEG
        return bool(near and self.zoom == zoom)


_WIDTH_PX = 760.0
_STILL_DEG = 1e-3
"""Longest way of a map that was not moved, degrees: browsers round the middle to pixels."""


def _is_notebook() -> bool:
    """Return whether a notebook with a page of its own shows the output."""
    from IPython import get_ipython  # noqa: PLC0415 - comes with ipywidgets

    shell = get_ipython()
    if shell is None or not hasattr(shell, "kernel"):
        return False
    # Voila shows nothing before the map is live; VS Code gives every output a page of its own.
    is_voila = os.environ.get("SERVER_SOFTWARE", "").startswith("voila")
    return not (is_voila or "__vsc_ipynb_file__" in shell.user_ns)


def _find_in_base64(mark: str, picture: str) -> str:
    """Return the part of an address in base64 that contains most of a mark."""
    start = base64.b64decode(picture[:400]).index(mark.encode())
    # Three bytes become four letters: the first and the last may belong to other bytes.
    first, last = -(-start // 3) * 4, (start + len(mark)) // 3 * 4
    return picture[first:last]
