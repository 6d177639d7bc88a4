"""Figures as files: the same bytes each time, with their credit inside."""

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
    Write the figure of some axes into a file, with its credit in the file's metadata.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        What a ``plot_…`` function gave.
    path : path
        ``.png``, ``.svg`` or ``.pdf``; ``~`` is the home folder. A file of that name is replaced
        in one step.
    dpi : float
        Dots per inch, also of the layers that are pictures in ``.svg`` and ``.pdf``.

    Returns
    -------
    pathlib.Path
        The file: for the same figure the same bytes, without the time of writing. Text in
        ``.svg`` is drawn as shapes, so that it needs no font; fonts in ``.pdf`` are TrueType.

    Raises
    ------
    QueryError
        If the suffix is none of these, or the file cannot be written.

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
        raise QueryError("these axes belong to no figure")
    # Publishers refuse the Type 3 fonts that matplotlib writes by default; 42 is TrueType.
    fixed = {"svg.hashsalt": "ocm_geo", "svg.fonttype": "path", "pdf.fonttype": 42}
    suffix = target.suffix.lower()
    # In memory, since matplotlib leaves a file open that it could not write to the end.
    drawn = BytesIO()
    with mpl.rc_context(fixed):  # type: ignore[arg-type]
        figure.savefig(drawn, format=suffix[1:], dpi=dpi, metadata=_metadata(figure, suffix))
    with replacing(target) as scratch:
        scratch.write_bytes(drawn.getvalue())
    return target


def _metadata(figure: Figure, suffix: str) -> dict[str, Any]:
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
