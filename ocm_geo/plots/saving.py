"""Figures as files: reproducible, with the credit in their metadata."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any

from ocm_geo.checks import short_form
from ocm_geo.errors import QueryError
from ocm_geo.paths import expand_path, replacing
from ocm_geo.plots.axes import CAPTION

if TYPE_CHECKING:
    import os
    from pathlib import Path

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["save_figure"]

_KEYS = {
    ".png": ("Title", "Description", "Software", None),
    ".svg": ("Title", "Description", "Creator", "Date"),
    ".pdf": ("Title", "Subject", "Creator", "CreationDate"),
}


def save_figure(ax: Axes, path: str | os.PathLike[str], *, dpi: float = 300) -> Path:
    """
    Write the figure of axes to a file, with the credit in its metadata.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        Axes returned by a ``plot_…`` function.
    path : path
        Path with the suffix ``.png``, ``.svg`` or ``.pdf``; ``~`` is the home folder. An existing
        file is replaced in one step.
    dpi : float
        Dots per inch, also of raster layers in ``.svg`` and ``.pdf``.

    Returns
    -------
    pathlib.Path
        The file. The same figure results in the same bytes: the time of writing is left out. Text
        in ``.svg`` is drawn as shapes, so that it needs no font; fonts in ``.pdf`` are TrueType.

    Raises
    ------
    QueryError
        If the suffix is another one, or the file cannot be written.

    Examples
    --------
    >>> import ocm_geo as ocm
    >>> stations = ocm.stations_from_country("NL", source=ocm.sample())
    >>> ocm.save_figure(ocm.plot_stations(stations), "stations.svg").name
    'stations.svg'
    """
    import matplotlib as mpl  # noqa: PLC0415 - loaded when needed

    target = expand_path(path)
    if target.suffix.lower() not in _KEYS:
        raise QueryError(f"{target.name}: the suffix must be one of {', '.join(_KEYS)}")
    if not hasattr(ax, "get_figure"):
        raise QueryError(f"ax must be the axes of a figure, not {short_form(ax)}")
    figure = ax.get_figure(root=True)
    if figure is None:
        raise QueryError("ax must belong to a figure: these axes were removed from theirs")
    # Publishers refuse the Type 3 fonts that matplotlib writes by default; 42 is TrueType.
    # The salt makes matplotlib's ids in SVG the same each time.
    fixed = {"svg.hashsalt": "ocm_geo", "svg.fonttype": "path", "pdf.fonttype": 42}
    suffix = target.suffix.lower()
    # In memory, because matplotlib leaves a file open that it could not write completely.
    drawn = BytesIO()
    with mpl.rc_context(fixed):  # type: ignore[arg-type]
        figure.savefig(
            drawn, format=suffix[1:], dpi=dpi, metadata=_collect_metadata(figure, suffix)
        )
    with replacing(target) as scratch:
        scratch.write_bytes(drawn.getvalue())
    return target


def _collect_metadata(figure: Figure, suffix: str) -> dict[str, Any]:
    """Return the metadata of a file format: captions, title and program, without a date."""
    title, text, maker, date = _KEYS[suffix]
    captions = [
        said.get_text().replace(r"\$", "$") for ax in figure.axes for said in ax.texts
        if said.get_gid() == CAPTION
    ]  # fmt: skip
    titles = [ax.get_title(loc="left") for ax in figure.axes if ax.get_title(loc="left")]
    found: dict[str, Any] = {maker: "ocm_geo", text: "\n".join(captions)}
    if titles:
        found[title] = titles[0]
    if date is not None:
        found[date] = None
    return found
